"""A topic's query, changed and tried on the articles that the store keeps, before anybody saves it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from watchpost.config.config import Config
from watchpost.config.routes import parsed
from watchpost.errors import FormError, QueryError
from watchpost.match.trial import Effect, effects
from watchpost.model import Article, Topic
from watchpost.query.lexer import LONGEST
from watchpost.query.tree import Query
from watchpost.store.client import Store
from watchpost.store.history import RetainedArticles

MOST_TRIED = 2_000
"""The newest articles that a page tries a query on: they take a few seconds."""


def changed(config: Config, topic: Topic, query: str, exclude: str) -> Topic:
    """The topic with another query and exclude ("" for none). Raises FormError with what to write, by field."""
    wrong: dict[str, str] = {}

    def read(field: str, text: str) -> Query | None:
        try:
            return parsed(text[: LONGEST + 1], config.written)
        except QueryError as error:
            wrong[field] = str(error)
            return None

    new, without = read("query", query), read("exclude", exclude) if exclude.strip() else None
    if wrong or new is None:
        raise FormError(wrong)
    return replace(topic, query=new, exclude=without)


async def recent_articles(store: Store, most: int = MOST_TRIED) -> tuple[Article, ...]:
    """The newest articles that the store keeps, whether they matched or not. Raises StoreError."""
    found: dict[str, Article] = {}
    async for article in RetainedArticles(store).articles():
        found.setdefault(article.id, article)
        if len(found) == most:
            break
    return tuple(found.values())


async def tune(before: Topic, after: Topic, articles: Sequence[Article]) -> Effect:
    """The effect of `after` instead of `before`, computed in a thread beside the loop."""
    (found,) = await asyncio.to_thread(lambda: effects([before], [after], articles))
    return found
