"""Pure: the shingles of a text: hashes of its runs of three words, by which copies of it are recognised.

A. Broder, "On the resemblance and containment of documents" (1997).
"""

from __future__ import annotations

from collections.abc import Sequence

from xxhash import xxh3_64_intdigest

from watchpost.model import DIGITS

SHINGLE = 3
"""The words of a shingle. A typing error breaks as many shingles."""

_SHIFT = 64 - 4 * DIGITS


def shingles(words: Sequence[str]) -> list[int]:
    """The hashes of all runs of `SHINGLE` words, ascending, each once."""
    if len(words) < SHINGLE:
        return []
    runs = zip(*(words[start:] for start in range(SHINGLE)), strict=False)
    return sorted({xxh3_64_intdigest(" ".join(run).encode("utf-8", "replace")) >> _SHIFT for run in runs})
