"""Edge cases of fetching, with their numbers in findings on feeds, section 8: hosts and pollers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from tests.http_server import Answer, HttpServer
from tests.poll.reader import HOUR_MS, NOW, document, poll_store
from watchpost.documents.parser_process import InlineParser
from watchpost.model import Article
from watchpost.poll.poller import Poller
from watchpost.poll.source import SourceContext
from watchpost.poll.sources import feed
from watchpost.store.client import Store


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        yield server


async def test_36_one_limited_feed_waits_and_its_neighbours_go_on_at_half_the_rate(store: Store) -> None:
    end, names = poll_store(store, gap=30_000), [f"feed{n:02}" for n in range(20)]
    await end.sync(names, dict.fromkeys(names, "reddit.example"))
    claimed = await end.claim(32)
    assert len(claimed.feeds) == 1
    assert sorted(claimed.put_off.values()) == [30_000 * n for n in range(1, 20)]
    (limited,) = claimed.feeds
    await end.commit(limited, [], memory={}, status={}, delay_ms=HOUR_MS, limited=True)
    await end.make_due([name for name in names if name != limited.name])
    claimed = await end.claim(32)
    waits = sorted(claimed.put_off.values())
    assert (claimed.feeds, len(waits)) == ((), 19)
    assert {later - sooner for sooner, later in pairwise(waits)} == {60_000}


async def test_36_a_host_that_limits_two_of_its_feeds_rests(store: Store) -> None:
    end, names = poll_store(store, gap=1), ["a", "b", "c"]
    await end.sync(names, dict.fromkeys(names, "reddit.example"))
    for _ in range(2):
        await asyncio.sleep(0.02)
        (limited,) = (await end.claim(32)).feeds
        await end.commit(limited, [], memory={}, status={}, delay_ms=HOUR_MS, limited=True)
    await asyncio.sleep(0.02)
    claimed = await end.claim(32)
    assert (claimed.feeds, list(claimed.put_off)) == ((), ["c"])
    assert claimed.put_off["c"] > HOUR_MS / 2


async def test_43_a_restart_asks_nobody_again(store: Store) -> None:
    names = [f"feed{n}" for n in range(1000)]
    hosts = {name: f"{name}.example" for name in names}
    await poll_store(store).sync(names, hosts)
    while claimed := (await poll_store(store).claim(50)).feeds:
        await asyncio.gather(
            *(poll_store(store).commit(one, [], memory={}, status={}, delay_ms=HOUR_MS) for one in claimed)
        )
    started_again = poll_store(store)
    await started_again.sync(names, hosts)
    assert (await started_again.claim(200)).feeds == ()
    nearest = (await store.redis.zrange(store.keys.feeds, 0, 0, withscores=True))[0][1]
    seconds, micros = await store.redis.time()
    assert nearest - (seconds * 1000 + micros / 1000) > 5 * 60_000


async def test_44_a_clock_that_goes_back_an_hour_makes_nothing_early(store: Store) -> None:
    end = poll_store(store)
    await end.sync(["a", "b"], {"a": "h", "b": "h"})
    (claim,) = (await end.claim(10)).feeds
    await end.commit(claim, [], memory={}, status={}, delay_ms=HOUR_MS)
    for name in ("a", "b"):  # the clock went back: every time that was written lies an hour further ahead
        await store.redis.zincrby(store.keys.feeds, HOUR_MS, name)
    for field in ("next", "slot"):
        await store.redis.hincrby(store.keys.host("h"), field, HOUR_MS)
    assert (await end.claim(10)).feeds == ()


async def test_44_after_eight_hours_of_sleep_no_host_is_stormed(store: Store) -> None:
    end, names = poll_store(store), [f"feed{n:03}" for n in range(100)]
    await end.sync(names, {name: f"host{n % 5}" for n, name in enumerate(names)})
    await store.redis.zadd(store.keys.feeds, dict.fromkeys(names, 1.0))  # due for long
    claimed = await end.claim(32)
    assert len({int(claim.name[4:]) % 5 for claim in claimed.feeds}) == len(claimed.feeds) == 5
    assert sorted(claimed.put_off.values()) == [1000 * n for n in range(1, 20) for _ in range(5)]


def poller(store: Store, server: HttpServer, stop: asyncio.Event, *, feeds: int, lease: int = 30_000) -> Poller:
    checked = [
        feed.KIND.options.model_validate(
            {"url": server.url(f"/{n}"), "every": "1h", "allow_private": ["127.0.0.0/8"], "on_new": "all"}
        )
        for n in range(feeds)
    ]
    context = SourceContext(InlineParser(), "watchpost/test")
    sources = [feed.KIND.build(f"feed{n}", options, context) for n, options in enumerate(checked)]

    async def tick() -> None:
        await asyncio.sleep(0.02)

    return Poller(sources, poll_store(store, gap=0, lease=lease), tick=tick, stop=stop, clock=lambda: datetime.now(UTC))


async def test_52_two_workers_fetch_each_feed_once(store: Store, server: HttpServer) -> None:
    server.on("*", Answer(200, {}, document("a")))
    stop = asyncio.Event()
    pollers = [asyncio.create_task(poller(store, server, stop, feeds=60).run()) for _ in range(2)]
    async with asyncio.timeout(20):
        await server.received(60)
    await asyncio.sleep(0.3)
    stop.set()
    await asyncio.gather(*pollers)
    assert sorted(request.target for request in server.requests) == sorted(f"/{n}" for n in range(60))


async def test_52_what_a_killed_worker_was_at_is_fetched_once_after_its_lease(store: Store, server: HttpServer) -> None:
    server.on("*", Answer(200, {}, document("a")))
    dying = poll_store(store, gap=0, lease=300)
    await dying.sync(["feed0"])
    assert len((await dying.claim(1)).feeds) == 1  # and never a word again
    stop = asyncio.Event()
    living = asyncio.create_task(poller(store, server, stop, feeds=1, lease=300).run())
    async with asyncio.timeout(20):
        await server.received(1)
    await asyncio.sleep(0.5)
    stop.set()
    await living
    assert len(server.requests) == 1


async def test_what_is_known_from_the_start_is_never_queued(store: Store) -> None:
    end = poll_store(store)
    await end.sync(["a"])
    (claim,) = (await end.claim(1)).feeds
    old = Article("0" * 32, "a", "old", "text", NOW)
    done = await end.commit(claim, [], known=[old.id], memory={}, status={}, delay_ms=0, stamp="now")
    assert (done.new, await store.redis.xlen(store.keys.articles)) == (0, 0)
    assert "last_new" not in (await end.unshared("a")).status
    new = Article("1" * 32, "a", "new", "text", NOW)
    done = await end.commit(claim, [old, new], memory={}, status={}, delay_ms=0, stamp="now")
    assert (done.new, done.known) == (1, 1)
    assert (await end.unshared("a")).status["last_new"] == "now"
