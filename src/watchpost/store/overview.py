"""A read-only view of the store: what pages, `/readyz`, metrics and a digest's line "not read" show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from watchpost.model import Hit, SourceCounts
from watchpost.pauses import Pause
from watchpost.plurals import count
from watchpost.store.client import Server, Store
from watchpost.store.codec import from_ms, from_ms_or_none
from watchpost.store.dead_letters import title_of
from watchpost.store.ledger import Ledger, gaps
from watchpost.store.receivers import ReceiverState, UnsubscribedAddresses, receiver_state
from watchpost.store.sources import STATUS_FIELDS, SourceRecord, SourceStatus, split_fields
from watchpost.store.windows import decode_hit_or_none

_ROLES = ("poll", "match", "notify", "web")
_DAYS = 37  # of counts of hits: today and 36 before


@dataclass(frozen=True, slots=True)
class Worker:
    """A running process, as it reports itself; `name` contains its role, its machine and its process id.

    `paused`: why it reads no sources now: "disk", "backlog", "store", or "". `last_pause` is the last time in which it
    read none; None if there was none, or the process is of an earlier version. `linking` is since when it joins events
    without the embedding: "missing", "broken".
    """

    name: str
    role: str
    version: str
    paused: str = ""
    last_pause: Pause | None = None
    linking: Pause | None = None


@dataclass(frozen=True, slots=True)
class Depths:
    """How much waits in each queue. `dead` counts all dead letters, `dead_of` by the queue that they were in.

    `held` are the receivers whose oldest message waits in its place for another attempt, and counts under `retry`.
    """

    articles: int
    parked: int
    outbox: dict[str, int]
    retry: int
    dead: int
    pushed: int = 0
    unarchived: int = 0
    unjoined: int = 0
    dead_of: Mapping[str, int] = field(default_factory=dict, hash=False)
    held: frozenset[str] = frozenset()

    def waiting_for(self, receiver: str) -> int:
        """Return how many messages wait for a receiver in its queue, with the one that keeps its place there."""
        return self.outbox.get(receiver, 0) + (receiver in self.held)

    def by_queue(self) -> dict[str, int]:
        """Return the depths by queue: pushed, articles, unarchived, unjoined, parked,
        retry, and outbox:RECEIVER."""
        outbox = {f"outbox:{name}": depth for name, depth in self.outbox.items()}
        first = {"pushed": self.pushed, "articles": self.articles, "unarchived": self.unarchived}
        first["unjoined"] = self.unjoined
        return {**first, "parked": self.parked, "retry": self.retry, **outbox}


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a group: how many hits, since when, and the first of them."""

    count: int
    opened: datetime | None
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class StoreLoss:
    """The store came back empty `at` this time; so many `hits` and `deliveries` that processes knew were put back."""

    at: datetime
    hits: int
    deliveries: int

    def __str__(self) -> str:
        known = f"{count(self.hits, 'hit')} and {count(self.deliveries, 'delivery', 'deliveries')}"
        were = "was" if self.hits + self.deliveries == 1 else "were"
        return f"the store came back empty and lost what waited; {known} {were} put back"


class Overview:
    """Reads the store and changes nothing. Every method raises StoreError if the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys
        self._ledger = Ledger(store)

    async def loss(self) -> StoreLoss | None:
        """Return when the store last came back empty, and what was put back; None if it never did."""
        async with self._store.errors():
            row = await self._store.redis.hmget(self._keys.meta, "lost_at", "lost_hits", "lost_deliveries")
        at, hits, deliveries = row
        return None if at is None else StoreLoss(from_ms(at), int(hits or 0), int(deliveries or 0))

    async def is_in_use(self) -> bool:
        """Return whether a watchpost has ever started on this store."""
        async with self._store.errors():
            return bool(await self._store.redis.exists(self._keys.meta, self._keys.feeds))

    async def ran(self) -> Mapping[str, datetime]:
        """Return when each role last ran, of those that ever did since versions note it."""
        async with self._store.errors():
            row = await self._store.redis.hmget(self._keys.meta, *(f"ran_{role}" for role in _ROLES))
        return {role: from_ms(at) for role, at in zip(_ROLES, row, strict=True) if at is not None}

    async def dead_since(self) -> datetime | None:
        """Return when the oldest dead letter was made; None without any."""
        async with self._store.errors():
            rows = await self._store.redis.xrange(self._keys.dead, count=1)
        return from_ms(rows[0][0].partition(b"-")[0]) if rows else None

    @property
    def store(self) -> Store:
        """The store that it reads."""
        return self._store

    @property
    def server(self) -> Server | None:
        """The server that the store is on, as this process saw it within the last seconds; None at the start."""
        return self._store.server

    async def ping(self) -> None:
        """Return if the server answers."""
        async with self._store.errors():
            await self._store.redis.ping()

    async def sources(self, names: Sequence[str]) -> tuple[SourceStatus, ...]:
        """Return the status of these sources, in this order."""
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=False)
            for name in names:
                pipe.hmget(self._keys.source(name), *STATUS_FIELDS)
            rows = await pipe.execute()
        statuses = []
        for name, row in zip(names, rows, strict=True):
            fields = zip(STATUS_FIELDS, row, strict=True)
            statuses.append(SourceStatus.decode(name, {key: value.decode() for key, value in fields if value}))
        return tuple(statuses)

    async def due(self, names: Sequence[str]) -> Mapping[str, datetime]:
        """Return when these feeds are due (or, of one that is being read, the end of its lease), if scheduled."""
        due: dict[str, datetime] = {}
        async with self._store.errors():
            for at in range(0, len(names), 1000):
                page = names[at : at + 1000]
                scores = await self._store.redis.zmscore(self._keys.feeds, list(page))
                due |= {name: from_ms(score) for name, score in zip(page, scores, strict=True) if score is not None}
        return due

    async def record(self, name: str) -> SourceRecord:
        """Return everything that is stored of one source."""
        async with self._store.errors():
            memory, status = split_fields(await self._store.redis.hgetall(self._keys.source(name)))
        status.pop("fence", None)
        return SourceRecord(name, memory, status)

    async def counts_of(self, day: date, sources: int) -> SourceCounts:
        """Return the counts of a day (UTC) and the gaps that the ledger has now. `sources`: how many are configured."""
        page, audit = await self._ledger.page(day), await self._ledger.audit()
        whole_day = audit.totals.get("since", 0) <= (day - date(1970, 1, 1)).days * 86_400_000
        found = tuple(str(gap) for gap in gaps(audit))
        return SourceCounts(sources, page.get("new", 0), page.get("hits", 0), found, whole_day)

    async def unsubscribed(self, receiver: str) -> frozenset[str]:
        """Return the addresses that this receiver must not write to."""
        return await UnsubscribedAddresses(self._store).of(receiver)

    async def workers(self) -> tuple[Worker, ...]:
        """Return the processes that reported within the last 15 s that they are running, by name."""
        async with self._store.errors():
            running = await self._store.redis.zrange(self._keys.beats, 0, -1)
            names = sorted(name.decode("utf-8", "replace") for name in running)
            beats = await self._store.redis.mget([self._keys.beat(name) for name in names]) if names else []
        facts = {name: json.loads(beat) for name, beat in zip(names, beats, strict=True) if beat is not None}
        return tuple(
            Worker(
                name,
                str(known.get("role", "")),
                str(known.get("version", "")),
                str(known.get("paused", "")),
                _pause(known.get("last_pause")),
                _pause(known.get("linking")),
            )
            for name, known in facts.items()
        )

    async def counts(self, topics: Sequence[str], until: datetime) -> dict[str, dict[int, int]]:
        """Return the new hits of each topic in the last 36 days, by hour (since 1970, UTC); no hour has 0."""
        today = int(until.timestamp() // 86_400)
        days = range(today - _DAYS + 1, today + 1)
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=False)
            for topic in topics:
                for day in days:
                    pipe.hgetall(self._keys.count(topic, day))
            rows = await pipe.execute()
        counts: dict[str, dict[int, int]] = {}
        for number, topic in enumerate(topics):
            pages = zip(days, rows[number * _DAYS : (number + 1) * _DAYS], strict=True)
            counts[topic] = {24 * day + int(hour): int(count) for day, page in pages for hour, count in page.items()}
        return counts

    async def depths(self, receivers: Sequence[str]) -> Depths:
        """Return how much waits in each queue, read one after the other."""
        keys = self._keys
        async with self._store.errors():
            groups = await self._store.redis.hkeys(keys.open)
            pipe = self._store.redis.pipeline(transaction=False)
            for group in groups:
                pipe.llen(keys.bucket(group.decode()))
            ours = (keys.articles, keys.pushed, keys.unarchived, keys.unjoined, keys.dead)
            for stream in (*ours, *(keys.outbox(name) for name in receivers)):
                pipe.xlen(stream)
            pipe.zcard(keys.retry)
            pipe.hgetall(keys.dead_counts)
            *lengths, retry, dead_of = await pipe.execute()
        articles, pushed, unarchived, unjoined, dead, *outbox = map(int, lengths[len(groups) :])
        held = await self._held(receivers, outbox)
        return Depths(
            articles=articles,
            parked=sum(map(int, lengths[: len(groups)])),
            outbox={name: count - (name in held) for name, count in zip(receivers, outbox, strict=True)},
            retry=int(retry) + len(held),
            dead=dead,
            pushed=pushed,
            unarchived=unarchived,
            unjoined=unjoined,
            dead_of={queue.decode("utf-8", "replace"): int(count) for queue, count in dead_of.items()},
            held=held,
        )

    async def _held(self, receivers: Sequence[str], outbox: Sequence[int]) -> frozenset[str]:
        """The paused receivers whose oldest delivery waits in its place for another attempt."""
        waiting = [name for name, count in zip(receivers, outbox, strict=True) if count]
        keys = self._keys
        async with self._store.errors():
            heads = [await self._store.redis.xrange(keys.outbox(name), count=1) for name in waiting]
            ids = [head[0][1].get(b"d", b"").decode() if head else "" for head in heads]
            states = [await self._store.redis.hget(keys.out(id_), "state") for id_ in ids]
            paused = [await self._store.redis.hexists(keys.receiver(name), "till") for name in waiting]
        return frozenset(
            name
            for name, state, pause in zip(waiting, states, paused, strict=True)
            if pause and state in (b"retrying", b"unknown")
        )

    async def ages(self, receivers: Sequence[str]) -> dict[str, float]:
        """Return for how many seconds the oldest entry of each queue has waited; 0 if nothing waits.

        A waiting hit counts from when it came, a retry from the time at which it was due.
        """
        streams = {"articles": self._keys.articles, "pushed": self._keys.pushed}
        streams |= {"unarchived": self._keys.unarchived, "unjoined": self._keys.unjoined}
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
        for group, length, opened, entries in zip(groups, rows[::3], rows[1::3], rows[2::3], strict=True):
            hits = tuple(hit for data in entries if (hit := decode_hit_or_none(data)) is not None)
            waiting[group] = Waiting(int(length), from_ms_or_none(opened), hits)
        return waiting

    async def next_articles(self, count: int) -> tuple[str, ...]:
        """Return the titles of the oldest articles that wait to be matched."""
        async with self._store.errors():
            rows = await self._store.redis.xrange(self._keys.articles, count=count)
        return tuple(title_of(fields.get(b"a", b"")) for _, fields in rows)

    async def open_stories(self, topics: Sequence[str]) -> dict[str, int]:
        """Return how many stories of each topic a further report may still join."""
        async with self._store.errors():
            seconds, micros = await self._store.redis.time()
            pipe = self._store.redis.pipeline(transaction=False)
            for topic in topics:
                pipe.zcount(self._keys.stories(topic), f"({seconds * 1000 + micros // 1000}", "+inf")
            counts = await pipe.execute() if topics else []
        return dict(zip(topics, map(int, counts), strict=True))

    async def receivers(self, names: Sequence[str]) -> dict[str, ReceiverState]:
        """Return the state of these receivers."""
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=False)
            for name in names:
                pipe.hgetall(self._keys.receiver(name))
            rows = await pipe.execute() if names else []
        return {name: receiver_state(row) for name, row in zip(names, rows, strict=True)}


def _pause(fact: Any) -> Pause | None:
    if fact is None:
        return None
    reason, since, until = fact
    ended = datetime.fromtimestamp(until, UTC) if until is not None else None
    return Pause(str(reason), datetime.fromtimestamp(since, UTC), ended)
