"""Pure: articles as the archive keeps them: packed texts, and the words under which an index files them.

A record is a byte for its version, then JSON without fields that have their default, packed by Zstandard (RFC 8878).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from backports import zstd
from pydantic import TypeAdapter, ValidationError

from watchpost.errors import CodecError
from watchpost.match.matcher import document
from watchpost.model import Article
from watchpost.query.prefilter import index_text

_VERSION = b"1"
_LEVEL = 3  # a third of the time of level 6 for 3 % more bytes
_PACKER = zstd.ZstdCompressor(_LEVEL)  # making one takes as long as packing a short article; it locks each call
_LONGEST_BYTES = 64 * 1024 * 1024
_ARTICLE: TypeAdapter[Article] = TypeAdapter(Article)


@dataclass(frozen=True, slots=True)
class FiledArticle:
    """An article ready for the archive.

    `key` is the same for the same article under the same headline, and fits a signed 64-bit column. `fetched_ms` is
    when it was read, ms since 1970. `words` are those of the index, `packed` is what `unpack` reads.
    """

    key: int
    fetched_ms: int
    words: str
    packed: bytes

    @property
    def month(self) -> str:
        """The month in which it was read (UTC), such as 2026-11: the archive is divided by it."""
        return month_of(self.fetched_ms)


def filed(article: Article) -> FiledArticle:
    """The article as the archive keeps it."""
    return FiledArticle(
        _key(article), int(article.fetched.timestamp() * 1000), index_text(document(article)), _pack(article)
    )


def unpack(packed: bytes) -> Article:
    """The article of a record. Raises CodecError for one that a later version wrote, or that is damaged."""
    if packed[:1] != _VERSION:
        raise CodecError(f"archived article: not written by this version (starts with {packed[:1]!r})")
    try:
        unpacker = zstd.ZstdDecompressor()
        text = unpacker.decompress(packed[1:], _LONGEST_BYTES)
        if not unpacker.eof:
            raise CodecError(f"archived article: incomplete or longer than {_LONGEST_BYTES} bytes")
        return _ARTICLE.validate_json(text)
    except zstd.ZstdError as error:
        raise CodecError(f"archived article: damaged ({error})") from error
    except ValidationError as error:
        raise CodecError(f"archived article: damaged ({error.error_count()} wrong fields)") from None


def by_month(articles: Iterable[FiledArticle]) -> dict[str, list[FiledArticle]]:
    """The articles by month; of several with one key the first."""
    months: dict[str, dict[int, FiledArticle]] = {}
    for article in articles:
        months.setdefault(article.month, {}).setdefault(article.key, article)
    return {month: list(of_month.values()) for month, of_month in months.items()}


def month_of(ms: int) -> str:
    """The month of a moment, ms since 1970, in UTC: 2026-11."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m")


def _key(article: Article) -> int:
    """64 bits: of a million articles in a month, two different ones have the same key once in thirty million months."""
    what = b"\0".join(text.encode("utf-8", "surrogatepass") for text in (article.id, article.title))
    return int.from_bytes(hashlib.blake2b(what, digest_size=8, person=b"archive").digest(), "big", signed=True)


def _pack(article: Article) -> bytes:
    text = _ARTICLE.dump_json(article, exclude_defaults=True, exclude={"trace"})
    return _VERSION + _PACKER.compress(text, zstd.ZstdCompressor.FLUSH_FRAME)
