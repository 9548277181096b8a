"""Still: what the board shows, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How one source fares. `failures` counts in a row; `reason` and `detail` are the last failure's."""

    name: str
    failures: int
    reason: str
    detail: str
    last_read: datetime | None
    last_visit: datetime | None
    next_visit: str


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """All that is kept of one source: what it wants to find again (validators), and what people see of it."""

    name: str
    memory: Mapping[str, str] = field(hash=False)
    status: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Depths:
    """How much waits where."""

    articles: int
    parked: int
    outbox: dict[str, int]
    retry: int
    dead: int
