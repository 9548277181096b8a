"""Still: what the board shows, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


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


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that works, as it says itself; `name` holds its role, its machine and its process id.

    `paused`: why it reads no sources for now: "disk", "backlog", "store"; "" if nothing keeps it.
    """

    name: str
    role: str
    version: str
    paused: str = ""


@dataclass(frozen=True, slots=True)
class Depths:
    """How much waits where. `dead` is all that was given up, `dead_of` the same by the queue that it was in."""

    articles: int
    parked: int
    outbox: dict[str, int]
    retry: int
    dead: int
    pushed: int = 0
    dead_of: Mapping[str, int] = field(default_factory=dict, hash=False)

    def by_queue(self) -> dict[str, int]:
        """The depths by the name of the queue: pushed, articles, parked, retry, and outbox:RECEIVER."""
        outbox = {f"outbox:{name}": depth for name, depth in self.outbox.items()}
        return {"pushed": self.pushed, "articles": self.articles, "parked": self.parked, "retry": self.retry, **outbox}


@dataclass(frozen=True, slots=True)
class ReceiverState:
    """How a receiver fares: what happened since something last arrived. The default: all is well.

    `failures` in a row; `trips`: how often the breaker opened in a row; `till`: nothing goes before that, for the
    reason `why` ("rate_limited …"); `failing`: the first failure since something arrived, `early` how many there
    were within its first day; `disabled`: since then a person must act. `version` counts the changes.
    """

    failures: int = 0
    trips: int = 0
    till: datetime | None = None
    failing: datetime | None = None
    early: int = 0
    disabled: datetime | None = None
    why: str = ""
    version: int = 0

    @property
    def well(self) -> bool:
        """Nothing went wrong since something last arrived."""
        return not self.failures and self.till is None and self.disabled is None

    def word(self, now: datetime) -> str:
        """One word for people: ok, failing, paused, open (the breaker), trial, or disabled."""
        if self.disabled is not None:
            return "disabled"
        if self.till is not None and self.till > now:
            return "open" if self.trips else "paused"
        if self.trips:
            return "trial"
        return "failing" if self.failures else "ok"
