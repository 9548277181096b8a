"""A feed read as the poller reads it: memory and status are kept, and what was news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from watchpost.documents.parse import Reading
from watchpost.documents.parser_process import InlineParser, Parser
from watchpost.documents.results import FeedHints
from watchpost.poll.source import SourceContext
from watchpost.poll.sources import feed
from watchpost.poll.visit import Visit, merged, record_visit
from watchpost.store.client import Store
from watchpost.store.polling import PollStore
from watchpost.store.sources import SourceStatus

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOUR_MS = 3_600_000


def document(*titles: str) -> bytes:
    items = "".join(f"<item><title>{title}</title><guid>{title}</guid></item>" for title in titles)
    return f"<rss version='2.0'><channel><title>D</title>{items}</channel></rss>".encode()


class Says(Parser):
    """A parser for which each document asks the same."""

    def __init__(self, asks: FeedHints) -> None:
        self._asks = asks

    async def _do(self, *_: object) -> object:
        return Reading(hints=self._asks)


class Reader:
    """Visits one feed as the poller does: it keeps its memory and its status, and what was news."""

    def __init__(self, url: str, asks: FeedHints | None = None, **options: object) -> None:
        given = {"url": url, "every": "10m", "allow_private": ["127.0.0.0/8"], "on_new": "all", **options}
        checked = feed.KIND.options.model_validate({key: value for key, value in given.items() if value is not None})
        parser = Says(asks) if asks is not None else InlineParser()
        self.source = feed.KIND.build("desk", checked, SourceContext(parser, "watchpost/test"))
        self.memory: dict[str, str] = {}
        self.status = SourceStatus("desk")
        self.told: list[str] = []
        self.turns: list[str] = []
        self.delay = timedelta(0)

    async def visit(self, now: datetime = NOW) -> Visit:
        visit = await self.source.visit(self.memory, now)
        record = record_visit(self.status, self.source.every, visit, now)
        self.memory = merged(self.memory, visit.memory)
        self.status = record.status
        self.told += [article.title for article in visit.articles]
        self.turns += [record.event] if record.event else []
        self.delay = record.delay
        return visit


def poll_store(store: Store, *, gap: int = 1000, lease: int = 30_000) -> PollStore:
    return PollStore(store, seen_ttl_ms=24 * HOUR_MS, queue_max=100_000, lease_ms=lease, host_gap_ms=gap)


def dated(*ages: timedelta) -> bytes:
    items = "".join(
        f"<item><title>{age}</title><guid>{age}</guid><pubDate>{NOW - age:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
        for age in ages
    )
    return f"<rss version='2.0'><channel><title>D</title>{items}</channel></rss>".encode()
