"""Still: operators and signs that other search languages know, and what to write here instead."""

from __future__ import annotations

import re

from watchpost.errors import QueryError

# Signs of other search languages at the beginning of a word.
_START = {"-": "NOT", "−": "NOT", "!": "NOT", "+": "AND", "&": "AND", "|": "OR"}
_INSIDE = {
    "|": "write OR between the words",
    "&&": "write AND between the words",
    ",": "write OR (or AND) between the words",
    ";": "write OR (or AND) between the words",
    "?": "only a * at the end of a word stands for other letters",
}
_OPERATOR = re.compile(
    r"""(?P<plain>AND|OR|NOT)
    | (?P<slashed>O?NEAR|ATLEAST|SCORE)/[0-9.]+
    | (?P<near>NEAR(?:[0-9]+|/[0-9]+R)|WITHIN[/0-9]*|PROX[/0-9]*|N/[0-9]+)
    | (?P<ordered>NEAR/[0-9]+F|(?:ADJ|PRE|NEXT|FBY)/?[0-9]*|W/[0-9]+)
    | (?P<count>ATLEAST[0-9]+|MINCOUNT[/0-9]*)
    | (?P<negated>(?:AND|BUT)_?NOT)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LOGIC = frozenset({"and", "or", "not"})
_DIGITS = re.compile("[0-9]+")


def refuse_operator(word: str, column: int) -> None:
    """Refuse a word that is an operator in lower case, or one of another search language. Raises QueryError."""
    if word.isalpha() and not word.isupper() and word.lower() not in _LOGIC:
        return  # a word like most
    found = _OPERATOR.fullmatch(word)
    if found is None:
        return
    kind = found.lastgroup
    digits = _DIGITS.search(word)
    number = digits[0] if digits else "n"
    instead = {"near": f"NEAR/{number}", "ordered": f"ONEAR/{number}", "count": f"ATLEAST/{number}", "negated": "NOT"}
    cure = f'write {instead.get(kind or "", word.upper())}, or "{word}" if you mean the word'
    raise QueryError(f"{word} is not an operator", column, cure)


def refuse_signs(word: str, column: int) -> None:
    """Refuse signs in a word that would be operators elsewhere. Raises QueryError."""
    operator = _START.get(word[0])
    if operator is not None:
        rest = shortened(word.lstrip("".join(_START)))
        raise QueryError(f"{word[0]} is not an operator", column, f"write {operator} {rest}".rstrip())
    for sign, cure in _INSIDE.items():
        place = word.find(sign)
        if place >= 0:
            raise QueryError(f"{sign} does not belong in a word", column + place, cure)


def shortened(text: str) -> str:
    """At most 40 characters of `text`, for a message."""
    return text if len(text) <= 40 else text[:39] + "…"
