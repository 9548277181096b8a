"""The percolator finds exactly what asking every query finds: no hit more, no hit less, with the same evidence.

Normal size: 200,000 pairs of query and article for each engine. WATCHPOST_TEST_SIZE=nightly: ten million.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.query.crowd import Crowd
from tests.query.making import documents, trees
from watchpost.query.automaton import Engine
from watchpost.query.document import Document
from watchpost.query.percolator import Frequency, Percolator, vocabulary
from watchpost.query.tree import Evidence, Node, Query

ENGINES: tuple[Engine, ...] = ("hyperscan", "ahocorasick", "words")
NIGHTLY = os.environ.get("WATCHPOST_TEST_SIZE") == "nightly"
ROUNDS, QUERIES, ARTICLES = (50, 1_000, 200) if NIGHTLY else (4, 500, 100)


def oracle(queries: dict[str, Query], document: Document) -> dict[str, tuple[Evidence, ...]]:
    """Every query is asked."""
    answers = {name: query.evaluate(document) for name, query in queries.items()}
    return {name: evidence for name, evidence in answers.items() if evidence is not None}


@pytest.mark.timeout(3_600 if NIGHTLY else 400)
def test_every_engine_finds_what_the_oracle_finds(record_property: Callable[[str, object], None]) -> None:
    pairs = matches = candidates = 0
    for seed in range(ROUNDS):
        crowd = Crowd(seed)
        queries = crowd.queries(QUERIES)
        frequency = Frequency() if seed % 2 else None
        if frequency is not None:
            for _ in range(30):
                frequency.add(vocabulary(crowd.document()))
        percolators = [Percolator(queries, frequency, engine) for engine in ENGINES]
        for _ in range(ARTICLES):
            fields = crowd.fields()
            expected = oracle(queries, Document.of(fields))
            for engine, percolator in zip(ENGINES, percolators, strict=True):
                document = Document.of(fields)
                found = percolator.match(document)
                assert list(found.items()) == list(expected.items()), (engine, seed, fields)
                candidates += len(percolator.candidates(document))
            pairs += len(queries)
            matches += len(expected)
    assert pairs >= (10_000_000 if NIGHTLY else 200_000)
    record_property("found", f"{pairs} pairs, {matches} matches, {candidates // len(ENGINES)} candidates")
    assert pairs / 100 < matches < pairs / 4, "random queries that match nearly always or never prove nothing"
    assert candidates / len(ENGINES) < pairs / 2, "the anchors sort nothing out"


@settings(max_examples=60, deadline=None)
@given(st.lists(trees, min_size=1, max_size=8), st.lists(documents, min_size=1, max_size=4), st.sampled_from(ENGINES))
def test_in_the_corners_of_unicode(nodes: list[Node], texts: list[Document], engine: Engine) -> None:
    queries = {str(number): Query(str(node), node) for number, node in enumerate(nodes)}
    percolator = Percolator(queries, engine=engine)
    for document in texts:
        assert percolator.match(Document.of(document.fields)) == oracle(queries, document)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(ENGINES))
def test_edits_count_at_once_and_compacting_changes_nothing(seed: int, engine: Engine) -> None:
    crowd, random = Crowd(seed), Random(seed)
    queries, others = crowd.queries(30), crowd.queries(30)
    percolator = Percolator(queries, engine=engine)
    now = dict(queries)
    begun = percolator.compacted()
    for name in random.sample(list(queries), 12):
        if random.random() < 0.4:
            del now[name]
            percolator.remove(name)
        else:
            now[name] = others[name]
            percolator.replace(name, others[name])
    now["new"] = others["query 0"]
    percolator.replace("new", others["query 0"])
    percolator.replace("gone", others["query 1"])
    percolator.remove("gone")
    articles = [crowd.fields() for _ in range(8)]
    expected = [oracle(now, Document.of(fields)) for fields in articles]
    assert [percolator.match(Document.of(fields)) for fields in articles] == expected
    percolator.adopt(begun)  # a base that was begun before the edits
    assert [percolator.match(Document.of(fields)) for fields in articles] == expected
    percolator.compact()
    assert [percolator.match(Document.of(fields)) for fields in articles] == expected
