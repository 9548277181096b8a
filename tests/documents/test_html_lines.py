"""HTML in JSON Lines: exports of feed readers keep it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchpost.documents.html_blanks import blanked
from watchpost.documents.parse import read_document
from watchpost.model import Article

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def line(**fields: str) -> Article:
    (article,) = read_document("a.jsonl", json.dumps(fields).encode(), NOW).articles
    return article


def words(text: str) -> list[str]:
    return text.replace("\u2060", "").split()


@pytest.mark.parametrize("field", ["title", "summary", "body"])
def test_the_address_of_a_picture_is_no_text(field: str) -> None:
    text = '<p>A bakery opens <a href="https://e.org/wagner-group">today</a>.</p><img src="wagner.png" alt="wagner">'
    article = line(**{"title": "x", field: text})
    found = getattr(article, field)
    assert words(found) == ["A", "bakery", "opens", "today."]
    assert len(found) == len(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>caf&eacute;s &amp; <b>W</b>agner</p>", ["cafés", "&", "Wagner"]),
        ("one<br>two", ["one", "two"]),
        ("<p>one</p><p>two</p>", ["one", "two"]),
        ("<script>wagner()</script><p>one</p><style>p{}</style>", ["one"]),
        ("<!-- wagner --><p>one</p>", ["one"]),
        ("<p>one <img alt='a > b' src=\"" + "x" * 300_000 + '"> two</p>', ["one", "two"]),
        ('<p title="it\'s > that">one</p>', ["one"]),
        ("<p title=it's>one</p>", ["one"]),
        ("5 < 6 and <3 of them", ["5", "<", "6", "and", "<3", "of", "them"]),
        ("a <b and c> d", ["a", "<b", "and", "c>", "d"]),
        ("R&D &amp; more", ["R&D", "&amp;", "more"]),
        ("<p>R&D &nosuch; x</p>", ["R&D", "&nosuch;", "x"]),
    ],
)
def test_html_is_read_as_a_page_shows_it_and_other_texts_stay(text: str, expected: list[str]) -> None:
    assert words(blanked(text)) == expected
    assert len(blanked(text)) == len(text)


@given(st.lists(st.sampled_from(["<p>", "</p>", "<br>", "&eacute;", "<!--", "-->", "<script>", "a", " ", "<", ">"])))
def test_every_character_keeps_its_place(pieces: list[str]) -> None:
    assert len(blanked("".join(pieces))) == len("".join(pieces))


def test_paragraphs_stay_paragraphs() -> None:
    assert "\n\n" in blanked("<p>one</p><p>two</p>")
