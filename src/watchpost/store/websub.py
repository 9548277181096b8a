"""Subscriptions at hubs and what hubs push to us (WebSub, https://www.w3.org/TR/websub/), with tokens and signatures.

The poller subscribes and reads; the web server looks up subscriptions and appends what came. Tokens and secrets are
derived from one key of the installation, so that none of them is stored and every process has them.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal, get_args

from watchpost.store import keys
from watchpost.store.client import Argument, Store
from watchpost.store.codec import text_of
from watchpost.store.streams import StreamClaims, StreamEntry

MOST_WAITING = 100
"""Pushes that may wait to be read; after that a hub is asked to try again later."""

_KEPT_MS = 40 * 86_400_000  # longer than any lease that is accepted
_SIGNATURE_METHODS = ("sha1", "sha256", "sha384", "sha512")  # WebSub, 8: all that a hub may sign with

PushKind = Literal["content", "verified", "denied"]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription that we asked a hub for."""

    feed: str
    topic: str


@dataclass(frozen=True, slots=True)
class Push:
    """What a hub sent about one feed: new content, the confirmation of a subscription, or its refusal.

    `lease_seconds` 0: the hub gave none. `note` is the content's type, the topic, or the reason of the refusal.
    """

    kind: PushKind
    feed: str
    lease_seconds: int = 0
    note: str = ""
    body: bytes = b""


class PushStore:
    """Subscriptions and pushes. poll calls `expect`, `claims`, `read` and `done`; web calls `find` and `append`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys
        self._key = b""

    async def key(self) -> bytes:
        """Return what callbacks and secrets are derived from: drawn once for an installation, never shown."""
        if not self._key:
            self._key = (await self._store.secret("websub")).encode()
        return self._key

    async def expect(self, token: str, subscription: Subscription) -> None:
        """Let a hub confirm this subscription from now on, and push to it."""
        args: list[Argument] = [_KEPT_MS, subscription.feed, subscription.topic]
        await self._store.run("push_ask", [self._keys.push(token)], args)

    async def find(self, token: str) -> Subscription | None:
        """Return the subscription of a callback; None if we asked no hub for it."""
        async with self._store.errors():
            feed, topic = await self._store.redis.hmget(self._keys.push(token), "feed", "topic")
        return Subscription(feed.decode(), topic.decode()) if feed and topic else None

    async def append(self, push: Push) -> bool:
        """Store a push until a poller has processed it; return False if too many are waiting."""
        args: list[Argument] = [MOST_WAITING, push.kind, push.feed, push.lease_seconds, push.note, push.body]
        return bool(await self._store.run("push_append", [self._keys.pushed], args))

    def claims(self, consumer: str, lease_ms: int) -> StreamClaims:
        """Return one of the consumers that read pushes."""
        return StreamClaims(self._store, self._keys.pushed, keys.POLL, consumer, lease_ms)

    def read(self, entry: StreamEntry) -> Push | None:
        """Return the push of an entry; None if another version wrote it."""
        fields = entry.fields
        kind: PushKind | None = next((kind for kind in get_args(PushKind) if fields.get(b"k") == kind.encode()), None)
        if kind is None or not fields.get(b"l", b"").isdigit():
            return None
        return Push(kind, text_of(fields, b"f"), int(fields[b"l"]), text_of(fields, b"n"), fields.get(b"b", b""))

    async def done(self, entry: StreamEntry) -> None:
        """Remove a push that was processed."""
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
