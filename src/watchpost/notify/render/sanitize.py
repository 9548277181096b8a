"""Pure: text and addresses from strangers, made harmless before any edition shows them.

Out go: control characters, everything invisible that turns or hides text (categories Cc, Cf, Cs; Unicode
Technical Report 36 "Security Considerations", CVE-2021-42574), towers of combining marks, lone surrogates.
What a script needs stays: single joiners (Persian, Indic, emoji families), Arabic number signs.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable
from typing import Literal
from urllib.parse import quote, urlsplit

import regex

from watchpost.model import Snippet

_JOINERS = "\u200c\u200d"
_VISIBLE_FORMAT = regex.compile(r"\p{Prepended_Concatenation_Mark}")
_MARKS = 8  # no script stacks more on one letter
_TOWER = regex.compile(rf"\p{{M}}{{{_MARKS + 1}}}")
_LANGUAGE = regex.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_HOST = regex.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\.?|\[[0-9a-f:.]{2,45}\]")
_RTL = frozenset({"R", "AL"})


def clean(text: str, limit: int = 500) -> str:
    """The text on one line, without what could turn, hide or break it; cut at `limit` code points."""
    return cut(_sift(text[: 8 * limit + 64])[0], limit)


def cut(text: str, limit: int) -> str:
    """At most `limit` code points; what is longer ends in "…", and no grapheme (UAX #29) is taken apart."""
    if len(text) <= limit:
        return text
    end = 0
    for grapheme in regex.finditer(r"\X", text):
        if grapheme.end() > limit - 1:
            break
        end = grapheme.end()
    return text[:end].rstrip() + "…"


def marked(snippet: Snippet, limit: int = 280) -> Snippet:
    """The snippet cleaned and cut, its highlights moved along: sorted, apart and inside the text."""
    text, origins = _sift(snippet.text)
    short = cut(text, limit)
    last = len(short) if short == text else len(short) - 1  # the ellipsis is ours, never highlighted
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
    """A `marked` snippet as (text, highlighted) runs, none of them empty; joined they give its text.

    At most so many are highlighted: each costs an edition some 70 bytes.
    """
    runs: list[tuple[str, bool]] = []
    at = 0
    for start, stop in snippet.highlights[:highlights]:
        runs += [(snippet.text[at:start], False), (snippet.text[start:stop], True)]
        at = stop
    runs.append((snippet.text[at:], False))
    return tuple(run for run in runs if run[0])


def link(url: str, limit: int = 2000) -> str:
    """The address in plain ASCII if it is http(s) and means what it shows, else "" (no link at all).

    Refused: other schemes, control characters, user names before the host ("https://bank.example@evil.example"),
    hosts that are none, and what is longer than `limit`.
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
    """Which way the text runs: decided by its first letter of a strong direction (UAX #9, rule P2)."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in _RTL:
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"


def language_tag(lang: str) -> str:
    """The language as a BCP 47 tag fit for `lang=`, "" if it is none."""
    tag = lang.strip().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else ""


def names(words: Iterable[str], limit: int, length: int = 60) -> tuple[tuple[str, ...], int]:
    """The first `limit` different non-empty words, cleaned, and how many more there are."""
    seen = dict.fromkeys(word for raw in words if (word := clean(raw, length)))
    return tuple(seen)[:limit], max(0, len(seen) - limit)


def _sift(text: str) -> tuple[str, list[int]]:
    """The harmless text, and for each of its characters the offset that it had in `text`."""
    if text.isprintable() and text == text.strip() and "  " not in text and not _TOWER.search(text):
        return text, list(range(len(text)))
    kept: list[str] = []
    origins: list[int] = []
    marks = 0
    for offset, char in enumerate(text):
        category = unicodedata.category(char)
        before = kept[-1] if kept else " "
        marks = marks + 1 if category[0] == "M" else 0
        if char.isspace():
            shown = " " if before != " " else ""
        elif char in _JOINERS:
            shown = char if before not in " " + _JOINERS else ""
        elif category == "Cs":
            shown = "\N{REPLACEMENT CHARACTER}"
        elif category == "Cf":
            shown = char if _VISIBLE_FORMAT.match(char) else ""
        else:
            shown = "" if category == "Cc" or marks > _MARKS or _is_noncharacter(char) else char
        if shown:
            kept.append(shown)
            origins.append(offset)
    while kept and kept[-1] in " " + _JOINERS:
        kept.pop()
        origins.pop()
    return "".join(kept), origins


def _is_noncharacter(char: str) -> bool:
    point = ord(char)
    return 0xFDD0 <= point <= 0xFDEF or point & 0xFFFE == 0xFFFE
