"""Pure: when a receiver is sent hits (as alerts, or in digests at set times), quiet hours, and silences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from cronsim import CronSim, CronSimError

Empty = Literal["always", "weekly", "never"]
"""Whether a digest without stories is sent."""

GROUP_INTERVAL = timedelta(minutes=15)
REPEAT_INTERVAL = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Immediate:
    """Alerts: `group_wait` after the first hit of a group, with all hits that came meanwhile.

    Changes of a story follow in one update, `group_interval` after the last message about it. A story without changes
    that still has hits is sent again after `repeat_interval`. A story waits until it has so many independent `voices`.
    """

    group_wait: timedelta
    group_interval: timedelta = GROUP_INTERVAL
    repeat_interval: timedelta = REPEAT_INTERVAL
    voices: int = 1


@dataclass(frozen=True, slots=True)
class Daily:
    """A digest at local times `at` on `days` (0 = Monday … 6 = Sunday) in `timezone` (IANA name).

    A story waits for a later digest until it has so many independent `voices`; so it does in the other kinds of digest.
    """

    at: tuple[time, ...]
    days: tuple[int, ...]
    timezone: str
    empty: Empty = "weekly"
    voices: int = 1


@dataclass(frozen=True, slots=True)
class Every:
    """A digest each `interval`, counted from the epoch, so that all machines agree on the times."""

    interval: timedelta
    timezone: str
    empty: Empty = "weekly"
    voices: int = 1


@dataclass(frozen=True, slots=True)
class Cron:
    """A digest at the local times of a crontab rule, `text`, in `timezone`."""

    text: str
    timezone: str
    empty: Empty = "weekly"
    voices: int = 1


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
    """Local times in `timezone` at which `receivers` are sent nothing; an `end` before `begin` is tomorrow's.

    `days` (0 = Monday) are those on which they begin. Alerts of the severities in `except_for` are sent all the same.
    """

    receivers: tuple[str, ...]
    begin: time
    end: time
    days: tuple[int, ...]
    timezone: str
    except_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """Hits that are not sent until a date. All conditions must be true; "" is no condition.

    `by` and `reason` say who wants it and why, for readers of the digest. `story` is a story's id: all its reports.
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
