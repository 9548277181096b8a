"""Pure: the leaves of a query: words, phrases, exact spellings and regular expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import re2

from watchpost.errors import QueryError
from watchpost.query.document import Document
from watchpost.query.inflection import inflected
from watchpost.query.tree import Node, Occurrence, in_scope
from watchpost.query.words import WordPattern, spelling, word_patterns, words

LONGEST = 500
"""The most characters of a regular expression."""

MOST_MATCHES = 200
"""The first matches in one field that count."""

_MEMORY = 8 << 20  # bytes for the program and its automaton; RE2 refuses what does not fit
_LARGEST = 20_000  # instructions
# Spaces and punctuation. [^\pL\pM\pN] would say the same, but makes a program ten times as large.
_APART = (
    r"\x00-/:-@\[-\^`{-\x{a9}\x{ab}-\x{b1}\x{b4}\x{b6}-\x{b8}\x{bb}\x{bf}\x{d7}\x{f7}\x{37e}\x{387}\x{55a}-\x{55f}"
    r"\x{589}\x{58a}\x{5be}\x{5f3}\x{5f4}\x{60c}\x{61b}\x{61f}\x{66a}-\x{66d}\x{6d4}\x{964}\x{965}\x{2000}-\x{2bff}"
    r"\x{3000}-\x{3004}\x{3008}-\x{3020}\x{3030}\x{30fb}\x{fd3e}\x{fd3f}\x{fe10}-\x{fe6f}\x{ff01}-\x{ff0f}"
    r"\x{ff1a}-\x{ff20}\x{ff3b}-\x{ff40}\x{ff5b}-\x{ff65}\x{1f000}-\x{1faff}"
)
_WRITTEN_OUT = {
    "w": f"[^{_APART}]",
    "W": f"[{_APART}]",
    "s": r"[\s\pZ]",
    "S": r"[^\s\pZ]",
    "d": r"\p{Nd}",
    "D": r"\P{Nd}",
}
_IN_BRACKETS = {"W": _APART, "s": r"\s\pZ", "d": r"\p{Nd}", "D": r"\P{Nd}", "w": r"\pL\pM\pN_"}
_FLAGS = re.compile(r"\(\?[ims]*(?:-[ims]+)?\)")
_PIECE = re.compile(
    r"""(?P<escape> \\[pP]\{\^?\w+\} | \\x\{[0-9a-fA-F]+\} | \\. )
    | (?P<posix> \[:\^?\w+:\] )
    | (?P<group> \( (?: \?P?<\w+> | (?!\?) ) )
    | (?P<plain> . )""",
    re.VERBOSE | re.DOTALL,
)


class CompiledRegex:
    """A regular expression, compiled by RE2, whose time grows with the text alone.

    It ignores case unless it begins with (?-i), but not accents. RE2's \\w, \\d, \\s and \\b know ASCII only. Here they
    know all scripts: the first three are replaced, and a \\b at either end of the expression or of one of its branches
    becomes a check of the letters around the match. Raises QueryError with the column in the expression, from 1.
    """

    __slots__ = ("_compiled",)

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            problem = f"the expression has {len(text)} characters; at most {LONGEST} are allowed"
            raise QueryError(problem, LONGEST + 1, "divide it into several, joined by OR")
        _compile(text, text)  # as it is written, because RE2 quotes the part that it refuses
        flags = _FLAGS.match(text)
        begin = flags.end() if flags else 0
        self._compiled = _compile(text[:begin] + _translated(text, begin), text)
        if self._compiled.programsize > _LARGEST:
            raise _too_large()
        if self._compiled.search(b"") is not None:
            raise QueryError(
                "the expression also matches the empty text", 1, "write at least one character that must occur"
            )

    def spans(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Start and end of at most MOST_MATCHES matches in UTF-8 text, in order, none of them empty."""
        at = 0
        for _ in range(MOST_MATCHES):
            match = self._compiled.search(text, at)
            if match is None:
                return
            start, at = match.span(match.lastindex)
            yield start, at


def _compile(expression: str, written: str) -> re2._Regexp:
    """The compiled expression; the column of an error is the one in `written`."""
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    options.max_mem = _MEMORY
    try:
        return re2.compile(expression, options)
    except (re2.error, UnicodeEncodeError) as error:
        raw = error.args[0] if isinstance(error, re2.error) else b"not text"
        reason, _, quoted = (raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)).partition(": ")
        if reason.startswith("pattern too large"):
            raise _too_large() from None
        place = written.find(quoted) + 1 if quoted else 1
        cure = 'use neither look-around nor back-references; write \\( for a parenthesis, or "…" for plain text'
        raise QueryError(f"this is not a regular expression: {reason}", max(place, 1), cure) from None


def _translated(text: str, begin: int) -> str:
    """The expression from `begin` on, each branch in a group of its own, with \\w, \\d, \\s, \\b for all scripts."""
    branches: list[list[tuple[str, int]]] = [[]]
    depth = bracket = 0  # bracket: the column of the open [, from 1
    for match in _PIECE.finditer(text, begin):
        piece, place = match[0], match.start() + 1
        if match["escape"]:
            piece = _escape(piece, place, bool(bracket), bool(depth))
        elif bracket:
            if piece == "]" and place > bracket + 1 + (text[bracket] == "^"):
                bracket = 0
        elif piece == "[":
            bracket = place
        elif match["group"]:
            depth, piece = depth + 1, "(?:"
        elif piece in ("(", ")"):
            depth += 1 if piece == "(" else -1
        elif piece == "|" and not depth:
            branches.append([])
            continue
        branches[-1].append((piece, place))
    return "|".join(map(_branch, branches))


def _escape(piece: str, place: int, bracket: bool, depth: bool) -> str:
    """The replacement of an escaped letter; a \\b outside of brackets and groups stays."""
    letter = piece[1]
    if letter in "BQEC" or (letter == "b" and (bracket or depth)):
        raise _unknown(piece, place)
    if bracket and letter == "S":
        raise QueryError("\\S cannot stand inside [ ]", place, "write the characters that may occur")
    if len(piece) > 2:
        return piece
    return (_IN_BRACKETS if bracket else _WRITTEN_OUT).get(letter, piece)


def _branch(pieces: list[tuple[str, int]]) -> str:
    before = after = ""
    if pieces and pieces[0][0] == r"\b":
        before, pieces = f"(?:^|[{_APART}])", pieces[1:]
    if pieces and pieces[-1][0] == r"\b":
        after, pieces = f"(?:$|[{_APART}])", pieces[:-1]
    for piece, place in pieces:
        if piece == r"\b":
            raise _unknown(piece, place)
    return before + "(" + "".join(piece for piece, _ in pieces) + ")" + after


def _too_large() -> QueryError:
    return QueryError("the expression is too large", 1, "write smaller numbers in its {}")


def _unknown(piece: str, place: int) -> QueryError:
    cure = "write \\b only at the beginning or end of the expression, or of one of its branches"
    return QueryError(f"{piece} is not possible here", place, cure if piece == "\\b" else "leave it out")


# Chinese and Japanese names have no space around them, so a term is found wherever its characters occur: 马里 (Mali)
# in 马里乌波尔 (Mariupol), マリ in ソマリア (Somalia). Two rules avoid most of that for bare terms:
#
# - A katakana term of fewer than four characters must not touch other katakana. Foreign names are written in katakana,
#   and the words around them mostly are not.
# - A term of `LONGER` is not found inside the names listed with it, which have another meaning.
#
# A phrase is taken literally: "马里" finds the characters anywhere. For all other names there is UNLESS.

SHORT_KATAKANA = 4
"""From this length on a katakana term may be a part of a longer word."""

LONGER: dict[str, str] = {
    # Mali: Somalia, Mariupol and Marius, Maryland, Mario, Mariana, Marion, Maribor, Camari
    "马里": "索马里 马里乌 马里兰 马里奥 马里亚 马里昂 马里博尔 卡马里",
    "馬里": "索馬里 馬里烏 馬里蘭 馬里奧 馬里亞 馬里昂 馬里博爾 卡馬里",
    # Gao: to take part in the Olympics
    "加奥": "参加奥",
    "加奧": "參加奧",
    # Haiti: the Shanghai region, coasts and seas as places
    "海地": "上海地 海地区 海地區 海地理 北海地 南海地 东海地 東海地 沿海地",
    # India: the Indian Ocean, Indonesia, Indochina
    "印度": "印度洋 印度尼西亚 印度尼西亞 印度支那",
    # Oman: Amanda, Amanpour
    "阿曼": "阿曼达 阿曼達 阿曼普尔",
}


def stands_alone(asked: tuple[WordPattern, ...]) -> bool:
    """Whether the term is a katakana word so short that it must not touch other katakana."""
    return len(asked) < SHORT_KATAKANA and all(pattern.folded and is_kana(pattern.folded) for pattern in asked)


def is_kana(folded: str) -> bool:
    """Whether a folded word is one character of katakana or its long mark."""
    return len(folded) == 1 and ("ァ" <= folded <= "ヺ" or folded == "ー")


@lru_cache(maxsize=1_000)
def longer_names(asked: tuple[WordPattern, ...]) -> tuple[tuple[WordPattern, ...], ...]:
    """The names in which the term is not found."""
    names = LONGER.get("".join(pattern.folded for pattern in asked), "")
    return tuple(word_patterns(name) for name in names.split())


@dataclass(frozen=True, slots=True)
class Leaf(Node):
    """Words that follow one another. `text` is as the operator wrote it, without quotes, star or braces."""

    text: str
    patterns: tuple[WordPattern, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "patterns", word_patterns(self.text))

    @property
    def placed(self) -> bool:
        return True

    @property
    def keys(self) -> frozenset[str] | None:
        """The forms of its longest word, or of its longest beginning if all its words have a star."""
        if not self.patterns:
            return None
        pattern = max(self.patterns, key=lambda pattern: (not pattern.prefix, len(pattern.folded)))
        return frozenset((pattern.folded + "*" * pattern.prefix, *pattern.forms))

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        places = self.places(document, scope)
        if not places:
            return None
        clause = in_scope(self, scope)
        return tuple(Occurrence(name, first, last, clause) for name, first, last in places)

    def places(self, document: Document, scope: str) -> list[tuple[str, int, int]]:
        """Field, first and last position of every occurrence."""
        return document.scoped(scope).find(self.patterns)


@dataclass(frozen=True, slots=True)
class Term(Leaf):
    """A bare word: `mali`, with a language in all its forms: `вагнер~ru`.

    A word that is several words (`franco-malian`) means them one after the other. In scripts without spaces a term is
    not found inside the longer names of `LONGER`; a phrase is.
    """

    language: str = ""
    _alone: bool = field(init=False, repr=False, compare=False)
    _longer: tuple[tuple[WordPattern, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        patterns = word_patterns(self.text)
        object.__setattr__(self, "patterns", inflected(patterns, self.language) if self.language else patterns)
        unspaced = len(patterns) > 1 and not self.text.isascii()
        object.__setattr__(self, "_alone", unspaced and stands_alone(patterns))
        object.__setattr__(self, "_longer", longer_names(patterns) if unspaced else ())

    def __str__(self) -> str:
        return f"{self.text}~{self.language}" if self.language else self.text

    def places(self, document: Document, scope: str) -> list[tuple[str, int, int]]:
        """Those that are not part of a longer name."""
        places = document.scoped(scope).find(self.patterns)
        if places and self._alone:
            places = [at for at in places if not any(map(is_kana, document.index(at[0]).neighbours(*at[1:])))]
        if places and self._longer:
            longer = [at for name in self._longer for each in {"", scope} for at in document.scoped(each).find(name)]
            places = [at for at in places if not any(_inside(at, name) for name in longer)]
        return places


@dataclass(frozen=True, slots=True)
class Prefix(Leaf):
    """The beginning of a word: `malien*`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "patterns", word_patterns(self.text + "*"))

    def __str__(self) -> str:
        return self.text + "*"


@dataclass(frozen=True, slots=True)
class Phrase(Leaf):
    """Words one after the other: `"Africa Corps"`; a word in it may end with a star: `"groupe wagn*"`.

    With a language each word may have any of its forms: `"Евгений Пригожин"~ru`.
    """

    language: str = ""

    def __post_init__(self) -> None:
        patterns = word_patterns(self.text)
        object.__setattr__(self, "patterns", inflected(patterns, self.language) if self.language else patterns)

    def __str__(self) -> str:
        return f'"{self.text}"~{self.language}' if self.language else f'"{self.text}"'


@dataclass(frozen=True, slots=True)
class Exact(Leaf):
    """Words in exactly this spelling, with its capitals and accents: `{Mali}`."""

    def __post_init__(self) -> None:
        patterns = tuple(
            pattern._replace(exact=spelling(part[word.start : word.end]))
            for part in self.text.split()
            for pattern, word in zip(word_patterns(part), words(part), strict=True)
        )
        object.__setattr__(self, "patterns", patterns)

    def __str__(self) -> str:
        return f"{{{self.text}}}"


@dataclass(frozen=True, slots=True)
class Regex(Leaf):
    """A regular expression, searched in the text as it is written: `/prigo[zž]h?in/`. See `CompiledRegex`."""

    expression: CompiledRegex = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "patterns", ())
        object.__setattr__(self, "expression", CompiledRegex(self.text))

    def __str__(self) -> str:
        return f"/{self.text}/"

    def places(self, document: Document, scope: str) -> list[tuple[str, int, int]]:
        """The words that the matches overlap."""
        return document.scoped(scope).search(self.expression.spans)


def _inside(place: tuple[str, int, int], name: tuple[str, int, int]) -> bool:
    return place[0] == name[0] and name[1] <= place[1] and place[2] <= name[2]
