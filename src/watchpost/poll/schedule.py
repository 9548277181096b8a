"""Pure: when a source is visited next, and why then.

The next visit is after the longest of all waits: the interval, and everything that the server and the feed ask (at
most 24 h). Hours and days that the feed wants skipped are left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchpost.durations import in_words
from watchpost.plurals import count

LONGEST = timedelta(hours=24)
QUICKEST, SLOWEST = timedelta(minutes=10), timedelta(hours=6)
"""Between these an interval is chosen where none is configured."""
DEAD_AFTER = timedelta(days=14)

_JITTER = 0.1
_NO_JITTER_BELOW = timedelta(minutes=1)
_WEEK = timedelta(days=7)
_DEADLY = frozenset({"dns", "not_found"})
_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True, slots=True)
class MinimumWait:
    """A server or a feed asks to wait for at least `pause`; `why` is for the operator: "the feed says ttl 1 hour"."""

    pause: timedelta
    why: str


@dataclass(frozen=True, slots=True)
class Interval:
    """How often a source may be read, as far as its visits have shown.

    `every` replaces the interval where none is configured, and `why` is its reason. Hours are in GMT, days count from
    0 = Monday.
    """

    every: timedelta | None = None
    why: str = "by how often it brings something"
    floors: tuple[MinimumWait, ...] = ()
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()


AS_CONFIGURED = Interval()


def next_visit(
    every: timedelta,
    name: str,
    now: datetime,
    *,
    failures: int = 0,
    interval: Interval = AS_CONFIGURED,
    dead: bool = False,
) -> tuple[datetime, str]:
    """The moment of the next visit (`now` is in UTC) and the reason, for the operator.

    `every` is the configured interval, `failures` how many visits failed in a row, `dead` whether they have failed for
    weeks. Intervals of a minute or more are stretched or shrunk by up to 10 %, always the same for one `name`, so that
    feeds of one interval spread out. From the second failure on each one doubles the pause, up to 24 h.
    """
    usual = interval.every or every
    pause = _spread(usual, name)
    reason = f"every {in_words(usual)}" + (f", {interval.why}" if interval.every else "")
    if failures > 0:
        longer = max(usual, min(usual * 2 ** min(failures - 1, 20), LONGEST))
        if dead:
            longer = max(usual, LONGEST)
        pause = max(usual, _spread(longer, name))
        reason = _after_failures(failures, usual, longer, dead)
    floor = max(interval.floors, key=lambda floor: floor.pause, default=None)
    if floor is not None and min(floor.pause, LONGEST) > pause:
        pause = min(floor.pause, LONGEST)
        reason = floor.why if floor.pause <= LONGEST else f"{floor.why}; {in_words(LONGEST)} is the most"
    moment = _allowed(now + pause, interval, name)
    if moment > now + pause:
        reason = f"{reason}; the feed wants no visits {_skipped(now + pause, interval)}"
    return moment, reason


def _after_failures(failures: int, usual: timedelta, longer: timedelta, dead: bool) -> str:
    if dead:
        return f"dead for {in_words(DEAD_AFTER)}: tried once a day"
    wait = f"{in_words(longer)} instead of {in_words(usual)}" if longer > usual else f"still every {in_words(usual)}"
    return f"after {count(failures, 'failure')} in a row: {wait}"


def is_dead(reason: str, failing_since: datetime | None, now: datetime) -> bool:
    """Whether a source is tried only once a day: no such name or no such page for two weeks."""
    return reason in _DEADLY and failing_since is not None and now - failing_since >= DEAD_AFTER


def adaptive(dates: Iterable[datetime | None], now: datetime) -> timedelta | None:
    """Half the mean distance of the entries of the last week, in full minutes from QUICKEST to SLOWEST.

    A busy feed shows less than a week: then the time that it shows counts. None if no entry has a date.
    """
    known = [date for date in dates if date is not None and date <= now]
    if not known:
        return None
    recent = [date for date in known if now - date <= _WEEK]
    if not recent:
        return SLOWEST
    shown = _WEEK if len(recent) < len(known) else now - min(recent)
    minutes = shown / len(recent) / 2 // timedelta(minutes=1)
    return min(max(timedelta(minutes=minutes), QUICKEST), SLOWEST)


def shift(name: str, span: timedelta) -> float:
    """By which part of itself this interval is longer (or shorter: below 0) for this source."""
    return 0.0 if span < _NO_JITTER_BELOW else _JITTER * (2 * _fraction(name) - 1)


def _spread(span: timedelta, name: str) -> timedelta:
    return span * (1 + shift(name, span))


def _fraction(name: str) -> float:
    """From 0 to 1, always the same for one name."""
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=4).digest()) / 0xFFFFFFFF


def _allowed(moment: datetime, interval: Interval, name: str) -> datetime:
    """`moment`, or soon after the beginning of the first hour that is not to be skipped."""
    if moment.hour not in interval.skip_hours and moment.weekday() not in interval.skip_days:
        return moment
    start = moment.replace(minute=0, second=0, microsecond=0)
    for ahead in range(1, 7 * 24):
        later = start + timedelta(hours=ahead)
        if later.hour not in interval.skip_hours and later.weekday() not in interval.skip_days:
            return later + timedelta(minutes=6) * _fraction(name)
    return moment  # a feed that wants every hour skipped is mistaken


def _skipped(moment: datetime, interval: Interval) -> str:
    if moment.weekday() in interval.skip_days:
        return f"on {_DAYS[moment.weekday()]}"
    return f"at {moment.hour}h GMT"
