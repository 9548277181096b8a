"""Pure: what the store keeps of one source, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

# what the board shows, as values.


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How one source fares. `failures` counts in a row; `reason` and `detail` are the last failure's.

    `state` is "gone" or "dead" for a feed that is not asked any more, or seldom, else "". `failing_since` is when the
    first of the failures was.
    """

    name: str
    failures: int
    reason: str
    detail: str
    last_read: datetime | None
    last_visit: datetime | None
    next_visit: str
    state: str = ""
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """All that is kept of one source: what it wants to find again (validators), and what people see of it."""

    name: str
    memory: Mapping[str, str] = field(hash=False)
    status: Mapping[str, str] = field(hash=False)
