"""Pure: the places that an article names, by the names library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import compress
from typing import NamedTuple

from watchpost.model import NamedPlace
from watchpost.names import library
from watchpost.query.document import SEARCHED, Document, Index
from watchpost.query.known_names import is_clear
from watchpost.query.words import folded_words, is_unspaced

MOST = 20
"""The most places of one article; those that it names most often."""

_SMALLEST = 2  # letters; a single character of Chinese is no name


class Mention(NamedTuple):
    """One name of a place or country in a text.

    `clear`: the name has no other meaning. `field` is the field of the document, `at` the position of the first word.
    """

    place: library.Place
    clear: bool
    field: str
    at: int

    @property
    def is_town(self) -> bool:
        """Whether it names a place in a country, and not the country."""
        return self.place.population >= 0


def mentions(document: Document, countries: frozenset[str] = frozenset()) -> tuple[Mention, ...]:
    """The names of places and countries in the text, in reading order.

    `countries` are codes of countries that the article is known to be about. A town with a name that it shares with
    something else counts only in an article about its country: that names the country, or another town of it.
    """
    found = [one for name in SEARCHED for one in _found(document.index(name), name)]
    about = {*countries, *(one.place.country for one in found if one.clear)}
    return tuple(one for one in found if one.clear or one.place.country in about)


def named_places(found: Iterable[Mention]) -> tuple[NamedPlace, ...]:
    """The places of the mentions in a text, the most frequent first, each once under its usual name."""
    counted = Counter(NamedPlace(usual_name(one.place), one.place.country) for one in found if one.is_town)
    return tuple(place for place, _ in counted.most_common(MOST))


def usual_name(place: library.Place) -> str:
    """The name under which a place is shown."""
    return place.names[0].partition("~")[0]


def _found(index: Index, name: str) -> Iterator[Mention]:
    """Each name of a place or country in the field `name`; the longest at each word."""
    names, folded = _names(), index.folded
    end = 0  # of the name before
    for at in compress(range(len(folded)), map(names.lengths.__contains__, folded)):
        if at < end:
            continue
        for length in names.lengths[folded[at]]:
            meant = names.places.get(tuple(folded[at : at + length]))
            if meant is not None and _capital(index, at):
                yield Mention(*meant, name, at)
                end = at + length
                break


def _capital(index: Index, at: int) -> bool:
    letter = index.written(at)[:1]
    return not index.cased or letter == letter.upper()


class Names(NamedTuple):
    """The names of places and countries, each as its folded words.

    `places` has the place of a name, and whether the name has no other meaning. `lengths` has the numbers of words of
    the names that begin with a word, the largest first.
    """

    places: Mapping[tuple[str, ...], tuple[library.Place, bool]]
    lengths: Mapping[str, Sequence[int]]


def load() -> None:
    """Read the names now: it takes a moment, which no article should wait for."""
    _names()


@cache
def _names() -> Names:
    entries: dict[tuple[str, ...], tuple[library.Place, bool]] = {}

    def add(name: str, place: library.Place, clear: bool) -> None:
        words = tuple(folded_words(name.partition("~")[0]))
        before = entries.get(words)
        if words and len("".join(words)) >= _SMALLEST and (before is None or (clear and not before[1])):
            entries[words] = (place, clear and not (is_unspaced(words[0]) and len(words) <= _SMALLEST))

    for code, country in library.countries().items():
        if code.isalpha() and "names" not in library.known().get("country", {}).get(code, {}):
            for name in country.names:
                add(name, library.Place(code, -1, 0, 0, country.names), True)
    for place in sorted(library.places(), key=lambda place: -place.population):
        for name in place.names:
            add(name, place, is_clear(place, name))
    for code in library.known().get("places", {}):
        for place, clear in library.own_places(code):
            for name in place.names:
                add(name, _usual(place), clear)
    return Names(entries, _lengths(entries))


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
