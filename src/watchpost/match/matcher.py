"""Still: Article × topics → hits, each with the words that made it match."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

from watchpost.match.signatures import figures, story_of
from watchpost.match.snippet import snippet
from watchpost.model import Article, Hit, Topic, derive_id
from watchpost.query.automaton import Engine
from watchpost.query.evidence import Evidence
from watchpost.query.frequency import Frequency
from watchpost.query.percolator import Compacted, Percolator
from watchpost.query.scanned import vocabulary
from watchpost.query.text import Document

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
        self._percolator = Percolator.build({}, self._frequency, engine)
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
            self._percolator = Percolator.build(queries, self._frequency, self._engine)
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
