"""Matching against the number of topics: articles a second, all in, for us and for what one would use instead.

All in: from the fields of an article to the names of the queries that match; ours brings the evidence too. Articles
and queries are synthetic (`newsroom`). Rounds are interleaved, medians count. A news service reads each article once,
so every engine gets articles in each round that this process has not seen: engines share the cache of folded words.
"""

from __future__ import annotations

import contextlib
import gc
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

from benchmarks.matching_peers import Fts5, NaiveRe, Postgres, PostgresServer
from benchmarks.newsroom import Newsroom
from benchmarks.table import Figure, at_least, at_most, median_of, publish
from watchpost.query.automaton import Engine
from watchpost.query.document import Document
from watchpost.query.parser import parse
from watchpost.query.percolator import Frequency, Percolator, vocabulary
from watchpost.query.tree import Query

SIZES = (10, 100, 1_000, 10_000, 100_000)
ROUNDS, BUDGET_SECONDS, SLICE = 5, 0.7, 400
CHECKED = {10: 200, 100: 200, 1_000: 100, 10_000: 60, 100_000: 8}  # articles by number of queries
SAMPLE = 2_000  # other articles, for the frequencies
EDITS = 40
OURS, FALLBACK, BRUTE = "watchpost, hyperscan", "watchpost, ahocorasick_rs", "watchpost, every query asked"
NAIVE, FTS5, POSTGRES = "naive re", "SQLite FTS5, batches of 400", "PostgreSQL, stored tsquery"
_TOO_MANY = {NAIVE: 10_001, POSTGRES: 100_001, FTS5: 10_001}

Fields = Mapping[str, str]
Match = Callable[[Sequence[Fields]], list[set[str]]]


@dataclass
class Size:
    """What was measured with so many queries."""

    queries: int
    rates: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    built: dict[str, float] = field(default_factory=dict)  # seconds
    grown: dict[str, float] = field(default_factory=dict)  # MB of resident memory
    edits: list[float] = field(default_factory=list)  # seconds
    wrong: dict[str, tuple[int, int]] = field(default_factory=dict)  # found too much, missed
    matches: float = 0  # of an article
    candidates: float = 0
    parse_seconds: float = 0

    def rate(self, engine: str) -> float:
        """Articles a second; 0 if it was not run."""
        return statistics.median(self.rates[engine]) if self.rates.get(engine) else 0


class OneByOne:
    """Our engine as a peer sees it."""

    def __init__(self, percolator: Percolator) -> None:
        self.percolator = percolator

    def match(self, articles: Sequence[Fields]) -> list[set[str]]:
        """The names of the queries that match, by article."""
        return [set(self.percolator.match(Document.of(article))) for article in articles]


def run() -> None:
    """Measure, and publish the tables."""
    newsroom = Newsroom()
    frequency = Frequency()
    for number in range(SAMPLE):
        frequency.add(vocabulary(Document.of(newsroom.article(1_000_000 + number))))
    numbers = count()
    texts = newsroom.queries(max(SIZES))
    missing = ""
    with contextlib.ExitStack() as stack:
        server = None
        try:
            server = stack.enter_context(PostgresServer.running())
        except (OSError, RuntimeError) as error:
            missing = f"PostgreSQL was left out: {error}"
        sizes = [
            _measure(number, dict(list(texts.items())[:number]), newsroom, numbers, frequency, server)
            for number in SIZES
        ]
    _publish(sizes, missing)


def _measure(
    number: int,
    texts: Mapping[str, str],
    newsroom: Newsroom,
    numbers: Iterator[int],
    frequency: Frequency,
    server: PostgresServer | None,
) -> Size:
    size = Size(number)
    articles = [newsroom.article(next(numbers)) for _ in range(SLICE)]  # for everything that is not timed
    begun = time.perf_counter()
    queries = {name: parse(text) for name, text in texts.items()}
    size.parse_seconds = time.perf_counter() - begun
    engines: dict[str, Match] = {}
    ours = _build(size, OURS, queries, frequency, "hyperscan")
    engines[OURS] = OneByOne(ours).match
    engines[FALLBACK] = OneByOne(_build(size, FALLBACK, queries, frequency, "ahocorasick")).match
    engines[BRUTE] = OneByOne(Percolator(queries, engine="brute")).match
    if number < _TOO_MANY[NAIVE]:
        engines[NAIVE] = NaiveRe(queries).match
    if number < _TOO_MANY[FTS5]:
        engines[FTS5] = Fts5(queries).match
    if server is not None and number < _TOO_MANY[POSTGRES]:
        engines[POSTGRES] = Postgres(queries, server).match
    _check(size, engines, articles)
    gc.collect()
    order = list(engines)
    for turn in range(ROUNDS):
        Random(turn).shuffle(order)
        for name in order:
            if name == NAIVE and number >= 1_000 and turn:
                continue  # once is enough to see the order of it
            unseen = [newsroom.article(next(numbers)) for _ in range(SLICE)]
            size.rates[name].append(_rate(engines[name], unseen, whole=name == FTS5))
    size.candidates = statistics.fmean(len(ours.candidates(Document.of(article))) for article in articles[:200])
    _edit(size, ours, articles)
    return size


def _build(size: Size, name: str, queries: Mapping[str, Query], frequency: Frequency, engine: Engine) -> Percolator:
    gc.collect()
    before, begun = _resident(), time.perf_counter()
    built = Percolator(queries, frequency, engine)
    size.built[name] = time.perf_counter() - begun
    size.grown[name] = _resident() - before
    return built


def _check(size: Size, engines: Mapping[str, Match], articles: Sequence[Fields]) -> None:
    """Everybody against asking every query; peers that cannot say NEAR or that cut words otherwise may differ."""
    some = articles[: CHECKED[size.queries]]
    truth = engines[BRUTE](some)
    size.matches = statistics.fmean(map(len, truth))
    for name, match in engines.items():
        few = some[: 4 if name == NAIVE and size.queries >= 10_000 else len(some)]
        found = match(few)
        extra = sum(len(one - true) for one, true in zip(found, truth, strict=False))
        missed = sum(len(true - one) for one, true in zip(found, truth, strict=False))
        size.wrong[name] = (extra, missed)
        if name in (OURS, FALLBACK) and (extra or missed):
            raise AssertionError(f"{name} with {size.queries} queries: {extra} too much, {missed} missed")


def _rate(match: Match, articles: Sequence[Fields], *, whole: bool) -> float:
    """Articles a second, in batches that grow until the budget is used up; `whole`: all in one batch."""
    done, batch = 0, len(articles) if whole else 1
    begun = time.perf_counter()
    while done < len(articles):
        match(articles[done : done + batch])
        done += batch
        spent = time.perf_counter() - begun
        if spent > BUDGET_SECONDS:
            break
        batch = min(batch * 2, len(articles) - done) or 1
    return done / (time.perf_counter() - begun)


def _edit(size: Size, percolator: Percolator, articles: Sequence[Fields]) -> None:
    """From the text of an edited query to its first match, in a percolator that holds all the others."""
    for turn in range(EDITS):
        article = {**articles[turn], "body": f"edited{turn} {articles[turn]['body']}"}
        begun = time.perf_counter()
        percolator.replace(f"q{turn % size.queries}", parse(f"edited{turn} AND NOT never"))
        found = percolator.match(Document.of(article))
        size.edits.append(time.perf_counter() - begun)
        if f"q{turn % size.queries}" not in found:
            raise AssertionError("an edit was not live")


def _resident() -> float:
    """MB of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096 / 1e6


def _publish(sizes: Sequence[Size], missing: str) -> None:
    figures: list[Figure] = []
    for size in sizes:
        brute = size.rate(BRUTE)
        for name, rates in size.rates.items():
            note = f"{size.rate(name) / brute:.3g} × every query asked; wrong {size.wrong[name]}"
            figures.append(median_of(f"{size.queries:,} queries: {name}", rates, "/s", note))
    by = {size.queries: size for size in sizes}
    most = by[10_000]
    ours = most.rate(OURS)
    goals = [
        at_least("10k queries: against every query asked", ours / most.rate(BRUTE), 40),
        at_least("10k queries: against naive re", ours / most.rate(NAIVE), 5_000),
    ]
    if most.rate(POSTGRES):
        goals.insert(1, at_least("10k queries: against PostgreSQL", ours / most.rate(POSTGRES), 15))
    for size in sizes[2:]:
        edits = sorted(size.edits)
        label = f"{size.queries:,} queries: one edited, until it matches"
        goals.append(at_most(label, edits[len(edits) // 2] * 1e3, 50, "ms", f"slowest {edits[-1] * 1e3:.1f} ms"))
        figures += [
            Figure(f"{size.queries:,} queries: built, {name}", seconds, "s", note=f"+ {size.grown[name]:.0f} MB")
            for name, seconds in size.built.items()
        ]
        figures.append(Figure(f"{size.queries:,} queries: parsed", size.parse_seconds, "s"))
    remarks = [
        f"{ROUNDS} interleaved rounds of at most {BUDGET_SECONDS} s; wrong: found too much, missed, in a check before",
        "queries asked and matching, of an article: "
        + "; ".join(f"{size.queries:,}: {size.candidates:.1f}, {size.matches:.2f}" for size in sizes),
        *([missing] if missing else []),
    ]
    publish("matching", "Matching", [*figures, *goals], remarks)
