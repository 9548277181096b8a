"""The picture of a trend, read by a decoder of the format's own rules."""

from __future__ import annotations

import base64
import struct
import zlib

import pytest

from watchpost.notify.render.html import HEIGHT, WIDTH, content_id, data_url, png


def decoded(picture: bytes) -> list[bytes]:
    """The rows of palette indices; every length and checksum is right."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    chunks: dict[bytes, bytes] = {}
    at = 8
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        name, data = picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        assert struct.unpack(">I", picture[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + data)
        chunks[name] = data
        at += 12 + length
    assert list(chunks) == [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"]
    width, height, depth, kind, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (width, height, depth, kind) == (2 * WIDTH, 2 * HEIGHT, 8, 3)
    rows = zlib.decompress(chunks[b"IDAT"])
    assert len(rows) == height * (width + 1)
    lines = [rows[row * (width + 1) : (row + 1) * (width + 1)] for row in range(height)]
    assert {line[0] for line in lines} == {0}, "no filter"
    assert {index for line in lines for index in line} <= set(range(len(chunks[b"PLTE"]) // 3))
    return [line[1:] for line in lines]


def heights(days: tuple[int, ...]) -> list[int]:
    rows = decoded(png(days))
    return [sum(row[day * 16] > 0 for row in rows) for day in range(len(days))]


@pytest.mark.parametrize(
    ("days", "high"),
    [
        ((0,) * 13 + (12,), [1] * 13 + [48]),
        ((2,) * 14, [24] * 14),  # a few hits are no wall
        ((10**9,) * 14, [48] * 14),
        ((0, 6, 12), [1, 24, 48]),
    ],
)
def test_a_bar_is_as_high_as_its_day(days: tuple[int, ...], high: list[int]) -> None:
    assert heights(days) == high


def test_it_is_small_and_today_stands_out() -> None:
    days = (2, 2, 1, 3, 5, 2, 1, 1, 1, 1, 2, 2, 3, 12)
    bottom = decoded(png(days))[-1]
    assert (bottom[0], bottom[13 * 16], bottom[13]) == (1, 2, 0)
    assert len(png(days)) < 400
    assert base64.b64decode(data_url(days).partition(",")[2]) == png(days)
    assert content_id(days) != content_id(days[::-1])
