"""Pure: the errors of queries that cannot be parsed: the place, what is wrong, and the cure."""

from __future__ import annotations

import re
from difflib import get_close_matches

from watchpost.errors import QueryError
from watchpost.query.document import FIELDS
from watchpost.query.lexer import Token, TokenKind
from watchpost.query.operators import AtLeast, Score, Weighted
from watchpost.query.other_tools import (
    ANYWHERE,
    FIELDS_ELSEWHERE,
    NO_DATES,
    is_date,
    operator_between,
    shortened,
    westlaw,
)
from watchpost.query.tree import And, Field, Node, Not

MOST_FIRST = 10_000
"""The largest n of first/n."""


def never_opened(token: Token) -> QueryError:
    """A closing parenthesis without an opening one."""
    return QueryError("this ) was never opened", token.column, "leave it out, or write ( where the group begins")


def never_closed(opener: Token) -> QueryError:
    """An opening parenthesis without a closing one."""
    return QueryError("this ( is never closed", opener.column, "write ) where the group ends")


def side_by_side(before: Token, token: Token) -> QueryError:
    """Two operands without an operator."""
    between = next((name for each in (token, before) if (name := operator_between(each.text))), "")
    if between and TokenKind.WORD in (before.kind, token.kind):
        word = token.text if operator_between(token.text) else before.text
        cure = f'write {between}, or "{word}" if you mean the word'
        return QueryError(f"{word} is not an operator", (token if word == token.text else before).column, cure)
    known = _known_mistake(before, token)
    if known:
        return QueryError(f"there is no operator between {before} and {token}", token.column, known)
    if before.kind is TokenKind.WORD and token.kind is TokenKind.OPEN and _touch(before, token):
        name = before.text.lower()
        field = name if name in FIELDS else FIELDS_ELSEWHERE.get(name, "")
        cure = f"write {field}:(…)" if field else "write (…) alone, or put AND, OR or NOT before it"
        if name in ("allcaps", "caps"):
            cure = "write {AIDS}: braces ask for the exact spelling"
        elif name in ANYWHERE:
            cure = "write (…) alone: it is searched everywhere"
        return QueryError(f"{shortened(str(before))}(…) does not name a field here", before.column, cure)
    if (
        before.kind is TokenKind.WORD
        and token.kind in (TokenKind.WORD, TokenKind.PREFIX)
        and not before.extra + token.extra
    ):
        phrase = f"{before} {token}".strip("'")
        cure = f'quote them as a phrase, "{phrase}", or put AND or OR between'
        return QueryError(f"there is no operator between {before} and {token}", token.column, cure)
    cure = "put AND, OR or NOT between"
    return QueryError(f"there is no operator between {before} and {token}", token.column, cure)


_FIRST_WORDS = re.compile("first/[0-9]{1,4}", re.IGNORECASE)
_FLAGS = frozenset({"i", "g", "m", "s", "u", "gi", "ig"})


def _known_mistake(before: Token, token: Token) -> str:
    """The cure for two operands side by side that are one thing in another tool; "" for others."""
    if before.kind is TokenKind.REGEX and token.text in _FLAGS:
        return f"leave the {token.text} out: capitals do not count in a regular expression"
    if token.kind is TokenKind.REGEX and westlaw("/" + token.text.partition(" ")[0]):
        return f"write {westlaw('/' + token.text.partition(' ')[0])}"
    if before.kind is TokenKind.KNOWN and token.text.lower() == "km":
        return f"write it together: {before}km"
    if before.kind is not TokenKind.WORD or token.kind not in (TokenKind.WORD, TokenKind.PREFIX, TokenKind.PHRASE):
        return ""
    if _FIRST_WORDS.fullmatch(before.text):
        return f"write {before.text.lower()}:{token}"
    name = before.text.lower()
    if before.text.isupper() and name in FIELDS_ELSEWHERE:  # EBSCO
        return f"write {FIELDS_ELSEWHERE[name]}:{token}, or quote them as a phrase"
    return ""


def _touch(before: Token, token: Token) -> bool:
    return before.column + len(before.text) == token.column


def missing(operator: Token | None, token: Token) -> QueryError:
    """`token` is where an operand should be; `operator` is what needs one."""
    if operator is None and token.kind is TokenKind.CLOSE:
        return never_opened(token)
    if operator is None:
        return QueryError(f"{token} has nothing before it", token.column, "write what it applies to")
    if token.kind in (TokenKind.END, TokenKind.CLOSE):
        return QueryError(f"{operator} has nothing after it", operator.column, "write what it applies to")
    cure = "leave one of them out"
    if token.kind is TokenKind.NOT:
        cure = "to drop mentions write a UNLESS (a NEAR/5 b), to drop articles a AND NOT b"
    return QueryError(f"{token} cannot follow {operator}", token.column, cure)


def unknown_field(field: Token) -> QueryError:
    """A word with a colon that is not a field."""
    name = field.text.lower()
    if name.startswith("first"):
        cure = f"write first/50: with a number from 1 to {MOST_FIRST}"
        return QueryError(f"{shortened(field.text)}: is not a number of words", field.column, cure)
    if is_date(name, colon=True):
        return QueryError(f"there is no field {name}:", field.column, NO_DATES)
    close = [FIELDS_ELSEWHERE[name]] if name in FIELDS_ELSEWHERE else get_close_matches(name, FIELDS, n=1)
    known = f"did you mean {close[0]}:?" if close else f"the fields are {', '.join(FIELDS)}, first/n."
    cure = f"{known} Put text with a colon in quotes"
    return QueryError(f"there is no field {shortened(field.text)}:", field.column, cure)


def nested_field(inner: str, scope: str, column: int) -> QueryError:
    """A field within a field."""
    cure = f"close the parentheses of {scope}: before it, or leave one of the two out"
    return QueryError(f"{inner} cannot stand inside {scope}:", column, cure)


def unplaced(operator: Token, node: Node) -> QueryError:
    """An operand that has no place in the text, so that the operator cannot work with it."""
    reason = _unplaced(node)
    word = reason.split("/", maxsplit=1)[0]
    if operator.kind is TokenKind.ATLEAST:
        return QueryError(
            f"{operator} counts words, phrases or OR, not {reason}",
            operator.column,
            f"put the {word} outside, like {operator} (a OR b) AND c",
        )
    cure = f"put the {word} outside, like (a {operator} b) AND c"
    if word == "ATLEAST":
        cure = f"count the whole: {reason} (a {operator} b)"
    return QueryError(f"{operator} needs words, phrases or OR on both sides, not {reason}", operator.column, cure)


def _unplaced(node: Node) -> str:
    match node:
        case And():
            return "AND"
        case Not():
            return "NOT"
        case AtLeast(least=least):
            return f"ATLEAST/{least}"
        case Score():
            return "SCORE"
        case Weighted():
            return "a weight"
    return _unplaced(next(child for child in node.children if not child.placed))


def unbounded(node: Node, column: int) -> QueryError:
    """A query that `node` makes true for articles without any of its words."""
    text = str(node) if len(str(node)) <= 40 else "NOT (…)"
    problem = f"{text} alone matches nearly every article"
    example = next(word for word in ("mali", "niger", "gao") if word not in text.lower() or word == "gao")
    return QueryError(problem, column, f"add a word that must occur, like {example} {text}")


def unknown_name(token: Token, names: list[str]) -> QueryError:
    """The name of a query that does not exist."""
    close = get_close_matches(token.text, names, n=1)
    cure = f"did you mean @{close[0]}" if close else f"the names are {shortened(', '.join(sorted(names)))}"
    cure = cure if names else "there are no named queries here"
    return QueryError(f"there is no query {token}", token.column, f'{cure}; quote the name of an account: "{token}"')


def has_field(node: Node) -> bool:
    """Whether a field is named anywhere in the tree."""
    return isinstance(node, Field) or any(map(has_field, node.children))
