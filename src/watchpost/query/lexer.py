"""Still: the text of a query in pieces, each with its column.

The pieces are whole: a phrase, a word, a field with its colon. What belongs to the language but is not
available yet, and what only other search languages know, is refused here with the place and the cure.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

from watchpost.errors import QueryError

LONGEST = 20_000
"""The most characters that a query may have."""

_NOT_YET_WORD = re.compile(r"(?P<name>O?NEAR|ATLEAST)(?:/\w*)?|SAME|UNLESS")
# Opening quotes and what closes them; analysts paste from word processors.
_QUOTES = {'"': '"', "“": "”", "„": "“”", "«": "»", "»": "«", "”": "”", "＂": "＂"}
_PIECE = re.compile(
    r"""
    \s* (?:
      (?P<OPEN> [(（] )
    | (?P<CLOSE> [)）] )
    | (?P<QUOTE> ["“„«»”＂] )
    | (?P<EXACT> \{ )
    | (?P<REGEX> / )
    | (?P<NAME> @ )
    | (?P<FIELD> [^\W\d]\w* [:：] )
    | (?P<WORD> [^\s()（）"“„«»”＂{}*~^:：]+ )
    | (?P<STAR> \* )
    | (?P<LANGUAGE> ~ )
    | (?P<WEIGHT> \^ )
    | (?P<OTHER> \S )
    )
    """,
    re.VERBOSE,
)
_NOT_YET = {
    "EXACT": "{…}, the exact spelling,",
    "REGEX": "/…/, a regular expression,",
    "NAME": "@name, another topic's query,",
    "LANGUAGE": "~, the forms of a language,",
    "WEIGHT": "^, a weight,",
}
# Signs of other search languages at the beginning of a word.
_FOREIGN_START = {"-": "NOT", "−": "NOT", "!": "NOT", "+": "AND", "&": "AND", "|": "OR"}
_FOREIGN_INSIDE = {
    "|": "write OR between the words",
    "&&": "write AND between the words",
    ",": "write OR (or AND) between the words",
    ";": "write OR (or AND) between the words",
    "?": "only a * at the end of a word stands for other letters",
}


class Kind(Enum):
    """What a piece is."""

    WORD = auto()
    PREFIX = auto()
    PHRASE = auto()
    FIELD = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    OPEN = auto()
    CLOSE = auto()
    END = auto()


class Piece(NamedTuple):
    """A piece of a query: `text` without quotes, star or colon; `column` counts characters from 1."""

    kind: Kind
    text: str
    column: int

    def __str__(self) -> str:
        form = {Kind.PREFIX: "{}*", Kind.PHRASE: '"{}"', Kind.FIELD: "{}:"}.get(self.kind, "{}")
        return form.format(shortened(self.text))


_OPERATORS = {"AND": Kind.AND, "OR": Kind.OR, "NOT": Kind.NOT}


def pieces(text: str) -> list[Piece]:
    """The pieces of a query, closed by one of kind END. Raises QueryError."""
    if len(text) > LONGEST:
        raise QueryError(
            f"the query has {len(text)} characters, at most {LONGEST} are allowed",
            LONGEST + 1,
            "divide it into several topics",
        )
    found: list[Piece] = []
    at = 0
    while at < len(text):
        match = _PIECE.match(text, at)
        if match is None or match.lastgroup is None:
            break  # white space up to the end
        kind = match.lastgroup
        piece, column = match[kind], match.start(kind) + 1
        at = match.end()
        if kind == "WORD":
            operator = _OPERATORS.get(piece)
            if operator is not None:
                found.append(Piece(operator, piece, column))
                continue
            _check_word(piece, column)
            starred = text.startswith("*", at)
            found.append(Piece(Kind.PREFIX if starred else Kind.WORD, piece, column))
            if starred:
                _check_star(text, piece, at)
                at += 1
            elif text.startswith((":", "："), at):
                raise QueryError("a colon inside a word", at + 1, f'quote the text: "{shortened(piece)}:…"')
        elif kind == "FIELD":
            found.append(Piece(Kind.FIELD, piece[:-1], column))
        elif kind == "OPEN":
            found.append(Piece(Kind.OPEN, "(", column))
        elif kind == "CLOSE":
            found.append(Piece(Kind.CLOSE, ")", column))
        elif kind == "QUOTE":
            end = _end_of_phrase(text, at, piece)
            found.append(Piece(Kind.PHRASE, " ".join(text[at:end].split()), column))
            at = end + 1
            if text.startswith("*", at):
                raise QueryError("a * after a phrase", at + 1, "put it inside, at the end of a word")
        elif kind == "STAR":
            raise QueryError(
                "a * without a word before it",
                column,
                "a * stands only at the end of a word, like malien*",
            )
        elif kind == "OTHER":
            colon = piece in (":", "：")
            cure = "write the field's name directly before it" if colon else "leave it out"
            raise QueryError(f"{piece} does not belong here", column, cure)
        elif text.startswith("//", column - 1):
            raise QueryError("// does not belong here", column, 'quote an address: url:"example.org/news"')
        else:
            raise QueryError(f"{_NOT_YET[kind]} is not available yet", column, "write the query without it")
    found.append(Piece(Kind.END, "", len(text) + 1))
    return found


def shortened(text: str) -> str:
    """At most 40 characters of `text`, for a message."""
    return text if len(text) <= 40 else text[:39] + "…"


def _end_of_phrase(text: str, at: int, quote: str) -> int:
    """The offset of the quote that closes the one before `at`."""
    closing = _QUOTES[quote]
    ends = [end for end in (text.find(sign, at) for sign in closing) if end >= 0]
    if not ends:
        raise QueryError("this quote is never closed", at, f"write {closing[0]} at the end of the phrase")
    end = min(ends)
    inside = text.find('"', at, end)
    if inside >= 0:
        raise QueryError('a " inside a phrase', inside + 1, "leave it out: punctuation does not count")
    return end


def _check_word(word: str, column: int) -> None:
    """Refuse operators that are not there yet, and signs that mean something in other search languages."""
    if word.isascii() and word.lower() in ("and", "or", "not"):
        cure = f'write {word.upper()}, or "{word}" if you mean the word'
        raise QueryError(f"{word} is not an operator", column, cure)
    unfinished = _NOT_YET_WORD.fullmatch(word) if word[:4].isupper() else None
    if unfinished is not None:
        name = f"{unfinished['name']}/n" if unfinished["name"] else word
        cure = f'write the query without it, or "{word}" if you mean the word'
        raise QueryError(f"{name} is not available yet", column, cure)
    if not word.isalnum():
        _check_signs(word, column)


def _check_signs(word: str, column: int) -> None:
    operator = _FOREIGN_START.get(word[0])
    if operator is not None:
        rest = shortened(word.lstrip("".join(_FOREIGN_START)))
        raise QueryError(f"{word[0]} is not an operator", column, f"write {operator} {rest}".rstrip())
    for sign, cure in _FOREIGN_INSIDE.items():
        place = word.find(sign)
        if place >= 0:
            raise QueryError(f"{sign} does not belong in a word", column + place, cure)


def _check_star(text: str, word: str, at: int) -> None:
    """`at` is the offset of the star; the word must end there."""
    after = text[at + 1 : at + 2]
    if after and not after.isspace() and after not in "()（）~^":
        raise QueryError("a * inside a word", at + 1, f"a * stands only at the end of a word, like {shortened(word)}*")
