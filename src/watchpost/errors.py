"""Every error that watchpost raises on purpose, drawn as one tree.

WatchpostError                what a person can mend; the message says how
├── ConfigError               the operator's YAML or environment (exit 2)
├── QueryError                a topic's query, with a column (exit 2)
├── NotFound                  no feed, receiver, topic, message … of that name
├── FormError                 what a person wrote into fields, with a sentence for each wrong one (exit 2)
├── StoreError                Redis as watchpost needs it
│   ├── StoreUnreachable      nobody answers (exit 4)
│   ├── StoreUnfit            answers, but too old, evicting, read-only … (exit 4)
│   └── StoreBusy             full or loading: wait and try again
├── CodecError                bytes that this version does not know
└── FetchError                a feed or file that could not be read; carries a short reason
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class WatchpostError(Exception):
    """Something that a person can mend. `str(error)` is one plain sentence for that person."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One mistake in a file: where it stands, what is wrong, and what to write instead.

    line and column count from 1; 0 means "the file as a whole". severity is "error" or "warning".
    """

    file: str
    line: int
    column: int
    path: str
    problem: str
    severity: str = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        subject = f" {self.path}:" if self.path else ":"
        mark = "warning: " if self.severity == "warning" else ""
        return f"{place}{subject} {mark}{self.problem}"


class ConfigError(WatchpostError):
    """The configuration cannot be used. `complaints` holds every mistake found, in file order.

    `files` are those that were read or looked for: a change of one of them may mend it.
    """

    def __init__(self, complaints: tuple[Complaint, ...], files: tuple[Path, ...] = ()) -> None:
        super().__init__("\n".join(str(complaint) for complaint in complaints))
        self.complaints = complaints
        self.files = files


class QueryError(WatchpostError):
    """A query that cannot be read. `column` counts characters from 1; `cure` says what to write."""

    def __init__(self, problem: str, column: int, cure: str = "") -> None:
        super().__init__(f"column {column}: {problem}" + (f"; {cure}" if cure else ""))
        self.problem = problem
        self.column = column
        self.cure = cure


class FormError(WatchpostError):
    """What a person wrote, on a page or the command line, makes no sense. `fields`: of each wrong one what to write."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(fields.values()))
        self.fields = dict(fields)


class NotFound(WatchpostError):
    """There is no thing of that name or id, or no longer."""


class StoreError(WatchpostError):
    """Redis is not there, or not as watchpost needs it."""


class StoreUnreachable(StoreError):
    """No server answers at the configured place."""


class StoreUnfit(StoreError):
    """A server answers, but must not be used as it is; the message says what to change."""


class StoreBusy(StoreError):
    """The server refuses writes for now (out of memory, disk full, loading). Nothing was written."""


class CodecError(WatchpostError):
    """Bytes from Redis that this version cannot read: a newer version wrote them, or they are damaged."""


class FetchError(WatchpostError):
    """A source could not be read. `reason` is one of a small closed set, fit for a metric's label."""

    def __init__(self, reason: str, detail: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
