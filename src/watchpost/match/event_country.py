"""Pure: the countries in which the event of an article happened, out of all that it names.

Where a name is says most: events happen where headline and lead say, and capitals often mean their governments. The
weights were fitted on labelled articles (`make eval-events`; docs/events.md has the figures).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from itertools import compress, pairwise
from typing import NamedTuple

from watchpost.match.places import Mention, mentions, named_places, usual_name
from watchpost.model import NamedPlace
from watchpost.names import library
from watchpost.query.document import SEARCHED, Document, Index
from watchpost.query.parser import parse
from watchpost.query.tree import Query
from watchpost.query.words import folded_words

LEAD = 45
"""The words at the beginning of summary and body that count as the lead."""

TEXT = 400
"""The words of a field that are read for adjectives and people of a country."""

_SAME_TOWN_KM = 15.0
_BEGINNING = 4  # letters at least of the beginning of a word for people

KINDS = ("town", "capital", "country", "people", "government")
PARTS = ("title", "lead", "body")


class Clue(NamedTuple):
    """That a text speaks of a country, by a name of a kind of `KINDS` in one of `PARTS`.

    `at` is the word in the text. `where`: a word beside it says that something is or happens there. `dateline`: it
    stands before the first sentence of a paragraph.
    """

    at: tuple[int, int]
    country: str
    kind: str
    part: str
    where: bool
    dateline: bool


def clues(document: Document, found: Sequence[Mention]) -> tuple[Clue, ...]:
    """What the text says of countries, in reading order. `found` are the places that it names."""
    rows = [
        _clue(document, one.field, (one.at, one.words), one.place.country, _kind(one))
        for one in found
        if one.field in SEARCHED
    ]
    for code, query in _queries().items():
        items = (item for occurrence in query.root.find(document) or () for item in occurrence.mentions())
        rows += [
            _clue(document, one.field, (one.first, one.last - one.first + 1), code, "country")
            for one in items
            if one.field in SEARCHED
        ]
    for name in SEARCHED:
        for at, code in _people(document.index(name)):
            rows.append(_clue(document, name, (at, 1), code, "people"))
        for at, words, code in _governments(document.index(name)):
            rows.append(_clue(document, name, (at, words), code, "government"))
    return tuple(sorted(set(rows)))


def _clue(document: Document, field: str, name: tuple[int, int], code: str, kind: str) -> Clue:
    """The clue of a name: of its first word and the number of its words. "Mali's" says who acts, like "Malian"."""
    index, (at, words) = document.index(field), name
    if field == "title":
        part = "title"
    else:
        before = len(document.index("summary").folded) if field == "body" else 0
        part = "lead" if at + min(before, LEAD // 2) < LEAD else "body"
    if kind == "country" and _acts(index, at, words):
        kind = "people"
    dateline = field != "title" and _is_dateline(index, at, words)
    return Clue((SEARCHED.index(field), at), code, kind, part, _is_where(index.folded, at), dateline)


def _acts(index: Index, at: int, words: int) -> bool:
    """Whether the name of a country says who acts, as in "Mali's"."""
    return index.folded[at + words : at + words + 1] == ["s"] and index.between(at + words) in ("'", "’")


def _is_dateline(index: Index, at: int, words: int) -> bool:
    """Whether a name of so many words stands before the text, as in "BAMAKO (Reuters) –"."""
    if "\n" not in index.between(at):
        return False
    after = index.between(at + words)
    return any(mark in after for mark in _AFTER_DATELINE) or ("," in after and index.written(at).isupper())


def _governments(index: Index) -> Iterator[tuple[int, int, str]]:
    """Where a text names a government or parliament, in how many words, and the code of its country."""
    table, lengths = _names_of_governments()
    folded = index.folded[:TEXT]
    for at in compress(range(len(folded)), map(lengths.__contains__, folded)):
        for length in lengths[folded[at]]:
            name = tuple(folded[at : at + length])
            code = table.get(name)
            if code and (not index.cased or _is_in_capitals(index.written(at), name)):
                yield at, length, code
                break


def _is_in_capitals(written: str, name: tuple[str, ...]) -> bool:
    """Whether a name has its capital; "Eu" is "I" in Portuguese and Romanian."""
    return written.isupper() if name == ("eu",) else written[:1].isupper()


@cache
def _names_of_governments() -> tuple[Mapping[tuple[str, ...], str], Mapping[str, Sequence[int]]]:
    """The country of each name, and the numbers of words of the names that begin with a word, the largest first."""
    table = {}
    lengths: dict[str, set[int]] = defaultdict(set)
    for code, text in library.known()["government"].items():
        for name in library.listed(text):
            words = tuple(folded_words(name))
            table[words] = code
            lengths[words[0]].add(len(words))
    return table, {word: sorted(found, reverse=True) for word, found in lengths.items()}


def _is_where(words: Sequence[str], at: int) -> bool:
    """Whether the words beside a name say that something is or happens there."""
    directly, sides, after = _words_for_where()
    before = words[max(0, at - 3) : at]
    if before and before[-1] in directly:
        return True
    if at + 1 < len(words) and words[at + 1] in after:
        return True
    return any(word in sides[0] or word.startswith(sides[1]) for word in before)


@cache
def _words_for_where() -> tuple[frozenset[str], tuple[frozenset[str], tuple[str, ...]], frozenset[str]]:
    table = library.known()["where"]
    sides = table["side"].split()
    whole = frozenset(word for item in sides if not item.endswith("*") for word in folded_words(item))
    beginnings = tuple(word for item in sides if item.endswith("*") for word in folded_words(item[:-1]))
    return frozenset(folded_words(table["before"])), (whole, beginnings), frozenset(folded_words(table["after"]))


def _kind(mention: Mention) -> str:
    if not mention.is_town:
        return "country"
    return "capital" if is_seat_of_government(mention.place) else "town"


@lru_cache(20_000)
def is_seat_of_government(place: library.Place) -> bool:
    """Whether it is the capital or the largest town of its country, which also mean governments and firms."""
    return any(seat.distance(place) < _SAME_TOWN_KM for seat in _seats().get(place.country, ()))


@cache
def _seats() -> Mapping[str, Sequence[library.Place]]:
    """The largest town of each country, and its capital where that is another one."""
    capitals = library.known()["seats"]
    largest: dict[str, library.Place] = {}
    found: dict[str, list[library.Place]] = defaultdict(list)
    for place in sorted(library.places(), key=lambda place: -place.population):
        is_largest = largest.setdefault(place.country, place) is place
        if is_largest or place.names[0] == capitals.get(place.country):
            found[place.country].append(place)
    return found


@cache
def _queries() -> Mapping[str, Query]:
    """Queries for the countries whose names have other meanings."""
    tables = library.known().get("country", {})
    return {code: parse(f"country:{code}") for code, table in tables.items() if "names" in table}


def _people(index: Index) -> Iterator[tuple[int, str]]:
    for at, code in enumerate(map(_country_of, index.folded[:TEXT])):
        if code:
            yield at, code


@lru_cache(50_000)  # most words of an article are in many others
def _country_of(word: str) -> str:
    """The country whose people or adjective a folded word means; "" for any other word."""
    whole, beginnings, first = _words_for_people()
    code = whole.get(word)
    if code is None and word[:_BEGINNING] in first:
        begun = (beginnings.get(word[:end]) for end in range(_BEGINNING, len(word) + 1))
        code = next(filter(None, begun), None)
    return code or ""


@cache
def _words_for_people() -> tuple[Mapping[str, str], Mapping[str, str], frozenset[str]]:
    """The country of a word, that of the beginning of a word, and the first letters of all beginnings."""
    whole: dict[str, str] = {}
    beginnings: dict[str, str] = {}
    for code, text in library.known().get("people", {}).items():
        for item in text.split():
            word = "".join(folded_words(item.rstrip("*")))
            (beginnings if item.endswith("*") else whole)[word] = code
    return whole, beginnings, frozenset(beginning[:_BEGINNING] for beginning in beginnings)


def features(found: Sequence[Clue]) -> dict[str, dict[str, float]]:
    """For each country, the values by which it is judged."""
    by_country: dict[str, list[Clue]] = defaultdict(list)
    for clue in found:
        by_country[clue.country].append(clue)
    weights = {code: sum(_PART_WEIGHT[clue.part] for clue in rows) for code, rows in by_country.items()}
    total = sum(weights.values())
    first = next((clue.country for clue in found if clue.kind != "people"), "")
    early_towns = {one.country for one in found if one.kind == "town" and one.part != "body"}
    listed = _listed(found)
    result = {}
    for code, rows in by_country.items():
        values: dict[str, float] = {"one": 1.0, "share": weights[code] / total}
        named = Counter((clue.kind, clue.part) for clue in rows)
        named.update(("where", clue.part) for clue in rows if clue.where and clue.kind != "people")
        for kind in (*KINDS, "where"):
            for part in PARTS:
                count = named[kind, part]
                values[f"{kind} {part}"] = min(1.0, count) if part != "body" else math.log1p(count)
        values["only people"] = float(all(clue.kind == "people" for clue in rows))
        values["first"] = float(code == first)
        values["alone"] = float(len(by_country) == 1)
        values["most"] = float(weights[code] == max(weights.values()))
        values["towns"] = math.log1p(len({clue.at for clue in rows if clue.kind == "town"}))
        values["other"] = float(bool(early_towns - {code}))
        values["listed"] = float(code in listed)
        values["dateline"] = float(any(clue.dateline and clue.part == "lead" for clue in rows))
        result[code] = values
    return result


def _listed(found: Sequence[Clue]) -> set[str]:
    """The countries that title or lead name beside another one: "Mali and Niger", "Mali, Niger"."""
    listed = set()
    for one, other in pairwise(found):
        near = one.at[0] == other.at[0] and other.at[1] - one.at[1] <= 2
        if near and one.country != other.country and one.kind == other.kind != "people" and other.part != "body":
            listed |= {one.country, other.country}
    return listed


_AFTER_DATELINE = ("(", "–", "—", ".", " - ")

_PART_WEIGHT = {"title": 3.0, "lead": 2.0, "body": 1.0}


WEIGHTS: Mapping[str, float] = {
    "one": -3.793,
    "share": 2.043,
    "town title": 0.105,
    "town lead": 0.985,
    "town body": 0.377,
    "capital title": 0.535,
    "capital lead": 0.889,
    "capital body": 0.902,
    "country title": 0.524,
    "country lead": 0.043,
    "country body": 0.144,
    "people title": 0.718,
    "people lead": -0.114,
    "people body": 0.211,
    "government title": 0.289,
    "government lead": 1.385,
    "government body": 0.545,
    "where title": 1.016,
    "where lead": 0.541,
    "where body": -0.101,
    "only people": -0.286,
    "first": 1.311,
    "alone": 1.556,
    "most": 1.293,
    "towns": 1.241,
    "other": -0.473,
    "listed": 0.143,
    "dateline": 0.962,
}
"""Fitted on labelled articles by logistic regression; `python -m benchmarks.events --fit` prints them again."""

LEAST = 0.5
"""The least probability of a country in which the event happened."""


def probability(values: Mapping[str, float], weights: Mapping[str, float] = WEIGHTS) -> float:
    """The probability of a country with these values; the weights are those of a logistic regression."""
    return 1 / (1 + math.exp(-sum(weights.get(name, 0.0) * value for name, value in values.items())))


def is_there(values: Mapping[str, float], weights: Mapping[str, float] = WEIGHTS) -> bool:
    """Whether the event happened in a country with these values."""
    return probability(values, weights) >= LEAST


def named(document: Document, countries: frozenset[str] = frozenset()) -> tuple[Mention, ...]:
    """The `mentions` of a text; the people and adjectives of a country support its towns, as its name does."""
    people = frozenset(code for name in SEARCHED for _, code in _people(document.index(name)))
    return mentions(document, countries | people)


def event_countries(document: Document, found: Sequence[Mention]) -> tuple[str, ...]:
    """The codes of the countries in which the event of the text happened, the most probable first."""
    judged = features(clues(document, found))
    there = [code for code, values in judged.items() if is_there(values)]
    return tuple(sorted(there, key=lambda code: -probability(judged[code])))


def placed(document: Document, about: frozenset[str] = frozenset()) -> tuple[NamedPlace, ...]:
    """The places that the text names, as `named_places`, with those marked where its event happened.

    `about` are codes of countries that the article is known to be about, as in `named`.
    Of the towns of a country in which it happened, those count that title and lead name, or else all. A country of
    which no town is named comes last, under its English name.
    """
    found = named(document, about)
    countries = event_countries(document, found)
    places = named_places(found)
    early = {(usual_name(one.place), one.place.country) for one in found if one.field == "title" or one.at < LEAD}
    told_early = {place.country for place in places if (place.name, place.country) in early}
    marked = [
        replace(place, event=True)
        if place.country in countries and (place.country not in told_early or (place.name, place.country) in early)
        else place
        for place in places
    ]
    there = {place.country for place in marked if place.event}
    whole = [NamedPlace(library.country_name(code), code, event=True) for code in countries if code not in there]
    return (*marked, *whole)
