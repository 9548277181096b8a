"""Still: the ledger. What came in must be what went out and what still lies there.

The scripts count in the very step that moves a thing, so a sum that does not meet means that something was lost
or told twice within the store, and somebody must know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Audit:
    """The totals since the books were opened, and what lies in the queues, read at one instant."""

    totals: Mapping[str, int] = field(hash=False)
    articles: int
    parked: int
    deliveries: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A sum that does not meet: `came` in, `went` out or still there, at one hop."""

    hop: str
    came: int
    went: int

    def __str__(self) -> str:
        return f"{self.hop}: {self.came} came in, {self.went} went on or wait"


def gaps(audit: Audit) -> tuple[Gap, ...]:
    """Every sum that does not meet: articles, hits, deliveries. Empty: everything is accounted for."""

    def total(*names: str) -> int:
        return sum(audit.totals.get(name, 0) for name in names)

    sums = (
        Gap("articles", total("new", "requeued_articles"), total("matched", "dead_articles") + audit.articles),
        Gap("hits", total("parked", "requeued_hits"), total("told", "dead_hits") + audit.parked),
        Gap("deliveries", total("queued", "requeued"), total("sent", "dead", "dropped") + audit.deliveries),
    )
    return tuple(one for one in sums if one.came != one.went)


def by_name(page: Mapping[str, int], kind: str) -> dict[str, dict[str, int]]:
    """The counts of a page for each "source" or "topic": name → what → how many."""
    found: dict[str, dict[str, int]] = {}
    for key, number in page.items():
        prefix, _, rest = key.partition(":")
        name, _, what = rest.rpartition(":")
        if prefix == kind and name:
            found.setdefault(name, {})[what] = number
    return found
