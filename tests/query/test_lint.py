"""What is said of queries that work, but not as their author thinks."""

from __future__ import annotations

import pytest

from watchpost.query import accents
from watchpost.query.document import Document
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
        "entity:wagner-group",  # nobody can change the library's own words
        "wagn*",
    ],
)
def test_a_sound_query_is_not(query: str) -> None:
    assert remarks(parse(query)) == ()


def documents(*texts: str) -> list[Document]:
    return [Document.of({"body": text}) for text in texts]


LACE = ["La dentelle de Malines charme.", "On visite Malines en mai.", "Um oficial malinês falou."]


@pytest.mark.parametrize(
    ("query", "sample", "told"),
    [
        ("malinês", LACE, "malinês is found as Malines, too, 2 times in the sample; if that is another word, write ="),
        ("malinês", [], "malinês is found as Malines, too, the name of a place; if that is another "),
        ('"em malinês"', [], "malinês is found as Malines, too, the name of a place"),
        ("gold AND NOT (gold NEAR/3 malinês)", [], ""),  # what NOT finds is nobody's hit
        ("Malí", ["Moj mali pas.", "Les mali.", "En Malí llueve."], "Malí is found as mali, too, 2 times"),
        ("=malinês", LACE, ""),
        ("malinês OR malines", LACE, ""),  # the author has both in mind
        ("goïta", ["Le colonel Goïta.", "Colonel Goita.", "President Goita."], ""),  # one name
        ("goïta", ["Colonel Goita.", "President Goita."], ""),
        ("paraná", [], ""),  # a name in small letters
        ("opération", ["Une opération.", "An operation.", "One operation."], ""),
        ("malinês", ["MALINES", "MALINES"], "malinês is found as Malines, too, the name of a place"),
        ("goita OR мали OR 马里", LACE, ""),
        ("country:ML OR entity:operation-barkhane", LACE, ""),
    ],
)  # fmt: skip
def test_words_whose_accents_decide_are_named(query: str, sample: list[str], told: str) -> None:
    found = accents.remarks(parse(query), documents(*sample))
    assert len(found) == bool(told)
    assert all(line.startswith(told) for line in found)
