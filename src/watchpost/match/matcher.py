"""Pure: Article × topics → hits, each with the words that made it match."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import Literal

from watchpost.match.signatures import figures, story_of
from watchpost.model import Article, Hit, Snippet, Topic, derive_id
from watchpost.query.automaton import Engine
from watchpost.query.document import Document
from watchpost.query.operators import Unless
from watchpost.query.percolator import Compacted, Frequency, Percolator, vocabulary
from watchpost.query.terms import Leaf
from watchpost.query.tree import Evidence, Field, Node, Not, Or

# the piece of an article that shows best why it matched.


LENGTH = 240  # characters; a line or three in every edition (findings on delivery, 4.2 rule 6)

_SENTENCE_END = re.compile(r"(?<!\d)[.!?…。！？؟]+[\"'”’»)\]]*\s+|\n+|[。！？]")
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
            return _cut(texts[field], spans)
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
    starts = [0, *(match.end() for match in _SENTENCE_END.finditer(text))]
    # A sentence may begin the snippet if its first evidence comes before half of the room is used up.
    fit = [at for at in starts if any(at <= start and end <= at + LENGTH // 2 for start, end in spans)]
    begins = fit or [_word_start(text, max(0, start - LENGTH // 3)) for start, _ in spans]

    def worth(at: int) -> tuple[int, int, int]:
        """Most evidence; then the earliest evidence; then the least that stands before it."""
        held = [a for a, b in spans if a >= at and b <= at + LENGTH]
        return len(held), -min(held, default=0), at

    start = max(begins, key=worth)
    last_end = max((b for a, b in spans if a >= start and b <= start + LENGTH), default=start + LENGTH)
    stop = min(len(text), start + LENGTH)
    ends = [at for at in starts if last_end <= at <= stop]
    if ends and ends[-1] - start >= LENGTH // 2:  # whole sentences are nicer, but not if half of the room stays empty
        return start, ends[-1]
    return start, max(_word_end(text, stop), min(last_end, len(text)))


def _word_start(text: str, at: int) -> int:
    space = text.find(" ", at, at + 30) if at else -1
    return space + 1 if space >= 0 else at


def _word_end(text: str, at: int) -> int:
    if at >= len(text):
        return len(text)
    space = text.rfind(" ", at - 30, at)
    return space if space > 0 else at


def _tidy(text: str, spans: list[tuple[int, int]], before: bool, after: bool) -> Snippet:
    """Runs of white space become one space, ellipses say what was cut; the highlights move along."""
    out: list[str] = ["…"] if before else []
    length = len(out)
    moved: list[int] = []  # where each character went
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
"""Of so many articles one goes into the sample of words."""

SMALLEST_SAMPLE = 250
"""The articles that say which words are rare."""

MOST_EDITS = 50
"""If more topics change at once all are compiled anew."""


def document(article: Article) -> Document:
    """The fields that queries speak of."""
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


class Topics:
    """The topics of a plan, compiled to be put to one article after the other.

    Which words of a query are looked for first is chosen by how rare they are in the articles that come in: a
    sample of them is kept, and `refinement` chooses again when it has grown.
    """

    def __init__(self, topics: Sequence[Topic], engine: Engine | Literal["brute"] = "auto") -> None:
        self._engine = engine
        self._topics: dict[str, Topic] = {}
        self._ranks: dict[str, int] = {}
        self._frequency = Frequency()
        self._percolator = Percolator({}, self._frequency, engine)
        self._read = 0
        self._chosen_by = 0  # the size of the sample that the words were last chosen by
        self.update(topics)

    def update(self, topics: Sequence[Topic]) -> None:
        """From now on these are the topics. Only the queries that changed are compiled anew."""
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

    def match(self, article: Article, now: datetime) -> tuple[Hit, ...]:
        """The article's hits, in the order of the topics.

        `now` becomes the hits' `matched`. Their `story` is the one that the article opens; the store knows better.
        """
        text = document(article)
        found = self._percolator.match(text)
        if self._read % SAMPLED == 0:
            self._frequency.add(vocabulary(text))
        self._read += 1
        return tuple(
            _hit(article, topic, found[name], now)
            for name in sorted(found, key=self._ranks.__getitem__)
            if _admits(topic := self._topics[name], article, text)
        )

    def refinement(self) -> Callable[[], Compacted] | None:
        """If the sample has doubled since the words were chosen: what chooses them again. None if it has not.

        It takes seconds for 100,000 topics and may be called in a thread; `adopt` takes what it returns.
        """
        seen = self._frequency.articles
        if seen < SMALLEST_SAMPLE or seen < 2 * self._chosen_by:
            return None
        self._chosen_by = seen
        sample = self._frequency.copy()
        return lambda: self._percolator.compacted(sample)

    def adopt(self, compacted: Compacted) -> None:
        """Match by the words that a refinement chose. Topics that were updated meanwhile stay as they are."""
        self._percolator.adopt(compacted)


def match(article: Article, topics: Sequence[Topic], now: datetime) -> tuple[Hit, ...]:
    """The hits of one article alone; whoever has more of them compiles the topics once, see Topics."""
    return Topics(topics, "brute").match(article, now)


def _admits(topic: Topic, article: Article, text: Document) -> bool:
    """Whether an article that the query matches is not ruled out by the topic's languages or its exclude."""
    return _language_fits(topic, article.lang) and (topic.exclude is None or topic.exclude.evaluate(text) is None)


def _language_fits(topic: Topic, lang: str) -> bool:
    """`fr` fits `fr-ML`. An unknown language fits: a guess must not lose an article."""
    return not topic.languages or not lang or lang.lower().split("-")[0] in topic.languages


def _hit(article: Article, topic: Topic, evidence: tuple[Evidence, ...], now: datetime) -> Hit:
    return Hit(
        id=derive_id("hit", topic.name, article.id),
        topic=topic.name,
        topic_title=topic.title,
        severity=topic.severity,
        story=story_of(article),
        article=article.head(),
        evidence=evidence,
        snippet=snippet(article, evidence),
        matched=now,
        figures=figures(f"{article.title}\n{article.body or article.summary}"),
    )


# might an article be about a topic, as far as a headline and a summary can tell?
#
# A full text is fetched only where this says yes. One word of a query is enough, whichever it is: what else the query
# asks for may stand in the part of the text that the feed leaves out.


class Plausible:
    """Says of articles whether any word that a topic looks for stands in title, summary, text or address.

    Words after NOT and UNLESS do not count, nor what is asked of language, source and author: these are known
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
        """All the words of all topics, put together when the first article is asked about."""
        found = tuple(dict.fromkeys(leaf for topic in self._topics for leaf in _wanted(topic.query.root)))
        return Or(found) if len(found) > 1 else found[0] if found else None


def _wanted(node: Node) -> Iterator[Leaf]:
    """The leaves that speak for an article."""
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
