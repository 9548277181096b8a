"""Pure: what a feed's hub and we know of each other (WebSub, W3C Recommendation): callback token, secret, signature.

All of it follows from one key of the installation, so nothing is kept that could leak, and every process knows it.
"""

from __future__ import annotations

import hashlib
import hmac

_METHODS = ("sha1", "sha256", "sha384", "sha512")  # WebSub, 8: all that a hub may sign with


def token_of(key: bytes, feed: str, topic: str) -> str:
    """The part of the callback's address that nobody can guess."""
    return _derived(key, "callback", feed, topic)[:40]


def secret_of(key: bytes, feed: str, topic: str) -> str:
    """What the hub signs with; printable, less than 200 bytes (WebSub, 5.1)."""
    return _derived(key, "secret", feed, topic)


def is_signed(secret: str, header: str, body: bytes) -> bool:
    """Whether X-Hub-Signature ("sha256=…") is that of `body`, told in a time that does not depend on the answer."""
    method, _, given = header.strip().partition("=")
    if method.lower() not in _METHODS:
        return False
    expected = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    return hmac.compare_digest(expected.encode(), given.strip().lower().encode("utf-8", "replace"))


def _derived(key: bytes, *parts: str) -> str:
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()
