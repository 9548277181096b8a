"""Pure: the figures that a text names, whatever its digits and separators."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_MOST_FIGURES = 40
FIGURE = re.compile(r"\d+(?:[.,\u00a0\u202f'’]\d+)*")
_YEAR = re.compile(r"(?:19|20)\d\d")


def figures(text: str) -> tuple[str, ...]:
    """The numbers of a text in ASCII digits without separators, each once; years are left out: all texts name them."""
    found: dict[str, None] = {}
    for match in FIGURE.finditer(text):
        digits = _plain(match[0])
        if not _YEAR.fullmatch(digits):
            found[digits] = None
            if len(found) == _MOST_FIGURES:
                break
    return tuple(found)


@lru_cache(maxsize=4096)
def _plain(figure: str) -> str:
    return "".join(str(unicodedata.digit(char)) for char in figure if char.isdigit())
