"""Verdicts: whether hits of a topic were relevant, as people said, with the text that the topic matched."""

from __future__ import annotations

from watchpost.model import HitVerdict
from watchpost.store.client import Store
from watchpost.store.codec import VERDICT

MOST_KEPT = 1_000
"""The verdicts that a topic keeps; the oldest are dropped."""

LONGEST_BODY = 20_000
"""The characters of an article's body that are kept with a verdict."""


class Verdicts:
    """Reads and writes the verdicts on the hits of topics. Every method raises StoreError."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys

    async def set(self, verdict: HitVerdict) -> None:
        """Keep a verdict; it replaces an earlier one on the same article."""
        key = self._keys.verdicts(verdict.topic)
        async with self._store.errors():
            await self._store.redis.hset(key, verdict.article.id, VERDICT.encode(verdict))
            count = int(await self._store.redis.hlen(key))
        if count > MOST_KEPT:
            kept = await self.of(verdict.topic)
            async with self._store.errors():
                await self._store.redis.hdel(key, *(one.article.id for one in kept[MOST_KEPT:]))

    async def remove(self, topic: str, article: str) -> bool:
        """Take a verdict back; False if there is none."""
        async with self._store.errors():
            return bool(await self._store.redis.hdel(self._keys.verdicts(topic), article))

    async def of(self, topic: str) -> tuple[HitVerdict, ...]:
        """Return the verdicts on a topic's hits, the newest first. What this version cannot read is left out."""
        async with self._store.errors():
            rows = await self._store.redis.hvals(self._keys.verdicts(topic))
        found = [verdict for row in rows if (verdict := VERDICT.decode_or_none(row)) is not None]
        return tuple(sorted(found, key=lambda verdict: (verdict.at, verdict.article.id), reverse=True))
