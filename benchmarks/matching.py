"""Matching against the number of topics: processor time of an article, for us and for what one would use instead.

All in: from the fields of an article to the names of the queries that match; ours brings the evidence too, and Lucene
where it says so. Articles and queries are synthetic (`newsroom`). Rounds are interleaved, medians count. A news service
reads each article once, so every engine gets articles in each round that this process has not seen. Time is that of the
processor, in all threads of the process that matches. `SIZES=10,1000 python -m benchmarks matching` takes other sizes.
"""

from __future__ import annotations

import contextlib
import gc
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

from benchmarks import matching_lucene
from benchmarks.matching_lucene import LuceneMonitor
from benchmarks.matching_peers import Fts5, NaiveRe, Postgres, PostgresServer
from benchmarks.newsroom import Newsroom
from benchmarks.table import Figure, at_least, at_most, median_of, publish
from watchpost.query.automaton import Engine
from watchpost.query.document import Document
from watchpost.query.parser import parse
from watchpost.query.percolator import Frequency, Percolator, vocabulary
from watchpost.query.tree import Query

SIZES = tuple(map(int, os.environ.get("SIZES", "10,100,1000,10000,100000").split(",")))
ROUNDS, BUDGET_SECONDS, SLICE = 5, 0.7, 1_000
CHECKED = {10: 200, 100: 200, 1_000: 100, 10_000: 60, 100_000: 8}  # articles by number of queries
SAMPLE = 2_000  # other articles, for the frequencies
EDITS = 40
OURS, FALLBACK, BRUTE = "watchpost, hyperscan", "watchpost, ahocorasick_rs", "watchpost, every query asked"
NAIVE, FTS5, POSTGRES = "naive re", "SQLite FTS5, batches of 400", "PostgreSQL, stored tsquery"
LUCENE = {
    "Lucene Monitor": {"tuned": False, "evidence": False},
    "Lucene Monitor, tuned": {"tuned": True, "evidence": False},
    "Lucene Monitor, tuned, with evidence": {"tuned": True, "evidence": True},
}
_TOO_MANY = {NAIVE: 10_001, POSTGRES: 100_001, FTS5: 10_001}
_WARM_SECONDS = 20.0  # until a virtual machine has compiled what it runs

Fields = Mapping[str, str]
Match = Callable[[Sequence[Fields]], list[set[str]]]


@dataclass(frozen=True)
class Candidate:
    """An engine: what matches articles, and the seconds of the processor that its process has used so far."""

    match: Match
    cpu: Callable[[], float] = time.process_time


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
        """Articles a second of the processor; 0 if it was not run."""
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
    sample = [newsroom.article(1_000_000 + number) for number in range(SAMPLE)]
    for article in sample:
        frequency.add(vocabulary(Document.of(article)))
    numbers = count()
    texts = newsroom.queries(max(SIZES))
    missing = [matching_lucene.missing()]
    with contextlib.ExitStack() as stack:
        server = None
        try:
            server = stack.enter_context(PostgresServer.running())
        except (OSError, RuntimeError) as error:
            missing.append(f"PostgreSQL was left out: {error}")
        peers = Peers(sample, server, lucene=not missing[0])
        sizes = [
            _measure(number, dict(list(texts.items())[:number]), newsroom, numbers, frequency, peers)
            for number in SIZES
        ]
    _publish(sizes, [sentence for sentence in missing if sentence])


@dataclass(frozen=True)
class Peers:
    """What others need: articles for frequencies, and what is there."""

    sample: Sequence[Fields]
    postgres: PostgresServer | None
    lucene: bool

    def of(self, queries: Mapping[str, Query], stack: contextlib.ExitStack) -> dict[str, Candidate]:
        """The engines of others with these queries. What they start ends with `stack`."""
        engines: dict[str, Candidate] = {}
        if len(queries) < _TOO_MANY[NAIVE]:
            engines[NAIVE] = Candidate(NaiveRe(queries).match)
        if len(queries) < _TOO_MANY[FTS5]:
            engines[FTS5] = Candidate(Fts5(queries).match)
        if self.postgres is not None and len(queries) < _TOO_MANY[POSTGRES]:
            server = self.postgres
            engines[POSTGRES] = Candidate(Postgres(queries, server).match, lambda: time.process_time() + server.cpu())
        for name, options in LUCENE.items() if self.lucene else ():
            monitor = LuceneMonitor(queries, self.sample, **options)
            stack.callback(monitor.close)
            engines[name] = Candidate(monitor.match, lambda monitor=monitor: monitor.cpu)  # type: ignore[misc]
        return engines


def _measure(
    number: int,
    texts: Mapping[str, str],
    newsroom: Newsroom,
    numbers: Iterator[int],
    frequency: Frequency,
    peers: Peers,
) -> Size:
    with contextlib.ExitStack() as stack:
        return _measured(number, texts, newsroom, numbers, frequency, lambda queries: peers.of(queries, stack))


def _measured(
    number: int,
    texts: Mapping[str, str],
    newsroom: Newsroom,
    numbers: Iterator[int],
    frequency: Frequency,
    others: Callable[[Mapping[str, Query]], dict[str, Candidate]],
) -> Size:
    size = Size(number)
    articles = [newsroom.article(next(numbers)) for _ in range(SLICE)]  # for everything that is not timed
    begun = time.perf_counter()
    queries = {name: parse(text) for name, text in texts.items()}
    size.parse_seconds = time.perf_counter() - begun
    ours = _build(size, OURS, queries, frequency, "hyperscan")
    fallback = _build(size, FALLBACK, queries, frequency, "ahocorasick")
    engines = {
        OURS: Candidate(OneByOne(ours).match),
        FALLBACK: Candidate(OneByOne(fallback).match),
        BRUTE: Candidate(OneByOne(Percolator(queries, engine="brute")).match),
        **others(queries),
    }
    _check(size, {name: engine.match for name, engine in engines.items()}, articles)
    for name in LUCENE.keys() & engines.keys():
        begun = engines[name].cpu()
        while engines[name].cpu() - begun < _WARM_SECONDS:
            engines[name].match(articles[:50])
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


def _rate(engine: Candidate, articles: Sequence[Fields], *, whole: bool) -> float:
    """Articles a second of the processor, in batches that grow until the budget is used up; `whole`: in one batch."""
    done, batch = 0, len(articles) if whole else 1
    begun = engine.cpu()
    while done < len(articles):
        engine.match(articles[done : done + batch])
        done += batch
        if engine.cpu() - begun > BUDGET_SECONDS:
            break
        batch = min(batch * 2, len(articles) - done) or 1
    return done / (engine.cpu() - begun)


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


def _publish(sizes: Sequence[Size], missing: Sequence[str]) -> None:
    figures: list[Figure] = []
    for size in sizes:
        ours = size.rate(OURS)
        for name, rates in size.rates.items():
            note = f"ours is {ours / size.rate(name):.3g} × as fast; wrong {size.wrong[name]}"
            label = f"{size.queries:,} queries: {name}"
            figures.append(median_of(label, [1e6 / rate for rate in rates], "µs", note))
            if size.matches >= 1:
                figures.append(Figure(f"{label}, a match", 1e6 / size.rate(name) / size.matches, "µs"))
    goals = [goal for size in sizes for goal in _goals(size)]
    for size in sizes:
        edits = sorted(size.edits)
        label = f"{size.queries:,} queries: one edited, until it matches"
        goals.append(at_most(label, edits[len(edits) // 2] * 1e3, 50, "ms", f"slowest {edits[-1] * 1e3:.1f} ms"))
        figures += [
            Figure(f"{size.queries:,} queries: built, {name}", seconds, "s", note=f"+ {size.grown[name]:.0f} MB")
            for name, seconds in size.built.items()
        ]
        figures.append(Figure(f"{size.queries:,} queries: parsed", size.parse_seconds, "s"))
    remarks = [
        f"µs of the processor for an article; {ROUNDS} interleaved rounds of at most {BUDGET_SECONDS} s",
        "wrong: found too much, missed, in a check before; each article is read for the first time",
        "queries asked and matching, of an article: "
        + "; ".join(f"{size.queries:,}: {size.candidates:.1f}, {size.matches:.2f}" for size in sizes),
        *missing,
    ]
    publish("matching", "Matching", [*figures, *goals], remarks)


_LUCENE_GOALS = {10: 2.5, 1_000: 1.2, 10_000: 1.0, 100_000: 1.0}


def _goals(size: Size) -> list[Figure]:
    """How we compare with others, where there is a goal."""
    wanted = {"Lucene Monitor, tuned, with evidence": _LUCENE_GOALS.get(size.queries, 0.0)}
    if size.queries == 10_000:
        wanted |= {BRUTE: 40, POSTGRES: 15, NAIVE: 5_000}
    return [
        at_least(f"{size.queries:,} queries: against {name}", size.rate(OURS) / size.rate(name), goal)
        for name, goal in wanted.items()
        if goal and size.rate(name)
    ]
