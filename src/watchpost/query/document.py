"""Pure: a document as queries see it: fields of text, each with an index of its words.

The index of a field is made when the first query needs it, and each part of the index when it is first needed: the set
of words alone tells most queries that they do not match.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from html.entities import html5
from typing import Any, TypeVar

import regex

from watchpost.query.language import READ, of_text, tag_of
from watchpost.query.words import FoldedText, WordPattern, WordSpans, fold, is_unspaced, touches

# A closing semicolon is required: `?a=1&copy=2` is an address, not a copyright sign.
_ENTITY = re.compile(r"&(?:amp;)*(?:#(?:[0-9]{1,7}|[xX][0-9a-fA-F]{1,6})|[A-Za-z][A-Za-z0-9]{1,31});")


class DecodedText:
    """A text with its HTML entities decoded, and the offsets of the original.

    Feeds often escape twice: `Go&iuml;ta`, `&#1052;&#1072;&#1083;&#1080;`, `AT&amp;amp;T`.
    """

    __slots__ = ("_began", "_places", "text")

    def __init__(self, original: str) -> None:
        self.text = original
        self._began: list[int] = []  # offsets in `text` at which decoded entities begin
        self._places: list[tuple[int, int, int]] = []  # their end in `text`, and start and end in the original
        if "&" in original and ";" in original:
            self._decode(original)

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The offsets in the original of text[start:end], which is not empty."""
        if not self._began:
            return start, end
        return self._place(start)[0], self._place(end - 1)[1]

    def _place(self, at: int) -> tuple[int, int]:
        """The offsets in the original of the character at `at`."""
        number = bisect_right(self._began, at) - 1
        if number < 0:
            return at, at + 1
        ended, start, end = self._places[number]
        return (start, end) if at < ended else (end + at - ended, end + at - ended + 1)

    def _decode(self, original: str) -> None:
        parts: list[str] = []
        length = last = 0
        for match in _ENTITY.finditer(original):
            meant = _meaning(match[0])
            if meant is None:
                continue
            before = original[last : match.start()]
            parts += (before, meant)
            length += len(before)
            self._began.append(length)
            length += len(meant)
            last = match.end()
            self._places.append((length, match.start(), last))
        if parts:
            self.text = "".join((*parts, original[last:]))


def _meaning(entity: str) -> str | None:
    """The character of an entity, or None if it is not one."""
    name = entity[1:].replace("amp;", "") or "amp;"
    if name[0] != "#":
        return html5.get(name)
    code = int(name[2:-1], 16) if name[1] in "xX" else int(name[1:-1])
    return "\ufffd" if code == 0 or code > 0x10FFFF or 0xD800 <= code < 0xE000 else chr(code)


LONGEST_SEARCHED = 200_000
"""The characters from the beginning of a text in which regular expressions are searched."""

MOST_PLACES = 1_000
"""The first places of one clause in one text that are reported."""

_FEW = 64  # words that are looked up one by one before all are indexed
_HYPHENS = "-\u00ad\u2010"
_LINE_END = re.compile("([^\\W\\d_])[-\u00ad\u2010]\r?\n[ \t]*(?=([^\\W\\d_]))")
_CAPITALISED = regex.compile(r"\p{Lu}")
_PARAGRAPH_END = re.compile("\n[ \t\r]*\n|\u2029")


class Index:
    """The words of one text and their positions, which count from 0.

    A word that is hyphenated at the end of a line ("merce-\\nnaries") is in the index three times: as its halves,
    which may be words by themselves ("anti-\\nWagner"), and as the whole.
    """

    __slots__ = (
        "_broken",
        "_cased",
        "_decoded",
        "_folded",
        "_last",
        "_looked_up",
        "_paragraphs",
        "_positions",
        "_sorted",
        "_spans",
        "_text",
        "_vocabulary",
        "joined",
    )

    def __init__(self, text: str) -> None:
        self._decoded = DecodedText(text)
        self._text = FoldedText(self._decoded.text)
        self.joined = self._text.joined
        self._folded: list[str] | None = None
        self._spans: WordSpans | None = None
        self._last: dict[str, int] | None = None  # the last position of each word
        self._looked_up: dict[str, list[int]] = {}
        self._positions: dict[str, list[int]] | None = None
        self._sorted: list[str] | None = None
        self._paragraphs: list[int] | None = None
        self._broken = self._rejoined() if _breaks_words(text) else {}
        self._vocabulary: set[str] | None = None
        self._cased: bool | None = None

    @property
    def decoded(self) -> str:
        """The text with its HTML entities decoded."""
        return self._decoded.text

    @property
    def cased(self) -> bool:
        """Whether the text has words in small letters and words with a capital, so that a capital says something."""
        if self._cased is None:
            text = self._decoded.text
            self._cased = _CAPITALISED.search(text) is not None and not text.isupper()
        return self._cased

    @property
    def folded(self) -> list[str]:
        """The folded words in order; `joined` is the same with spaces between them."""
        if self._folded is None:
            self._folded = self.joined.split()
        return self._folded

    @property
    def rejoined(self) -> Mapping[int, str]:
        """The words that are broken by the end of a line, folded, by the position of their first half."""
        return self._broken

    @property
    def vocabulary(self) -> set[str]:
        """The folded words, with those that are broken by the end of a line."""
        if self._vocabulary is None:
            self._vocabulary = {*self.folded, *self._broken.values()}
        return self._vocabulary

    def find(self, patterns: tuple[WordPattern, ...]) -> list[tuple[int, int]]:
        """First and last position of every place where the words match `patterns`, which is not empty."""
        if patterns[0].folded not in self.joined and not patterns[0].forms and not self._broken:
            return []  # most names are not in most titles
        if len(patterns) > 1 and not self._broken and not self._may_hold(patterns):
            return []
        starts = self._positions_of(patterns[0])[:MOST_PLACES]
        if self._broken:
            return [(start, last) for start in starts for last in self._ends(start, patterns)]
        if len(patterns) == 1 and not patterns[0].checked:
            return [(start, start) for start in starts]
        length = len(patterns)
        return [
            (start, start + length - 1)
            for start in starts
            if start + length <= len(self.folded)
            and all(self._is(start + distance, pattern) for distance, pattern in enumerate(patterns))
        ]

    def _may_hold(self, patterns: tuple[WordPattern, ...]) -> bool:
        """Whether the words may follow one another: far cheaper than to look at each place of the first one."""
        plain = [pattern.folded for pattern in patterns if not pattern.forms and not pattern.prefix]
        if len(plain) == len(patterns):
            return " ".join(plain) in self.joined
        if len(plain) == len(patterns) - 1 and patterns[-1].prefix:
            return f"{' '.join(plain)} {patterns[-1].folded}" in self.joined
        return True

    def search(self, matches: Callable[[bytes], Iterable[tuple[int, int]]]) -> list[tuple[int, int]]:
        """First and last position of the words that each match overlaps; `matches` finds byte spans in UTF-8.

        Matches that overlap no word are left out.
        """
        text = self._decoded.text[:LONGEST_SEARCHED]
        encoded = text.encode(errors="replace")  # a lone surrogate becomes "?", so offsets stay
        matched = list(matches(encoded))
        if not matched:
            return []
        places = self._places().all()
        starts, ends = [start for start, _ in places], [end for _, end in places]
        found: dict[tuple[int, int], None] = {}
        bytes_seen = characters = 0
        for start_byte, end_byte in matched:
            characters += len(encoded[bytes_seen:start_byte].decode(errors="replace"))
            end = characters + len(encoded[start_byte:end_byte].decode(errors="replace"))
            bytes_seen = start_byte
            first, last = bisect_right(ends, characters), bisect_left(starts, end) - 1
            if first <= last:
                found[first, last] = None
        return list(found)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """The offsets in the original text from the start of word `first` to the end of word `last`."""
        places = self._places()
        return self._decoded.original(places[first][0], places[last][1])

    def paragraph(self, position: int) -> int:
        """The number, from 0, of the paragraph of a word. An empty line ends a paragraph."""
        if self._paragraphs is None:
            self._paragraphs = [match.end() for match in _PARAGRAPH_END.finditer(self._decoded.text)]
        return bisect_right(self._paragraphs, self._places()[position][0])

    def neighbours(self, first: int, last: int) -> tuple[str, str]:
        """The folded words that touch the place on either side without a visible gap; "" for none."""
        places, text = self._places(), self._decoded.text
        before = first > 0 and touches(text, places[first - 1][1], places[first][0])
        after = last + 1 < len(places) and touches(text, places[last][1], places[last + 1][0])
        return self.folded[first - 1] if before else "", self.folded[last + 1] if after else ""

    def written(self, position: int) -> str:
        """The word at a position as it is written."""
        start, end = self._places()[position]
        return self._decoded.text[start:end]

    def between(self, position: int) -> str:
        """What is written before the word at a position, after the word before it; "\\n" before the first word."""
        places, text = self._places(), self._decoded.text
        if position >= len(places):
            return "\n"
        return text[places[position - 1][1] : places[position][0]] if position else "\n"

    def spelt(self, first: int, last: int) -> str:
        """The text of a place, from its first to its last word, in one line."""
        places = self._places()
        return " ".join(self._decoded.text[places[first][0] : places[last][1]].split())

    def _places(self) -> WordSpans:
        """Start and end of each word in the decoded text."""
        if self._spans is None:
            self._spans = WordSpans(self._decoded.text, self._text)
        return self._spans

    def _positions_of(self, pattern: WordPattern) -> Sequence[int]:
        """The positions of words that match the pattern, ascending."""
        if not pattern.prefix and not pattern.forms:
            return self._at(pattern.folded)
        if pattern.prefix:
            words = list(self._beginning(pattern.folded))
        else:
            words = [word for word in (pattern.folded, *pattern.forms) if word in self.vocabulary]
        if len(words) == 1:
            return self._at(words[0])
        return sorted({position for word in words for position in self._at(word)})

    def _beginning(self, prefix: str) -> Iterator[str]:
        """The words that begin with `prefix`."""
        if self._sorted is None:
            self._sorted = sorted(self.vocabulary)
        for place in range(bisect_left(self._sorted, prefix), len(self._sorted)):
            if not self._sorted[place].startswith(prefix):
                break
            yield self._sorted[place]

    def _at(self, word: str) -> Sequence[int]:
        """The positions of a word, ascending."""
        if self._positions is not None:
            return self._positions.get(word, ())
        if self._broken or len(self._looked_up) == _FEW:
            self._positions = self._all_positions()
            return self._positions.get(word, ())
        found = self._looked_up.get(word)
        if found is None:  # for a few rare names this is faster than an index of all words
            if self._last is None:
                self._last = dict(zip(self.folded, range(len(self.folded)), strict=True))
            found, at, last = [], -1, self._last.get(word, -1)
            while at < last:
                at = self.folded.index(word, at + 1)
                found.append(at)
            self._looked_up[word] = found
        return found

    def _all_positions(self) -> dict[str, list[int]]:
        positions: defaultdict[str, list[int]] = defaultdict(list)
        for position, folded in enumerate(self.folded):
            positions[folded].append(position)
        for position, folded in self._broken.items():
            positions[folded] = sorted([*positions.get(folded, ()), position])
        return dict(positions)

    def _ends(self, start: int, patterns: tuple[WordPattern, ...]) -> list[int]:
        """The last positions of the places that begin at `start`; a broken word has two positions."""
        reached = {start}
        for pattern in patterns:
            after: set[int] = set()
            for position in reached:
                if position < len(self.folded) and self._is(position, pattern):
                    after.add(position + 1)
                if position in self._broken and self._is_broken(position, pattern):
                    after.add(position + 2)
            reached = after
        return sorted(position - 1 for position in reached)

    def _is(self, position: int, pattern: WordPattern) -> bool:
        """Whether the word at this position matches."""
        if not _fits(self.folded[position], pattern):
            return False
        if not pattern.touching and not pattern.checked:
            return True
        text, places = self._decoded.text, self._places()
        start, end = places[position]
        if pattern.checked and not pattern.admits(text[start:end], self.cased):
            return False
        return not pattern.touching or (position > 0 and touches(text, places[position - 1][1], start))

    def _is_broken(self, position: int, pattern: WordPattern) -> bool:
        return _fits(self._broken[position], pattern) and pattern.admits(self._halves(position), self.cased)

    def _halves(self, position: int) -> str:
        text, places = self._decoded.text, self._places()
        (start, end), (start_after, end_after) = places[position], places[position + 1]
        return text[start:end] + text[start_after:end_after]

    def _rejoined(self) -> dict[int, str]:
        """See `rejoined`."""
        joined: dict[int, str] = {}
        for match in _LINE_END.finditer(self._decoded.text):
            before, after = match[1], match[2]
            if (before.islower() and after.isupper()) or is_unspaced(before) or is_unspaced(after):
                continue  # Franco-\nMalian is two words
            places = self._places()
            second = bisect_left(places, (match.end(), 0))
            if 0 < second < len(places) and (places[second - 1][1], places[second][0]) == (match.end(1), match.end()):
                joined[second - 1] = fold(self._halves(second - 1))
        return joined


def _breaks_words(text: str) -> bool:
    """Whether a line ends with a hyphen."""
    end = text.find("\n")
    while end > 0:
        if text[end - 1] in _HYPHENS or (text[end - 1] == "\r" and end > 1 and text[end - 2] in _HYPHENS):
            return True
        end = text.find("\n", end + 1)
    return False


def _fits(word: str, pattern: WordPattern) -> bool:
    if pattern.prefix:
        return word.startswith(pattern.folded)
    return word == pattern.folded or word in pattern.forms


T = TypeVar("T")
R = TypeVar("R")

FIELDS = ("title", "summary", "body", "author", "source", "lang", "url")
"""The fields that a query may name, in reading order."""

LANG = "lang"
"""The field for the language of an article."""

SEARCHED = ("title", "summary", "body")
"""The fields in which a term without a field is searched."""

FIRST = "first/"
"""The beginning of a scope that is the first n words of each searched field: `first/50`."""


_GROUPED = 3
"""The letters by which words are grouped; nearly every beginning of a word in a query has as many."""


class KeySet:
    """Keys of clauses, prepared for comparing with a vocabulary: folded words, or beginnings of words with a star.

    `beginnings` are those of _GROUPED letters or more, with a space before them and as keys, by their first letters;
    `short` are the others.
    """

    __slots__ = ("beginnings", "letters", "short", "words")

    def __init__(self, keys: Set[str]) -> None:
        grouped: dict[str, list[tuple[str, str]]] = {}
        self.words = frozenset(key for key in keys if not key.endswith("*"))
        self.short = tuple(key for key in keys if key.endswith("*") and len(key) <= _GROUPED)
        for key in keys:
            if key.endswith("*") and len(key) > _GROUPED:
                grouped.setdefault(key[:_GROUPED], []).append((f" {key[:-1]}", key))
        self.beginnings = {letters: tuple(begin) for letters, begin in grouped.items()}
        self.letters = frozenset(grouped)


class ScopedFields:
    """The fields in which a clause is searched.

    `vocabulary` has their folded words, in a scope of the first n words also those after them.
    """

    __slots__ = ("_fields", "_groups", "_joined", "_letters", "_limit", "vocabulary")

    def __init__(self, fields: tuple[tuple[str, Index], ...], limit: int | None) -> None:
        self._fields = fields
        self._limit = limit  # the number of words of each field that belong to the scope; None: all
        self._groups: defaultdict[str, list[str]] | None = None
        self._letters: Set[str] = frozenset()
        self._joined: dict[str, str] = {}
        self.vocabulary: set[str] = (
            fields[0][1].vocabulary
            if len(fields) == 1
            else set[str]().union(*(index.vocabulary for _, index in fields))
        )

    def find(self, patterns: tuple[WordPattern, ...]) -> list[tuple[str, int, int]]:
        """Field, first and last position of every place where the words match `patterns`, in order."""
        for pattern in patterns:
            if pattern.prefix:
                if not self._begins(pattern.folded):
                    return []
            elif pattern.folded not in self.vocabulary and self.vocabulary.isdisjoint(pattern.forms):
                return []
        return self._places(lambda index: index.find(patterns))

    def present(self, keys: KeySet) -> set[str]:
        """The keys that occur in the fields."""
        found = self.vocabulary & keys.words
        if keys.letters:
            self._group()
            for letters in self._letters & keys.letters:
                words = self._with_letters(letters)
                for begin, key in keys.beginnings[letters]:
                    if begin in words:
                        found.add(key)
        found.update(key for key in keys.short if self._begins(key[:-1]))
        return found

    def search(self, matches: Callable[[bytes], Iterable[tuple[int, int]]]) -> list[tuple[str, int, int]]:
        """Field, first and last position of the words that each match overlaps; see `Index.search`."""
        return self._places(lambda index: index.search(matches))

    def _places(self, find: Callable[[Index], list[tuple[int, int]]]) -> list[tuple[str, int, int]]:
        return [
            (name, first, last)
            for name, index in self._fields
            for first, last in find(index)
            if self._limit is None or last < self._limit
        ]

    def _begins(self, beginning: str) -> bool:
        """Whether a word begins so."""
        if len(beginning) < _GROUPED:
            return any(word.startswith(beginning) for word in self.vocabulary)
        self._group()
        letters = beginning[:_GROUPED]
        return letters in self._letters and f" {beginning}" in self._with_letters(letters)

    def _group(self) -> None:
        """Group the words by their first letters."""
        if self._groups is None:
            groups: defaultdict[str, list[str]] = defaultdict(list)
            for word in self.vocabulary:
                groups[word[:_GROUPED]].append(word)
            self._groups, self._letters = groups, groups.keys()

    def _with_letters(self, letters: str) -> str:
        """The words that begin with these letters, a space before each."""
        words = self._joined.get(letters)
        if words is None:
            grouped = () if self._groups is None else self._groups[letters]
            words = self._joined[letters] = f" {' '.join(grouped)}"
        return words


@dataclass(frozen=True, slots=True)
class Document:
    """The texts of an article by field. Make one with `Document.of`, and evaluate all queries on it."""

    fields: Mapping[str, str]
    _indexes: dict[str, Index] = field(default_factory=dict, init=False, repr=False, compare=False)
    _scopes: dict[str, ScopedFields] = field(default_factory=dict, init=False, repr=False, compare=False)
    _answers: dict[tuple[int, str], tuple[object, Any]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _languages: list[tuple[str, ...]] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Document:
        """A document of original texts: title, summary, body, author, source, lang, url. A missing field is empty."""
        return cls(dict(fields))

    def scoped(self, scope: str) -> ScopedFields:
        """The fields of a scope: a field's name, `first/n`, or "" for all that bare terms search."""
        fields = self._scopes.get(scope)
        if fields is None:
            names, limit = fields_of_scope(scope)
            fields = self._scopes[scope] = ScopedFields(tuple((name, self.index(name)) for name in names), limit)
        return fields

    def once(self, part: T, scope: str, find: Callable[[], R]) -> R:
        """The result of `find` for a part of a query in a scope; `find` is called only the first time.

        The key is the identity of the part, which is kept so that no other object gets its id.
        """
        known = self._answers.get((id(part), scope))
        if known is None:
            known = self._answers[id(part), scope] = (part, find())
        answer: R = known[1]
        return answer

    def index(self, name: str) -> Index:
        """The index of one field."""
        index = self._indexes.get(name)
        if index is None:
            index = self._indexes[name] = Index(self.text(name))
        return index

    def text(self, name: str) -> str:
        """The text of a field. That of the language is asked of the text, when it is first wanted."""
        text = self.fields.get(name, "")
        return text if name != LANG else tag_of(text, self.languages) or " ".join(self.languages) or text

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes that the language may have, as `language.of_text` says; empty if it is not known."""
        if not self._languages:
            title, *rest = (self.fields.get(name, "")[:READ] for name in SEARCHED)
            self._languages.append(of_text(self.fields.get(LANG, ""), title, "\n".join(filter(None, rest))))
        return self._languages[0]


@lru_cache(maxsize=256)
def fields_of_scope(scope: str) -> tuple[tuple[str, ...], int | None]:
    """The fields of a scope, and the number of words of each that belong to it (None: all)."""
    if scope.startswith(FIRST):
        return SEARCHED, int(scope.removeprefix(FIRST))
    return ((scope,) if scope else SEARCHED), None
