"""Still: letters of one alphabet that stand in a word of another because they look the same.

`Wаgner` with a Cyrillic а is how spam and copied text evade a search; `МALI` is how keyboards slip. A word that
mixes Latin with Cyrillic or Greek letters is read in the one alphabet that can hold all of it, if there is one.
Words of a single alphabet are never touched: Роре stays Cyrillic.
"""

from __future__ import annotations

import re

# Pairs of (foreign letter, Latin letter), by shape; the two cases of a letter may differ in what they look like.
_CYRILLIC = dict(zip("АВСЕНІЈКМОРЅТХУҮԌԚԜасеһіјкорѕхуԛԝԁѵ", "ABCEHIJKMOPSTXYYGQWacehijkopsxyqwdv", strict=True))
_GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαεικνορτυχ", "ABEZHIKMNOPTYXaeikvoptux", strict=True))


def _inverse(pairs: dict[str, str]) -> dict[int, str]:
    """Latin → foreign; of two that look alike the first one listed."""
    return str.maketrans({latin: foreign for foreign, latin in reversed(pairs.items())})


_TO_LATIN = str.maketrans(_CYRILLIC | _GREEK)
_TO_CYRILLIC = _inverse(_CYRILLIC)
_TO_GREEK = _inverse(_GREEK)
_LATIN_LETTER = re.compile("[A-Za-z]")
_CYRILLIC_LETTER = re.compile("[\u0400-\u052f\u1c80-\u1c8a\u2de0-\u2dff\ua640-\ua69f]")
_GREEK_LETTER = re.compile("[\u0370-\u03ff]")


def one_alphabet(word: str) -> str:
    """`word`, decomposed (NFKD), in one alphabet if look-alikes are all that keeps it from that; else unchanged."""
    latin = _LATIN_LETTER.search(word)
    cyrillic = _CYRILLIC_LETTER.search(word)
    greek = _GREEK_LETTER.search(word)
    if (latin is not None) + (cyrillic is not None) + (greek is not None) < 2:
        return word
    as_latin = word.translate(_TO_LATIN)
    if not _CYRILLIC_LETTER.search(as_latin) and not _GREEK_LETTER.search(as_latin):
        return as_latin
    if cyrillic and not greek and not _LATIN_LETTER.search(as_cyrillic := word.translate(_TO_CYRILLIC)):
        return as_cyrillic
    if greek and not cyrillic and not _LATIN_LETTER.search(as_greek := word.translate(_TO_GREEK)):
        return as_greek
    return word
