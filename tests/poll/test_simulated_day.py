"""A day of 300 feeds in the still layer: however they ask to be left alone, nobody is asked too early."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from watchpost.poll import freshness, record
from watchpost.poll.due import Asks, Pace
from watchpost.poll.source import Visit

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
    status: dict[str, str]
    every: timedelta = 10 * MINUTE
    allowed: datetime = START
    asked: int = 0
    rude: int = 0

    def asks(self) -> Asks:
        return Asks(ttl=self.ttl, skip_hours=self.skip_hours)

    def answer(self, now: datetime) -> Visit:
        """Be asked: note whether that was too early, and say something."""
        self.asked += 1
        self.rude += now < self.allowed or ("skip_hours" in self.memory and now.hour in self.skip_hours)
        date = f"{now:%a, %d %b %Y %H:%M:%S} GMT"
        kind = self.chance.randrange(6)
        span = self.chance.randrange(1, 3 * 3600)
        if kind == 0:
            self.allowed = now + timedelta(seconds=span)
            seconds = freshness.retry_after_seconds({"retry-after": str(span)}, now)
            return Visit(
                "failed", reason="rate_limited", detail="HTTP 429", pace=freshness.after_failure(seconds, self.memory)
            )
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
        memory = freshness.remembered(headers, self.memory, unchanged=False) | freshness.remember(self.asks())
        return Visit("read", memory=memory, pace=freshness.pace(memory, headers, adaptive=True))


def test_in_a_day_nobody_is_asked_too_early_and_nobody_is_forgotten() -> None:
    chance = random.Random(20261123)
    sites = [
        Site(
            f"feed{n}",
            random.Random(n),
            ttl=chance.choice([None, 30 * MINUTE, HOUR]),
            skip_hours=tuple(sorted(chance.sample(range(24), chance.choice([0, 0, 3])))),
            memory={},
            status={},
        )
        for n in range(300)
    ]
    for site in sites:
        now = START
        while now < START + DAY:
            visit = site.answer(now)
            entry = record.entry(site.name, site.every, visit, site.status, now)
            site.memory = record.merged(site.memory, visit.memory)
            site.status = record.merged(site.status, entry.status)
            assert timedelta(0) < entry.delay < 2 * DAY, "no wish freezes a feed"
            now += entry.delay
    assert sum(site.rude for site in sites) == 0
    asked = [site.asked for site in sites]
    assert 2 * len(sites) < sum(asked) < 60 * len(sites)


def test_the_oracle_notices_who_does_not_listen() -> None:
    site = Site("rude", random.Random(1), ttl=HOUR, skip_hours=(), memory={}, status={})
    now = START
    for _ in range(50):
        visit = site.answer(now)
        deaf = Visit(visit.outcome, reason=visit.reason, pace=Pace())
        now += record.entry(site.name, site.every, deaf, {}, now).delay
    assert site.rude > 25
