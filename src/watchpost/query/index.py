"""Still: where the words of one text stand. Positions count words from 0; offsets are those of the original."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set

from watchpost.query.entities import Reading
from watchpost.query.words import Places, Step, fold, folded_pieces, is_unspaced, spelling, touches

LONGEST_SEARCHED = 200_000
"""The characters of a text that a regular expression gets to see, counted from its beginning."""

MOST_PLACES = 1_000
"""The places that are told of one clause in one text, counted from its beginning."""

_FEW = 64  # words to look up in a text before all are noted
_HYPHENS = "-\u00ad\u2010"
_LINE_END = re.compile("([^\\W\\d_])[-\u00ad\u2010]\r?\n[ \t]*(?=([^\\W\\d_]))")
_PARAGRAPH_END = re.compile("\n[ \t\r]*\n|\u2029")


class Index:
    """The words of one text.

    A word that a hyphen at the end of a line broke in two ("merce-\\nnaries") stands in the index three times: as
    its halves, which may be words by themselves ("anti-\\nWagner"), and as the whole.
    """

    __slots__ = (
        "_broken",
        "_folded",
        "_last",
        "_looked_up",
        "_paragraphs",
        "_pieces",
        "_positions",
        "_reading",
        "_sorted",
        "_spans",
        "_vocabulary",
        "joined",
    )

    def __init__(self, text: str) -> None:
        self._reading = Reading(text)
        self._pieces = folded_pieces(self._reading.text)
        self.joined = " ".join(filter(None, self._pieces))
        self._folded: list[str] | None = None
        self._spans: Places | None = None
        self._last: dict[str, int] | None = None  # where each word stands last
        self._looked_up: dict[str, list[int]] = {}
        self._positions: dict[str, list[int]] | None = None
        self._sorted: list[str] | None = None
        self._paragraphs: list[int] | None = None
        self._broken = self._rejoined() if _breaks_words(text) else {}
        self._vocabulary: Set[str] | None = None

    @property
    def folded(self) -> list[str]:
        """The folded words in order; `joined` is them with spaces between."""
        if self._folded is None:
            self._folded = self.joined.split()
        return self._folded

    @property
    def rejoined(self) -> Mapping[int, str]:
        """The words that the end of a line broke, folded, by the position of their first half."""
        return self._broken

    @property
    def vocabulary(self) -> Set[str]:
        """The folded words, those included that the end of a line broke."""
        if self._vocabulary is None:
            self._vocabulary = {*self.folded, *self._broken.values()}
        return self._vocabulary

    def find(self, steps: tuple[Step, ...]) -> list[tuple[int, int]]:
        """First and last word of every place where the words are those of `steps`, which is not empty."""
        if steps[0].folded not in self.joined and not steps[0].forms and not self._broken:
            return []  # most names do not stand in most titles
        starts = self._standing(steps[0])[:MOST_PLACES]
        if self._broken:
            return [(start, last) for start in starts for last in self._ends(start, steps)]
        if len(steps) == 1 and not steps[0].exact:
            return [(start, start) for start in starts]
        length = len(steps)
        return [
            (start, start + length - 1)
            for start in starts
            if start + length <= len(self.folded)
            and all(self._is(start + distance, step) for distance, step in enumerate(steps))
        ]

    def search(self, matches: Callable[[bytes], Iterable[tuple[int, int]]]) -> list[tuple[int, int]]:
        """The words that the byte spans touch that `matches` finds in the text; those without a word are left out."""
        text = self._reading.text[:LONGEST_SEARCHED]
        encoded = text.encode(errors="replace")  # a lone surrogate becomes one "?": the offsets stay
        places = self._places().all()
        begun, ended = [start for start, _ in places], [end for _, end in places]
        found: dict[tuple[int, int], None] = {}
        bytes_seen = characters = 0
        for start_byte, end_byte in matches(encoded):
            characters += len(encoded[bytes_seen:start_byte].decode(errors="replace"))
            end = characters + len(encoded[start_byte:end_byte].decode(errors="replace"))
            bytes_seen = start_byte
            first, last = bisect_right(ended, characters), bisect_left(begun, end) - 1
            if first <= last:
                found[first, last] = None
        return list(found)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """The offsets in the original text from the start of word `first` to the end of word `last`."""
        found = self._places()
        return self._reading.original(found[first][0], found[last][1])

    def paragraph(self, position: int) -> int:
        """The number, from 0, of the paragraph that the word stands in. An empty line ends a paragraph."""
        if self._paragraphs is None:
            self._paragraphs = [match.end() for match in _PARAGRAPH_END.finditer(self._reading.text)]
        return bisect_right(self._paragraphs, self._places()[position][0])

    def neighbours(self, first: int, last: int) -> tuple[str, str]:
        """The folded words that touch the place on either side, nothing visible between; "" where none does."""
        found, text = self._places(), self._reading.text
        before = first > 0 and touches(text, found[first - 1][1], found[first][0])
        after = last + 1 < len(found) and touches(text, found[last][1], found[last + 1][0])
        return self.folded[first - 1] if before else "", self.folded[last + 1] if after else ""

    def spelt(self, first: int, last: int) -> str:
        """How a place is spelt, from its first to its last word, in one line."""
        found = self._places()
        return " ".join(self._reading.text[found[first][0] : found[last][1]].split())

    def _places(self) -> Places:
        """Start and end of each word in the text as it is read."""
        if self._spans is None:
            self._spans = Places(self._reading.text, self._pieces)
        return self._spans

    def _standing(self, step: Step) -> Sequence[int]:
        """The positions where the step's word begins, ascending."""
        if not step.prefix and not step.forms:
            return self._at(step.folded)
        words = self._beginning(step.folded) if step.prefix else {step.folded, *step.forms}
        return sorted({position for word in words for position in self._at(word)})

    def _beginning(self, prefix: str) -> Iterator[str]:
        """The words that begin so."""
        if self._sorted is None:
            self._sorted = sorted(self.vocabulary)
        for place in range(bisect_left(self._sorted, prefix), len(self._sorted)):
            if not self._sorted[place].startswith(prefix):
                break
            yield self._sorted[place]

    def _at(self, word: str) -> Sequence[int]:
        """The positions where a word begins, ascending."""
        if self._positions is not None:
            return self._positions.get(word, ())
        if self._broken or len(self._looked_up) == _FEW:
            self._positions = self._all_positions()
            return self._positions.get(word, ())
        found = self._looked_up.get(word)
        if found is None:  # for a few names that stand in few places this is quicker than to note all words
            if self._last is None:
                self._last = dict(zip(self.folded, range(len(self.folded)), strict=True))
            found, at, last = [], -1, self._last.get(word, -1)
            while at < last:
                at = self.folded.index(word, at + 1)
                found.append(at)
            self._looked_up[word] = found
        return found

    def _all_positions(self) -> dict[str, list[int]]:
        positions: defaultdict[str, list[int]] = defaultdict(list)
        for position, folded in enumerate(self.folded):
            positions[folded].append(position)
        for position, folded in self._broken.items():
            positions[folded] = sorted([*positions.get(folded, ()), position])
        return dict(positions)

    def _ends(self, start: int, steps: tuple[Step, ...]) -> list[int]:
        """The last words of the places that begin at `start`, where a word may be one or two positions long."""
        reached = {start}
        for step in steps:
            after: set[int] = set()
            for position in reached:
                if position < len(self.folded) and self._is(position, step):
                    after.add(position + 1)
                if position in self._broken and self._is_broken(position, step):
                    after.add(position + 2)
            reached = after
        return sorted(position - 1 for position in reached)

    def _is(self, position: int, step: Step) -> bool:
        if not _fits(self.folded[position], step):
            return False
        if not step.touching and not step.exact:
            return True
        text, found = self._reading.text, self._places()
        start, end = found[position]
        if step.exact and spelling(text[start:end]) != step.exact:
            return False
        return not step.touching or (position > 0 and touches(text, found[position - 1][1], start))

    def _is_broken(self, position: int, step: Step) -> bool:
        return _fits(self._broken[position], step) and step.exact in ("", spelling(self._halves(position)))

    def _halves(self, position: int) -> str:
        text, found = self._reading.text, self._places()
        (start, end), (start_after, end_after) = found[position], found[position + 1]
        return text[start:end] + text[start_after:end_after]

    def _rejoined(self) -> dict[int, str]:
        """The words that the end of a line broke, folded, by the position of their first half."""
        joined: dict[int, str] = {}
        for match in _LINE_END.finditer(self._reading.text):
            before, after = match[1], match[2]
            if (before.islower() and after.isupper()) or is_unspaced(before) or is_unspaced(after):
                continue  # Franco-\nMalian is two words anyway
            found = self._places()
            second = bisect_left(found, (match.end(), 0))
            if 0 < second < len(found) and (found[second - 1][1], found[second][0]) == (match.end(1), match.end()):
                joined[second - 1] = fold(self._halves(second - 1))
        return joined


def _breaks_words(text: str) -> bool:
    """Whether a line ends with a hyphen."""
    end = text.find("\n")
    while end > 0:
        if text[end - 1] in _HYPHENS or (text[end - 1] == "\r" and end > 1 and text[end - 2] in _HYPHENS):
            return True
        end = text.find("\n", end + 1)
    return False


def _fits(word: str, step: Step) -> bool:
    if step.prefix:
        return word.startswith(step.folded)
    return word == step.folded or word in step.forms
