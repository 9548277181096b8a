"""Pure: the operators that reckon with where things stand: NEAR, ONEAR, SAME and UNLESS."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, NamedTuple

from watchpost.query.document import MOST_PLACES, Document
from watchpost.query.tree import NEAR, NOT, SINGLE, UNLESS, Node, Occurrence, fewest, grouped, in_scope


class Pair(NamedTuple):
    """Two occurrences in one field, in the order of the text, and how many words stand between them."""

    gap: int
    before: Occurrence
    after: Occurrence


@dataclass(frozen=True, slots=True)
class Proximity(Node):
    """Two clauses of which an occurrence of one must stand near one of the other."""

    binding: ClassVar[int] = NEAR
    left: Node
    right: Node

    def __str__(self) -> str:
        return f"{grouped(self.left, NEAR)} {self.operator} {grouped(self.right, UNLESS)}"

    @property
    def operator(self) -> str:
        """As it is written between the two."""
        raise NotImplementedError

    @property
    def children(self) -> tuple[Node, ...]:
        """Left and right."""
        return (self.left, self.right)

    @property
    def placed(self) -> bool:
        """Always: it stands from the one occurrence to the other."""
        return True

    @property
    def keys(self) -> frozenset[str] | None:
        """Those of the side with fewer."""
        return fewest(self.children)

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """Each pair of nearest neighbours that is near enough, as one occurrence that reaches over both."""
        clause = in_scope(self, scope)
        found: dict[tuple[str, int, int], Occurrence] = {}
        for pair in self.pairs(document, scope):
            if self.holds(document, pair):
                before, after = pair.before, pair.after
                place = (before.field, min(before.first, after.first), max(before.last, after.last))
                if place not in found:
                    found[place] = Occurrence(*place, clause, (before, after))
                    if len(found) == MOST_PLACES:
                        break
        return tuple(found.values()) or None

    def pairs(self, document: Document, scope: str) -> Iterator[Pair]:
        """Nearest neighbours, at whatever distance: each side with the nearest of the other before and behind."""
        left = self.left.find(document, scope)
        right = self.right.find(document, scope) if left is not None else None
        if left and right:
            yield from _neighbours(left, right, self.ordered)

    @property
    def ordered(self) -> bool:
        """Whether the left must stand first."""
        return False

    def holds(self, document: Document, pair: Pair) -> bool:
        """Whether the two are near enough."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Near(Proximity):
    """At most `words` words between the two: `wagner NEAR/15 mercenar*`; ONEAR: the left one first."""

    words: int = 4
    in_order: bool = False

    @property
    def operator(self) -> str:
        """NEAR/n or ONEAR/n."""
        return f"{'O' if self.in_order else ''}NEAR/{self.words}"

    @property
    def ordered(self) -> bool:
        """Whether it is ONEAR."""
        return self.in_order

    def holds(self, document: Document, pair: Pair) -> bool:
        """Whether few enough words stand between."""
        return pair.gap <= self.words


@dataclass(frozen=True, slots=True)
class Same(Proximity):
    """Both in one paragraph: `wagner SAME bamako`. Paragraphs are parted by an empty line; a title is one."""

    @property
    def operator(self) -> str:
        """SAME."""
        return "SAME"

    def holds(self, document: Document, pair: Pair) -> bool:
        """Whether no paragraph ends between the two."""
        index = document.index(pair.before.field)
        first = min(pair.before.first, pair.after.first)
        return index.paragraph(first) == index.paragraph(max(pair.before.last, pair.after.last))


@dataclass(frozen=True, slots=True)
class Unless(Node):
    """Mentions of `part` that are not mentions of `other`: `wagner UNLESS "richard wagner"`.

    A mention is dropped if a word of it lies between the first and the last word of an occurrence of `other` in
    the same field. The article stays if another mention does.
    """

    binding: ClassVar[int] = UNLESS
    part: Node
    other: Node

    def __str__(self) -> str:
        return f"{grouped(self.part, SINGLE)} UNLESS {grouped(self.other, SINGLE)}"

    @property
    def children(self) -> tuple[Node, ...]:
        """What is looked for, and what it must not be part of."""
        return (self.part, self.other)

    @property
    def positive(self) -> bool:
        """As what is looked for is."""
        return self.part.positive

    @property
    def placed(self) -> bool:
        """Always: it stands where what is left stands."""
        return True

    @property
    def keys(self) -> frozenset[str] | None:
        """Those of what is looked for."""
        return self.part.keys

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """The occurrences that are left."""
        found = self.part.find(document, scope)
        if not found:
            return None
        reaches = _merged(self.other.find(document, scope) or ())
        return tuple(one for one in found if not any(_touched(one, reaches))) or None


def _touched(occurrence: Occurrence, reaches: dict[str, tuple[list[int], list[int]]]) -> Iterator[bool]:
    """For each mention in the occurrence, whether a reach shares a word with it."""
    for mention in occurrence.mentions():
        first, last = reaches.get(mention.field, ((), ()))
        place = bisect_right(first, mention.last) - 1
        yield place >= 0 and last[place] >= mention.first


def _merged(occurrences: Iterable[Occurrence]) -> dict[str, tuple[list[int], list[int]]]:
    """By field, first and last words of what the occurrences cover, ascending and apart."""
    found: dict[str, tuple[list[int], list[int]]] = {}
    for name, first, last in sorted(one[:3] for one in occurrences):
        firsts, lasts = found.setdefault(name, ([], []))
        if lasts and first <= lasts[-1]:
            lasts[-1] = max(lasts[-1], last)
        else:
            firsts.append(first)
            lasts.append(last)
    return found


def _neighbours(left: Iterable[Occurrence], right: Iterable[Occurrence], ordered: bool) -> Iterator[Pair]:
    rights = _by_field(right)
    for name, lefts in _by_field(left).items():
        if name not in rights:
            continue
        yield from _successions(lefts, rights[name])
        if not ordered:
            yield from _successions(rights[name], lefts)
            yield from _within(lefts, rights[name])
            yield from _within(rights[name], lefts)


def _by_field(occurrences: Iterable[Occurrence]) -> dict[str, list[Occurrence]]:
    found: dict[str, list[Occurrence]] = {}
    for occurrence in occurrences:
        found.setdefault(occurrence.field, []).append(occurrence)
    return found


def _successions(ones: list[Occurrence], others: list[Occurrence]) -> Iterator[Pair]:
    """Each of `ones` with the next of `others` behind it, and each of `others` with the last one before it."""
    by_first = sorted(others, key=lambda other: other.first)
    firsts = [other.first for other in by_first]
    for one in ones:
        place = bisect_right(firsts, one.last)
        if place < len(by_first):
            yield Pair(firsts[place] - one.last - 1, one, by_first[place])
    by_last = sorted(ones, key=lambda one: one.last)
    lasts = [one.last for one in by_last]
    for other in others:
        place = bisect_left(lasts, other.first) - 1
        if place >= 0:
            yield Pair(other.first - lasts[place] - 1, by_last[place], other)


def _within(wide: list[Occurrence], others: list[Occurrence]) -> Iterator[Pair]:
    """What reaches over words that nobody asked for, with each of `others` that has only such words in common."""
    if not any(one.parts for one in wide):
        return
    by_first = sorted(others, key=lambda other: other.first)
    firsts = [other.first for other in by_first]
    for one in (one for one in wide if one.parts):
        asked = [(mention.first, mention.last) for mention in one.mentions()]
        for other in by_first[bisect_left(firsts, one.first) : bisect_right(firsts, one.last)]:
            apart = all(
                last < mention.first or mention.last < first for mention in other.mentions() for first, last in asked
            )
            if apart:
                yield Pair(0, one, other)
                break


# the operators that count: ATLEAST counts mentions, SCORE adds up what different terms weigh.


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
