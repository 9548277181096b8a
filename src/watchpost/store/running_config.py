"""The configuration that each running role has, published so that commands and pages can compare it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchpost.errors import CodecError
from watchpost.store.client import Store

ROLES = ("all", "poll", "match", "notify", "web")

_KEPT_MS = 10 * 60 * 1000  # a process publishes each minute; one that has ended is forgotten
_INFLATED_LIMIT_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RunningConfig:
    """What the processes of one role run. `shown` is the whole configuration; of secrets it names only the source.

    `since` is when it was loaded, in ISO form; `refused` are the mistakes in a newer one that was not.
    """

    role: str
    fingerprint: str
    since: str
    shown: Mapping[str, Any] = field(hash=False)
    refused: tuple[str, ...] = ()


class RunningConfigs:
    """Publishes the configuration of this process's role and reads all. Of several processes the last one counts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def publish(self, role: str, packed: bytes) -> None:
        """Publish what this role runs; to be repeated each minute."""
        async with self._store.errors():
            await self._store.redis.set(self._store.keys.config(role), packed, px=_KEPT_MS)

    async def running(self) -> tuple[RunningConfig, ...]:
        """Return what each running role has. Raises CodecError for what another version wrote."""
        async with self._store.errors():
            rows: Sequence[bytes | None] = await self._store.redis.mget([self._store.keys.config(r) for r in ROLES])
        return tuple(unpack(role, packed) for role, packed in zip(ROLES, rows, strict=True) if packed is not None)


def pack(running: RunningConfig) -> bytes:
    """Return it as bytes. Ten thousand feeds take some hundred kilobytes."""
    facts = [running.fingerprint, running.since, list(running.refused), running.shown]
    return zlib.compress(json.dumps(facts, ensure_ascii=False).encode(), 1)


def unpack(role: str, packed: bytes) -> RunningConfig:
    """Return what `pack` was given. Raises CodecError."""
    inflater = zlib.decompressobj()
    try:
        fingerprint, since, refused, shown = json.loads(inflater.decompress(packed, _INFLATED_LIMIT_BYTES))
        return RunningConfig(role, str(fingerprint), str(since), dict(shown), tuple(map(str, refused)))
    except (zlib.error, ValueError, TypeError) as error:
        raise CodecError(f"the configuration of {role} was not written by this version") from error
