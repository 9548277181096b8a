"""Pure: the query as a tree: how each clause is written, and where it occurs in a document.

Every node answers one question, `find`: None if it is false for the document, else the occurrences that make it true
(none at all for a NOT). Occurrences count in words, so that operators can work with distance; evidence in characters
is made at the very end. This file has the nodes for logic, fields and names; terms.py has the words and phrases,
operators.py the nodes for nearness and counting.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from watchpost.query.document import FIELDS, Document, KeySet


@dataclass(frozen=True, slots=True)
class Evidence:
    """One place in an article that made a query true.

    `start` and `end` are code-point offsets into the original text of `field`; `text` is the text between them.
    `clause` is the clause that matched, as it is written: `malien*`, `"Africa Corps"`, `title:mali`.
    """

    field: str
    start: int
    end: int
    text: str
    clause: str


class Occurrence(NamedTuple):
    """One place where a clause is true: the positions of its first and last word in `field`.

    An occurrence of NEAR also covers words between its sides; `parts` are the occurrences of the sides.
    """

    field: str
    first: int
    last: int
    clause: str
    parts: tuple[Occurrence, ...] = ()

    def mentions(self) -> Iterator[Occurrence]:
        """The occurrences of words and phrases in it: itself, or those of its parts."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.mentions()


def collected(document: Document, occurrences: Iterable[Occurrence]) -> tuple[Evidence, ...]:
    """The mentions as evidence, in reading order, each place once."""
    places: dict[tuple[int, int, int], Evidence] = {}
    for occurrence in occurrences:
        for mention in occurrence.mentions():
            start, end = document.index(mention.field).span(mention.first, mention.last)
            place = (FIELDS.index(mention.field), start, end)
            if place not in places:
                text = document.text(mention.field)[start:end]
                places[place] = Evidence(mention.field, start, end, text, mention.clause)
    return tuple(places[place] for place in sorted(places))


# How tightly operators bind; a clause that binds less tightly than the one around it is printed in parentheses.
OR, AND, NOT, NEAR, UNLESS, SINGLE = range(1, 7)

MOST_OCCURRENCES = 10_000
"""About how many occurrences a clause has at most: enough for any reader, and a bound for hostile queries."""


class Node(ABC):
    """A part of a query. `str(node)` is its canonical text; parsing that gives an equal node."""

    __slots__ = ()
    binding: ClassVar[int] = SINGLE

    @abstractmethod
    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """The occurrences that make the node true in `document`, or None if it is false.

        `scope` names the fields to search (`Document.scoped`); "" are all that bare terms search.
        """

    def first(self, document: Document, scope: str = "") -> Occurrence | None:
        """The first occurrence that `find` returns; None if there is none."""
        found = self.find(document, scope)
        return found[0] if found else None

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes that this one consists of, in the order in which they are written."""
        return ()

    @property
    def positive(self) -> bool:
        """Whether the node can be true only where one of its terms occurs."""
        return all(child.positive for child in self.children)

    @property
    def placed(self) -> bool:
        """Whether the node has places in the text, so that NEAR, UNLESS and ATLEAST can work with it."""
        return False

    @property
    def keys(self) -> frozenset[str] | None:
        """Words of which at least one occurs wherever the node is true, or None if no such words are known.

        They are folded words of the scope's vocabulary, or beginnings of such words, with a star.
        """
        return None


class OfOne(Node):
    """A node around another one, `part`."""

    __slots__ = ()
    part: Node

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.part,)

    @property
    def keys(self) -> frozenset[str] | None:
        return self.part.keys

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        return self.part.find(document, scope)


class OfSeveral(Node):
    """A node that joins two or more others, `parts`."""

    __slots__ = ()
    parts: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return self.parts


@dataclass(frozen=True, slots=True)
class And(OfSeveral):
    """True if all parts are true."""

    binding: ClassVar[int] = AND
    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " AND ".join(grouped(part, NOT) for part in self.parts)

    @property
    def positive(self) -> bool:
        """One positive part is enough, because it must be true."""
        return any(part.positive for part in self.parts)

    @property
    def keys(self) -> frozenset[str] | None:
        return fewest(self.parts)

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        found: list[Occurrence] = []
        for part in self.parts:
            occurrences = part.find(document, scope)
            if occurrences is None:
                return None
            found += occurrences[: max(0, MOST_OCCURRENCES - len(found))]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Or(OfSeveral):
    """True if one part is true."""

    binding: ClassVar[int] = OR
    parts: tuple[Node, ...]
    _numbers: dict[str, list[int]] = field(init=False, repr=False, compare=False)  # of the parts, by key
    _unkeyed: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _keys: KeySet = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers: dict[str, list[int]] = {}
        unkeyed: list[int] = []
        for number, part in enumerate(self.parts):
            keys = part.keys
            if keys is None:
                unkeyed.append(number)
            else:
                for key in keys:
                    numbers.setdefault(key, []).append(number)
        object.__setattr__(self, "_numbers", numbers)
        object.__setattr__(self, "_unkeyed", tuple(unkeyed))
        object.__setattr__(self, "_keys", KeySet(numbers.keys()))

    def __str__(self) -> str:
        return " OR ".join(grouped(part, NOT) for part in self.parts)

    @property
    def placed(self) -> bool:
        return all(part.placed for part in self.parts)

    @property
    def keys(self) -> frozenset[str] | None:
        return None if self._unkeyed else frozenset(self._numbers)

    def first(self, document: Document, scope: str = "") -> Occurrence | None:
        """That of the first part that has one; the parts after it are not searched."""
        for number in self._likely(document, scope):
            found = self.parts[number].first(document, scope)
            if found is not None:
                return found
        return None

    def _likely(self, document: Document, scope: str) -> Sequence[int]:
        """The numbers of the parts with a key in the document: most ORs are lists of names, of which it has few."""
        present = document.scoped(scope).present(self._keys)
        if not present:
            return self._unkeyed
        likely = {number for key in present for number in self._numbers[key]}
        return sorted(likely.union(self._unkeyed))

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        found: list[Occurrence] = []
        true = False
        for number in self._likely(document, scope):
            occurrences = self.parts[number].find(document, scope)
            if occurrences is not None:
                true = True
                found += occurrences
                if len(found) >= MOST_OCCURRENCES:
                    break
        return tuple(found) if true else None


@dataclass(frozen=True, slots=True)
class Not(OfOne):
    """True if its part is false. It never has occurrences."""

    binding: ClassVar[int] = NOT
    part: Node

    def __str__(self) -> str:
        # NEAR binds tighter than NOT, but a reader of an explanation need not know that.
        return f"NOT {grouped(self.part, NOT if self.part.binding == NOT else SINGLE)}"

    @property
    def positive(self) -> bool:
        return False

    @property
    def keys(self) -> frozenset[str] | None:
        return None

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        return () if self.part.find(document, scope) is None else None


@dataclass(frozen=True, slots=True)
class Field(OfOne):
    """Its part, searched in one field only: `title:mali`, `title:(mali OR niger)`. Fields do not nest.

    `name` is a field's or `first/n`: the first n words each of title, summary and body.
    """

    name: str
    part: Node

    def __str__(self) -> str:
        return in_scope(self.part, self.name)

    @property
    def placed(self) -> bool:
        return self.part.placed

    @property
    def keys(self) -> frozenset[str] | None:
        """None: the keys of its part are words of another scope."""
        return None

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        return self.part.find(document, self.name)


@dataclass(frozen=True, slots=True)
class Named(OfOne):
    """Another query, used by its name: `@sahel`; `part` is that query."""

    name: str
    part: Node

    def __str__(self) -> str:
        return f"@{self.name}"

    @property
    def placed(self) -> bool:
        return self.part.placed

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """What the named query finds; it is evaluated once for each document, however often it is used."""
        return document.once(self.part, scope, lambda: self.part.find(document, scope))


@dataclass(frozen=True, slots=True)
class Query:
    """A query: `text` as the operator wrote it, `root` as a tree."""

    text: str
    root: Node

    def __str__(self) -> str:
        return str(self.root)

    def evaluate(self, document: Document) -> tuple[Evidence, ...] | None:
        """The evidence in reading order (title, summary, body, …, then by offset), or None for no match.

        A place that several clauses match comes once, with the clause that is first in the query.
        """
        occurrences = self.root.find(document)
        return None if occurrences is None else collected(document, occurrences)


def fewest(nodes: tuple[Node, ...]) -> frozenset[str] | None:
    """The smallest set of keys among nodes that must all be true, or None if none of them has keys."""
    return min((keys for node in nodes if (keys := node.keys) is not None), key=len, default=None)


def grouped(node: Node, binding: int) -> str:
    """The node's text, in parentheses if it binds less tightly than `binding`."""
    return f"({node})" if node.binding < binding else str(node)


def in_scope(node: Node, scope: str) -> str:
    """The node's text as it reads inside a field: `title:mali`; without a scope simply its text."""
    return f"{scope}:{grouped(node, SINGLE)}" if scope else str(node)
