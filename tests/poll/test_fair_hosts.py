"""Feeds of one host take turns: nobody waits longer than the others, whatever each visit takes, and `--once` ends."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime

import pytest

from tests.http_server import Answer, HttpServer
from tests.poll.reader import document, poll_store
from watchpost.documents.parser_process import InlineParser
from watchpost.poll.poller import Poller
from watchpost.poll.source import SourceContext
from watchpost.poll.sources import feed
from watchpost.store.client import Store
from watchpost.store.polling import Claim, HostPace, PollStore

GAP_MS, TICK_MS = 1000, 250


async def pass_time(store: Store, hosts: set[str], ms: int) -> None:
    """Make every time that a claim looks at earlier by `ms`: the clock of the scripts is the server's own."""
    pipe = store.redis.pipeline(transaction=False)
    for key in (store.keys.feeds, *(store.keys.waiting(host) for host in hosts)):
        for member in await store.redis.zrange(key, 0, -1):
            pipe.zincrby(key, -ms, member)
    for host in hosts:
        for field in await store.redis.hkeys(store.keys.host(host)):
            if field.startswith((b"held", b"next", b"slow")):
                pipe.hincrby(store.keys.host(host), field, -ms)
    await pipe.execute()


@pytest.mark.parametrize("seed", range(4))
async def test_over_many_periods_every_feed_of_a_host_is_read_as_often_as_the_others(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    end, names = poll_store(store, gap=GAP_MS), [f"feed{n:02}" for n in range(chance.choice([3, 12, 20]))]
    every_ms = chance.choice([2000, 10_000])
    slowest = chance.choice([1, 3, 8])  # ticks that a visit takes
    await end.sync(names, dict.fromkeys(names, "busy.example"))
    asked: Counter[str] = Counter()
    under_way: list[tuple[int, Claim]] = []
    for tick in range(500):
        await pass_time(store, {"busy.example"}, TICK_MS)
        for _, claim in [one for one in under_way if one[0] <= tick]:
            await end.commit(claim, [], memory={}, status={}, delay_ms=every_ms)
        under_way = [one for one in under_way if one[0] > tick]
        for claim in (await end.claim(32)).feeds:
            asked[claim.name] += 1
            under_way.append((tick + chance.randint(1, slowest), claim))
        assert len(under_way) <= 1, "one request at a time"
    counts = [asked[name] for name in names]
    assert max(counts) - min(counts) <= 1, counts
    longest_ms = max(slowest, GAP_MS // TICK_MS) * TICK_MS + 2 * TICK_MS
    assert sum(counts) >= min(500 * TICK_MS / longest_ms, len(names) * 500 * TICK_MS / (every_ms + 3000)) - 1, counts


async def test_a_feed_that_is_gone_or_has_moved_keeps_no_turn(store: Store) -> None:
    end = poll_store(store, gap=GAP_MS)
    await end.sync(["a", "b", "c", "d"], dict.fromkeys("abcd", "busy.example"))
    (claim,) = (await end.claim(32)).feeds
    await end.commit(claim, [], memory={}, status={}, delay_ms=3_600_000)
    await store.redis.zrem(store.keys.feeds, "b")
    await end.sync(["c"], {"c": "other.example"})
    await pass_time(store, {"busy.example"}, 5000)
    assert {one.name for one in (await end.claim(32)).feeds} == {"c", "d"}


async def test_once_reads_each_feed_of_a_host_once_and_ends_although_they_are_due_again(store: Store) -> None:
    async with HttpServer() as server:
        server.on("*", Answer(200, {}, document("a")))
        options = [
            feed.KIND.options.model_validate(
                {"url": server.url(f"/{n}"), "every": "1s", "allow_private": ["127.0.0.0/8"], "on_new": "all"}
            )
            for n in range(6)
        ]
        context = SourceContext(InlineParser(), "watchpost/test")
        sources = [feed.KIND.build(f"feed{n}", each, context) for n, each in enumerate(options)]
        poller = Poller(
            sources,
            poll_store(store, gap=300, lease=60_000),
            tick=lambda: asyncio.sleep(0.02),
            stop=asyncio.Event(),
            clock=lambda: datetime.now(UTC),
        )
        async with asyncio.timeout(20):
            assert await poller.once()
        assert sorted(request.target for request in server.requests) == [f"/{n}" for n in range(6)]


@pytest.mark.parametrize(("gap", "at_once"), [(200, 4), (250, 16), (1000, 2), (500, 1)])
async def test_a_host_with_a_pace_of_its_own_gets_as_many_at_once_and_its_feeds_take_turns(
    store: Store, gap: int, at_once: int
) -> None:
    chance = random.Random(gap)
    pace = {"busy.example": HostPace(gap, at_once)}
    end = PollStore(store, seen_ttl_ms=86_400_000, queue_max=1000, lease_ms=60_000, host_gap_ms=10 * GAP_MS, hosts=pace)
    names = [f"feed{n:02}" for n in range(12)]
    await end.sync([*names, "other1", "other2"], dict.fromkeys(names, "busy.example") | {"other1": "o", "other2": "o"})
    asked: Counter[str] = Counter()
    under_way: list[tuple[int, Claim]] = []
    most, begun = 0, asyncio.get_running_loop().time()
    for tick in range(300):
        await pass_time(store, {"busy.example", "o"}, TICK_MS)
        for _, claim in [one for one in under_way if one[0] <= tick]:
            await end.commit(claim, [], memory={}, status={}, delay_ms=100)
        under_way = [one for one in under_way if one[0] > tick]
        for claim in (await end.claim(32)).feeds:
            asked[claim.name] += 1
            under_way.append((tick + chance.randint(2, 8), claim))
        at_host = sum(claim.name in names for _, claim in under_way)
        most = max(most, at_host)
        assert at_host <= at_once
    counts = [asked[name] for name in names]
    assert min(counts) >= 0.8 * max(counts), counts
    assert most > 1 or at_once == 1
    # The server's clock goes on meanwhile: what passed on a busy machine counts, too.
    passed_ms = 300 * TICK_MS + 1000 * (asyncio.get_running_loop().time() - begun)
    assert asked["other1"] + asked["other2"] <= passed_ms // (10 * GAP_MS) + 1, "the other host keeps the usual gap"


async def test_pages_of_a_host_with_places_are_asked_at_once_and_free_their_places(store: Store) -> None:
    end = PollStore(
        store,
        seen_ttl_ms=86_400_000,
        queue_max=1000,
        lease_ms=60_000,
        host_gap_ms=GAP_MS,
        hosts={"h": HostPace(1, 3), "free": HostPace(0)},
    )
    for holder in "abc":
        assert await end.claim_host("h", f"page:{holder}", holder, 10_000) == 0
        await asyncio.sleep(0.01)
    assert await end.claim_host("h", "page:d", "d", 10_000) > 0
    await end.release_host("h", "page:b")
    assert await end.claim_host("h", "page:d", "d", 10_000) == 0
    assert [await end.claim_host("free", f"page:{n}", f"{n}", 10_000) for n in range(9)] == [0] * 9
