"""Pure: matches an article with topics: hits, each with the words that made it match."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Literal

from watchpost.match.event_country import placed
from watchpost.match.signatures import figures_of, signature, story_of, text_of
from watchpost.model import Article, Hit, Signature, Snippet, Topic, derive_id
from watchpost.query.automaton import Engine
from watchpost.query.document import Document
from watchpost.query.language import fits, tag_of
from watchpost.query.operators import Unless
from watchpost.query.percolator import Compacted, Frequency, Percolator, vocabulary
from watchpost.query.terms import Leaf
from watchpost.query.tree import Evidence, Field, Node, Not, Or

LENGTH = 240  # characters of a snippet: one to three lines in every format

MOST_EVIDENCE = 100
"""Places that a hit keeps: more than any reader looks at, and a bound for what each hit costs in the store."""

# The first character is one of few, so that a search is fast; what may follow it depends on which one it is.
_SENTENCE_END = re.compile(
    r"[.!?…。！？؟\n](?:(?<=\n)\n*+|(?<!\n)(?<!\d.)[.!?…。！？؟]{0,7}+[\"'”’»)\]]{0,8}+\s+|(?<=[。！？]))"
)
_NEAREST = 8  # beginnings of sentences before one place that are compared
_MOST_SPANS = 2_000  # the first places that are compared
_SPACE = re.compile(r"\s+")
_PREFERENCE = ("body", "summary", "title")


def snippet(article: Article, evidence: Sequence[Evidence]) -> Snippet:
    """At most LENGTH characters around the densest evidence, cut at sentences or words, with highlights.

    The body is preferred to the summary, and that to the title. Without evidence in any of them: the beginning.
    """
    texts = {"body": article.body, "summary": article.summary, "title": article.title}
    for field in _PREFERENCE:
        spans = _merged((item.start, item.end) for item in evidence if item.field == field)
        if spans:
            return _cut(texts[field], spans[:_MOST_SPANS])
    first = next((texts[field] for field in _PREFERENCE if texts[field]), "")
    return _cut(first, [])


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping spans as one, in order: "Operation Barkhane" and "Barkhane" are one highlight."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _cut(text: str, spans: list[tuple[int, int]]) -> Snippet:
    start, end = _window(text, spans)
    inside = [(a, b) for a, b in spans if a >= start and b <= end]
    return _tidy(text[start:end], [(a - start, b - start) for a, b in inside], start > 0, end < len(text))


def _window(text: str, spans: list[tuple[int, int]]) -> tuple[int, int]:
    """The stretch of at most LENGTH characters with most evidence, begun at a sentence if any holds evidence."""
    if not spans:
        return 0, _word_end(text, min(len(text), LENGTH))
    sentences = _sentences(text)
    firsts, lasts = [start for start, _ in spans], [end for _, end in spans]
    # A sentence may begin the snippet if its first evidence is in the first half.
    fit = {at for start, end in spans for at in _just_before(sentences, start, end - LENGTH // 2)}
    begins = fit or {_word_start(text, max(0, start - LENGTH // 3)) for start, _ in spans}

    def held(at: int) -> tuple[int, int]:
        """The numbers of the first evidence in a snippet that begins here, and of the first after it."""
        return bisect_left(firsts, at), bisect_right(lasts, at + LENGTH)

    def worth(at: int) -> tuple[int, int, int]:
        """Most evidence; then the earliest evidence; then the least text before it."""
        first, after = held(at)
        return max(0, after - first), -firsts[first] if after > first else 0, at

    start = max(begins, key=worth)
    first, after = held(start)
    last_end = lasts[after - 1] if after > first else start + LENGTH
    stop = min(len(text), start + LENGTH)
    end = sentences[bisect_right(sentences, stop) - 1]
    if end >= max(last_end, start + LENGTH // 2):  # whole sentences read better, unless half of the space stays empty
        return start, end
    return start, max(_word_end(text, stop), min(last_end, len(text)))


@lru_cache(2)  # of one article's texts; there is a snippet for each of its hits
def _sentences(text: str) -> list[int]:
    """Where sentences begin, in order."""
    return [0, *(match.end() for match in _SENTENCE_END.finditer(text))]


def _just_before(sentences: list[int], start: int, least: int) -> list[int]:
    """The last few beginnings of sentences that are not after `start`, nor before `least`."""
    after = bisect_right(sentences, start)
    return sentences[max(bisect_left(sentences, least), after - _NEAREST) : after]


def _word_start(text: str, at: int) -> int:
    space = text.find(" ", at, at + 30) if at else -1
    return space + 1 if space >= 0 else at


def _word_end(text: str, at: int) -> int:
    if at >= len(text):
        return len(text)
    space = text.rfind(" ", at - 30, at)
    return space if space > 0 else at


def _tidy(text: str, spans: list[tuple[int, int]], before: bool, after: bool) -> Snippet:
    """White space becomes single spaces, and an ellipsis marks each cut; the highlights move with the text."""
    out: list[str] = ["…"] if before else []
    length = len(out)
    moved: list[int] = []  # the new offset of each character
    last_space = True
    for character in text:
        moved.append(length)
        space = bool(_SPACE.match(character))
        if not (space and last_space):
            out.append(" " if space else character)
            length += 1
        last_space = space
    moved.append(length)
    joined = "".join(out)
    kept = joined.rstrip()
    highlights = tuple((moved[a], min(moved[b], len(kept))) for a, b in spans if moved[a] < len(kept))
    return Snippet(kept + ("…" if after and not kept.endswith((".", "!", "?", "。")) else ""), highlights)


SAMPLED = 8
"""One of so many articles goes into the sample of words."""

SMALLEST_SAMPLE = 250
"""The articles that are needed to say which words are rare."""

MOST_EDITS = 50
"""If more topics change at once, all are compiled again."""


def document(article: Article) -> Document:
    """The fields that queries search."""
    return Document.of(
        {
            "title": article.title,
            "summary": article.summary,
            "body": article.body,
            "author": article.author,
            "source": f"{article.outlet} {article.source}".strip(),
            "lang": article.lang,
            "url": article.url,
        }
    )


def in_its_language(article: Article, text: Document) -> Article:
    """The article with the language that its text is in, as far as that is clear. `text` is its `document`."""
    return replace(article, lang=tag_of(article.lang, text.languages))


Found = tuple[tuple[Hit, ...], Signature | None]
"""The hits of an article, and its signature if there are any."""


class Topics:
    """The topics of a configuration, compiled for matching one article after the other.

    The words of a query that are searched first are those that are rare in a sample of the incoming articles;
    `refinement` chooses them again when the sample has grown.
    """

    def __init__(self, topics: Sequence[Topic], engine: Engine | Literal["brute"] = "auto") -> None:
        self._engine = engine
        self._topics: dict[str, Topic] = {}
        self._ranks: dict[str, int] = {}
        self._frequency = Frequency()
        self._percolator = Percolator({}, self._frequency, engine)
        self._read = 0
        self._chosen_by = 0  # the size of the sample by which the words were last chosen
        self.update(topics)

    def update(self, topics: Sequence[Topic]) -> None:
        """Replace the topics. Only changed queries are compiled again."""
        before, self._topics = self._topics, {topic.name: topic for topic in topics}
        self._ranks = {name: rank for rank, name in enumerate(self._topics)}
        gone = [name for name in before if name not in self._topics]
        changed = [
            topic for topic in topics if topic.name not in before or before[topic.name].query.root != topic.query.root
        ]
        if not before or len(gone) + len(changed) > MOST_EDITS:
            queries = {topic.name: topic.query for topic in topics}
            self._percolator = Percolator(queries, self._frequency, self._engine)
            return
        for name in gone:
            self._percolator.remove(name)
        for topic in changed:
            self._percolator.replace(topic.name, topic.query)

    def match(self, article: Article, now: datetime, text: Document | None = None) -> tuple[Hit, ...]:
        """The article's hits, in the order of the topics. `text` is its `document`, if there is one already.

        `now` becomes the hits' `matched`. Their `story` is the one that the article would open; the store replaces it.
        """
        return self._match(article, document(article) if text is None else text, now)

    def signed(self, article: Article, now: datetime) -> Found:
        """The article's hits, as `match`, and its signature if there are any."""
        text = document(article)
        hits = self._match(article, text, now)
        return hits, signature(article, text) if hits else None

    def evidence(self, text: Document) -> dict[str, tuple[Evidence, ...]]:
        """The topics that match an article, in their order, and all the places that made them match.

        A hit has more: its places, its figures, its snippet. They take four times as long.
        """
        evidence = self._percolator.match(text)
        if self._read % SAMPLED == 0:
            self._frequency.add(vocabulary(text))
        self._read += 1
        names = sorted(evidence, key=self._ranks.__getitem__)
        return {name: evidence[name] for name in names if _admits(self._topics[name], text)}

    def _match(self, article: Article, text: Document, now: datetime) -> tuple[Hit, ...]:
        evidence = self.evidence(text)
        admitted = [self._topics[name] for name in evidence]
        if not admitted:
            return ()
        story, figures = story_of(article), figures_of(article, text_of(article, text))
        head = in_its_language(article, text).head()
        places = placed(text, countries_of(evidence[topic.name] for topic in admitted))
        return tuple(
            Hit(
                id=derive_id("hit", topic.name, article.id),
                topic=topic.name,
                topic_title=topic.title,
                severity=topic.severity,
                story=story,
                article=head,
                evidence=first_places(evidence[topic.name], MOST_EVIDENCE),
                snippet=snippet(article, evidence[topic.name]),
                matched=now,
                figures=figures,
                places=places,
            )
            for topic in admitted
        )

    def refinement(self) -> Callable[[], Compacted] | None:
        """A function that chooses the words again, or None if the sample has not doubled since the last choice.

        It takes seconds for 100,000 topics and may run in a thread; pass its result to `adopt`.
        """
        seen = self._frequency.articles
        if seen < SMALLEST_SAMPLE or seen < 2 * self._chosen_by:
            return None
        self._chosen_by = seen
        sample = self._frequency.copy()
        return lambda: self._percolator.compacted(sample)

    def adopt(self, compacted: Compacted) -> None:
        """Use the words that a refinement chose. Topics that were updated meanwhile stay as they are."""
        self._percolator.adopt(compacted)


def match(article: Article, topics: Sequence[Topic], now: datetime) -> tuple[Hit, ...]:
    """The hits of a single article; for several articles compile the topics once, as `Topics`."""
    return Topics(topics, "brute").match(article, now)


def _admits(topic: Topic, text: Document) -> bool:
    """Whether the topic's languages and `exclude` admit an article that its query matches."""
    return (not topic.languages or fits(text.languages, topic.languages)) and (
        topic.exclude is None or topic.exclude.evaluate(text) is None
    )


def countries_of(found: Iterable[tuple[Evidence, ...]]) -> frozenset[str]:
    """The codes of the countries that the evidence is of."""
    kinds = ("country:", "place:")
    return frozenset(
        item.clause.removeprefix(kind)[:2].upper()
        for evidence in found
        for item in evidence
        for kind in kinds
        if item.clause.startswith(kind)
    )


def first_places(evidence: tuple[Evidence, ...], most: int) -> tuple[Evidence, ...]:
    """So many of the places, in their order: the first of each clause in each field, then the second, and so on."""
    if len(evidence) <= most:
        return evidence
    counts: Counter[tuple[str, str]] = Counter()
    turns = []
    for number, item in enumerate(evidence):
        kind = item.clause, item.field
        turns.append((counts[kind], number))
        counts[kind] += 1
    return tuple(evidence[number] for number in sorted(number for _, number in sorted(turns)[:most]))


class Plausible:
    """Whether an article may be about a topic, judged by what the feed has of it. The full text is fetched only then.

    One word of a query in title, summary, text or address is enough, because the others may be in the part that the
    feed leaves out. Words after NOT and UNLESS do not count, nor those for language, source and author, which are known
    without the page.
    """

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._topics = tuple(topics)

    def __call__(self, article: Article) -> bool:
        """Whether the article's page is worth reading."""
        if self._words is None:
            return False
        text = document(article)
        return any(self._words.find(text, scope) is not None for scope in ("", "url"))

    @cached_property
    def _words(self) -> Node | None:
        """All words of all topics as one OR, made when the first article needs it."""
        leaves = tuple(dict.fromkeys(leaf for topic in self._topics for leaf in _wanted(topic.query.root)))
        return Or(leaves) if len(leaves) > 1 else leaves[0] if leaves else None


def _wanted(node: Node) -> Iterator[Leaf]:
    """The leaves that may make the query true."""
    match node:
        case Leaf():
            yield node
        case Not():
            return
        case Unless(part=part):
            yield from _wanted(part)
        case Field(name=name, part=part):
            if name not in ("author", "source", "lang"):
                yield from _wanted(part)
        case _:
            for child in node.children:
                yield from _wanted(child)
