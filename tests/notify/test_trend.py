"""How much there usually is, and when there is much more: seeded noise, so that every run sees the same."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from watchpost.trend import bars, trend_of

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LAST = int(MONDAY.timestamp()) // 3600


def poisson(chance: random.Random, mean: float) -> int:
    """A number of events by chance alone (Knuth's method)."""
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


def noise(seed: int, mean: float) -> dict[int, int]:
    """Five weeks of hits by the hour, the same all day and every day."""
    chance = random.Random(seed)
    return {hour: count for hour in range(LAST - 36 * 24, LAST) if (count := poisson(chance, mean))}


@pytest.mark.parametrize("mean", [0.05, 0.3, 1.0, 4.0])
def test_flat_noise_is_hardly_ever_a_spike(mean: float) -> None:
    spikes = sum(trend_of(noise(seed, mean), MONDAY - 14 * HOUR, MONDAY, UTC).spike for seed in range(200))
    assert spikes <= 4, "at most 2 % of 200 weeks"


@pytest.mark.parametrize("mean", [0.3, 1.0, 4.0])
def test_five_times_the_usual_is_always_a_spike(mean: float) -> None:
    for seed in range(200):
        hours = noise(seed, mean)
        usual = trend_of(hours, MONDAY - 14 * HOUR, MONDAY, UTC).usual
        assert usual is not None
        loud = hours | dict.fromkeys(range(LAST - 14, LAST), 0) | {LAST - 3: math.ceil(5 * max(usual, 2))}
        assert trend_of(loud, MONDAY - 14 * HOUR, MONDAY, UTC).spike


def test_a_busy_weekday_is_compared_with_its_like() -> None:
    mondays = {LAST - week * 168 - 3: 30 for week in range(6)}
    found = trend_of({LAST - 24 * n - 3: 1 for n in range(1, 36)} | mondays, MONDAY - 14 * HOUR, MONDAY, UTC)
    assert (found.count, found.usual, found.spike) == (30, 30.0, False)


def test_without_weeks_the_days_before_are_the_measure_and_without_days_nothing_is() -> None:
    daily = {LAST - 24 * n - 3: 4 for n in range(1, 11)}
    found = trend_of(daily | {LAST - 3: 12}, MONDAY - 14 * HOUR, MONDAY, UTC)
    assert (found.usual, found.spike) == (4.0, True)
    few = trend_of({LAST - 24 * n - 3: 4 for n in range(1, 4)} | {LAST - 3: 40}, MONDAY - 14 * HOUR, MONDAY, UTC)
    assert (few.count, few.usual, few.spike) == (40, None, False), "three days are no custom"
    assert trend_of({}, MONDAY - HOUR, MONDAY, UTC).usual is None


def test_days_are_local_ones() -> None:
    hours = {LAST - 8: 5, LAST - 9: 7}  # 00:00 and 23:00 of the day before in UTC
    assert trend_of(hours, MONDAY - HOUR, MONDAY, UTC).days[-2:] == (7, 5)
    paris = trend_of(hours, MONDAY - HOUR, MONDAY, ZoneInfo("Europe/Paris"))
    assert paris.days == (*(0,) * 13, 12)


def test_the_clock_change_does_not_move_what_is_compared() -> None:
    paris = ZoneInfo("Europe/Paris")
    end = datetime(2026, 11, 2, 8, 0, tzinfo=paris).astimezone(UTC)  # winter time; three Mondays before it was summer
    hours = {int((end.astimezone(paris) - timedelta(weeks=n)).timestamp()) // 3600 - 1: 9 for n in range(6)}
    found = trend_of(hours, end - HOUR, end, paris)
    assert (found.count, found.usual) == (9, 9.0)


def test_bars() -> None:
    assert bars((0, 1, 4, 8, 8, 0)) == "▁▂▅██▁"
    assert bars((0, 0)) == "▁▁"
    assert bars((1, 1)) == "▃▃", "one a day is no wall"
