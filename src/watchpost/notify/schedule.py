"""Pure: when a group's window closes: whether a digest or an alert is due, and which window it covers.

A digest has slots: fixed moments that every machine computes alike. The last slot that has passed is due until its
window is closed. Slots missed while the service was down make one digest, which says how late it is. A local time that
a clock change skips or repeats is one slot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from watchpost.schedules import Cron, Daily, Every, Immediate, Schedule, cron_times

HEARTBEAT = timedelta(days=7)  # `empty: weekly`: after so long without a digest, an empty one says that all is well
_CLOCK_WAS_WRONG = timedelta(minutes=10)
_LATE_FROM = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Window:
    """A window that is due: its hits came between start and end; `late` is 0 unless the service was down."""

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
    """The window to close now, or None. `opened` is when its first hit came, `closed` the end of the window before.

    `flooded` is since when hits beyond a topic's limit are only counted; an alert reports them when the hour is over.
    """
    match schedule:
        case Immediate(group_wait):
            if opened is not None and now >= opened + group_wait:
                return Window(opened, now)
            if flooded is not None and now >= end_of_hour(flooded):
                return Window(flooded, now)
            return None
        case Daily() | Every() | Cron():
            slot = last_slot(schedule, now)
            since = closed or opened or now
            if since - now > _CLOCK_WAS_WRONG:  # closed while the clock ran ahead, which must not silence the group
                since = slot - timedelta(seconds=1)
            if slot <= since:
                return None
            late = now - slot
            return Window(since, slot, late if late >= _LATE_FROM else timedelta(0))
        case _ as never:
            assert_never(never)


def sends_empty(schedule: Schedule, sent: datetime | None, closed: datetime | None, window: Window) -> bool:
    """Whether the schedule's `empty` rule asks for a digest without stories. `sent` is when the last one went."""
    if isinstance(schedule, Immediate) or schedule.empty == "never":
        return False
    if schedule.empty == "always":
        return True
    return window.end - (sent or closed or window.start) >= HEARTBEAT


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


_SHIFT = timedelta(hours=3)  # more than any clock change moves local times (two hours, Antarctica/Troll)


def _slots(schedule: Daily | Cron, now: datetime, *, backwards: bool) -> Iterator[datetime]:
    """The slots nearest to `now` on one side of it, in UTC; around a clock change they may be out of order.

    Of a local time that occurs twice, the first counts. One that is skipped is read with the offset before the gap, so
    that it lies as far after it (PEP 495, fold=0).
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


def end_of_hour(moment: datetime) -> datetime:
    """When the hour (of UTC) that the moment is in ends."""
    return datetime.fromtimestamp((moment.timestamp() // 3600 + 1) * 3600, UTC)


def wait_ends(schedule: Schedule, opened: datetime | None, now: datetime) -> datetime | None:
    """When a window may be due next: the end of an alert's `group_wait` if it holds hits, or a digest's next slot."""
    if not isinstance(schedule, Immediate):
        return next_slot(schedule, now)
    return None if opened is None else max(now, opened + schedule.group_wait)
