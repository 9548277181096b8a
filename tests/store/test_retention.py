"""The last articles that were matched are kept for trying changed topics on: hits, misses, but not for ever."""

from __future__ import annotations

import pytest

from tests.making import article, hit
from tests.store.ends import HOUR_MS, LEASE_MS, match_one, queued
from watchpost.model import Article
from watchpost.store.client import Store
from watchpost.store.history import RetainedArticles
from watchpost.store.matching import Match, MatchStore, RoutedHit


def matcher(store: Store, retained: int) -> MatchStore:
    return MatchStore(store, "m1", lease_ms=LEASE_MS, hits_ttl_ms=HOUR_MS, retained=retained)


async def titles(store: Store) -> list[str]:
    return [one.title async for one in RetainedArticles(store).articles()]


async def matched(store: Store, end: MatchStore, *articles: Article) -> None:
    """All of them missed."""
    for at in range(0, len(articles), 100):
        await queued(store, *articles[at : at + 100])
        entries = await end.claims.take(100, block=False)
        await end.matched([Match(entry, end.read(entry), ()) for entry in entries])


async def test_hits_and_misses_are_kept_whole_the_newest_first(store: Store) -> None:
    end = matcher(store, 100)
    await matched(store, end, article("a"))
    await queued(store, article("b", body="Вагнер " * 900))
    (entry,) = await end.claims.take(10, block=False)
    await match_one(end, entry, end.read(entry), RoutedHit(hit("b"), ("g",)))
    kept = [one async for one in RetainedArticles(store).articles()]
    assert kept == [article("b", body="Вагнер " * 900), article("a")]
    assert await RetainedArticles(store).count() == 2


async def test_none_are_kept_if_none_are_asked_for(store: Store) -> None:
    await matched(store, matcher(store, 0), article("a"))
    assert await titles(store) == []


async def test_what_another_matcher_dealt_with_is_kept_once(store: Store) -> None:
    end = matcher(store, 100)
    await queued(store, article("a"))
    (entry,) = await end.claims.take(10, block=False)
    assert await match_one(end, entry, end.read(entry)) == ()
    assert await match_one(end, entry, article("a")) is None
    assert await titles(store) == ["a"]


async def test_many_are_read_page_by_page_and_a_very_large_one_is_not_kept(store: Store) -> None:
    end = matcher(store, 1000)
    names = [f"article {number:03}" for number in range(450)]
    await matched(store, end, *(article(name) for name in names))
    # letters that do not compress: what is kept counts as it lies in the stream
    large = "".join(chr(0x4E00 + number * 7919 % 20000) for number in range(30_000))
    await matched(store, end, article("large", body=large))
    assert await titles(store) == names[::-1]


@pytest.mark.parametrize("store", ["real"], indirect=True)
async def test_the_oldest_are_forgotten(store: Store) -> None:
    end = matcher(store, 50)
    await matched(store, end, *(article(f"article {number}") for number in range(600)))
    # `~` lets a whole node of the stream stay: a hundred entries at most
    assert 50 <= await RetainedArticles(store).count() <= 250
    assert (await titles(store))[0] == "article 599"


async def test_what_another_version_wrote_is_left_out(store: Store) -> None:
    await matched(store, matcher(store, 10), article("a"))
    await store.redis.xadd(store.keys.retained, {"a": b"z9not ours"})
    assert await titles(store) == ["a"]
