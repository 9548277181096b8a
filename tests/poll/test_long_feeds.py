"""`max_items` is for what is new, wherever it is in a document of any format; the rest waits."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from tests.http_server import Answer, HttpServer
from tests.poll.reader import DAY, HOUR, MINUTE, NOW, poll_store
from watchpost.documents.parser_process import InlineParser
from watchpost.documents.results import EntryHead
from watchpost.model import derive_id
from watchpost.poll.newness import beyond, newest
from watchpost.poll.source import SourceContext
from watchpost.poll.sources import feed
from watchpost.poll.visit import Visit, merged
from watchpost.store.client import Store
from watchpost.store.polling import Claim

Entry = tuple[str, timedelta | None]
"""A title, and how long before NOW it was published; None: it has no date."""


def rss(entries: Sequence[Entry]) -> bytes:
    items = "".join(
        f"<item><title>{title}</title><guid>{title}</guid>"
        + (f"<pubDate>{NOW - age:%a, %d %b %Y %H:%M:%S} GMT</pubDate>" if age is not None else "")
        + "</item>"
        for title, age in entries
    )
    return f"<rss version='2.0'><channel><title>D</title>{items}</channel></rss>".encode()


def atom(entries: Sequence[Entry]) -> bytes:
    items = "".join(
        f"<entry><title>{title}</title><id>{title}</id>"
        + (f"<updated>{(NOW - age).isoformat()}</updated>" if age is not None else "")
        + "</entry>"
        for title, age in entries
    )
    return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>D</title>{items}</feed>".encode()


def rdf(entries: Sequence[Entry]) -> bytes:
    items = "".join(
        f"<item rdf:about='http://e.org/{title}'><title>{title}</title><link>http://e.org/{title}</link>"
        + (f"<dc:date>{(NOW - age).isoformat()}</dc:date>" if age is not None else "")
        + "</item>"
        for title, age in entries
    )
    spaces = "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:dc='http://purl.org/dc/elements/1.1/'"
    return f"<rdf:RDF {spaces} xmlns='http://purl.org/rss/1.0/'><channel/>{items}</rdf:RDF>".encode()


def json_feed(entries: Sequence[Entry]) -> bytes:
    items = [
        {"id": title, "title": title} | ({"date_published": (NOW - age).isoformat()} if age is not None else {})
        for title, age in entries
    ]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "D", "items": items}).encode()


def sitemap(entries: Sequence[Entry]) -> bytes:
    items = "".join(
        f"<url><loc>http://e.org/{title}</loc><n:news><n:title>{title}</n:title>"
        + (f"<n:publication_date>{(NOW - age).isoformat()}</n:publication_date>" if age is not None else "")
        + "</n:news></url>"
        for title, age in entries
    )
    spaces = (
        "xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:n='http://www.google.com/schemas/sitemap-news/0.9'"
    )
    return f"<urlset {spaces}>{items}</urlset>".encode()


FORMATS = {each.__name__: each for each in (rss, atom, rdf, json_feed, sitemap)}
Written = Callable[[Sequence[Entry]], bytes]


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        yield server


@dataclass
class Desk:
    """One feed with its store: each visit is committed."""

    store: Store
    url: str
    options: dict[str, object]
    memory: dict[str, str] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)

    async def visit(self, now: datetime = NOW) -> Visit:
        given = {"url": self.url, "allow_private": ["127.0.0.0/8"], "on_new": "all", **self.options}
        end = poll_store(self.store)
        context = SourceContext(InlineParser(), "watchpost/test", poll_store=end)
        visit = await feed.KIND.build("desk", feed.KIND.options.model_validate(given), context).visit(self.memory, now)
        done = await end.commit(
            Claim("desk", "", {}, {}),
            visit.articles,
            memory=visit.memory,
            status={},
            delay_ms=0,
            known=visit.known,
            seen=visit.seen,
            marks=visit.marks,
        )
        assert (done.answer, done.new) == ("ok", len(visit.articles))
        self.memory = merged(self.memory, visit.memory)
        self.sent += [article.title for article in visit.articles]
        return visit


@pytest.mark.parametrize("order", ["newest first", "oldest first", "in any order"])
@pytest.mark.parametrize("undated", ["all dated", "one undated", "some undated", "none dated"])
@pytest.mark.parametrize("written", FORMATS.values(), ids=FORMATS)
async def test_every_new_entry_comes_once_and_the_newest_first(
    store: Store, server: HttpServer, written: Written, order: str, undated: str
) -> None:
    chance = random.Random(f"{written.__name__} {order} {undated}")
    share = {"all dated": 0.0, "one undated": 0.0, "some undated": 0.3, "none dated": 1.0}[undated]
    entries: list[Entry] = [(f"t{n}", None if chance.random() < share else (50 - n) * MINUTE) for n in range(17)]
    entries[0] = ("t0", None if undated != "all dated" else entries[0][1])
    later: list[Entry] = [(f"later{n}", None if undated == "none dated" else (3 - n) * MINUTE) for n in range(3)]

    def arranged(listed: list[Entry]) -> list[Entry]:
        if order == "in any order":
            return chance.sample(listed, len(listed))
        return listed[::-1] if order == "newest first" else listed

    desk = Desk(store, server.url("/f"), {"max_items": 5})
    server.on("/f", Answer(200, {"ETag": '"1"'}, written(arranged(entries))))
    counts = []
    for _ in range(4):
        visit = await desk.visit()
        counts.append((len(visit.articles), visit.waiting))
        assert bool(desk.memory.get("etag")) == (visit.waiting == 0), "what waits is not hidden by a 304"
        assert (visit.interval.every == MINUTE) == (visit.waiting > 0)
    assert counts == [(5, 12), (5, 7), (5, 2), (2, 0)]
    assert sorted(desk.sent) == sorted(title for title, _ in entries), "each once"
    if undated == "all dated":
        assert set(desk.sent[:5]) == {title for title, _ in entries[-5:]}
    server.on("/f", Answer(200, {"ETag": '"2"'}, written(arranged([*entries, *later]))))
    visit = await desk.visit()
    assert ({article.title for article in visit.articles}, visit.waiting) == ({title for title, _ in later}, 0)
    assert "wait" not in visit.detail


@pytest.mark.parametrize("on_new", ["24h", "baseline", "all"])
@pytest.mark.parametrize("written", FORMATS.values(), ids=FORMATS)
async def test_after_an_upgrade_old_entries_beyond_the_limit_are_not_news(
    store: Store, server: HttpServer, written: Written, on_new: str
) -> None:
    """Version 0.1.0 took the first entries of the document: those at its end were never seen."""
    desk = Desk(store, server.url("/f"), {"max_items": 10, "on_new": on_new})
    seen: list[Entry] = [(f"seen{n}", 9 * DAY) for n in range(8)]
    never: list[Entry] = [(f"never{n}", 5 * DAY) for n in range(20)]
    undated: list[Entry] = [(f"undated{n}", None) for n in range(20)]
    recent: list[Entry] = [("recent", 10 * HOUR)]
    fresh: list[Entry] = [("fresh", HOUR)]
    at_top: list[Entry] = [("top", None), ("dated top", MINUTE)]
    place = "e.org/" if written in (rdf, sitemap) else ""
    ids = [derive_id("article", "desk", f"id:{place}{title}") for title, _ in seen]
    await poll_store(store).commit(Claim("desk", "", {}, {}), [], memory={}, status={}, delay_ms=0, known=ids)
    desk.memory = {"url": desk.url, "read": (NOW - 2 * HOUR).isoformat()}
    server.on("/f", Answer(200, {}, written([*at_top, *seen, *never, *undated, *recent, *fresh])))
    while (await desk.visit()).waiting:
        pass
    expected = {
        "24h": {"top", "dated top", "recent", "fresh"},
        "baseline": {"top", "dated top", "fresh"},
        "all": {title for title, _ in [*at_top, *never, *undated, *recent, *fresh]},
    }
    assert (set(desk.sent), len(desk.sent)) == (expected[on_new], len(expected[on_new]))
    server.on("/f", Answer(200, {}, written([*at_top, *seen, *never, *undated, *recent, *fresh, ("old", 9 * DAY)])))
    await desk.visit()
    assert desk.sent[-1] == "old", "from now on whatever appears is new"


async def test_after_an_upgrade_a_feed_within_the_limit_loses_nothing(store: Store, server: HttpServer) -> None:
    desk = Desk(store, server.url("/f"), {"max_items": 10, "on_new": "24h"})
    desk.memory = {"url": desk.url, "read": (NOW - 2 * HOUR).isoformat()}
    server.on("/f", Answer(200, {}, rss([(f"t{n}", 9 * DAY) for n in range(10)])))
    assert len((await desk.visit()).articles) == 10


def test_the_newest_are_taken_and_one_without_a_date_is_as_old_as_its_neighbour() -> None:
    ages = [None, 5, None, 1, None, 9, 3]
    heads = [EntryHead(str(n), None if age is None else NOW - age * DAY) for n, age in enumerate(ages)]
    assert [head.id for head in newest(heads, 3)] == ["3", "4", "6"]
    assert [head.id for head in newest(heads, 6)] == ["0", "1", "2", "3", "4", "6"]
    assert newest(heads, 7) == heads
    assert [head.id for head in newest([EntryHead(str(n), None) for n in range(3)], 2)] == ["0", "1"]


def test_of_entries_never_seen_those_are_old_that_a_first_reading_would_leave_out() -> None:
    heads = [EntryHead("old", NOW - 3 * DAY), EntryHead("since", NOW), EntryHead("top", None), EntryHead("low", None)]
    top = frozenset({"old", "top"})
    assert beyond(heads, "all", NOW, top) == ()
    assert beyond(heads, "baseline", NOW - HOUR, top) == ("old", "low")
    assert beyond(heads, 4 * DAY, NOW, top) == ("low",)


async def test_a_feed_that_never_repeats_itself_is_bounded_for_a_day(store: Store, server: HttpServer) -> None:
    """What is remembered of a hostile feed stays small, however many new ids each document has."""
    desk = Desk(store, server.url("/f"), {"max_items": 10, "max_per_day": 25})
    taken = []
    for number in range(6):
        server.on("/f", Answer(200, {}, rss([(f"{number}-{n}", MINUTE) for n in range(40)])))
        visit = await desk.visit(NOW + number * MINUTE)
        taken.append(len(visit.articles))
    assert taken == [10, 10, 5, 0, 0, 0]
    assert (visit.waiting, visit.detail) == (40, "40 new entries wait for tomorrow: max_per_day is 25")
    assert visit.interval.every != MINUTE, "it need not be read again at once"
    assert await store.redis.zcard(store.keys.seen) == 25
    visit = await desk.visit(NOW + DAY)
    assert (len(visit.articles), visit.waiting) == (10, 30)


async def test_a_feed_that_never_shows_itself_whole_leaves_no_old_ids(store: Store, server: HttpServer) -> None:
    desk = Desk(store, server.url("/f"), {"on_new": "24h"})
    for number in range(3):
        server.on("/f", Answer(226, {"IM": "feed"}, rss([(f"{number}-{n}", 9 * DAY) for n in range(40)])))
        assert (await desk.visit()).articles == ()
    assert await store.redis.zcard(store.keys.seen) == 0
    server.on("/f", Answer(200, {}, rss([("old", 9 * DAY), ("new", MINUTE)])))
    await desk.visit()
    assert desk.sent == ["new"]
    assert await store.redis.zcard(store.keys.seen) == 2


async def test_ids_that_are_past_their_time_are_forgotten_as_fast_as_they_come(store: Store) -> None:
    await store.redis.zadd(store.keys.seen, {f"id{number}": 1 for number in range(2_500)})
    assert await store.prune() == 2_500
    assert await store.redis.zcard(store.keys.seen) == 0
