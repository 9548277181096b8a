"""Pure: searches a text for many literals in one pass.

Three engines find the same: Vectorscan (`hyperscan`), by far the fastest; Aho-Corasick (`ahocorasick_rs`), where that
does not run; and a plain dictionary of words, which is built at once and so holds the queries that were just edited.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Literal, Protocol

Engine = Literal["auto", "hyperscan", "ahocorasick", "words"]
"""What searches; `auto` is the first of the others that is installed and runs on this machine."""

_DFA_LITERALS = 20_000  # above this an Aho-Corasick DFA takes more memory than its speed is worth


class Automaton(Protocol):
    """Literals, each with its number in the sequence from which the automaton was built."""

    def numbers(self, text: str) -> Iterable[int]:
        """The numbers of the literals that occur in `text`, a scanned text; some may come more than once."""


class Hyperscan:
    """Vectorscan in block mode, for literals only. One scan at a time, because it has one scratch space."""

    def __init__(self, literals: Sequence[str]) -> None:
        hyperscan = importlib.import_module("hyperscan")  # slow to load, and not available on every machine
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        try:
            self._database.compile(
                expressions=[each.encode() for each in literals],
                ids=list(range(len(literals))),
                elements=len(literals),
                flags=hyperscan.HS_FLAG_SINGLEMATCH,
                literal=True,
            )
        except hyperscan.ArchitectureError as error:
            raise ImportError("hyperscan does not run on this processor") from error

    def numbers(self, text: str) -> Iterable[int]:
        """See Automaton."""
        numbers: list[int] = []
        add = numbers.append
        self._database.scan(text.encode(), match_event_handler=lambda number, *_: add(number))
        return numbers


class AhoCorasick:
    """The automaton of Aho and Corasick, in Rust, on UTF-8."""

    def __init__(self, literals: Sequence[str]) -> None:
        library = importlib.import_module("ahocorasick_rs")
        kinds = library.Implementation
        self._automaton = library.BytesAhoCorasick(
            [each.encode() for each in literals],
            implementation=kinds.DFA if len(literals) <= _DFA_LITERALS else kinds.ContiguousNFA,
        )

    def numbers(self, text: str) -> Iterable[int]:
        """See Automaton."""
        return {number for number, _, _ in self._automaton.find_matches_as_indexes(text.encode(), overlapping=True)}


class Words:
    """A dictionary of one word of each literal; whether the whole literal occurs is checked afterwards."""

    def __init__(self, literals: Sequence[str]) -> None:
        self._literals = literals
        self._whole: dict[str, list[int]] = {}
        self._beginnings: dict[int, dict[str, list[int]]] = {}  # by length
        for number, each in enumerate(literals):
            whole = [word for word in each[: each.rindex(" ")].split(" ") if word]
            if whole:
                self._whole.setdefault(max(whole, key=len), []).append(number)
            else:
                self._beginnings.setdefault(len(each) - 1, {}).setdefault(each[1:], []).append(number)

    def numbers(self, text: str) -> Iterable[int]:
        """See Automaton."""
        words = set(text.split(" "))
        found = [number for word in self._whole.keys() & words for number in self._whole[word]]
        for length, beginnings in self._beginnings.items():
            begun = {word[:length] for word in words}
            found += [number for word in beginnings.keys() & begun for number in beginnings[word]]
        return [number for number in found if self._literals[number] in text]


_BUILDERS: dict[str, Callable[[Sequence[str]], Automaton]] = {
    "hyperscan": Hyperscan,
    "ahocorasick": AhoCorasick,
    "words": Words,
}


def automaton(engine: Engine, literals: Sequence[str]) -> Automaton:
    """An automaton for one or more literals. Raises ImportError if `engine` is not installed."""
    if engine != "auto":
        return _BUILDERS[engine](literals)
    for build in (Hyperscan, AhoCorasick):
        with suppress(ImportError):
            return build(literals)
    return Words(literals)
