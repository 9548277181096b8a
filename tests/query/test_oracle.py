"""The operators of place and number against their definitions, tried the slow way on every pair of mentions."""

from __future__ import annotations

from itertools import accumulate, chain, product

from hypothesis import given, settings
from hypothesis import strategies as st

from watchpost.query.document import Document
from watchpost.query.parser import parse

Span = tuple[int, int]
SIDES = ["a", "b", '"a b"', '"b a"', "(a OR b)", "(a OR c)", '(c OR "a c")']

texts = st.lists(st.lists(st.sampled_from("abcx"), min_size=1, max_size=8), min_size=1, max_size=3)
sides = st.sampled_from(SIDES)


def written(paragraphs: list[list[str]]) -> Document:
    return Document.of({"body": "\n\n".join(" ".join(words) for words in paragraphs)})


def flat(paragraphs: list[list[str]]) -> list[str]:
    return list(chain.from_iterable(paragraphs))


def mentions(side: str, words: list[str]) -> set[Span]:
    """First and last word of every mention of a side."""
    found = set()
    for term in side.strip("()").split(" OR "):
        asked = term.strip('"').split()
        found |= {
            (at, at + len(asked) - 1)
            for at in range(len(words) - len(asked) + 1)
            if words[at : at + len(asked)] == asked
        }
    return found


def overlap(one: Span, other: Span) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def gap(one: Span, other: Span) -> int:
    """Words between two mentions; negative if they share words."""
    return max(one[0], other[0]) - min(one[1], other[1]) - 1


@settings(max_examples=250, deadline=5_000)
@given(texts, sides, sides, st.integers(0, 6), st.booleans())
def test_near(paragraphs: list[list[str]], left: str, right: str, most: int, ordered: bool) -> None:
    words = flat(paragraphs)
    expected = any(
        0 <= gap(one, other) <= most and (one < other or not ordered)
        for one, other in product(mentions(left, words), mentions(right, words))
        if not overlap(one, other)
    )
    query = parse(f"{left} {'O' * ordered}NEAR/{most} {right}")
    assert (query.evaluate(written(paragraphs)) is not None) == expected


@settings(max_examples=120, deadline=5_000)
@given(texts, sides, sides)
def test_same(paragraphs: list[list[str]], left: str, right: str) -> None:
    words = flat(paragraphs)
    ends = list(accumulate(map(len, paragraphs)))
    expected = any(
        sum(end <= min(one[0], other[0]) for end in ends) == sum(end <= max(one[1], other[1]) for end in ends)
        for one, other in product(mentions(left, words), mentions(right, words))
        if not overlap(one, other)
    )
    assert (parse(f"{left} SAME {right}").evaluate(written(paragraphs)) is not None) == expected


@settings(max_examples=120, deadline=5_000)
@given(texts, sides, sides)
def test_unless(paragraphs: list[list[str]], left: str, right: str) -> None:
    words = flat(paragraphs)
    others = mentions(right, words)
    kept = {one for one in mentions(left, words) if not any(overlap(one, other) for other in others)}
    found = parse(f"{left} UNLESS {right}").evaluate(written(paragraphs)) or ()
    assert len(found) == len(kept)
    assert (found == ()) == (kept == set())


@settings(max_examples=120, deadline=5_000)
@given(texts, sides)
def test_atleast(paragraphs: list[list[str]], side: str) -> None:
    words = flat(paragraphs)[:10]
    enough = apart(sorted(mentions(side, words)))
    document = Document.of({"body": " ".join(words)})
    assert enough == 0 or parse(f"ATLEAST/{enough} {side}").evaluate(document) is not None
    assert parse(f"ATLEAST/{enough + 1} {side}").evaluate(document) is None


def apart(found: list[Span]) -> int:
    """The largest number of mentions that share no word."""
    return max((1 + apart([other for other in found if other[0] > one[1]]) for one in found), default=0)
