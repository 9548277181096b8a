"""What makes a query true, and with which evidence."""

from __future__ import annotations

import pytest

from watchpost.query.document import Document
from watchpost.query.explain import explain, failing
from watchpost.query.parser import parse
from watchpost.query.tree import Evidence

ARTICLE = Document.of(
    {
        "body": "The Wagner Group left Mali. Africa Corps stays in Mali.",
        "summary": "Wagner leaves.",
        "title": "Wagner leaves Mali",
        "author": "A. Diallo",
        "source": "Sahel Daily",
        "lang": "en-GB",
        "url": "https://news.example.org/world/mali-wagner?id=7",
    }
)

# query, places in the article as field:start-end, or None
VERDICTS: list[tuple[str, str | None]] = [
    ("mali", "title:14-18 body:22-26 body:50-54"),
    ("niger", None),
    ("wagner AND mali", "title:0-6 title:14-18 summary:0-6 body:4-10 body:22-26 body:50-54"),
    ("wagner AND niger", None),
    ("niger OR corps", "body:35-40"),
    ("niger OR chad", None),
    ("corps NOT opera", "body:35-40"),
    ("corps NOT mali", None),
    ("corps AND NOT title:corps", "body:35-40"),
    ("corps AND NOT (mali AND niger)", "body:35-40"),
    ("corps AND NOT (mali OR niger)", None),
    ("corps AND NOT NOT mali", "body:35-40"),
    ("corps AND (niger OR NOT chad)", "body:35-40"),
    ("NOT opera AND corps", "body:35-40"),
    ('"wagner group"', "body:4-16"),
    ('"group wagner"', None),
    ('"mali africa corps"', "body:22-40"),  # a phrase runs across punctuation, as in other tools
    ('"mali wagner"', None),  # but not from one field into the next
    ('"wagn* left"', None),
    ('"wagn* gro* left"', "body:4-21"),
    ("title:wagner", "title:0-6"),
    ("summary:wagner", "summary:0-6"),
    ("body:leaves", None),
    ("title:(wagner AND mali)", "title:0-6 title:14-18"),
    ("title:(wagner AND corps)", None),
    ("title:(mali NOT corps)", "title:14-18"),
    ("diallo OR daily OR example", None),  # bare terms do not search author, source, url
    ("author:diallo AND source:sahel", "author:3-9 source:0-5"),
    ("lang:en", "lang:0-2"),
    ("corps NOT lang:hr", "body:35-40"),
    ("url:example.org", "url:13-24"),
    ("url:mali", "url:31-35"),
    # a place that two clauses match is given once; places that overlap are both given
    ("corps OR corp* OR Corps", "body:35-40"),
    ('corps OR "africa corps"', "body:28-40 body:35-40"),
]


@pytest.mark.parametrize(("query", "places"), VERDICTS, ids=[query for query, _ in VERDICTS])
def test_verdict_and_evidence(query: str, places: str | None) -> None:
    found = parse(query).evaluate(ARTICLE)
    told = None if found is None else " ".join(f"{item.field}:{item.start}-{item.end}" for item in found)
    assert told == places


def test_evidence_names_the_clause_as_it_is_printed() -> None:
    found = parse('title:(Mali* OR "x y") OR body:"africa  corps"').evaluate(ARTICLE)
    assert found == (
        Evidence("title", 14, 18, "Mali", "title:Mali*"),
        Evidence("body", 28, 40, "Africa Corps", 'body:"africa corps"'),
    )
    assert [item.clause for item in parse("corps OR corp*").evaluate(ARTICLE) or ()] == ["corps"]


def test_missing_fields_are_empty() -> None:
    assert parse("author:x OR mali").evaluate(Document.of({})) is None


def test_a_document_keeps_the_texts_it_was_given() -> None:
    fields = {"title": "Mali"}
    document = Document.of(fields)
    fields["title"] = "Niger"
    assert parse("mali").evaluate(document) is not None


def test_deep_and_wide_queries_are_evaluated() -> None:
    deep = "corps"
    for _ in range(33):
        deep = f"(NOT ({deep}) AND mali) OR corps"
    assert parse(deep).evaluate(ARTICLE) is not None
    assert explain(parse(deep), ARTICLE).matches
    wide = " OR ".join(f"w{number}" for number in range(2_000))
    assert parse(f"({wide}) OR corps").evaluate(ARTICLE) is not None


def test_explain_tells_true_and_false_per_clause() -> None:
    query = parse("title:(wagner AND corps) OR (mali NOT niger)")
    told = explain(query, ARTICLE)
    assert (told.text, told.matches, told.operator) == (str(query), True, "OR")
    assert told.evidence == query.evaluate(ARTICLE)
    inside_title, outside = told.children
    assert (inside_title.text, inside_title.matches) == ("title:(wagner AND corps)", False)
    assert [(child.text, child.matches) for child in inside_title.children] == [
        ("title:wagner", True),
        ("title:corps", False),
    ]
    assert [item.start for item in inside_title.children[0].evidence] == [0]
    assert [(child.text, child.matches, child.evidence) for child in outside.children[1:]] == [("NOT niger", True, ())]


@pytest.mark.parametrize(
    ("query", "clause"),
    [
        ("niger", "niger"),
        ("mali AND niger", "niger"),
        ("mali AND (niger OR chad) AND burkina", "burkina"),
        ("mali AND (niger OR chad)", "niger OR chad"),
        ("(niger OR chad) AND (gao OR kidal OR mopti)", "niger OR chad"),
        ("(mali AND niger) AND wagner", "niger"),
        ("title:(wagner AND corps)", "title:corps"),
        ("wagner NOT (opera OR mali)", "NOT (opera OR mali)"),
        ("wagner NOT title:mali", "NOT title:mali"),
        ("niger OR (chad AND mali)", "niger OR (chad AND mali)"),
    ],
)
def test_the_smallest_failing_clause(query: str, clause: str) -> None:
    told = explain(parse(query), ARTICLE)
    assert not told.matches
    assert failing(told).text == clause


def test_a_not_that_fails_shows_what_stood_in_its_way() -> None:
    told = failing(explain(parse("wagner NOT title:mali"), ARTICLE))
    assert told.evidence == ()
    assert [item.text for item in told.children[0].evidence] == ["Mali"]


def test_nothing_fails_in_a_match() -> None:
    with pytest.raises(ValueError, match="mali matches"):
        failing(explain(parse("mali"), ARTICLE))
