"""The first hops of an article, CLAIM_FEEDS and COMMIT: what each writes, refuses, and does the second time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from tests.making import article
from tests.store.ends import HOUR_MS, matcher, pass_time, poll_store
from watchpost.model import Article
from watchpost.store.client import Store
from watchpost.store.polling import Claim, NewIds

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


async def commit(store: Store, claim: Claim, *articles: Article, delay_ms: int = HOUR_MS) -> str:
    done = await poll_store(store).commit(claim, articles, memory={"etag": "x"}, status={}, delay_ms=delay_ms)
    return done.answer


async def claimed(store: Store, name: str = "rfi") -> Claim:
    await poll_store(store).sync([name])
    (claim,) = (await poll_store(store).claim(10)).feeds
    return claim


# ── CLAIM_FEEDS and COMMIT ──


async def test_a_claimed_feed_is_nobody_elses_until_its_lease_ends(store: Store) -> None:
    await poll_store(store).sync(["rfi", "bbc"])
    assert {claim.name for claim in (await poll_store(store).claim(10)).feeds} == {"rfi", "bbc"}
    assert (await poll_store(store).claim(10)).feeds == ()
    await pass_time(store)
    assert len((await poll_store(store).claim(1)).feeds) == 1


async def test_commit_queues_articles_moves_the_cursor_and_sets_the_next_visit(store: Store) -> None:
    claim = await claimed(store)
    assert await commit(store, claim, article("a"), article("b")) == "ok"
    assert await matcher(store).waiting() == 2
    await pass_time(store)
    assert (await poll_store(store).claim(10)).feeds == (), "the next visit is in an hour, not at the end of the lease"
    assert (await poll_store(store).unshared("rfi")).memory == {"etag": "x"}


async def test_an_article_is_queued_once_however_often_it_is_committed(store: Store) -> None:
    claim = await claimed(store)
    for _ in range(3):
        await commit(store, claim, article("a"), article("a"))
    assert await matcher(store).waiting() == 1


async def test_a_poller_that_lost_its_lease_writes_nothing(store: Store) -> None:
    slow = await claimed(store)
    await pass_time(store)
    (fast,) = (await poll_store(store).claim(1)).feeds
    assert await commit(store, slow, article("late")) == "fenced"
    assert await matcher(store).waiting() == 0
    assert await commit(store, fast, article("in time")) == "ok"
    assert await matcher(store).waiting() == 1


async def test_a_full_queue_refuses_the_whole_visit(store: Store) -> None:
    claim = await claimed(store)
    done = await poll_store(store, queue_max=2).commit(
        claim, [article("a"), article("b"), article("c")], memory={"etag": "new"}, status={}, delay_ms=0
    )
    assert done.answer == "busy"
    assert await matcher(store).waiting() == 0
    assert (await poll_store(store).unshared("rfi")).memory == {}, "the cursor stays, so the visit happens again"


async def test_a_long_visit_goes_in_parts_and_the_cursor_moves_with_the_last(store: Store) -> None:
    claim = await claimed(store)
    assert await commit(store, claim, *(article(f"a{n}") for n in range(250))) == "ok"
    assert await matcher(store).waiting() == 250


async def test_a_visit_that_breaks_off_between_two_parts_leaves_the_cursor_where_it_was(store: Store) -> None:
    claim = await claimed(store)
    many = [article(f"a{n}") for n in range(250)]
    done = await poll_store(store, queue_max=210).commit(
        claim, many, memory={"etag": "new"}, status={}, delay_ms=HOUR_MS
    )
    assert (done.answer, done.new) == ("busy", 200)
    assert (await poll_store(store).unshared("rfi")).memory == {}
    done = await poll_store(store).commit(claim, many, memory={"etag": "new"}, status={}, delay_ms=HOUR_MS)
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
    assert (await poll_store(store).find_new({article("a").id: ""})).unseen == frozenset()
    await asyncio.sleep(0.02)
    done = await poll_store(store).commit(
        claim, [article("b")], memory={}, status={}, delay_ms=HOUR_MS, seen=[article("a").id]
    )
    assert (done.answer, done.new, done.known) == ("ok", 1, 1)
    assert await store.redis.zscore(store.keys.seen, article("a").id) > before
    assert await matcher(store).waiting() == 2


async def test_what_is_forgotten_between_look_up_and_commit_is_not_marked_as_told(store: Store) -> None:
    claim = await claimed(store)
    done = await poll_store(store).commit(
        claim,
        [article("b")],
        memory={"etag": "new"},
        status={},
        delay_ms=HOUR_MS,
        known=[f"{n:032}" for n in range(150)],
        seen=[article("a").id],
    )
    assert done.answer == "stale"
    assert (await poll_store(store).find_new({article("a").id: "", article("b").id: ""})).unseen == {
        article("a").id,
        article("b").id,
    }
    assert await matcher(store).waiting() == 0
    assert (await poll_store(store).unshared("rfi")).memory == {}, "the cursor stays, so the feed is read again"


async def retitle(store: Store, claim: Claim, mark: str, *, later: bool = True) -> tuple[int, int]:
    """Commit the article "a" under the headline of that mark; how many were new and known."""
    first = article("a")
    told = article(f"a {mark}", id=f"version {mark}", revises=first.id) if later else first
    done = await poll_store(store).commit(claim, [told], marks={first.id: mark}, memory={}, status={}, delay_ms=HOUR_MS)
    return done.new, done.known


async def test_an_article_under_another_headline_is_queued_again(store: Store) -> None:
    claim, id_ = await claimed(store), article("a").id
    assert await retitle(store, claim, "aaaaaaaa", later=False) == (1, 0)
    assert await poll_store(store).find_new({id_: "aaaaaaaa"}) == NewIds()
    assert (await poll_store(store).find_new({id_: "bbbbbbbb"})).retitled == {id_}
    assert await retitle(store, claim, "aaaaaaaa") == (0, 1), "the same headline is the same article"
    assert await retitle(store, claim, "bbbbbbbb") == (1, 0)
    assert await retitle(store, claim, "bbbbbbbb") == (0, 1)
    entries = await matcher(store).claims.take(10, block=False)
    assert [matcher(store).read(entry).revises for entry in entries] == ["", id_]


async def test_whoever_changes_its_headline_again_and_again_is_a_ticker(store: Store) -> None:
    claim, id_ = await claimed(store), article("a").id
    await retitle(store, claim, "00000000", later=False)
    news = [await retitle(store, claim, f"{number:08}") for number in range(1, 9)]
    assert news == [(1, 0)] * 5 + [(0, 1)] * 3
    assert await poll_store(store).find_new({id_: "99999999"}) == NewIds()


async def test_a_headline_is_looked_at_only_of_what_was_queued_with_one(store: Store) -> None:
    claim, end, id_ = await claimed(store), poll_store(store), article("a").id
    await end.commit(claim, [], known=[id_], memory={}, status={}, delay_ms=HOUR_MS)
    assert await retitle(store, claim, "aaaaaaaa") == (0, 1), "it was only remembered"
    assert await end.find_new({id_: "bbbbbbbb"}) == NewIds()
    await commit(store, claim, article("b"))
    done = await end.commit(claim, [article("b")], marks={}, memory={}, status={}, delay_ms=HOUR_MS)
    assert (done.new, done.known) == (0, 1)
    assert await store.redis.hlen(store.keys.heads) == 0


async def test_a_headline_is_forgotten_with_its_article(store: Store) -> None:
    claim = await claimed(store)
    await retitle(store, claim, "aaaaaaaa", later=False)
    await store.redis.zadd(store.keys.seen, {article("a").id: 1})
    assert await store.prune() == 1
    assert await store.redis.hlen(store.keys.heads) == 0


async def test_what_becomes_known_between_look_up_and_commit_is_queued_once(store: Store) -> None:
    claim = await claimed(store)
    assert (await poll_store(store).find_new({article("a").id: ""})).unseen == {article("a").id}
    await commit(store, await poll_store(store).unshared("a push"), article("a"))
    assert await commit(store, claim, article("a")) == "ok"
    assert await matcher(store).waiting() == 1


async def test_an_empty_value_takes_a_key_out_of_the_memory(store: Store) -> None:
    claim = await poll_store(store).unshared("folder")
    for memory in ({"a": "1", "b": "2"}, {"a": ""}):
        await poll_store(store).commit(claim, [], memory=memory, status={}, delay_ms=0)
    assert (await poll_store(store).unshared("folder")).memory == {"b": "2"}


async def test_syncing_only_adds_so_two_configurations_do_not_fight(store: Store) -> None:
    claim = await claimed(store)
    await commit(store, claim, article("a"))
    await poll_store(store).sync(["rfi", "bbc"])
    assert [claim.name for claim in (await poll_store(store).claim(10)).feeds] == ["bbc"], "the others keep their time"
    await poll_store(store).sync(["bbc"])
    assert (await poll_store(store).unshared("rfi")).memory == {"etag": "x"}


async def test_a_claimed_feed_can_be_forgotten_unless_somebody_else_has_it_by_now(store: Store) -> None:
    slow = await claimed(store)
    await pass_time(store)
    (fast,) = (await poll_store(store).claim(1)).feeds
    await poll_store(store).forget(slow)
    assert await store.redis.zcard(store.keys.feeds) == 1
    await poll_store(store).forget(fast)
    assert await store.redis.zcard(store.keys.feeds) == 0
    assert not await store.redis.exists(store.keys.source("rfi"))


async def test_a_time_from_a_clock_that_ran_ahead_does_not_silence_a_feed(store: Store) -> None:
    await poll_store(store).sync(["rfi"])
    await store.redis.zadd(store.keys.feeds, {"rfi": 9e15})
    assert len((await poll_store(store).claim(10)).feeds) == 1
