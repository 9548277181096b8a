"""Nothing of a stranger's holds up the event loop: what takes long runs in threads, in a child or in short steps."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest

from tests.loop_steps import steps
from tests.making import article, hit
from tests.notify.pipeline import ALWAYS, MINUTES, Pipeline
from tests.store.ends import HOUR_MS, queued
from watchpost.match import places
from watchpost.match.matcher import Topics
from watchpost.match.worker import Matcher
from watchpost.model import Topic
from watchpost.query.parser import parse
from watchpost.query.tree import Evidence
from watchpost.service import lifecycle
from watchpost.store import keys
from watchpost.store.client import Store, ensure_group
from watchpost.store.matching import MatchStore

HITS = 3_000
RETURNS = 200
TURN_SECONDS = 0.0015
PLACES = 60
NAMES = 100_000  # objects, at least
SHARE = 0.1  # of all that the process does meanwhile


@pytest.fixture
async def store(empty_valkey_url: str) -> AsyncIterator[Store]:
    """A store in a process of its own, as in use."""
    store = Store(empty_valkey_url)
    await ensure_group(store.redis, store.keys.articles, keys.MATCH)
    yield store
    await store.close()


async def test_a_digest_of_thousands_of_hits_is_composed_beside_the_loop(store: Store) -> None:
    pipeline = Pipeline(store, ALWAYS)
    places_of = tuple(Evidence("body", at, at + 4, "Mali", "mali") for at in range(PLACES))
    long = "Mali and its neighbours talk about the border. " * 20
    await pipeline.park(
        *(
            hit(
                article=article(f"{n} {long}", id=f"a{n}", outlet=f"outlet {n % 50}"), story=f"s{n}", evidence=places_of
            )
            for n in range(HITS)
        )
    )
    pipeline.deliveries.ahead = 10 * MINUTES
    whole: list[str] = []

    def note(phase: str, search: dict[str, int]) -> None:
        if search["generation"] == 2:  # the oldest objects, too: 0.3 s with so many hits
            whole.append(phase)

    gc.callbacks.append(note)
    try:
        done = await steps(pipeline.close())
    finally:
        gc.callbacks.remove(note)
    assert not whole
    (digest,) = done.result
    assert len(digest["stories"]) == 1_000, "the payload has no more"
    assert done.longest_seconds < SHARE * done.whole_seconds


async def test_dense_articles_that_are_not_long_are_matched_beside_the_loop(store: Store) -> None:
    queries = ("country:ML OR place:ML", "entity:wagner-group", "mali NEAR/5 wagner")
    topics = Topics([Topic(f"t{number}", "Topic", parse(query)) for number, query in enumerate(queries)])
    await asyncio.to_thread(places.load)
    text = "Mali, Wagner group, Bamako and Gao, Kidal; Africa Corps. "
    topics.match(article("warm", body=text), datetime.now(UTC))
    await queued(store, *(article(f"Mali {n}", id=f"a{n}", body=f"{n} {text * 330}") for n in range(16)))
    end = MatchStore(store, "m", lease_ms=60_000, hits_ttl_ms=HOUR_MS)

    async def never() -> None:
        await asyncio.Event().wait()

    matcher = Matcher(
        topics,
        [],
        end,
        tick=never,
        tick_renew=never,
        tick_refine=never,
        stop=asyncio.Event(),
        clock=lambda: datetime.now(UTC),
    )
    done = await steps(matcher.once())
    assert await end.waiting() == 0
    assert done.longest_seconds < SHARE * done.whole_seconds


@pytest.fixture
def _python_turns() -> Iterator[None]:
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_python_turns")
def test_a_thread_that_computes_hands_over_soon() -> None:
    """Measured in that thread's time of the processor, and where the system let this one continue at once."""
    lifecycle.take_short_turns()
    ends = threading.Event()

    def compute() -> None:
        while not ends.is_set():
            sum(range(100))

    thread = threading.Thread(target=compute)
    thread.start()
    try:
        clock = time.pthread_getcpuclockid(thread.ident or 0)
        turns = []
        for _ in range(RETURNS):
            begun = time.clock_gettime(clock)
            time.sleep(0.0001)
            turns.append(time.clock_gettime(clock) - begun)
    finally:
        ends.set()
        thread.join()
    assert sorted(turns)[RETURNS // 10] < TURN_SECONDS


async def test_the_names_are_not_scanned_again_and_again(store: Store) -> None:
    end = MatchStore(store, "m", lease_ms=60_000, hits_ttl_ms=HOUR_MS)
    stop = asyncio.Event()

    async def until_stop() -> None:
        await stop.wait()

    matcher = Matcher(
        Topics([]),
        [],
        end,
        tick=until_stop,
        tick_renew=until_stop,
        tick_refine=until_stop,
        stop=stop,
        clock=lambda: datetime.now(UTC),
    )
    gc.unfreeze()
    running = asyncio.ensure_future(matcher.run())
    try:
        async with asyncio.timeout(60):
            while not gc.get_freeze_count():
                await asyncio.sleep(0.01)
        assert gc.get_freeze_count() > NAMES
    finally:
        stop.set()
        await running
        gc.unfreeze()
