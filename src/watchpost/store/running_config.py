"""The configuration that a running process has, where commands and pages can see it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchpost.errors import CodecError
from watchpost.store.client import Store

ROLES = ("all", "poll", "match", "notify", "web")

_KEPT_MS = 10 * 60 * 1000  # after the process last said it: an ended one is forgotten
_INFLATED_LIMIT_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RunningConfig:
    """What the processes of one role run. `shown` is the whole configuration, secrets as where they come from.

    `since` is when it was taken over, in ISO form; `refused` are the complaints about a newer one that was not.
    """

    role: str
    fingerprint: str
    since: str
    shown: Mapping[str, Any] = field(hash=False)
    refused: tuple[str, ...] = ()


class RunningConfigs:
    """Writes for one's own role, reads all. Of several processes of a role the last one that wrote has the say."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def publish(self, role: str, packed: bytes) -> None:
        """Say what this role runs; to be said again each minute."""
        async with self._store.errors():
            await self._store.redis.set(self._store.keys.config(role), packed, px=_KEPT_MS)

    async def running(self) -> tuple[RunningConfig, ...]:
        """What each running role has. Raises CodecError for what another version wrote."""
        async with self._store.errors():
            found: Sequence[bytes | None] = await self._store.redis.mget([self._store.keys.config(r) for r in ROLES])
        return tuple(unpack(role, packed) for role, packed in zip(ROLES, found, strict=True) if packed is not None)


def pack(running: RunningConfig) -> bytes:
    """As bytes. Ten thousand feeds are some hundred kilobytes."""
    facts = [running.fingerprint, running.since, list(running.refused), running.shown]
    return zlib.compress(json.dumps(facts, ensure_ascii=False).encode(), 1)


def unpack(role: str, packed: bytes) -> RunningConfig:
    """What `pack` was given. Raises CodecError."""
    inflater = zlib.decompressobj()
    try:
        fingerprint, since, refused, shown = json.loads(inflater.decompress(packed, _INFLATED_LIMIT_BYTES))
        return RunningConfig(role, str(fingerprint), str(since), dict(shown), tuple(map(str, refused)))
    except (zlib.error, ValueError, TypeError) as error:
        raise CodecError(f"the configuration of {role} was not written by this version") from error
