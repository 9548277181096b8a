"""Still: single clauses of a query, made from their pieces and checked."""

from __future__ import annotations

from decimal import Decimal

from watchpost.errors import QueryError
from watchpost.query import mistakes
from watchpost.query.counting import Score
from watchpost.query.foreign import shortened
from watchpost.query.forms import LANGUAGES, fits
from watchpost.query.leaves import Exact, Leaf, Phrase, Prefix, Regex, Term
from watchpost.query.lexer import Kind, Piece
from watchpost.query.nearness import Near, Same, Together
from watchpost.query.text import FIELDS, FIRST
from watchpost.query.tree import Node, Or
from watchpost.query.words import is_unspaced, letters, words

SHORTEST_PREFIX = 3
"""How many letters must stand before a star."""

LARGEST_NUMBER = 1_000
"""The largest n of NEAR/n, ONEAR/n and ATLEAST/n."""

LONGEST_CHAIN = 8
"""How many NEAR, ONEAR and SAME may follow one another or stand inside one another."""


def leaf(piece: Piece) -> Leaf:
    """The leaf that a piece of query is. Raises QueryError if it cannot be looked for."""
    if piece.kind is Kind.WORD:
        return _checked(Term(piece.text, piece.extra), piece)
    if piece.kind is Kind.PREFIX:
        return _checked(Prefix(piece.text), piece)
    if piece.kind is Kind.PHRASE:
        return _checked(Phrase(piece.text, piece.extra), piece)
    if piece.kind is Kind.EXACT:
        return _checked(Exact(piece.text), piece)
    try:
        return Regex(piece.text)
    except QueryError as error:
        raise QueryError(error.problem, piece.column + error.column, error.cure) from None


def together(operator: Piece, left: Node, right: Node) -> Near | Same:
    """Two sides joined by NEAR, ONEAR or SAME. Raises QueryError if one of them stands nowhere in the text."""
    placed(operator, left, right)
    if max(_chained(left), _chained(right)) >= LONGEST_CHAIN:
        problem = f"more than {LONGEST_CHAIN} NEAR, ONEAR or SAME in a row or inside one another"
        raise QueryError(problem, operator.column, "write fewer, and join them by AND")
    if operator.kind is Kind.SAME:
        return Same(left, right)
    return Near(left, right, number(operator, 0), operator.kind is Kind.ONEAR)


def _chained(node: Node) -> int:
    """How many NEAR, ONEAR and SAME stand inside one another in the node."""
    return max(map(_chained, node.children), default=0) + isinstance(node, Together)


def placed(operator: Piece, *sides: Node) -> None:
    """Raises QueryError if one of the operator's sides stands nowhere in the text."""
    for side in sides:
        if not side.placed:
            raise mistakes.unplaced(operator, side)


def number(operator: Piece, least: int) -> int:
    """The n of an operator. Raises QueryError if it is less than `least` or too large."""
    found = int(operator.extra)
    if not least <= found <= LARGEST_NUMBER:
        cure = f"write a number from {least} to {LARGEST_NUMBER}"
        raise QueryError(f"{operator} is out of range", operator.column, cure)
    return found


def score(piece: Piece, inside: Node) -> Score:
    """A SCORE of what stands in its parentheses. Raises QueryError if that does not add up to its number."""
    if not isinstance(inside, Or):
        cure = f"write {piece} (a^3 OR b^2 OR c)"
        raise QueryError(f"{piece} adds up several parts, joined by OR", piece.column, cure)
    node = Score(Decimal(piece.extra).normalize(), inside.parts)
    if not node.threshold:
        raise QueryError(f"{piece} is always reached", piece.column, "write a number above 0")
    if node.reachable < node.threshold:
        problem = f"{piece} is out of reach: its parts add up to {node.reachable:f}"
        raise QueryError(problem, piece.column, "write a smaller number or larger weights")
    return node


def field_name(piece: Piece) -> str:
    """The name of a field or of the first n words. Raises QueryError if there is none such."""
    name = piece.text.lower()
    if name in FIELDS:
        return name
    count = name.removeprefix(FIRST)
    if count == name or not (count.isascii() and count.isdigit()) or not 1 <= int(count) <= mistakes.MOST_FIRST:
        raise mistakes.unknown_field(piece)
    return f"{FIRST}{int(count)}"


def _checked(leaf: Leaf, piece: Piece) -> Leaf:
    """The leaf, if it can be looked for. Raises QueryError."""
    if not leaf.steps:
        raise QueryError(f"{piece} has neither letters nor digits", piece.column, "write a word")
    if piece.kind is Kind.EXACT:
        if "*" in piece.text:
            raise QueryError(f"a * in {piece}", piece.column, "leave it out: an exact spelling has no endings")
    elif piece.kind is Kind.PREFIX:
        _check_stars((piece.text,), leaf, piece)
    elif "*" in piece.text:
        _check_stars(tuple(word[:-1] for word in piece.text.split() if "*" in word), leaf, piece)
    if piece.extra and not any(fits(step.folded, piece.extra) for step in leaf.steps):
        language = LANGUAGES[piece.extra].name
        raise QueryError(f"{piece} is not written in {language} letters", piece.column, f"leave ~{piece.extra} out")
    return leaf


def _check_stars(starred: tuple[str, ...], leaf: Leaf, piece: Piece) -> None:
    """`starred` are the leaf's words that end with a star, without it."""
    for word in starred:
        cut = words(word)
        if not cut or cut[-1].end != len(word) or "*" in word:
            cure = "a * stands only after the last letter of a word, like malien*"
            raise QueryError(f"a * that ends no word in {piece}", piece.column, cure)
        if is_unspaced(word[cut[-1].start]):
            cure = f"write {shortened(word)} without it: that is found inside longer words anyway"
            raise QueryError(f"a * after {shortened(word)} means nothing", piece.column, cure)
    if sum(letters(step.folded) for step in leaf.steps) < SHORTEST_PREFIX:
        cure = f"write at least {SHORTEST_PREFIX} letters before the *"
        raise QueryError(f"{piece} begins too many words", piece.column, cure)
