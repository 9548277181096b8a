"""How others would do it: a regular expression per term, batches into SQLite's FTS5, queries stored in PostgreSQL.

They get the trees of our parser and the words of our folding, which none of them does for all these scripts; both
databases see the characters of Chinese as words. What each cannot say is left out: it then finds more than we do.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import pwd
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Self

from watchpost.query.operators import Near
from watchpost.query.terms import Leaf
from watchpost.query.tree import And, Node, Not, Or, Query
from watchpost.query.words import WordPattern, folded_words

Fields = Mapping[str, str]


def folded(fields: Fields) -> str:
    """Title and body, as folded words with spaces between."""
    return " ".join((*folded_words(fields["title"]), ";", *folded_words(fields["body"])))


class NaiveRe:
    """What a first version does: re.search for every term of every query, on the folded text."""

    def __init__(self, queries: Mapping[str, Query]) -> None:
        self._patterns: dict[str, re.Pattern[str]] = {}
        self._tests = {name: self._test(query.root) for name, query in queries.items()}

    def match(self, articles: Sequence[Fields]) -> list[set[str]]:
        """The names of the queries that match, by article."""
        texts = map(folded, articles)
        return [{name for name, test in self._tests.items() if test(text)} for text in texts]

    def _test(self, node: Node) -> Callable[[str], bool]:
        match node:
            case Leaf():
                search = self._compiled(rf"\b{_pattern(node.patterns)}").search
                return lambda text: search(text) is not None
            case And(parts=parts):
                tests = [self._test(part) for part in parts]
                return lambda text: all(test(text) for test in tests)
            case Or(parts=parts):
                tests = [self._test(part) for part in parts]
                return lambda text: any(test(text) for test in tests)
            case Not(part=part):
                positive = self._test(part)
                return lambda text: not positive(text)
            case Near():
                left, right = ("|".join(_pattern(leaf.patterns) for leaf in _leaves(side)) for side in node.children)
                gap = rf"(?: \w+){{0,{node.words}}} "
                search = self._compiled(rf"\b(?:(?:{left}){gap}(?:{right})|(?:{right}){gap}(?:{left}))").search
                return lambda text: search(text) is not None
        raise TypeError(type(node).__name__)

    def _compiled(self, pattern: str) -> re.Pattern[str]:
        if pattern not in self._patterns:
            self._patterns[pattern] = re.compile(pattern)
        return self._patterns[pattern]


class Fts5:
    """Articles in batches into an index in memory, then every query against the batch."""

    def __init__(self, queries: Mapping[str, Query]) -> None:
        self._queries = {name: _fts5(query.root) for name, query in queries.items()}

    def match(self, articles: Sequence[Fields]) -> list[set[str]]:
        """The names of the queries that match, by article."""
        found: list[set[str]] = [set() for _ in articles]
        with contextlib.closing(sqlite3.connect(":memory:")) as database:
            database.execute("CREATE VIRTUAL TABLE a USING fts5(t, tokenize='unicode61 remove_diacritics 0')")
            texts = [(number, folded(article)) for number, article in enumerate(articles)]
            database.executemany("INSERT INTO a(rowid, t) VALUES (?, ?)", texts)
            for name, query in self._queries.items():
                for (number,) in database.execute("SELECT rowid FROM a WHERE a MATCH ?", (query,)):
                    found[number].add(name)
        return found


class Postgres:
    """Queries stored as tsquery, asked one article at a time over a socket. NEAR is AND there."""

    def __init__(self, queries: Mapping[str, Query], server: PostgresServer) -> None:
        self._server = server
        self._names = list(queries)
        server.ask("SET client_min_messages = warning; DROP TABLE IF EXISTS q; CREATE TABLE q (id int, q tsquery);")
        rows = [f"({number}, {_sql(_tsquery(query.root))}::tsquery)" for number, query in enumerate(queries.values())]
        for place in range(0, len(rows), 500):
            server.ask(f"INSERT INTO q VALUES {','.join(rows[place : place + 500])};")
        server.ask("ANALYZE q;")

    def match(self, articles: Sequence[Fields]) -> list[set[str]]:
        """The names of the queries that match, by article."""
        found = []
        for article in articles:
            vector = f"to_tsvector('simple', {_sql(folded(article))})"
            answer = self._server.ask(f"SELECT string_agg(id::text, ',') FROM q, {vector} d WHERE d @@ q;")
            found.append({self._names[int(number)] for number in answer.split(",") if number})
        return found


class PostgresServer:
    """A server of its own in an empty directory, owned by somebody who is not root; psql speaks to it."""

    def __init__(self, psql: subprocess.Popen[str]) -> None:
        self._psql = psql

    @classmethod
    @contextlib.contextmanager
    def running(cls) -> Iterator[Self]:
        """Start it, stop it. Raises FileNotFoundError if PostgreSQL is not installed."""
        tools = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path(shutil.which("initdb") or "").parent]
        tool = tools[-1]
        if not (tool / "initdb").exists():
            raise FileNotFoundError("no initdb: install the package postgresql")
        owner = "nobody" if getpass.getuser() == "root" else getpass.getuser()
        with tempfile.TemporaryDirectory(prefix="wp-") as name:
            root = Path(name)
            shutil.chown(root, owner)
            data = root / "data"
            group = pwd.getpwnam(owner).pw_gid

            def run(*words: str | Path) -> None:
                with (root / "log").open("ab") as log:
                    subprocess.run(words, user=owner, group=group, cwd=root, stdout=log, stderr=log, check=True)

            run(tool / "initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
            run(tool / "pg_ctl", "-D", data, "-w", "-o", f"-c listen_addresses='' -k {root} -F", "start")
            try:
                words = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-h", name, "-U", "bench", "postgres"]
                pipe = subprocess.PIPE
                with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, bufsize=1, encoding="utf-8") as psql:
                    yield cls(psql)
                    if psql.stdin is not None:
                        psql.stdin.close()
            finally:
                run(tool / "pg_ctl", "-D", data, "-m", "immediate", "stop")

    def cpu(self) -> float:
        """Seconds of the processor that the process behind this connection has used."""
        pid = self.ask("SELECT pg_backend_pid();")
        words = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def ask(self, statement: str) -> str:
        """The only line of its answer, or "" if there is none."""
        if self._psql.stdin is None or self._psql.stdout is None:
            raise RuntimeError("psql has no pipes")
        self._psql.stdin.write(f"{statement}\n\\echo end\n")
        self._psql.stdin.flush()
        lines: list[str] = []
        while (line := self._psql.stdout.readline()) != "end\n":
            if not line:
                raise RuntimeError("psql has ended")
            lines.append(line.rstrip("\n"))
        return "".join(lines)


def _leaves(node: Node) -> Iterator[Leaf]:
    if isinstance(node, Leaf):
        yield node
    for child in node.children:
        yield from _leaves(child)


def _pattern(patterns: Sequence[WordPattern]) -> str:
    words = " ".join(re.escape(pattern.folded) for pattern in patterns)
    return words if patterns[-1].prefix else rf"{words}\b"


def _fts5(node: Node) -> str:
    match node:
        case Leaf():
            return f'"{_words(node)}"{"*" * node.patterns[-1].prefix}'
        case And(parts=parts):
            positive = " AND ".join(_fts5(part) for part in parts if not isinstance(part, Not))
            return f"({positive}){''.join(f' NOT {_fts5(part.part)}' for part in parts if isinstance(part, Not))}"
        case Or(parts=parts):
            return f"({' OR '.join(map(_fts5, parts))})"
        case Near():
            pairs = product(_leaves(node.left), _leaves(node.right))
            near = (f"NEAR({_fts5(left)} {_fts5(right)}, {node.words})" for left, right in pairs)
            return f"({' OR '.join(near)})"
    raise TypeError(type(node).__name__)


def _tsquery(node: Node) -> str:
    match node:
        case Leaf():
            return "(" + " <-> ".join(f"'{pattern.folded}'{':*' * pattern.prefix}" for pattern in node.patterns) + ")"
        case And() | Near():
            return f"({' & '.join(map(_tsquery, node.children))})"
        case Or(parts=parts):
            return f"({' | '.join(map(_tsquery, parts))})"
        case Not(part=part):
            return f"!{_tsquery(part)}"
    raise TypeError(type(node).__name__)


def _words(leaf: Leaf) -> str:
    return " ".join(pattern.folded for pattern in leaf.patterns)


def _sql(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
