"""Still: what a query found: occurrences in words while it is being evaluated, evidence in characters afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from watchpost.query.text import FIELDS, Document


@dataclass(frozen=True, slots=True)
class Evidence:
    """One place in an article that made a query true.

    `start` and `end` are code-point offsets into the original text of `field`, and `text` is that very piece.
    `clause` is the printed clause that matched: `malien*`, `"Africa Corps"`, `title:mali`.
    """

    field: str
    start: int
    end: int
    text: str
    clause: str


class Occurrence(NamedTuple):
    """Where a clause stands: the positions of its first and last word in `field`.

    What was found through distance reaches over words that nobody asked for: `parts` are those that were.
    """

    field: str
    first: int
    last: int
    clause: str
    parts: tuple[Occurrence, ...] = ()

    def mentions(self) -> Iterator[Occurrence]:
        """The occurrences of words and phrases in this one: itself, or those of its parts."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.mentions()


def collected(document: Document, occurrences: Iterable[Occurrence]) -> tuple[Evidence, ...]:
    """The mentions in occurrences as evidence: in reading order, each place once."""
    places: dict[tuple[int, int, int], Evidence] = {}
    for occurrence in occurrences:
        for mention in occurrence.mentions():
            start, end = document.index(mention.field).span(mention.first, mention.last)
            place = (FIELDS.index(mention.field), start, end)
            if place not in places:
                text = document.fields[mention.field][start:end]
                places[place] = Evidence(mention.field, start, end, text, mention.clause)
    return tuple(places[place] for place in sorted(places))
