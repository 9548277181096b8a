"""Why not: which words of a query are in the text, and what each of them lacks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.query.making import documents, trees
from watchpost.query.document import Document
from watchpost.query.explain import explain
from watchpost.query.parser import parse
from watchpost.query.shortfall import MOST, shortfalls
from watchpost.query.tree import Node, Query

TEXT = {"title": "Three lessons from the Wagner mutiny", "body": "Talks in Bamako. Richard Wagner wrote an opera."}


def reasons(query: str, **names: str) -> list[str]:
    return [str(each) for each in shortfalls(explain(parse(query, names), Document.of(TEXT)))]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("wagner AND niger", ["“Wagner” (title), “Wagner” (body): no niger"]),
        ("wagner NEAR/3 niger", ["“Wagner” (title), “Wagner” (body): no niger within 3 words"]),
        ("mutiny ONEAR/3 niger", ["“mutiny” (title): no niger within 3 words after it"]),
        ("bamako SAME niger", ["“Bamako” (body): no niger in its paragraph"]),
        ("lessons NEAR/1 wagner", ["“lessons” (title), “Wagner” (title), “Wagner” (body): lessons NEAR/1 wagner fails "
                                   "(NEAR/1: nearest pair 2 words)"]),
        ("opera UNLESS (wagner NEAR/5 opera)",
         ["“opera” (body): each is part of what UNLESS leaves out: “Wagner” (body), “opera” (body)"]),
        ("bamako AND NOT opera", ["“Bamako” (body): left out by NOT, because of “opera” (body)"]),
        ("mutiny AND @place", ["“mutiny” (title): no @place (gao, kidal, menaka, …)"]),
        ("(wagner AND niger AND chad) OR (mutiny AND chad)",
         ["“mutiny” (title): no chad", "“Wagner” (title), “Wagner” (body): no niger; no chad"]),
        ("niger OR chad", []),
        ("wagner", []),
        ("ATLEAST/3 wagner", ["“Wagner” (title), “Wagner” (body): ATLEAST/3 wagner fails (ATLEAST/3: found 2)"]),
    ],
)  # fmt: skip
def test_each_word_in_the_text_is_named_with_what_it_lacks(query: str, expected: list[str]) -> None:
    assert reasons(query, place="gao OR kidal OR menaka OR araouane") == expected


def test_an_answer_is_short_whatever_the_query() -> None:
    many = " OR ".join(f"(wagner AND (w{number} OR {' OR '.join(f'x{number}y{each}' for each in range(20))}))"
                       for number in range(40))  # fmt: skip
    lines = reasons(many)
    assert len(lines) == MOST
    assert max(map(len, lines)) < 300


@settings(max_examples=200, deadline=5_000)
@given(trees, documents)
def test_only_a_query_that_fails_lacks_anything_and_its_words_are_in_the_text(root: Node, document: Document) -> None:
    tree = explain(Query(str(root), root), document)
    found = shortfalls(tree)
    assert not (found and tree.matches)
    for shortfall in found:
        assert shortfall.lacks
        for word, field in shortfall.words:
            assert word in document.text(field)
