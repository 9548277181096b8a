"""Pure: parses the text of a query into a tree, or raises an error that says where, and what to write instead.

    query   = operand { "AND" operand | "NOT" operand } | operand { "OR" operand } ;
    operand = { "NOT" } near ;
    near    = unless { ( "NEAR/" INT | "ONEAR/" INT | "SAME" ) unless } ;
    unless  = single [ "UNLESS" single ] ;
    single  = prim [ "^" NUMBER ] ;                              a weight, only on the parts of a SCORE
    prim    = FIELD ":" prim | "ATLEAST/" INT prim | "SCORE/" NUMBER "(" single "OR" single { … } ")"
            | "(" query ")" | "@" NAME | KIND ":" VALUE | term ;       KIND = "country" | "place" | "near" | "entity"
    term    = [ MARK ] WORD [ "~" LANG ] | [ MARK ] WORD "*" | PHRASE [ "~" LANG ] | "{" exact "}" | "/" REGEX "/" ;
    MARK    = "^" | "=" | "^=" ;     the word begins with a capital; its accents count; also before a word of a PHRASE

`a NOT b` is `a AND NOT b`; NEAR without a number is NEAR/4. AND and OR need parentheses between them, because search
tools disagree on which binds tighter. For the same reason two words without an operator between them are an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from watchpost.errors import QueryError
from watchpost.names.library import Entity
from watchpost.query import errors, known_names
from watchpost.query.document import FIELDS, FIRST
from watchpost.query.inflection import LANGUAGES, fits
from watchpost.query.lexer import SHORTEST_PREFIX, Token, TokenKind, tokens
from watchpost.query.meaning import Known
from watchpost.query.operators import AtLeast, Near, Proximity, Same, Score, Unless, Weighted
from watchpost.query.other_tools import refuse_language, shortened
from watchpost.query.terms import Exact, Leaf, Phrase, Prefix, Regex, Term
from watchpost.query.tree import And, Field, Named, Node, Not, Or, Query
from watchpost.query.words import is_unspaced, letters, words

LARGEST_NUMBER = 1_000
"""The largest n of NEAR/n, ONEAR/n and ATLEAST/n."""

LONGEST_CHAIN = 8
"""How many NEAR, ONEAR and SAME may follow one another or be inside one another."""


def leaf(token: Token) -> Leaf:
    """The leaf of a token. Raises QueryError if it cannot be searched for."""
    if token.kind is TokenKind.WORD:
        return _checked(Term(token.text, token.extra), token)
    if token.kind is TokenKind.PREFIX:
        return _checked(Prefix(token.text), token)
    if token.kind is TokenKind.PHRASE:
        return _checked(Phrase(token.text, token.extra), token)
    if token.kind is TokenKind.EXACT:
        return _checked(Exact(token.text), token)
    try:
        return Regex(token.text)
    except QueryError as error:
        raise QueryError(error.problem, token.column + error.column, error.cure) from None


def proximity(operator: Token, left: Node, right: Node) -> Near | Same:
    """Two sides joined by NEAR, ONEAR or SAME. Raises QueryError if one of them has no place in the text."""
    check_placed(operator, left, right)
    if max(_chained(left), _chained(right)) >= LONGEST_CHAIN:
        problem = f"there are more than {LONGEST_CHAIN} NEAR, ONEAR or SAME in a row"
        raise QueryError(problem, operator.column, "write fewer, and join the groups by AND")
    if operator.kind is TokenKind.SAME:
        return Same(left, right)
    return Near(left, right, number(operator, 0), operator.kind is TokenKind.ONEAR)


def _chained(node: Node) -> int:
    """How many NEAR, ONEAR and SAME are inside one another in the node."""
    return max(map(_chained, node.children), default=0) + isinstance(node, Proximity)


def check_placed(operator: Token, *sides: Node) -> None:
    """Raises QueryError if one of the operator's sides has no place in the text."""
    for side in sides:
        if not side.placed:
            raise errors.unplaced(operator, side)


def number(operator: Token, least: int) -> int:
    """The n of an operator. Raises QueryError if it is less than `least` or too large."""
    value = int(operator.extra)
    if not least <= value <= LARGEST_NUMBER:
        cure = f"write a number from {least} to {LARGEST_NUMBER}"
        raise QueryError(f"{operator} is out of range", operator.column, cure)
    return value


def score(token: Token, inside: Node) -> Score:
    """A SCORE with what is in its parentheses. Raises QueryError if that cannot reach its number."""
    if not isinstance(inside, Or):
        cure = f"write {token} (a^3 OR b^2 OR c)"
        raise QueryError(f"{token} needs several parts, joined by OR", token.column, cure)
    node = Score(Decimal(token.extra).normalize(), inside.parts)
    if not node.threshold:
        raise QueryError(f"{token} is always true", token.column, "write a number above 0")
    if node.reachable < node.threshold:
        problem = f"{token} can never be true: its parts add up to {node.reachable:f}"
        raise QueryError(problem, token.column, "write a smaller number or larger weights")
    return node


def field_name(token: Token) -> str:
    """The name of a field, or `first/n`. Raises QueryError if there is no such field."""
    name = token.text.lower()
    if name in FIELDS:
        return name
    count = name.removeprefix(FIRST)
    if count == name or not (count.isascii() and count.isdigit()) or not 1 <= int(count) <= errors.MOST_FIRST:
        raise errors.unknown_field(token)
    return f"{FIRST}{int(count)}"


def _checked(leaf: Leaf, token: Token) -> Leaf:
    """The leaf, if it can be searched for. Raises QueryError."""
    if not leaf.patterns:
        raise QueryError(f"{token} has neither letters nor digits", token.column, "write a word")
    if token.kind is TokenKind.EXACT:
        if "*" in token.text:
            raise QueryError(f"{token} cannot hold a *", token.column, "leave it out; an exact spelling has no endings")
    elif token.kind is TokenKind.PREFIX:
        _check_stars((token.text,), leaf, token)
    elif "*" in token.text and token.kind is not TokenKind.REGEX:
        _check_stars(tuple(word[:-1] for word in token.text.split() if "*" in word), leaf, token)
    if token.extra and any(part.startswith(("=", "^=")) for part in token.text.split()):
        cure = f"leave out the =, or ~{token.extra} and write the forms one by one"
        raise QueryError(f"the forms of {token} have other accents", token.column, cure)
    if token.extra and not any(fits(pattern.folded, token.extra) for pattern in leaf.patterns):
        language = LANGUAGES[token.extra].name
        raise QueryError(f"{token} is not written in {language} letters", token.column, f"leave out ~{token.extra}")
    return leaf


def _check_stars(starred: tuple[str, ...], leaf: Leaf, token: Token) -> None:
    """`starred` are the leaf's words that end with a star, without it."""
    for word in starred:
        cut = words(word)
        if not cut or cut[-1].end != len(word) or "*" in word:
            cure = "write it only after the last letter of a word, like malien*"
            raise QueryError(f"the * in {token} does not end a word", token.column, cure)
        if is_unspaced(word[cut[-1].start]):
            cure = f"write {shortened(word)} alone; it is found inside longer words, too"
            raise QueryError(f"a * after {shortened(word)} has no effect", token.column, cure)
    if sum(letters(pattern.folded) for pattern in leaf.patterns) < SHORTEST_PREFIX:
        cure = f"write at least {SHORTEST_PREFIX} letters before the *"
        raise QueryError(f"{token} begins too many words", token.column, cure)


DEEPEST = 100
"""How many parentheses and NOTs may be inside one another, with those of named queries."""

LARGEST, NEAR_COST, REGEX_COST = 20_000, 100, 100
"""The terms that a query may have with all queries that it names, and how many a NEAR or a /regex/ counts for.

A named query counts once for each field in which it is searched, because it is evaluated so often.
"""

KNOWN_COST = 100
"""How many terms a name of the library counts for."""

_EXAMPLES = {"country": "country:ML", "place": "place:ML", "near": "near:Gao/200km", "entity": "entity:wagner-group"}

LARGEST_WRITTEN_OUT = 100_000
"""The terms that it may have if every name were written out."""

_LEAVES = frozenset({TokenKind.WORD, TokenKind.PREFIX, TokenKind.PHRASE, TokenKind.EXACT, TokenKind.REGEX})
_STARTS = _LEAVES | {
    TokenKind.FIELD,
    TokenKind.OPEN,
    TokenKind.ATLEAST,
    TokenKind.SCORE,
    TokenKind.NAME,
    TokenKind.KNOWN,
}
_NEARNESS = frozenset({TokenKind.NEAR, TokenKind.ONEAR, TokenKind.SAME})
_JOINTS = frozenset({TokenKind.AND, TokenKind.OR, TokenKind.NOT})


def parse(text: str, names: Mapping[str, str] | None = None, entities: Mapping[str, Entity] | None = None) -> Query:
    """The query that `text` means. Raises QueryError with a column that counts characters from 1.

    `names` has the texts of the queries that this one may use as @name, `entities` those that it may use as
    entity:name besides the library's own.
    """
    return Query(text, _Parser(text, _Names(names or {}, entities)).root())


def _library(text: str, names: Mapping[str, str]) -> Node:
    """The tree of a query of the names library; it may be as large as it must."""
    return _Parser(text, _Names(names), paid=False).whole()


class _Meaning(NamedTuple):
    """A named query: its tree, how deep that is, and how many terms it has if it is written out.

    `costs` are its own and those of the names in it, by name and field.
    """

    part: Node
    depth: int
    size: int
    costs: dict[tuple[str, str], int]


class _Names:
    """The named queries, each parsed at most once."""

    def __init__(self, texts: Mapping[str, str], entities: Mapping[str, Entity] | None = None) -> None:
        self.texts = texts
        self.entities = entities or {}
        self.parsed: dict[str, _Meaning] = {}
        self.parsing: list[str] = []


class _Parser:
    """One pass over the tokens; `token` is the next one."""

    def __init__(self, text: str, names: _Names, depth: int = 0, *, paid: bool = True) -> None:
        self._tokens = tokens(text, bounded=paid)
        self._paid = paid
        self._names = names
        self._depth = self._deepest = depth
        self._at = self._cost = self._size = 0
        self._costs: dict[tuple[str, str], int] = {}  # of the named queries, by name and field
        self._scope = ""  # the field whose part is being parsed
        self._columns: dict[int, int] = {}  # of each Not and each Named, by its id
        self._weights: dict[int, int] = {}  # likewise, of weights that no SCORE has counted yet
        self.token = self._tokens[0]

    def root(self) -> Node:
        """The tree of a query for articles, which must have a positive term."""
        root = self.whole()
        node = root
        while not node.positive:
            if isinstance(node, Not | Named):
                raise errors.unbounded(node, self._columns[id(node)])
            node = next(child for child in node.children if not child.positive)
        return root

    def whole(self) -> Node:
        """The tree of the whole text, which may be a part of another query."""
        if self.token.kind is TokenKind.END:  # white space only
            raise QueryError("the query is empty", 1, 'write a word or a "phrase"')
        root = self._sequence(self._depth)
        if self.token.kind is TokenKind.CLOSE:
            raise errors.never_opened(self.token)
        if self._weights:
            cure = "write SCORE/5 (a^3 OR b^2 OR c), with weights on the parts that it joins"
            raise QueryError("a weight counts only inside a SCORE", min(self._weights.values()), cure)
        return root

    def _take(self) -> Token:
        taken = self.token
        self._at += 1
        self.token = self._tokens[self._at]
        return taken

    def _sequence(self, depth: int) -> Node:
        """Operands up to the end or a closing parenthesis, joined by operators of one kind."""
        parts = [self._operand(depth, None)]
        joint: Token | None = None
        while (kind := self.token.kind) is not TokenKind.END and kind is not TokenKind.CLOSE:
            token = self.token
            if kind not in _JOINTS:
                if kind is TokenKind.UNLESS:
                    cure = "join what follows by OR: a UNLESS (b OR c)"
                    raise QueryError("an UNLESS cannot follow another", token.column, cure)
                raise errors.side_by_side(self._tokens[self._at - 1], token)
            if joint is not None and (joint.kind is TokenKind.OR) != (kind is TokenKind.OR):
                problem = f"{joint.text} and {token.text} are mixed without parentheses"
                cure = "put parentheses around what belongs together, like (a OR b) AND c"
                raise QueryError(problem, token.column, cure)
            joint = token
            parts.append(self._operand(depth, None if kind is TokenKind.NOT else self._take()))
        if joint is None:
            return parts[0]
        return Or(tuple(parts)) if joint.kind is TokenKind.OR else And(tuple(parts))

    def _operand(self, depth: int, operator: Token | None) -> Node:
        """One operand; `operator` is the token that needs it."""
        nots: list[int] = []
        while self.token.kind is TokenKind.NOT:
            operator = self._take()
            nots.append(operator.column)
            self._check_depth(depth + len(nots))
        node = self._unless(depth + len(nots), operator)
        while self.token.kind in _NEARNESS:
            joint = self._take()
            self._pay(NEAR_COST, joint)
            node = proximity(joint, node, self._unless(depth + len(nots), joint))
        for column in reversed(nots):
            node = Not(node)
            self._columns[id(node)] = column
        return node

    def _unless(self, depth: int, operator: Token | None) -> Node:
        node = self._single(depth, operator)
        if self.token.kind is not TokenKind.UNLESS:
            return node
        unless = self._take()
        other = self._single(depth, unless)
        check_placed(unless, node, other)
        return Unless(node, other)

    def _single(self, depth: int, operator: Token | None) -> Node:
        """An operand that needs no parentheses, with its weight if it has one."""
        kind = self.token.kind
        if kind is TokenKind.OPEN:
            node = self._group(self._take(), depth)
        elif kind in _LEAVES:
            node = self._leaf(self._take())
        elif kind in _STARTS:
            node = self._prim(depth)
        else:
            raise errors.missing(operator, self.token)
        if self.token.kind is TokenKind.WEIGHT:
            weight = self._take()
            node = Weighted(node, Decimal(weight.extra).normalize())
            self._weights[id(node)] = weight.column
        return node

    def _prim(self, depth: int) -> Node:
        self._check_depth(depth)
        token = self._take()
        if token.kind is TokenKind.OPEN:
            return self._group(token, depth)
        if token.kind in _LEAVES:
            return self._leaf(token)
        if token.kind is TokenKind.FIELD:
            return self._field(token, depth)
        if token.kind is TokenKind.NAME:
            return self._named(token, depth)
        if token.kind is TokenKind.KNOWN:
            return self._known(token)
        if token.kind is TokenKind.SCORE:
            return self._score(token, depth)
        least = number(token, 1)
        if self.token.kind not in _STARTS:
            raise errors.missing(token, self.token)
        part = self._prim(depth + 1)
        check_placed(token, part)
        return AtLeast(least, part)

    def _field(self, field: Token, depth: int) -> Node:
        name = field_name(field)
        if self._scope:
            raise errors.nested_field(f"{name}:", self._scope, field.column)
        if self.token.kind not in _STARTS:
            cure = f'write {name}:word, {name}:"a phrase" or {name}:(a OR b)'
            raise QueryError(f"{name}: needs a word, a phrase or parentheses after it", field.column, cure)
        self._scope = name
        part = self._prim(depth + 1)
        self._scope = ""
        return Field(name, part)

    def _score(self, token: Token, depth: int) -> Node:
        if self.token.kind is not TokenKind.OPEN:
            cure = f"write {token} (a^3 OR b^2 OR c)"
            raise QueryError(f"{token} needs parentheses after it", token.column, cure)
        inside = self._group(self._take(), depth)
        for part in inside.children:
            self._weights.pop(id(part), None)
        return score(token, inside)

    def _named(self, token: Token, depth: int) -> Node:
        names = self._names
        if token.text in names.parsing:
            circle = " → ".join(f"@{name}" for name in [*names.parsing[names.parsing.index(token.text) :], token.text])
            raise QueryError(f"{token} uses itself: {circle}", token.column, "leave one of them out")
        if token.text not in names.texts:
            raise errors.unknown_name(token, list(names.texts))
        if token.text not in names.parsed:
            names.parsing.append(token.text)
            try:
                parser = _Parser(names.texts[token.text], names, depth + 1, paid=self._paid)
                part, deepest = parser.whole(), parser._deepest - depth
                costs = {**parser._costs, (token.text, ""): parser._cost - sum(parser._costs.values())}
                names.parsed[token.text] = _Meaning(part, deepest, parser._size, costs)
            except QueryError as error:
                where = "" if error.problem.startswith("in @") else f"column {error.column}: "
                raise QueryError(f"in {token}: {where}{error.problem}", token.column, error.cure) from None
            finally:
                names.parsing.pop()
        part, deepest, size, costs = names.parsed[token.text]
        self._check_depth(depth + deepest)
        here = {(name, scope or self._scope): cost for (name, scope), cost in costs.items()}
        new = {key: cost for key, cost in here.items() if key not in self._costs}
        self._costs |= new
        self._pay(sum(new.values()), token, size)
        if self._scope and errors.has_field(part):
            raise errors.nested_field(f"{token}, which names a field,", self._scope, token.column)
        node = Named(token.text, part)
        self._columns[id(node)] = token.column
        return node

    def _known(self, token: Token) -> Node:
        """What the names library has under `kind:value`."""
        kind, _, value = token.text.partition(":")
        if kind == "alias" and self._paid:
            raise QueryError("alias: is for the library alone", token.column, "write entity:NAME")
        if not value.strip('"'):
            cure = f'write {_EXAMPLES[kind]}, or "{kind}" if you mean the word'
            raise QueryError(f"{kind}: needs a name after it", token.column, cure)
        try:
            part = known_names.part(kind, value, self._names.entities, _library)
        except QueryError as error:
            raise QueryError(error.problem, token.column + len(kind) + 1, error.cure) from None
        self._pay(KNOWN_COST, token)
        node = Known(token.text, part)
        self._columns[id(node)] = token.column
        return node

    def _leaf(self, token: Token) -> Node:
        if self._scope == "lang" and token.kind in (TokenKind.WORD, TokenKind.PHRASE, TokenKind.EXACT):
            refuse_language(token.text, token.column)
        self._pay(REGEX_COST if token.kind is TokenKind.REGEX else 1, token)
        return leaf(token)

    def _group(self, opener: Token, depth: int) -> Node:
        if self.token.kind is TokenKind.CLOSE:
            raise QueryError("these parentheses are empty", opener.column, "write a query inside, or remove them")
        if self.token.kind is TokenKind.END:
            raise errors.never_closed(opener)
        self._check_depth(depth + 1)
        node = self._sequence(depth + 1)
        closer = self.token
        if closer.kind is TokenKind.END:
            raise errors.never_closed(opener)
        self._take()
        return node

    def _check_depth(self, depth: int) -> None:
        if depth > DEEPEST:
            problem = f"more than {DEEPEST} parentheses or NOTs are inside one another"
            raise QueryError(problem, self.token.column, "nest fewer of them")
        self._deepest = max(self._deepest, depth)

    def _pay(self, cost: int, token: Token, size: int = 1) -> None:
        self._cost += cost
        self._size += size
        if not self._paid:
            return
        if self._cost > LARGEST or self._size > LARGEST_WRITTEN_OUT:
            raise QueryError("the query is too large, with all the queries that it names", token.column, "divide it")
