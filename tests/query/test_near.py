"""NEAR, ONEAR, SAME and UNLESS: which places they find, which they drop, and how they are printed."""

from __future__ import annotations

import pytest

from watchpost.query.document import Document
from watchpost.query.parser import parse

# text, query, the pieces of the text that are evidence; None for no match
PLACES: list[tuple[str, str, list[str] | None]] = [
    # NEAR/n: at most n words between, in either order
    ("wagner one two mercenaries", "wagner NEAR/2 mercenar*", ["wagner", "mercenaries"]),
    ("wagner one two mercenaries", "wagner NEAR/1 mercenar*", None),
    ("mercenaries of wagner", "wagner NEAR/1 mercenar*", ["mercenaries", "wagner"]),
    ("wagner mercenaries", "wagner NEAR/0 mercenar*", ["wagner", "mercenaries"]),
    ("a one two three four b", "a NEAR b", ["a", "b"]),  # without a number it is 4
    ("a one two three four five b", "a NEAR b", None),
    ("a. One\n\ntwo, b", "a NEAR/2 b", ["a", "b"]),  # sentences and paragraphs are no bounds
    # only the mentions that have a neighbour are evidence
    ("wagner x x x x x x wagner pmc", "wagner NEAR/3 pmc", ["wagner", "pmc"]),
    ("b a b", "a NEAR/0 b", ["b", "a", "b"]),
    # a mention is no neighbour of itself, nor of a mention that it is part of
    ("wagner", "wagner NEAR/5 wagner", None),
    ("wagner met wagner", "wagner NEAR/5 wagner", ["wagner", "wagner"]),
    ("the Wagner Group", '"wagner group" NEAR/5 wagner', None),
    ("the Wagner Group of Wagner", '"wagner group" NEAR/5 wagner', ["Wagner Group", "Wagner"]),
    # ONEAR/n: the left one first
    ("a x b", "a ONEAR/1 b", ["a", "b"]),
    ("b x a", "a ONEAR/1 b", None),
    ("b a x b", "a ONEAR/1 b", ["a", "b"]),
    # several in a row join from the left; what stands between counts as near
    ("a x b x c", "a NEAR/1 b NEAR/1 c", ["a", "b", "c"]),
    ("a x b x x c", "a NEAR/1 b NEAR/1 c", None),
    ("a c b", "a NEAR/1 b NEAR/0 c", ["a", "c", "b"]),
    ("a c b", "a ONEAR/1 b ONEAR/5 c", None),
    ("c a b", "c NEAR/0 (a ONEAR/0 b)", ["c", "a", "b"]),
    ("a1 b1 b2 x c", "a1 NEAR/2 (b1 OR b2) NEAR/1 c", ["a1", "b2", "c"]),
    # OR and phrases as sides
    ("chvk of wagner", "(pmc OR chvk) NEAR/1 wagner", ["chvk", "wagner"]),
    (
        "private military company wagner",
        '"private military company" NEAR/0 wagner',
        ["private military company", "wagner"],
    ),
    ("瓦格纳集团在马里", "瓦格纳 NEAR/3 马里", ["瓦格纳", "马里"]),  # a character is a word
    ("瓦格纳集团在马里", "瓦格纳 NEAR/2 马里", None),
    # SAME: one paragraph
    ("a x x x x x x x x x x b", "a SAME b", ["a", "b"]),
    ("a x\nx b", "a SAME b", ["a", "b"]),
    ("a x\n\nx b", "a SAME b", None),
    ("a\n \t\nb a", "a SAME b", ["b", "a"]),
    ("a\n\nb x x a\n\nb", "a SAME b", ["b", "a"]),
    ("a x b\n\nc", "(a NEAR/1 b) SAME c", None),
    # UNLESS: drops mentions
    ("Richard Wagner", 'wagner UNLESS "richard wagner"', None),
    ("Richard Wagner, and Wagner", 'wagner UNLESS "richard wagner"', ["Wagner"]),
    ("the Mali GPU in Mali", 'mali UNLESS "mali gpu"', ["Mali"]),
    ("in Mali, GPU sales", 'mali UNLESS "mali gpu"', None),  # phrases run across punctuation
    ("wagner group x", '"wagner group" UNLESS "group x"', None),  # sharing one word is enough
    ("wagner group x", 'wagner UNLESS "group x"', ["wagner"]),
    ("richard g wagner sang", "wagner UNLESS (richard NEAR/2 wagner)", None),
    ("richard x wagner y opera z", "x UNLESS (richard NEAR/1 wagner)", None),  # lies between its ends
    ("richard x wagner y opera z", "y UNLESS (richard NEAR/1 wagner)", ["y"]),
    ("马里和马里乌波尔", '"马里" UNLESS 马里乌波尔', ["马里"]),
    # UNLESS goes before NEAR: only what is left can be near
    ("richard wagner mercenary", 'wagner UNLESS "richard wagner" NEAR/3 mercenary', None),
    ("richard wagner x wagner mercenary", 'wagner UNLESS "richard wagner" NEAR/3 mercenary', ["wagner", "mercenary"]),
    ("a x b", "(a NEAR/1 b) UNLESS (x OR y)", ["a", "b"]),  # x was not asked for
    ("a x b", "(a NEAR/1 b) UNLESS (b OR y)", None),
]


@pytest.mark.parametrize(("text", "query", "found"), PLACES, ids=[f"{query} in {text!r}" for text, query, _ in PLACES])
def test_places(text: str, query: str, found: list[str] | None) -> None:
    evidence = parse(query).evaluate(Document.of({"body": text}))
    assert (None if evidence is None else [item.text for item in evidence]) == found


def test_nearness_ends_where_a_field_ends() -> None:
    document = Document.of({"title": "Wagner", "body": "Mercenaries. Wagner x mercenaries"})
    found = parse("wagner NEAR/1 mercenaries").evaluate(document)
    assert [(item.field, item.start) for item in found or ()] == [("body", 0), ("body", 13), ("body", 22)]
    assert parse("title:wagner NEAR/50 mercenaries").evaluate(document) is None
    assert parse("title:(wagner OR x) UNLESS mercenaries").evaluate(document) is not None


def test_unless_drops_the_mention_and_not_the_article() -> None:
    text = "Its founder liked Richard Wagner. The mercenaries of Wagner guard the mine."
    query = parse('(wagner UNLESS "richard wagner") NEAR/15 mercenar*')
    assert [item.start for item in query.evaluate(Document.of({"body": text})) or ()] == [38, 53]
    assert query.evaluate(Document.of({"body": text.replace("of Wagner", "in 1883")})) is None


def test_evidence_names_the_words_and_not_the_whole() -> None:
    found = parse('title:(wagner NEAR/3 "africa corps")').evaluate(Document.of({"title": "Wagner is Africa Corps"}))
    assert [(item.text, item.clause) for item in found or ()] == [
        ("Wagner", "title:wagner"),
        ("Africa Corps", 'title:"africa corps"'),
    ]
