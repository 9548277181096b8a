"""Still: when a receiver is told: at once, or by digests at moments that every machine computes alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from typing import Literal

Empty = Literal["always", "weekly", "never"]
"""Whether a digest is sent of which nothing is to be told."""


@dataclass(frozen=True, slots=True)
class Immediate:
    """Tell at once: `group_wait` after the first hit of a group, everything that came meanwhile in one go."""

    group_wait: timedelta


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
    """A digest at the local moments of a crontab rule, `text`, in `timezone`. Weekdays count from 0 = Monday.

    Empty `days` (of the month) and `weekdays` mean any; if both are given, one that fits is enough.
    """

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    timezone: str
    empty: Empty = "weekly"


Schedule = Immediate | Daily | Every | Cron
