"""Every error that watchpost raises on purpose, as a tree.

WatchpostError                a person can solve it; the message says how
├── ConfigError               mistakes in the configuration or the environment (exit 2)
├── SecretAbsent              a secret is needed that this process has not got (exit 2)
├── QueryError                a mistake in a topic's query, with its column (exit 2)
├── FormError                 mistakes in the fields of a form or command, a sentence for each (exit 2)
├── NotFound                  no such feed, receiver, topic, message …
├── StoreError                Redis is not available as watchpost needs it
│   ├── StoreUnreachable      no server answers (exit 4)
│   │   └── StoreSilent       the embedded server is running, but does not answer
│   ├── StoreUnfit            a server answers, but is too old, evicts keys, is read-only … (exit 4)
│   └── StoreBusy             the server is full or loading: wait and try again
├── ArchiveError              the archive cannot be read or written
├── CodecError                a record that this version cannot read
└── FetchError                a feed or file cannot be read; carries a short reason
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class WatchpostError(Exception):
    """Something that a person can solve. `str(error)` is a sentence for that person."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One mistake in a file: where it is, what is wrong, and what to write instead.

    `line` and `column` count from 1; 0 means the file as a whole. `severity` is "error" or "warning".
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
    """The configuration cannot be used. `complaints` are all mistakes, in file order.

    `files` were read or missed: a change of one of them may correct the mistakes.
    """

    def __init__(self, complaints: tuple[Complaint, ...], files: tuple[Path, ...] = ()) -> None:
        super().__init__("\n".join(str(complaint) for complaint in complaints))
        self.complaints = complaints
        self.files = files


class SecretAbsent(WatchpostError):
    """A secret is needed that this process has not got: its variable is not set, or its file cannot be read."""


class QueryError(WatchpostError):
    """A query has a mistake. `column` counts characters from 1; `cure` says what to write."""

    def __init__(self, problem: str, column: int, cure: str = "") -> None:
        super().__init__(f"column {column}: {problem}" + (f"; {cure}" if cure else ""))
        self.problem = problem
        self.column = column
        self.cure = cure


class FormError(WatchpostError):
    """What a person filled in has mistakes. `fields` says for each wrong field what to write."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(fields.values()))
        self.fields = dict(fields)


class NotFound(WatchpostError):
    """Nothing has this name or id, or no longer."""


class StoreError(WatchpostError):
    """Redis is not available, or not as watchpost needs it."""


class StoreUnreachable(StoreError):
    """No server answers at the configured address."""


class StoreSilent(StoreUnreachable):
    """A server is running, but does not answer: it hangs, or its process is stopped."""


class StoreEnded(StoreUnreachable):
    """A service runs whose server does not: it is being started, or it ended and cannot be started again."""


class StoreUnfit(StoreError):
    """A server answers, but must not be used as it is configured; the message says what to change."""


class StoreBusy(StoreError):
    """The server refuses writes at present: out of memory, disk full, loading. Nothing was written."""


class ArchiveError(WatchpostError):
    """The archive of articles cannot be read or written: no room, no rights, a damaged file, no server."""


class CodecError(WatchpostError):
    """A record from Redis or the archive that this version cannot read: a newer version wrote it, or it is damaged."""


class FetchError(WatchpostError):
    """A source cannot be read. `reason` is from a small closed set and serves as a metric label."""

    def __init__(self, reason: str, detail: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
