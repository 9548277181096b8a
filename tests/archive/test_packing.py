"""Articles are packed and unpacked, in several threads at once, and damaged records are refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.making import article
from watchpost.archive.packing import filed, unpack
from watchpost.errors import CodecError


def test_several_threads_pack_at_once() -> None:
    articles = [article(f"Mali {number}", body=f"Report {number}. " * (number % 90)) for number in range(2000)]
    with ThreadPoolExecutor(4) as pool:
        assert [unpack(one.packed) for one in pool.map(filed, articles)] == articles


@pytest.mark.parametrize("keep", [0, 1, 2, 20, -1])
def test_a_record_that_is_cut_is_refused(keep: int) -> None:
    with pytest.raises(CodecError):
        unpack(filed(article("Mali")).packed[:keep])


def test_a_record_of_a_later_version_is_refused() -> None:
    with pytest.raises(CodecError, match="not written by this version"):
        unpack(b"2" + filed(article("Mali")).packed[1:])
