"""ATLEAST counts mentions, SCORE adds up weights."""

from __future__ import annotations

import pytest

from watchpost.query.document import Document
from watchpost.query.parser import parse

TEXT = Document.of(
    {"title": "Wagner in Mali", "body": "Wagner Group, the Wagner group: mercenaries. Junta. Bamako Bamako"}
)

VERDICTS = [
    ("ATLEAST/3 wagner", True),  # title and body together
    ("ATLEAST/4 wagner", False),
    ("title:(ATLEAST/2 wagner)", False),
    ("ATLEAST/2 title:wagner", False),
    ("ATLEAST/2 body:wagner", True),
    ('ATLEAST/3 (wagner OR "wagner group")', True),
    ('ATLEAST/4 (wagner OR "wagner group" OR wagn*)', False),  # one place counts once
    ("ATLEAST/5 (wagner OR bamako)", True),
    ("ATLEAST/6 (wagner OR bamako)", False),
    ('ATLEAST/1 (wagner UNLESS "wagner group")', True),
    ('ATLEAST/2 (wagner UNLESS "wagner group")', False),
    ("ATLEAST/2 (wagner NEAR/1 group)", True),  # pairs, not words
    ("ATLEAST/3 (wagner NEAR/1 group)", False),
    ("SCORE/5 (mercenar*^3 OR junta^2 OR opera^9)", True),
    ("SCORE/6 (mercenar*^3 OR junta^2 OR opera^9)", False),
    ("SCORE/2 (bamako OR opera)", False),  # each part counts once, however often it stands there
    ("SCORE/2 (bamako OR junta)", True),
    ("SCORE/0.3 (bamako^0.1 OR junta^0.2)", True),  # decimal, not binary: 0.1 + 0.2 is 0.3
    ("SCORE/3 (title:mali^2 OR (junta AND bamako))", True),
    ("SCORE/3 (title:mali^2 OR (junta AND opera))", False),
    ("SCORE/3 ((wagner NEAR/2 mercenaries)^3 OR opera)", True),
    ("SCORE/2 (wagner^1.5 OR (NOT opera)^0.5)", True),
    ("SCORE/2 (wagner^1.5 OR (NOT junta)^0.5)", False),
]


@pytest.mark.parametrize(("query", "true"), VERDICTS)
def test_verdict(query: str, true: bool) -> None:
    assert (parse(query).evaluate(TEXT) is not None) == true


def test_mentions_that_count_are_evidence() -> None:
    found = parse("ATLEAST/2 wagner NOT opera").evaluate(TEXT) or ()
    assert [(item.field, item.start) for item in found] == [("title", 0), ("body", 0), ("body", 18)]


def test_parts_of_a_score_that_are_true_are_evidence() -> None:
    found = parse("SCORE/2 (junta^2 OR bamako OR opera)").evaluate(TEXT) or ()
    assert [item.text for item in found] == ["Junta", "Bamako", "Bamako"]
    assert [item.clause for item in found][:2] == ["junta", "bamako"]
