"""Pure: the query as a tree: how each clause is written, and where it is found in a document.

Every node answers one question, `find`: None if it is false for the document, otherwise the occurrences that
make it true (none at all for a NOT). Occurrences are counted in words, not characters, so that operators can
reckon with distance; evidence in characters is made at the very end.

Here stand the nodes that join others by logic. What is looked for is in `leaves`, what has to do with places in
`nearness`, what counts in `counting`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from watchpost.query.document import FIELDS, Document, KeySet

# what a query found: occurrences in words while it is being evaluated, evidence in characters afterwards.


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


# How tightly the operators bind: what is looser than its surroundings allow is printed in parentheses.
OR, AND, NOT, NEAR, UNLESS, SINGLE = range(1, 7)

MOST_OCCURRENCES = 10_000
"""About how many occurrences a clause tells of, at most: enough for any reader, and a bound for hostile queries."""


class Node(ABC):
    """A part of a query. `str(node)` is its canonical text; parsing that gives an equal node."""

    __slots__ = ()
    binding: ClassVar[int] = SINGLE

    @abstractmethod
    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """Where the node is true in `document`, or None if it is not.

        `scope` names the fields to look into (`Document.view`); "" stands for all that bare terms search.
        """

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes that this one is made of, in the order in which they are written."""
        return ()

    @property
    def positive(self) -> bool:
        """Whether the node can only be true where one of its terms occurs."""
        return all(child.positive for child in self.children)

    @property
    def placed(self) -> bool:
        """Whether the node stands for places in the text, so that NEAR, UNLESS and ATLEAST can reckon with it."""
        return False

    @property
    def keys(self) -> frozenset[str] | None:
        """Words of which one at least stands wherever the node is true, or None if no such words are known.

        They are folded words of the scope's own vocabulary, or beginnings of such words, with a star.
        """
        return None


@dataclass(frozen=True, slots=True)
class And(Node):
    """True if all parts are. Two parts at least."""

    binding: ClassVar[int] = AND
    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " AND ".join(grouped(part, NOT) for part in self.parts)

    @property
    def children(self) -> tuple[Node, ...]:
        """The parts."""
        return self.parts

    @property
    def positive(self) -> bool:
        """One positive part is enough: without it nothing matches."""
        return any(part.positive for part in self.parts)

    @property
    def keys(self) -> frozenset[str] | None:
        """Those of the part with the fewest."""
        return fewest(self.parts)

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """The occurrences of all parts."""
        found: list[Occurrence] = []
        for part in self.parts:
            occurrences = part.find(document, scope)
            if occurrences is None:
                return None
            found += occurrences[: max(0, MOST_OCCURRENCES - len(found))]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Or(Node):
    """True if one part is. Two parts at least."""

    binding: ClassVar[int] = OR
    parts: tuple[Node, ...]
    _numbers: dict[str, list[int]] = field(init=False, repr=False, compare=False)  # of the parts, by key
    _unkeyed: frozenset[int] = field(init=False, repr=False, compare=False)
    _sieve: KeySet = field(init=False, repr=False, compare=False)

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
        object.__setattr__(self, "_unkeyed", frozenset(unkeyed))
        object.__setattr__(self, "_sieve", KeySet(numbers.keys()))

    def __str__(self) -> str:
        return " OR ".join(grouped(part, NOT) for part in self.parts)

    @property
    def children(self) -> tuple[Node, ...]:
        """The parts."""
        return self.parts

    @property
    def placed(self) -> bool:
        """If all parts are."""
        return all(part.placed for part in self.parts)

    @property
    def keys(self) -> frozenset[str] | None:
        """Those of all parts."""
        return None if self._unkeyed else frozenset(self._numbers)

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """The occurrences of all the parts that are true."""
        # Most ORs are long lists of names, and most articles hold few of them: ask only for those that may be there.
        likely = {number for key in document.scoped(scope).present(self._sieve) for number in self._numbers[key]}
        found: list[Occurrence] = []
        true = False
        for number in sorted(likely | self._unkeyed):
            occurrences = self.parts[number].find(document, scope)
            if occurrences is not None:
                true = True
                found += occurrences
                if len(found) >= MOST_OCCURRENCES:
                    break
        return tuple(found) if true else None


@dataclass(frozen=True, slots=True)
class Not(Node):
    """True if its part is not. It never has occurrences."""

    binding: ClassVar[int] = NOT
    part: Node

    def __str__(self) -> str:
        # NEAR goes before NOT, but nobody should have to know that to read an explanation.
        return f"NOT {grouped(self.part, NOT if self.part.binding == NOT else SINGLE)}"

    @property
    def children(self) -> tuple[Node, ...]:
        """The part."""
        return (self.part,)

    @property
    def positive(self) -> bool:
        """Never: it is true of articles that contain nothing that was asked for."""
        return False

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """No occurrences if the part is false, None if it is true."""
        return () if self.part.find(document, scope) is None else None


@dataclass(frozen=True, slots=True)
class Field(Node):
    """Its part, looked for in one field only: `title:mali`, `title:(mali OR niger)`. Fields do not nest.

    `name` is a field's or `first/n`: the first n words of title, summary and body, each counted by itself.
    """

    name: str
    part: Node

    def __str__(self) -> str:
        return in_scope(self.part, self.name)

    @property
    def children(self) -> tuple[Node, ...]:
        """The part."""
        return (self.part,)

    @property
    def placed(self) -> bool:
        """As its part is."""
        return self.part.placed

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """What its part finds in the field of this node."""
        return self.part.find(document, self.name)


@dataclass(frozen=True, slots=True)
class Named(Node):
    """Another query, used by its name: `@sahel`. `part` is what the name stands for."""

    name: str
    part: Node

    def __str__(self) -> str:
        return f"@{self.name}"

    @property
    def children(self) -> tuple[Node, ...]:
        """What the name stands for."""
        return (self.part,)

    @property
    def placed(self) -> bool:
        """As what the name stands for is."""
        return self.part.placed

    @property
    def keys(self) -> frozenset[str] | None:
        """Those of what the name stands for."""
        return self.part.keys

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """What the named query finds; it is asked once for each document, however often it is used."""
        return document.once(self.part, scope, lambda: self.part.find(document, scope))


@dataclass(frozen=True, slots=True)
class Query:
    """A query that can be put to documents. `text` is what the operator wrote, `root` what it means."""

    text: str
    root: Node

    def __str__(self) -> str:
        return str(self.root)

    def evaluate(self, document: Document) -> tuple[Evidence, ...] | None:
        """The evidence in reading order (title, summary, body, …, then by offset), or None for no match.

        A place that several clauses match is given once, with the clause that stands first in the query.
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
