"""Still: what of a feed that is read for the first time is news. The rest is known from then on, and never told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from watchpost.model import Article

OnNew = timedelta | Literal["all", "baseline"]
"""How far back the first reading looks: a time, everything, or nothing."""

UNDATED = 10
"""Feeds put what is new on top: so many entries without a date count as new."""


def split(articles: Sequence[Article], on_new: OnNew, now: datetime) -> tuple[tuple[Article, ...], tuple[Article, ...]]:
    """(news, baseline) of a first reading, both in the feed's order."""
    if on_new == "all":
        return tuple(articles), ()
    if on_new == "baseline":
        return (), tuple(articles)
    top = {article.id for article in [one for one in articles if one.published is None][:UNDATED]}
    new = {
        article.id
        for article in articles
        if (article.id in top if article.published is None else now - article.published <= on_new)
    }
    return tuple(a for a in articles if a.id in new), tuple(a for a in articles if a.id not in new)
