"""Still: what an article must hold for a query to be worth asking.

A query's anchors are literals of the scanned text (`scanned`) of which at least one stands in every article that
the query matches. Of several such sets the cheapest is taken. Matching with anchors finds exactly what matching
without them finds, only sooner: a node that says nothing about itself has none, and its query is always asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise, product
from typing import NamedTuple

from watchpost.query.counting import AtLeast, Score, Weighted, weight
from watchpost.query.leaves import Leaf
from watchpost.query.nearness import Together, Unless
from watchpost.query.scanned import LONGEST_LITERAL, literal
from watchpost.query.tree import And, Field, Named, Node, Or
from watchpost.query.words import Step, is_unspaced

Price = Callable[[str], float]
"""What it costs to look for a literal: about the share of articles that hold it."""

MOST_FORMS = 12
"""How many literals may stand for one pair of words in all their forms."""


class Choice(NamedTuple):
    """Literals of which one must occur, and what they cost together."""

    price: float
    literals: frozenset[str]


def anchors(node: Node, price: Price) -> tuple[str, ...] | None:
    """Literals of which at least one stands in every article that `node` is true of; None if none are known."""
    found = _choice(node, price, "")
    return None if found is None else tuple(sorted(found.literals))


def _choice(node: Node, price: Price, scope: str) -> Choice | None:
    match node:
        case Leaf():
            return _cheapest(_of_steps(node.steps, price, scope))
        case And(parts=parts):
            return _cheapest(_choice(part, price, scope) for part in parts)
        case Or(parts=parts):
            return _together(_choice(part, price, scope) for part in parts)
        case Field(name=name, part=part):
            return _choice(part, price, name)
        case Together():
            return _cheapest(_choice(side, price, scope) for side in node.children)
        case Named(part=part) | Unless(part=part) | AtLeast(part=part) | Weighted(part=part):
            return _choice(part, price, scope)
        case Score():
            return _of_score(node, price, scope)
    return None


def _cheapest(choices: Iterable[Choice | None]) -> Choice | None:
    return min((choice for choice in choices if choice is not None), key=lambda choice: choice.price, default=None)


def _together(choices: Iterable[Choice | None]) -> Choice | None:
    total = 0.0
    literals: set[str] = set()
    for choice in choices:
        if choice is None:
            return None
        total += choice.price
        literals |= choice.literals
    return Choice(total, frozenset(literals))


def _of_score(node: Score, price: Price, scope: str) -> Choice | None:
    """The parts without which the threshold is out of reach: the dearest that can be spared are left out."""
    known = [(_choice(part, price, scope), weight(part)) for part in node.parts]
    spare = node.threshold
    needed = []
    for choice, weighs in sorted(known, key=lambda pair: -(float("inf") if pair[0] is None else pair[0].price)):
        if weighs < spare:
            spare -= weighs
        else:
            needed.append(choice)
    return _together(needed) if needed else None


def _of_steps(steps: Sequence[Step], price: Price, scope: str) -> Iterator[Choice]:
    """The ways to anchor words that stand one after the other: by one of them, by two, by a run of characters.

    No more than two words of scripts with spaces: a word that was broken by the end of a line may be one of them.
    """
    for step in steps:
        yield _priced(_literals((step,), scope), price)
    for pair in pairwise(steps):
        if not pair[0].prefix and len(_forms(pair[0])) * len(_forms(pair[1])) <= MOST_FORMS:
            yield _priced(_literals(pair, scope), price)
    for run in _unspaced_runs(steps):
        yield _priced(_literals(run, scope), price)


def _unspaced_runs(steps: Sequence[Step]) -> Iterator[Sequence[Step]]:
    """The longest runs of characters in scripts without spaces, at most as long as literals may be."""
    start = 0
    for place in range(len(steps) + 1):
        inside = place < len(steps) and not steps[place].forms and is_unspaced(steps[place].folded[:1])
        if not inside or place - start == LONGEST_LITERAL:
            if place - start > 2:
                yield steps[start:place]
            start = place if inside else place + 1


def _literals(steps: Sequence[Step], scope: str) -> frozenset[str]:
    prefix = steps[-1].prefix
    return frozenset(literal(words, scope, prefix=prefix) for words in product(*map(_forms, steps)))


def _forms(step: Step) -> tuple[str, ...]:
    return (step.folded,) if step.prefix else (step.folded, *step.forms)


def _priced(literals: frozenset[str], price: Price) -> Choice:
    return Choice(sum(map(price, literals)), literals)
