"""Pure: model values ↔ bytes: a letter for the type, a digit for the version, then JSON, deflated when it is long.

What this version does not know it refuses with CodecError, so that nothing is read wrongly; the entry then
goes to the dead letters as it is. Adding a field with a default keeps the version; anything else raises it.
"""

from __future__ import annotations

import zlib
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from watchpost.errors import CodecError
from watchpost.model import Article, Hit, Message

T = TypeVar("T")

_DEFLATE_FROM_BYTES = 2048
_INFLATED_LIMIT_BYTES = 64 * 1024 * 1024


class Codec(Generic[T]):
    """Encodes and decodes one type. `letter` is its mark on the wire."""

    def __init__(self, letter: str, type_: type[T]) -> None:
        self._plain = f"{letter}1".encode()
        self._deflated = f"{letter.upper()}1".encode()
        self._name = type_.__name__
        self._adapter: TypeAdapter[T] = TypeAdapter(type_)

    def encode(self, value: T) -> bytes:
        """The value as bytes."""
        text = self._adapter.dump_json(value, by_alias=True)
        if len(text) < _DEFLATE_FROM_BYTES:
            return self._plain + text
        return self._deflated + zlib.compress(text, 1)

    def decode(self, data: bytes) -> T:
        """The value that `encode` was given. Raises CodecError for anything else."""
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


ARTICLE = Codec("a", Article)
HIT = Codec("h", Hit)
MESSAGE = Codec("m", Message)
