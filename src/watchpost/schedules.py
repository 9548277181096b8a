"""Pure: when a receiver is told: at once, or by digests at moments that every machine computes alike; and when not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from cronsim import CronSim, CronSimError

Empty = Literal["always", "weekly", "never"]
"""Whether a digest is sent of which nothing is to be told."""


GROUP_INTERVAL = timedelta(minutes=15)
REPEAT_INTERVAL = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Immediate:
    """Tell at once: `group_wait` after the first hit of a group, everything that came meanwhile in one go.

    Of a story that was told, news follow `group_interval` after that, in one update; what only goes on is told again
    after `repeat_interval`, if there are still hits.
    """

    group_wait: timedelta
    group_interval: timedelta = GROUP_INTERVAL
    repeat_interval: timedelta = REPEAT_INTERVAL


@dataclass(frozen=True, slots=True)
class Daily:
    """A digest at local times `at` on `days` (0 = Monday … 6 = Sunday) in `timezone` (IANA name)."""

    at: tuple[time, ...]
    days: tuple[int, ...]
    timezone: str
    empty: Empty = "weekly"


@dataclass(frozen=True, slots=True)
class Every:
    """A digest each `interval`, counted from the epoch, so that all machines agree on the moments."""

    interval: timedelta
    timezone: str
    empty: Empty = "weekly"


@dataclass(frozen=True, slots=True)
class Cron:
    """A digest at the local moments of a crontab rule, `text`, in `timezone`."""

    text: str
    timezone: str
    empty: Empty = "weekly"


Schedule = Immediate | Daily | Every | Cron


def is_cron(rule: str) -> bool:
    """Whether five fields are a crontab rule that comes at least once in fifty years."""
    try:
        cron_times(rule, datetime(2000, 1, 1))  # noqa: DTZ001  # any moment serves
    except (CronSimError, ValueError):  # ValueError: a number of thousands of digits
        return False
    return True


def cron_times(rule: str, start: datetime, *, backwards: bool = False) -> Iterator[datetime]:
    """The local times of a crontab rule after (or before) the naive `start`.

    cronsim reads rules as Debian's cron does; a span of weekdays may end with Sunday here, too: `sat-sun`, `5-0`.
    """
    return CronSim(_TO_SUNDAY.sub(r"\1-7", rule), start, reverse=backwards)


_TO_SUNDAY = re.compile(r"\b([1-6]|mon|tue|wed|thu|fri|sat)-(?:0|sun)\b(?=[^ ]*$)")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begin` to `end` these receivers are not told: local times in `timezone`; an earlier `end` is tomorrow's.

    `days` (0 = Monday) are those on which the quiet begins. Alerts of the severities in `except_for` go through.
    """

    receivers: tuple[str, ...]
    begin: time
    end: time
    days: tuple[int, ...]
    timezone: str
    except_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """Hits of which nobody is told `until` then. All conditions that are given must hold; "" is none.

    `id` is what an operator calls it by; `by` is who wanted it and `reason` why, for those who read the digest.
    `story` is a story's id: all its reports.
    """

    id: str
    until: datetime
    reason: str
    by: str
    topic: str = ""
    source: str = ""
    severity: str = ""
    text: str = ""
    since: datetime | None = None
    story: str = ""
