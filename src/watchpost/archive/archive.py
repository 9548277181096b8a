"""Pure: the contract of every archive of articles, and the values that cross it.

An archive is divided by the month in which its articles were read. Its methods block, so they are called in a thread;
any of them may raise ArchiveError. Several processes may use one archive at the same time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from watchpost.archive.packing import FiledArticle, month_of
from watchpost.query.prefilter import Prefilter

HOUR_MS = 3_600_000
_MARK = re.compile(r"(\d{4}-\d{2}):(\d{1,18})")
_FIRST, _LAST = 0, 253_402_300_799_000  # 1970 and the end of 9999


@dataclass(frozen=True, slots=True)
class ReadBetween:
    """When articles were read: from `begin_ms` on and before `end_ms`, ms since 1970."""

    begin_ms: int = _FIRST
    end_ms: int = _LAST

    @classmethod
    def of(cls, begin: datetime | None = None, end: datetime | None = None) -> ReadBetween:
        """The span between two moments; None does not bound it."""
        return cls(
            _FIRST if begin is None else max(_FIRST, int(begin.timestamp() * 1000)),
            _LAST if end is None else min(_LAST, int(end.timestamp() * 1000)),
        )

    def has_month(self, month: str) -> bool:
        """Whether a month, such as 2026-11, has a part in the span."""
        return self.begin_ms < self.end_ms and month_of(self.begin_ms) <= month <= month_of(self.end_ms - 1)

    def has(self, ms: int) -> bool:
        """Whether a moment is in the span."""
        return self.begin_ms <= ms < self.end_ms


ALWAYS = ReadBetween()


@dataclass(frozen=True, slots=True)
class Mark:
    """The position of an article: its month, and its number there. Later articles have larger numbers."""

    month: str
    number: int

    def __str__(self) -> str:
        return f"{self.month}:{self.number}"

    @classmethod
    def read(cls, text: str) -> Mark | None:
        """The mark that `text` writes, or None if it writes none."""
        found = _MARK.fullmatch(text)
        return None if found is None else cls(found[1], int(found[2]))


@dataclass(frozen=True, slots=True)
class ArchivedArticle:
    """A record of the archive: its position, when it was read (ms since 1970), and its bytes (packing.unpack)."""

    mark: Mark
    fetched_ms: int
    packed: bytes


@dataclass(frozen=True, slots=True)
class ArchiveState:
    """What the archive holds: articles, bytes on disk, and when the first and the last of them was read."""

    articles: int
    size_bytes: int
    oldest: datetime | None
    newest: datetime | None


class Archive(Protocol):
    """Where articles are kept for searching. `name` says where that is, without passwords."""

    name: str

    def add(self, articles: Sequence[FiledArticle]) -> int:
        """Keep these articles, all or none; return how many were not there yet. Repeating it changes nothing."""

    def newest_first(
        self, expression: Prefilter | None, between: ReadBetween = ALWAYS, before: Mark | None = None
    ) -> Iterator[ArchivedArticle]:
        """The articles that were read in this time and whose words the expression is true of, the newest first.

        With `before` only those that come after that position in this order. Articles that are added meanwhile may be
        left out.
        """

    def count(self, between: ReadBetween = ALWAYS) -> int:
        """How many articles were read in this time; it may be off by those that were added out of order."""

    def prune(self, before: datetime) -> int:
        """Drop each month that ended before this moment, as a whole; return how many months that were."""

    def state(self) -> ArchiveState:
        """What it holds now."""

    def close(self) -> None:
        """Close files and connections. The archive opens them again when it is used again."""


def months_before(months: Sequence[str], moment: datetime) -> list[str]:
    """Those of the months that ended before this moment."""
    return [month for month in months if month < moment.astimezone(UTC).strftime("%Y-%m")]
