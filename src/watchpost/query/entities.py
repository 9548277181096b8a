"""Still: HTML entities that were left in a text, read as the characters they stand for.

Feeds escape twice, databases once too often: `Go&iuml;ta`, `&#1052;&#1072;&#1083;&#1080;`, `AT&amp;amp;T`. The text
is searched as a reader would see it; every offset that leaves here is one of the text as it was given.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from html.entities import html5

# A closing semicolon is required: `?a=1&copy=2` is an address, not a copyright sign.
_ENTITY = re.compile(r"&(?:amp;)*(?:#(?:[0-9]{1,7}|[xX][0-9a-fA-F]{1,6})|[A-Za-z][A-Za-z0-9]{1,31});")


class Reading:
    """A text as it is read: `text` without entities, and the way back to the original."""

    __slots__ = ("_began", "_places", "text")

    def __init__(self, original: str) -> None:
        self.text = original
        self._began: list[int] = []  # where each entity's characters begin in `text`
        self._places: list[tuple[int, int, int]] = []  # where they end, and the entity's place in the original
        if "&" in original and ";" in original:
            self._decode(original)

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original of text[start:end], which is not empty."""
        if not self._began:
            return start, end
        return self._place(start)[0], self._place(end - 1)[1]

    def _place(self, at: int) -> tuple[int, int]:
        """The place in the original of the character at `at`."""
        number = bisect_right(self._began, at) - 1
        if number < 0:
            return at, at + 1
        ended, start, end = self._places[number]
        return (start, end) if at < ended else (end + at - ended, end + at - ended + 1)

    def _decode(self, original: str) -> None:
        parts: list[str] = []
        length = last = 0
        for match in _ENTITY.finditer(original):
            meant = _meaning(match[0])
            if meant is None:
                continue
            before = original[last : match.start()]
            parts += (before, meant)
            length += len(before)
            self._began.append(length)
            length += len(meant)
            last = match.end()
            self._places.append((length, match.start(), last))
        if parts:
            self.text = "".join((*parts, original[last:]))


def _meaning(entity: str) -> str | None:
    """What an entity stands for, or None if it is not one."""
    name = entity[1:].replace("amp;", "") or "amp;"
    if name[0] != "#":
        return html5.get(name)
    code = int(name[2:-1], 16) if name[1] in "xX" else int(name[1:-1])
    return "\ufffd" if code == 0 or code > 0x10FFFF or 0xD800 <= code < 0xE000 else chr(code)
