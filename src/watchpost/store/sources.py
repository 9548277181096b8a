"""Pure: what the store keeps of one source, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from watchpost.store.text_fields import changed_fields, from_fields, keys_of


class SourceState(StrEnum):
    """How a source is doing, in the words of pages, API and metrics."""

    NEW = "new"  # not read yet
    OK = "ok"
    FAILING = "failing"
    DEAD = "dead"  # its address has not existed for weeks; tried once a day
    GONE = "gone"  # the server said so (HTTP 410); not asked again until its url is changed
    UNKNOWN = "unknown"  # the store could not be asked


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """What the last visits to a source came to.

    `failures` counts in a row since `failing_since`; `reason` and `detail` are the last failure's. `ended` is "gone" or
    "dead", else "". `next_at` and `next_why` are the next visit and why it is then. COMMIT itself sets `last_new`,
    `entries` and `entries_new`: when a visit last brought news, how many entries the last one had, how many were new.
    """

    KEYS: ClassVar = {"ended": "state"}

    name: str
    outcome: str = ""
    failures: int = 0
    failing_since: datetime | None = None
    ended: str = ""
    reason: str = ""
    detail: str = ""
    last_visit: datetime | None = None
    last_read: datetime | None = None
    next_at: datetime | None = None
    next_why: str = ""
    last_new: datetime | None = None
    entries: int = 0
    entries_new: int = 0

    @classmethod
    def decode(cls, name: str, fields: Mapping[str, str]) -> SourceStatus:
        """The status of the source `name` from the fields of its hash."""
        if sentence := fields.get(_SENTENCE):
            at, _, why = sentence.rpartition(" UTC, ")
            fields = {"next_at": f"{at}+00:00", "next_why": why, **fields}
        return from_fields(cls, {**fields, "name": name})

    def changes_since(self, before: SourceStatus) -> dict[str, str]:
        """The fields to write to the hash; "" deletes one."""
        return changed_fields(before, self) | {_SENTENCE: ""}

    @property
    def state(self) -> SourceState:
        """How the source is doing."""
        if not self.failures:
            return SourceState.OK if self.last_read is not None else SourceState.NEW
        if self.ended == "dead":
            return SourceState.DEAD
        return SourceState.GONE if "gone" in (self.ended, self.reason) else SourceState.FAILING


# Version 0.1.0 kept the next visit as "2026-11-23 12:10:00 UTC, every 10 minutes". Each visit replaces it.
_SENTENCE = "next_visit"
STATUS_FIELDS = (*keys_of(SourceStatus), _SENTENCE)


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """All that is kept of one source: what it needs at its next visit (validators), and what people see of it."""

    name: str
    memory: Mapping[str, str] = field(hash=False)
    status: Mapping[str, str] = field(hash=False)
