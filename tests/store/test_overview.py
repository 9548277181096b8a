"""What the board shows of sources and queues."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from tests.making import article
from tests.store.ends import poll_store
from watchpost.store.client import Store
from watchpost.store.overview import Overview, Worker
from watchpost.store.polling import Claim
from watchpost.store.websub import Push, PushStore


async def test_a_feed_is_due_when_its_last_visit_said(store: Store) -> None:
    end, overview = poll_store(store), Overview(store)
    await end.sync(["rfi", "bbc"])
    claims = {claim.name: claim for claim in (await end.claim(2)).feeds}
    before = datetime.now(UTC)
    await end.commit(claims["rfi"], (), memory={"etag": '"x"'}, status={"detail": "fine"}, delay_ms=600_000)
    due = await overview.due(["rfi", "bbc", "nobody"])
    assert set(due) == {"rfi", "bbc"}
    assert timedelta(seconds=590) < due["rfi"] - before < timedelta(seconds=610)


async def test_a_record_parts_memory_from_status(store: Store) -> None:
    end, overview = poll_store(store), Overview(store)
    await end.sync(["rfi"])
    (claim,) = (await end.claim(1)).feeds
    await end.commit(claim, (), memory={"etag": '"x"'}, status={"detail": "fine", "failures": ""}, delay_ms=1000)
    record = await overview.record("rfi")
    assert (record.memory, record.status) == (
        {"etag": '"x"'},
        {"detail": "fine", "entries": "0", "entries_new": "0"},
    )
    assert (await overview.record("nobody")).status == {}


async def test_a_record_says_how_many_entries_the_last_visit_brought(store: Store) -> None:
    """Over all parts of a long visit; a push is none."""
    end, overview = poll_store(store), Overview(store)
    await end.sync(["rfi"])
    (claim,) = (await end.claim(1)).feeds
    many = [article(f"a{number}") for number in range(250)]
    await end.commit(claim, many[:5], memory={}, status={}, delay_ms=0)
    (claim,) = (await end.claim(1)).feeds
    await end.commit(claim, many, memory={}, status={}, delay_ms=1000, known=[article("old").id])
    record = await overview.record("rfi")
    assert (record.status["entries"], record.status["entries_new"]) == ("251", "245")
    await end.commit(Claim("rfi", "", {}, {}), [article("pushed")], memory={}, status={}, delay_ms=-1)
    assert (await overview.record("rfi")).status["entries_new"] == "245"


async def test_what_hubs_pushed_waits_like_everything_else_with_its_age(store: Store) -> None:
    overview, pushes = Overview(store), PushStore(store)
    assert (await overview.depths([])).by_queue()["pushed"] == 0
    assert (await overview.ages([]))["pushed"] == 0
    for _ in range(2):
        assert await pushes.append(Push("content", "rfi", body=b"<rss/>"))
    await asyncio.sleep(0.05)
    assert (await overview.depths([])).by_queue()["pushed"] == 2
    assert 0.05 <= (await overview.ages([]))["pushed"] < 30


async def test_who_beats_is_a_worker_until_it_says_no_more_or_falls_silent(store: Store) -> None:
    overview = Overview(store)
    assert await overview.workers() == ()
    await store.heartbeat("poll-host-1", '{"role": "poll", "version": "1", "paused": "disk"}')
    await store.heartbeat("match-host-2", '{"role": "match", "version": "1"}')
    assert await overview.workers() == (
        Worker("match-host-2", "match", "1"),
        Worker("poll-host-1", "poll", "1", "disk"),
    )
    assert 0 < await store.redis.pttl(store.keys.beat("poll-host-1")) <= 15_000
    await store.end_heartbeat("match-host-2")
    await store.redis.delete(store.keys.beat("poll-host-1"))  # as it ends by itself
    assert await overview.workers() == ()
    await store.redis.zadd(store.keys.beats, {"poll-host-1": 1})
    await store.heartbeat("notify-host-3", '{"role": "notify", "version": "1"}')
    assert await store.redis.zrange(store.keys.beats, 0, -1) == [b"notify-host-3"], "the silent one is forgotten"
