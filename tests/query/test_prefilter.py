"""The prefilter never leaves out an article that the query matches."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.query.crowd import Crowd
from tests.query.making import documents, trees
from watchpost.query.document import Document
from watchpost.query.parser import parse
from watchpost.query.prefilter import (
    DEEPEST,
    LANGUAGE_UNKNOWN,
    LONGEST_WORD,
    MOST_WORDS,
    AllOf,
    AnyOf,
    IndexWord,
    all_of,
    any_of,
    holds,
    index_text,
    prefilter,
)
from watchpost.query.terms import Term
from watchpost.query.tree import And, Node, Or


def _words(document: Document) -> set[str]:
    return set(index_text(document).split(" "))


@settings(max_examples=300, deadline=None)
@given(trees, st.lists(documents, min_size=1, max_size=4))
def test_it_is_true_of_every_match_in_the_corners_of_unicode(node: Node, texts: list[Document]) -> None:
    expression = prefilter(node)
    for document in texts:
        if expression is not None and node.find(document) is not None:
            assert holds(expression, _words(document))


def test_it_is_true_of_every_match_and_sorts_out_most_others() -> None:
    pairs = matches = candidates = 0
    for seed in range(4):
        crowd = Crowd(seed)
        expressions = {name: (query, prefilter(query.root)) for name, query in crowd.queries(300).items()}
        for _ in range(50):
            document = Document.of(crowd.fields())
            words = _words(document)
            for query, expression in expressions.values():
                found = expression is None or holds(expression, words)
                pairs += 1
                candidates += found
                if query.evaluate(document) is not None:
                    matches += 1
                    assert found, str(query)
    assert pairs / 100 < matches <= candidates < pairs / 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("mali", IndexWord("mali")),
        ("malien*", IndexWord("malien", prefix=True)),
        ('"Africa Corps"', AllOf((IndexWord("africa"), IndexWord("corps")))),
        ("mali OR niger", AnyOf((IndexWord("mali"), IndexWord("niger")))),
        ("mali AND NOT niger", IndexWord("mali")),
        ("NOT mali AND NOT lang:fr AND /mal.*i/", None),
        ("mali OR /mal.*i/", None),
        ("/mal.*i/", None),
        ("wagner UNLESS richard", IndexWord("wagner")),
        ("ATLEAST/3 wagner", IndexWord("wagner")),
        ("mali NEAR/3 junta", AllOf((IndexWord("mali"), IndexWord("junta")))),
        ("title:mali", IndexWord("\ue001mali")),
        ("body:mali", IndexWord("mali")),
        ("first/50:mali", IndexWord("mali")),
        ("lang:fr", AnyOf((IndexWord("\ue004fr"), IndexWord(LANGUAGE_UNKNOWN)))),
        ("SCORE/3 (mali^3 OR niger^2 OR junta OR /x/)", AnyOf((IndexWord("mali"), IndexWord("niger")))),
        ("x" * 100, IndexWord("x" * LONGEST_WORD)),
    ],
)
def test_what_it_says(query: str, expected: object) -> None:
    assert prefilter(parse(query).root) == expected


def test_a_language_that_nobody_declared_is_found_by_the_query_that_recognises_it() -> None:
    text = "Le gouvernement de transition a annoncé de nouvelles mesures de sécurité dans le nord du pays."
    document = Document.of({"title": "", "body": text})
    query = parse("lang:fr")
    assert query.evaluate(document) is not None
    expression = prefilter(query.root)
    assert expression is not None
    assert holds(expression, _words(document))


def test_a_word_that_a_line_end_breaks_is_found() -> None:
    document = Document.of({"body": "the merce-\nnaries left"})
    assert {"merce", "naries", "mercenaries"} <= _words(document)


def test_long_words_are_compared_by_their_beginnings() -> None:
    document = Document.of({"body": "a" * 200})
    expression = prefilter(parse("a" * 100 + "*").root)
    assert expression is not None
    assert holds(expression, _words(document))


def test_what_is_too_large_or_too_deep_says_nothing() -> None:
    words = tuple(Term(f"w{number}") for number in range(MOST_WORDS + 1))
    assert prefilter(Or(words[1:])) is not None
    assert prefilter(Or(words)) is None
    deep: Node = Term("a")
    for number in range(DEEPEST):
        deep = (And if number % 2 else Or)((deep, Term(f"b{number}")))
    assert prefilter(deep) is None


def test_joining_expressions() -> None:
    mali, niger = IndexWord("mali"), IndexWord("niger")
    assert all_of([mali, None]) == mali
    assert all_of([None]) is None
    assert any_of([mali, None]) is None
    assert any_of([mali, mali]) == mali
    assert all_of([mali, AllOf((mali, niger))]) == AllOf((mali, niger))
