"""The notifier's pipeline for one group on a real store, and what its receiver is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from tests.fakes import RecordingReceiver
from tests.making import article, hit
from tests.store.ends import HOUR_MS, queued
from watchpost.model import Group, Hit, Publisher
from watchpost.notify.composer import Composer, HoldingRules
from watchpost.notify.digest_builder import Installation
from watchpost.notify.digest_dispatcher import Dispatcher
from watchpost.schedules import Daily, Immediate
from watchpost.store.client import Store
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.ledger import Ledger, gaps
from watchpost.store.matching import Match, MatchStore, RoutedHit
from watchpost.store.overview import Overview
from watchpost.store.silences import Silences
from watchpost.store.windows import GroupState

MINUTES = timedelta(minutes=1)
ALERTS = Immediate(timedelta(0))
ALWAYS = Daily(tuple(time(hour, minute) for hour in range(24) for minute in range(0, 60, 5)), tuple(range(7)), "UTC")


class LaterStore(DeliveryStore):
    """A store whose clock is ahead by as much as a test says."""

    ahead = timedelta(0)

    async def now(self) -> datetime:
        return await super().now() + self.ahead

    async def look(self, groups: Sequence[str]) -> tuple[datetime, dict[str, GroupState]]:
        now, states = await super().look(groups)
        return now + self.ahead, states


class Pipeline:
    """A composer and a dispatcher for one group, and what its receiver is sent."""

    def __init__(
        self,
        store: Store,
        schedule: Immediate | Daily = ALERTS,
        receiver: RecordingReceiver | None = None,
        publishers: Mapping[str, Publisher] | None = None,
        **holding_rules: Any,
    ) -> None:
        self.store = store
        self.group = Group("team|g", "team", schedule)
        self.deliveries = LaterStore(store, kept_ms=HOUR_MS)
        receivers = {"team": receiver or RecordingReceiver("team")}
        installation = Installation(
            install="newsdesk", seed="seed", fingerprint="plan-1", titles={"mali": "Mali"}, publishers=publishers or {}
        )
        self.composer = Composer(
            receivers,
            installation,
            HoldingRules(**holding_rules),
            sources=["rfi"],
            overview=Overview(store),
            silences=Silences(store),
        )
        self.dispatcher = Dispatcher(
            [self.group],
            receivers,
            self.deliveries,
            self.composer,
            tick=lambda: asyncio.sleep(0),
            stop=asyncio.Event(),
            clock=lambda: datetime.now(UTC),
        )

    async def park(self, *hits: Hit, per_hour: int = 0) -> None:
        """Put these hits into the group's bucket, as the matcher does."""
        await self.park_for([self.group.key], *hits, per_hour=per_hour)

    async def park_for(self, groups: Sequence[str], *hits: Hit, per_hour: int = 0) -> None:
        """Put these hits into the buckets of these groups."""
        await queued(self.store, *(one.article for one in hits))
        end = MatchStore(self.store, "m", lease_ms=60_000, hits_ttl_ms=HOUR_MS, per_hour=per_hour)
        while entries := await end.claims.take(100, block=False):
            by_id = {one.article.id: one for one in hits}
            read = [(entry, end.read(entry)) for entry in entries]
            await end.matched([Match(entry, one, (RoutedHit(by_id[one.id], tuple(groups)),)) for entry, one in read])

    async def close(self) -> list[dict[str, Any]]:
        """Close the windows that are due, and return the digests that this sends."""
        before = await self._sent()
        await self.dispatcher.close_due()
        return (await self._sent())[len(before) :]

    async def _sent(self) -> list[dict[str, Any]]:
        rows = await self.store.redis.xrange(self.store.keys.outbox("team"))
        bodies = [
            await self.store.redis.hget(self.store.keys.out(fields[b"d"].decode()), "message") for _, fields in rows
        ]
        from watchpost.store.codec import MESSAGE

        return [json.loads(MESSAGE.decode(body).renderings["json"])["data"] for body in bodies]

    async def accounted(self) -> bool:
        """Whether the sums of the ledger meet."""
        return gaps(await Ledger(self.store).audit()) == ()


def titles(digest: dict[str, Any]) -> list[str]:
    return [story["title"] for story in digest["stories"]]


def report(title: str, outlet: str, story: str = "s", severity: Any = "normal") -> Hit:
    about = article(title, id=f"{title} {outlet}", outlet=outlet)
    return hit(article=about, story=story, voice=outlet, severity=severity)
