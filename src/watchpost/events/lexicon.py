"""Pure: the words for kinds of events, harm, numbers and weekdays in words.toml, ready to be looked up.

They belong to the program and never change; they are read when the first event is compared.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from watchpost.query.words import folded_words, is_unspaced

ARABIC_PREFIX = re.compile("(?:[وف]?[بلك]?ال|[وف]?لل|[وفبلك])(?=...)")
"""The article and the prepositions that Arabic writes in front of a word of at least three letters."""

LONGEST_BEGINNING = 12


class Item(NamedTuple):
    """A word or phrase of a list, as its folded words, and what it means.

    `languages`: it counts in texts of these only; empty for any. `written`: the first word as it is spelt with its
    accents, in small letters, where those decide; else "".
    """

    words: tuple[str, ...]
    meaning: str
    languages: frozenset[str] = frozenset()
    written: str = ""

    def is_at(self, at: int, text: Text) -> bool:
        """Whether the text has the phrase at a position whose word is its first one."""
        if self.languages and text.language not in self.languages:
            return False
        if len(self.words) > 1 and tuple(text.words[at + 1 : at + len(self.words)]) != self.words[1:]:
            return False
        return not self.written or normalized(text.written(at)) == self.written


class Text(NamedTuple):
    """Words to look up: folded, the code of their language ("" if unknown), and how the word at a position is spelt."""

    words: Sequence[str]
    language: str = ""
    written: Callable[[int], str] = lambda _: ""


def normalized(word: str) -> str:
    """The word in small letters with its accents."""
    return unicodedata.normalize("NFC", word.lower())


@dataclass(frozen=True, slots=True)
class Phrases:
    """Words and phrases with what they mean, by the first word or its beginning."""

    words: Mapping[str, Sequence[Item]]
    beginnings: Mapping[str, str] = field(default_factory=dict)

    def meanings(self, text: Text) -> list[tuple[int, str]]:
        """The position of each word or phrase of the list that is in the text, and what it means."""
        found: list[tuple[int, str]] = []
        for at, word in enumerate(text.words):
            for form in forms_of(word):
                found += [(at, item.meaning) for item in self.words.get(form, ()) if item.is_at(at, text)]
                for length in range(2, min(len(form), LONGEST_BEGINNING) + 1):
                    begun = self.beginnings.get(form[:length])
                    if begun is not None:
                        found.append((at, begun))
        return found


def forms_of(word: str) -> tuple[str, ...]:
    """The folded word, and without what Arabic writes in front of it."""
    bare = ARABIC_PREFIX.match(word) if "\u0600" <= word[0] <= "\u06ff" else None
    return (word,) if bare is None else (word, word[bare.end() :])


@cache
def _tables() -> Mapping[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))


def _phrases(lists: Mapping[str, str]) -> Phrases:
    words: dict[str, list[Item]] = {}
    beginnings: dict[str, str] = {}
    for meaning, text in lists.items():
        for entry in text.split():
            spelt, _, languages = entry.partition(":")
            phrase = tuple(folded_words(spelt.strip("=*").replace("_", " ")))
            if spelt.endswith("*") and len(phrase) == 1 and not is_unspaced(phrase[0]):
                beginnings.setdefault(phrase[0][:LONGEST_BEGINNING], meaning)
            elif phrase:
                written = normalized(spelt[1:]) if spelt.startswith("=") else ""
                item = Item(phrase, meaning, frozenset(filter(None, languages.split(","))), written)
                words.setdefault(phrase[0], []).append(item)
    return Phrases(words, beginnings)


@cache
def rises() -> Phrases:
    """Words that say to which number something rises."""
    return _phrases({"rises": _tables()["rises"]["words"]})


@cache
def kinds() -> Phrases:
    """The words of headlines, and the kinds of events that they are about."""
    return _phrases(_tables()["kinds"])


@cache
def anniversaries() -> Phrases:
    """The words of headlines that look back at an event of another year."""
    return _phrases({"anniversary": _tables()["anniversaries"]["words"]})


@cache
def harm() -> Phrases:
    """The words for what becomes of people: killed, wounded, taken or arrested."""
    return _phrases({role: table["words"] for role, table in _tables()["harm"].items()})


@dataclass(frozen=True, slots=True)
class Numerals:
    """The words for numbers in one language, and those that may be between two of them.

    `thousands_first`: the number of hundreds or thousands comes after their word.
    """

    values: Mapping[str, int]
    links: frozenset[str]
    thousands_first: bool = False


@cache
def numerals(language: str) -> Numerals | None:
    """The words for numbers of a language (ISO 639-1), None if there are none."""
    table = _tables()["numbers"].get(language)
    if table is None:
        return None
    values: dict[str, int] = {}
    for row in table["words"].replace("\n", ";").split(";"):
        digits, *names = row.split() or ("0",)
        for name in names:
            values["".join(folded_words(name))] = int(digits)
    values.update(_compounds(language, values))
    return Numerals(values, frozenset(folded_words(table["and"])), table.get("thousands_first", False))


def _compounds(language: str, values: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """The numbers from 21 to 99 that German and Italian write as one word."""
    units = [(name, value) for name, value in values.items() if value < 10]
    tens = [(name, value) for name, value in values.items() if 20 <= value <= 90]
    for ten, base in tens:
        for unit, value in units:
            if language == "de":
                yield f"{unit}und{ten}", base + value
            elif language == "it":
                yield (ten[:-1] if unit[0] in "uo" else ten) + unit, base + value


@cache
def weekdays(language: str) -> Mapping[str, int]:
    """The names of the days of the week in a language, folded; Monday is 0. Empty if they are not known."""
    return dict(_days(_tables()["weekdays"].get(language, "").split("/")))


def _days(days: Iterable[str]) -> Iterator[tuple[str, int]]:
    for number, names in enumerate(days):
        for name in names.split():
            yield " ".join(folded_words(name)), number
