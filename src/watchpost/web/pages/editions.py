"""Still: the page Editions: what was sent, and what comes next, to whom and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchpost.model import Group, Hit, derive_id
from watchpost.wire.records import Sent


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A group of one receiver: its schedule in words, when it is told next (None: nothing is due), what is parked.

    `id` stands in the address of its page.
    """

    id: str
    receiver: str
    schedule: str
    next: datetime | None
    parked: int
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one digest that arrived at one receiver one after the other: the newest, and how many they are."""

    last: Sent
    count: int


def batches(sent: Sequence[Sent]) -> list[Batch]:
    """What arrived, the newest first, a line for each digest and receiver."""
    found: list[Batch] = []
    for one in sent:
        before = found[-1].last if found else None
        if before is not None and one.digest and (before.digest, before.receiver) == (one.digest, one.receiver):
            found[-1] = Batch(before, found[-1].count + 1)
        else:
            found.append(Batch(one, 1))
    return found


def id_of(group: Group) -> str:
    """A group's name in addresses: its key holds blanks, commas and slashes."""
    return derive_id("group", group.key)[:16]


def view(upcoming: Sequence[Upcoming], sent: Sequence[Sent]) -> dict[str, Any]:
    """What the template shows."""
    return {"active": "editions", "upcoming": upcoming, "sent": batches(sent)}
