"""Still: the text of a query becomes a tree, or an error that says where and what to write instead.

    query   = operand { "AND" operand | "NOT" operand } | operand { "OR" operand } ;
    operand = [ "NOT" ] operand | [ FIELD ":" ] primary ;
    primary = WORD | WORD "*" | PHRASE | "(" query ")" ;

`a NOT b` is `a AND NOT b`. AND and OR side by side need parentheses: the tools that analysts know disagree on
which goes first. For the same reason two words without an operator between them are an error.
"""

from __future__ import annotations

from difflib import get_close_matches

from watchpost.errors import QueryError
from watchpost.query.lexer import Kind, Piece, pieces, shortened
from watchpost.query.text import FIELDS
from watchpost.query.tree import And, Field, Leaf, Node, Not, Or, Phrase, Prefix, Query, Term
from watchpost.query.words import is_unspaced, letters, words

DEEPEST = 100
"""How many parentheses and NOTs may stand inside one another."""

SHORTEST_PREFIX = 3
"""How many letters must stand before a star."""

_STARTS = frozenset({Kind.WORD, Kind.PREFIX, Kind.PHRASE, Kind.FIELD, Kind.OPEN})


def parse(text: str) -> Query:
    """The query that `text` means. Raises QueryError with a column that counts characters from 1."""
    parser = _Parser(pieces(text))
    if parser.piece.kind is Kind.END:  # white space only
        raise QueryError("the query is empty", 1, 'write a word or a "phrase"')
    root = parser.sequence(0)
    if parser.piece.kind is Kind.CLOSE:
        raise _never_opened(parser.piece)
    if not root.positive:
        raise parser.unbounded(root)
    return Query(text, root)


class _Parser:
    """One pass over the pieces; `piece` is the next one that nobody took yet."""

    def __init__(self, found: list[Piece]) -> None:
        self._found = found
        self._at = 0
        self._scope = ""  # the field whose part is being read
        self._nots: dict[int, int] = {}  # the column of each Not, by its id
        self.piece = found[0]

    def _take(self) -> Piece:
        taken = self.piece
        self._at += 1
        self.piece = self._found[self._at]
        return taken

    def sequence(self, depth: int) -> Node:
        """Operands up to the end or a closing parenthesis, joined by operators of one kind."""
        parts = [self._operand(depth)]
        joint: Piece | None = None
        while self.piece.kind not in (Kind.END, Kind.CLOSE):
            piece = self.piece
            if piece.kind in _STARTS:
                raise self._side_by_side()
            if joint is not None and (joint.kind is Kind.OR) != (piece.kind is Kind.OR):
                raise QueryError(
                    f"{joint.text} and {piece.text} stand together without parentheses",
                    piece.column,
                    "put parentheses around what belongs together, like (a OR b) AND c",
                )
            joint = piece
            if piece.kind is Kind.NOT:
                parts.append(self._operand(depth))
            else:
                self._take()
                parts.append(self._operand(depth, piece))
        if joint is None:
            return parts[0]
        return Or(tuple(parts)) if joint.kind is Kind.OR else And(tuple(parts))

    def _operand(self, depth: int, operator: Piece | None = None) -> Node:
        """One operand; `operator` is the piece that asks for it."""
        piece = self.piece
        if depth > DEEPEST:
            raise QueryError(
                f"more than {DEEPEST} parentheses or NOTs inside one another",
                piece.column,
                "write it flatter",
            )
        if piece.kind is Kind.NOT:
            node = Not(self._operand(depth + 1, self._take()))
            self._nots[id(node)] = piece.column
            return node
        if piece.kind is Kind.FIELD:
            return self._field(depth)
        if piece.kind in _STARTS:
            return self._primary(depth)
        raise self._missing(operator)

    def _field(self, depth: int) -> Node:
        field = self._take()
        name = field.text.lower()
        if name not in FIELDS:
            close = get_close_matches(name, FIELDS, n=1)
            known = f"did you mean {close[0]}:" if close else f"the fields are {', '.join(FIELDS)}"
            cure = f"{known}, or text with a colon, which stands in quotes"
            raise QueryError(f"unknown field {shortened(field.text)}:", field.column, cure)
        if self._scope:
            cure = f"close the parentheses of {self._scope}: before it, or leave one of the two out"
            raise QueryError(f"{name}: stands inside {self._scope}:", field.column, cure)
        if self.piece.kind not in _STARTS:
            cure = f'write {name}:word, {name}:"a phrase" or {name}:(a OR b)'
            raise QueryError(f"{name}: needs a word, a phrase or parentheses after it", field.column, cure)
        self._scope = name
        part = self._field(depth) if self.piece.kind is Kind.FIELD else self._primary(depth)
        self._scope = ""
        return Field(name, part)

    def _primary(self, depth: int) -> Node:
        piece = self._take()
        if piece.kind is Kind.OPEN:
            return self._group(piece, depth)
        if piece.kind is Kind.WORD:
            return _checked(Term(piece.text), piece)
        if piece.kind is Kind.PREFIX:
            return _checked(Prefix(piece.text), piece)
        return _checked(Phrase(piece.text), piece)

    def _group(self, opener: Piece, depth: int) -> Node:
        if self.piece.kind is Kind.CLOSE:
            raise QueryError("nothing inside the parentheses", opener.column, "write a query inside, or drop them")
        if self.piece.kind is Kind.END:
            raise self._never_closed(opener)
        node = self.sequence(depth + 1)
        closer = self.piece
        if closer.kind is Kind.END:
            raise self._never_closed(opener)
        self._take()
        return node

    def _never_closed(self, opener: Piece) -> QueryError:
        return QueryError("this ( is never closed", opener.column, "write ) where it ends")

    def _side_by_side(self) -> QueryError:
        before, piece = self._found[self._at - 1], self.piece
        if before.kind is Kind.WORD and piece.kind in (Kind.WORD, Kind.PREFIX):
            pair = f'"{before} {piece}"'
            return QueryError(
                f"{before} and {piece} stand side by side",
                piece.column,
                f"quote them as a phrase, {pair}, or put AND or OR between",
            )
        return QueryError(f"nothing between {before} and {piece}", piece.column, "put AND, OR or NOT between")

    def _missing(self, operator: Piece | None) -> QueryError:
        piece = self.piece
        if operator is None and piece.kind is Kind.CLOSE:
            return _never_opened(piece)
        if operator is None:
            return QueryError(f"{piece} has nothing before it", piece.column, "write what it applies to")
        if piece.kind in (Kind.END, Kind.CLOSE):
            return QueryError(f"{operator} has nothing after it", operator.column, "write what it applies to")
        return QueryError(f"{piece} directly after {operator}", piece.column, "leave out one of the two")

    def unbounded(self, root: Node) -> QueryError:
        """The error for a query that is true of articles with nothing in them that was asked for."""
        node = root
        while not isinstance(node, Not):  # only a Not is the reason: every leaf is positive
            if isinstance(node, Field):
                node = node.part
            elif isinstance(node, (And, Or)):
                node = next(part for part in node.parts if not part.positive)
        text = str(node) if len(str(node)) <= 40 else "NOT (…)"
        problem = f"{text} without a positive term beside it matches nearly everything"
        return QueryError(problem, self._nots[id(node)], f"write what must occur too, like mali {text}")


def _never_opened(piece: Piece) -> QueryError:
    return QueryError("this ) was never opened", piece.column, "leave it out, or write ( where it begins")


def _checked(leaf: Leaf, piece: Piece) -> Leaf:
    """The leaf, if it can be looked for."""
    if not leaf.steps:
        raise QueryError(f"{piece} has neither letters nor digits", piece.column, "write a word")
    if piece.kind is Kind.PREFIX:
        _check_stars((piece.text,), leaf, piece)
    elif "*" in piece.text:
        _check_stars(tuple(word[:-1] for word in piece.text.split() if "*" in word), leaf, piece)
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
