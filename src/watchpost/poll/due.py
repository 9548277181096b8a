"""Still: when a source is visited next, and why then.

The next visit is at the longest of what speaks for waiting: the interval, and everything that the server and the
feed ask (at most 24 h); then not in hours and days that the feed wants skipped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST = timedelta(hours=24)
QUICKEST, SLOWEST = timedelta(minutes=10), timedelta(hours=6)
"""Between these an interval is chosen where the operator wrote none."""
DEAD_AFTER = timedelta(days=14)

_JITTER = 0.1
_NO_JITTER_BELOW = timedelta(minutes=1)
_WEEK = timedelta(days=7)
_DEADLY = frozenset({"dns", "not_found"})
_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True, slots=True)
class Asks:
    """What a feed document asks of those who poll it; an empty value asks nothing.

    `ttl` is RSS 2.0's, `update_every` comes from sy:updatePeriod and sy:updateFrequency (RSS 1.0 Syndication),
    `skip_hours` are hours in GMT and `skip_days` days of the week, 0 = Monday (RSS 2.0); `hub` and `self_url` are
    WebSub's links.
    """

    ttl: timedelta | None = None
    update_every: timedelta | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    hub: str = ""
    self_url: str = ""


@dataclass(frozen=True, slots=True)
class Floor:
    """Somebody asks to wait for at least `pause`; `why` says it to the operator: "the feed says ttl 1 hour"."""

    pause: timedelta
    why: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a source may be read, as far as its visits taught.

    `every` stands in for the interval where the operator wrote none, and `why` says wherefore. Hours are GMT, days
    count from 0 = Monday.
    """

    every: timedelta | None = None
    why: str = "by how often it brings something"
    floors: tuple[Floor, ...] = ()
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()


AS_CONFIGURED = Pace()


def next_visit(
    every: timedelta,
    name: str,
    now: datetime,
    *,
    failures: int = 0,
    pace: Pace = AS_CONFIGURED,
    dead: bool = False,
) -> tuple[datetime, str]:
    """The moment of the next visit (`now` is in UTC) and the reason in words an operator reads.

    `every` is the configured interval, `failures` how many visits failed in a row, `dead` whether that is so for
    weeks. Intervals from a minute up are stretched or shrunk by up to 10 %, always the same for one `name`: feeds
    of one interval spread out. From the second failure on each one doubles the pause, up to 24 h.
    """
    interval = pace.every or every
    pause = _spread(interval, name)
    reason = f"every {words(interval)}" + (f", {pace.why}" if pace.every else "")
    if failures > 0:
        patience = max(interval, min(interval * 2 ** min(failures - 1, 20), LONGEST))
        if dead:
            patience = max(interval, LONGEST)
        pause = max(interval, _spread(patience, name))
        times = "1 failure" if failures == 1 else f"{failures} failures"
        changed = f"{words(patience)} instead of {words(interval)}"
        longer = changed if patience > interval else f"still every {words(interval)}"
        reason = f"dead for {words(DEAD_AFTER)}: tried once a day" if dead else f"after {times} in a row: {longer}"
    floor = max(pace.floors, key=lambda floor: floor.pause, default=None)
    if floor is not None and min(floor.pause, LONGEST) > pause:
        pause = min(floor.pause, LONGEST)
        reason = floor.why if floor.pause <= LONGEST else f"{floor.why}; {words(LONGEST)} is the most"
    moment = _allowed(now + pause, pace, name)
    if moment > now + pause:
        reason = f"{reason}; the feed wants no visits {_skipped(now + pause, pace)}"
    return moment, reason


def is_dead(reason: str, failing_since: datetime | None, now: datetime) -> bool:
    """Whether a source is given up but for a look each day: no such name or no such page for two weeks."""
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


def words(span: timedelta) -> str:
    """A time span as people say it, in at most two units: "10 minutes", "1 hour 20 minutes", "0.5 seconds"."""
    seconds = span.total_seconds()
    if seconds < 1:
        return f"{seconds:g} seconds"
    rest, said = round(seconds), []
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, rest = divmod(rest, size)
        if count:
            said.append(f"{count} {name}" + ("s" if count > 1 else ""))
    return " ".join(said[:2])


def _allowed(moment: datetime, pace: Pace, name: str) -> datetime:
    """`moment`, or soon after the beginning of the first hour that is not to be skipped."""
    if moment.hour not in pace.skip_hours and moment.weekday() not in pace.skip_days:
        return moment
    start = moment.replace(minute=0, second=0, microsecond=0)
    for ahead in range(1, 7 * 24):
        later = start + timedelta(hours=ahead)
        if later.hour not in pace.skip_hours and later.weekday() not in pace.skip_days:
            return later + timedelta(minutes=6) * _drawn(name)
    return moment  # it wants every hour skipped: that is no wish but a mistake


def _skipped(moment: datetime, pace: Pace) -> str:
    if moment.weekday() in pace.skip_days:
        return f"on {_DAYS[moment.weekday()]}"
    return f"at {moment.hour}h GMT"


def shift(name: str, span: timedelta) -> float:
    """By which part of itself this interval is longer (or shorter: below 0) for this source."""
    return 0.0 if span < _NO_JITTER_BELOW else _JITTER * (2 * _drawn(name) - 1)


def _spread(span: timedelta, name: str) -> timedelta:
    return span * (1 + shift(name, span))


def _drawn(name: str) -> float:
    """From 0 to 1, always the same for one name."""
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=4).digest()) / 0xFFFFFFFF
