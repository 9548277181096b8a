"""Pure: compressed answers, decompressed in small pieces, so that a bomb is noticed before it fills the memory.

gzip and deflate (RFC 1952, 1950, 1951), Brotli (RFC 7932), Zstandard (RFC 8878, with the window of RFC 9659); of
stored files also bzip2 and xz. Fifty megabytes of zeros are 80 bytes of Brotli.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterator
from lzma import LZMAError
from typing import Any

from watchpost.errors import FetchError

ACCEPTED = "gzip, br, zstd"
"""The value of Accept-Encoding."""

_PIECE_BYTES = 65_536
_LAYERS_MAX = 3
_SIGNATURES = {
    "gzip": (b"\x1f\x8b\x08",),
    "zstd": (b"\x28\xb5\x2f\xfd",),
    "bzip2": tuple(b"BZh%d1AY&SY" % level for level in range(1, 10)),
    "xz": (b"\xfd7zXZ\0",),
}
_XZ_MEMORY = 64 << 20  # bytes; a dictionary may ask for 4 GB
_FILES_MAX = 100  # compressed files one after another in one body; pbzip2 writes one for each 900 kB
_ENDS = (b"</rss>", b"</feed>", b"</rdf:rdf>", b"</urlset>", b"</html>")
_ZSTD_WINDOW_LOG = 23  # 8 MB, the most that RFC 9659 lets a server ask for


def decompress(encoding: str, packed: bytes, *, bytes_max: int, ratio: int, ratio_from: int) -> bytes:
    """The body that `packed` holds, at most `bytes_max`, and from `ratio_from` bytes on at most `ratio` times as long.

    `encoding` is the Content-Encoding, a list that is undone from its end (RFC 9110, 8.4). It is a weak sign: a name
    that stands for no compression ("aws-chunked", "utf-8", "none") and one that the body does not bear out change
    nothing, as in browsers; the name of another compression than the body's is corrected. A body that is a file of
    gzip, Zstandard, bzip2 or xz without any header is unpacked, too: sitemaps are stored so
    (https://www.sitemaps.org/protocol.html). What is damaged after its document's end is whole. Raises FetchError:
    "too_large", "truncated" (damaged, or cut short), "http_error" (an encoding that was not asked for).
    """
    parts = encoding.lower().replace(",", " ").split()
    names = [name for part in parts if (name := part.partition(";")[0]) in (*_DECOMPRESSORS, *_OTHERS)]
    if len(names) > _LAYERS_MAX:
        raise FetchError("http_error", f"the answer says that it is packed {len(names)} times")
    allowed = max(ratio_from, len(packed) * ratio)
    body = packed
    for name in reversed(names):
        if name in _OTHERS and not _is_document(body):
            raise FetchError("http_error", f"the answer is packed as {name!r}, which was not asked for")
        if body and name in _DECOMPRESSORS:
            body = _forgivingly(name, body, bytes_max, allowed, ratio)
    for _ in range(_LAYERS_MAX):
        if (signed := _by_signature(body)) is None:
            break
        body = _unpacked(_OF_FILES[signed], body, bytes_max, allowed, ratio)
    return body


def _forgivingly(name: str, body: bytes, bytes_max: int, allowed: int, ratio: int) -> bytes:
    """The body unpacked as `name` says, or as it is packed in truth; unchanged if it is a document."""
    signed = _by_signature(body)
    for other in dict.fromkeys((name, *([signed] if signed else ()), "deflate", "br")):
        try:
            unpacked = _unpacked(_OF_FILES[other], body, bytes_max, allowed, ratio)
        except FetchError as error:
            if other == name:
                failure = error
            if error.reason != "truncated" or _is_document(body):
                break
        else:
            if other in (name, signed) or _is_document(unpacked):
                return unpacked
    if failure.reason != "truncated" or not _is_document(body):
        raise failure
    return body


def _by_signature(body: bytes) -> str | None:
    return next((name for name, mark in _SIGNATURES.items() if body.startswith(mark)), None)


def _is_document(body: bytes) -> bool:
    """Whether the body begins as XML, HTML or JSON do, and so is not packed, whatever its header says."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")):  # UTF-16
        return True
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"{", b"[")


def _unpacked(
    decompressor: Callable[[bytes], Iterator[bytes]], packed: bytes, bytes_max: int, allowed: int, ratio: int
) -> bytes:
    out = bytearray()
    try:
        for piece in decompressor(packed):
            out += piece
            if len(out) > bytes_max:
                raise FetchError("too_large", f"unpacked, the answer has more than {bytes_max:,} bytes")
            if len(out) > allowed:
                raise FetchError("too_large", f"the answer grows more than {ratio}-fold when unpacked")
    except FetchError as error:
        if error.reason != "truncated" or not is_whole(out):
            raise
    return bytes(out)


def is_whole(body: bytes | bytearray) -> bool:
    """Whether an answer that broke off has the end of its document, so that nothing of it is missing."""
    return bytes(body[-200:]).rstrip().lower().endswith(_ENDS)


def _gzip(packed: bytes) -> Iterator[bytes]:
    rest = packed
    while rest.startswith(b"\x1f\x8b") or rest is packed:  # several members may follow, then padding
        rest = yield from _inflate(rest, 31)


def _deflate(packed: bytes) -> Iterator[bytes]:
    """ "deflate" is zlib's format, but some servers send it bare."""
    bare = len(packed) < 2 or packed[0] & 15 != 8 or int.from_bytes(packed[:2]) % 31
    yield from _inflate(packed, -15 if bare else 15)


def _inflate(packed: bytes, form: int) -> Generator[bytes, None, bytes]:
    """One member; returns what follows it."""
    inflater = zlib.decompressobj(form)
    while packed and not inflater.eof:
        try:
            yield inflater.decompress(packed, _PIECE_BYTES)
        except zlib.error as error:
            raise _damaged(error) from None
        packed = inflater.unconsumed_tail
    if not inflater.eof:
        raise _cut_short()
    return inflater.unused_data


def _brotli(packed: bytes) -> Iterator[bytes]:
    import brotli

    unpacker, rest = brotli.Decompressor(), packed
    while not unpacker.is_finished():
        try:
            piece = unpacker.process(rest, output_buffer_limit=_PIECE_BYTES)
        except brotli.error as error:
            raise _damaged(error) from None
        if not piece and unpacker.can_accept_more_data() and not unpacker.is_finished():
            raise _cut_short()
        yield piece
        rest = b""


def _zstd(packed: bytes) -> Iterator[bytes]:
    from backports import zstd

    bounds = {int(zstd.DecompressionParameter.window_log_max): _ZSTD_WINDOW_LOG}
    while packed:  # several frames may follow one another
        unpacker, rest = zstd.ZstdDecompressor(options=bounds), packed
        while not unpacker.eof:
            try:
                piece = unpacker.decompress(rest, _PIECE_BYTES)
            except zstd.ZstdError as error:
                raise _damaged(error) from None
            if not piece and unpacker.needs_input and not unpacker.eof:
                raise _cut_short()
            yield piece
            rest = b""
        packed = unpacker.unused_data


def _bzip2(packed: bytes) -> Iterator[bytes]:
    from bz2 import BZ2Decompressor

    yield from _files(packed, BZ2Decompressor, b"BZh")


def _xz(packed: bytes) -> Iterator[bytes]:
    from lzma import FORMAT_XZ, LZMADecompressor

    yield from _files(packed, lambda: LZMADecompressor(FORMAT_XZ, _XZ_MEMORY), b"\xfd7zXZ")


def _files(packed: bytes, new: Callable[[], Any], mark: bytes) -> Iterator[bytes]:
    """The contents of all files that follow one another; what is no such file ends them."""
    for _ in range(_FILES_MAX):
        unpacker, rest = new(), packed
        while not unpacker.eof:
            try:
                piece = unpacker.decompress(rest, _PIECE_BYTES)
            except (OSError, EOFError, MemoryError, LZMAError) as error:
                raise _damaged(error) from None
            if not piece and unpacker.needs_input and not unpacker.eof:
                raise _cut_short()
            yield piece
            rest = b""
        packed = unpacker.unused_data
        if not packed.startswith(mark):
            return
    raise FetchError("too_large", f"the answer has more than {_FILES_MAX} compressed files")


_OTHERS = frozenset({  # compressions that are not undone here
    "compress", "x-compress", "lzma", "xz", "x-xz", "bzip2", "x-bzip2", "lz4", "snappy", "exi", "dcb", "dcz",
})  # fmt: skip
_DECOMPRESSORS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate, "br": _brotli, "zstd": _zstd,
}  # fmt: skip
_OF_FILES = {**_DECOMPRESSORS, "bzip2": _bzip2, "xz": _xz}


def _damaged(error: Exception) -> FetchError:
    return FetchError("truncated", f"the compressed body is damaged: {error}")


def _cut_short() -> FetchError:
    return FetchError("truncated", "the answer ended within its compressed body")
