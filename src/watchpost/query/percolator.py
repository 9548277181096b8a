"""Pure: finds which of many queries match an article. It scans the article once and evaluates only a few queries.

Each query has anchors (`anchors`): literals of which at least one occurs in every article that the query matches. One
automaton holds the anchors of all queries, and only the queries with an anchor in the article are evaluated. The
result is exactly that of evaluating all of them.

An automaton cannot be changed. A query that is edited moves to a second, small index, which is built again at each
edit, and the first index no longer counts for it. `compact` brings all queries into one index again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Literal, NamedTuple

from watchpost.query.automaton import Automaton, Engine, automaton
from watchpost.query.document import SEARCHED, Document, Index
from watchpost.query.meaning import Ambiguous
from watchpost.query.operators import AtLeast, Proximity, Score, Unless, Weighted, weight
from watchpost.query.terms import Leaf
from watchpost.query.tree import And, Evidence, Field, Named, Node, Or, Query
from watchpost.query.words import WordPattern, is_unspaced

# The texts that are scanned are folded words with single spaces between them: the word `mali` is the literal " mali ",
# the beginning `malien*` is " malien", and a phrase occurs only where its words are one after the other in one field.
# The words of a field that a query must name (`author:`, `lang:`, …) have that field's mark before them. Those of the
# title are there twice, once without a mark.

MARKS = {"title": "\x01", "author": "\x02", "source": "\x03", "lang": "\x04", "url": "\x05"}
"""The mark before the words of a field; folded words never hold such characters."""

LONGEST_LITERAL = 8
"""The most words of a literal."""

PIECE_WORDS, PIECE_LETTERS = 20_000, 120_000
"""The words that are scanned at once, and the letters below which words are not counted.

Longer texts are cut into pieces that overlap by the longest literal.
"""

_FIELD_END = " \n "  # no literal contains it


def scanned_texts(document: Document, marked: Collection[str]) -> list[str]:
    """The texts to scan; every literal that occurs in the document occurs in one of them.

    `marked` are the fields whose words are also needed with their mark.
    """
    texts = [text for name in SEARCHED for text in _readings(document.index(name))]
    for name in marked:
        mark = MARKS[name]
        texts += [mark + text.replace(" ", " " + mark) for text in _readings(document.index(name))]
    if sum(map(len, texts)) <= PIECE_LETTERS:
        return [f" {_FIELD_END.join(texts)} "]
    return [f" {piece} " for text in texts for piece in _pieces(text)]


def vocabulary(document: Document) -> set[str]:
    """The words of an article as they are scanned, with those of all marked fields, each once."""
    return {word for text in scanned_texts(document, MARKS) for word in text.split()}


def literal(words: Sequence[str], field: str = "", *, prefix: bool = False) -> str:
    """The literal of these folded words; with `prefix` the last one may be the beginning of a word."""
    mark = MARKS.get(field, "")
    return f" {' '.join(mark + word for word in words)}{'' if prefix else ' '}"


def _readings(index: Index) -> Iterator[str]:
    """The words of one field, and the neighbours of each word that is broken by the end of a line, with it rejoined.

    Any two words that may follow one another do so in one of these texts; longer sequences where no word is broken.
    """
    if not index.joined:
        return
    yield index.joined
    rejoined = index.rejoined
    words = index.folded if rejoined else ()
    for position, whole in rejoined.items():
        yield " ".join((*words[max(0, position - 1) : position], whole, *words[position + 2 : position + 3]))
        if position - 2 in rejoined:
            yield f"{rejoined[position - 2]} {whole}"


def _pieces(text: str) -> Iterator[str]:
    words = text.split(" ")
    for start in range(0, len(words), PIECE_WORDS):
        yield " ".join(words[start : start + PIECE_WORDS + LONGEST_LITERAL - 1])


Cost = Callable[[str], float]
"""The cost of an anchor: about the share of articles in which it occurs, and the query is evaluated for nothing."""

MOST_FORMS = 12
"""The most literals for one pair of words in all their forms."""


class AnchorSet(NamedTuple):
    """Literals of which one must occur, and their cost together."""

    cost: float
    literals: frozenset[str]


def anchors(node: Node, cost: Cost) -> tuple[str, ...] | None:
    """Literals of which at least one occurs in every article that `node` is true of; None if none are known.

    Of several such sets it is the cheapest. A query without anchors is always evaluated.
    """
    cheapest = _anchor_set(node, cost, "")
    return None if cheapest is None else tuple(sorted(cheapest.literals))


def _anchor_set(node: Node, cost: Cost, scope: str) -> AnchorSet | None:
    match node:
        case Leaf():
            return _cheapest(_of_patterns(node.patterns, cost, scope))
        case And(parts=parts):
            return _cheapest(_anchor_set(part, cost, scope) for part in parts)
        case Or(parts=parts):
            return _union(_anchor_set(part, cost, scope) for part in parts)
        case Field(name=name, part=part):
            return _anchor_set(part, cost, name)
        case Proximity():
            return _cheapest(_anchor_set(side, cost, scope) for side in node.children)
        case Named(part=part) | Ambiguous(part=part) | Unless(part=part) | AtLeast(part=part) | Weighted(part=part):
            return _anchor_set(part, cost, scope)
        case Score():
            return _of_score(node, cost, scope)
    return None


def _cheapest(sets: Iterable[AnchorSet | None]) -> AnchorSet | None:
    return min((each for each in sets if each is not None), key=lambda each: each.cost, default=None)


def _union(sets: Iterable[AnchorSet | None]) -> AnchorSet | None:
    total = 0.0
    literals: set[str] = set()
    for each in sets:
        if each is None:
            return None
        total += each.cost
        literals |= each.literals
    return AnchorSet(total, frozenset(literals))


def _of_score(node: Score, cost: Cost, scope: str) -> AnchorSet | None:
    """The union of the parts without which the threshold cannot be reached; the most expensive ones are left out."""
    known = [(_anchor_set(part, cost, scope), weight(part)) for part in node.parts]
    spare = node.threshold
    needed = []
    for anchor_set, weighs in sorted(known, key=lambda pair: -(float("inf") if pair[0] is None else pair[0].cost)):
        if weighs < spare:
            spare -= weighs
        else:
            needed.append(anchor_set)
    return _union(needed) if needed else None


def _of_patterns(patterns: Sequence[WordPattern], cost: Cost, scope: str) -> Iterator[AnchorSet]:
    """The anchor sets of words that follow one another: one word, two words, or a run of characters.

    In scripts with spaces at most two words, because one of them may be broken by the end of a line.
    """
    for pattern in patterns:
        yield _costed(_literals((pattern,), scope), cost)
    for pair in pairwise(patterns):
        if not pair[0].prefix and len(_forms(pair[0])) * len(_forms(pair[1])) <= MOST_FORMS:
            yield _costed(_literals(pair, scope), cost)
    for run in _unspaced_runs(patterns):
        yield _costed(_literals(run, scope), cost)


def _unspaced_runs(patterns: Sequence[WordPattern]) -> Iterator[Sequence[WordPattern]]:
    """The longest runs of characters in scripts without spaces, within the length of a literal."""
    start = 0
    for place in range(len(patterns) + 1):
        inside = place < len(patterns) and not patterns[place].forms and is_unspaced(patterns[place].folded[:1])
        if not inside or place - start == LONGEST_LITERAL:
            if place - start > 2:
                yield patterns[start:place]
            start = place if inside else place + 1


def _literals(patterns: Sequence[WordPattern], scope: str) -> frozenset[str]:
    prefix = patterns[-1].prefix
    return frozenset(literal(words, scope, prefix=prefix) for words in product(*map(_forms, patterns)))


def _forms(pattern: WordPattern) -> tuple[str, ...]:
    return (pattern.folded,) if pattern.prefix else (pattern.folded, *pattern.forms)


def _costed(literals: frozenset[str], cost: Cost) -> AnchorSet:
    return AnchorSet(sum(map(cost, literals)), literals)


WINDOW = 20_000
"""After this many articles every count is halved, so that old articles count less and less."""

MOST_WORDS = 200_000
"""The words that are counted; the rarest of more are forgotten."""

_TOGETHER = 0.25
"""The share of the articles with its rarest word in which a phrase occurs. A guess, used only for comparing."""


class Frequency:
    """The number of articles in a rolling sample in which each word occurs. Words are those of `vocabulary`.

    Every article with an anchor costs an evaluation, so the best anchor of a query is the rarest in real articles.
    """

    def __init__(self, articles: int = 0, counts: Mapping[str, int] | None = None) -> None:
        self.articles = articles
        self._counts: Counter[str] = Counter(counts or {})
        self._sorted: list[str] | None = None

    def add(self, words: Iterable[str]) -> None:
        """Count one more article by its words, each given once."""
        self._sorted = None
        self.articles += 1
        self._counts.update(words)
        if self.articles >= WINDOW:
            self._halve()
        while len(self._counts) > MOST_WORDS:
            least = min(self._counts.values())
            self._counts = Counter({word: count for word, count in self._counts.items() if count > least})

    def cost(self, literal: str) -> float:
        """About the share of articles in which a literal occurs; always more than 0.

        Of two that never occurred the longer one costs less; without a sample only the length counts.
        """
        words = literal.split(" ")[1:]
        prefix = words[-1] != ""
        counts = [self._beginning(words.pop())] if prefix else []
        counts += [self._counts[word] for word in words if word]
        seen = min(counts) * (_TOGETHER if len(counts) > 1 else 1)
        unseen = 1 / (2 + len(literal.encode()))
        return (seen + unseen) / max(1, self.articles)

    def copy(self) -> Frequency:
        """A copy for another thread, to use while articles are added to this one."""
        return Frequency(self.articles, self._counts)

    def _halve(self) -> None:
        self.articles //= 2
        self._counts = Counter({word: count // 2 for word, count in self._counts.items() if count > 1})

    def _beginning(self, prefix: str) -> int:
        """An upper bound of the number of articles with a word that begins with `prefix`."""
        if self._sorted is None:
            self._sorted = sorted(self._counts)
        place = bisect_left(self._sorted, prefix)
        total = 0
        while place < len(self._sorted) and self._sorted[place].startswith(prefix) and total < self.articles:
            total += self._counts[self._sorted[place]]
            place += 1
        return min(total, self.articles)


Anchors = tuple[str, ...] | None

_FIELDS = {mark: name for name, mark in MARKS.items()}


@dataclass(frozen=True, slots=True)
class AnchorIndex:
    """Queries by their anchors. `always` are those without; `marked` are the fields whose marks are in the anchors."""

    anchored: Mapping[str, Anchors]
    always: frozenset[str]
    marked: frozenset[str]
    _automaton: Automaton | None
    _names: tuple[tuple[str, ...], ...]  # of the queries, by the number of the literal

    @classmethod
    def of(cls, anchored: Mapping[str, Anchors], engine: Engine) -> AnchorIndex:
        """The index of these queries' anchors."""
        names: dict[str, list[str]] = {}
        for name, literals in anchored.items():
            for literal in literals or ():
                names.setdefault(literal, []).append(name)
        return cls(
            anchored,
            frozenset(name for name, literals in anchored.items() if literals is None),
            frozenset(_FIELDS[literal[1]] for literal in names if literal[1] in _FIELDS),
            automaton(engine, tuple(names)) if names else None,
            tuple(map(tuple, names.values())),
        )

    def candidates(self, texts: Iterable[str]) -> set[str]:
        """The names of the queries that may match the scanned texts."""
        found = set(self.always)
        if self._automaton is not None:
            for text in texts:
                for number in self._automaton.numbers(text):
                    found.update(self._names[number])
        return found


Compacted = tuple[AnchorIndex, Mapping[str, Query]]
"""An index, and the queries that are in it."""


class Percolator:
    """Many named queries, prepared for matching one document after the other.

    Not for several threads at once, except that `compacted` may run in another one.
    """

    def __init__(
        self,
        queries: Mapping[str, Query],
        frequency: Frequency | None = None,
        engine: Engine | Literal["brute"] = "auto",
    ) -> None:
        """`frequency` says which words are rare; without it the longest count as rare. `engine` "brute" evaluates every
        query on every document. Raises ImportError if a named engine is not installed.
        """
        self._queries = dict(queries)
        self._order = {name: number for number, name in enumerate(queries)}
        self._next = len(queries)
        self._frequency = frequency or Frequency()
        self._engine = engine
        self._gone: set[str] = set()  # names whose anchors in `_base` no longer count
        self._edited = _EMPTY
        self._base = _EMPTY
        self.compact()

    def candidates(self, document: Document) -> tuple[str, ...]:
        """The names of the queries that may match, in the order of the queries; the others do not."""
        if self._engine == "brute":
            return tuple(self._sorted(self._queries))
        texts = scanned_texts(document, self._base.marked | self._edited.marked)
        found = self._base.candidates(texts)
        if self._gone or self._edited.anchored:
            found -= self._gone
            found |= self._edited.candidates(texts)
        return tuple(self._sorted(found))

    def match(self, document: Document) -> dict[str, tuple[Evidence, ...]]:
        """The evidence of every query that matches, by its name, in the order of the queries."""
        found = {}
        for name in self.candidates(document):
            evidence = self._queries[name].evaluate(document)
            if evidence is not None:
                found[name] = evidence
        return found

    def replace(self, name: str, query: Query) -> None:
        """Set the query of `name`. A new name comes after all others."""
        self._queries[name] = query
        if name not in self._order:
            self._order[name] = self._next
            self._next += 1
        self._gone.add(name)
        self._change({**self._edited.anchored, name: self._anchors(query)})

    def remove(self, name: str) -> None:
        """Remove a query. Raises KeyError if there is none with that name."""
        del self._queries[name]
        del self._order[name]
        self._gone.add(name)
        self._change({each: found for each, found in self._edited.anchored.items() if each != name})

    def compact(self) -> None:
        """Build one index of all queries, with anchors by today's frequencies. Takes seconds for 100,000 queries."""
        self.adopt(self.compacted())

    def compacted(self, frequency: Frequency | None = None) -> Compacted:
        """A new index for `adopt`, with anchors by `frequency`. May run in another thread.

        That thread needs its own copy of the frequency to which articles are added meanwhile.
        """
        queries = dict(self._queries)
        if self._engine == "brute":
            return _EMPTY, queries
        cost = (frequency or self._frequency).cost
        return AnchorIndex.of(
            {name: anchors(query.root, cost) for name, query in queries.items()}, self._engine
        ), queries

    def adopt(self, compacted: Compacted) -> None:
        """Use a new index. Queries that were edited while it was built stay as they are."""
        base, queries = compacted
        later = {name: query for name, query in self._queries.items() if queries.get(name) is not query}
        self._base = base
        self._gone = {*later, *(name for name in queries if name not in self._queries)}
        self._change({name: self._anchors(query) for name, query in later.items()})

    def _anchors(self, query: Query) -> Anchors:
        return anchors(query.root, self._frequency.cost)

    def _change(self, anchored: Mapping[str, Anchors]) -> None:
        if self._engine != "brute":
            self._edited = AnchorIndex.of(anchored, "words") if anchored else _EMPTY

    def _sorted(self, names: Iterable[str]) -> Sequence[str]:
        return sorted(names, key=self._order.__getitem__)


_EMPTY = AnchorIndex({}, frozenset(), frozenset(), None, ())
