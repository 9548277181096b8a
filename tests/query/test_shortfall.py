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


NAMES = [
    ("country:ML OR place:ML", "Thomas Mali wins the race", "Mali", "country:ML: a part of Thomas Mali", "{Mali}"),
    ("country:ML OR place:ML", "馬利的舊房子", "馬利", "country:ML: an ordinary word in zh", '"馬利"'),
    ("country:ML AND bamako", "The MALI collective meets", "MALI", "like initials", "{MALI}"),
    ("place:ML", "Kati Wolf singt in Wien", "Kati", 'place:ML: part of "Kati Wolf"', "{Kati}"),
    (
        "entity:wagner-group",
        "Thomas Wagner sings",
        "Wagner",
        "a part of Thomas Wagner",
        "{Wagner}",
    ),
    ("entity:wagner-group", "Wagner resigns", "Wagner", "entity:wagner-group: nothing in the text says so", "{Wagner}"),
    (
        "entity:operation-barkhane",
        "Le restaurant Barkhane ferme",
        "Barkhane",
        "nothing in the text",
        "{Barkhane}",
    ),
    ("entity:africa-corps", "Rommel's Africa Corps of 1942", "Africa Corps", "nothing in the text", "{Africa Corps}"),
]


@pytest.mark.parametrize(("query", "text", "name", "reason", "override"), NAMES, ids=[text for _, text, *_ in NAMES])
def test_a_name_that_does_not_count_is_told_with_its_reason_and_what_counts_it(
    query: str, text: str, name: str, reason: str, override: str
) -> None:
    document = Document.of({"title": text})
    line = str(shortfalls(explain(parse(query), document))[0])
    assert line.startswith(f"“{name}” (title): does not mean ")
    assert reason in line
    assert line.endswith(f"; add OR {override} to count each mention")
    assert parse(f"({query}) OR {override}").evaluate(document) is not None


def test_ordinary_words_of_a_name_are_not_told() -> None:
    document = Document.of({"title": "Une opération du genou, force du vent"})
    assert shortfalls(explain(parse("entity:operation-barkhane"), document)) == ()
