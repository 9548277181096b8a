"""The hops of a message: CLOSE_DUE, DONE, RETRY, DEAD, PRUNE. What each writes, refuses, and does the second time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.making import article, digest_delivery
from tests.store.ends import HOUR_MS, LEASE_MS, matcher, parked, pass_time, queued
from watchpost.store.client import Store
from watchpost.store.codec import HIT
from watchpost.store.dead_letters import DeadLetters
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.ledger import Ledger, gaps
from watchpost.store.overview import Overview

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


# ── CLOSE_DUE and the outbox ──


async def test_a_window_closes_once_whoever_is_faster(store: Store) -> None:
    await parked(store, "a", "b")
    one, two = DeliveryStore(store, kept_ms=HOUR_MS), DeliveryStore(store, kept_ms=HOUR_MS)
    seen_by_one, seen_by_two = await one.peek("team|now"), await two.peek("team|now")
    assert await one.close(seen_by_one, NOW, [digest_delivery("d1")])
    assert not await two.close(seen_by_two, NOW, [digest_delivery("d2")])
    assert await one.unsent(["team"]) == (1, 0)


async def test_what_is_parked_while_a_window_closes_stays_for_the_next(store: Store) -> None:
    await parked(store, "a")
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    before = await outbox.peek("team|now")
    await parked(store, "b")
    assert await outbox.close(before, NOW, [digest_delivery("d1")])
    after = await outbox.peek("team|now")
    assert [each.article.title for each in after.hits] == ["b"]
    assert after.opened is not None


async def test_a_group_opens_with_its_first_hit_and_remembers_when_it_was_told(store: Store) -> None:
    await parked(store, "a")
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    opened = (await outbox.peek("team|now")).opened
    await asyncio.sleep(0.02)
    await parked(store, "b")
    seen = await outbox.peek("team|now")
    assert seen.opened == opened, "the wait counts from the first hit"
    assert await outbox.close(seen, NOW, [digest_delivery("d1")])
    assert (await outbox.group_states(["team|now"]))["team|now"].last_sent == NOW


async def test_what_a_window_told_of_a_story_is_noted_with_its_closing_or_not_at_all(store: Store) -> None:
    await parked(store, "a")
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    seen = await outbox.peek("team|now")
    story = seen.hits[0].story
    assert seen.notes == {}
    assert await outbox.close(seen, NOW, [digest_delivery("d1")], {story: "told"})
    assert not await outbox.close(seen, NOW, [digest_delivery("d2")], {story: "told by who was too late"})
    assert 0 < await store.redis.pttl(store.keys.told("team|now", story)) <= HOUR_MS
    hits = seen.hits
    await store.redis.rpush(store.keys.bucket("team|now"), HIT.encode(hits[0]))
    await store.redis.rpush(store.keys.bucket("other"), HIT.encode(hits[0]))
    assert (await outbox.peek("team|now")).notes == {story: "told"}
    assert (await outbox.peek("other")).notes == {}, "each group has its own memory"


async def test_who_was_overtaken_neither_retries_nor_buries(store: Store) -> None:
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.create_outbox("team")
    await outbox.close(await outbox.peek("g"), NOW, [digest_delivery("d1")])
    slow = outbox.claims("team", "slow", LEASE_MS)
    (stale,) = await slow.take(1, block=False)
    await pass_time(store)
    (entry,) = await outbox.claims("team", "fast", LEASE_MS).reclaim(1)
    await outbox.done("team", entry)
    await outbox.retry("team", stale, timedelta(0), "retrying", "late")
    await outbox.dead_letter("team", stale, "gone", "late")
    await slow.release(stale)
    assert await outbox.unsent(["team"]) == (0, 0)
    assert await outbox.dead() == 0


async def test_an_empty_window_only_moves_on(store: Store) -> None:
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.register(["team|08:00"], NOW - timedelta(days=1))
    assert await outbox.close(await outbox.peek("team|08:00"), NOW, [])
    standing = (await outbox.group_states(["team|08:00"]))["team|08:00"]
    assert (standing.opened, standing.closed, standing.last_sent) == (None, NOW, None)
    await outbox.register(["team|08:00"], NOW - timedelta(days=3))
    assert (await outbox.group_states(["team|08:00"]))["team|08:00"].closed == NOW


async def test_a_delivery_keeps_its_bytes_and_counts_its_attempts(store: Store) -> None:
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.create_outbox("team")
    await outbox.close(await outbox.peek("g"), NOW, [digest_delivery("d1")])
    claims = outbox.claims("team", "n1", LEASE_MS)
    messages = []
    for attempt in (1, 2, 3):
        (entry,) = await claims.take(1, block=False)
        delivery = await outbox.delivery(entry)
        assert delivery is not None
        assert delivery.attempt == attempt
        messages.append(delivery.message)
        await outbox.retry("team", entry, timedelta(0), "retrying", "down")
        assert await outbox.queue_due_retries() == 1
    assert messages == [digest_delivery("d1").message] * 3


async def test_done_twice_is_done_once_and_leaves_nothing_behind(store: Store) -> None:
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.create_outbox("team")
    await outbox.close(await outbox.peek("g"), NOW, [digest_delivery("d1")])
    (entry,) = await outbox.claims("team", "n1", LEASE_MS).take(1, block=False)
    for _ in range(2):
        await outbox.done("team", entry)
    assert await outbox.unsent(["team"]) == (0, 0)
    assert await outbox.delivery(entry) is None
    assert await store.redis.zcard(store.keys.sent) == 1


async def test_a_retry_waits_for_its_time(store: Store) -> None:
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.create_outbox("team")
    await outbox.close(await outbox.peek("g"), NOW, [digest_delivery("d1")])
    (entry,) = await outbox.claims("team", "n1", LEASE_MS).take(1, block=False)
    await outbox.retry("team", entry, timedelta(seconds=20), "retrying", "down")
    assert not await outbox.is_due()
    assert await outbox.queue_due_retries() == 0
    await pass_time(store)
    assert await outbox.is_due()
    assert await outbox.queue_due_retries() == 1
    assert not await outbox.is_due()
    assert await outbox.unsent(["team"]) == (1, 0)


@pytest.mark.parametrize("which", ["retry", "later"])
@pytest.mark.parametrize(("hours", "due"), [(-1, True), (1, False), (47, False), (49, True)])
async def test_a_look_finds_what_is_due_and_times_of_a_wrong_clock(
    store: Store, which: str, hours: int, due: bool
) -> None:
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    assert not await outbox.is_due()
    now_ms = (await outbox.now()).timestamp() * 1000
    await store.redis.zadd(getattr(store.keys, which), {"d1": now_ms + hours * HOUR_MS, "d2": now_ms + 2 * HOUR_MS})
    assert await outbox.is_due() == due


async def test_a_dead_delivery_is_kept_with_its_reason(store: Store) -> None:
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.create_outbox("team")
    await outbox.close(await outbox.peek("g"), NOW, [digest_delivery("d1")])
    (entry,) = await outbox.claims("team", "n1", LEASE_MS).take(1, block=False)
    await outbox.dead_letter("team", entry, "gone", "HTTP 410")
    assert await outbox.unsent(["team"]) == (0, 0)
    assert (await Overview(store).depths(["team"])).dead == 1
    assert await store.redis.hget(store.keys.out("d1"), "state") == b"dead"
    assert 0 < await store.redis.pttl(store.keys.out("d1")) <= HOUR_MS


async def test_a_damaged_hit_does_not_hold_up_the_others_and_is_put_away_when_its_window_closes(store: Store) -> None:
    await Ledger(store).open()
    await parked(store, "a")
    await store.redis.rpush(store.keys.bucket("team|now"), b"h9{}")
    await store.redis.hincrby(f"{store.keys.ledger}total", "parked", 1)
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.peek("team|now")
    seen = await outbox.peek("team|now")
    assert (len(seen.hits), seen.taken, await outbox.dead()) == (1, 2, 0), "who only looks buries nothing"
    assert await outbox.close(seen, NOW, [])
    (dead_letter,) = await DeadLetters(store).all()
    assert (dead_letter.kind, dead_letter.reason, dead_letter.group) == ("hit", "codec", "team|now")
    assert (await Overview(store).depths([])).dead_of == {"parked": 1}
    assert gaps(await Ledger(store).audit()) == ()
    assert await DeadLetters(store).requeue(dead_letter)
    assert (await outbox.peek("team|now")).damaged == ((dead_letter.detail, b"h9{}"),)
    assert gaps(await Ledger(store).audit()) == ()


# ── the numbers of dead letters ──


async def test_dead_letters_are_counted_by_their_queue_as_they_come_and_go(store: Store) -> None:
    outbox, desk, overview = DeliveryStore(store, kept_ms=HOUR_MS), DeadLetters(store), Overview(store)
    await outbox.create_outbox("team")
    await outbox.close(await outbox.peek("g"), NOW, [digest_delivery(f"d{n}") for n in range(3)])
    for entry in await outbox.claims("team", "n1", LEASE_MS).take(3, block=False):
        await outbox.dead_letter("team", entry, "gone", "HTTP 410")
    await queued(store, article("a"))
    end = matcher(store)
    (entry,) = await end.claims.take(1, block=False)
    await end.dead_letter(entry, "codec", "not read")
    assert (await overview.depths(["team"])).dead_of == {"outbox:team": 3, "articles": 1}
    first, second, third, fourth = await desk.all()
    assert await desk.requeue(first)
    assert await desk.drop(second)
    assert not await desk.drop(second), "it is gone already"
    assert await desk.requeue(fourth)
    assert (await overview.depths(["team"])).dead_of == {"outbox:team": 1}
    assert await desk.drop(third)
    depths = await overview.depths(["team"])
    assert (depths.dead, depths.dead_of) == (0, {})


async def test_the_oldest_of_too_many_letters_is_forgotten_in_the_number_too(store: Store) -> None:
    pipe = store.redis.pipeline()
    for n in range(10_000):
        pipe.xadd(store.keys.dead, {"kind": "delivery", "receiver": "old"}, id=f"1-{n + 1}")
    await pipe.execute()
    assert await store.prune() == 0
    assert (await Overview(store).depths([])).dead_of == {"outbox:old": 10_000}, "an older version did not count"
    await queued(store, article("a"))
    end = matcher(store)
    (entry,) = await end.claims.take(1, block=False)
    await end.dead_letter(entry, "codec", "not read")
    depths = await Overview(store).depths([])
    assert (depths.dead, depths.dead_of) == (10_000, {"outbox:old": 9_999, "articles": 1})


async def test_what_is_given_back_counts_as_never_taken(store: Store) -> None:
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.create_outbox("team")
    await outbox.close(await outbox.peek("g"), NOW, [digest_delivery("d1")])
    claims = outbox.claims("team", "n1", LEASE_MS)
    for _ in range(5):
        (entry,) = await claims.take(1, block=False)
        assert not entry.poisonous
        await claims.release(entry)
    assert await outbox.unsent(["team"]) == (1, 0)


async def test_done_hands_out_the_next_delivery_whole(empty_valkey_url: str) -> None:
    store = Store(empty_valkey_url)  # fakeredis gives XREADGROUP's answer another shape within a script
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.create_outbox("team")
    await outbox.close(await outbox.peek("g"), NOW, [digest_delivery("d1"), digest_delivery("d2")])
    claims = outbox.claims("team", "n1", LEASE_MS)
    (first,) = await claims.take(1, block=False)
    await outbox.done("team", first, then=claims)
    (second,) = claims.accepted()
    assert await outbox.delivery(second) == digest_delivery("d2")
    await outbox.done("team", second, then=claims)
    assert claims.accepted() == ()
    await store.close()


async def test_what_done_remembers_comes_with_the_next_message_of_the_thread(store: Store) -> None:
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.create_outbox("team")
    first, second, other = (
        replace(one, message=replace(one.message, thread=thread))
        for one, thread in zip(map(digest_delivery, ("d1", "d2", "d3")), ("s1", "s1", "s2"), strict=True)
    )
    await outbox.close(await outbox.peek("g"), NOW, [first, second, other])
    claims = outbox.claims("team", "n1", LEASE_MS)
    entries = await claims.take(3, block=False)
    assert await outbox.delivery(entries[0]) == first
    await outbox.done("team", entries[0], thread="s1", remember="C1 17.5")
    await outbox.done("team", entries[0], thread="s1", remember="")
    assert await outbox.delivery(entries[1]) == replace(second, remembered="C1 17.5")
    assert await outbox.delivery(entries[2]) == other


async def test_done_on_a_store_that_came_back_empty_hands_out_nothing(store: Store) -> None:
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.create_outbox("team")
    await outbox.close(await outbox.peek("g"), NOW, [digest_delivery("d1")])
    claims = outbox.claims("team", "n1", LEASE_MS)
    (entry,) = await claims.take(1, block=False)
    await store.redis.flushall()
    await claims.renew()
    await outbox.done("team", entry, then=claims)
    assert claims.accepted() == ()


async def test_deliveries_for_a_receiver_that_is_gone_are_seen(store: Store) -> None:
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.close(await outbox.peek("g"), NOW, [digest_delivery("d1", "old"), digest_delivery("d2", "team")])
    assert await outbox.stranded(["team"]) == {"old": 1}


# ── PRUNE ──


async def test_prune_forgets_what_is_past_but_not_in_the_first_pass_after_a_leap(store: Store) -> None:
    await store.redis.zadd(store.keys.seen, {"old": 1, "young": 9e15})
    await store.redis.hset(store.keys.meta, "last_prune", 1)
    assert await store.prune() == 0
    assert await store.prune() == 1
    assert await store.redis.zrange(store.keys.seen, 0, -1) == [b"young"]
