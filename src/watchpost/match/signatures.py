"""Still: Article → Signature: hashed shingles of its folded words, its figures, its day, its voice.

Sketches of the smallest hashes: A. Broder, "On the resemblance and containment of documents" (1997). Words are
folded as the query language folds them, so soft hyphens, look-alike letters, accents and case make no difference.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from xxhash import xxh3_64_intdigest

from watchpost.match.credits import voice
from watchpost.model import Article, derive_id
from watchpost.query.entities import Reading
from watchpost.query.words import folded_text
from watchpost.signature import DIGITS, SKETCH, Signature

SHINGLE = 3
"""Words in a shingle. Typing errors break as many shingles as words stand in one."""

EXACT_WORDS = 25
"""Texts of fewer words are the same only under the same headline: "Live updates follow" is no story."""

_MOST_FIGURES = 40
_FIGURE = re.compile(r"\d+(?:[.,\u00a0\u202f'’]\d+)*")
_YEAR = re.compile(r"(?:19|20)\d\d")
_SHIFT = 64 - 4 * DIGITS


def signature(article: Article) -> Signature:
    """The article as stories see it. The same article gives the same signature on every machine."""
    text = Reading(article.body or article.summary).text  # many feeds leave &eacute; in the middle of a word
    words = folded_text(text).split()
    hashes = shingles(words) if len(words) >= EXACT_WORDS else []
    spoken, credited = voice(article)
    outlet = _name(article.outlet or article.source)
    return Signature(
        article=article.id,
        story=story_of(article),
        exact=_exact(article, words),
        sketch=tuple(f"{value:0{DIGITS}x}" for value in hashes[:SKETCH]),
        whole=len(hashes) <= SKETCH,
        outlet=outlet,
        voice=spoken if credited else outlet,
        credited=credited,
        day=int((article.published or article.fetched).timestamp() * 1000),
        series=derive_id("series", folded_text(_FIGURE.sub(" ", article.title)))[:DIGITS],
        numbers=figures(article.title),
        figures=figures(f"{article.title}\n{text}"),
    )


def story_of(article: Article) -> str:
    """The id of the story that the article opens, if it belongs to none: from its address, its text, or its own id."""
    return derive_id("story", article.fingerprints[0] if article.fingerprints else article.id)


def shingles(words: list[str]) -> list[int]:
    """The hashes of all runs of `SHINGLE` words, ascending, each once."""
    if len(words) < SHINGLE:
        return []
    runs = zip(*(words[start:] for start in range(SHINGLE)), strict=False)
    return sorted({xxh3_64_intdigest(" ".join(run).encode("utf-8", "replace")) >> _SHIFT for run in runs})


def figures(text: str) -> tuple[str, ...]:
    """The numbers of a text in ASCII digits without separators, each once; years are left out: all texts name them."""
    found: dict[str, None] = {}
    for match in _FIGURE.finditer(text):
        digits = _plain(match[0])
        if not _YEAR.fullmatch(digits):
            found[digits] = None
            if len(found) == _MOST_FIGURES:
                break
    return tuple(found)


@lru_cache(maxsize=4096)
def _plain(figure: str) -> str:
    return "".join(str(unicodedata.digit(char)) for char in figure if char.isdigit())


def _exact(article: Article, words: list[str]) -> tuple[str, ...]:
    keys = [
        f"article:{article.id}",
        *([f"article:{article.revises}"] if article.revises else []),
        *article.fingerprints,
    ]
    if len(words) >= EXACT_WORDS:
        keys.append("body:" + derive_id("body", " ".join(words))[:24])
    elif words:
        keys.append("short:" + derive_id("short", folded_text(article.title), " ".join(words))[:24])
    return tuple(keys)


def _name(outlet: str) -> str:
    return " ".join(outlet.split())
