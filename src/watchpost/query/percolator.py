"""Still: which of many queries match an article: scan once, evaluate only the few that can be true.

Each query is represented by its anchors (`anchors`), all anchors of all queries lie in one automaton, and only the
queries whose anchors the article holds are evaluated. The answer is exactly that of evaluating all of them.

Automata cannot be changed. So an edited query moves to a second, small tier, which is made anew at each edit, and the
first one is no longer asked about it. `compact` brings all into one again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from watchpost.query.anchors import anchors
from watchpost.query.automaton import Automaton, Engine, automaton
from watchpost.query.evidence import Evidence
from watchpost.query.frequency import Frequency
from watchpost.query.scanned import MARKS, scanned
from watchpost.query.text import Document
from watchpost.query.tree import Query

Anchors = tuple[str, ...] | None

_FIELDS = {mark: name for name, mark in MARKS.items()}


@dataclass(frozen=True, slots=True)
class Tier:
    """Queries by their anchors. `always` are those without; `marked` the fields whose marks the anchors bear."""

    anchored: Mapping[str, Anchors]
    always: frozenset[str]
    marked: frozenset[str]
    _automaton: Automaton | None
    _names: tuple[tuple[str, ...], ...]  # of the queries, by the number of the literal

    @classmethod
    def of(cls, anchored: Mapping[str, Anchors], engine: Engine) -> Tier:
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


Compacted = tuple[Tier, Mapping[str, Query]]
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
        texts = scanned(document, self._base.marked | self._delta.marked)
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
        price = (frequency or self._frequency).price
        return Tier.of({name: anchors(query.root, price) for name, query in queries.items()}, self._engine), queries

    def adopt(self, compacted: Compacted) -> None:
        """Take a new base. Edits that were made while it was being built stay as they are."""
        base, queries = compacted
        later = {name: query for name, query in self._queries.items() if queries.get(name) is not query}
        self._base = base
        self._gone = {*later, *(name for name in queries if name not in self._queries)}
        self._change({name: self._anchors(query) for name, query in later.items()})

    def _anchors(self, query: Query) -> Anchors:
        return anchors(query.root, self._frequency.price)

    def _change(self, anchored: Mapping[str, Anchors]) -> None:
        if self._engine != "brute":
            self._delta = Tier.of(anchored, "words") if anchored else _EMPTY

    def _sorted(self, names: Iterable[str]) -> Sequence[str]:
        return sorted(names, key=self._order.__getitem__)


_EMPTY = Tier({}, frozenset(), frozenset(), None, ())
