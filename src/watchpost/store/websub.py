"""What hubs push to us: the poller asks and reads, the HTTP door looks up who was asked, and appends what came."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Literal

from watchpost.store import keys
from watchpost.store.client import Store
from watchpost.store.streams import StreamClaims, StreamEntry

MOST_WAITING = 100
"""Pushes that wait to be read; a hub that brings more is asked to come again."""

_KEPT_MS = 40 * 86_400_000  # longer than any lease that is believed


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription that we asked a hub for."""

    feed: str
    topic: str


@dataclass(frozen=True, slots=True)
class Push:
    """Something from a hub about one feed: new content, its word for a lease, or that it will not push.

    `lease_seconds` 0: it did not say. `note` is the content's type, the topic, or why it will not.
    """

    kind: Literal["content", "verified", "denied"]
    feed: str
    lease_seconds: int = 0
    note: str = ""
    body: bytes = b""


class PushStore:
    """Both ends: `ask`, `claims`, `read`, `done` are the poller's; `find`, `append` the HTTP door's."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys
        self._key = b""

    async def key(self) -> bytes:
        """What callbacks and secrets are derived from: drawn once for an installation, never shown."""
        if not self._key:
            async with self._store.errors():
                await self._store.redis.hsetnx(self._keys.meta, "websub", secrets.token_hex(32))
                self._key = bytes(await self._store.redis.hget(self._keys.meta, "websub"))
        return self._key

    async def expect(self, token: str, asked: Subscription) -> None:
        """From now on a hub may confirm this subscription, and push to it."""
        await self._store.run("push_ask", [self._keys.push(token)], [_KEPT_MS, asked.feed, asked.topic])

    async def find(self, token: str) -> Subscription | None:
        """The subscription of a callback; None: we asked nobody for it."""
        async with self._store.errors():
            feed, topic = await self._store.redis.hmget(self._keys.push(token), "feed", "topic")
        return Subscription(feed.decode(), topic.decode()) if feed and topic else None

    async def append(self, push: Push) -> bool:
        """Keep what came until a poller has dealt with it; False: too much is waiting."""
        fields: list[str | bytes | int] = ["k", push.kind, "f", push.feed, "l", push.lease_seconds]
        fields += ["n", push.note, "b", push.body]
        return bool(await self._store.run("push_append", [self._keys.pushed], [MOST_WAITING, *fields]))

    def claims(self, consumer: str, lease_ms: int) -> StreamClaims:
        """One poller among those that read what was pushed."""
        return StreamClaims(self._store, self._keys.pushed, keys.POLL, consumer, lease_ms)

    def read(self, entry: StreamEntry) -> Push | None:
        """What an entry says; None if it was written by another version."""
        fields = entry.fields
        kinds: dict[bytes, Literal["content", "verified", "denied"]] = {
            b"content": "content",
            b"verified": "verified",
            b"denied": "denied",
        }
        kind = kinds.get(fields.get(b"k", b""))
        if kind is None or not fields.get(b"l", b"").isdigit():
            return None
        texts = (fields.get(name, b"").decode("utf-8", "replace") for name in (b"f", b"n"))
        feed, note = texts
        return Push(kind, feed, int(fields[b"l"]), note, fields.get(b"b", b""))

    async def done(self, entry: StreamEntry) -> None:
        """The entry is dealt with, whatever came of it."""
        await self._store.run("push_done", [self._keys.pushed], [keys.POLL, entry.id])
