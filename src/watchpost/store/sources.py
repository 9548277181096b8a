"""Pure: what is stored of one source, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from watchpost.store.keys import MEMORY
from watchpost.store.text_fields import changed_fields, from_fields, keys_of


class SourceState(StrEnum):
    """The state of a source, in the words of pages, API and metrics."""

    NEW = "new"  # not read yet
    OK = "ok"
    FAILING = "failing"
    DEAD = "dead"  # its address has not existed for weeks; tried once a day
    GONE = "gone"  # the server said so (HTTP 410); not asked again until its url is changed
    UNKNOWN = "unknown"  # the store could not be asked


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """The results of the last visits to a source.

    `failures` counts in a row since `failing_since`; `reason` and `detail` are those of the last failure. `ended` is
    "gone", "dead" or "". `next_at` is the time of the next visit, `next_why` the reason for it. COMMIT itself sets
    `last_new`, `entries` and `entries_new`: when a visit last brought something new, how many entries the last one had,
    and how many of them were new.
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
        """Return the status of the source `name` from the fields of its hash."""
        if sentence := fields.get(_SENTENCE):
            at, _, why = sentence.rpartition(" UTC, ")
            fields = {"next_at": f"{at}+00:00", "next_why": why, **fields}
        return from_fields(cls, {**fields, "name": name})

    def changes_since(self, before: SourceStatus) -> dict[str, str]:
        """Return the fields to write to the hash; "" deletes one."""
        return changed_fields(before, self) | {_SENTENCE: ""}

    @property
    def state(self) -> SourceState:
        """The state that the failures amount to."""
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
    """Everything that is stored of one source: what it needs at its next visit (validators), and its status."""

    name: str
    memory: Mapping[str, str] = field(hash=False)
    status: Mapping[str, str] = field(hash=False)


def split_fields(fields: Mapping[bytes, bytes]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the memory and the status that a source's hash holds."""
    texts = {key.decode("utf-8", "replace"): value.decode("utf-8", "replace") for key, value in fields.items()}
    memory = {key.removeprefix(MEMORY): value for key, value in texts.items() if key.startswith(MEMORY)}
    return memory, {key: value for key, value in texts.items() if not key.startswith(MEMORY)}
