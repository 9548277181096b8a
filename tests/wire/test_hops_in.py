"""The hops of an article: CLAIM_FEEDS, COMMIT, MATCHED. What each writes, refuses, and does the second time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from tests.making import article, hit
from tests.wire.ends import HOUR_MS, LEASE_MS, intake, match_one, matcher, queued
from watchpost.model import Article
from watchpost.wire.articles import Match, Matched, Parking
from watchpost.wire.intake import Claim
from watchpost.wire.outbox import Outbox
from watchpost.wire.store import Store

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


async def commit(store: Store, claim: Claim, *articles: Article, delay_ms: int = HOUR_MS) -> str:
    done = await intake(store).commit(claim, articles, memory={"etag": "x"}, status={}, delay_ms=delay_ms)
    return done.answer


async def claimed(store: Store, name: str = "rfi") -> Claim:
    await intake(store).sync([name])
    (claim,) = (await intake(store).claim(10)).feeds
    return claim


# ── CLAIM_FEEDS and COMMIT ──


async def test_a_claimed_feed_is_nobody_elses_until_its_lease_ends(store: Store) -> None:
    await intake(store).sync(["rfi", "bbc"])
    assert {claim.name for claim in (await intake(store).claim(10)).feeds} == {"rfi", "bbc"}
    assert (await intake(store).claim(10)).feeds == ()
    await asyncio.sleep(LEASE_MS / 1000 * 1.5)
    assert len((await intake(store).claim(1)).feeds) == 1


async def test_commit_queues_articles_moves_the_cursor_and_sets_the_next_visit(store: Store) -> None:
    claim = await claimed(store)
    assert await commit(store, claim, article("a"), article("b")) == "ok"
    assert await matcher(store).waiting() == 2
    await asyncio.sleep(LEASE_MS / 1000 * 1.5)
    assert (await intake(store).claim(10)).feeds == (), "the next visit is in an hour, not at the end of the lease"
    assert (await intake(store).recall("rfi")).memory == {"etag": "x"}


async def test_an_article_is_queued_once_however_often_it_is_committed(store: Store) -> None:
    claim = await claimed(store)
    for _ in range(3):
        await commit(store, claim, article("a"), article("a"))
    assert await matcher(store).waiting() == 1


async def test_a_poller_that_lost_its_lease_writes_nothing(store: Store) -> None:
    slow = await claimed(store)
    await asyncio.sleep(LEASE_MS / 1000 * 1.5)
    (fast,) = (await intake(store).claim(1)).feeds
    assert await commit(store, slow, article("late")) == "fenced"
    assert await matcher(store).waiting() == 0
    assert await commit(store, fast, article("in time")) == "ok"
    assert await matcher(store).waiting() == 1


async def test_a_full_queue_refuses_the_whole_visit(store: Store) -> None:
    claim = await claimed(store)
    done = await intake(store, queue_max=2).commit(
        claim, [article("a"), article("b"), article("c")], memory={"etag": "new"}, status={}, delay_ms=0
    )
    assert done.answer == "busy"
    assert await matcher(store).waiting() == 0
    assert (await intake(store).recall("rfi")).memory == {}, "the cursor stays, so the visit happens again"


async def test_a_long_visit_goes_in_parts_and_the_cursor_moves_with_the_last(store: Store) -> None:
    claim = await claimed(store)
    assert await commit(store, claim, *(article(f"a{n}") for n in range(250))) == "ok"
    assert await matcher(store).waiting() == 250


async def test_a_visit_that_breaks_off_between_two_parts_leaves_the_cursor_where_it_was(store: Store) -> None:
    claim = await claimed(store)
    many = [article(f"a{n}") for n in range(250)]
    done = await intake(store, queue_max=210).commit(claim, many, memory={"etag": "new"}, status={}, delay_ms=HOUR_MS)
    assert (done.answer, done.new) == ("busy", 200)
    assert (await intake(store).recall("rfi")).memory == {}
    done = await intake(store).commit(claim, many, memory={"etag": "new"}, status={}, delay_ms=HOUR_MS)
    assert (done.answer, done.new, done.known) == ("ok", 50, 200)


async def test_what_is_still_in_the_feed_is_remembered_longer(store: Store) -> None:
    claim = await claimed(store)
    await commit(store, claim, article("a"))
    (before,) = [score for _, score in await store.redis.zrange(store.keys.seen, 0, -1, withscores=True)]
    await asyncio.sleep(0.02)
    await commit(store, claim, article("a"))
    (after,) = [score for _, score in await store.redis.zrange(store.keys.seen, 0, -1, withscores=True)]
    assert after > before


async def test_what_a_look_up_found_seen_is_remembered_longer_without_an_article(store: Store) -> None:
    claim = await claimed(store)
    await commit(store, claim, article("a"))
    (before,) = [score for _, score in await store.redis.zrange(store.keys.seen, 0, -1, withscores=True)]
    assert await intake(store).unseen([article("a").id]) == frozenset()
    await asyncio.sleep(0.02)
    done = await intake(store).commit(
        claim, [article("b")], memory={}, status={}, delay_ms=HOUR_MS, seen=[article("a").id]
    )
    assert (done.answer, done.new, done.known) == ("ok", 1, 1)
    assert await store.redis.zscore(store.keys.seen, article("a").id) > before
    assert await matcher(store).waiting() == 2


async def test_what_is_forgotten_between_look_up_and_commit_is_not_marked_as_told(store: Store) -> None:
    claim = await claimed(store)
    done = await intake(store).commit(
        claim,
        [article("b")],
        memory={"etag": "new"},
        status={},
        delay_ms=HOUR_MS,
        known=[f"{n:032}" for n in range(150)],
        seen=[article("a").id],
    )
    assert done.answer == "stale"
    assert await intake(store).unseen([article("a").id, article("b").id]) == {article("a").id, article("b").id}
    assert await matcher(store).waiting() == 0
    assert (await intake(store).recall("rfi")).memory == {}, "the cursor stays, so the feed is read again"


async def test_what_becomes_known_between_look_up_and_commit_is_queued_once(store: Store) -> None:
    claim = await claimed(store)
    assert await intake(store).unseen([article("a").id]) == {article("a").id}
    await commit(store, await intake(store).recall("a push"), article("a"))
    assert await commit(store, claim, article("a")) == "ok"
    assert await matcher(store).waiting() == 1


async def test_an_empty_value_takes_a_key_out_of_the_memory(store: Store) -> None:
    claim = await intake(store).recall("folder")
    for memory in ({"a": "1", "b": "2"}, {"a": ""}):
        await intake(store).commit(claim, [], memory=memory, status={}, delay_ms=0)
    assert (await intake(store).recall("folder")).memory == {"b": "2"}


async def test_syncing_only_adds_so_two_configurations_do_not_fight(store: Store) -> None:
    claim = await claimed(store)
    await commit(store, claim, article("a"))
    await intake(store).sync(["rfi", "bbc"])
    assert [claim.name for claim in (await intake(store).claim(10)).feeds] == ["bbc"], "the others keep their time"
    await intake(store).sync(["bbc"])
    assert (await intake(store).recall("rfi")).memory == {"etag": "x"}


async def test_a_claimed_feed_can_be_forgotten_unless_somebody_else_has_it_by_now(store: Store) -> None:
    slow = await claimed(store)
    await asyncio.sleep(LEASE_MS / 1000 * 1.5)
    (fast,) = (await intake(store).claim(1)).feeds
    await intake(store).forget(slow)
    assert await store.redis.zcard(store.keys.feeds) == 1
    await intake(store).forget(fast)
    assert await store.redis.zcard(store.keys.feeds) == 0
    assert not await store.redis.exists(store.keys.source("rfi"))


async def test_a_time_from_a_clock_that_ran_ahead_does_not_silence_a_feed(store: Store) -> None:
    await intake(store).sync(["rfi"])
    await store.redis.zadd(store.keys.feeds, {"rfi": 9e15})
    assert len((await intake(store).claim(10)).feeds) == 1


# ── MATCHED ──


async def test_matched_acknowledges_and_parks_in_each_group(store: Store) -> None:
    await queued(store, article("a"))
    end = matcher(store)
    (entry,) = await end.claims.take(10, block=False)
    flags = await match_one(end, entry, end.read(entry), Parking(hit("a"), ("team|now", "desk|08:00")))
    assert flags == (True,)
    assert await end.waiting() == 0
    outbox = Outbox(store, kept_ms=HOUR_MS)
    for group in ("team|now", "desk|08:00"):
        parked = await outbox.peek(group)
        assert [each.article.id for each in parked.hits] == [article("a").id]
        assert parked.opened is not None


@pytest.mark.parametrize("shared", ["url:1", "text:1"])
async def test_a_copy_of_what_was_told_is_not_parked_again(store: Store, shared: str) -> None:
    first = article("a", fingerprints=("url:0", shared))
    copy = article("b", fingerprints=(shared, "text:9"))
    await queued(store, first, copy)
    end = matcher(store)
    flags = []
    for entry in await end.claims.take(10, block=False):
        read = end.read(entry)
        flags.append(await match_one(end, entry, read, Parking(hit("x", article=read), ("g",))))
    assert flags == [(True,), (False,)]
    assert (await Outbox(store, kept_ms=HOUR_MS).peek("g")).taken == 1


async def test_one_article_on_two_topics_is_two_hits(store: Store) -> None:
    await queued(store, article("a"))
    end = matcher(store)
    (entry,) = await end.claims.take(10, block=False)
    both = [Parking(hit("a", topic="mali"), ("g",)), Parking(hit("a", topic="wagner"), ("g",))]
    assert await match_one(end, entry, end.read(entry), *both) == (True, True)


async def test_a_matcher_that_was_overtaken_writes_nothing(store: Store) -> None:
    await queued(store, article("a"))
    slow, fast = matcher(store, "slow"), matcher(store, "fast")
    (stale,) = await slow.claims.take(10, block=False)
    await asyncio.sleep(LEASE_MS / 1000 * 1.5)
    (entry,) = await fast.claims.reclaim(10)
    assert entry.id == stale.id
    assert entry.taken_before == 1
    assert await match_one(fast, entry, article("a"), Parking(hit("a"), ("g",))) == (True,)
    assert await match_one(slow, stale, article("a"), Parking(hit("a"), ("g",))) is None
    assert (await Outbox(store, kept_ms=HOUR_MS).peek("g")).taken == 1


async def test_what_is_renewed_is_not_taken_over_and_what_was_taken_over_is_not_taken_back(
    store: Store,
) -> None:
    await queued(store, article("a"))
    one, two = matcher(store, "one"), matcher(store, "two")
    await one.claims.take(10, block=False)
    for _ in range(4):
        await asyncio.sleep(LEASE_MS / 1000 / 3)
        await one.claims.renew()
    assert await two.claims.reclaim(10) == ()
    await asyncio.sleep(LEASE_MS / 1000 * 1.5)
    assert len(await two.claims.reclaim(10)) == 1
    await one.claims.renew()
    assert await one.claims.reclaim(10) == ()


async def test_the_third_silent_death_makes_an_entry_poisonous(store: Store) -> None:
    await queued(store, article("a"))
    end = matcher(store)
    (entry,) = await end.claims.take(10, block=False)
    poisonous = [entry.poisonous]
    for _ in range(3):
        await asyncio.sleep(LEASE_MS / 1000 * 1.5)
        (entry,) = await end.claims.reclaim(10)
        poisonous.append(entry.poisonous)
    assert poisonous == [False, False, False, True]
    await end.bury(entry, "poison", "it kills")
    assert await end.waiting() == 0
    ((_, letter),) = await store.redis.xrange(store.keys.dead)
    assert letter[b"reason"] == b"poison"
    assert letter[b"payload"]


async def test_one_broken_bucket_stops_nobody_else_and_flushed_scripts_are_loaded_again(
    store: Store,
) -> None:
    await queued(store, article("a"), article("b"))
    end = matcher(store)
    one, two = await end.claims.take(10, block=False)
    broken = Match(one, article("a"), (Parking(hit("a"), ("g",)),))
    await store.redis.script_flush()
    await store.redis.set(store.keys.bucket("g"), "not a list")
    fine = Match(two, article("b"), (Parking(hit("b"), ("other",)),))
    refused, done = await end.matched([broken, fine])
    assert isinstance(refused, Exception)
    assert done == Matched((True,))
