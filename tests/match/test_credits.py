"""Whose words an article carries: agencies are found in credit lines, in the scripts of their customers."""

from __future__ import annotations

import pytest

from tests.match.newsroom import REPORT, told
from watchpost.match.signatures import voice

LONG = REPORT[1]


@pytest.mark.parametrize(
    ("agency", "first"),
    [
        ("AFP", "PARIS (AFP) – "),
        ("AFP", "BAMAKO, 24 nov. 2026 (AFP) - "),
        ("Reuters", "DAKAR, Nov 24 (Reuters) - "),
        ("TASS", "МОСКВА, 24 ноября. /ТАСС/. "),
        ("RIA Novosti", "МОСКВА, 24 ноя — РИА Новости. "),
        ("AFP", "باماكو (أ ف ب) - "),
        ("Xinhua", "新华社巴马科11月24日电 "),
        ("dpa", "Berlin (dpa) - "),
        ("dpa", "Berlin (dpa/lno) - "),
        ("EFE", "Bamako, 24 nov (EFE).- "),
    ],
)
def test_the_dateline_names_the_agency(agency: str, first: str) -> None:
    assert voice(told((first + LONG, *REPORT), "x", "Paper")) == (agency, True)


@pytest.mark.parametrize(
    ("agency", "last"),
    [
        ("AFP", "Le Courrier avec AFP"),
        ("AFP", "© AFP"),
        ("Reuters", "(Reuters)"),
        ("Reuters", "Source: Reuters"),
        ("TASS", "По материалам ТАСС"),
        ("AP", "The Associated Press contributed to this report."),
        ("AFP", LONG + " (AFP)"),
    ],
)
def test_the_last_line_names_the_agency(agency: str, last: str) -> None:
    assert voice(told((*REPORT, last), "x", "Paper")) == (agency, True)


@pytest.mark.parametrize("author", ["AFP", "Reuters Staff", "Le Monde avec AFP", "Jane Roe, AFP"])
def test_the_author_may_be_an_agency(author: str) -> None:
    assert voice(told(REPORT, "x", "Paper", author=author))[1]


@pytest.mark.parametrize(
    "text",
    [
        "An AFP reporter saw the lorries burn at the side of the road, and so did we, on Tuesday at noon.",
        "The minister spoke to Reuters about the escort that never came to the border post, three days long.",
        "MAPS of the region hang on the wall – and nobody has looked at them for at least a year or so.",
    ],
)
def test_an_agency_in_the_text_between_is_no_credit(text: str) -> None:
    assert voice(told((LONG, text, *REPORT), "x", "Paper")) == ("Paper", False)
    assert voice(told((text, *REPORT), "x", "", source="feed")) == ("feed", False)
