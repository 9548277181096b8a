"""Lucene Monitor as a peer of the matching benchmark: lucene/MonitorPeer.java, in a process of its own.

Lucene gets title, line end and body in one field. Its analyzer takes letters without case and accents, as ours does for
Latin letters; other alphabets are only lower-cased, which is less work than ours. `make lucene` compiles it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from watchpost.query.operators import Near
from watchpost.query.terms import Leaf, Prefix
from watchpost.query.tree import And, Node, Not, Or, Query

Fields = Mapping[str, str]
PLACE = Path(sys.prefix) / "lucene"
_HEAP = "-Xmx3g"


def missing() -> str:
    """Why it cannot run here, in a sentence; "" if it can."""
    if not (PLACE / "classpath").exists():
        return "Lucene Monitor was left out: `make lucene` compiles it out of Debian's packages"
    return "" if shutil.which("java") else "Lucene Monitor was left out: there is no java"


class LuceneMonitor:
    """One Monitor with these queries. `cpu` are the seconds of the processor that matching took, in all threads."""

    def __init__(self, queries: Mapping[str, Query], sample: Sequence[Fields], *, tuned: bool, evidence: bool) -> None:
        """`tuned`: its presearcher uses how rare terms are in `sample`. `evidence`: it tells the places, too."""
        self.cpu = 0.0
        self._names = list(queries)
        self._command = "evidence" if evidence else "names"
        classpath = (PLACE / "classpath").read_text("utf-8").strip()
        words = ["java", _HEAP, "-XX:+UseSerialGC", "-cp", classpath, "MonitorPeer", "tuned" if tuned else "default"]
        pipe = subprocess.PIPE
        self._java = subprocess.Popen(
            [*words, str(len(queries)), str(len(sample))], stdin=pipe, stdout=pipe, text=True, encoding="utf-8"
        )
        for number, query in enumerate(queries.values()):
            self._write("\t".join((str(number), *_tokens(query.root))))
        for article in sample:
            self._write(_line(article))
        if self._read() != "ready":
            raise RuntimeError("Lucene Monitor did not start")

    def match(self, articles: Sequence[Fields]) -> list[set[str]]:
        """The names of the queries that match, by article."""
        self._write(f"{self._command} {len(articles)}")
        for article in articles:
            self._write(_line(article))
        spent, *found = self._read().split("\t")
        self.cpu += float(spent)
        return [{self._names[int(number)] for number in numbers.split()} for numbers in found]

    def close(self) -> None:
        """End the process."""
        if self._java.stdin is not None:
            self._java.stdin.close()
        self._java.wait(30)

    def _write(self, line: str) -> None:
        if self._java.stdin is None:
            raise RuntimeError("java has no pipes")
        self._java.stdin.write(f"{line}\n")

    def _read(self) -> str:
        if self._java.stdin is None or self._java.stdout is None:
            raise RuntimeError("java has no pipes")
        self._java.stdin.flush()
        line = self._java.stdout.readline()
        if not line:
            raise RuntimeError("java has ended")
        return line.rstrip("\n")


def _line(article: Fields) -> str:
    return f"{article['title']} \u2029 {article['body']}".replace("\n", " ")


def _tokens(node: Node) -> Iterator[str]:
    """The query in the notation of MonitorPeer.java."""
    match node:
        case Prefix():
            yield from ("pre", node.text)
        case Leaf():
            yield from ("t", node.text)
        case And(parts=parts) | Or(parts=parts):
            yield from ("and" if isinstance(node, And) else "or", str(len(parts)))
            for part in parts:
                yield from _tokens(part)
        case Not(part=part):
            yield "not"
            yield from _tokens(part)
        case Near():
            yield from ("near", str(node.words))
            yield from (token for side in node.children for token in _tokens(side))
        case _:
            raise TypeError(type(node).__name__)
