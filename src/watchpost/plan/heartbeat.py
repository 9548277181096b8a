"""The dead man's switch as an operator writes it: whom to tell that this service lives, and how often."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from watchpost.model import derive_id
from watchpost.plan.fields import Duration, Network, Options, Secret


def _written_out(value: Any) -> Any:
    """An address in the file keeps a mark that changes with it, so that the configuration's fingerprint does."""
    return Secret(value, f"literal {derive_id('url', value)[:8]}") if isinstance(value, str) else value


def _seldom(value: timedelta) -> timedelta:
    if value < timedelta(seconds=10):
        raise ValueError("must be at least 10s")
    return value


def _address(secret: Secret) -> Secret:
    try:
        parts = urlsplit(secret.reveal())
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        sound = sound and parts.port != 0 and secret.reveal().isprintable() and " " not in secret.reveal()
    except ValueError:
        sound = False
    if not sound:
        raise PydanticCustomError("target", "the URL must be http:// or https:// with a host and without a user name")
    return secret


_NAMED = [
    {"type": "object", "additionalProperties": False, "properties": {how: {"type": "string"}}, "required": [how]}
    for how in ("env", "file")
]


class Heartbeat(Options):
    """An address that is asked (GET) `every` so often while everything works, and not otherwise.

    The address may be written out or be a secret; either way it has no printable form: it often holds a token.
    """

    url: Annotated[
        Secret,
        BeforeValidator(_written_out),
        AfterValidator(_address),
        WithJsonSchema({"oneOf": [{"type": "string", "pattern": "^https?://"}, *_NAMED]}),
    ]
    every: Annotated[Duration, AfterValidator(_seldom)] = timedelta(minutes=5)
    allow_private: tuple[Network, ...] = ()
