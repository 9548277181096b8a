"""The silences that operators make while the service runs; those of the configuration stay in the configuration."""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from watchpost.schedules import Silence
from watchpost.store.client import Store

KEPT = timedelta(days=30)
"""For so long a silence that has ended is still shown."""

MOST_ENDED = 1_000
"""So many of those are kept: the notify role reads them all for each window that it closes."""

_TEXTS = ("reason", "by", "topic", "source", "severity", "text", "story")


class Silences:
    """The silences of an installation: one small hash, which the notify role reads for each window that it closes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = store.keys.silences

    async def all(self) -> tuple[Silence, ...]:
        """Return every silence, ended ones too, in the order of their ends. What cannot be read is left out."""
        async with self._store.errors():
            rows = await self._store.redis.hgetall(self._key)
        silences = [silence for id_, text in rows.items() if (silence := _read(id_.decode("utf-8", "replace"), text))]
        return tuple(sorted(silences, key=lambda silence: (silence.until, silence.id)))

    async def add(self, silence: Silence, now: datetime) -> None:
        """Add a silence that begins now; it replaces one of the same id."""
        values: dict[str, str] = {name: getattr(silence, name) for name in _TEXTS}
        values |= {"until": silence.until.isoformat(), "since": now.isoformat()}
        async with self._store.errors():
            await self._store.redis.hset(self._key, silence.id, json.dumps(values, ensure_ascii=False))

    async def tidy(self, now: datetime) -> int:
        """Delete what ended more than KEPT ago, and the oldest beyond MOST_ENDED; how many this call has deleted."""
        ended = [each for each in await self.all() if each.until <= now]
        number = max(bisect_left(ended, now - KEPT, key=lambda each: each.until), len(ended) - MOST_ENDED)
        if number <= 0:
            return 0
        async with self._store.errors():
            return int(await self._store.redis.hdel(self._key, *(each.id for each in ended[:number])))

    async def expire(self, id_: str, now: datetime) -> Silence | None:
        """End a silence now and return it as it is then; None if there is no silence of that id that has not ended."""
        silence = next((each for each in await self.all() if each.id == id_ and each.until > now), None)
        if silence is None:
            return None
        ended = replace(silence, until=now)
        await self.add(ended, silence.since or now)
        return ended


def _read(id_: str, text: bytes) -> Silence | None:
    try:
        values: Any = json.loads(text)
        until, since = (datetime.fromisoformat(values[name]).astimezone(UTC) for name in ("until", "since"))
        return Silence(id_, until, since=since, **{name: str(values.get(name, "")) for name in _TEXTS})
    except (ValueError, TypeError, KeyError):
        return None
