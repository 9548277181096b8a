"""One feed as the poller has it, with what reads its pushes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from tests.http_server import HttpServer
from tests.poll.reader import poll_store
from watchpost.documents.parser_process import InlineParser
from watchpost.poll.http.websub import Hubs
from watchpost.poll.push import PushReader
from watchpost.poll.source import SourceContext
from watchpost.poll.sources import feed
from watchpost.poll.visit import Visit, record_visit
from watchpost.store import keys
from watchpost.store.client import Store, ensure_group
from watchpost.store.sources import SourceStatus
from watchpost.store.websub import Push, PushStore

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TOPIC = "https://e.org/topic"


def rss(*titles: str) -> bytes:
    items = "".join(f"<item><title>{title}</title><guid>{title}</guid></item>" for title in titles)
    return f"<rss version='2.0'><channel><title>D</title>{items}</channel></rss>".encode()


class Desk:
    """One feed with its poller's end, and the loop that reads pushes."""

    def __init__(
        self, store: Store, server: HttpServer, seconds: float = 10, lease_ms: int = 30_000, **options: object
    ) -> None:
        given = {"url": server.url("/f"), "every": "10m", "allow_private": ["127.0.0.0/8"], "on_new": "all", **options}
        self.pushes = PushStore(store)
        self.hubs = Hubs(self.pushes, "https://watch.example.org", "watchpost/test", seconds=seconds)
        self.poll_store, self.store, self.now = poll_store(store), store, NOW
        self.stop = asyncio.Event()
        context = SourceContext(InlineParser(), "watchpost/test", poll_store=self.poll_store, hubs=self.hubs)
        self.feed = feed.KIND.build("desk", feed.KIND.options.model_validate(given), context)
        assert isinstance(self.feed, feed.Feed)

        async def tick() -> None:
            await asyncio.sleep(0.05)

        self.loop = PushReader(
            [self.feed],
            self.poll_store,
            self.pushes,
            self.pushes.claims("p1", lease_ms),
            tick=tick,
            tick_renew=tick,
            stop=self.stop,
            clock=lambda: self.now,
        )

    async def visit(self) -> tuple[Visit, timedelta, int]:
        """The visit, the time until the next one, and how much was news."""
        await self.poll_store.sync(["desk"])
        await self.poll_store.make_due(["desk"])
        (claim,) = (await self.poll_store.claim(1)).feeds
        visit = await self.feed.visit(claim.memory, self.now)
        before = SourceStatus.decode("desk", claim.status)
        record = record_visit(before, self.feed.every, visit, self.now)
        done = await self.poll_store.commit(
            claim,
            visit.articles,
            memory=visit.memory,
            status=record.status.changes_since(before),
            delay_ms=int(record.delay.total_seconds() * 1000),
            stamp="then",
        )
        return visit, record.delay, done.new

    async def push(self, *pushes: Push) -> None:
        """These come in, and are dealt with."""
        await ensure_group(self.store.redis, self.store.keys.pushed, keys.POLL)
        for push in pushes:
            assert await self.pushes.append(push)
        running = asyncio.create_task(self.loop.run())
        async with asyncio.timeout(20):
            while await self.store.redis.xlen(self.store.keys.pushed):
                await asyncio.sleep(0.02)
        self.stop.set()
        await running
        self.stop.clear()

    async def memory(self) -> dict[str, str]:
        return dict((await self.poll_store.unshared("desk")).memory)
