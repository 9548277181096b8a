"""Pure: how many hits a topic usually has, and whether it has many more now.

A window is compared with the same hours of the same weekdays before; with fewer than three such weeks, with the same
hours of the days before. "Many more" means more than `LEAST`, and more than the median by three times the spread.
The spread is the median absolute deviation, times 1.4826 to be comparable with a standard deviation
(https://en.wikipedia.org/wiki/Median_absolute_deviation). It is at least the square root of the median, the spread of
pure chance (Poisson), because over five weeks the deviation is often 0; and at most the median, so that five times
the usual number counts as many however uneven the weeks are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from math import ceil, sqrt
from statistics import median

DAYS = 14
WEEKS = 5
FEWEST_WEEKS = 3
FEWEST_DAYS = 7
LEAST = 5
SPREADS = 3
_NORMAL = 1.4826
_HOUR = timedelta(hours=1)
_WEEK = timedelta(days=7)
_BARS = "▁▂▃▄▅▆▇█"
WALL = 4
"""The count of a full bar is at least this: a few hits must not look like many."""


@dataclass(frozen=True, slots=True)
class Trend:
    """Hits of a topic on each of the last 14 local days (the last is today so far), and in the digest's window.

    `usual` is the median of the same hours before, None while there is no history.
    """

    days: tuple[int, ...]
    count: int
    usual: float | None
    spike: bool


def trend_of(hours: Mapping[int, int], start: datetime, end: datetime, zone: tzinfo) -> Trend:
    """The trend of a topic for a window. `hours`: its hits by the hour (hours since 1970, UTC).

    A window counts as an hour at least and a week at most; local days consist of whole UTC hours.
    """
    start = min(max(start, end - _WEEK), end - _HOUR)
    now = _total(hours, start, end)
    first = min(hours, default=None)
    past: list[int] = []
    if first is not None:
        past = _before(hours, first, start, end, zone, [timedelta(weeks=n) for n in range(1, WEEKS + 1)])
        if len(past) < FEWEST_WEEKS:
            days = [timedelta(days=n) for n in range(1, DAYS + 1)] if end - start <= timedelta(days=1) else []
            past = _before(hours, first, start, end, zone, days)
            past = past if len(past) >= FEWEST_DAYS else []
    usual = float(median(past)) if past else None
    return Trend(_days(hours, end, zone), now, usual, usual is not None and now > _most(past, usual))


def bars(days: tuple[int, ...]) -> str:
    """A bar for each day, as a text; the lowest bar means no hits."""
    most = max(*days, WALL)
    return "".join(_BARS[ceil(count / most * 7)] for count in days)


def _most(past: list[int], usual: float) -> float:
    """The highest count that is still usual."""
    deviation = float(median(abs(count - usual) for count in past))
    return max(LEAST, usual + SPREADS * min(usual, max(_NORMAL * deviation, sqrt(usual))))


def _before(
    hours: Mapping[int, int], first: int, start: datetime, end: datetime, zone: tzinfo, shifts: list[timedelta]
) -> list[int]:
    """The sums of the same local hours, shifted back, as far as hits were counted."""
    found = []
    for shift in shifts:
        begin, stop = ((moment.astimezone(zone) - shift).astimezone(UTC) for moment in (start, end))
        if _hour(begin) >= first:
            found.append(_total(hours, begin, stop))
    return found


def _total(hours: Mapping[int, int], start: datetime, end: datetime) -> int:
    return sum(hours.get(hour, 0) for hour in range(_hour(start), ceil(end.timestamp() / 3600)))


def _days(hours: Mapping[int, int], end: datetime, zone: tzinfo) -> tuple[int, ...]:
    today = (end - timedelta(microseconds=1)).astimezone(zone).date()
    counts = [0] * DAYS
    for hour, count in hours.items():
        back = (today - datetime.fromtimestamp(hour * 3600, zone).date()).days
        if 0 <= back < DAYS:
            counts[DAYS - 1 - back] += count
    return tuple(counts)


def _hour(moment: datetime) -> int:
    return int(moment.timestamp() // 3600)
