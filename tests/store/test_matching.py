"""The hop MATCHED: what it writes, refuses, and does the second time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from tests.making import article, hit
from tests.store.ends import HOUR_MS, LEASE_MS, match_one, matcher, pass_time, queued
from watchpost.store.client import Store
from watchpost.store.codec import ARTICLE
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.matching import Match, Matched, MatchStore, RoutedHit
from watchpost.store.overview import Overview
from watchpost.store.streams import StreamEntry

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


async def test_matched_acknowledges_and_parks_in_each_group(store: Store) -> None:
    await queued(store, article("a"))
    end = matcher(store)
    (entry,) = await end.claims.take(10, block=False)
    flags = await match_one(end, entry, end.read(entry), RoutedHit(hit("a"), ("team|now", "desk|08:00")))
    assert flags == (True,)
    assert await end.waiting() == 0
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    for group in ("team|now", "desk|08:00"):
        parked = await outbox.peek(group)
        assert [each.article.id for each in parked.hits] == [article("a").id]
        assert parked.opened is not None


@pytest.mark.parametrize("shared", ["url:1", "text:1"])
async def test_a_copy_of_what_was_told_is_not_parked_again(store: Store, shared: str) -> None:
    first = article("a", fingerprints=("url:0", shared))
    copy = article("a", id="b", fingerprints=(shared, "text:9"))
    await queued(store, first, copy)
    end = matcher(store)
    flags = []
    for entry in await end.claims.take(10, block=False):
        read = end.read(entry)
        flags.append(await match_one(end, entry, read, RoutedHit(hit("x", article=read), ("g",))))
    assert flags == [(True,), (False,)]
    assert (await DeliveryStore(store, kept_ms=HOUR_MS).peek("g")).taken == 1


async def test_a_later_version_of_what_was_told_is_told_for_what_is_different_in_it(store: Store) -> None:
    first = article("a", fingerprints=("url:0", "text:1"))
    retitled = article("b", fingerprints=("url:0", "text:2"), revises="what was at url:0")
    same_text = article("c", fingerprints=("url:0", "text:2"), revises="and once more")
    elsewhere = article("b", id="e", outlet="Herald", fingerprints=("url:0", "text:3"), revises="in another feed")
    await queued(store, first, retitled, same_text, elsewhere)
    end = matcher(store)
    flags = [
        await match_one(end, entry, end.read(entry), RoutedHit(hit("x", article=end.read(entry)), ("g",)))
        for entry in await end.claims.take(10, block=False)
    ]
    assert flags == [(True,), (True,), (False,), (False,)]


async def test_an_address_alone_drops_nothing(store: Store) -> None:
    entries = [article(title, body=title, fingerprints=("url:1",)) for title in ("Convoy waits", "New governor")]
    entries.append(article("", id="c", body="Road closed", fingerprints=("url:1",)))
    await queued(store, *entries)
    end = matcher(store)
    flags = [
        await match_one(end, entry, end.read(entry), RoutedHit(hit("x", article=end.read(entry)), ("g",)))
        for entry in await end.claims.take(10, block=False)
    ]
    assert flags == [(True,)] * 3


async def test_a_copy_is_known_by_what_it_shares_with_what_was_told(store: Store) -> None:
    marks = ("url:1", "text:1")
    told = article("a", fingerprints=marks)
    found = [
        told,
        told,
        article("a", id="b", fingerprints=("url:1", "text:2")),
        article("c", fingerprints=("url:2", "text:1")),
    ]
    found.append(article("d", fingerprints=("url:3", "text:1"), outlet="Another"))
    await queued(store, *found)
    again = article("a", fingerprints=marks)
    end = matcher(store)
    kinds: list[str] = []
    entries = await end.claims.take(10, block=False)
    matches = [Match(entry, end.read(entry), (RoutedHit(hit(end.read(entry).title), ("g",)),)) for entry in entries]
    for result in await end.matched(matches):
        assert isinstance(result, Matched)
        kinds += result.copies
    assert kinds == ["", "url", "near", ""], "from another outlet it is a report of its own"
    entry = StreamEntry(await store.redis.xadd(store.keys.articles, {"a": ARTICLE.encode(again)}), {})
    await end.claims.take(1, block=False)
    (result,) = await end.matched([Match(entry, again, (RoutedHit(hit("a"), ("g",)),))])
    assert isinstance(result, Matched)
    assert result.copies == ("exact",)


async def test_stories_stay_open_for_the_window_after_their_last_report(store: Store) -> None:
    overview, end = Overview(store), MatchStore(store, "m", lease_ms=LEASE_MS, hits_ttl_ms=HOUR_MS, window_ms=400)

    async def told(title: str, topic: str = "mali") -> None:
        await queued(store, article(title))
        (entry,) = await end.claims.take(1, block=False)
        await match_one(end, entry, article(title), RoutedHit(hit(title, topic=topic), ("g",)))

    await told("a")
    await told("b")
    await told("c", "wagner")
    assert await overview.open_stories(["mali", "wagner", "quiet"]) == {"mali": 2, "wagner": 1, "quiet": 0}
    await asyncio.sleep(0.25)
    await told("d")
    await asyncio.sleep(0.25)
    assert await overview.open_stories(["mali", "wagner"]) == {"mali": 1, "wagner": 0}
    assert await store.redis.exists(store.keys.stories("wagner")) == 0, "nothing is left of a quiet topic"
    assert await overview.open_stories([]) == {}


async def test_one_article_on_two_topics_is_two_hits(store: Store) -> None:
    await queued(store, article("a"))
    end = matcher(store)
    (entry,) = await end.claims.take(10, block=False)
    both = [RoutedHit(hit("a", topic="mali"), ("g",)), RoutedHit(hit("a", topic="wagner"), ("g",))]
    assert await match_one(end, entry, end.read(entry), *both) == (True, True)


async def test_a_matcher_that_was_overtaken_writes_nothing(store: Store) -> None:
    await queued(store, article("a"))
    slow, fast = matcher(store, "slow"), matcher(store, "fast")
    (stale,) = await slow.claims.take(10, block=False)
    await pass_time(store)
    (entry,) = await fast.claims.reclaim(10)
    assert entry.id == stale.id
    assert entry.taken_before == 1
    assert await match_one(fast, entry, article("a"), RoutedHit(hit("a"), ("g",))) == (True,)
    assert await match_one(slow, stale, article("a"), RoutedHit(hit("a"), ("g",))) is None
    assert (await DeliveryStore(store, kept_ms=HOUR_MS).peek("g")).taken == 1


async def test_what_is_renewed_is_not_taken_over_and_what_was_taken_over_is_not_taken_back(
    store: Store,
) -> None:
    await queued(store, article("a"))
    one, two = matcher(store, "one"), matcher(store, "two")
    await one.claims.take(10, block=False)
    for _ in range(4):
        await pass_time(store, LEASE_MS // 3)
        await one.claims.renew()
    assert await two.claims.reclaim(10) == ()
    await pass_time(store)
    assert len(await two.claims.reclaim(10)) == 1
    await one.claims.renew()
    assert await one.claims.reclaim(10) == ()


async def test_the_third_silent_death_makes_an_entry_poisonous(store: Store) -> None:
    await queued(store, article("a"))
    end = matcher(store)
    (entry,) = await end.claims.take(10, block=False)
    poisonous = [entry.poisonous]
    for _ in range(3):
        await pass_time(store)
        (entry,) = await end.claims.reclaim(10)
        poisonous.append(entry.poisonous)
    assert poisonous == [False, False, False, True]
    await end.dead_letter(entry, "poison", "it kills")
    assert await end.waiting() == 0
    ((_, dead_letter),) = await store.redis.xrange(store.keys.dead)
    assert dead_letter[b"reason"] == b"poison"
    assert dead_letter[b"payload"]


async def test_one_broken_bucket_stops_nobody_else_and_flushed_scripts_are_loaded_again(
    store: Store,
) -> None:
    await queued(store, article("a"), article("b"))
    end = matcher(store)
    one, two = await end.claims.take(10, block=False)
    broken = Match(one, article("a"), (RoutedHit(hit("a"), ("g",)),))
    await store.redis.script_flush()
    await store.redis.set(store.keys.bucket("g"), "not a list")
    fine = Match(two, article("b"), (RoutedHit(hit("b"), ("other",)),))
    refused, done = await end.matched([broken, fine])
    assert isinstance(refused, Exception)
    assert done == Matched(("",))
