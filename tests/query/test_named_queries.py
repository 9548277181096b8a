"""Queries that use others by name."""

from __future__ import annotations

import pytest

from watchpost.errors import QueryError
from watchpost.query.document import Document
from watchpost.query.parser import DEEPEST, parse
from watchpost.query.tree import And, Named

NAMES = {
    "sahel": "Mali OR Niger OR (Burkina NEAR/0 Faso)",
    "guards": "NOT (opera OR bayreuth)",
    "war": "@sahel AND (fighters OR troops)",
    "headline": "title:mali",
    "a": "x OR @b",
    "b": "y OR @c",
    "c": "z OR @a",
    "self": "@self OR x",
    "broken": "x OR (y",
    "uses-broken": "z OR @broken",
    "any": "x OR NOT y",
}
TEXT = Document.of({"title": "x", "body": "Troops in Burkina Faso"})


def test_a_name_stands_for_its_query() -> None:
    query = parse("@war AND @guards", NAMES)
    assert str(query) == "@war AND @guards"
    assert isinstance(query.root, And)
    assert isinstance(query.root.parts[0], Named)
    assert [item.text for item in query.evaluate(TEXT) or ()] == ["Troops", "Burkina", "Faso"]
    assert parse(str(query), NAMES).root == query.root
    assert parse("@war", NAMES | {"sahel": "Chad"}).root != parse("@war", NAMES).root


def test_a_name_may_have_places_and_a_field_before_it() -> None:
    assert parse("troops NEAR/1 @sahel", NAMES).evaluate(TEXT) is not None
    assert parse("ATLEAST/2 @sahel", NAMES).evaluate(TEXT) is None
    assert parse("title:@sahel", NAMES).evaluate(TEXT) is None
    assert str(parse("title:@sahel", NAMES)) == "title:@sahel"


MISTAKES = [
    ("@sahl", 1, "there is no query @sahl", "did you mean @sahel"),
    ("x OR @a", 6, "in @a: in @b: in @c: column 6: @a uses itself: @a → @b → @c → @a", "leave one of them out"),
    ("@self", 1, "in @self: column 1: @self uses itself: @self → @self", "leave one of them out"),
    (
        "x OR @uses-broken",
        6,
        "in @uses-broken: in @broken: column 6: this ( is never closed",
        "write ) where the group ends",
    ),
    ("title:@headline", 7, "@headline, which names a field, cannot stand inside title:", "close the parentheses"),
    ("x NEAR/3 @war", 3, "NEAR/3 needs words, phrases or OR on both sides, not AND", "put the AND outside"),
    ("@any", 1, "@any alone matches nearly every article", "add a word that must occur"),
    ("@guards", 1, "@guards alone matches nearly every article", "add a word"),
]


@pytest.mark.parametrize(("text", "column", "problem", "cure"), MISTAKES)
def test_mistakes_name_the_way(text: str, column: int, problem: str, cure: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, NAMES)
    assert (caught.value.column, caught.value.problem) == (column, problem)
    assert caught.value.cure.startswith(cure)


def test_names_cannot_blow_up_or_nest_without_end() -> None:
    bomb = {f"n{number}": f"@n{number + 1} OR @n{number + 1}" for number in range(60)} | {"n60": "x"}
    with pytest.raises(QueryError, match="too large"):
        parse("@n0", bomb)
    deep = {f"n{number}": f"x OR (y AND @n{number + 1})" for number in range(200)} | {"n200": "x"}
    with pytest.raises(QueryError, match=f"more than {DEEPEST}"):
        parse("@n0", deep)
    flat = {f"n{number}": f"x OR @n{number + 1}" for number in range(40)} | {"n40": "x"}
    assert parse("@n0", flat).evaluate(TEXT) is not None
    before = {"n": "(" * 90 + "x" + ")" * 90}
    with pytest.raises(QueryError, match=f"more than {DEEPEST}"):
        parse("@n AND " + "(" * 20 + "@n" + ")" * 20, before)


def test_a_name_that_is_used_often_counts_and_is_looked_for_once() -> None:
    names = {"many": " OR ".join(f"(a{n} NEAR/5 b{n})" for n in range(150)) + " OR wagner NEAR/5 group"}
    query = parse(" OR ".join(f"(@many NEAR/9 x{n})" for n in range(20)) + " OR @many", names)
    found = query.evaluate(Document.of({"body": "The Wagner group."}))
    assert [item.text for item in found or ()] == ["Wagner", "group"]
    with pytest.raises(QueryError, match="too large"):
        parse(" OR ".join(f"(first/{n}:@many NEAR/9 x{n})" for n in range(1, 21)), names)
