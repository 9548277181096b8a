"""Still: what people look up: deliveries and dead letters, hits and messages of the past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watchpost.model import Hit, Message


@dataclass(frozen=True, slots=True)
class Case:
    """One delivery on file. `state`: queued, retrying, held, unknown, dead, or delivered (then only the id is left).

    `due` is when the next attempt comes, if a time is set. `message` is None where it cannot be read.
    """

    id: str
    receiver: str
    state: str
    digest: str = ""
    attempts: int = 0
    replays: int = 0
    created: datetime | None = None
    due: datetime | None = None
    error: str = ""
    message: Message | None = None

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.message.subject if self.message is not None else ""


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter. `id` is its own; `delivery`, `receiver` are set for deliveries, `about` says what it was."""

    id: str
    kind: str
    reason: str
    detail: str
    at: datetime
    receiver: str = ""
    delivery: str = ""
    group: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """A hit of the history. `mark` is its place: a search can go on before it."""

    mark: str
    hit: Hit


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found; `more` is the mark to go on from, "" if there is nothing further back."""

    hits: tuple[Past, ...]
    more: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery that arrived. `message` is None where it was too large to be kept, or cannot be read."""

    id: str
    receiver: str
    digest: str
    created: datetime
    sent: datetime
    attempts: int
    message: Message | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is parked for a group: how many hits, since when, and the first of them."""

    count: int
    opened: datetime | None
    hits: tuple[Hit, ...]
