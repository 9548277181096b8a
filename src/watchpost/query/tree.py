"""Still: the query as a tree: how each clause is written, and where it is found in a document.

Every node answers one question, `find`: None if it is false for the document, otherwise the occurrences that
make it true (none at all for a NOT). Occurrences are counted in tokens, not characters, so that operators of
distance and exclusion can be added as further nodes; evidence in characters is made at the very end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import NamedTuple

from watchpost.query.text import FIELDS, SEARCHED, Document
from watchpost.query.words import Step, steps


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
    """Where a clause stands: the positions of its first and last token in `field`."""

    field: str
    first: int
    last: int
    clause: str


class Node(ABC):
    """A part of a query. `str(node)` is its canonical text; parsing that gives an equal node."""

    __slots__ = ()

    @abstractmethod
    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """Where the node is true in `document`, or None if it is not.

        `scope` is the name of the field to look into; "" stands for all that bare terms search.
        """

    @property
    @abstractmethod
    def positive(self) -> bool:
        """Whether the node can only be true where one of its terms occurs."""


@dataclass(frozen=True, slots=True)
class Leaf(Node):
    """What is looked for in the text. `text` is as the operator wrote it, without quotes or star."""

    text: str
    steps: tuple[Step, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", steps(self.text))

    @property
    def positive(self) -> bool:
        """A leaf is true exactly where it occurs."""
        return True

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """Every occurrence in the fields of the scope."""
        clause = in_scope(self, scope)
        found = tuple(
            Occurrence(name, first, first + len(self.steps) - 1, clause)
            for name in ((scope,) if scope else SEARCHED)
            for first in document.find(name, self.steps)
        )
        return found or None


@dataclass(frozen=True, slots=True)
class Term(Leaf):
    """A bare word: `mali`. A word of several tokens (`franco-malian`) means them one after the other."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Prefix(Leaf):
    """The beginning of a word: `malien*`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", steps(self.text + "*"))

    def __str__(self) -> str:
        return self.text + "*"


@dataclass(frozen=True, slots=True)
class Phrase(Leaf):
    """Words one after the other: `"Africa Corps"`; a word in it may end with a star: `"groupe wagn*"`."""

    def __str__(self) -> str:
        return f'"{self.text}"'


@dataclass(frozen=True, slots=True)
class And(Node):
    """True if all parts are. Two parts at least."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " AND ".join(map(grouped, self.parts))

    @property
    def positive(self) -> bool:
        """One positive part is enough: without it nothing matches."""
        return any(part.positive for part in self.parts)

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """The occurrences of all parts."""
        found: list[Occurrence] = []
        for part in self.parts:
            occurrences = part.find(document, scope)
            if occurrences is None:
                return None
            found += occurrences
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Or(Node):
    """True if one part is. Two parts at least."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " OR ".join(map(grouped, self.parts))

    @property
    def positive(self) -> bool:
        """Every part must be positive: a negative one alone would make the whole true."""
        return all(part.positive for part in self.parts)

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """The occurrences of all the parts that are true."""
        found = [part.find(document, scope) for part in self.parts]
        if all(occurrences is None for occurrences in found):
            return None
        return tuple(occurrence for occurrences in found if occurrences for occurrence in occurrences)


@dataclass(frozen=True, slots=True)
class Not(Node):
    """True if its part is not. It never has occurrences."""

    part: Node

    def __str__(self) -> str:
        return f"NOT {grouped(self.part)}"

    @property
    def positive(self) -> bool:
        """Never: it is true of articles that contain nothing that was asked for."""
        return False

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """No occurrences if the part is false, None if it is true."""
        return () if self.part.find(document, scope) is None else None


@dataclass(frozen=True, slots=True)
class Field(Node):
    """Its part, looked for in one field only: `title:mali`, `title:(mali OR niger)`. Fields do not nest."""

    name: str
    part: Node

    def __str__(self) -> str:
        return in_scope(self.part, self.name)

    @property
    def positive(self) -> bool:
        """As its part is."""
        return self.part.positive

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """What its part finds in the field of this node."""
        return self.part.find(document, self.name)


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
        return None if occurrences is None else evidence(document, occurrences)


def evidence(document: Document, occurrences: tuple[Occurrence, ...]) -> tuple[Evidence, ...]:
    """Occurrences as evidence: in reading order, each place once."""
    places: dict[tuple[int, int, int], Evidence] = {}
    for name, first, last, clause in occurrences:
        start, end = document.span(name, first, last)
        place = (FIELDS.index(name), start, end)
        if place not in places:
            places[place] = Evidence(name, start, end, document.fields[name][start:end], clause)
    return tuple(places[place] for place in sorted(places))


def grouped(node: Node) -> str:
    """The node's text, in parentheses where its operator would otherwise run into a neighbour."""
    return f"({node})" if isinstance(node, (And, Or)) else str(node)


def in_scope(node: Node, scope: str) -> str:
    """The node's text as it reads inside a field: `title:mali`; without a scope simply its text."""
    if not scope:
        return str(node)
    return f"{scope}:({node})" if isinstance(node, (And, Or, Not)) else f"{scope}:{node}"
