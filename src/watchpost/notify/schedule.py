"""Still: when a group's window closes. Given how a group stands and the time, is an edition due, and of which window?

Digests have slots: fixed moments that every machine computes alike. The last slot that has passed is due until
it is closed; slots missed while nobody ran are caught up by one edition that says how late it is. A local
time that a clock change skips or repeats is one slot (findings on delivery, 4.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from watchpost.model import Daily, Every, Immediate, Schedule

HEARTBEAT = timedelta(days=7)  # `empty: weekly`: so long may a digest be silent before it says that all is well
_CLOCK_WAS_WRONG = timedelta(minutes=10)
_LATE_FROM = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Window:
    """An edition that is due: its hits came between start and end; `late` is 0 unless the service was down."""

    start: datetime
    end: datetime
    late: timedelta = timedelta(0)


def due(schedule: Schedule, opened: datetime | None, closed: datetime | None, now: datetime) -> Window | None:
    """The window to close now, or None. `opened`: first hit parked; `closed`: end of the last closed window."""
    match schedule:
        case Immediate(group_wait):
            if opened is None or now < opened + group_wait:
                return None
            return Window(opened, now)
        case Daily() | Every():
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


def last_slot(schedule: Daily | Every, now: datetime) -> datetime:
    """The latest slot that is not after `now`, in UTC."""
    if isinstance(schedule, Every):
        step = schedule.interval.total_seconds()
        return datetime.fromtimestamp(now.timestamp() // step * step, UTC)
    zone = ZoneInfo(schedule.timezone)
    today = now.astimezone(zone).date()
    for back in range(9):  # a week, and a day on each side for zones far from UTC
        day = today - timedelta(days=back)
        if day.weekday() not in schedule.days:
            continue
        for moment in sorted(schedule.at, reverse=True):
            # fold=0: of a repeated hour the first; a skipped time is read with the offset before the gap.
            slot = datetime.combine(day, moment, tzinfo=zone).astimezone(UTC)
            if slot <= now:
                return slot
    return datetime.fromtimestamp(0, UTC)  # no day at all: the configuration refuses that


def next_look(schedule: Schedule, opened: datetime | None, now: datetime) -> datetime | None:
    """When an immediate group's wait ends, if that is before the next tick could see it."""
    if isinstance(schedule, Immediate) and opened is not None:
        return max(now, opened + schedule.group_wait)
    return None
