"""Still: Article × topics → hits, each with the words that made it match."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from watchpost.match.snippet import snippet
from watchpost.model import Article, Hit, Topic, derive_id
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


def match(article: Article, topics: Sequence[Topic], now: datetime) -> tuple[Hit, ...]:
    """The article's hits, in the order of `topics`.

    `now` becomes the hits' `matched`. Copies of one article (same canonical URL, same text) get the same story.
    """
    text = document(article)
    hits = []
    for topic in topics:
        if not _language_fits(topic, article.lang):
            continue
        evidence = topic.query.evaluate(text)
        if evidence is None or (topic.exclude is not None and topic.exclude.evaluate(text) is not None):
            continue
        hits.append(
            Hit(
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
        )
    return tuple(hits)


def story_of(article: Article) -> str:
    """The story's id: the canonical URL's if there is one, else the exact text's, else the article's own."""
    return derive_id("story", article.fingerprints[0] if article.fingerprints else article.id)


def _language_fits(topic: Topic, lang: str) -> bool:
    """`fr` fits `fr-ML`. An unknown language fits: a guess must not lose an article."""
    return not topic.languages or not lang or lang.lower().split("-")[0] in topic.languages
