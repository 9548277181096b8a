"""Regular expressions: all scripts, whole words of evidence, no hang."""

from __future__ import annotations

import time

import pytest

from watchpost.query.document import Document
from watchpost.query.parser import parse
from watchpost.query.terms import MOST_MATCHES

# text, expression, the pieces that are evidence
FOUND: list[tuple[str, str, list[str]]] = [
    ("Prigozhin Prigožin Prigojin", "/prigo[zž]h?in/", ["Prigozhin", "Prigožin"]),
    ("В МАЛИ, Малибу", r"/\bмали\b/", ["МАЛИ"]),
    ("мали мали, мали", r"/\bмали\b/", ["мали", "мали", "мали"]),  # what bounds one word may bound the next
    ("Somalia mali", "/mali/", ["Somalia", "mali"]),  # evidence is the words that a match touches
    ("mali malien niger nigeria", r"/\bmali|niger\b/", ["mali", "malien", "niger"]),
    ("mali malien nigérien niger", r"/\b(?:mali|niger)\b/", ["mali", "niger"]),
    ("Mali mali", "/(?-i)Mali/", ["Mali"]),
    ("Ёлка ЁЛКА", "/ёлка/", ["Ёлка", "ЁЛКА"]),
    ("в 2023 году, ٢٠٢٣", r"/\d{4}/", ["2023", "٢٠٢٣"]),
    ("état-major d’été", r"/é\w+/", ["état", "été"]),
    ("Вагнера вагнеровцы", r"/\bвагнер\w*\b/", ["Вагнера", "вагнеровцы"]),
    ("$5 million, €30 billion", r"/[$€]\d+ (million|billion)/", ["5 million", "30 billion"]),
    ("T-72B3 T72", r"/T-?72\w*/", ["T-72B3", "T72"]),
    ("A/B", r"/a\/b/", ["A/B"]),
    ("x--y", "/--/", []),  # touches no word
    ("马里军政府", "/马里.政府/", ["马里军政府"]),
    ("Go&iuml;ta goîta", "/go[îï]ta/", ["Go&iuml;ta", "goîta"]),
    ("a\ud800b mali", "/mali/", ["mali"]),
    ("one\ntwo", "/one.two/", []),
    ("one\ntwo", r"/one\stwo/", ["one\ntwo"]),
    ("[x] a]b", r"/[]x]b/", ["b"]),
    ("ab-12 c_3", r"/[\w-]+\d/", ["ab-12", "c_3"]),
]


@pytest.mark.parametrize(("text", "query", "found"), FOUND, ids=[f"{query} in {text!r}" for text, query, _ in FOUND])
def test_what_is_found(text: str, query: str, found: list[str]) -> None:
    evidence = parse(query).evaluate(Document.of({"body": text})) or ()
    assert [text[item.start : item.end] for item in evidence] == found


def test_expressions_have_places_like_words() -> None:
    document = Document.of({"title": "T-72", "body": "Columns of T-72B3 and T-90M in Gao"})
    assert parse(r"/\bt-\d+\w*\b/ NEAR/3 gao").evaluate(document) is not None
    assert parse(r"ATLEAST/3 /\bt-\d+/").evaluate(document) is not None
    assert parse(r"/\bt-\d+/ UNLESS gao").evaluate(document) is not None
    assert parse(r"title:/\bt-90/").evaluate(document) is None


@pytest.mark.parametrize(
    "query", ["/(a|aa)+$b/", "/(x+x+)+y/", "/[^z]*z|a/", r"/(\w+\s){1,30}zz/", r"/\b(a*)*b\b/", "/(.*)(.*)(.*)z/"]
)
def test_no_expression_hangs(query: str) -> None:
    document = Document.of({"body": "aaaa xxxx вагнер " * 20_000})
    started = time.process_time()
    parse(query).evaluate(document)
    assert time.process_time() - started < 5


def test_matches_are_capped() -> None:
    document = Document.of({"body": "a " * 1_000})
    assert len(parse("/a/").evaluate(document) or ()) == MOST_MATCHES
