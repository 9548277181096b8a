"""Pure: cuts the text of a query into tokens, each with its column.

A token is complete: a phrase, a word with its language, an operator with its number, a field with its colon. Operators
and signs that only other search languages have are refused, with the place and the cure.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from enum import Enum, auto
from typing import NamedTuple

from watchpost.errors import QueryError
from watchpost.query.inflection import LANGUAGES
from watchpost.query.other_tools import refuse_abutting, refuse_call, refuse_operator, refuse_signs, shortened, westlaw

SHORTEST_PREFIX = 3
"""The letters that must be before a star."""

LONGEST = 20_000
"""The most characters that a query may have."""

DEFAULT_NEAR = "4"
"""The words between the two sides of a NEAR without a number."""

# Opening quotes and what closes them: queries are often pasted from word processors.
_QUOTES = {'"': '"', "‘": "’", "‚": "’‘", "“": "”", "„": "“”", "«": "»", "»": "«", "”": "”", "＂": "＂"}
_TOKEN = re.compile(
    r"""
    (?> (?: \s | (?<!\S)\#(?!\S)[^\n]* )* ) (?:
      (?P<OPEN> [(（] )
    | (?P<CLOSE> [)）] )
    | (?P<QUOTE> ["“„«»”＂] | [‘‚](?=\w) )
    | (?P<EXACT> \{ )
    | (?P<REGEX> / )
    | (?P<NAME> @ )
    | (?P<KNOWN> (?: country | place | near | entity | alias ) : (?: "[^"\n]*" )? [^\s()（）"“„«»”＂{}*~^:：]* )
    | (?P<FIELD> (?: [Ff][Ii][Rr][Ss][Tt]/\w+ | [^\W\d]\w* ) [:：] )
    | (?P<WORD> [^\s()（）"“„«»”＂{}*~^:：]+ )
    | (?P<STAR> \* )
    | (?P<LANGUAGE> ~ )
    | (?P<MARKED> (?<! [^\s(（:：] ) \^ (?= [^\W\d] | [=^] ) =? [^\s()（）"“„«»”＂{}*~^:：]+ )
    | (?P<WEIGHT> \^ )
    | (?P<OTHER> \S )
    )
    """,
    re.VERBOSE,
)
_LANGUAGE = re.compile(r"~[^\s()（）\"^~:]*")
_WEIGHT = re.compile(r"\^([^\s()（）]*)")
_NUMBER = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,3})?")
_DIGITS = re.compile("[0-9]{1,3}")
_NAME = re.compile(r"\w[\w.-]*")
_REGEX_END = re.compile(r"(?:[^/\\]|\\.)*/", re.DOTALL)
_REST = re.compile(r"\w*")
_COUNTED = re.compile(r"(?P<name>O?NEAR|ATLEAST|SCORE)(?:/(?P<number>.*))?", re.DOTALL)


class TokenKind(Enum):
    """What a token is."""

    __hash__ = object.__hash__  # Enum's own is slow, and the parser needs it at every step

    WORD = auto()
    PREFIX = auto()
    PHRASE = auto()
    EXACT = auto()
    REGEX = auto()
    NAME = auto()
    KNOWN = auto()
    FIELD = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    NEAR = auto()
    ONEAR = auto()
    SAME = auto()
    UNLESS = auto()
    ATLEAST = auto()
    SCORE = auto()
    WEIGHT = auto()
    OPEN = auto()
    CLOSE = auto()
    END = auto()


class Token(NamedTuple):
    """A token: `text` is without quotes, star, braces or colon; `column` counts characters from 1.

    `extra` is the language of a word or phrase ("ru") or the number of an operator ("15").
    """

    kind: TokenKind
    text: str
    column: int
    extra: str = ""

    def __str__(self) -> str:
        return _FORMS.get(self.kind, "{}").format(shortened(self.text))


_FORMS = {
    TokenKind.PREFIX: "{}*",
    TokenKind.PHRASE: '"{}"',
    TokenKind.FIELD: "{}:",
    TokenKind.EXACT: "{{{}}}",
    TokenKind.REGEX: "/{}/",
    TokenKind.NAME: "@{}",
    TokenKind.WEIGHT: "^{}",
}
_OPERATORS = {
    kind.name: kind for kind in (TokenKind.AND, TokenKind.OR, TokenKind.NOT, TokenKind.SAME, TokenKind.UNLESS)
}


_COMMENT = re.compile(r"(?<!\S)\#(?!\S)")


def first_comment(text: str) -> int | None:
    """The offset of the first `#` that may begin a comment, or None."""
    found = _COMMENT.search(text)
    return found and found.start()


def tokens(text: str, *, bounded: bool = True) -> list[Token]:
    """The tokens of a query, which is `bounded` in length; the last one is of kind END. Raises QueryError."""
    if bounded and len(text) > LONGEST:
        raise QueryError(
            f"the query has {len(text)} characters; at most {LONGEST} are allowed",
            LONGEST + 1,
            "divide it into several topics",
        )
    result: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            break  # only white space is left
        kind = match.lastgroup
        start = match.start(kind)
        if kind == "WORD" or kind == "MARKED":
            token, at = _word(text, match[kind], start)
        elif kind == "QUOTE":
            token, at = _phrase(text, match[kind], start)
        elif kind == "OPEN" or kind == "CLOSE":
            token, at = Token(TokenKind[kind], "(" if kind == "OPEN" else ")", start + 1), match.end()
        elif kind == "FIELD":
            token, at = Token(TokenKind.FIELD, match[kind][:-1], start + 1), match.end()
        elif kind == "KNOWN":
            token, at = Token(TokenKind.KNOWN, match[kind], start + 1), match.end()
        elif kind == "WEIGHT":
            token, at = _weight(text, start)
        else:
            token, at = _special(text, kind, start)
        result.append(token)
    result.append(Token(TokenKind.END, "", len(text) + 1))
    return result


def _word(text: str, word: str, start: int) -> tuple[Token, int]:
    """A word or an operator, and where it ends."""
    at, column = start + len(word), start + 1
    if text[at : at + 1] == "(":
        refuse_call(text, start)
    if word[0].isupper():
        operator = _operator(word, column)
        if operator is not None:
            return operator, at
    if word.isascii():
        refuse_operator(word, column)
    else:
        refuse_abutting(word, column)
    if not word.isalnum():
        refuse_signs(word, column, text)
    sign = text[at : at + 1]
    if sign == "*":
        _check_star(text, word, at)
        return Token(TokenKind.PREFIX, word, column), at + 1
    if sign == "~":
        language, end = _language(text, at, word)
        return Token(TokenKind.WORD, word, column, language), end
    if sign in (":", "："):
        raise QueryError("a word cannot hold a colon", at + 1, f'quote the text: "{shortened(word)}:…"')
    return Token(TokenKind.WORD, word, column), at


def _operator(word: str, column: int) -> Token | None:
    kind = _OPERATORS.get(word)
    if kind is not None:
        return Token(kind, word, column)
    counted = _COUNTED.fullmatch(word)
    if counted is None:
        return None
    name, number = counted["name"], counted["number"]
    if number is None and name != "SCORE":  # SCORE alone is a word
        if name == "ATLEAST":
            raise QueryError("ATLEAST needs a number", column, 'write ATLEAST/3 (…), or "ATLEAST" if you mean the word')
        return Token(TokenKind[name], f"{name}/{DEFAULT_NEAR}", column, DEFAULT_NEAR)
    if number is None:
        return None
    if not _NUMBER.fullmatch(number) or (name != "SCORE" and not number.isdigit()):
        refuse_operator(word, column)
        raise QueryError(f"{shortened(word)} needs a number of at most four digits", column, f"write {name}/5")
    return Token(TokenKind[name], word, column, number)


def _phrase(text: str, quote: str, start: int) -> tuple[Token, int]:
    end = _end_of_phrase(text, start + 1, quote)
    words = " ".join(text[start + 1 : end].split())
    end += 1
    sign = text[end : end + 1]
    if sign == "*":
        raise QueryError("a * cannot follow a phrase", end + 1, "put it inside, at the end of a word")
    language = ""
    if sign == "~":
        language, end = _language(text, end, f'"{words}"')
    return Token(TokenKind.PHRASE, words, start + 1, language), end


def _end_of_phrase(text: str, at: int, quote: str) -> int:
    """The offset of the quote that closes the one before `at`."""
    closing = _QUOTES[quote]
    ends = [end for end in (_closing(text, sign, at) for sign in closing) if end >= 0]
    if not ends:
        raise QueryError("this quote is never closed", at, f"write {closing[0]} at the end of the phrase")
    end = min(ends)
    inside = text.find('"', at, end)
    if inside >= 0:
        raise QueryError('a phrase cannot hold a "', inside + 1, "leave it out; punctuation does not count")
    return end


def _closing(text: str, sign: str, at: int) -> int:
    """The offset of the closing quote; a ’ within a word is an apostrophe: ‘l’opération Barkhane’."""
    end = text.find(sign, at)
    while sign in "’‘" and end >= 0 and text[end + 1 : end + 2].isalnum():
        end = text.find(sign, end + 1)
    return end


def _language(text: str, at: int, word: str) -> tuple[str, int]:
    """The language after the ~ at `at`, and where it ends."""
    match = _LANGUAGE.match(text, at)
    code = match[0][1:] if match else ""
    if code in LANGUAGES and match:
        return code, match.end()
    if word.startswith('"') and (code.isdigit() or not code):
        words = shortened(word.strip('"')).split()
        pair = f"{words[0]} NEAR/{code or 5} {words[-1]}" if len(words) > 1 else "a NEAR/5 b"
        raise QueryError("a ~ with a number does not mean nearness here", at + 1, f"write {pair}")
    near = get_close_matches(code, LANGUAGES, n=1)
    cure = f"did you mean ~{near[0]}" if near else f"the languages are {', '.join(LANGUAGES)}"
    raise QueryError(f"~{shortened(code)} is not a known language", at + 1, cure)


def _weight(text: str, start: int) -> tuple[Token, int]:
    if text[start + 1 : start + 2] in _QUOTES and (start == 0 or text[start - 1] in " \n\t(:"):
        raise QueryError("a ^ cannot begin a phrase", start + 1, 'write it in the phrase: "in ^Mali"')
    match = _WEIGHT.match(text, start)
    number = match[1] if match else ""
    if match is None or not _NUMBER.fullmatch(number) or not number.strip("0."):
        raise QueryError(f"^{shortened(number)} is not a weight", start + 1, "write a number above 0, like ^2 or ^0.5")
    if start == 0 or text[start - 1].isspace():
        raise QueryError("this ^ has no term before it", start + 1, "write the weight directly after its term: pmc^2")
    return Token(TokenKind.WEIGHT, number, start + 1, number), match.end()


def _special(text: str, kind: str, start: int) -> tuple[Token, int]:
    """A token that begins with a sign of its own, and where it ends."""
    column = start + 1
    if kind == "EXACT":
        end = text.find("}", start)
        if end < 0:
            raise QueryError("this { is never closed", column, "write } where the exact spelling ends")
        return Token(TokenKind.EXACT, " ".join(text[start + 1 : end].split()), column), end + 1
    if kind == "REGEX":
        match = _REGEX_END.match(text, start + 1)
        if match is not None and len(match[0]) > 1:
            return Token(TokenKind.REGEX, match[0][:-1], column), match.end()
        if match is not None:
            raise QueryError("// cannot stand here", column, 'quote an address: url:"example.org/news"')
        distance = text[start:].split(maxsplit=1)[0]
        if westlaw(distance):
            raise QueryError(f"{distance} is not an operator", column, f"write {westlaw(distance)}")
        raise QueryError("this / is never closed", column, "write / where the regular expression ends")
    if kind == "NAME":
        name = _NAME.match(text, column)
        if name is None:
            raise QueryError("this @ has no name after it", column, "write the name of a query directly after it")
        return Token(TokenKind.NAME, name[0], column), name.end()
    if kind == "STAR":
        cure = "write a * only at the end of a word, like malien*"
        raise QueryError("this * has no word before it", column, cure)
    if kind == "LANGUAGE" and text[start - 1 : start] == ")":
        number = _DIGITS.match(text, column)
        cure = f"write a NEAR/{number[0] if number else 5} b"
        raise QueryError("a ~ after parentheses does not mean nearness here", column, cure)
    if kind == "LANGUAGE":
        raise QueryError("this ~ has no word before it", column, "write it directly after a word: вагнер~ru")
    sign = text[start]
    cure = "write the field's name directly before it" if sign in ":：" else "leave it out"
    raise QueryError(f"{sign} cannot stand here", column, cure)


def _check_star(text: str, word: str, at: int) -> None:
    """`at` is the offset of the star; the word must end there."""
    after = text[at + 1 : at + 2]
    if after == "~":
        raise QueryError("a ~ cannot follow a *", at + 2, "leave one out; the * already means every ending")
    if after and not after.isspace() and after not in "()（）^":
        cure = f"write it only at the end, like {shortened(word)}*"
        if len(word) < SHORTEST_PREFIX:
            rest = _REST.match(text, at + 1)
            cure = f"write /{shortened(word)}\\w*{shortened(rest[0] if rest else '')}/"
        raise QueryError("a * cannot stand inside a word", at + 1, cure)
