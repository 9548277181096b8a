"""Subscriptions at hubs and what hubs push to us (WebSub, https://www.w3.org/TR/websub/), with tokens and signatures.

The poller asks and reads; the web server looks up what was asked, and appends what came. Tokens and secrets follow from
one key of the installation, so that none of them is stored and every process has them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Literal

from watchpost.store import keys
from watchpost.store.client import Store
from watchpost.store.streams import StreamClaims, StreamEntry

MOST_WAITING = 100
"""Pushes that wait to be read; a hub that brings more is asked to come again."""

_KEPT_MS = 40 * 86_400_000  # longer than any lease that is believed
_SIGNATURE_METHODS = ("sha1", "sha256", "sha384", "sha512")  # WebSub, 8: all that a hub may sign with


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription that we asked a hub for."""

    feed: str
    topic: str


@dataclass(frozen=True, slots=True)
class Push:
    """A message of a hub about one feed: new content, the confirmation of a lease, or a refusal.

    `lease_seconds` 0: it did not say. `note` is the content's type, the topic, or the reason of the refusal.
    """

    kind: Literal["content", "verified", "denied"]
    feed: str
    lease_seconds: int = 0
    note: str = ""
    body: bytes = b""


class PushStore:
    """`expect`, `claims`, `read` and `done` are for the poller; `find` and `append` for the web server."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys
        self._key = b""

    async def key(self) -> bytes:
        """The key that tokens and secrets are derived from: drawn once for an installation, never shown."""
        if not self._key:
            async with self._store.errors():
                await self._store.redis.hsetnx(self._keys.meta, "websub", secrets.token_hex(32))
                self._key = bytes(await self._store.redis.hget(self._keys.meta, "websub"))
        return self._key

    async def expect(self, token: str, asked: Subscription) -> None:
        """Allow a hub to confirm this subscription, and to push to it."""
        await self._store.run("push_ask", [self._keys.push(token)], [_KEPT_MS, asked.feed, asked.topic])

    async def find(self, token: str) -> Subscription | None:
        """The subscription of a callback; None if we asked no hub for it."""
        async with self._store.errors():
            feed, topic = await self._store.redis.hmget(self._keys.push(token), "feed", "topic")
        return Subscription(feed.decode(), topic.decode()) if feed and topic else None

    async def append(self, push: Push) -> bool:
        """Keep a push until a poller has processed it; False if too many are waiting."""
        fields: list[str | bytes | int] = ["k", push.kind, "f", push.feed, "l", push.lease_seconds]
        fields += ["n", push.note, "b", push.body]
        return bool(await self._store.run("push_append", [self._keys.pushed], [MOST_WAITING, *fields]))

    def claims(self, consumer: str, lease_ms: int) -> StreamClaims:
        """The claims of one poller on the pushes."""
        return StreamClaims(self._store, self._keys.pushed, keys.POLL, consumer, lease_ms)

    def read(self, entry: StreamEntry) -> Push | None:
        """The push in an entry; None if another version wrote it."""
        fields = entry.fields
        kinds: dict[bytes, Literal["content", "verified", "denied"]] = {
            b"content": "content",
            b"verified": "verified",
            b"denied": "denied",
        }
        kind = kinds.get(fields.get(b"k", b""))
        if kind is None or not fields.get(b"l", b"").isdigit():
            return None
        feed, note = (fields.get(name, b"").decode("utf-8", "replace") for name in (b"f", b"n"))
        return Push(kind, feed, int(fields[b"l"]), note, fields.get(b"b", b""))

    async def done(self, entry: StreamEntry) -> None:
        """Drop an entry that was processed, or that cannot be."""
        await self._store.run("push_done", [self._keys.pushed], [keys.POLL, entry.id])


def token_of(key: bytes, feed: str, topic: str) -> str:
    """The part of the callback's address that nobody can guess."""
    return _derived(key, "callback", feed, topic)[:40]


def secret_of(key: bytes, feed: str, topic: str) -> str:
    """What the hub signs with; printable, less than 200 bytes (WebSub, 5.1)."""
    return _derived(key, "secret", feed, topic)


def is_signed(secret: str, header: str, body: bytes) -> bool:
    """Whether X-Hub-Signature ("sha256=…") is that of `body`; the time it takes does not depend on the answer."""
    method, _, signature = header.strip().partition("=")
    if method.lower() not in _SIGNATURE_METHODS:
        return False
    expected = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.strip().lower().encode("utf-8", "replace"))


def _derived(key: bytes, *parts: str) -> str:
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()
