"""Bombs: a few bytes that are many megabytes when they are unpacked; and how much memory this process took."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Protocol

import brotli
from backports import zstd

_PIECE = bytes(1 << 20)


class _Packer(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Brotli:
    def __init__(self) -> None:
        self._packer = brotli.Compressor(quality=5)

    def compress(self, data: bytes) -> bytes:
        return bytes(self._packer.process(data))

    def flush(self) -> bytes:
        return bytes(self._packer.finish())


def bomb(encoding: str, megabytes: int) -> bytes:
    """So many megabytes of zeros, packed as the Content-Encoding says. They are never in memory at once."""
    first, *others = encoding.split(", ")
    packer = _packer(first)
    packed = b"".join(packer.compress(_PIECE) for _ in range(megabytes)) + packer.flush()
    for name in others:
        packer = _packer(name)
        packed = packer.compress(packed) + packer.flush()
    return packed


def _packer(encoding: str) -> _Packer:
    if encoding == "br":
        return _Brotli()
    return zstd.ZstdCompressor() if encoding == "zstd" else zlib.compressobj(9, zlib.DEFLATED, 31)


class Peak:
    """The most memory that this process has had since this was made, in bytes above what it had then. Only on Linux."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # sets VmHWM back: proc(5)
        self._before = _peak_bytes()

    def bytes(self) -> int:
        """As it is now."""
        return _peak_bytes() - self._before


def _peak_bytes() -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024
