"""Marks before a word, ^ for a capital and = for accents, and comments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchpost.errors import QueryError
from watchpost.query.document import Document
from watchpost.query.parser import parse
from watchpost.query.words import fold, spelling

FOUND = [
    ("^mali", "En Mali aussi"),
    ("^mali", "MALI and more"),
    ("^mali", "nothing in this text has a capital, and mali is in it"),
    ('"inside ^mali"', "Inside Mali: who governs"),
    ('"inside ^mali"', "What now inside Mali"),
    ("^mal*", "Le Malien"),
    ("^вагнер~ru", "О Вагнере"),
    ("^马里", "Mali 马里"),
    ("=malinês", "O MALINÊS chegou"),
    ("=malin*", "O malinês"),
    ("^=Malí", "en Malí"),
    ('"=más ^mali"', "Más Mali"),
]
NOT_FOUND = [
    ("^mali", "Umphathiswa uthi le mali"),
    ('"inside ^mali"', "The dog inside mali"),
    ("^вагнер~ru", "Он сказал: вагнера"),
    ("=malinês", "Football: Malines bat Charleroi"),
    ("=malinês", "o malines"),
    ("^=Malí", "En Mali"),
    ("^=Malí", "El malí"),
]


@pytest.mark.parametrize(("query", "text"), FOUND)
def test_a_marked_word_is_found(query: str, text: str) -> None:
    assert parse(query).evaluate(Document.of({"body": text})) is not None
    assert parse(f"title:({query} OR x)").evaluate(Document.of({"title": text})) is not None


@pytest.mark.parametrize(("query", "text"), NOT_FOUND)
def test_a_marked_word_is_not_found(query: str, text: str) -> None:
    assert parse(query).evaluate(Document.of({"body": text})) is None


@given(st.lists(st.sampled_from(["mali", "Mali", "MALI", "Malí", "malí", "gao", "Gao", "GAO", "马里"]), max_size=6))
def test_marks_are_what_they_say(words: list[str]) -> None:
    text = " ".join(words)
    cased = any(word != word.lower() for word in words) and not text.isupper()
    for sign in ("^", "=", "^="):
        expected = [
            word
            for word in words
            if fold(word) == "mali"
            and (word[0].isupper() or not cased or "^" not in sign)
            and (spelling(word).lower() == "malí" or "=" not in sign)
        ]
        found = parse(f"{sign}malí").evaluate(Document.of({"body": text})) or ()
        assert [item.text for item in found] == expected


@pytest.mark.parametrize(
    "query",
    [
        "mali # the country\nOR gao # a town (in mali",
        "# first of all\nmali\n#\nOR gao",
        "mali #\tAND NOT\nOR gao #",
    ],
)
def test_a_comment_ends_with_its_line(query: str) -> None:
    assert str(parse(query)) == "mali OR gao"


def test_a_sign_within_text_is_no_comment() -> None:
    assert parse('"a # b" OR /a # b/').evaluate(Document.of({"body": "a b"})) is not None


@pytest.mark.parametrize(
    ("query", "column", "problem"),
    [
        ('^"in Mali"', 1, "a ^ cannot begin a phrase"),
        ("a OR =mali~pl", 6, "the forms of =mali have other accents"),
        ("a OR ^2", 6, "this ^ has no term before it"),
        ("# only this", 1, "the query is empty"),
    ],
)
def test_mistakes(query: str, column: int, problem: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query)
    assert (caught.value.column, caught.value.problem) == (column, problem)
