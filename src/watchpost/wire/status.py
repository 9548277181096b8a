"""Still: what the board shows, as values."""

from __future__ import annotations

from dataclasses import dataclass
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
class Depths:
    """How much waits where."""

    articles: int
    parked: int
    outbox: dict[str, int]
    retry: int
    dead: int
