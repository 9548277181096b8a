"""Reading the ledger that the scripts keep: the audit of all time, and the page of a day."""

from __future__ import annotations

from datetime import date

from watchpost.wire.ledger import Audit
from watchpost.wire.store import Store

_EPOCH = date(1970, 1, 1)


class Books:
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
