"""Who wants no more mail of a receiver: an address stays so until it says otherwise."""

from __future__ import annotations

from datetime import datetime

from watchpost.wire.store import Store


class Unsubscribed:
    """One hash: receiver and address → since when (ms)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = store.keys.unsubscribed

    async def of(self, receiver: str) -> frozenset[str]:
        """The addresses that this receiver does not write to."""
        async with self._store.errors():
            fields = await self._store.redis.hkeys(self._key)
        pairs = (field.decode("utf-8", "replace").partition("\n") for field in fields)
        return frozenset(address for name, _, address in pairs if name == receiver)

    async def add(self, receiver: str, address: str, now: datetime) -> None:
        """From now on; doing it twice changes nothing."""
        async with self._store.errors():
            await self._store.redis.hsetnx(self._key, f"{receiver}\n{address}", int(now.timestamp() * 1000))

    async def remove(self, receiver: str, address: str) -> None:
        """It is written to again."""
        async with self._store.errors():
            await self._store.redis.hdel(self._key, f"{receiver}\n{address}")
