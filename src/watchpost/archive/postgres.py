"""The archive in PostgreSQL, which several machines may share: one table a month, with a GIN index of words.

The words of an article are the lexemes of a tsvector, without positions; no parser or dictionary of PostgreSQL touches
them (https://www.postgresql.org/docs/current/textsearch-controls.html). Writers take turns, so that a later article has
a larger number; readers wait for nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from watchpost.archive.archive import ALWAYS, ArchivedArticle, ArchiveState, Mark, ReadBetween, months_before
from watchpost.archive.packing import FiledArticle, by_month
from watchpost.errors import ArchiveError
from watchpost.query.prefilter import AllOf, IndexWord, Prefilter

_CREATE = """
CREATE TABLE IF NOT EXISTS {table} (
  id bigint PRIMARY KEY, key bigint NOT NULL UNIQUE, fetched bigint NOT NULL, packed bytea NOT NULL, words tsvector
);
CREATE INDEX IF NOT EXISTS {words} ON {table} USING gin (words);
CREATE INDEX IF NOT EXISTS {fetched} ON {table} (fetched);
CREATE INDEX IF NOT EXISTS {unindexed} ON {table} (id) WHERE words IS NULL;
"""
_TABLE = "watchpost_archive_"
_LOCK = 0x77617463_68706F73  # "watchpos": of the writers of this database
_PAGE = 200
_MOST_BYTES = 500_000  # of the words of an article; a tsvector has a megabyte at most, with its own bookkeeping
_CONNECT_SECONDS = 10


class PostgresArchive:
    """An archive in the database at `url` (postgresql://…). See Archive."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.name = _shown(url)
        self._writer: psycopg.Connection[Any] | None = None
        self._lock = threading.Lock()

    def add(self, articles: Sequence[FiledArticle]) -> int:
        """See Archive."""
        new = 0
        with self._lock, self._errors():
            for month, of_month in sorted(by_month(articles).items()):
                with self._connected() as connection, connection.transaction():
                    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                    new += self._add(connection, month, of_month)
        return new

    def newest_first(
        self, expression: Prefilter | None, between: ReadBetween = ALWAYS, before: Mark | None = None
    ) -> Iterator[ArchivedArticle]:
        """See Archive."""
        with self._reader() as connection:
            for month in reversed(self._months(connection)):
                if between.has_month(month) and (before is None or month <= before.month):
                    below = before.number if before is not None and before.month == month else 2**62
                    yield from self._of_month(connection, month, expression, between, below)

    def count(self, between: ReadBetween = ALWAYS) -> int:
        """See Archive."""
        total = 0
        with self._reader() as connection:
            for month in self._months(connection):
                if between.has_month(month):
                    statement = sql.SQL("SELECT count(*) FROM {} WHERE fetched >= %s AND fetched < %s")
                    row = connection.execute(statement.format(_table(month)), (between.begin_ms, between.end_ms))
                    total += int(_only(row))
        return total

    def prune(self, before: datetime) -> int:
        """See Archive."""
        with self._reader() as connection:
            gone = months_before(self._months(connection), before)
            for month in gone:
                connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_table(month)))
        return len(gone)

    def state(self) -> ArchiveState:
        """See Archive."""
        articles = size = 0
        moments: list[int] = []
        with self._reader() as connection:
            for month in self._months(connection):
                table = _table(month)
                statement = sql.SQL("SELECT coalesce(max(id), 0), min(fetched), max(fetched) FROM {}").format(table)
                number, *ends = connection.execute(statement).fetchone() or (0,)
                articles += number
                moments += [ms for ms in ends if ms is not None]
                size += int(
                    _only(connection.execute("SELECT pg_total_relation_size(%s)", (table.as_string(connection),)))
                )
        oldest, newest = (
            (datetime.fromtimestamp(ms / 1000, UTC) for ms in (min(moments), max(moments))) if moments else (None, None)
        )
        return ArchiveState(articles, size, oldest, newest)

    def close(self) -> None:
        """See Archive."""
        with self._lock:
            self._forget_writer()

    @staticmethod
    def _add(connection: psycopg.Connection[Any], month: str, articles: Sequence[FiledArticle]) -> int:
        table = _table(month)
        names = {name: sql.Identifier(f"{_name(month)}_{name}") for name in ("words", "fetched", "unindexed")}
        connection.execute(sql.SQL(_CREATE).format(table=table, **names))
        keys = [article.key for article in articles]
        rows = connection.execute(sql.SQL("SELECT key FROM {} WHERE key = ANY(%s)").format(table), (keys,)).fetchall()
        known = {key for (key,) in rows}
        first = int(_only(connection.execute(sql.SQL("SELECT coalesce(max(id), 0) + 1 FROM {}").format(table))))
        new = list(enumerate((article for article in articles if article.key not in known), first))
        statement = sql.SQL("INSERT INTO {} VALUES (%s, %s, %s, %s, array_to_tsvector(%s::text[]))").format(table)
        with connection.cursor() as cursor:
            cursor.executemany(
                statement,
                [(number, one.key, one.fetched_ms, one.packed, _lexemes(one.words)) for number, one in new],
            )
        return len(new)

    @staticmethod
    def _of_month(
        connection: psycopg.Connection[Any],
        month: str,
        expression: Prefilter | None,
        between: ReadBetween,
        below: int,
    ) -> Iterator[ArchivedArticle]:
        """A page of rows at a time, so that nothing is held while the reader looks at them."""
        condition = sql.SQL("" if expression is None else " AND (words IS NULL OR words @@ %s::tsquery)")
        statement = sql.SQL(
            "SELECT id, fetched, packed FROM {} WHERE id < %s AND fetched >= %s AND fetched < %s{} "
            "ORDER BY id DESC LIMIT {}"
        ).format(_table(month), condition, sql.Literal(_PAGE))
        wanted = () if expression is None else (text_search(expression),)
        while True:
            try:
                rows = connection.execute(statement, (below, between.begin_ms, between.end_ms, *wanted)).fetchall()
            except psycopg.errors.UndefinedTable:  # it was dropped meanwhile
                return
            for number, fetched_ms, packed in rows:
                yield ArchivedArticle(Mark(month, number), fetched_ms, bytes(packed))
            if len(rows) < _PAGE:
                return
            below = rows[-1][0]

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        """The connection that writes; after an error another one is made."""
        if self._writer is None or self._writer.closed:
            self._writer = self._connect()
        try:
            yield self._writer
        except BaseException:
            self._forget_writer()
            raise

    def _forget_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    @contextmanager
    def _reader(self) -> Iterator[psycopg.Connection[Any]]:
        with self._errors(), self._connect() as connection:
            yield connection

    def _connect(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(
            self._url, autocommit=True, connect_timeout=_CONNECT_SECONDS, application_name="watchpost"
        )
        connection.execute("SET client_min_messages = warning")  # no notices of what exists already
        return connection

    @staticmethod
    def _months(connection: psycopg.Connection[Any]) -> list[str]:
        rows = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename ~ %s",
            (rf"^{_TABLE}\d{{4}}_\d\d$",),
        ).fetchall()
        return sorted(name.removeprefix(_TABLE).replace("_", "-") for (name,) in rows)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            said = " ".join(str(error).split()) or type(error).__name__
            raise ArchiveError(f"the archive {self.name}: {said}") from error


def text_search(expression: Prefilter) -> str:
    """The expression as a tsquery (https://www.postgresql.org/docs/current/datatype-textsearch.html)."""
    match expression:
        case IndexWord(text=text, prefix=prefix):
            quoted = text.replace("\\", "\\\\").replace("'", "''")
            return f"'{quoted}'{':*' if prefix else ''}"
        case _:
            operator = " & " if isinstance(expression, AllOf) else " | "
            return f"({operator.join(map(text_search, expression.parts))})"


def _lexemes(words: str) -> list[str] | None:
    """The words, each once; None for more than a tsvector can hold: then the query decides about the article."""
    lexemes = sorted(set(filter(None, words.split(" "))))
    return lexemes if sum(len(word.encode()) + 8 for word in lexemes) <= _MOST_BYTES else None


def _name(month: str) -> str:
    return f"{_TABLE}{month.replace('-', '_')}"


def _table(month: str) -> sql.Identifier:
    return sql.Identifier(_name(month))


def _only(cursor: psycopg.Cursor[Any]) -> Any:
    row = cursor.fetchone()
    return row[0] if row is not None else 0


def _shown(url: str) -> str:
    """Host and database, without user and password. Raises ArchiveError for an address that cannot be read."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ArchiveError("WATCHPOST_ARCHIVE_URL cannot be read; write postgresql://user@host/database") from None
    return f"postgresql://{parts.get('host', '')}/{parts.get('dbname', '')}"
