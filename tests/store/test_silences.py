"""Silences that have ended are shown for a while, and never grow without a bound."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from watchpost.schedules import Silence
from watchpost.store.client import Store
from watchpost.store.silences import KEPT, MOST_ENDED, Silences

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)


async def _filled(store: Store, *ends: datetime) -> Silences:
    kept = Silences(store)
    for number, until in enumerate(ends):
        await kept.add(Silence(f"s{number}", until, "replays", "anna", topic="mali"), until - timedelta(hours=1))
    return kept


async def test_what_ended_long_ago_is_deleted_and_counted_and_the_rest_stays(store: Store) -> None:
    minute = timedelta(minutes=1)
    kept = await _filled(store, NOW - KEPT - minute, NOW - KEPT + minute, NOW - minute, NOW + minute, NOW + KEPT)
    assert await kept.tidy(NOW) == 1
    assert [each.id for each in await kept.all()] == ["s1", "s2", "s3", "s4"]
    assert await kept.tidy(NOW) == 0
    assert await kept.tidy(NOW + KEPT + 2 * minute) == 3
    assert [each.id for each in await kept.all()] == ["s4"]


async def test_only_the_last_that_ended_are_kept_and_none_that_is_active_goes(store: Store) -> None:
    active = [NOW + timedelta(days=day) for day in range(1, 6)]
    kept = await _filled(store, *(NOW - timedelta(seconds=each) for each in range(MOST_ENDED + 3)), *active)
    assert await kept.tidy(NOW) == 3
    left = [each.id for each in await kept.all()]
    assert left[0] == f"s{MOST_ENDED - 1}"
    assert left[-6:] == ["s0", *(f"s{MOST_ENDED + 3 + number}" for number in range(5))]
    assert len(left) == MOST_ENDED + 5


async def test_what_cannot_be_read_is_left_alone(store: Store) -> None:
    """A later version may have written it."""
    kept = await _filled(store, NOW - 2 * KEPT)
    async with store.errors():
        await store.redis.hset(store.keys.silences, "later", b"{}")
    assert await kept.tidy(NOW) == 1
    assert await store.redis.hkeys(store.keys.silences) == [b"later"]
