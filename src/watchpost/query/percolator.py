"""Pure: which of many queries match an article: scan once, evaluate only the few that can be true.

Each query is represented by its anchors (`anchors`), all anchors of all queries lie in one automaton, and only the
queries whose anchors the article holds are evaluated. The answer is exactly that of evaluating all of them.

Automata cannot be changed. So an edited query moves to a second, small tier, which is made anew at each edit, and the
first one is no longer asked about it. `compact` brings all into one again.
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
from watchpost.query.operators import AtLeast, Proximity, Score, Unless, Weighted, weight
from watchpost.query.terms import Leaf
from watchpost.query.tree import And, Evidence, Field, Named, Node, Or, Query
from watchpost.query.words import WordPattern, is_unspaced

# an article as an automaton reads it: folded words with single spaces between them.
#
# So the word `mali` is the literal " mali ", the beginning `malien*` is " malien", and a phrase is found only where its
# words stand one after the other in one field. The words of a field that has to be named (`author:`, `lang:`, …) carry
# its mark; those of the title stand there twice, once without a mark.


MARKS = {"title": "\x01", "author": "\x02", "source": "\x03", "lang": "\x04", "url": "\x05"}
"""What stands before the words of a field; folded words never hold such characters."""

LONGEST_LITERAL = 8
"""The words that a literal may have."""

PIECE_WORDS, PIECE_LETTERS = 20_000, 120_000
"""The words that are scanned at once, and how many letters are taken for so many.

Longer texts are cut into pieces that overlap by the longest literal.
"""

_FIELD_END = " \n "  # no literal reaches over it


def scanned_texts(document: Document, marked: Collection[str]) -> list[str]:
    """The texts to scan; every literal that stands in the document stands in one of them.

    `marked` are the fields whose marked words are wanted.
    """
    texts = [text for name in SEARCHED for text in _readings(document.index(name))]
    for name in marked:
        mark = MARKS[name]
        texts += [mark + text.replace(" ", " " + mark) for text in _readings(document.index(name))]
    if sum(map(len, texts)) <= PIECE_LETTERS:
        return [f" {_FIELD_END.join(texts)} "]
    return [f" {piece} " for text in texts for piece in _pieces(text)]


def vocabulary(document: Document) -> set[str]:
    """The words of an article as they are scanned, those of all marked fields included, each once."""
    return {word for text in scanned_texts(document, MARKS) for word in text.split()}


def literal(words: Sequence[str], field: str = "", *, prefix: bool = False) -> str:
    """What stands in the scanned text where these folded words do; with `prefix` the last one may go on."""
    mark = MARKS.get(field, "")
    return f" {' '.join(mark + word for word in words)}{'' if prefix else ' '}"


def _readings(index: Index) -> Iterator[str]:
    """The words of one field, and the neighbourhood of each word that the end of a line broke, read as a whole.

    Every two words that may follow one another do so in one of them; longer sequences only where nothing is broken.
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


# what an article must hold for a query to be worth asking.
#
# A query's anchors are literals of the scanned text (`scanned`) of which at least one stands in every article that
# the query matches. Of several such sets the cheapest is taken. Matching with anchors finds exactly what matching
# without them finds, only sooner: a node that says nothing about itself has none, and its query is always asked.


Cost = Callable[[str], float]
"""What it costs to look for a literal: about the share of articles that hold it."""

MOST_FORMS = 12
"""How many literals may stand for one pair of words in all their forms."""


class AnchorSet(NamedTuple):
    """Literals of which one must occur, and what they cost together."""

    cost: float
    literals: frozenset[str]


def anchors(node: Node, cost: Cost) -> tuple[str, ...] | None:
    """Literals of which at least one stands in every article that `node` is true of; None if none are known."""
    found = _choice(node, cost, "")
    return None if found is None else tuple(sorted(found.literals))


def _choice(node: Node, cost: Cost, scope: str) -> AnchorSet | None:
    match node:
        case Leaf():
            return _cheapest(_of_steps(node.patterns, cost, scope))
        case And(parts=parts):
            return _cheapest(_choice(part, cost, scope) for part in parts)
        case Or(parts=parts):
            return _together(_choice(part, cost, scope) for part in parts)
        case Field(name=name, part=part):
            return _choice(part, cost, name)
        case Proximity():
            return _cheapest(_choice(side, cost, scope) for side in node.children)
        case Named(part=part) | Unless(part=part) | AtLeast(part=part) | Weighted(part=part):
            return _choice(part, cost, scope)
        case Score():
            return _of_score(node, cost, scope)
    return None


def _cheapest(choices: Iterable[AnchorSet | None]) -> AnchorSet | None:
    return min((choice for choice in choices if choice is not None), key=lambda choice: choice.cost, default=None)


def _together(choices: Iterable[AnchorSet | None]) -> AnchorSet | None:
    total = 0.0
    literals: set[str] = set()
    for choice in choices:
        if choice is None:
            return None
        total += choice.cost
        literals |= choice.literals
    return AnchorSet(total, frozenset(literals))


def _of_score(node: Score, cost: Cost, scope: str) -> AnchorSet | None:
    """The parts without which the threshold is out of reach: the dearest that can be spared are left out."""
    known = [(_choice(part, cost, scope), weight(part)) for part in node.parts]
    spare = node.threshold
    needed = []
    for choice, weighs in sorted(known, key=lambda pair: -(float("inf") if pair[0] is None else pair[0].cost)):
        if weighs < spare:
            spare -= weighs
        else:
            needed.append(choice)
    return _together(needed) if needed else None


def _of_steps(patterns: Sequence[WordPattern], cost: Cost, scope: str) -> Iterator[AnchorSet]:
    """The ways to anchor words that stand one after the other: by one of them, by two, by a run of characters.

    No more than two words of scripts with spaces: a word that was broken by the end of a line may be one of them.
    """
    for pattern in patterns:
        yield _costed(_literals((pattern,), scope), cost)
    for pair in pairwise(patterns):
        if not pair[0].prefix and len(_forms(pair[0])) * len(_forms(pair[1])) <= MOST_FORMS:
            yield _costed(_literals(pair, scope), cost)
    for run in _unspaced_runs(patterns):
        yield _costed(_literals(run, scope), cost)


def _unspaced_runs(patterns: Sequence[WordPattern]) -> Iterator[Sequence[WordPattern]]:
    """The longest runs of characters in scripts without spaces, at most as long as literals may be."""
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


# how many of the articles seen lately hold a word: what an anchor costs.
#
# An anchor is looked for in every article, and each article that holds it costs an evaluation. So the best anchor of a
# query is the one that stands in the fewest articles, and only real articles can say which that is.


WINDOW = 20_000
"""After this many articles every count is halved: what is past fades."""

MOST_WORDS = 200_000
"""The words that are counted; when there are more, the rarest are forgotten."""

_TOGETHER = 0.25
"""The share of the articles with its rarest word that hold a phrase. A guess; only comparisons depend on it."""


class Frequency:
    """In how many of the articles of a rolling sample each word stands.

    Words are those of `scanned.vocabulary`: folded, with the mark of their field.
    """

    def __init__(self, articles: int = 0, counts: Mapping[str, int] | None = None) -> None:
        self.articles = articles
        self._counts: Counter[str] = Counter(counts or {})
        self._sorted: list[str] | None = None

    def add(self, words: Iterable[str]) -> None:
        """One more article, by its words, each given once."""
        self._sorted = None
        self.articles += 1
        self._counts.update(words)
        if self.articles >= WINDOW:
            self._halve()
        while len(self._counts) > MOST_WORDS:
            least = min(self._counts.values())
            self._counts = Counter({word: count for word, count in self._counts.items() if count > least})

    def cost(self, literal: str) -> float:
        """About the share of articles that hold a literal (`scanned.literal`). Always more than 0.

        Of two that were never seen the longer one is cheaper; without any sample that alone decides.
        """
        words = literal.split(" ")[1:]
        prefix = words[-1] != ""
        counts = [self._beginning(words.pop())] if prefix else []
        counts += [self._counts[word] for word in words if word]
        seen = min(counts) * (_TOGETHER if len(counts) > 1 else 1)
        unseen = 1 / (2 + len(literal.encode()))
        return (seen + unseen) / max(1, self.articles)

    def copy(self) -> Frequency:
        """The same sample, to be asked in another thread while articles are added to this one."""
        return Frequency(self.articles, self._counts)

    def to_dict(self) -> dict[str, object]:
        """The sample as plain values for `from_dict`."""
        return {"articles": self.articles, "counts": dict(self._counts)}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Frequency:
        """The sample that `to_dict` gave. Raises ValueError if it is none."""
        articles, counts = values.get("articles"), values.get("counts")
        if not isinstance(articles, int) or articles < 0 or not isinstance(counts, Mapping):
            raise ValueError("not a frequency sample")
        if not all(isinstance(word, str) and isinstance(count, int) and count > 0 for word, count in counts.items()):
            raise ValueError("a frequency sample with counts that are none")
        return cls(articles, counts)

    def _halve(self) -> None:
        self.articles //= 2
        self._counts = Counter({word: count // 2 for word, count in self._counts.items() if count > 1})

    def _beginning(self, prefix: str) -> int:
        """At most so many articles hold a word that begins so."""
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
    """Queries by their anchors. `always` are those without; `marked` the fields whose marks the anchors bear."""

    anchored: Mapping[str, Anchors]
    always: frozenset[str]
    marked: frozenset[str]
    _automaton: Automaton | None
    _names: tuple[tuple[str, ...], ...]  # of the queries, by the number of the literal

    @classmethod
    def of(cls, anchored: Mapping[str, Anchors], engine: Engine) -> AnchorIndex:
        """The tier of these queries' anchors."""
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
        """The names of the queries that scanned texts may match."""
        found = set(self.always)
        if self._automaton is not None:
            for text in texts:
                for number in self._automaton.numbers(text):
                    found.update(self._names[number])
        return found


Compacted = tuple[AnchorIndex, Mapping[str, Query]]
"""A base, and the queries that are in it."""


class Percolator:
    """Many queries, each with a name, ready to be put to one document after the other.

    Not for several threads at once, except that `compacted` may run in another one.
    """

    def __init__(
        self,
        queries: Mapping[str, Query],
        frequency: Frequency | None,
        engine: Engine | Literal["brute"],
    ) -> None:
        self._queries = dict(queries)
        self._order = {name: number for number, name in enumerate(queries)}
        self._next = len(queries)
        self._frequency = frequency or Frequency()
        self._engine = engine
        self._gone: set[str] = set()  # from the base, since it was made
        self._delta = _EMPTY
        self._base = _EMPTY
        self.compact()

    @classmethod
    def build(
        cls,
        queries: Mapping[str, Query],
        frequency: Frequency | None = None,
        engine: Engine | Literal["brute"] = "auto",
    ) -> Percolator:
        """A percolator of these queries.

        `frequency` tells which words are rare; without it the longest are taken for that. `engine` "brute" asks
        every query about every document. Raises ImportError if the engine is named and not installed.
        """
        return cls(queries, frequency, engine)

    def candidates(self, document: Document) -> tuple[str, ...]:
        """The names of the queries that may match, in the order of the queries; the others do not."""
        if self._engine == "brute":
            return tuple(self._sorted(self._queries))
        texts = scanned_texts(document, self._base.marked | self._delta.marked)
        found = self._base.candidates(texts)
        if self._gone or self._delta.anchored:
            found -= self._gone
            found |= self._delta.candidates(texts)
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
        """From now on `name` is this query. A new name comes after all others."""
        self._queries[name] = query
        if name not in self._order:
            self._order[name] = self._next
            self._next += 1
        self._gone.add(name)
        self._change({**self._delta.anchored, name: self._anchors(query)})

    def remove(self, name: str) -> None:
        """Forget a query. Raises KeyError if there is none of that name."""
        del self._queries[name]
        del self._order[name]
        self._gone.add(name)
        self._change({each: found for each, found in self._delta.anchored.items() if each != name})

    @property
    def edited(self) -> int:
        """How many queries were replaced or removed since the last `compact`: what it would be good for."""
        return len(self._gone)

    def compact(self) -> None:
        """Make one tier of all queries, with anchors by today's frequencies. Takes seconds for 100,000 queries."""
        self.adopt(self.compacted())

    def compacted(self, frequency: Frequency | None = None) -> Compacted:
        """What `adopt` takes: a new base with anchors by `frequency`. May run in a thread of its own.

        That thread needs a `frequency` of its own, too: a copy of the one that articles are being added to.
        """
        queries = dict(self._queries)
        if self._engine == "brute":
            return _EMPTY, queries
        cost = (frequency or self._frequency).cost
        return AnchorIndex.of(
            {name: anchors(query.root, cost) for name, query in queries.items()}, self._engine
        ), queries

    def adopt(self, compacted: Compacted) -> None:
        """Take a new base. Edits that were made while it was being built stay as they are."""
        base, queries = compacted
        later = {name: query for name, query in self._queries.items() if queries.get(name) is not query}
        self._base = base
        self._gone = {*later, *(name for name in queries if name not in self._queries)}
        self._change({name: self._anchors(query) for name, query in later.items()})

    def _anchors(self, query: Query) -> Anchors:
        return anchors(query.root, self._frequency.cost)

    def _change(self, anchored: Mapping[str, Anchors]) -> None:
        if self._engine != "brute":
            self._delta = AnchorIndex.of(anchored, "words") if anchored else _EMPTY

    def _sorted(self, names: Iterable[str]) -> Sequence[str]:
        return sorted(names, key=self._order.__getitem__)


_EMPTY = AnchorIndex({}, frozenset(), frozenset(), None, ())
