"""Pure: when a group's window closes. Given how a group stands and the time, is an edition due, and of which window?

Digests have slots: fixed moments that every machine computes alike. The last slot that has passed is due until
it is closed; slots missed while nobody ran are caught up by one edition that says how late it is. A local
time that a clock change skips or repeats is one slot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from watchpost.schedules import Cron, Daily, Every, Immediate, Schedule, cron_times

HEARTBEAT = timedelta(days=7)  # `empty: weekly`: so long may a digest be silent before it says that all is well
_CLOCK_WAS_WRONG = timedelta(minutes=10)
_LATE_FROM = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Window:
    """An edition that is due: its hits came between start and end; `late` is 0 unless the service was down."""

    start: datetime
    end: datetime
    late: timedelta = timedelta(0)


def due(
    schedule: Schedule,
    opened: datetime | None,
    closed: datetime | None,
    now: datetime,
    flooded: datetime | None = None,
) -> Window | None:
    """The window to close now, or None. `opened`: first hit parked; `closed`: end of the last closed window.

    `flooded`: since when hits beyond a topic's limit are only counted. Of them an alert tells when the hour is over.
    """
    match schedule:
        case Immediate(group_wait):
            if opened is not None and now >= opened + group_wait:
                return Window(opened, now)
            if flooded is not None and now >= hour_after(flooded):
                return Window(flooded, now)
            return None
        case Daily() | Every() | Cron():
            slot = last_slot(schedule, now)
            since = closed or opened or now
            if since - now > _CLOCK_WAS_WRONG:  # closed while the clock ran ahead: that must not silence the group
                since = slot - timedelta(seconds=1)
            if slot <= since:
                return None
            behind = now - slot
            return Window(since, slot, behind if behind >= _LATE_FROM else timedelta(0))
        case _ as never:
            assert_never(never)


def tell_empty(schedule: Schedule, told: datetime | None, closed: datetime | None, window: Window) -> bool:
    """Is an edition sent although nothing was parked? By the schedule's `empty` rule."""
    if isinstance(schedule, Immediate) or schedule.empty == "never":
        return False
    if schedule.empty == "always":
        return True
    silent_since = told or closed or window.start
    return window.end - silent_since >= HEARTBEAT


def last_slot(schedule: Daily | Every | Cron, now: datetime) -> datetime:
    """The latest slot that is not after `now`, in UTC."""
    if isinstance(schedule, Every):
        step = schedule.interval.total_seconds()
        return datetime.fromtimestamp(now.timestamp() // step * step, UTC)
    return max(_slots(schedule, now, backwards=True), default=datetime.fromtimestamp(0, UTC))


def next_slot(schedule: Daily | Every | Cron, now: datetime) -> datetime:
    """The first slot after `now`, in UTC."""
    if isinstance(schedule, Every):
        return last_slot(schedule, now) + schedule.interval
    return min(_slots(schedule, now, backwards=False), default=datetime.max.replace(tzinfo=UTC))


_SHIFT = timedelta(hours=3)  # a clock change moves local times by less than that: at most two hours (Antarctica/Troll)


def _slots(schedule: Daily | Cron, now: datetime, *, backwards: bool) -> Iterator[datetime]:
    """The slots nearest to `now` on one side of it, in UTC; near a clock change their order may be another one.

    A local time that comes twice is the first of both, and one that is skipped comes as much after the gap: Python
    reads it with the offset before (PEP 495, fold=0).
    """
    zone = ZoneInfo(schedule.timezone)
    here = now.astimezone(zone).replace(tzinfo=None, fold=0)
    nearest: datetime | None = None
    for local in _local_times(schedule, here + (_SHIFT if backwards else -_SHIFT), backwards):
        if nearest is not None and abs(local - nearest) > _SHIFT:
            return
        slot = local.replace(tzinfo=zone).astimezone(UTC)
        if (slot <= now) is backwards:
            nearest = nearest or local
            yield slot


def _local_times(schedule: Daily | Cron, start: datetime, backwards: bool) -> Iterator[datetime]:
    """The schedule's local times before or after the naive `start`, nearest first; of `Daily` those of two weeks."""
    if isinstance(schedule, Cron):
        yield from cron_times(schedule.text, start, backwards=backwards)
        return
    for ahead in range(15):
        day = start.date() + timedelta(days=-ahead if backwards else ahead)
        if day.weekday() in schedule.days:
            times = (datetime.combine(day, moment) for moment in sorted(schedule.at, reverse=backwards))
            yield from (local for local in times if (local < start if backwards else local > start))


def hour_after(moment: datetime) -> datetime:
    """When the hour (of UTC) is over that the moment is in."""
    return datetime.fromtimestamp((moment.timestamp() // 3600 + 1) * 3600, UTC)


def next_look(schedule: Schedule, opened: datetime | None, now: datetime) -> datetime | None:
    """When an immediate group's wait ends, if that is before the next tick could see it."""
    if isinstance(schedule, Immediate) and opened is not None:
        return max(now, opened + schedule.group_wait)
    return None
