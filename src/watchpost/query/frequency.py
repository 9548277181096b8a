"""Still: how many of the articles seen lately hold a word: what an anchor costs.

An anchor is looked for in every article, and each article that holds it costs an evaluation. So the best anchor of a
query is the one that stands in the fewest articles, and only real articles can say which that is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping

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

    def price(self, literal: str) -> float:
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
