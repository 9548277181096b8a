"""the ledger. What came in must be what went out and what still lies there.

The scripts count in the very step that moves a thing, so a sum that does not meet means that something was lost
or told twice within the store, and somebody must know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from watchpost.store.client import Store


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


# Reading the ledger that the scripts keep: the audit of all time, and the page of a day.


_EPOCH = date(1970, 1, 1)


class Ledger:
    """Looks; `open` alone writes, once in the life of an installation."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys

    async def open(self) -> Audit:
        """Begin the books, if there are none, with what lies in the queues as opening balance."""
        return await self._audit("1")

    async def audit(self) -> Audit:
        """The totals and what lies in the queues, at one instant."""
        return await self._audit("0")

    async def page(self, day: date) -> dict[str, int]:
        """What was counted on a day (UTC)."""
        async with self._store.errors():
            found = await self._store.redis.hgetall(f"{self._keys.ledger}{(day - _EPOCH).days}")
        return {key.decode("utf-8", "replace"): int(value) for key, value in found.items()}

    async def _audit(self, start: str) -> Audit:
        keys = self._keys
        names = [keys.ledger, keys.articles, keys.open, keys.bucket(""), keys.boxes, keys.outbox(""), keys.retry]
        flat, articles, parked, deliveries = await self._store.run("audit", names, [start])
        totals = dict(zip((key.decode() for key in flat[::2]), (int(value) for value in flat[1::2]), strict=True))
        return Audit(totals, int(articles), int(parked), int(deliveries))
