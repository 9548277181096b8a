"""The linker: every story that waits gets one event, by one matcher or several, whatever fails in between."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from threading import Event
from threading import enumerate as enumerate_threads

import pytest

from tests.events.test_joining import CONVOY, TUESDAY
from tests.making import article, hit
from tests.store.ends import HOUR_MS, LEASE_MS, queued
from watchpost import log as tm
from watchpost.errors import WatchpostError
from watchpost.events.embedding import Embedding
from watchpost.events.linker import Linker
from watchpost.events.vectors import Vectors
from watchpost.health import HEALTH
from watchpost.match.signatures import signature
from watchpost.model import Article
from watchpost.store.client import Store
from watchpost.store.events import EventStore, forget_unjoined
from watchpost.store.matching import BEGINNING, Match, MatchStore, RoutedHit, beginning


def reports(count: int = 3) -> list[Article]:
    return [
        article(
            f"{title} {number}" if number > 2 else title,
            body=body,
            lang=lang,
            published=TUESDAY,
            fetched=TUESDAY,
            outlet=f"outlet {number}",
        )
        for number in range(count)
        for lang, title, body in [CONVOY[number % 3]]
    ]


async def matched(store: Store, *articles: Article, most: int = 100) -> list[str]:
    """Articles through MATCHED; returns their stories."""
    await queued(store, *articles)
    end = MatchStore(store, "m1", lease_ms=LEASE_MS, hits_ttl_ms=HOUR_MS, unjoined_max=most)
    stories = []
    for entry in await end.claims.take(100, block=False):
        about = end.read(entry)
        parts = (RoutedHit(hit(about.title, article=about), ("team|now",)),)
        (result,) = await end.matched([Match(entry, about, parts, signature(about), ("ML",))])
        assert not isinstance(result, Exception)
        assert result is not None
        assert result.verdict is not None
        stories.append(result.verdict.story)
    return stories


def linker(
    store: Store,
    name: str = "m1",
    embedding: Embedding | None = None,
    lease_ms: int = 60_000,
    vectors: Vectors | None = None,
) -> Linker:
    async def tick() -> None:
        await asyncio.sleep(0.05)

    return Linker(
        EventStore(store, name, lease_ms),
        vectors or Vectors(lambda: embedding),
        tick=tick,
        tick_renew=tick,
        stop=asyncio.Event(),
        clock=lambda: TUESDAY,
    )


async def test_three_languages_one_event(store: Store) -> None:
    stories = await matched(store, *reports())
    await linker(store).once()
    found = await EventStore(store).events_of(stories)
    assert {one.event for one in found.values()} == {stories[0]}
    assert found[stories[1]].reasons[0] == "same place Ansongo"
    assert found[stories[1]].like == stories[0]
    assert await EventStore(store).stories_of(stories[0]) == tuple(stories)
    assert await EventStore(store).waiting() == 0


async def test_several_linkers_agree(store: Store) -> None:
    stories = await matched(store, *reports(24))
    await asyncio.gather(*(linker(store, f"m{number}").once() for number in range(4)))
    found = await EventStore(store).events_of(stories)
    assert {*found} == {*stories}
    assert len({one.event for one in found.values()}) == 1
    decisions = await EventStore(store).decided()
    assert sorted(one.story for one in decisions) == sorted(set(stories))


async def test_what_a_linker_took_and_left_is_decided_once(store: Store) -> None:
    stories = await matched(store, *reports())
    dead = EventStore(store, "dead", 100)
    await dead.claims.take(2, block=False)
    await dead.claims.take(2, block=False)
    await asyncio.sleep(0.2)
    await linker(store, "alive", lease_ms=100).once()
    assert {*await EventStore(store).events_of(stories)} == {*stories}
    assert len(await EventStore(store).decided()) == len(stories)


async def test_a_decision_that_is_known_is_not_made_again(store: Store) -> None:
    (story,) = await matched(store, reports()[0])
    await linker(store).once()
    fields: dict[str | bytes, str | bytes] = {"s": story, "a": b"", "c": ""}
    await store.redis.xadd(store.keys.unjoined, dict(fields))
    await linker(store).once()
    assert len(await EventStore(store).decided()) == 1
    assert await EventStore(store).waiting() == 0


class Broken:
    """An embedding that always fails."""

    def vector(self, text: str) -> bytes:
        raise ValueError(text[:10])


class Mended(Broken):
    """An embedding that fails once."""

    def __init__(self) -> None:
        self.calls = 0

    def vector(self, text: str) -> bytes:
        self.calls += 1
        return super().vector(text) if self.calls == 1 else b"\x01\x02"


async def test_an_embedding_that_fails_costs_its_vector_alone_and_is_reported(store: Store) -> None:
    stories = await matched(store, *reports())
    await linker(store, embedding=Broken()).once()
    assert len({one.event for one in (await EventStore(store).events_of(stories)).values()}) == 1
    assert await EventStore(store).waiting() == 0
    assert HEALTH.linking.reason == "broken"
    assert tm.REGISTRY.get_sample_value("watchpost_events_embedding") == 0


async def test_an_embedding_that_works_again_is_reported_no_more(store: Store) -> None:
    await matched(store, *reports())
    await linker(store, embedding=Mended()).once()
    assert HEALTH.linking.reason == ""
    assert tm.REGISTRY.get_sample_value("watchpost_events_embedding") == 1
    vectors = [one.vector for one in await EventStore(store).decided()]
    assert vectors == [b"", b"\x01\x02", b"\x01\x02"]


class Hanging:
    """An embedding that makes its first vector when it may."""

    def __init__(self) -> None:
        self.may = Event()

    def vector(self, text: str) -> bytes:
        self.may.wait()
        return b"\x01"


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has no niceness of its own")
async def test_vectors_are_made_with_what_the_rest_leaves_of_the_cores() -> None:
    class Noting:
        def vector(self, text: str) -> bytes:
            return bytes([os.getpriority(os.PRIO_PROCESS, 0) + 20])

    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert await Vectors(Noting).of("text") == bytes([min(19, before + 10) + 20])
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


async def test_an_embedding_that_hangs_costs_vectors_until_it_works_again(store: Store) -> None:
    hanging = Hanging()
    vectors = Vectors(lambda: hanging, limit_seconds=0.1)
    await matched(store, *reports())
    await linker(store, vectors=vectors).once()
    assert [one.vector for one in await EventStore(store).decided()] == [b"", b"", b""]
    assert HEALTH.linking.reason == "slow"
    assert tm.REGISTRY.get_sample_value("watchpost_events_embedding") == 0
    assert sum(thread.name == "embedding" for thread in enumerate_threads()) == 1, "only one thread hangs"
    hanging.may.set()
    async with asyncio.timeout(60):
        while await vectors.of("text") != b"\x01":
            await asyncio.sleep(0.01)
    assert vectors.without == ""


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (WatchpostError("other weights"), "broken"),
        (MemoryError(), "broken"),
        (ImportError("numpy"), "broken"),
        (None, "missing"),
    ],
)
async def test_an_embedding_that_cannot_be_loaded_is_left_out(
    store: Store, error: Exception | None, reason: str
) -> None:
    def load() -> Embedding | None:
        if error is not None:
            raise error
        return None

    stories = await matched(store, *reports())
    await linker(store, vectors=Vectors(load)).once()
    assert len({one.event for one in (await EventStore(store).events_of(stories)).values()}) == 1
    assert tm.REGISTRY.get_sample_value("watchpost_events_embedding") == 0
    assert HEALTH.linking.reason == reason


@pytest.mark.parametrize("body", ["", "word " * 100_000, "ߒߞߏ " * 30_000, "\ud800 lone"])
async def test_any_text_gets_an_event_in_bounded_time(store: Store, body: str) -> None:
    about = replace(reports()[0], body=body.encode("utf-8", "replace").decode())
    assert len(beginning(about).body) <= BEGINNING
    stories = await matched(store, about)
    await linker(store).once()
    assert {*await EventStore(store).events_of(stories)} == {*stories}


async def test_without_events_nothing_waits_and_what_waited_is_removed(store: Store) -> None:
    await matched(store, reports()[0], most=0)
    assert not await store.redis.exists(store.keys.unjoined)
    await matched(store, *reports()[1:])
    await forget_unjoined(store)
    assert not await store.redis.exists(store.keys.unjoined)


async def test_beyond_the_bound_stories_have_no_event(store: Store) -> None:
    stories = await matched(store, *reports(), most=2)
    await linker(store).once()
    assert len(await EventStore(store).events_of(stories)) == 2
