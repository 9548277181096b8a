"""Pure: HTML with its tags blanked, character for character, so that evidence can point into the text as delivered."""

from __future__ import annotations

import html
import re

_JOINER = "\u2060"  # invisible, and no end of a word
_IS_HTML = re.compile(
    r"(?i)</(?:p|a|b|i|u|em|strong|span|div|ul|ol|li|h[1-6]|blockquote|table|tr|td|figure|article|section|font|center)\s*>"
    r"|<(?:br|hr|img|p|div)(?:\s[^<>]{0,9000})?/?>"
)
_MARKUP = re.compile(
    r"(?is)<!--.*?(?:-->|\Z)|<(script|style|noscript|iframe|svg|template)\b[^<>]{0,9000}>.*?(?:</\1\s*>|\Z)"
    r"|</?(?P<name>[a-z][a-z0-9:-]{0,30})(?:[\s/](?>(?:[^<>\"']+|\"[^\"<]*\"|'[^'<]*')*)|[\s/][^<>]*)?>"
    r"|<!\[CDATA\[|\]\]>"
    r"|(?P<entity>&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});)"
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8}[0-9]{0,2});")
_INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd",
    "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr",
})  # fmt: skip
_SHORT = 12
_LINES = frozenset({"br", "li", "tr", "option", "dt", "dd"})


def blanked(text: str) -> str:
    """The text, in which markup is replaced by as many blanks if it is HTML, and entities by their letters.

    Blocks end paragraphs, as they do on a page; what a page does not show is blanked, too.
    """
    return _MARKUP.sub(_blank, text) if _IS_HTML.search(text) else text


def with_letters(text: str) -> str:
    """The text with its entities replaced by their letters, character for character: "L&#039;armée" has no markup."""
    return _ENTITY.sub(_letters, text) if "&" in text else text


def _letters(entity: re.Match[str]) -> str:
    letters = html.unescape(entity[0])
    return (
        letters.ljust(len(entity[0]), _JOINER) if letters != entity[0] and len(letters) <= len(entity[0]) else entity[0]
    )


def _blank(match: re.Match[str]) -> str:
    size, entity, name = len(match[0]), match["entity"], (match["name"] or "").lower()
    if entity:
        letters = html.unescape(entity)
        if letters == entity or len(letters) > size:
            return str(match[0])
        return letters.ljust(size, _JOINER if letters[-1:].isalnum() else " ")
    if name in _INLINE:
        return (_JOINER if size <= _SHORT else " ") * size
    if not name or name in ("img", "td", "th"):
        return " " * size
    return ("\n" if name in _LINES or size < 3 else "\n\n").ljust(size)
