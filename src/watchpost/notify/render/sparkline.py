"""Pure: the hits of the last 14 days as a picture of bars, for mail.

Mail programs show the block characters in a font of their choice, hence a PNG with a palette (W3C PNG, 11.2.1 PLTE
and tRNS) of about 200 bytes; its background is transparent, so that it fits light and dark.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from collections.abc import Sequence

from watchpost.trend import WALL

WIDTH, HEIGHT = 112, 24  # CSS pixels; the picture itself has `_SCALE` times as many, for fine screens
_SCALE = 2
_BAR, _STEP = 6, 8
_PAST, _TODAY = 1, 2  # places in the palette; 0 is the background
_PALETTE = bytes((0, 0, 0)) + bytes((0x7F, 0xA8, 0xD6)) + bytes((0x2F, 0x7F, 0xD1))


def png(days: Sequence[int]) -> bytes:
    """The picture: a bar for each of up to 14 days, the last one darker; a day without hits is a hairline."""
    most = max(*days, WALL)
    heights = [max(1, round(day / most * HEIGHT * _SCALE)) for day in days[:14]]
    rows = []
    for y in range(HEIGHT * _SCALE, 0, -1):
        row = bytearray(WIDTH * _SCALE)
        for at, height in enumerate(heights):
            if height >= y:
                colour = _TODAY if at == len(heights) - 1 else _PAST
                left = at * _STEP * _SCALE
                row[left : left + _BAR * _SCALE] = bytes((colour,)) * (_BAR * _SCALE)
        rows.append(b"\0" + bytes(row))
    head = struct.pack(">IIBBBBB", WIDTH * _SCALE, HEIGHT * _SCALE, 8, 3, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(name, data)
        for name, data in (
            (b"IHDR", head),
            (b"PLTE", _PALETTE),
            (b"tRNS", b"\0"),
            (b"IDAT", zlib.compress(b"".join(rows), 9)),
            (b"IEND", b""),
        )
    )


def content_id(days: Sequence[int]) -> str:
    """The Content-ID of the picture within a mail (RFC 2392), the same for the same bars."""
    return hashlib.blake2b(repr(tuple(days)).encode(), digest_size=12).hexdigest() + "@bars.watchpost"


def data_url(days: Sequence[int]) -> str:
    """The picture as an address for a page that is a file of its own (RFC 2397)."""
    return "data:image/png;base64," + base64.b64encode(png(days)).decode()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
