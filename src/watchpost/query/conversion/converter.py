"""Pure: a query of another search tool as one of ours, and what of it cannot be said here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from watchpost.errors import QueryError
from watchpost.query.conversion.dialects import DIALECTS, FACTIVA, Dialect, Kind, Sign, signs
from watchpost.query.lexer import SHORTEST_PREFIX
from watchpost.query.other_tools import language_code, shortened
from watchpost.query.parser import parse

DEEPEST_GROUP = 40
"""How many parentheses may be inside one another."""


class Conversion(NamedTuple):
    """`query` in our language, and a sentence for each thing of the other that is not said by it."""

    query: str
    lost: tuple[str, ...]


class Leaf(NamedTuple):
    """A term in our language."""

    text: str


class Prefixed(NamedTuple):
    """A part after a field, ATLEAST/n or NOT."""

    prefix: str
    part: Clause


class Joined(NamedTuple):
    """Parts with an operator of ours between them."""

    operator: str
    parts: tuple[Clause, ...]


Clause = Leaf | Prefixed | Joined


def convert(text: str, tool: str) -> Conversion:
    """The query that says in our language what `text` says in that of `tool`, a key of DIALECTS.

    Raises QueryError, with a column in `text`, if nothing of it can be said or its parentheses and quotes do not fit.
    """
    reader = _Reader(text, DIALECTS[tool])
    root = reader.whole()
    if root is None:
        raise QueryError("nothing of this query can be said here", 1, "; ".join(reader.lost) or "write a word")
    query = _written(root)
    try:
        parse(query)
    except QueryError as error:
        raise QueryError(f"it would be {shortened(query)}, but {error.problem}", 1, error.cure) from None
    return Conversion(query, tuple(dict.fromkeys(reader.lost)))


def _written(clause: Clause, around: str = "") -> str:
    """The text of a clause, in parentheses where the operator `around` it would read another one."""
    if isinstance(clause, Leaf):
        return clause.text
    if isinstance(clause, Prefixed):
        text = f"{clause.prefix}{_written(clause.part, clause.prefix)}"
        return f"({text})" if clause.prefix == "NOT " and around not in ("", "AND") else text
    text = f" {clause.operator} ".join(_written(part, clause.operator) for part in clause.parts)
    return f"({text})" if around else text


def _joined(operator: str, *parts: Clause) -> Clause:
    """The parts joined; those that are joined by AND, or by OR, themselves are not nested."""
    flat: list[Clause] = []
    for part in parts:
        same = isinstance(part, Joined) and part.operator == operator and operator in ("AND", "OR")
        flat += part.parts if same and isinstance(part, Joined) else (part,)
    return Joined(operator, tuple(flat))


def _mapped(clause: Clause, change: Callable[[str], str]) -> Clause:
    """The clause with each term changed."""
    if isinstance(clause, Leaf):
        return Leaf(change(clause.text))
    if isinstance(clause, Prefixed):
        return Prefixed(clause.prefix, _mapped(clause.part, change))
    return Joined(clause.operator, tuple(_mapped(part, change) for part in clause.parts))


_STARTS = frozenset({Kind.OPEN, Kind.WORD, Kind.PHRASE, Kind.FIELD, Kind.REST, Kind.LOST})
_COUNTED = re.compile("(?:atleast|atl)[0-9]+", re.IGNORECASE)
_SENTENCE = re.compile("s|sent|sentence")
_WILD = re.compile(r"\$[0-9]?|[*?!$]")
_WORDS_BETWEEN = 3  # Google's * is one word or a few


@dataclass(slots=True)
class _Reader:
    """One pass over the signs of a query."""

    text: str
    dialect: Dialect
    lost: list[str] = field(default_factory=list)
    _signs: list[Sign] = field(default_factory=list)
    _at: int = 0
    _depth: int = 0

    def whole(self) -> Clause | None:
        """The clause for the whole query; None if nothing of it can be said."""
        self._signs = list(signs(self.text, self.dialect))
        clause = self._level(0)
        if self._next.kind is Kind.CLOSE:
            raise QueryError("this ) was never opened", self._next.start + 1, "leave it out")
        if self._next.kind is not Kind.END:
            raise QueryError(f"{self._next.text} has nothing before it", self._next.start + 1, "leave it out")
        return clause

    @property
    def _next(self) -> Sign:
        return self._signs[self._at]

    def _take(self) -> Sign:
        self._at += 1
        return self._signs[self._at - 1]

    def _say(self, what: str, why: str) -> None:
        self.lost.append(f"{shortened(what)}: {why}")

    def _level(self, number: int) -> Clause | None:
        """Operands joined by operators of one level, or of a tighter one."""
        if number == len(self.dialect.levels):
            return self._side_by_side()
        kinds = self.dialect.levels[number]
        operands, operators = [self._level(number + 1)], []
        while self._next.kind in kinds or self._implied(kinds):
            here = self._next
            operators.append(self._take() if here.kind in kinds else Sign(Kind.AND, "", here.start))
            operands.append(self._level(number + 1))
        while operators:
            smallest = min(range(len(operators)), key=lambda each: operators[each].number)
            chosen = smallest if self.dialect.smallest_first else 0
            operands[chosen : chosen + 2] = [self._combined(operators.pop(chosen), *operands[chosen : chosen + 2])]
        return operands[0]

    def _implied(self, kinds: frozenset[Kind]) -> bool:
        """Whether two operands are side by side that both must occur."""
        starts = self._next.kind in _STARTS or self._next.kind is Kind.NOT
        return not self.dialect.phrases and Kind.AND in kinds and starts

    def _combined(self, operator: Sign, left: Clause | None, right: Clause | None) -> Clause | None:
        """Two operands and their operator; what is lost joins nothing."""
        if right is None or left is None:
            kept = left if right is None else right
            return Prefixed("NOT ", kept) if operator.kind is Kind.NOT and kept is not left and kept else kept
        if operator.kind is Kind.NEAR:
            return self._near(operator, left, right)
        if operator.kind is Kind.SAME:
            return self._same(operator, left, right)
        return _joined(operator.kind.name, left, right)

    def _near(self, operator: Sign, left: Clause, right: Clause) -> Clause:
        name, number = operator.text.lower(), operator.number
        if name.startswith("not"):
            return Joined("UNLESS", (left, self._spread(f"NEAR/{number}", left, right)))
        if self.dialect is FACTIVA:  # near5 has at most four words between, adj none
            ordered, number = not name.startswith(("near", "/n")), max(number, 1) - 1
        else:
            ordered = name.startswith(("pre", "onear", "+"))
        return self._spread(f"{'O' if ordered else ''}NEAR/{number}", left, right)

    def _same(self, operator: Sign, left: Clause, right: Clause) -> Clause:
        name, _, unit = operator.text.lower().rpartition("/")
        if unit == "seg":
            self._say(operator.text, "both may be in different parts of the article here")
            return _joined("NOT" if name.startswith("not") else "AND", left, right)
        if _SENTENCE.fullmatch(unit):
            self._say(operator.text, "both must be in one paragraph here, not in one sentence")
        joined = self._spread("SAME", left, right)
        return Joined("UNLESS", (left, joined)) if name.startswith("not") else joined

    def _spread(self, operator: str, left: Clause, right: Clause) -> Clause:
        """Nearness to several that must all occur is nearness to each."""
        for side, other, first in ((left, right, True), (right, left, False)):
            if isinstance(side, Joined) and side.operator in ("AND", "NOT"):
                head, *rest = side.parts
                near = self._spread(operator, *((head, other) if first else (other, head)))
                if side.operator == "NOT":
                    return Joined("NOT", (near, *rest))
                others = [self._spread(operator, *((part, other) if first else (other, part))) for part in rest]
                return _joined("AND", near, *others)
        return Joined(operator, (left, right))

    def _side_by_side(self) -> Clause | None:
        """Operands without an operator between: a phrase, if the tool reads one."""
        found = [self._operand()]
        written = [self._signs[self._at - 1]]
        while self.dialect.phrases and self._next.kind in _STARTS:
            written.append(self._next)
            found.append(self._operand())
        parts = [part for part in found if part is not None]
        if len(parts) > 1 and all(sign.kind in (Kind.WORD, Kind.PHRASE) for sign in written):
            return self._phrase(" ".join(sign.text for sign in written))
        if len(parts) > 1:
            clause = parts[0]
            for part in parts[1:]:
                clause = self._spread("ONEAR/0", clause, part)
            return clause
        return parts[0] if parts else None

    def _operand(self) -> Clause | None:
        sign = self._take()
        clause = self._started(sign)
        if self._next.kind is Kind.FIRST:
            first = self._take().number
            return clause and Prefixed(f"first/{max(first, 1)}:", clause)
        return clause

    def _started(self, sign: Sign) -> Clause | None:
        if sign.kind is Kind.WORD:
            return self._word(sign)
        if sign.kind is Kind.PHRASE:
            return self._phrase(sign.text)
        if sign.kind is Kind.LOST:
            self._say(sign.text, "watchpost searches no such thing; left out")
            return None
        if sign.kind in (Kind.FIELD, Kind.REST):
            return self._field(sign)
        if sign.kind is Kind.OPEN:
            return self._group(sign)
        if sign.kind is Kind.NOT:
            part = self._deeper(lambda: self._level(len(self.dialect.levels) - 1), sign)
            return part and Prefixed("NOT ", part)
        what = f"{self._signs[self._at - 2].text} has nothing after it" if self._at > 1 else "the query is empty"
        if sign.kind in (Kind.AND, Kind.OR, Kind.NEAR, Kind.SAME, Kind.FIRST):
            what = f"{sign.text} has nothing before it"
        raise QueryError(what, sign.start + 1, "write what it applies to")

    def _group(self, opener: Sign) -> Clause | None:
        clause = self._deeper(lambda: self._level(0), opener)
        if self._next.kind is not Kind.CLOSE:
            raise QueryError("this ( is never closed", opener.start + 1, "write ) where the group ends")
        self._take()
        return clause

    def _deeper(self, read: Callable[[], Clause | None], sign: Sign) -> Clause | None:
        self._depth += 1
        if self._depth > DEEPEST_GROUP:
            raise QueryError(
                f"more than {DEEPEST_GROUP} groups are inside one another", sign.start + 1, "nest fewer of them"
            )
        clause = read()
        self._depth -= 1
        return clause

    def _field(self, sign: Sign) -> Clause | None:
        """What follows the name of a field, or atleast5."""
        name = sign.text.lower().rstrip("=: ")
        if _COUNTED.fullmatch(name):
            part = self._deeper(self._side_by_side, sign)
            return part and Prefixed(f"ATLEAST/{max(sign.number, 1)} ", part)
        if name not in self.dialect.fields and sign.text[-1] not in "=:":  # a word before parentheses
            return self._word(sign)
        whole = self.dialect is FACTIVA  # there a field is that of the whole phrase
        read = self._rest if sign.kind is Kind.REST else self._side_by_side if whole else self._operand
        part = self._deeper(read, sign)
        prefix = self.dialect.fields.get(name)
        if prefix is None:
            written = self.text[sign.start : self._signs[self._at - 1].start + len(self._signs[self._at - 1].text)]
            hint = "; country:ML and place:ML find countries" if name in ("re", "geographic", "country") else ""
            self._say(" ".join(written.split()), f"watchpost has no such field{hint}; left out")
            return None
        return part and self._in_field(name, prefix, part)

    def _rest(self) -> Clause | None:
        """All that follows, after allintitle:."""
        return self._level(0)

    def _in_field(self, name: str, prefix: str, part: Clause) -> Clause | None:
        if name in ("singular", "plural", "nocaps"):
            self._say(name, "every form is searched as it is written, in any case")
        if prefix == "{":
            return _mapped(part, lambda text: f"{{{text.strip(chr(34)).upper()}}}")
        if prefix == "^":
            return _mapped(part, lambda text: f'"^{text[1:]}' if text.startswith('"') else f"^{text}")
        if prefix == "lang:":
            part = _mapped(part, lambda text: language_code(text.strip('"')) or text.strip('"'))
        if prefix == "first/50:":
            self._say(name, "the lead is the first 50 words of title, summary and body here")
        return Prefixed(prefix, part) if prefix else part

    def _word(self, sign: Sign) -> Clause | None:
        if not self.dialect.phrases and sign.text.lower() in ("and", "or", "not"):
            self._say(
                sign.text, f"a word that {self.dialect.title} leaves out; write {sign.text.upper()} if you mean it"
            )
            return None
        return self._phrase(sign.text)

    def _phrase(self, text: str) -> Clause | None:
        """Words in this order; wild cards as stars or regular expressions."""
        words = [word for each in text.split() if (word := self._cleaned(each))]
        if self.dialect.phrases:
            parts = [self._term(word) for word in words]
        else:
            parts = [Leaf(word) for word in words]
            if "*" in text.split():
                return self._with_gaps(text)
        if not parts:
            self._say(text, "signs are not searched; left out")
            return None
        if len(parts) == 1 and not isinstance(parts[0], Leaf):
            return parts[0]
        plain = all(isinstance(part, Leaf) and not part.text.startswith("/") for part in parts)
        if plain:
            return Leaf(_quoted(" ".join(part.text.strip('"') for part in parts if isinstance(part, Leaf))))
        clause: Clause = Leaf(_searched(parts[0]))
        for part in parts[1:]:
            clause = Joined("ONEAR/0", (clause, Leaf(_searched(part))))
        return clause

    def _with_gaps(self, text: str) -> Clause | None:
        """Google's `"mali * gold"`: a few words may be between."""
        pieces = [piece.split() for piece in " ".join(text.split()).split("*")]
        leaves = [Leaf(_quoted(" ".join(filter(None, map(self._cleaned, piece))))) for piece in pieces]
        leaves = [leaf for leaf in leaves if leaf.text.strip('"')]
        if not leaves:
            return None
        self._say(text, f"a * between words is at most {_WORDS_BETWEEN} words here")
        clause: Clause = leaves[0]
        for leaf in leaves[1:]:
            clause = Joined(f"ONEAR/{_WORDS_BETWEEN}", (clause, leaf))
        return clause

    def _cleaned(self, word: str) -> str:
        """A word without the signs around it, but with its wild cards."""
        kept = "*?!$" if self.dialect.phrases else ""
        start, end = 0, len(word)
        while start < end and not word[start].isalnum():
            start += 1
        while end > start and not (word[end - 1].isalnum() or word[end - 1] in kept):
            end -= 1
        return word[start:end].replace('"', "")

    def _term(self, word: str) -> Leaf:
        """A word with its wild cards: `bank*` where that can be said, else a regular expression."""
        wild = _WILD.search(word)
        if wild is None:
            return Leaf(word)
        stem = word[: wild.start()]
        ending = wild[0] in self.dialect.endings and wild.end() == len(word)
        if ending and stem.isalnum() and sum(map(str.isalpha, stem)) >= SHORTEST_PREFIX:
            return Leaf(f"{stem}*")
        pattern, at = [], 0
        for match in _WILD.finditer(word):
            sign = match[0]
            most = rf"\w{{0,{sign[1]}}}" if len(sign) > 1 else self.dialect.letters.get(sign, "")
            pattern += [re.escape(word[at : match.start()]), most]
            at = match.end()
        pattern.append(re.escape(word[at:]))
        return Leaf(f"/\\b{''.join(pattern).replace('/', '')}\\b/")


def _searched(leaf: Clause) -> str:
    return leaf.text if isinstance(leaf, Leaf) and leaf.text.startswith("/") else _quoted(_written(leaf))


def _quoted(text: str) -> str:
    """Words as a term: alone if that is one, else in quotes."""
    alone = text.removesuffix("*")
    if alone.isalnum():
        try:
            parse(text)
        except QueryError:
            return f'"{text}"'
        return text
    return f'"{text}"'
