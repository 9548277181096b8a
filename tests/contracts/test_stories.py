"""What decides about stories keeps one contract: the shelf in memory, and the store's script, fake and real."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.making import hit
from tests.match.boilerplate import cases
from tests.match.newsroom import BOILERPLATE, REPORT, SIBLING, WHEN, bulletin, edited, told
from tests.store.ends import HOUR_MS, queued
from watchpost.match.signatures import signature
from watchpost.match.stories import Shelf
from watchpost.model import Article, Verdict
from watchpost.store import keys
from watchpost.store.client import Store, ensure_group
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.matching import Match, Matched, MatchStore, RoutedHit

Decide = Callable[[Article], Awaitable[Verdict]]
_LEASE_MS = 60_000


def by_store(store: Store, name: str = "m", window_ms: int = 72 * HOUR_MS) -> Decide:
    """Decides by sending the article the whole way through MATCHED."""
    end = MatchStore(store, name, lease_ms=_LEASE_MS, hits_ttl_ms=HOUR_MS, window_ms=window_ms)

    async def decide(article: Article) -> Verdict:
        async with store.errors():
            await store.redis.delete(store.keys.seen)  # the same article may come again
        await queued(store, article)
        (entry,) = await end.claims.take(1, block=False)
        parking = RoutedHit(hit(article.title, article=article), ("g",))
        (result,) = await end.matched([Match(entry, article, (parking,), signature(article))])
        assert isinstance(result, Matched)
        assert result.verdict is not None
        return result.verdict

    return decide


@pytest.fixture(params=["memory", "store"])
def emptied(request: pytest.FixtureRequest, store: Store) -> Callable[[], Awaitable[Decide]]:
    """Each call gives one that decides and knows no story yet."""

    async def by_emptied_store() -> Decide:
        async with store.errors():
            await store.redis.flushdb()
        await ensure_group(store.redis, store.keys.articles, keys.MATCH)
        return by_store(store)

    async def by_new_shelf() -> Decide:
        shelf = Shelf()

        async def in_memory(article: Article) -> Verdict:
            return shelf.decide(signature(article), WHEN)

        return in_memory

    return by_emptied_store if request.param == "store" else by_new_shelf


@pytest.fixture
async def decide(emptied: Callable[[], Awaitable[Decide]]) -> Decide:
    return await emptied()


async def test_copies_join_and_others_stay_apart(decide: Decide) -> None:
    original = await decide(told(REPORT, "Nine lorries burn", "Agency"))
    assert original.opens
    assert (await decide(told(SIBLING, "Pumps run dry", "Paper"))).opens
    for seed in range(6):
        copy = await decide(told(edited(random.Random(seed)), "Fuel runs out", f"Copyist {seed}"))
        assert (copy.story, copy.opens, copy.voice) == (original.story, False, "Agency")


async def test_bulletins_of_other_days_stay_apart(decide: Decide) -> None:
    verdicts = [await decide(bulletin(day)) for day in range(10, 16)]
    assert len({verdict.story for verdict in verdicts}) == 6


async def test_the_same_article_again_is_the_same_story(decide: Decide) -> None:
    one = told(REPORT, "Nine lorries burn", "Agency")
    assert (await decide(one)).story == (await decide(one)).story


async def test_one_address_is_one_story_where_headline_or_text_agree(decide: Decide) -> None:
    first = await decide(told(REPORT[:1], "Nine lorries burn", "A", fingerprints=("url:1",)))
    assert (await decide(told(SIBLING[:1], "Nine lorries burn", "B", fingerprints=("url:1",)))).story == first.story
    assert (await decide(told(REPORT[:1], "c", "C", fingerprints=("url:1",)))).story == first.story
    assert (await decide(told(SIBLING[1:2], "d", "D", fingerprints=("url:1",)))).opens, "status pages link to one page"


async def test_a_long_text_is_one_story_under_any_headline(decide: Decide) -> None:
    first = await decide(told(REPORT, "a", "A"))
    assert (await decide(told(REPORT, "b", "B"))).story == first.story


async def test_boilerplate_joins_nothing_and_copies_join_in_five_languages(
    emptied: Callable[[], Awaitable[Decide]],
) -> None:
    wrong, kinds = [], {True: 0, False: 0}
    for case in cases():
        decide = await emptied()
        first = (await decide(case.first)).story
        joined = (await decide(case.second)).story == first
        kinds[case.same] += 1
        wrong += [case.name] if joined != case.same else []
    assert kinds[False] >= 170
    assert kinds[True] >= 25
    assert not wrong


async def test_credits_decide_whose_voice_it_is(decide: Decide) -> None:
    agency = told((f"BAMAKO (AFP) – {REPORT[0]}", *REPORT[1:]), "Nine lorries burn", "Courier")
    assert (await decide(agency)).voice == "AFP"
    assert (await decide(told(REPORT[:-1], "Fuel", "Copyist"))).voice == "AFP"
    assert (await decide(told((*REPORT, "With reporting by Reuters"), "Fuel", "Signer"))).voice == "Reuters"


def flood(seed: int) -> list[Article]:
    """Reports, edits of them, siblings, bulletins and boilerplate, shuffled."""
    chance = random.Random(seed)
    pool: list[Article] = [bulletin(day) for day in range(10, 20)]
    for number in range(12):
        words = " ".join((*REPORT, *SIBLING)).split()
        chance.shuffle(words)
        text = [" ".join(words[at : at + 30]) for at in range(0, 180, 30)]
        for copy in range(6):
            kept = [part for part in text if chance.random() < chance.choice((0.3, 0.6, 0.9))] or text[:1]
            if chance.random() < 0.5:
                kept += BOILERPLATE
            day = WHEN + timedelta(hours=chance.choice((0, 5, 30)))
            pool.append(told(kept, f"Report {number} {copy} of 1{copy}", f"Paper {copy % 3}", published=day))
    chance.shuffle(pool)
    return pool


@pytest.mark.parametrize("seed", range(3))
async def test_memory_and_store_decide_alike(store: Store, seed: int) -> None:
    shelf, decide = Shelf(), by_store(store)
    for article in flood(seed):
        expected = shelf.decide(signature(article), WHEN)
        assert await decide(article) == expected, article.title


# ── only in the store ──


async def test_several_matchers_at_once_agree(store: Store) -> None:
    articles = [told(edited(random.Random(seed)), f"Fuel {seed}", f"Paper {seed}") for seed in range(24)]
    await queued(store, *articles)

    async def work(name: str) -> list[Verdict | None]:
        end = MatchStore(store, name, lease_ms=_LEASE_MS, hits_ttl_ms=HOUR_MS)
        found: list[Verdict | None] = []
        while entries := await end.claims.take(2, block=False):
            read = [end.read(entry) for entry in entries]
            matches = [
                Match(entry, one, (RoutedHit(hit(one.title, article=one), ("g",)),), signature(one))
                for entry, one in zip(entries, read, strict=True)
            ]
            found += [result.verdict for result in await end.matched(matches) if isinstance(result, Matched)]
        return found

    verdicts = [each for part in await asyncio.gather(*map(work, "abcd")) for each in part if each]
    assert len(verdicts) == 24
    assert len({verdict.story for verdict in verdicts}) == 1
    assert sum(verdict.opens for verdict in verdicts) == 1
    parked = await DeliveryStore(store, kept_ms=HOUR_MS).peek("g")
    assert {each.story for each in parked.hits} == {verdicts[0].story}
    assert len(parked.hits) == 24, "copies are parked as further reports"


async def test_the_window_is_the_stores_time(store: Store) -> None:
    decide = by_store(store, window_ms=300)
    first = await decide(told(REPORT, "a", "A"))
    assert (await decide(told(REPORT[1:], "b", "B"))).story == first.story
    await asyncio.sleep(0.35)
    assert (await decide(told(REPORT[2:], "c", "C"))).story != first.story


async def test_an_article_matched_again_is_not_counted_twice(store: Store) -> None:
    decide = by_store(store)
    first = await decide(told(REPORT, "a", "A"))
    await decide(told(REPORT[1:], "b", "B"))
    await decide(told(REPORT, "a", "A"))
    record = await store.redis.hgetall(store.keys.story(first.story[:16]))
    assert (record[b"articles"], record[b"title"]) == (b"2", b"a")
    assert {key for key in record if key.startswith(b"outlet:")} == {b"outlet:A", b"outlet:B"}


async def test_everything_that_stories_need_ends_by_itself(store: Store) -> None:
    await by_store(store)(told(REPORT, "a", "A"))
    keys = [key async for key in store.redis.scan_iter("*") if b":index:" in key or b":story:" in key]
    assert len(keys) == 2
    for key in keys:
        assert 0 < await store.redis.pttl(key) <= 200 * HOUR_MS
