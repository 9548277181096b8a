"""Pure: text and addresses from feeds, made harmless before a digest shows them.

Removed are control characters, invisible characters that reorder or hide text (categories Cc, Cf, Cs; Unicode Technical
Report 36 "Security Considerations", CVE-2021-42574), lone surrogates, and combining marks beyond eight on one letter.
Kept is what a script needs: single joiners (Persian, Indic, emoji families) and Arabic number signs.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable
from typing import Literal
from urllib.parse import quote, urlsplit

import regex

from watchpost.combining_marks import MOST_MARKS
from watchpost.model import Snippet

_JOINERS = "\u200c\u200d"
_VISIBLE_FORMAT = regex.compile(r"\p{Prepended_Concatenation_Mark}")
_TOO_MANY_MARKS = regex.compile(rf"\p{{M}}{{{MOST_MARKS + 1}}}")
_LANGUAGE = regex.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_HOST = regex.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\.?|\[[0-9a-f:.]{2,45}\]")
_RTL = frozenset({"R", "AL"})


def clean(text: str, limit: int = 500) -> str:
    """The text on one line, without hidden or reordering characters; at most `limit` code points."""
    return cut(_clean_with_offsets(text[: 8 * limit + 64])[0], limit)


def cut(text: str, limit: int) -> str:
    """At most `limit` code points; a longer text ends in "…", and no grapheme (UAX #29) is split."""
    if len(text) <= limit:
        return text
    end = 0
    for grapheme in regex.finditer(r"\X", text):
        if grapheme.end() > limit - 1:
            break
        end = grapheme.end()
    return text[:end].rstrip() + "…"


def marked(snippet: Snippet, limit: int = 280) -> Snippet:
    """The snippet cleaned and cut; its highlights fit the new text, sorted and without overlaps."""
    text, origins = _clean_with_offsets(snippet.text)
    short = cut(text, limit)
    last = len(short) if short == text else len(short) - 1  # the ellipsis is never highlighted
    highlights: list[tuple[int, int]] = []
    for begin, end in sorted(snippet.highlights):
        start, stop = bisect_left(origins, max(begin, 0)), min(bisect_left(origins, end), last)
        if highlights and start <= highlights[-1][1]:
            start, stop = highlights[-1][0], max(stop, highlights[-1][1])
            highlights.pop()
        if start < stop:
            highlights.append((start, stop))
    return Snippet(short, tuple(highlights))


def pieces(snippet: Snippet, highlights: int = 20) -> tuple[tuple[str, bool], ...]:
    """A `marked` snippet as (text, highlighted) runs, none of them empty; joined they are its text.

    At most `highlights` are highlighted, for each adds about 70 bytes to a message.
    """
    runs: list[tuple[str, bool]] = []
    at = 0
    for start, stop in snippet.highlights[:highlights]:
        runs += [(snippet.text[at:start], False), (snippet.text[start:stop], True)]
        at = stop
    runs.append((snippet.text[at:], False))
    return tuple(run for run in runs if run[0])


def link(url: str, limit: int = 2000) -> str:
    """The address in plain ASCII, or "" for one that must not become a link.

    Refused are schemes other than http and https, control characters, user names before the host
    ("https://bank.example@evil.example"), invalid hosts, and addresses longer than `limit`.
    """
    url = url.strip()
    try:
        if any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in url[: limit + 1]):
            return ""
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii").lower()
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:  # UnicodeError is one
        return ""
    host = f"[{host}]" if ":" in host else host
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not _HOST.fullmatch(host):
        return ""
    tail = quote(parts.path, safe="/%:@!$&'()*+,;=~") or "/"
    tail += "?" + quote(parts.query, safe="/?%:@!$&'()*+,;=~[]") if parts.query else ""
    tail += "#" + quote(parts.fragment, safe="/?%:@!$&'()*+,;=~") if parts.fragment else ""
    whole = f"{parts.scheme}://{host}{port}{tail}"
    return whole if len(whole) <= limit else ""


def direction(text: str) -> Literal["ltr", "rtl"]:
    """The direction of the text: that of its first letter with a strong direction (UAX #9, rule P2)."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in _RTL:
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"


def language_tag(lang: str) -> str:
    """The language as a BCP 47 tag for `lang=`; "" if it is no tag."""
    tag = lang.strip().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else ""


def names(words: Iterable[str], limit: int, length: int = 60) -> tuple[tuple[str, ...], int]:
    """The first `limit` different non-empty words, cleaned, and how many more there are."""
    seen = dict.fromkeys(word for raw in words if (word := clean(raw, length)))
    return tuple(seen)[:limit], max(0, len(seen) - limit)


def _clean_with_offsets(text: str) -> tuple[str, list[int]]:
    """The clean text, and for each of its characters the offset that it had in `text`."""
    if text.isprintable() and text == text.strip() and "  " not in text and not _TOO_MANY_MARKS.search(text):
        return text, list(range(len(text)))
    kept: list[str] = []
    origins: list[int] = []
    marks = 0
    for offset, char in enumerate(text):
        category = unicodedata.category(char)
        before = kept[-1] if kept else " "
        marks = marks + 1 if category[0] == "M" else 0
        if char.isspace():
            visible = " " if before != " " else ""
        elif char in _JOINERS:
            visible = char if before not in " " + _JOINERS else ""
        elif category == "Cs":
            visible = "\N{REPLACEMENT CHARACTER}"
        elif category == "Cf":
            visible = char if _VISIBLE_FORMAT.match(char) else ""
        else:
            visible = "" if category == "Cc" or marks > MOST_MARKS or _is_noncharacter(char) else char
        if visible:
            kept.append(visible)
            origins.append(offset)
    while kept and kept[-1] in " " + _JOINERS:
        kept.pop()
        origins.pop()
    return "".join(kept), origins


def _is_noncharacter(char: str) -> bool:
    point = ord(char)
    return 0xFDD0 <= point <= 0xFDEF or point & 0xFFFE == 0xFFFE
