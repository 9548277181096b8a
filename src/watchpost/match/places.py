"""Pure: the places that an article names, by the names library."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from heapq import merge
from itertools import compress, product
from typing import NamedTuple

from watchpost.model import NamedPlace
from watchpost.names import library
from watchpost.query.document import SEARCHED, Document, Index
from watchpost.query.inflection import bases
from watchpost.query.known_names import is_clear
from watchpost.query.words import folded_words, is_unspaced

MOST = 20
"""The most places of one article; those that it names most often."""

_SMALLEST = 3  # letters; fewer are mostly another word
_SMALLEST_UNSPACED = 2  # characters, as in Chinese


class Mention(NamedTuple):
    """One name of a place or country in a text.

    `clear`: the name has no other meaning. `field` is the field of the document, `at` the position of the first of
    its `words`.
    """

    place: library.Place
    clear: bool
    field: str
    at: int
    words: int = 1

    @property
    def is_town(self) -> bool:
        """Whether it names a place in a country, and not the country."""
        return self.place.population >= 0


def mentions(document: Document, countries: frozenset[str] = frozenset()) -> tuple[Mention, ...]:
    """The names of places and countries in the text, in reading order.

    `countries` are codes of countries that the article is known to be about. A town with a name that it shares with
    something else counts only in an article about its country: that names the country, or another town of it.
    """
    found = [one for name in SEARCHED for one in _found(document, name)]
    about = {*countries, *(one.place.country for one in found if one.clear)}
    return tuple(one for one in found if one.clear or one.place.country in about)


def named_places(found: Iterable[Mention]) -> tuple[NamedPlace, ...]:
    """The places of the mentions in a text, the most frequent first, each once under its usual name."""
    counted = Counter(NamedPlace(usual_name(one.place), one.place.country) for one in found if one.is_town)
    return tuple(place for place, _ in counted.most_common(MOST))


def usual_name(place: library.Place) -> str:
    """The name under which a place is shown."""
    return place.names[0].partition("~")[0]


def _found(document: Document, name: str) -> Iterator[Mention]:
    """Each name of a place or country in the field `name`, in any of its forms; the longest at each word."""
    names, index = _names(), document.index(name)
    folded = index.folded
    forms = dict(_forms(document, index, names))
    known = compress(range(len(folded)), map(names.lengths.__contains__, folded))
    end = 0  # of the name before
    for at in merge(known, forms) if forms else known:
        if at < end:
            continue
        for words, length in _readings(folded, forms, at, names):
            meant = names.places.get(words)
            if meant is not None and _capital(index, at) and _is_written(index, at, words):
                yield Mention(*meant, name, at, length)
                end = at + length
                break


def _readings(
    folded: Sequence[str], forms: Mapping[int, Sequence[str]], at: int, names: Names
) -> Iterator[tuple[tuple[str, ...], int]]:
    """The names that may begin at a word, and how many words they have; the longest first."""
    if not forms:
        for length in names.lengths[folded[at]]:
            yield tuple(folded[at : at + length]), length
        return
    firsts = forms.get(at, folded[at : at + 1])
    for length in sorted({length for word in firsts for length in names.lengths.get(word, ())}, reverse=True):
        rest = [(*folded[to : to + 1], *forms.get(to, ())) for to in range(at + 1, at + length)]
        for words in product(firsts, *rest):
            yield words, length


_SCRIPTS = (
    ("Ѐ", "ӿ", ("ru", "uk")),
    ("\u0600", "\u06ff", ("ar",)),
    ("\u0590", "\u05ff", ("he",)),
    ("가", "힣", ("ko",)),
)
_LATIN = ("pl", "cs", "hr", "fi")
_OTHER_SCRIPTS = re.compile("[Ѐ-ӿ\u0590-\u06ff가-힣]")


def _forms(document: Document, index: Index, names: Names) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The words that are no part of a name as they are written, each with those of which they are forms.

    Cyrillic, Arabic, Hebrew and Korean words are read by the rules of their script, others by the language of the text.
    """
    folded = index.folded
    languages = tuple(code for code in _LATIN if code in document.languages) if index.cased else ()
    if not languages and not _OTHER_SCRIPTS.search(index.joined):
        return
    for at, word in enumerate(folded):
        if word in names.lengths:
            continue
        rules = _rules(word[0])
        found = _bases(word, languages if rules is None else rules)
        if found and _capital(index, at):
            yield at, found


@lru_cache(4_096)
def _rules(letter: str) -> tuple[str, ...] | None:
    """The languages by whose rules a word is read that begins with this letter; None: by those of its text."""
    if is_unspaced(letter):
        return ()
    return next((codes for first, last, codes in _SCRIPTS if first <= letter <= last), None)


@lru_cache(50_000)
def _bases(word: str, languages: tuple[str, ...]) -> tuple[str, ...]:
    """The words of names that have the word among their forms; none for one that is mostly no name."""
    if word in _never_forms():
        return ()
    return tuple(dict.fromkeys(base for code in languages for base in bases(word, code, _names().words)))


@cache
def _never_forms() -> frozenset[str]:
    return frozenset("".join(folded_words(item)) for item in library.listed(library.known()["forms"]["never"]))


def _capital(index: Index, at: int) -> bool:
    letter = index.written(at)[:1]
    return not index.cased or letter == letter.upper()


def _is_written(index: Index, at: int, words: tuple[str, ...]) -> bool:
    """Whether the words are written as the name is: initials in capitals, and without a given name before it."""
    if words in _names_of_kind("initials"):
        return index.cased and all(index.written(one).isupper() for one in range(at, at + len(words)))
    return not (words in _names_of_kind("surnames") and _is_surname(index, at))


def _is_surname(index: Index, at: int) -> bool:
    """Whether a given name is in front of it: another word with a capital, inside of a sentence."""
    before = index.written(at - 1) if at and index.between(at) == " " else ""
    return index.cased and before[:1].isupper() and index.folded[at - 1] not in library.beside("before")


@cache
def _names_of_kind(kind: str) -> frozenset[tuple[str, ...]]:
    """The "initials" of countries, or the names of towns that are "surnames", too, as folded words."""
    known = library.known()
    lists = known["initials"].values() if kind == "initials" else [known["towns"][kind]]
    return frozenset(tuple(folded_words(name)) for text in lists for name in library.listed(text))


class Names(NamedTuple):
    """The names of places and countries, each as its folded words.

    `places` has the place of a name, and whether the name has no other meaning. `lengths` has the numbers of words of
    the names that begin with a word, the largest first. `words` are all words of names.
    """

    places: Mapping[tuple[str, ...], tuple[library.Place, bool]]
    lengths: Mapping[str, Sequence[int]]
    words: frozenset[str]


def load() -> None:
    """Read the names now: it takes a moment, which no article should wait for."""
    _names()


@cache
def _names() -> Names:
    entries: dict[tuple[str, ...], tuple[library.Place, bool]] = {}

    def add(name: str, place: library.Place, clear: bool) -> None:
        words = tuple(folded_words(name.partition("~")[0]))
        before = entries.get(words)
        least = _SMALLEST_UNSPACED if words and is_unspaced(words[0]) else _SMALLEST
        long_enough = len("".join(words)) >= least or place.population < 0
        if words and long_enough and (before is None or (clear and not before[1])):
            entries[words] = (place, clear and not (is_unspaced(words[0]) and len(words) <= _SMALLEST_UNSPACED))

    for country, name in _countries():
        add(name, library.Place(country.code, -1, 0, 0, country.names), True)
    for place in sorted(library.places(), key=lambda place: -place.population):
        for name in place.names:
            add(name, place, is_clear(place, name))
    for code in library.known().get("places", {}):
        for place, clear in library.own_places(code):
            for name in place.names:
                add(name, _usual(place), clear)
    return Names(entries, _lengths(entries), frozenset(word for words in entries for word in words))


def _countries() -> Iterator[tuple[library.Country, str]]:
    """The countries, each with its names and initials; those whose names have other meanings have queries."""
    known = library.known()
    for code, country in library.countries().items():
        if code.isalpha() and "names" not in known.get("country", {}).get(code, {}):
            yield from ((country, name) for name in country.names)
        yield from ((country, name) for name in library.listed(known["initials"].get(code, "")))


def _lengths(names: Iterable[Sequence[str]]) -> Mapping[str, tuple[int, ...]]:
    """See `Names`."""
    lengths: dict[str, tuple[int, ...]] = {}
    for words in names:
        before = lengths.get(words[0], ())
        if len(words) not in before:
            lengths[words[0]] = _descending(frozenset((*before, len(words))))
    return lengths


@cache
def _descending(lengths: frozenset[int]) -> tuple[int, ...]:
    """The lengths, the largest first. There are few such sets for many thousand words."""
    return tuple(sorted(lengths, reverse=True))


def _usual(place: library.Place) -> library.Place:
    """The town of the gazetteer at the same spot, whose name is the usual one; else the place itself."""
    near = (other for other in library.places() if other.country == place.country and other.distance(place) < 3)
    return next(near, place)
