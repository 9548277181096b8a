"""Which articles' pages are worth reading, as far as headline, summary and address tell."""

from __future__ import annotations

import pytest

from tests.making import article
from watchpost.match.matcher import Plausible
from watchpost.model import Topic
from watchpost.query.parser import parse

QUERY = """(wagner OR "africa corps" OR вагнер~ru OR mercenar*) AND (mali OR title:bamako)
    AND lang:fr AND NOT opera AND NOT author:verdi"""


def plausible(**fields: str) -> bool:
    values = {"title": "Daily briefing", "body": "", "lang": "fr", **fields}
    return Plausible([Topic("wagner", "Wagner", parse(QUERY))])(article(**values))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, False),
        ({"title": "Mali today"}, True),
        ({"body": "The Africa Corps was there."}, True),
        ({"body": "The Corps of Africa was there."}, False),
        ({"summary": "Mercenaries leave"}, True),
        ({"title": "О Вагнере"}, True),
        ({"title": "Elsewhere", "body": "in Bamako"}, True),
        ({"url": "https://example.org/2026/bamako-attack"}, True),
        ({"title": "A night at the opera"}, False),
        ({"author": "Verdi"}, False),
        ({"lang": "en", "title": "Wagner"}, True),
    ],
)
def test_one_word_that_is_looked_for_is_enough(fields: dict[str, str], expected: bool) -> None:
    assert plausible(**fields) is expected


def test_what_a_mention_must_not_be_part_of_is_not_looked_for() -> None:
    found = Plausible([Topic("w", "W", parse('wagner UNLESS "richard strauss"'))])
    assert not found(article("Richard Strauss"))
    assert found(article("Wagner"))


def test_named_and_counted_parts_are_looked_into() -> None:
    found = Plausible(
        [Topic("w", "W", parse("ATLEAST/3 junta AND SCORE/3 (coup^2 OR putsch^2 OR army) AND a NEAR/3 b"))]
    )
    assert [found(article(title)) for title in ("Junta", "Putsch", "B", "Nothing")] == [True, True, True, False]


def test_without_topics_nothing_is_plausible() -> None:
    assert not Plausible([])(article("Mali"))
