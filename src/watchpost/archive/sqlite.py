"""The archive in SQLite: one file a month in a directory, with an FTS5 index of words.

The index holds for each word the articles that have it, not its places (`detail=none`), and no text
(https://www.sqlite.org/fts5.html#external_content_and_contentless_tables). Its tokenizer `ascii` ends a word only at
ASCII characters that are no letters and digits: it finds exactly the words that `index_text` separates by spaces.

Writers lock one another for a transaction; readers wait for nobody (https://www.sqlite.org/wal.html).
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from watchpost.archive.archive import ALWAYS, HOUR_MS, ArchivedArticle, ArchiveState, Mark, ReadBetween, months_before
from watchpost.archive.packing import FiledArticle, by_month
from watchpost.errors import ArchiveError
from watchpost.query.prefilter import AllOf, IndexWord, Prefilter

_VERSION = 1
_SCHEMA = f"""
CREATE TABLE article (
  id INTEGER PRIMARY KEY, key INTEGER NOT NULL UNIQUE, fetched INTEGER NOT NULL, packed BLOB NOT NULL
);
CREATE TABLE hour (hour INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(text, content='', detail=none, columnsize=0, tokenize='ascii');

PRAGMA user_version = {_VERSION};
"""
_BUSY_SECONDS = 10.0
_CACHE_KIB = 8192
_MONTH = "[0-9][0-9][0-9][0-9]-[0-9][0-9]"
_KEYS_AT_ONCE = 500
_SUFFIXES = ("", "-wal", "-shm")


class SqliteArchive:
    """An archive of files in `directory`, which is made with the first article. See Archive."""

    def __init__(self, directory: Path) -> None:
        self.name = str(directory)
        self._directory = directory
        self._writer: tuple[str, sqlite3.Connection] | None = None  # of the month that is written at present
        self._lock = threading.Lock()

    def add(self, articles: Sequence[FiledArticle]) -> int:
        """See Archive. Each month is a transaction, which is on the disk when it ends."""
        new = 0
        with self._lock:
            for month, of_month in sorted(by_month(articles).items()):
                with self._errors(self._file(month)):
                    new += self._add(self._connection(month), of_month)
        return new

    def newest_first(
        self, expression: Prefilter | None, between: ReadBetween = ALWAYS, before: Mark | None = None
    ) -> Iterator[ArchivedArticle]:
        """See Archive."""
        for month in reversed(self._months()):
            if between.has_month(month) and (before is None or month <= before.month):
                below = before.number if before is not None and before.month == month else 2**62
                yield from self._of_month(month, expression, between, below)

    def count(self, between: ReadBetween = ALWAYS) -> int:
        """See Archive. Only the articles of the first and the last hour are looked at."""
        total = 0
        for month in self._months():
            if not between.has_month(month):
                continue
            with self._reader(month) as connection:
                if connection is None:
                    continue
                hours = (between.begin_ms // HOUR_MS, (between.end_ms - 1) // HOUR_MS)
                numbers = connection.execute(
                    "SELECT min(first), max(last) FROM hour WHERE hour BETWEEN ? AND ?", hours
                ).fetchone()
                if numbers[0] is None:
                    continue
                total += numbers[1] - numbers[0] + 1
                (outside,) = connection.execute(
                    "SELECT count(*) FROM hour JOIN article ON id BETWEEN max(first, ?) AND min(last, ?) "
                    "AND fetched / ? = hour WHERE hour IN (?, ?) AND fetched NOT BETWEEN ? AND ?",
                    (*numbers, HOUR_MS, *hours, between.begin_ms, between.end_ms - 1),
                ).fetchone()
                total -= outside
        return total

    def prune(self, before: datetime) -> int:
        """See Archive."""
        gone = months_before(self._months(), before)
        with self._lock:
            for month in gone:
                self._close_writer(month)
                for suffix in _SUFFIXES:
                    with self._errors(self._file(month)):
                        Path(f"{self._file(month)}{suffix}").unlink(missing_ok=True)
        return len(gone)

    def state(self) -> ArchiveState:
        """See Archive."""
        articles = size = 0
        moments: list[int] = []
        for month in self._months():
            with self._reader(month) as connection:
                if connection is None:
                    continue
                # Numbers begin at 1, and none is left out or removed.
                articles += connection.execute("SELECT coalesce(max(id), 0) FROM article").fetchone()[0]
                hours = connection.execute("SELECT min(hour), max(hour) FROM hour").fetchone()
                for (ms,) in connection.execute(
                    "SELECT fetched FROM article WHERE id IN (SELECT first FROM hour WHERE hour = ?1 UNION "
                    "SELECT last FROM hour WHERE hour = ?2)",
                    hours,
                ):
                    moments.append(ms)
            with self._errors(self._file(month)):
                files = (Path(f"{self._file(month)}{suffix}") for suffix in _SUFFIXES)
                size += sum(file.stat().st_size for file in files if file.exists())
        oldest, newest = (
            (datetime.fromtimestamp(ms / 1000, UTC) for ms in (min(moments), max(moments))) if moments else (None, None)
        )
        return ArchiveState(articles, size, oldest, newest)

    def close(self) -> None:
        """See Archive."""
        with self._lock:
            self._close_writer()

    def _of_month(
        self, month: str, expression: Prefilter | None, between: ReadBetween, below: int
    ) -> Iterator[ArchivedArticle]:
        with self._reader(month) as connection:
            if connection is None:
                return
            hours = (between.begin_ms // HOUR_MS, (between.end_ms - 1) // HOUR_MS)
            first, last = connection.execute(
                "SELECT min(first), max(last) FROM hour WHERE hour BETWEEN ? AND ?", hours
            ).fetchone()
            if first is None:
                return
            last = min(last, below - 1)
            if expression is None:
                rows = connection.execute(
                    "SELECT id, fetched, packed FROM article WHERE id BETWEEN ? AND ? ORDER BY id DESC", (first, last)
                )
            else:
                rows = connection.execute(
                    "SELECT id, fetched, packed FROM words CROSS JOIN article ON id = words.rowid "
                    "WHERE words MATCH ? AND words.rowid BETWEEN ? AND ? ORDER BY words.rowid DESC",
                    (match_expression(expression), first, last),
                )
            for number, fetched_ms, packed in rows:
                if between.has(fetched_ms):
                    yield ArchivedArticle(Mark(month, number), fetched_ms, packed)

    @staticmethod
    def _add(connection: sqlite3.Connection, articles: Sequence[FiledArticle]) -> int:
        connection.execute("BEGIN IMMEDIATE")
        try:
            known: set[int] = set()
            for at in range(0, len(articles), _KEYS_AT_ONCE):
                keys = [article.key for article in articles[at : at + _KEYS_AT_ONCE]]
                marks = ",".join("?" * len(keys))
                known.update(
                    key
                    for (key,) in connection.execute(f"SELECT key FROM article WHERE key IN ({marks})", keys)  # noqa: S608
                )
            first = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM article").fetchone()[0]
            new = list(enumerate((article for article in articles if article.key not in known), first))
            connection.executemany(
                "INSERT INTO article VALUES (?, ?, ?, ?)",
                [(number, article.key, article.fetched_ms, article.packed) for number, article in new],
            )
            connection.executemany(
                "INSERT INTO words(rowid, text) VALUES (?, ?)", [(number, article.words) for number, article in new]
            )
            connection.executemany(
                "INSERT INTO hour VALUES (?1, ?2, ?2) "
                "ON CONFLICT (hour) DO UPDATE SET first = min(first, ?2), last = max(last, ?2)",
                [(article.fetched_ms // HOUR_MS, number) for number, article in new],
            )
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return len(new)

    def _connection(self, month: str) -> sqlite3.Connection:
        """The connection that writes a month. Only one is open at a time: articles come in order of time."""
        if self._writer is not None and self._writer[0] == month and self._file(month).exists():
            return self._writer[1]
        self._close_writer()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._file(month), timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = wal")
            connection.execute("PRAGMA synchronous = full")  # Redis forgets an article when it is here
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute("BEGIN IMMEDIATE")
            if self._version(connection, month) == 0:
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    connection.execute(statement)
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        self._writer = (month, connection)
        return connection

    def _close_writer(self, month: str = "") -> None:
        if self._writer is not None and month in ("", self._writer[0]):
            self._writer[1].close()
            self._writer = None

    @contextmanager
    def _reader(self, month: str) -> Iterator[sqlite3.Connection | None]:
        """A connection that reads a month; None if it was dropped meanwhile, or has no article yet."""
        file = self._file(month)
        with self._errors(file):
            address = f"{file.absolute().as_uri()}?mode=ro"
            try:
                opened = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, check_same_thread=False)
            except sqlite3.OperationalError:
                if file.exists():
                    raise
                yield None
                return
            with closing(opened) as connection:
                yield connection if self._version(connection, month) else None

    def _version(self, connection: sqlite3.Connection, month: str) -> int:
        found: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > _VERSION:
            raise ArchiveError(f"{self._file(month)} was written by a later version of watchpost; update watchpost")
        return found

    def _months(self) -> list[str]:
        with self._errors(self._directory):
            return [file.stem for file in months_in(self._directory)]

    def _file(self, month: str) -> Path:
        return self._directory / f"{month}.db"

    @contextmanager
    def _errors(self, file: Path) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:  # no room, no rights, locked: it may pass
            raise ArchiveError(f"the archive {file}: {error}") from error
        except sqlite3.DatabaseError as error:
            cure = "it is damaged; move it away, and a new one is begun"
            raise ArchiveError(f"the archive {file}: {error}; {cure}") from error
        except OSError as error:
            raise ArchiveError(f"the archive {file}: {error.strerror or error}") from error


@contextmanager
def copy_of(file: Path) -> Iterator[IO[bytes]]:
    """A copy of one month as it is at one moment, while others write it (https://www.sqlite.org/backup.html).

    It takes as much room beside the file as the month has, and is gone afterwards. Raises ArchiveError.
    """
    scratch = file.with_name(f".{file.name}.{os.getpid()}.copy")
    address = f"{file.absolute().as_uri()}?mode=ro"
    try:
        try:
            with (
                closing(sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS)) as source,
                closing(sqlite3.connect(scratch)) as target,
            ):
                source.backup(target)
            opened = scratch.open("rb")
        except (sqlite3.Error, OSError) as error:
            raise ArchiveError(f"the archive {file} cannot be copied: {error}") from error
        with opened:
            yield opened
    finally:
        _delete(scratch)


def _delete(scratch: Path) -> None:
    for suffix in _SUFFIXES:
        Path(f"{scratch}{suffix}").unlink(missing_ok=True)


def months_in(directory: Path) -> list[Path]:
    """The files of the archive in this directory, the oldest first."""
    return sorted(directory.glob(f"{_MONTH}.db"))


def match_expression(expression: Prefilter) -> str:
    """The expression as FTS5 reads it (https://www.sqlite.org/fts5.html#full_text_query_syntax)."""
    match expression:
        case IndexWord(text=text, prefix=prefix):
            return f'"{text}"{" *" if prefix else ""}'
        case _:
            operator = " AND " if isinstance(expression, AllOf) else " OR "
            return f"({operator.join(map(match_expression, expression.parts))})"
