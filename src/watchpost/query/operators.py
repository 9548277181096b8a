"""Pure: the operators that work with places in the text, NEAR, ONEAR, SAME and UNLESS, and those that count."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, NamedTuple

from watchpost.query.document import MOST_PLACES, Document
from watchpost.query.tree import (
    NEAR,
    NOT,
    SINGLE,
    UNLESS,
    Node,
    Occurrence,
    OfOne,
    OfSeveral,
    fewest,
    grouped,
    in_scope,
)


class Pair(NamedTuple):
    """Two occurrences in one field, in the order of the text, and how many words are between them."""

    gap: int
    before: Occurrence
    after: Occurrence


@dataclass(frozen=True, slots=True)
class Proximity(Node):
    """Two clauses of which an occurrence of one must be near one of the other."""

    binding: ClassVar[int] = NEAR
    left: Node
    right: Node

    def __str__(self) -> str:
        return f"{grouped(self.left, NEAR)} {self.operator} {grouped(self.right, UNLESS)}"

    @property
    def operator(self) -> str:
        """The operator as it is written between the two."""
        raise NotImplementedError

    @property
    def in_order(self) -> bool:
        """Whether the left clause must be first."""
        return False

    def holds(self, document: Document, pair: Pair) -> bool:
        """Whether the two are near enough."""
        raise NotImplementedError

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.left, self.right)

    @property
    def placed(self) -> bool:
        """True: it reaches from the one occurrence to the other."""
        return True

    @property
    def keys(self) -> frozenset[str] | None:
        return fewest(self.children)

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """Each pair of nearest neighbours that is near enough, as one occurrence that covers both."""
        clause = ""
        found: dict[tuple[str, int, int], Occurrence] = {}
        for pair in self.pairs(document, scope):
            if self.holds(document, pair):
                before, after = pair.before, pair.after
                place = (before.field, min(before.first, after.first), max(before.last, after.last))
                if place not in found:
                    clause = clause or in_scope(self, scope)  # written only when needed: it may be long
                    found[place] = Occurrence(*place, clause, (before, after))
                    if len(found) == MOST_PLACES:
                        break
        return tuple(found.values()) or None

    def pairs(self, document: Document, scope: str) -> Iterator[Pair]:
        """Nearest neighbours at any distance: each occurrence with the nearest of the other side, before and after."""
        left = self.left.find(document, scope)
        right = self.right.find(document, scope) if left is not None else None
        if left and right:
            yield from _neighbours(left, right, self.in_order)


@dataclass(frozen=True, slots=True)
class Near(Proximity):
    """At most `words` words between the two: `wagner NEAR/15 mercenar*`; ONEAR: the left one first."""

    words: int = 4
    in_order: bool = False

    @property
    def operator(self) -> str:
        return f"{'O' if self.in_order else ''}NEAR/{self.words}"

    def holds(self, document: Document, pair: Pair) -> bool:
        return pair.gap <= self.words


@dataclass(frozen=True, slots=True)
class Same(Proximity):
    """Both in one paragraph: `wagner SAME bamako`. An empty line ends a paragraph; a title is one."""

    @property
    def operator(self) -> str:
        return "SAME"

    def holds(self, document: Document, pair: Pair) -> bool:
        index = document.index(pair.before.field)
        first = min(pair.before.first, pair.after.first)
        return index.paragraph(first) == index.paragraph(max(pair.before.last, pair.after.last))


@dataclass(frozen=True, slots=True)
class Unless(Node):
    """Mentions of `part` that are not mentions of `other`: `wagner UNLESS "richard wagner"`.

    A mention is dropped if one of its words is within an occurrence of `other` in the same field. The node is true if
    another mention is left.
    """

    binding: ClassVar[int] = UNLESS
    part: Node
    other: Node

    def __str__(self) -> str:
        return f"{grouped(self.part, SINGLE)} UNLESS {grouped(self.other, SINGLE)}"

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.part, self.other)

    @property
    def positive(self) -> bool:
        return self.part.positive

    @property
    def placed(self) -> bool:
        return True

    @property
    def keys(self) -> frozenset[str] | None:
        return self.part.keys

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """The occurrences that are left."""
        found = self.part.find(document, scope)
        if not found:
            return None
        covered = _covered(self.other.find(document, scope) or ())
        return tuple(occurrence for occurrence in found if not any(_overlaps(occurrence, covered))) or None


def _overlaps(occurrence: Occurrence, covered: dict[str, tuple[list[int], list[int]]]) -> Iterator[bool]:
    """For each mention in the occurrence, whether it has a word in one of the covered ranges."""
    for mention in occurrence.mentions():
        first, last = covered.get(mention.field, ((), ()))
        place = bisect_right(first, mention.last) - 1
        yield place >= 0 and last[place] >= mention.first


def _covered(occurrences: Iterable[Occurrence]) -> dict[str, tuple[list[int], list[int]]]:
    """By field, the first and last words of the ranges that the occurrences cover, ascending and disjoint."""
    ranges: dict[str, tuple[list[int], list[int]]] = {}
    for name, first, last in sorted(occurrence[:3] for occurrence in occurrences):
        firsts, lasts = ranges.setdefault(name, ([], []))
        if lasts and first <= lasts[-1]:
            lasts[-1] = max(lasts[-1], last)
        else:
            firsts.append(first)
            lasts.append(last)
    return ranges


def _neighbours(left: Iterable[Occurrence], right: Iterable[Occurrence], in_order: bool) -> Iterator[Pair]:
    rights = _by_field(right)
    for name, lefts in _by_field(left).items():
        if name not in rights:
            continue
        yield from _followers(lefts, rights[name])
        if not in_order:
            yield from _followers(rights[name], lefts)
            yield from _within(lefts, rights[name])
            yield from _within(rights[name], lefts)


def _by_field(occurrences: Iterable[Occurrence]) -> dict[str, list[Occurrence]]:
    fields: dict[str, list[Occurrence]] = {}
    for occurrence in occurrences:
        fields.setdefault(occurrence.field, []).append(occurrence)
    return fields


def _followers(left: list[Occurrence], right: list[Occurrence]) -> Iterator[Pair]:
    """Each of `left` with the next of `right` after it, and each of `right` with the last of `left` before it."""
    by_first = sorted(right, key=lambda occurrence: occurrence.first)
    firsts = [occurrence.first for occurrence in by_first]
    for before in left:
        place = bisect_right(firsts, before.last)
        if place < len(by_first):
            yield Pair(firsts[place] - before.last - 1, before, by_first[place])
    by_last = sorted(left, key=lambda occurrence: occurrence.last)
    lasts = [occurrence.last for occurrence in by_last]
    for after in right:
        place = bisect_left(lasts, after.first) - 1
        if place >= 0:
            yield Pair(after.first - lasts[place] - 1, by_last[place], after)


def _within(wide: list[Occurrence], others: list[Occurrence]) -> Iterator[Pair]:
    """Each NEAR of `wide` with one of `others` that is within it, but shares no word with its sides."""
    if not any(occurrence.parts for occurrence in wide):
        return
    by_first = sorted(others, key=lambda occurrence: occurrence.first)
    firsts = [occurrence.first for occurrence in by_first]
    for outer in (occurrence for occurrence in wide if occurrence.parts):
        sides = [(mention.first, mention.last) for mention in outer.mentions()]
        for inner in by_first[bisect_left(firsts, outer.first) : bisect_right(firsts, outer.last)]:
            if all(
                last < mention.first or mention.last < first for mention in inner.mentions() for first, last in sides
            ):
                yield Pair(0, outer, inner)
                break


ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class AtLeast(OfOne):
    """At least `least` mentions in all fields of the scope together: `ATLEAST/3 (wagner OR вагнер)`.

    Mentions that share a word count once: "Wagner Group" is one, also for `wagner OR "wagner group"`.
    """

    least: int
    part: Node

    def __str__(self) -> str:
        return f"ATLEAST/{self.least} {grouped(self.part, SINGLE)}"

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        found = self.part.find(document, scope)
        return found if found is not None and mentions(found) >= self.least else None


@dataclass(frozen=True, slots=True)
class Weighted(OfOne):
    """A part of a SCORE with its weight: `pmc^2`, `(russia* OR moscow)^0.5`."""

    part: Node
    weight: Decimal

    def __str__(self) -> str:
        return f"{grouped(self.part, SINGLE)}^{_plain(self.weight)}"


@dataclass(frozen=True, slots=True)
class Score(OfSeveral):
    """True if the true parts weigh `threshold` or more: `SCORE/5 (mercenar*^3 OR pmc^2 OR junta)`.

    Each part counts once, however often it occurs; without a weight it counts 1.
    """

    threshold: Decimal
    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return f"SCORE/{_plain(self.threshold)} ({' OR '.join(grouped(part, NOT) for part in self.parts)})"

    @property
    def positive(self) -> bool:
        """Whether the parts that are true of any article do not reach the threshold by themselves."""
        return sum(weight(part) for part in self.parts if not part.positive) < self.threshold

    @property
    def keys(self) -> frozenset[str] | None:
        known = [keys for part in self.parts if (keys := part.keys) is not None]
        return frozenset().union(*known) if len(known) == len(self.parts) else None

    @property
    def reachable(self) -> Decimal:
        """The weight of all parts together."""
        return sum((weight(part) for part in self.parts), Decimal(0))

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        reached, found = self.weigh(document, scope)
        return found if reached >= self.threshold else None

    def weigh(self, document: Document, scope: str) -> tuple[Decimal, tuple[Occurrence, ...]]:
        """The weight of the parts that are true, and their occurrences."""
        reached = Decimal(0)
        found: list[Occurrence] = []
        for part in self.parts:
            occurrences = part.find(document, scope)
            if occurrences is not None:
                reached += weight(part)
                found += occurrences
        return reached, tuple(found)


def weight(part: Node) -> Decimal:
    """The weight of a part of a SCORE."""
    return part.weight if isinstance(part, Weighted) else ONE


def mentions(occurrences: Iterable[Occurrence]) -> int:
    """How many mentions there are: the largest number of occurrences of which no two share a word."""
    counted = 0
    reached: dict[str, int] = {}
    for occurrence in sorted(occurrences, key=lambda occurrence: occurrence.last):
        if occurrence.first > reached.get(occurrence.field, -1):
            reached[occurrence.field] = occurrence.last
            counted += 1
    return counted


def _plain(number: Decimal) -> str:
    """The number without exponent and trailing zeros."""
    return f"{number.normalize():f}"
