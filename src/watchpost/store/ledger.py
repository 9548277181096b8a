"""The ledger: what came in must be what went out and what still waits.

The scripts count in the very step that moves a thing. If a sum does not match, the store has lost something or sent it
twice, and the ledger reports a gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from watchpost.store.client import Store
from watchpost.store.codec import fields_of

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Audit:
    """The totals since the ledger was started, and how much waits in the queues, read at one instant."""

    totals: Mapping[str, int] = field(hash=False)
    articles: int
    parked: int
    deliveries: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A sum that does not match: how much `came` to one hop, and how much `went` on or still waits there."""

    hop: str
    came: int
    went: int

    def __str__(self) -> str:
        return f"{self.hop}: {self.came} in, {self.went} out or waiting"


class Ledger:
    """Reads the ledger that the scripts keep. Only `open` writes, once for each installation."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys

    async def open(self) -> Audit:
        """Start the ledger, if there is none; what waits in the queues is its opening balance."""
        return await self._audit("1")

    async def audit(self) -> Audit:
        """Return the totals and how much waits, at one instant."""
        return await self._audit("0")

    async def page(self, day: date) -> dict[str, int]:
        """Return what was counted on a day (UTC)."""
        async with self._store.errors():
            counts = await self._store.redis.hgetall(f"{self._keys.ledger}{(day - _EPOCH).days}")
        return {key.decode("utf-8", "replace"): int(count) for key, count in counts.items()}

    async def _audit(self, start: str) -> Audit:
        keys = self._keys
        names = [keys.ledger, keys.articles, keys.open, keys.bucket(""), keys.boxes, keys.outbox(""), keys.retry]
        flat, articles, parked, deliveries = await self._store.run("audit", names, [start])
        totals = {key.decode(): int(count) for key, count in fields_of(flat).items()}
        return Audit(totals, int(articles), int(parked), int(deliveries))


def gaps(audit: Audit) -> tuple[Gap, ...]:
    """Return the sums of articles, hits and deliveries that do not match; none if everything is accounted for."""

    def total(*names: str) -> int:
        return sum(audit.totals.get(name, 0) for name in names)

    sums = (
        Gap("articles", total("new", "requeued_articles"), total("matched", "dead_articles") + audit.articles),
        Gap("hits", total("parked", "requeued_hits"), total("told", "dead_hits") + audit.parked),
        Gap("deliveries", total("queued", "requeued"), total("sent", "dead", "dropped") + audit.deliveries),
    )
    return tuple(gap for gap in sums if gap.came != gap.went)


def by_name(page: Mapping[str, int], kind: str) -> dict[str, dict[str, int]]:
    """Return the counts of a page for each "source" or "topic": name → what → how many."""
    counts: dict[str, dict[str, int]] = {}
    for key, count in page.items():
        prefix, _, rest = key.partition(":")
        name, _, what = rest.rpartition(":")
        if prefix == kind and name:
            counts.setdefault(name, {})[what] = count
    return counts
