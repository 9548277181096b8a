"""Pure: model values ↔ bytes: a letter for the type, a digit for the version, then JSON, deflated when it is long.

A version that this release does not know raises CodecError, so that nothing is misread; the entry then goes to the
dead letters with its bytes. A new field with a default keeps the version; any other change raises it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from watchpost.errors import CodecError
from watchpost.model import Article, Delivery, EscalatedDelivery, Hit, HitVerdict, Message

T = TypeVar("T")

_DEFLATE_FROM_BYTES = 2048
_INFLATED_LIMIT_BYTES = 64 * 1024 * 1024


class Codec(Generic[T]):
    """Encodes and decodes one type. `letter` marks its records in Redis."""

    def __init__(self, letter: str, type_: type[T]) -> None:
        self._plain = f"{letter}1".encode()
        self._deflated = f"{letter.upper()}1".encode()
        self._name = type_.__name__
        self._adapter: TypeAdapter[T] = TypeAdapter(type_)

    def encode(self, value: T) -> bytes:
        """Return the value as bytes."""
        text = self._adapter.dump_json(value, by_alias=True)
        if len(text) < _DEFLATE_FROM_BYTES:
            return self._plain + text
        return self._deflated + zlib.compress(text, 1)

    def decode(self, data: bytes) -> T:
        """Return the value that `encode` was given. Raises CodecError for any other bytes."""
        mark, text = data[:2], data[2:]
        try:
            if mark == self._deflated:
                inflater = zlib.decompressobj()
                text = inflater.decompress(text, _INFLATED_LIMIT_BYTES)
                if not inflater.eof:
                    raise CodecError(f"{self._name}: incomplete or longer than {_INFLATED_LIMIT_BYTES} bytes")
            elif mark != self._plain:
                raise CodecError(f"{self._name}: not written by this version (starts with {mark!r})")
            return self._adapter.validate_json(text)
        except zlib.error as error:
            raise CodecError(f"{self._name}: damaged ({error})") from error
        except ValidationError as error:
            raise CodecError(f"{self._name}: damaged ({error.error_count()} wrong fields)") from None

    def decode_or_none(self, data: bytes) -> T | None:
        """Return the value, or None if this version cannot read it."""
        try:
            return self.decode(data)
        except CodecError:
            return None


ARTICLE = Codec("a", Article)
HIT = Codec("h", Hit)
MESSAGE = Codec("m", Message)
VERDICT = Codec("v", HitVerdict)


def to_ms(moment: datetime) -> int:
    """Return a moment as Redis stores it: milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def from_ms(raw: bytes | str | float) -> datetime:
    """Return the moment of `to_ms`, in UTC."""
    return datetime.fromtimestamp(int(raw) / 1000, UTC)


def from_ms_or_none(raw: bytes | str | float | None) -> datetime | None:
    """Return the moment of a field that may be missing."""
    return None if raw is None else from_ms(raw)


def text_of(fields: Mapping[bytes, bytes], name: bytes) -> str:
    """Return a field as text, "" if it is missing; bytes that are no UTF-8 are replaced."""
    return fields.get(name, b"").decode("utf-8", "replace")


def fields_of(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return the hash that a script returned as a flat list field, value, …"""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def delivery_facts(deliveries: Sequence[Delivery]) -> list[dict[str, object]]:
    """Return deliveries as scripts/shared/outbox.lua reads them; their messages follow as bytes."""
    return [
        {
            "id": delivery.id,
            "receiver": delivery.receiver,
            "digest": delivery.digest,
            "created": to_ms(delivery.created),
            "contents": delivery.contents,
        }
        for delivery in deliveries
    ]


def escalation_facts(escalations: Sequence[EscalatedDelivery]) -> list[dict[str, object]]:
    """Return escalations as scripts/close_due.lua reads them; their messages follow as bytes."""
    facts = delivery_facts([each.delivery for each in escalations])
    return [
        fact | {"story": each.story, "unless": each.unless, "after_ms": int(each.after.total_seconds() * 1000)}
        for fact, each in zip(facts, escalations, strict=True)
    ]
