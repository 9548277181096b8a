"""Entries of one feed with ids and texts of their own are stories of their own, at one address and under one headline.

A feed may list only its latest bulletin, and a file of JSON Lines may grow by one line: then no document shows
two of them. What the poller would read is put to the shelf in memory and to the store.
"""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.making import hit
from tests.match.newsroom import REPORT, WHEN
from tests.store.ends import HOUR_MS, LEASE_MS, queued
from watchpost.documents.entry import EntryDraft, with_page
from watchpost.documents.parse import read_feed_document, read_json_lines
from watchpost.match.signatures import signature
from watchpost.match.stories import Shelf
from watchpost.model import Article
from watchpost.store import keys
from watchpost.store.client import Store, ensure_group
from watchpost.store.matching import Match, Matched, MatchStore, RoutedHit

HEADLINE, LINK = "Bulletin of the port", "https://port.example/bulletin"
FRAME = (
    "This bulletin is published by the harbour office. It is compiled from the notes of the watch, is incomplete, and "
    "may be corrected later. Masters of vessels are asked to call the office by radio before they enter the harbour. "
)
LONG_FRAME = FRAME + " ".join(REPORT)
BULLETINS = {
    "short": ("Two lorries burned near Ansongo.", "The market of Hombori reopened.", "Wells were poisoned at Lere."),
    "one word": ("The road to Gao is open.", "The road to Gao is shut.", "The road to Gao is mined."),
    "one figure": ("Water at the gauge: 312 cm.", "Water at the gauge: 318 cm.", "Water at the gauge: 331 cm."),
    "below a frame": tuple(f"{FRAME}Attack near {place}." for place in ("Gao", "Kidal", "Lere")),
    "above a frame": tuple(f"Attack near {place}. {FRAME}" for place in ("Gao", "Kidal", "Lere")),
    "figures in a long frame": tuple(f"{LONG_FRAME} The gauge shows {depth} cm." for depth in (312, 318, 331)),
    "growing": (FRAME, f"Two lorries burned. {FRAME}", f"A third lorry burned. Two lorries burned. {FRAME}"),
    "Arabic": ("احترقت شاحنتان قرب أنسونغو.", "أعيد فتح سوق هومبوري.", "سممت آبار في ليري."),
    "Chinese": ("安松戈附近两辆卡车起火。", "洪博里市场重新开放。", "莱雷的水井被投毒。"),
}


@dataclass(frozen=True)
class Entry:
    id: str
    text: str
    title: str = HEADLINE
    link: str = LINK
    date: datetime | None = None


def rss(entries: Sequence[Entry]) -> bytes:
    items = "".join(
        f'<item><title>{e.title}</title><link>{e.link}</link><guid isPermaLink="false">{e.id}</guid>'
        f"<description>{e.text}</description></item>"
        for e in entries
    )
    return f'<rss version="2.0"><channel><title>Port</title>{items}</channel></rss>'.encode()


def atom(entries: Sequence[Entry]) -> bytes:
    items = "".join(
        f'<entry><id>urn:{e.id}</id><title>{e.title}</title><link href="{e.link}"/><content>{e.text}</content></entry>'
        for e in entries
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Port</title>{items}</feed>'.encode()


def json_feed(entries: Sequence[Entry]) -> bytes:
    items = [{"id": e.id, "url": e.link, "title": e.title, "content_text": e.text} for e in entries]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Port", "items": items}).encode()


def json_lines(entries: Sequence[Entry]) -> bytes:
    return "".join(
        json.dumps({"id": e.id, "url": e.link, "title": e.title, "body": e.text}, ensure_ascii=False) + "\n"
        for e in entries
    ).encode()


FORMATS: dict[str, Callable[[Sequence[Entry]], bytes]] = {
    each.__name__: each for each in (rss, atom, json_feed, json_lines)
}


def read(form: str, entries: Sequence[Entry], source: str = "port", hours: float = 0) -> Sequence[Article]:
    """The articles of one visit."""
    data, now = FORMATS[form](entries), WHEN + timedelta(hours=hours)
    if form == "json_lines":
        return read_json_lines("port.jsonl", data, now, source=source).articles
    return read_feed_document(data, now=now, source=source).articles


def page_of(name: str) -> str:
    """A long text of its own for each name."""
    words = f"{' '.join(REPORT)} {name}".split()
    random.Random(name).shuffle(words)
    return " ".join(words)


PAGES: dict[str, Callable[[str, int], str]] = {
    "no page": lambda name, at: "",
    "the same page": lambda name, at: page_of(name),
    "a page that lists them": lambda name, at: "\n\n".join([*BULLETINS[name][at::-1], page_of(name)]),
    "a page once": lambda name, at: "" if at else f"{BULLETINS[name][0]} {page_of(name)}",
}
"""What `fulltext` finds at the address, by the name of the bulletins and the number of the one that is new."""


def with_text_of(article: Article, page: str) -> Article:
    return (with_page(article, EntryDraft("", page)) if page else None) or article


@dataclass(frozen=True)
class Told:
    """What became of an article: its story, and whether it was dropped as a copy."""

    story: str
    dropped: bool = False


Tell = Callable[[Article], Awaitable[Told]]


@pytest.fixture(params=["memory", "store"])
async def tell(request: pytest.FixtureRequest, store: Store) -> Tell:
    """Tells one article after the other, and what became of it."""
    shelf, end = Shelf(), MatchStore(store, "m", lease_ms=LEASE_MS, hits_ttl_ms=HOUR_MS)
    await ensure_group(store.redis, store.keys.articles, keys.MATCH)

    async def in_memory(article: Article) -> Told:
        return Told(shelf.decide(signature(article), article.fetched).story)

    async def by_store(article: Article) -> Told:
        async with store.errors():
            await store.redis.delete(store.keys.seen)  # a later version is known by the first
        await queued(store, article)
        (entry,) = await end.claims.take(1, block=False)
        routed = RoutedHit(hit(article.title, article=article), ("g",))
        (result,) = await end.matched([Match(entry, article, (routed,), signature(article))])
        assert isinstance(result, Matched)
        assert result.verdict is not None
        return Told(result.verdict.story, bool(result.copies[0]))

    return in_memory if request.param == "memory" else by_store


def are_own(told: Sequence[Told]) -> bool:
    return len({each.story for each in told}) == len(told) and not any(each.dropped for each in told)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("form", FORMATS)
async def test_bulletins_that_replace_each_other_are_as_many_stories(tell: Tell, form: str, page: str) -> None:
    for name, texts in BULLETINS.items():
        told = []
        for at, text in enumerate(texts):
            entry = Entry(f"{name}-{at}", text, f"{HEADLINE} ({name})", f"{LINK}/{name.replace(' ', '-')}")
            (article,) = read(form, [entry], hours=at)
            told.append(await tell(with_text_of(article, PAGES[page](name, at))))
        assert are_own(told), f"{name}, {form}, {page}"


@pytest.mark.parametrize("form", FORMATS)
async def test_bulletins_that_are_listed_together_are_as_many_stories(tell: Tell, form: str) -> None:
    for name, texts in BULLETINS.items():
        entries = [Entry(f"{name}-{at}", text, name, LINK) for at, text in enumerate(texts)]
        assert are_own([await tell(article) for article in read(form, entries)]), name


async def test_a_weekly_bulletin_is_no_copy_of_the_last_one(tell: Tell) -> None:
    visits = [read("rss", [Entry(f"b{at}", text)], hours=168 * at) for at, text in enumerate(BULLETINS["short"])]
    assert are_own([await tell(article) for (article,) in visits])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_each_bulletin_is_named_whichever_feed_is_first(data: st.DataObject) -> None:
    """Three feeds list the same bulletins, one at a time; each feed may begin late.

    A bulletin that comes after another one of its feed opens a story, there or where it came earlier.
    """
    texts = data.draw(st.sampled_from([BULLETINS["short"], BULLETINS["below a frame"], BULLETINS["one word"]]))
    first = {source: data.draw(st.integers(0, 2)) for source in ("port", "coast", "ships")}
    waiting = {source: [*enumerate(texts)][start:] for source, start in first.items()}
    shelf, opened, minute = Shelf(), set[int](), 0
    while any(waiting.values()):
        source = data.draw(st.sampled_from([name for name, left in waiting.items() if left]))
        at, text = waiting[source].pop(0)
        (article,) = read("rss", [Entry(f"{source}{at}", text)], source, hours=minute / 60)
        minute += 1
        if shelf.decide(signature(article), article.fetched).opens:
            opened.add(at)
    assert opened >= {at for at in range(3) if min(first.values()) < at}


async def test_a_bulletin_is_named_by_its_own_feed_if_another_feed_brought_it_first(tell: Tell) -> None:
    first, second = (Entry(f"b{at}", text) for at, text in enumerate(BULLETINS["short"][:2]))
    own = [await tell(article) for article in read("rss", [first])]
    await tell(*read("rss", [replace(second, id="c2")], "coast"))  # one address, one headline: taken for the first
    own += [await tell(article) for article in read("rss", [second], hours=1)]
    assert are_own(own)


@pytest.mark.parametrize("form", FORMATS)
async def test_what_is_the_same_stays_one_story(tell: Tell, form: str) -> None:
    short, long = BULLETINS["short"][0], " ".join(REPORT)
    pairs = {
        "the same text under another id": (Entry("a1", short), Entry("a2", short)),
        "no text": (Entry("b1", "", "Sirens"), Entry("b2", "", "Sirens")),
        "a long text with an edit": (
            Entry("c1", long, "Nine lorries burn"),
            Entry("c2", long.replace("said", "told us", 1), "Nine lorries burn"),
        ),
    }
    for name, (one, other) in pairs.items():
        (first,), (second,) = read(form, [one]), read(form, [other], hours=1)
        assert (await tell(first)).story == (await tell(second)).story, name


async def test_one_page_in_two_feeds_stays_one_story_under_one_headline_or_with_one_text(tell: Tell) -> None:
    one, other = BULLETINS["short"][:2]
    told = [
        await tell(*read("rss", [Entry("a", one)], "port")),
        await tell(*read("rss", [Entry("b", other)], "coast")),
        await tell(*read("rss", [Entry("c", one, "Lorries burn")], "ships")),
    ]
    assert len({each.story for each in told}) == 1


async def test_an_edited_headline_of_an_entry_stays_in_its_story(tell: Tell) -> None:
    (first,) = read("rss", [Entry("a", BULLETINS["short"][0])])
    versions = [(BULLETINS["short"][1], "Bulletin of the port, corrected"), (BULLETINS["short"][2], HEADLINE)]
    told = [await tell(first)]
    for at, (text, title) in enumerate(versions, 1):
        (later,) = read("rss", [Entry(f"a{at}", text, title)], hours=at)
        told.append(await tell(replace(later, revises=first.id)))
    assert len({each.story for each in told}) == 1
