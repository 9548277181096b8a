"""Pure: one object that people or programs wrote nearly as JSON: what of it can be read, in one pass.

Comments, single quotes, keys without quotes, literals of Python and JavaScript, marks too many or too few, quotation
marks within texts, missing ends. A value that is none of these is left out with its key.
"""

from __future__ import annotations

import re
from typing import Any

_SPACE = re.compile(r"(?:[\s,;+]+|/\*[^*]*\*/|//[^\n]*|#[^\n]*|<!--[^<>]*-->)*")
_WORD = re.compile(r"[^\s{}\[\],:;\"'=]{1,2000}")
_KEY = re.compile(r"[\w$@.-]{1,100}")
_CLOSES = re.compile(r"\s*(?:[,:;=}\]+]|\Z|[\"']|//|/\*)")
_NUMBER = re.compile(r"[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,4})?")
_LITERALS = {
    "true": True, "false": False, "null": None, "True": True, "False": False, "None": None, "undefined": None,
    "NaN": None, "nan": None, "Infinity": None, "-Infinity": None,
}  # fmt: skip
_QUOTES = {'"': '"', "'": "'", "\N{LEFT DOUBLE QUOTATION MARK}": "\N{RIGHT DOUBLE QUOTATION MARK}", "`": "`"}
_MARK = re.compile(r"\\.|[\"'`\u201d]", re.DOTALL)
_ESCAPE = re.compile(
    r"\\(?:(?P<pair>u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|u(?P<code>[0-9a-fA-F]{4})|(?P<sign>.))",
    re.DOTALL,
)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\", '"': '"', "'": "'", "\n": ""}
_DEPTH_MAX = 40
_NOTHING = object()


def read_loosely(text: str) -> dict[str, Any]:
    """The object at the beginning of `text`. Raises ValueError if there is none, or if it is nested too deep."""
    reader = _Reader(text)
    value = reader.value(0)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


class _Reader:
    """One text while it is read; `at` is the next character."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0

    def value(self, depth: int) -> Any:
        """The value here, or _NOTHING."""
        if depth > _DEPTH_MAX:
            raise ValueError("nested too deep")
        mark = self._next()
        if mark == "{":
            return self._object(depth)
        if mark == "[":
            return self._list(depth)
        if mark in _QUOTES and mark:
            return self._string(_QUOTES[mark])
        word = _WORD.match(self._text, self.at)
        if word is None:
            return _NOTHING
        self.at = word.end()
        if _NUMBER.fullmatch(word[0]):
            return word[0]
        return _LITERALS.get(word[0], _NOTHING)

    def _next(self) -> str:
        self.at = _SPACE.match(self._text, self.at).end()  # type: ignore[union-attr]  # it matches everywhere
        return self._text[self.at : self.at + 1]

    def _object(self, depth: int) -> dict[str, Any]:
        self.at += 1
        found: dict[str, Any] = {}
        while (mark := self._next()) and mark != "}":
            key = self._key(mark)
            if key is None:
                self.at += 1
            elif self._next() in (":", "="):
                self.at += 1
                value = self.value(depth + 1)
                if value is not _NOTHING:
                    found[key] = value
        self.at += 1
        return found

    def _key(self, mark: str) -> str | None:
        if mark in _QUOTES:
            return self._string(_QUOTES[mark])
        word = _KEY.match(self._text, self.at)
        if word is None:
            return None
        self.at = word.end()
        return word[0]

    def _list(self, depth: int) -> list[Any]:
        self.at += 1
        found = []
        while (mark := self._next()) and mark not in "]}":
            value = self.value(depth + 1)
            if value is _NOTHING:
                self.at += 1
            else:
                found.append(value)
        self.at += mark == "]"
        return found

    def _string(self, quote: str) -> str:
        """The text up to a quotation mark after which a value can end; another one belongs to the text."""
        begin = self.at + 1
        end = len(self._text)
        for mark in _MARK.finditer(self._text, begin):
            if mark[0] == quote and _CLOSES.match(self._text, mark.end()):
                end = mark.start()
                break
        self.at = end + 1
        return _ESCAPE.sub(_unescaped, self._text[begin:end])


def _unescaped(escape: re.Match[str]) -> str:
    """The character of an escape; a false escape as it is written."""
    if escape["pair"]:
        return bytes.fromhex(escape["pair"][1:].replace("\\u", "")).decode("utf-16-be", "replace")
    if escape["code"]:
        return chr(int(escape["code"], 16))
    return _ESCAPED.get(escape["sign"], escape[0])
