"""Still: the operators that count: ATLEAST counts mentions, SCORE adds up what different terms weigh."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from watchpost.query.evidence import Occurrence
from watchpost.query.text import Document
from watchpost.query.tree import NOT, SINGLE, Node, grouped

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class AtLeast(Node):
    """At least `least` mentions in all fields of the scope together: `ATLEAST/3 (wagner OR вагнер)`.

    Mentions that share a word count once: "Wagner Group" is one, also for `wagner OR "wagner group"`.
    """

    least: int
    part: Node

    def __str__(self) -> str:
        return f"ATLEAST/{self.least} {grouped(self.part, SINGLE)}"

    @property
    def children(self) -> tuple[Node, ...]:
        """What is counted."""
        return (self.part,)

    @property
    def keys(self) -> frozenset[str] | None:
        """Those of what is counted."""
        return self.part.keys

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """All the mentions, if they are enough."""
        found = self.part.find(document, scope)
        return found if found is not None and mentions(found) >= self.least else None


@dataclass(frozen=True, slots=True)
class Weighted(Node):
    """A part of a SCORE with its weight: `pmc^2`, `(russia* OR moscow)^0.5`."""

    part: Node
    weight: Decimal

    def __str__(self) -> str:
        return f"{grouped(self.part, SINGLE)}^{_plain(self.weight)}"

    @property
    def children(self) -> tuple[Node, ...]:
        """What has the weight."""
        return (self.part,)

    @property
    def keys(self) -> frozenset[str] | None:
        """Those of what has the weight."""
        return self.part.keys

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """What the part finds."""
        return self.part.find(document, scope)


@dataclass(frozen=True, slots=True)
class Score(Node):
    """Parts that are true and together weigh `threshold` at least: `SCORE/5 (mercenar*^3 OR pmc^2 OR junta)`.

    Each part counts once, however often it occurs; without a weight it counts 1. Two parts at least.
    """

    threshold: Decimal
    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return f"SCORE/{_plain(self.threshold)} ({' OR '.join(grouped(part, NOT) for part in self.parts)})"

    @property
    def children(self) -> tuple[Node, ...]:
        """The parts."""
        return self.parts

    @property
    def positive(self) -> bool:
        """If the parts that are true of anything do not reach the threshold by themselves."""
        return sum(weight(part) for part in self.parts if not part.positive) < self.threshold

    @property
    def keys(self) -> frozenset[str] | None:
        """Those of all parts."""
        known = [part.keys for part in self.parts]
        keys = [each for each in known if each is not None]
        return frozenset().union(*keys) if len(keys) == len(known) else None

    @property
    def reachable(self) -> Decimal:
        """What all the parts weigh together."""
        return sum((weight(part) for part in self.parts), Decimal(0))

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """The occurrences of the parts that are true, if they weigh enough."""
        reached, found = self.weigh(document, scope)
        return found if reached >= self.threshold else None

    def weigh(self, document: Document, scope: str) -> tuple[Decimal, tuple[Occurrence, ...]]:
        """What the true parts weigh, and their occurrences."""
        reached = Decimal(0)
        found: list[Occurrence] = []
        for part in self.parts:
            occurrences = part.find(document, scope)
            if occurrences is not None:
                reached += weight(part)
                found += occurrences
        return reached, tuple(found)


def weight(part: Node) -> Decimal:
    """What a part of a SCORE weighs."""
    return part.weight if isinstance(part, Weighted) else ONE


def mentions(occurrences: Iterable[Occurrence]) -> int:
    """How many of the occurrences stand apart from one another: the largest number that share no word."""
    counted = 0
    reached: dict[str, int] = {}
    for occurrence in sorted(occurrences, key=lambda one: one.last):
        if occurrence.first > reached.get(occurrence.field, -1):
            reached[occurrence.field] = occurrence.last
            counted += 1
    return counted


def _plain(number: Decimal) -> str:
    """The number without exponent and closing zeros."""
    return f"{number.normalize():f}"
