"""Pure: JSON from strangers becomes values: what is nearly JSON is repaired, a broken element costs itself."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from watchpost.documents.loose_json import read_loosely

_DECODER = json.JSONDecoder(strict=False)  # a control character in a string has one meaning only
_ESCAPE = re.compile(r"""\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\(x[0-9a-fA-F]{2}|.|\Z)""", re.DOTALL)
_COMMA_TOO_MANY = re.compile(r",(\s*[}\]])")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)  # one that is not closed reaches to the end
_BETWEEN = r"(?:[\s,;]|/\*[^*]{0,5000}\*/|//[^\n]{0,5000}\n|#[^\n]{0,5000}\n|<!--[^<>]{0,5000}-->)"
_NEXT = re.compile(r"(?:\}|(?<=[\"'\w\]]))(?=[\s,;/#<])" + _BETWEEN + r"{0,999}(?=\{)")
_TO_ELEMENT = re.compile(rf"(?:{_BETWEEN}|\}}(?={_BETWEEN}{{0,999}}\{{))*(?=\{{)")
_FIRST_KEY = re.compile(r"""\{\s{0,999}["']?(\w{1,40})["']?\s{0,999}:""")
_INNER_KEYS = frozenset({"name", "url", "avatar", "mime_type", "size_in_bytes", "duration_in_seconds"})
_CLOSED = re.compile(r"\]\s{0,99}\}\s*\Z")
_PARTIAL = re.compile(r"\\?[\w.+-]{0,6}")  # a number, a word or an escape of which the rest is missing
_ELEMENTS_MAX = 20_000


class MendedObject(NamedTuple):
    """An object that is not JSON as a whole. `lost` elements of its list are unreadable; `cut`: the list has no end."""

    value: dict[str, Any]
    lost: int
    cut: bool


def read_json(text: str) -> Any:
    """The value that `text` holds. Control characters in strings, false escapes and spare commas are forgiven.

    Raises ValueError and RecursionError.
    """
    try:
        return json.loads(text, strict=False)
    except ValueError as error:
        repaired = _repaired(text)
        if repaired == text:
            raise
        try:
            return json.loads(repaired, strict=False)
        except ValueError:
            raise error from None


def read_object_with(text: str, key: str, needed: frozenset[str]) -> MendedObject | None:
    """An object that is not JSON as a whole, with the list at `key` element by element.

    An element is an object with one of the `needed` keys. One in which the text ends is left out. None if no such list
    is found.
    """
    start = re.search(rf'"{re.escape(key)}"\s{{0,999}}:\s{{0,999}}\[', text)
    if start is None:
        return None
    elements, end, lost, cut = _elements(text, start.end(), needed)
    closing = text.find("]", end)
    cut = cut or (closing < 0 and _CLOSED.search(text) is None)
    rest = text[closing:] if closing >= 0 else "]}"
    for frame in (text[: start.end()] + rest, text[: start.end()] + "]}"):
        try:
            value = read_json(frame)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return MendedObject(value | {key: elements}, lost, cut)
    try:
        fields = read_loosely(text[: start.start()])
    except ValueError:
        fields = {}
    return MendedObject(fields | {key: elements}, lost, cut)


def _elements(text: str, at: int, needed: frozenset[str]) -> tuple[list[dict[str, Any]], int, int, bool]:
    """The objects of the list from `at` on, where the last ends, how many are lost, whether the text ends in one."""
    elements: list[dict[str, Any]] = []
    lost = 0
    while len(elements) <= _ELEMENTS_MAX and (start := _TO_ELEMENT.match(text, at)) is not None:
        value, at = _decoded(text, start.end())
        if value is None:
            begin = start.end()
            value, at = _broken(text, begin, needed)
            if _is_last(text, at) and _ends_within(text[begin:]):
                return elements, begin, lost, True
            lost += not value
        if isinstance(value, dict) and value:
            elements.append(value)
    return elements, at, lost, False


def _decoded(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None, at


def _broken(text: str, at: int, needed: frozenset[str]) -> tuple[dict[str, Any], int]:
    """What can be read of the object at `at`, and where it ends: before the next element."""
    gaps = (gap for gap in _NEXT.finditer(text, at) if _is_element(text, gap.end(), needed))
    end = next((gap.start() + (gap[0][:1] == "}") for gap in gaps), 0)
    end = end or text.rfind("}", at, max(text.rfind("]"), at)) + 1 or len(text)
    raw = text[at:end]
    try:
        value = read_json(raw)
    except (ValueError, RecursionError):
        try:
            value = read_loosely(raw)
        except ValueError:
            value = {}
    known = isinstance(value, dict) and not needed.isdisjoint(value)
    return (value if known else {}), end


def _is_last(text: str, at: int) -> bool:
    return _TO_ELEMENT.match(text, at) is None


def _ends_within(text: str) -> bool:
    """Whether the text ends before the object does with which it begins: nothing of it is wrong but its end."""
    text = _repaired(text).rstrip()
    try:
        _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        if error.msg.startswith("Unterminated string"):
            return not text.endswith("}")  # else a quote is missing, and the end is there
        return _PARTIAL.fullmatch(text, error.pos) is not None
    except (ValueError, RecursionError):
        return False
    return False


def _is_element(text: str, at: int, needed: frozenset[str]) -> bool:
    """Whether the object at `at` is an element of the list, not of a list within one."""
    value, _ = _decoded(text, at)
    if isinstance(value, dict):
        return not needed.isdisjoint(value)
    key = _FIRST_KEY.match(text, at)
    return key is not None and key[1] not in _INNER_KEYS


def _repaired(text: str) -> str:
    """False escapes are doubled, and commas before the end of a list or object removed, outside of strings."""
    text = _ESCAPE.sub(lambda match: match[0] if match[1] is None else "\\" + match[0], text)
    parts, end = [], 0
    for string in _STRING.finditer(text):
        parts += [_COMMA_TOO_MANY.sub(r"\1", text[end : string.start()]), string[0]]
        end = string.end()
    return "".join([*parts, _COMMA_TOO_MANY.sub(r"\1", text[end:])])
