"""The articles that wait for the archive: COMMIT queues them, and whoever has archived them removes them."""

from __future__ import annotations

from collections.abc import Sequence

from watchpost.model import Article
from watchpost.store import keys
from watchpost.store.client import Store
from watchpost.store.codec import ARTICLE
from watchpost.store.streams import StreamClaims, StreamEntry

MOST_UNARCHIVED = 20_000
"""The articles that may wait, some 40 MB; while more come, they are counted and not archived."""


class Unarchived:
    """What the archive's loop may do. Every method but `read` raises StoreError."""

    def __init__(self, store: Store, consumer: str, lease_ms: int) -> None:
        self._store = store
        self._stream = store.keys.unarchived
        self.claims = StreamClaims(store, self._stream, keys.ARCHIVE, consumer, lease_ms)

    @staticmethod
    def read(entry: StreamEntry) -> Article:
        """Return the article of an entry. Raises CodecError."""
        return ARTICLE.decode(entry.fields.get(b"a", b""))

    async def done(self, entries: Sequence[StreamEntry]) -> None:
        """Remove entries that are in the archive, or never will be."""
        if entries:
            ids = [entry.id for entry in entries]
            async with self._store.errors():
                pipe = self._store.redis.pipeline(transaction=True)
                pipe.xack(self._stream, keys.ARCHIVE, *ids)
                pipe.xdel(self._stream, *ids)
                await pipe.execute()

    async def waiting(self) -> int:
        """Return how many articles wait."""
        async with self._store.errors():
            return int(await self._store.redis.xlen(self._stream))


async def forget_unarchived(store: Store) -> None:
    """Remove what waits: there is no archive any more. Raises StoreError."""
    async with store.errors():
        if await store.redis.exists(store.keys.unarchived):
            await store.redis.delete(store.keys.unarchived)
