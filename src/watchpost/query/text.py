"""Still: a document as queries see it: fields of text, each with an index of where its words stand.

An index is made once per document and field, when the first query asks for it, and each part of it when it is
first needed: most queries find out from the set of words alone that they do not match.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from watchpost.query.index import Index
from watchpost.query.words import Step

T = TypeVar("T")
R = TypeVar("R")

FIELDS = ("title", "summary", "body", "author", "source", "lang", "url")
"""The fields that a query may name, in reading order."""

SEARCHED = ("title", "summary", "body")
"""The fields that a term without a field's name looks into."""

FIRST = "first/"
"""How the name of a scope begins that is the first n words of each searched field: `first/50`."""


class Sieve:
    """Keys of clauses, ready to be compared with a vocabulary: folded words, or beginnings of words with a star."""

    __slots__ = ("beginnings", "words")

    def __init__(self, keys: Set[str]) -> None:
        lengths: dict[int, set[str]] = {}
        self.words = frozenset(key for key in keys if not key.endswith("*"))
        for key in keys:
            if key.endswith("*"):
                lengths.setdefault(len(key) - 1, set()).add(key[:-1])
        self.beginnings = tuple((length, frozenset(found)) for length, found in lengths.items())


class View:
    """The fields that a clause looks into, seen together.

    `vocabulary` holds their folded words, also those beyond the first n words where the scope ends there.
    """

    __slots__ = ("_begun", "_limit", "_parts", "vocabulary")

    def __init__(self, parts: tuple[tuple[str, Index], ...], limit: int | None) -> None:
        self._parts = parts
        self._limit = limit  # how many words of each field belong to the scope; None: all
        self._begun: dict[int, Set[str]] = {}
        self.vocabulary: Set[str] = (
            parts[0][1].vocabulary if len(parts) == 1 else frozenset().union(*(index.vocabulary for _, index in parts))
        )

    def find(self, steps: tuple[Step, ...]) -> list[tuple[str, int, int]]:
        """Field, first and last word of every place where the words are those of `steps`, in order."""
        for folded, prefix, _, forms, _ in steps:
            if prefix:
                if folded not in self._beginnings(len(folded)):
                    return []
            elif folded not in self.vocabulary and self.vocabulary.isdisjoint(forms):
                return []
        return self._places(lambda index: index.find(steps))

    def present(self, sieve: Sieve) -> set[str]:
        """Which of the sieve's keys stand in the fields."""
        found = set(self.vocabulary & sieve.words)
        for length, beginnings in sieve.beginnings:
            begun = self._beginnings(length)
            if not beginnings.isdisjoint(begun):
                found.update(beginning + "*" for beginning in begun & beginnings)
        return found

    def search(self, matches: Callable[[bytes], Iterable[tuple[int, int]]]) -> list[tuple[str, int, int]]:
        """The words that the byte spans touch that `matches` finds in the UTF-8 text of each field."""
        return self._places(lambda index: index.search(matches))

    def _places(self, find: Callable[[Index], list[tuple[int, int]]]) -> list[tuple[str, int, int]]:
        return [
            (name, first, last)
            for name, index in self._parts
            for first, last in find(index)
            if self._limit is None or last < self._limit
        ]

    def _beginnings(self, length: int) -> Set[str]:
        """The first `length` letters of every word."""
        found = self._begun.get(length)
        if found is None:
            found = self._begun[length] = {word[:length] for word in self.vocabulary}
        return found


@dataclass(frozen=True, slots=True)
class Document:
    """The texts of an article by field; make one with `Document.of` and put every query to it."""

    fields: Mapping[str, str]
    _indexes: dict[str, Index] = field(default_factory=dict, init=False, repr=False, compare=False)
    _views: dict[str, View] = field(default_factory=dict, init=False, repr=False, compare=False)
    _answers: dict[tuple[int, str], tuple[object, Any]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Document:
        """A document of original, untouched texts: title, summary, body, author, source, lang, url.

        A field that is missing is empty.
        """
        return cls(dict(fields))

    def view(self, scope: str) -> View:
        """The fields of a scope: a field's name, `first/n`, or "" for all that bare terms search."""
        view = self._views.get(scope)
        if view is None:
            names, limit = reach(scope)
            view = self._views[scope] = View(tuple((name, self.index(name)) for name in names), limit)
        return view

    def once(self, part: T, scope: str, find: Callable[[], R]) -> R:
        """What `find` answers for a part of a query in a scope, asked for the first time only.

        The same part, not an equal one: it is kept beside its answer, so that its id stays its own.
        """
        known = self._answers.get((id(part), scope))
        if known is None:
            known = self._answers[id(part), scope] = (part, find())
        answer: R = known[1]
        return answer

    def index(self, name: str) -> Index:
        """The index of one field."""
        index = self._indexes.get(name)
        if index is None:
            index = self._indexes[name] = Index(self.fields.get(name, ""))
        return index


@lru_cache(maxsize=256)
def reach(scope: str) -> tuple[tuple[str, ...], int | None]:
    """The fields of a scope and how many words of each belong to it (None: all)."""
    if scope.startswith(FIRST):
        return SEARCHED, int(scope.removeprefix(FIRST))
    return ((scope,) if scope else SEARCHED), None
