"""Pure: the language of a text: what it is recognised to be, or else what is declared.

Feeds and pages declare the language of their site, whatever an entry is written in. So the text counts where it is long
enough and its language is certain; docs/decisions/0048 has the reasons and the figures.

eldc counts letter groups: 25 µs for a headline, 60 languages. It says of each answer whether it is reliable; only those
count here, because a wrong language loses an article. In 600 headlines of 13 languages no reliable answer was wrong,
except among the pairs of `ALIKE` and for headlines that quote another language; one in nine had none.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import cache
from typing import Protocol

RECOGNISED = 600
"""The characters from the beginning of a text that are looked at."""

READ = 2 * RECOGNISED
"""The characters that are looked at where what is declared may be wrong."""

LONG = 100
"""A text of so many bytes in UTF-8 may contradict what is declared: of 4,900 pieces none did wrongly.

The same letters say more in Chinese, where each takes three bytes.
"""

ALIKE = (("hr", "bs", "sr", "sh"), ("ms", "id"), ("no", "nb", "nn"), ("tl", "fil"), ("fa", "prs"))
"""Codes for languages that are written so much alike that an answer means all of them."""

_IN_OTHER_SCRIPTS = frozenset({"az", "ku", "pa"})
"""Languages that eldc knows in one of their scripts; in another it takes them for a neighbour's."""

_TAKEN_FOR_NONE = frozenset({"ha", "ig", "lg", "om", "rn", "sn", "so", "sw", "xh", "zu"})
"""Languages that eldc does not know, and takes for none of those that it knows. Others it does: Pidgin for English."""

_GROUPS = {code: codes for codes in ALIKE for code in codes}


class _Detection(Protocol):
    language: str
    reliable: bool


class _Detector(Protocol):
    def detect_details(self, text: str) -> _Detection: ...


def of_text(tag: str, title: str, text: str) -> tuple[str, ...]:
    """The codes that the language of a text may have, by the tag that is declared for it; empty if it is not known.

    The text contradicts what is declared if it is `LONG` and reliably of another language, and neither its title nor
    its next part is of the declared one: a text that begins with a quotation stays what it is declared to be. So does
    one whose declared language is taken for another one.
    """
    said = declared(tag)
    whole = f"{title}\n{text}" if title and text else title or text
    if not said:
        return recognised(whole)
    found = recognised(whole) if said[0] in _known() | _TAKEN_FOR_NONE and _is_long(whole) else ()
    if not found or said[0] in found:
        return said
    rest = whole[RECOGNISED:READ]
    if said[0] in _TAKEN_FOR_NONE:
        return said if _is_long(rest) and recognised(rest) != found else found
    return said if any(said[0] in recognised(part) for part in (title, rest)) else found


def _is_long(text: str) -> bool:
    return len(text[:LONG].encode(errors="replace")) >= LONG


def tag_of(tag: str, codes: tuple[str, ...]) -> str:
    """The tag of a text whose language may have these codes: as it is declared if it is one of them, "" if unclear."""
    said = declared(tag)
    if said and (not codes or said[0] in codes):
        return tag
    return codes[0] if len(codes) == 1 else ""


def recognised(text: str) -> tuple[str, ...]:
    """The codes (ISO 639-1) that the language of the text may have; empty if it is not certain."""
    found = _detector().detect_details(text[:RECOGNISED].encode(errors="replace").decode())
    return _GROUPS.get(found.language, (found.language,)) if found.reliable else ()


def declared(tag: str) -> tuple[str, ...]:
    """The codes of a language tag (RFC 5646), such as `fr-ML`; empty if it has none."""
    code = tag.strip().lower().replace("_", "-").split("-")[0]
    return (code,) if code and code != "und" else ()


def fits(codes: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether a text of one of the languages `codes` may be in one that is `wanted`; a language not known may."""
    return not codes or not wanted or any(code in wanted for code in codes)


@cache
def _known() -> frozenset[str]:
    """The codes of the languages that eldc can tell from all others."""
    known: Iterable[str] = importlib.import_module("eldc").LANGUAGES
    return frozenset(code for each in known for code in _GROUPS.get(each, (each,))) - _IN_OTHER_SCRIPTS


@cache
def _detector() -> _Detector:
    eldc = importlib.import_module("eldc")  # its tables take 26 MB of disk, which most commands need not read
    eldc.init()
    detector: _Detector = eldc.instance()
    return detector
