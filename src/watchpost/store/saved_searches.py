"""Searches of the archive that people saved under a name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from watchpost.store.client import Store
from watchpost.store.codec import from_ms, to_ms


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search: its name, its fields that are not empty as addresses have them, and who saved it when."""

    name: str
    asked: Mapping[str, str]
    by: str
    at: datetime


class SavedSearches:
    """Reads and writes saved searches. Every method raises StoreError."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = store.keys.searches

    async def all(self) -> tuple[SavedSearch, ...]:
        """Return all of them, by name. What this version cannot read is left out."""
        async with self._store.errors():
            rows = await self._store.redis.hgetall(self._key)
        found = [one for name, text in rows.items() if (one := _read(name.decode("utf-8", "replace"), text))]
        return tuple(sorted(found, key=lambda one: (one.name.casefold(), one.name)))

    async def of(self, name: str) -> SavedSearch | None:
        """Return the search of this name."""
        async with self._store.errors():
            text = await self._store.redis.hget(self._key, name)
        return None if text is None else _read(name, text)

    async def add(self, search: SavedSearch) -> bool:
        """Save a search; False if another one has its name."""
        values = {"asked": dict(search.asked), "by": search.by, "at": to_ms(search.at)}
        async with self._store.errors():
            text = json.dumps(values, ensure_ascii=False)
            if await self._store.redis.hsetnx(self._key, search.name, text):
                return True
        known = await self.of(search.name)
        return known is not None and known.asked == search.asked

    async def delete(self, name: str) -> bool:
        """Delete a search; False if there is none of this name."""
        async with self._store.errors():
            return bool(await self._store.redis.hdel(self._key, name))


def _read(name: str, text: bytes) -> SavedSearch | None:
    try:
        values = json.loads(text)
        asked = {str(key): str(value) for key, value in values["asked"].items()}
        return SavedSearch(name, asked, str(values["by"]), from_ms(values["at"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
