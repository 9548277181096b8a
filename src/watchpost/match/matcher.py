"""Still: Article × topics → hits, each with the words that made it match."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from watchpost.match.snippet import snippet
from watchpost.model import Article, Hit, Topic, derive_id
from watchpost.query.automaton import Engine
from watchpost.query.evidence import Evidence
from watchpost.query.percolator import Percolator
from watchpost.query.text import Document


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
    """The topics of a plan, compiled to be put to one article after the other."""

    def __init__(self, topics: Sequence[Topic], engine: Engine | Literal["brute"] = "auto") -> None:
        self._topics = {topic.name: topic for topic in topics}
        self._percolator = Percolator.build({topic.name: topic.query for topic in topics}, engine=engine)

    def match(self, article: Article, now: datetime) -> tuple[Hit, ...]:
        """The article's hits, in the order of the topics.

        `now` becomes the hits' `matched`. Copies of one article (same canonical URL, same text) get the same story.
        """
        text = document(article)
        return tuple(
            _hit(article, topic, evidence, now)
            for name, evidence in self._percolator.match(text).items()
            if _admits(topic := self._topics[name], article, text)
        )


def match(article: Article, topics: Sequence[Topic], now: datetime) -> tuple[Hit, ...]:
    """The hits of one article alone; whoever has more of them compiles the topics once, see Topics."""
    return Topics(topics, "brute").match(article, now)


def story_of(article: Article) -> str:
    """The story's id: the canonical URL's if there is one, else the exact text's, else the article's own."""
    return derive_id("story", article.fingerprints[0] if article.fingerprints else article.id)


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
    )
