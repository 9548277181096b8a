"""Known entries cost a look-up and no more; what the look-up says is never believed against COMMIT."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

import pytest

from tests.http_server import Answer, HttpServer
from tests.poll.reader import NOW, dated, document, poll_store
from watchpost.documents.parser_process import InlineParser
from watchpost.poll.poller import Poller
from watchpost.poll.source import Source, SourceContext
from watchpost.poll.sources import feed
from watchpost.poll.visit import Visit
from watchpost.store.client import Store
from watchpost.store.codec import ARTICLE
from watchpost.store.polling import NewIds, PollStore

HOUR = timedelta(hours=1)


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        yield server


class Outdated(PollStore):
    """For whom, the first time, everything is known: so a store looks that loses its last second after a look-up."""

    asked = 0

    async def find_new(self, marks: Mapping[str, str]) -> NewIds:
        self.asked += 1
        return NewIds() if self.asked == 1 else await super().find_new(marks)


def built(server: HttpServer, registry: PollStore, **options: object) -> Source:
    given = {"url": server.url("/f"), "every": "1h", "allow_private": ["127.0.0.0/8"], "on_new": "all", **options}
    return feed.KIND.build(
        "desk",
        feed.KIND.options.model_validate(given),
        SourceContext(InlineParser(), "watchpost/test", poll_store=registry),
    )


async def committed(end: PollStore, source: Source) -> Visit:
    await end.sync(["desk"])
    await end.make_due(["desk"])
    (claim,) = (await end.claim(1)).feeds
    visit = await source.visit(claim.memory, NOW)
    done = await end.commit(
        claim,
        visit.articles,
        known=visit.known,
        seen=visit.seen,
        marks=visit.marks,
        memory=visit.memory,
        status={},
        delay_ms=0,
    )
    assert done.answer == "ok"
    return visit


def retitled(title: str) -> bytes:
    """A feed with one entry, which keeps its guid and its address."""
    entry = f"<title>{escape(title)}</title><guid>tag:desk,2026:1</guid><link>https://desk.example/1</link>"
    return f"<rss version='2.0'><channel><title>D</title><item>{entry}</item></channel></rss>".encode()


async def titles(store: Store) -> list[str]:
    return [ARTICLE.decode(fields[b"a"]).title for _, fields in await store.redis.xrange(store.keys.articles)]


async def test_only_what_is_new_becomes_an_article(store: Store, server: HttpServer) -> None:
    end = poll_store(store)
    source = built(server, end)
    server.on("/f", Answer(200, {}, document("a", "b")))
    first = await committed(end, source)
    server.on("/f", Answer(200, {}, document("c", "a", "b", "b")))
    second = await committed(end, source)
    assert ([article.title for article in first.articles], first.seen) == (["a", "b"], ())
    assert [article.title for article in second.articles] == ["c"]
    assert second.seen == tuple(article.id for article in first.articles)
    assert await titles(store) == ["a", "b", "c"]


async def test_an_entry_that_gets_another_headline_is_an_article_that_revises_the_first(
    store: Store, server: HttpServer
) -> None:
    end = poll_store(store)
    source = built(server, end)
    server.on("/f", Answer(200, {}, retitled("Nine die in Gao")))
    (first,) = (await committed(end, source)).articles
    for title in ("NINE DIE, in Gao!", "Nine <b>die</b> in Gao"):  # only letters and digits count
        server.on("/f", Answer(200, {}, retitled(title)))
        assert (await committed(end, source)).articles == ()
    server.on("/f", Answer(200, {}, retitled("Eleven die in Gao")))
    (later,) = (await committed(end, source)).articles
    assert (first.revises, later.revises, later.id != first.id) == ("", first.id, True)
    assert (later.title, later.url) == ("Eleven die in Gao", first.url)
    assert (await committed(end, source)).articles == (), "once"
    server.on("/f", Answer(200, {}, retitled("Nine die in Gao")))
    assert (await committed(end, built(server, end, on_update="ignore"))).articles == ()
    assert await titles(store) == ["Nine die in Gao", "Eleven die in Gao"]


async def test_what_a_first_reading_only_remembers_is_neither_looked_up_nor_read(
    store: Store, server: HttpServer
) -> None:
    end = poll_store(store)
    source = built(server, end, on_new="24h")
    server.on("/f", Answer(200, {}, dated(HOUR, 48 * HOUR)))
    first = await committed(end, source)
    assert [article.title for article in first.articles] == [str(HOUR)]
    assert (len(first.known), first.seen) == (1, ())
    server.on("/f", Answer(200, {}, dated(HOUR, 48 * HOUR, 72 * HOUR)))
    second = await committed(end, source)
    assert [article.title for article in second.articles] == [str(72 * HOUR)], "later everything counts"
    assert set(second.seen) == {first.articles[0].id, *first.known}
    assert first.memory["pace"] == str(6 * 3600), "the dates of known entries count for the pace"


async def test_a_look_up_that_is_out_of_date_costs_a_second_visit_and_no_article(
    store: Store, server: HttpServer
) -> None:
    server.on("/f", Answer(200, {"ETag": '"1"'}, document("a", "b")))
    end = Outdated(store, seen_ttl_ms=86_400_000, queue_max=1000, lease_ms=30_000, host_gap_ms=0)
    await read(end, built(server, end), lambda poller: poller.once())
    assert await titles(store) == ["a", "b"]
    assert [request.headers.get("if-none-match") for request in server.requests] == [None, None]


async def test_the_daemon_does_not_wait_for_the_lease_to_read_again(store: Store, server: HttpServer) -> None:
    server.on("/f", Answer(200, {"ETag": '"1"'}, document("a", "b")))
    end = Outdated(store, seen_ttl_ms=86_400_000, queue_max=1000, lease_ms=30_000, host_gap_ms=50)
    stop = asyncio.Event()

    async def until_told(poller: Poller) -> None:
        running = asyncio.create_task(poller.run())
        async with asyncio.timeout(10):  # a third of the lease
            while await titles(store) != ["a", "b"]:
                await asyncio.sleep(0.02)
        stop.set()
        await running

    await read(end, built(server, end), until_told, stop)


async def read(
    end: PollStore, source: Source, how: Callable[[Poller], object], stop: asyncio.Event | None = None
) -> None:
    async def tick() -> None:
        await asyncio.sleep(0.02)

    poller = Poller([source], end, tick=tick, stop=stop or asyncio.Event(), clock=lambda: datetime.now(UTC))
    await how(poller)  # type: ignore[misc]  # both are coroutines
