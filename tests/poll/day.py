"""A day of many feeds in the still layer, with the clock in our hand: max-age, Expires, ttl, skipHours, Retry-After.

Each site has its own arithmetic of when it may be asked again, and counts who comes too early.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from watchpost.documents.results import FeedHints
from watchpost.http_headers import retry_after_seconds
from watchpost.poll.feed_memory import FeedMemory
from watchpost.poll.visit import Visit, merged, record_visit
from watchpost.store.sources import SourceStatus

START = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)  # a Monday
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass
class Site:
    """The other side, with its own arithmetic: it knows from when on it may be asked again, and counts rudeness."""

    name: str
    chance: random.Random
    ttl: timedelta | None
    skip_hours: tuple[int, ...]
    memory: dict[str, str]
    status: SourceStatus
    every: timedelta = 10 * MINUTE
    allowed: datetime = START
    asked: int = 0
    rude: int = 0

    def asks(self) -> FeedHints:
        return FeedHints(ttl=self.ttl, skip_hours=self.skip_hours)

    def answer(self, now: datetime) -> Visit:
        """Be asked: note whether that was too early, and say something."""
        before = FeedMemory.decode(self.memory)
        self.asked += 1
        self.rude += now < self.allowed or ("skip_hours" in self.memory and now.hour in self.skip_hours)
        date = f"{now:%a, %d %b %Y %H:%M:%S} GMT"
        kind = self.chance.randrange(8)
        span = self.chance.randrange(1, 3 * 3600)
        if kind == 0:
            self.allowed = now + timedelta(seconds=span)
            seconds = retry_after_seconds(str(span), now)
            return Visit(
                "failed", reason="rate_limited", detail="HTTP 429", interval=before.interval_after_failure(seconds)
            )
        if kind == 6:  # out of order, without a word about when to come again: not before the usual time
            self.allowed = now + 0.9 * self.every
            return Visit("failed", reason="http_error", detail="HTTP 500", interval=before.interval_after_failure(None))
        headers: dict[str, str] = {"date": date}
        fresh = timedelta(0)
        if kind == 1:
            headers["cache-control"] = f"public, max-age={span}"
            fresh = timedelta(seconds=span)
        elif kind == 2:
            headers |= {"cache-control": f"max-age={span}", "age": "30"}
            fresh = timedelta(seconds=span - 30)
        elif kind == 3:
            headers["expires"] = f"{now + timedelta(seconds=span):%a, %d %b %Y %H:%M:%S} GMT"
            fresh = timedelta(seconds=span)
        elif kind == 4:
            headers["cache-control"] = "max-age=31536000"
            fresh = DAY
        self.allowed = now + max(fresh, self.ttl or timedelta(0))
        memory = before.with_answer("", "", headers, unchanged=False).with_hints(self.asks(), None)
        interval = memory.interval(headers.get("age", ""), adaptive=True)
        return Visit("read", memory=memory.changes_since(before), interval=interval)


def sites(count: int) -> list[Site]:
    """So many sites of mixed wishes, always the same."""
    chance = random.Random(20261123)
    return [
        Site(
            f"feed{n}",
            random.Random(n),
            ttl=chance.choice([None, 30 * MINUTE, HOUR]),
            skip_hours=tuple(sorted(chance.sample(range(24), chance.choice([0, 0, 3])))),
            memory={},
            status=SourceStatus(f"feed{n}"),
        )
        for n in range(count)
    ]


def live(site: Site) -> None:
    """A site's day: asked when the still layer says so."""
    now = START
    while now < START + DAY:
        visit = site.answer(now)
        record = record_visit(site.status, site.every, visit, now)
        site.memory = merged(site.memory, visit.memory)
        site.status = record.status
        assert timedelta(0) < record.delay < 2 * DAY, "no wish freezes a feed"
        now += record.delay
