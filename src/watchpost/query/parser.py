"""Still: the text of a query becomes a tree, or an error that says where and what to write instead.

    query   = operand { "AND" operand | "NOT" operand } | operand { "OR" operand } ;
    operand = { "NOT" } near ;
    near    = unless { ( "NEAR/" INT | "ONEAR/" INT | "SAME" ) unless } ;
    unless  = single [ "UNLESS" single ] ;
    single  = prim [ "^" NUMBER ] ;                              a weight, only on the parts of a SCORE
    prim    = FIELD ":" prim | "ATLEAST/" INT prim | "SCORE/" NUMBER "(" single "OR" single { … } ")"
            | "(" query ")" | "@" NAME | term ;
    term    = WORD [ "~" LANG ] | WORD "*" | PHRASE [ "~" LANG ] | "{" exact "}" | "/" REGEX "/" ;

`a NOT b` is `a AND NOT b`; NEAR without a number is NEAR/4. AND and OR side by side need parentheses: the tools
that analysts know disagree on which goes first. For the same reason two words without an operator between them
are an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from watchpost.errors import QueryError
from watchpost.query import clauses, mistakes
from watchpost.query.counting import AtLeast, Weighted
from watchpost.query.lexer import Kind, Piece, pieces
from watchpost.query.nearness import Unless
from watchpost.query.tree import And, Field, Named, Node, Not, Or, Query

DEEPEST = 100
"""How many parentheses and NOTs may stand inside one another, those of named queries included."""

LARGEST, NEAR_COST, REGEX_COST = 20_000, 100, 100
"""How many terms a query may have with all that its names stand for, and how many a NEAR or a /regex/ counts for.

What a name stands for counts once for each field that it is looked for in: so often it is evaluated.
"""

LARGEST_WRITTEN_OUT = 100_000
"""How many terms it may have if every name in it were written out."""

_LEAVES = frozenset({Kind.WORD, Kind.PREFIX, Kind.PHRASE, Kind.EXACT, Kind.REGEX})
_STARTS = _LEAVES | {Kind.FIELD, Kind.OPEN, Kind.ATLEAST, Kind.SCORE, Kind.NAME}
_NEARNESS = frozenset({Kind.NEAR, Kind.ONEAR, Kind.SAME})
_JOINTS = frozenset({Kind.AND, Kind.OR, Kind.NOT})


def parse(text: str, names: Mapping[str, str] | None = None) -> Query:
    """The query that `text` means. Raises QueryError with a column that counts characters from 1.

    `names` are the texts of other queries, which this one may use as @name.
    """
    return Query(text, _Parser(text, _Names(names or {})).root())


class _Meaning(NamedTuple):
    """What a name stands for: its tree, how deep that is, how many terms it has if written out.

    `costs` are those of the names in it and its own, by name and field.
    """

    part: Node
    deep: int
    size: int
    costs: dict[tuple[str, str], int]


class _Names:
    """The named queries, each read at most once."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self.read: dict[str, _Meaning] = {}
        self.reading: list[str] = []


class _Parser:
    """One pass over the pieces; `piece` is the next one that nobody took yet."""

    def __init__(self, text: str, names: _Names, depth: int = 0) -> None:
        self._found = pieces(text)
        self._names = names
        self._depth = self._deepest = depth
        self._at = self._cost = self._size = 0
        self._costs: dict[tuple[str, str], int] = {}  # of the names, each once for each field
        self._scope = ""  # the field whose part is being read
        self._columns: dict[int, int] = {}  # where each Not and each Named stands, by its id
        self._weights: dict[int, int] = {}  # the same for weights that no SCORE has added up yet
        self.piece = self._found[0]

    def root(self) -> Node:
        """The tree of a query that is put to articles."""
        root = self.whole()
        node = root
        while not node.positive:
            if isinstance(node, Not | Named):
                raise mistakes.unbounded(node, self._columns[id(node)])
            node = next(child for child in node.children if not child.positive)
        return root

    def whole(self) -> Node:
        """The tree of everything there is, also if it is only part of a query."""
        if self.piece.kind is Kind.END:  # white space only
            raise QueryError("the query is empty", 1, 'write a word or a "phrase"')
        root = self._sequence(self._depth)
        if self.piece.kind is Kind.CLOSE:
            raise mistakes.never_opened(self.piece)
        if self._weights:
            raise mistakes.stray_weight(min(self._weights.values()))
        return root

    def _take(self) -> Piece:
        taken = self.piece
        self._at += 1
        self.piece = self._found[self._at]
        return taken

    def _sequence(self, depth: int) -> Node:
        """Operands up to the end or a closing parenthesis, joined by operators of one kind."""
        parts = [self._operand(depth, None)]
        joint: Piece | None = None
        while (kind := self.piece.kind) is not Kind.END and kind is not Kind.CLOSE:
            piece = self.piece
            if kind not in _JOINTS:
                if kind is Kind.UNLESS:
                    raise QueryError(
                        "UNLESS after UNLESS", piece.column, "put together what follows: a UNLESS (b OR c)"
                    )
                raise mistakes.side_by_side(self._found[self._at - 1], piece)
            if joint is not None and (joint.kind is Kind.OR) != (kind is Kind.OR):
                raise mistakes.mixed(joint, piece)
            joint = piece
            parts.append(self._operand(depth, None if kind is Kind.NOT else self._take()))
        if joint is None:
            return parts[0]
        return Or(tuple(parts)) if joint.kind is Kind.OR else And(tuple(parts))

    def _operand(self, depth: int, operator: Piece | None) -> Node:
        """One operand; `operator` is the piece that asks for it."""
        nots: list[int] = []
        while self.piece.kind is Kind.NOT:
            operator = self._take()
            nots.append(operator.column)
            self._check_depth(depth + len(nots))
        node = self._unless(depth + len(nots), operator)
        while self.piece.kind in _NEARNESS:
            joint = self._take()
            self._pay(NEAR_COST, joint)
            node = clauses.together(joint, node, self._unless(depth + len(nots), joint))
        for column in reversed(nots):
            node = Not(node)
            self._columns[id(node)] = column
        return node

    def _unless(self, depth: int, operator: Piece | None) -> Node:
        node = self._single(depth, operator)
        if self.piece.kind is not Kind.UNLESS:
            return node
        unless = self._take()
        other = self._single(depth, unless)
        clauses.placed(unless, node, other)
        return Unless(node, other)

    def _single(self, depth: int, operator: Piece | None) -> Node:
        """An operand that needs no parentheses, with its weight if it has one."""
        kind = self.piece.kind
        if kind is Kind.OPEN:
            node = self._group(self._take(), depth)
        elif kind in _LEAVES:
            node = self._leaf(self._take())
        elif kind in _STARTS:
            node = self._prim(depth)
        else:
            raise mistakes.missing(operator, self.piece)
        if self.piece.kind is Kind.WEIGHT:
            weight = self._take()
            node = Weighted(node, Decimal(weight.extra).normalize())
            self._weights[id(node)] = weight.column
        return node

    def _prim(self, depth: int) -> Node:
        self._check_depth(depth)
        piece = self._take()
        if piece.kind is Kind.OPEN:
            return self._group(piece, depth)
        if piece.kind in _LEAVES:
            return self._leaf(piece)
        if piece.kind is Kind.FIELD:
            return self._field(piece, depth)
        if piece.kind is Kind.NAME:
            return self._named(piece, depth)
        if piece.kind is Kind.SCORE:
            return self._score(piece, depth)
        least = clauses.number(piece, 1)
        if self.piece.kind not in _STARTS:
            raise mistakes.missing(piece, self.piece)
        part = self._prim(depth + 1)
        clauses.placed(piece, part)
        return AtLeast(least, part)

    def _field(self, field: Piece, depth: int) -> Node:
        name = clauses.field_name(field)
        if self._scope:
            raise mistakes.nested_field(f"{name}:", self._scope, field.column)
        if self.piece.kind not in _STARTS:
            raise mistakes.empty_field(name, field)
        self._scope = name
        part = self._prim(depth + 1)
        self._scope = ""
        return Field(name, part)

    def _score(self, score: Piece, depth: int) -> Node:
        if self.piece.kind is not Kind.OPEN:
            cure = f"write {score} (a^3 OR b^2 OR c)"
            raise QueryError(f"{score} needs parentheses after it", score.column, cure)
        inside = self._group(self._take(), depth)
        for part in inside.children:
            self._weights.pop(id(part), None)
        return clauses.score(score, inside)

    def _named(self, piece: Piece, depth: int) -> Node:
        names = self._names
        if piece.text in names.reading:
            way = " → ".join(f"@{name}" for name in [*names.reading[names.reading.index(piece.text) :], piece.text])
            raise QueryError(f"{piece} uses itself: {way}", piece.column, "leave one of them out")
        if piece.text not in names.texts:
            raise mistakes.unknown_name(piece, list(names.texts))
        if piece.text not in names.read:
            names.reading.append(piece.text)
            try:
                parser = _Parser(names.texts[piece.text], names, depth + 1)
                part, deep = parser.whole(), parser._deepest - depth
                costs = {**parser._costs, (piece.text, ""): parser._cost - sum(parser._costs.values())}
                names.read[piece.text] = _Meaning(part, deep, parser._size, costs)
            except QueryError as error:
                where = "" if error.problem.startswith("in @") else f"column {error.column}: "
                raise QueryError(f"in {piece}: {where}{error.problem}", piece.column, error.cure) from None
            finally:
                names.reading.pop()
        part, deep, size, costs = names.read[piece.text]
        self._check_depth(depth + deep)
        here = {(name, scope or self._scope): cost for (name, scope), cost in costs.items()}
        new = {key: cost for key, cost in here.items() if key not in self._costs}
        self._costs |= new
        self._pay(sum(new.values()), piece, size)
        if self._scope and mistakes.has_field(part):
            raise mistakes.nested_field(f"{piece}, which names a field,", self._scope, piece.column)
        node = Named(piece.text, part)
        self._columns[id(node)] = piece.column
        return node

    def _leaf(self, piece: Piece) -> Node:
        self._pay(REGEX_COST if piece.kind is Kind.REGEX else 1, piece)
        return clauses.leaf(piece)

    def _group(self, opener: Piece, depth: int) -> Node:
        if self.piece.kind is Kind.CLOSE:
            raise QueryError("nothing inside the parentheses", opener.column, "write a query inside, or drop them")
        if self.piece.kind is Kind.END:
            raise mistakes.never_closed(opener)
        self._check_depth(depth + 1)
        node = self._sequence(depth + 1)
        closer = self.piece
        if closer.kind is Kind.END:
            raise mistakes.never_closed(opener)
        self._take()
        return node

    def _check_depth(self, depth: int) -> None:
        if depth > DEEPEST:
            raise mistakes.too_deep(DEEPEST, self.piece.column)
        self._deepest = max(self._deepest, depth)

    def _pay(self, cost: int, piece: Piece, size: int = 1) -> None:
        self._cost += cost
        self._size += size
        if self._cost > LARGEST or self._size > LARGEST_WRITTEN_OUT:
            raise QueryError("the query is too large with all that its names stand for", piece.column, "divide it")
