"""Pure: when a group's window closes. Given how a group stands and the time, is an edition due, and of which window?

Digests have slots: fixed moments that every machine computes alike. The last slot that has passed is due until
it is closed; slots missed while nobody ran are caught up by one edition that says how late it is. A local
time that a clock change skips or repeats is one slot (findings on delivery, 4.6).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from watchpost.schedules import Cron, Daily, Every, Immediate, Schedule

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
    today = now.astimezone(ZoneInfo(schedule.timezone)).date()
    for day in _days(schedule, today + timedelta(days=1), -1):  # a skipped time belongs to the day before its gap
        if slots := [slot for slot in _slots(schedule, day) if slot <= now]:
            return max(slots)
    return datetime.fromtimestamp(0, UTC)  # no day at all: the configuration refuses that


def next_slot(schedule: Daily | Every | Cron, now: datetime) -> datetime:
    """The first slot after `now`, in UTC."""
    if isinstance(schedule, Every):
        return last_slot(schedule, now) + schedule.interval
    today = now.astimezone(ZoneInfo(schedule.timezone)).date()
    for day in _days(schedule, today - timedelta(days=1), 1):
        if slots := [slot for slot in _slots(schedule, day) if slot > now]:
            return min(slots)
    return datetime.max.replace(tzinfo=UTC)


_EIGHT_YEARS = 8 * 366  # from one 29 February to the next, over a century's end


def _days(schedule: Daily | Cron, first: date, step: int) -> Iterator[date]:
    """The schedule's days from `first` on, forwards or backwards."""
    day = first
    for _ in range(_EIGHT_YEARS):
        if _is_day(schedule, day):
            yield day
        day += timedelta(days=step)


def _is_day(schedule: Daily | Cron, day: date) -> bool:
    if isinstance(schedule, Daily):
        return day.weekday() in schedule.days
    if day.month not in schedule.months:
        return False
    if schedule.days and schedule.weekdays:
        return day.day in schedule.days or day.weekday() in schedule.weekdays
    return (not schedule.days or day.day in schedule.days) and (
        not schedule.weekdays or day.weekday() in schedule.weekdays
    )


def _slots(schedule: Daily | Cron, day: date) -> list[datetime]:
    """fold=0: of a repeated hour the first; a skipped time is read with the offset before the gap."""
    times = (
        schedule.at
        if isinstance(schedule, Daily)
        else [time(hour, minute) for hour in schedule.hours for minute in schedule.minutes]
    )
    zone = ZoneInfo(schedule.timezone)
    return [datetime.combine(day, moment, tzinfo=zone).astimezone(UTC) for moment in times]


def hour_after(moment: datetime) -> datetime:
    """When the hour (of UTC) is over that the moment is in."""
    return datetime.fromtimestamp((moment.timestamp() // 3600 + 1) * 3600, UTC)


def next_look(schedule: Schedule, opened: datetime | None, now: datetime) -> datetime | None:
    """When an immediate group's wait ends, if that is before the next tick could see it."""
    if isinstance(schedule, Immediate) and opened is not None:
        return max(now, opened + schedule.group_wait)
    return None
