"""Still: a document as queries see it: fields of text, each with an index of where its words stand.

An index is made once per document and field, when the first query asks for it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from watchpost.query.words import Step, touches, words

FIELDS = ("title", "summary", "body", "author", "source", "lang", "url")
"""The fields that a query may name, in reading order."""

SEARCHED = ("title", "summary", "body")
"""The fields that a term without a field's name looks into."""


class Index:
    """Where the words of one text stand. Positions count words from 0."""

    __slots__ = ("_folded", "_positions", "_spans", "_text", "_vocabulary")

    def __init__(self, text: str) -> None:
        self._text = text
        self._folded: list[str] = []
        self._spans: list[tuple[int, int]] = []
        self._positions: dict[str, list[int]] = {}
        self._vocabulary: list[str] | None = None
        for position, (folded, start, end) in enumerate(words(text)):
            self._folded.append(folded)
            self._spans.append((start, end))
            self._positions.setdefault(folded, []).append(position)

    def find(self, steps: tuple[Step, ...]) -> list[int]:
        """Every position from which the words are those of `steps`, in order. `steps` is not empty."""
        first, *rest = steps
        return [
            position
            for position in self._standing(first)
            if all(self._is(position + distance, step) for distance, step in enumerate(rest, start=1))
        ]

    def span(self, first: int, last: int) -> tuple[int, int]:
        """The offsets in the text from the start of word `first` to the end of word `last`."""
        return self._spans[first][0], self._spans[last][1]

    def _standing(self, step: Step) -> Iterable[int]:
        if not step.prefix:
            return self._positions.get(step.folded, ())
        if self._vocabulary is None:
            self._vocabulary = sorted(self._positions)
        found: list[int] = []
        for place in range(bisect_left(self._vocabulary, step.folded), len(self._vocabulary)):
            if not self._vocabulary[place].startswith(step.folded):
                break
            found += self._positions[self._vocabulary[place]]
        return sorted(found)

    def _is(self, position: int, step: Step) -> bool:
        if position >= len(self._folded):
            return False
        word = self._folded[position]
        if not (word.startswith(step.folded) if step.prefix else word == step.folded):
            return False
        return not step.touching or touches(self._text, self._spans[position - 1][1], self._spans[position][0])


@dataclass(frozen=True, slots=True)
class Document:
    """The texts of an article by field; make one with `Document.of` and put every query to it."""

    fields: Mapping[str, str]
    _indexes: dict[str, Index] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Document:
        """A document of original, untouched texts: title, summary, body, author, source, lang, url.

        A field that is missing is empty.
        """
        return cls(dict(fields))

    def find(self, name: str, steps: tuple[Step, ...]) -> list[int]:
        """The positions in field `name` from which the words are those of `steps`."""
        return self._index(name).find(steps)

    def span(self, name: str, first: int, last: int) -> tuple[int, int]:
        """The offsets in field `name` from the start of word `first` to the end of word `last`."""
        return self._index(name).span(first, last)

    def _index(self, name: str) -> Index:
        index = self._indexes.get(name)
        if index is None:
            index = self._indexes[name] = Index(self.fields.get(name, ""))
        return index
