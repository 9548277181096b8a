"""A read-only view of everything: what the pages, `/readyz`, the metrics and a digest's "not read" line show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from watchpost.model import Hit, SourceCounts
from watchpost.store.client import Store
from watchpost.store.codec import from_ms_or_none
from watchpost.store.dead_letters import title_of
from watchpost.store.keys import MEMORY
from watchpost.store.ledger import Ledger, gaps
from watchpost.store.receivers import ReceiverState, UnsubscribedAddresses, receiver_state
from watchpost.store.sources import STATUS_FIELDS, SourceRecord, SourceStatus
from watchpost.store.windows import decode_hit_or_none


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that works, as it says itself; `name` holds its role, its machine and its process id.

    `paused`: why it reads no sources for now: "disk", "backlog", "store"; "" if nothing keeps it.
    """

    name: str
    role: str
    version: str
    paused: str = ""


@dataclass(frozen=True, slots=True)
class Depths:
    """How much waits where. `dead` is all that was given up, `dead_of` the same by the queue that it was in."""

    articles: int
    parked: int
    outbox: dict[str, int]
    retry: int
    dead: int
    pushed: int = 0
    dead_of: Mapping[str, int] = field(default_factory=dict, hash=False)

    def by_queue(self) -> dict[str, int]:
        """The depths by the name of the queue: pushed, articles, parked, retry, and outbox:RECEIVER."""
        outbox = {f"outbox:{name}": depth for name, depth in self.outbox.items()}
        return {"pushed": self.pushed, "articles": self.articles, "parked": self.parked, "retry": self.retry, **outbox}


class Overview:
    """Looks, and changes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys
        self._ledger = Ledger(store)

    async def ping(self) -> None:
        """Raises StoreUnreachable or StoreBusy if the server does not answer."""
        async with self._store.errors():
            await self._store.redis.ping()

    async def sources(self, names: Sequence[str]) -> tuple[SourceStatus, ...]:
        """The status of these sources, in this order."""
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=False)
            for name in names:
                pipe.hmget(self._keys.source(name), *STATUS_FIELDS)
            rows = await pipe.execute()
        return tuple(_status(name, row) for name, row in zip(names, rows, strict=True))

    async def due(self, names: Sequence[str]) -> Mapping[str, datetime]:
        """When these feeds are due; while one is being read, the end of its lease. Unscheduled ones are left out."""
        found: dict[str, datetime] = {}
        async with self._store.errors():
            for at in range(0, len(names), 1000):
                part = names[at : at + 1000]
                scores = await self._store.redis.zmscore(self._keys.feeds, list(part))
                found |= {
                    name: datetime.fromtimestamp(score / 1000, UTC)
                    for name, score in zip(part, scores, strict=True)
                    if score is not None
                }
        return found

    async def record(self, name: str) -> SourceRecord:
        """Everything that is kept of one source."""
        async with self._store.errors():
            raw = await self._store.redis.hgetall(self._keys.source(name))
        facts = {key.decode("utf-8", "replace"): value.decode("utf-8", "replace") for key, value in raw.items()}
        return SourceRecord(
            name,
            memory={key.removeprefix(MEMORY): value for key, value in facts.items() if key.startswith(MEMORY)},
            status={key: value for key, value in facts.items() if not key.startswith(MEMORY) and key != "fence"},
        )

    async def counts_of(self, day: date, sources: int) -> SourceCounts:
        """What the ledger says of a day (UTC), and which sums do not meet now. `sources`: how many are watched."""
        page, audit = await self._ledger.page(day), await self._ledger.audit()
        read = page.get("new", 0)
        return SourceCounts(sources, read, page.get("hits", 0), tuple(str(gap) for gap in gaps(audit)))

    async def unsubscribed(self, receiver: str) -> frozenset[str]:
        """The addresses that want no more mail of this receiver."""
        return await UnsubscribedAddresses(self._store).of(receiver)

    async def workers(self) -> tuple[Worker, ...]:
        """The processes that said within the last 15 s that they work, by name."""
        async with self._store.errors():
            names = sorted(await self._store.redis.zrange(self._keys.beats, 0, -1))
            keys = [self._keys.beat(name.decode("utf-8", "replace")) for name in names]
            facts = await self._store.redis.mget(keys) if keys else []
        workers = []
        for name, text in zip(names, facts, strict=True):
            if text is not None:
                said = json.loads(text)
                role, version, paused = (str(said.get(key, "")) for key in ("role", "version", "paused"))
                workers.append(Worker(name.decode("utf-8", "replace"), role, version, paused))
        return tuple(workers)

    async def counts(self, topics: Sequence[str], until: datetime) -> dict[str, dict[int, int]]:
        """New hits of each topic in the last 36 days, by the hour (hours since 1970, UTC), where there were any."""
        today = int(until.timestamp() // 86_400)
        days = range(today - 36, today + 1)
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=False)
            for topic in topics:
                for day in days:
                    pipe.hgetall(self._keys.count(topic, day))
            rows = await pipe.execute()
        found: dict[str, dict[int, int]] = {}
        for n, topic in enumerate(topics):
            pages = zip(days, rows[n * len(days) : (n + 1) * len(days)], strict=True)
            found[topic] = {24 * day + int(hour): int(count) for day, page in pages for hour, count in page.items()}
        return found

    async def depths(self, receivers: Sequence[str]) -> Depths:
        """Queue lengths, read one after the other."""
        keys = self._keys
        async with self._store.errors():
            groups = await self._store.redis.hkeys(keys.open)
            pipe = self._store.redis.pipeline(transaction=False)
            for group in groups:
                pipe.llen(keys.bucket(group.decode()))
            for stream in (keys.articles, keys.pushed, keys.dead, *(keys.outbox(name) for name in receivers)):
                pipe.xlen(stream)
            pipe.zcard(keys.retry)
            pipe.hgetall(keys.dead_counts)
            *found, retry, dead_of = await pipe.execute()
        articles, pushed, dead, *outbox = map(int, found[len(groups) :])
        return Depths(
            articles=articles,
            parked=sum(map(int, found[: len(groups)])),
            outbox=dict(zip(receivers, outbox, strict=True)),
            retry=int(retry),
            dead=dead,
            pushed=pushed,
            dead_of={queue.decode("utf-8", "replace"): int(number) for queue, number in dead_of.items()},
        )

    async def waiting(self, groups: Sequence[str], count: int) -> dict[str, Waiting]:
        """Return what waits for these groups, with the first `count` hits of each that can be read."""
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=False)
            for group in groups:
                pipe.llen(self._keys.bucket(group))
                pipe.hget(self._keys.open, group)
                pipe.lrange(self._keys.bucket(group), 0, count - 1)
            rows = await pipe.execute() if groups else []
        waiting = {}
        for group, length, opened, raw in zip(groups, rows[::3], rows[1::3], rows[2::3], strict=True):
            hits = tuple(hit for data in raw if (hit := decode_hit_or_none(data)) is not None)
            waiting[group] = Waiting(int(length), from_ms_or_none(opened), hits)
        return waiting

    async def next_articles(self, count: int) -> tuple[str, ...]:
        """Return the titles of the oldest articles that wait to be matched."""
        async with self._store.errors():
            rows = await self._store.redis.xrange(self._keys.articles, count=count)
        return tuple(title_of(fields.get(b"a", b"")) for _, fields in rows)

    async def open_stories(self, topics: Sequence[str]) -> dict[str, int]:
        """How many stories of each topic a further report may still join."""
        async with self._store.errors():
            seconds, micros = await self._store.redis.time()
            pipe = self._store.redis.pipeline(transaction=False)
            for topic in topics:
                pipe.zcount(self._keys.stories(topic), f"({seconds * 1000 + micros // 1000}", "+inf")
            counts = await pipe.execute() if topics else []
        return dict(zip(topics, map(int, counts), strict=True))

    async def receivers(self, names: Sequence[str]) -> dict[str, ReceiverState]:
        """How these receivers fare."""
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=False)
            for name in names:
                pipe.hgetall(self._keys.receiver(name))
            rows = await pipe.execute() if names else []
        return {name: receiver_state(row) for name, row in zip(names, rows, strict=True)}

    async def ages(self, receivers: Sequence[str]) -> dict[str, float]:
        """How long the oldest entry of each queue has waited, in seconds; 0 if nothing waits.

        A parked hit waits for its digest, and a retry for its time: it is late only from then on.
        """
        streams = {"articles": self._keys.articles, "pushed": self._keys.pushed}
        streams |= {f"outbox:{name}": self._keys.outbox(name) for name in receivers}
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=False)
            pipe.time()
            pipe.hvals(self._keys.open)
            pipe.zrange(self._keys.retry, 0, 0, withscores=True)
            for stream in streams.values():
                pipe.xrange(stream, count=1)
            (seconds, micros), opened, retries, *first = await pipe.execute()
        now = seconds * 1000 + micros / 1000
        oldest = {"parked": min(map(int, opened), default=now), "retry": min((at for _, at in retries), default=now)}
        for name, entries in zip(streams, first, strict=True):
            oldest[name] = int(entries[0][0].partition(b"-")[0]) if entries else now
        return {name: max(0.0, (now - at) / 1000) for name, at in oldest.items()}


def _status(name: str, row: list[bytes | None]) -> SourceStatus:
    fields = zip(STATUS_FIELDS, row, strict=True)
    return SourceStatus.decode(name, {key: value.decode() for key, value in fields if value is not None})


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is parked for a group: how many hits, since when, and the first of them."""

    count: int
    opened: datetime | None
    hits: tuple[Hit, ...]
