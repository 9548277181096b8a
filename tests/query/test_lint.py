"""What is said of queries that work, but not as their author thinks."""

from __future__ import annotations

import pytest

from watchpost.query.explain import remarks
from watchpost.query.parser import parse


@pytest.mark.parametrize(
    ("query", "begins"),
    [
        (r"/\d+ soldiers/", r"it is tried on every article, because /\d+ soldiers/ has no word"),
        (r"mali OR /\d+ soldiers/", r"it is tried on every article, because /\d+ soldiers/ has no word"),
        ("首都 AND mali", "首都 is found inside longer words, too; exclude the wrong ones with 首都 UNLESS"),
        ("マ AND mali", "マ is found inside longer words, too"),
        ("wag*", "wag* begins many words"),
        ("title:(首都 OR wagner)", "首都 is found"),
    ],
)
def test_a_doubtful_query_is_told(query: str, begins: str) -> None:
    found = remarks(parse(query))
    assert len(found) == 1
    assert found[0].startswith(begins)


@pytest.mark.parametrize(
    "query",
    [
        "mali",
        r"mali AND /\d+ soldiers/",
        r"mali NEAR/5 /\d+ soldiers/",
        "首都 UNLESS 首都機場",
        "马里",  # its longer names are known
        "瓦格纳",
        '"首都"',  # a phrase is taken as it is, and whoever quotes it knows
        "mali NOT wag*",
        "wagn*",
    ],
)
def test_a_sound_query_is_not(query: str) -> None:
    assert remarks(parse(query)) == ()
