"""The silences that operators make while the service runs. Those of the configuration stay in the configuration."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from watchpost.schedules import Silence
from watchpost.store.client import Store

KEPT = timedelta(days=30)
"""So long an ended silence is still shown."""

_TEXTS = ("reason", "by", "topic", "source", "severity", "text", "story")


class Silences:
    """One hash of few fields: the notifier reads it for each window that it closes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = store.keys.silences

    async def all(self) -> tuple[Silence, ...]:
        """Every silence, ended ones too, by when it ends. What cannot be read is left out."""
        async with self._store.errors():
            rows = await self._store.redis.hgetall(self._key)
        found = [silence for id_, text in rows.items() if (silence := _read(id_.decode("utf-8", "replace"), text))]
        return tuple(sorted(found, key=lambda silence: (silence.until, silence.id)))

    async def add(self, silence: Silence, now: datetime) -> None:
        """From now on. One of the same id is replaced; those that ended long ago are forgotten."""
        values: dict[str, str] = {name: getattr(silence, name) for name in _TEXTS}
        values |= {"until": silence.until.isoformat(), "since": now.isoformat()}
        old = [each.id for each in await self.all() if each.until < now - KEPT]
        async with self._store.errors():
            await self._store.redis.hset(self._key, silence.id, json.dumps(values, ensure_ascii=False))
            if old:
                await self._store.redis.hdel(self._key, *old)

    async def expire(self, id_: str, now: datetime) -> Silence | None:
        """It ends now; returns it as it is then. None: there is none of that id that has not ended."""
        found = next((each for each in await self.all() if each.id == id_ and each.until > now), None)
        if found is None:
            return None
        ended = replace(found, until=now)
        await self.add(ended, found.since or now)
        return ended


def _read(id_: str, text: bytes) -> Silence | None:
    try:
        found: Any = json.loads(text)
        until, since = (datetime.fromisoformat(found[name]).astimezone(UTC) for name in ("until", "since"))
        return Silence(id_, until, since=since, **{name: str(found.get(name, "")) for name in _TEXTS})
    except (ValueError, TypeError, KeyError):
        return None
