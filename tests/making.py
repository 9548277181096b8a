"""Small values for tests: an article, a hit, a delivery, with only what a test cares about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from watchpost.model import Article, Delivery, Hit, Message, Severity, Snippet, derive_id
from watchpost.query.tree import Evidence

WHEN = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


def article(title: str = "Mali", **fields: Any) -> Article:
    """An article that is told apart by its title."""
    values: dict[str, Any] = {
        "id": derive_id("article", "seeds", title),
        "source": "seeds",
        "title": title,
        "body": f"{title} said so.",
        "fetched": WHEN,
    }
    return Article(**(values | fields))


def hit(title: str = "Mali", *, topic: str = "mali", severity: Severity = "normal", **fields: Any) -> Hit:
    """A hit of the article of that title."""
    about: Article = fields.pop("article", None) or article(title)
    values: dict[str, Any] = {
        "id": derive_id("hit", topic, about.id),
        "topic": topic,
        "topic_title": topic.title(),
        "severity": severity,
        "story": derive_id("story", about.id),
        "article": about.head(),
        "evidence": (Evidence("title", 0, len(about.title), about.title, about.title),),
        "snippet": Snippet(about.body, ((0, len(about.title)),)),
        "matched": WHEN,
    }
    return Hit(**(values | fields))


def digest_delivery(id_: str, receiver: str = "team") -> Delivery:
    """A delivery with a little message."""
    message = Message("", "1 story: Mali", {"text": "Mali said so. Мали так сказала."})
    return Delivery(id_, f"digest-of-{id_}", receiver, message, 1, WHEN)
