"""The clauses of the names library against their definition: every part is searched, every word is looked at.

Normal size: a million pairs of clause and article. WATCHPOST_TEST_SIZE=nightly: ten million.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from random import Random

import pytest

from tests.query.crowd import KNOWN, OWN, Crowd
from watchpost.query.document import SEARCHED, Document, Index
from watchpost.query.meaning import Ambiguous
from watchpost.query.parser import parse
from watchpost.query.terms import Leaf, Phrase, Prefix
from watchpost.query.tree import Node, Occurrence, Or
from watchpost.query.words import WordPattern

NIGHTLY = os.environ.get("WATCHPOST_TEST_SIZE") == "nightly"
PAIRS = 10_000_000 if NIGHTLY else 1_000_000


def clauses(node: Node, seen: set[int]) -> Iterator[Node]:
    """The node, all in it, and what decides what its names mean, each once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    yield node
    inside = list(node.children)
    if isinstance(node, Ambiguous):
        rule = node.rule
        beside = (rule.support, rule.never, rule.sure, rule.doubt, rule.state, rule.events)
        inside += [each for each in beside if each is not None]
    for child in inside:
        yield from clauses(child, seen)


def fits(index: Index, position: int, pattern: WordPattern) -> bool:
    word = index.folded[position]
    found = word.startswith(pattern.folded) if pattern.prefix else word in (pattern.folded, *pattern.forms)
    return found and pattern.admits(index.written(position), index.cased)


def looked_at(leaf: Leaf, document: Document) -> list[tuple[str, int, int]]:
    """Where the words follow one another, by the definition of a pattern."""
    size = len(leaf.patterns)
    return [
        (name, at, at + size - 1)
        for name in SEARCHED
        for at in range(len(document.index(name).folded) - size + 1)
        if all(fits(document.index(name), at + place, pattern) for place, pattern in enumerate(leaf.patterns))
    ]


def all_parts(node: Or, document: Document) -> tuple[Occurrence, ...] | None:
    """What the parts find that are true, in their order."""
    found = [occurrences for part in node.parts if (occurrences := part.find(document)) is not None]
    return tuple(chain.from_iterable(found)) if found else None


def written_out(leaf: Leaf, rng: Random) -> str:
    """A text that the leaf may be found in: its words with endings for stars, now and then with other capitals."""
    text = " ".join(part.lstrip("^=") for part in str(leaf).partition("~")[0].replace('"', "").split())
    text = text.replace("*", rng.choice(("", "s", "en", "а")))
    return rng.choice((text, text, text.lower(), text.upper(), text.title(), f"{text.split()[0]} and {text}"))


@pytest.mark.timeout(3_600 if NIGHTLY else 400)
def test_names_are_found_where_every_word_is_looked_at() -> None:
    seen: set[int] = set()
    nodes = [each for text in dict.fromkeys(KNOWN) for each in clauses(parse(text, entities={"own": OWN}).root, seen)]
    joined = [node for node in nodes if isinstance(node, Or)]
    leaves = [
        node
        for node in nodes
        if isinstance(node, Phrase | Prefix) and not any(pattern.touching for pattern in node.patterns)
    ]
    crowd, rng = Crowd(99), Random(99)
    pairs = found = 0
    while pairs < PAIRS:
        chosen = rng.sample(leaves, 12)
        text = ", ".join(written_out(leaf, rng) for leaf in chosen)
        document = Document.of({**crowd.fields(), rng.choice(("title", "body")): text})
        for node in joined:
            expected = all_parts(node, document)
            assert node.find(document) == expected, str(node)[:80]
            assert node.first(document) == (expected[0] if expected else None), str(node)[:80]
            pairs += len(node.parts)
        if any(document.index(name).rejoined for name in SEARCHED):
            continue  # a word that a line breaks is two words and one; test_document has these
        for leaf in (*chosen, *rng.sample(leaves, 100)):
            places = looked_at(leaf, document)
            assert leaf.places(document, "") == places, str(leaf)
            pairs, found = pairs + 1, found + bool(places)
    assert found > pairs / 5_000, "articles without names prove nothing"
