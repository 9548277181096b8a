"""Feeds and sitemaps that a server keeps as files of bzip2 and xz: unpacked within the limits, as those of gzip are."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable

import pytest

from watchpost.documents.feed import read_feed
from watchpost.errors import FetchError
from watchpost.poll.http.decompress import decompress
from watchpost.scheduler import utc_now

DOCUMENT = b"<urlset><url><loc>https://desk.example/1</loc></url></urlset>" * 50
PACKERS = {"bz2": bz2.compress, "xz": lzma.compress}
Pack = Callable[[bytes], bytes]


def unpacked(body: bytes, encoding: str = "", bytes_max: int = 1_000_000) -> bytes:
    return decompress(encoding, body, bytes_max=bytes_max, ratio=100, ratio_from=100_000)


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_a_stored_file_is_unpacked_whatever_the_header_says(pack: Pack) -> None:
    assert unpacked(pack(DOCUMENT)) == DOCUMENT
    assert unpacked(pack(DOCUMENT), "gzip") == DOCUMENT
    assert unpacked(zlib.compress(pack(DOCUMENT)), "deflate") == DOCUMENT
    assert unpacked(pack(DOCUMENT[:500]) + pack(DOCUMENT[500:])) == DOCUMENT, "two files in one"
    assert unpacked(pack(DOCUMENT) + b"\0" * 99) == DOCUMENT, "padding"


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_a_bomb_is_noticed(pack: Pack) -> None:
    for bytes_max in (200_000, 50_000_000):
        with pytest.raises(FetchError) as caught:
            unpacked(pack(bytes(5_000_000)), bytes_max=bytes_max)
        assert caught.value.reason == "too_large"
    with pytest.raises(FetchError, match="more than 100 compressed files"):
        unpacked(pack(b"x") + pack(b"") * 200)


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_a_damaged_file_is_one_that_was_cut_short(pack: Pack) -> None:
    whole = pack(DOCUMENT)
    for damaged in (whole[: len(whole) // 2], whole[:20] + b"\xff" * 9 + whole[29:]):
        with pytest.raises(FetchError) as caught:
            unpacked(damaged)
        assert caught.value.reason == "truncated"


def test_a_dictionary_of_gigabytes_is_refused() -> None:
    small = lzma.compress(DOCUMENT, preset=0)
    assert unpacked(small) == DOCUMENT
    at = small.index(b"\x21\x01")  # LZMA2, and one byte: the size of its dictionary
    header = bytearray(small[12:24])
    header[at - 12 + 2] = 38  # 1.5 GB
    header[8:12] = zlib.crc32(bytes(header[:8])).to_bytes(4, "little")
    with pytest.raises(FetchError) as caught:
        unpacked(small[:12] + bytes(header) + small[24:])
    assert caught.value.reason == "truncated"
    assert "emory" in caught.value.detail


def test_of_a_zip_archive_the_failure_says_that_it_is_one() -> None:
    with pytest.raises(FetchError, match="ZIP archive") as caught:
        read_feed(b"PK\x03\x04" + bytes(99), now=utc_now())
    assert caught.value.reason == "not_a_feed"
