"""Reading a stream with a consumer group so that nothing is lost: claim, renew, reclaim.

An entry belongs to a consumer until it is acknowledged in the very script that does its work. A consumer that
lives renews what it holds each third of the lease; what nobody renewed for a lease is taken over by anybody
(XAUTOCLAIM, no lock around it). After three takings without a result the entry kills its workers: poison.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from redis import exceptions

from watchpost import log as tm
from watchpost.errors import StoreError
from watchpost.store.client import BLOCK_MS, Store, ensure_group, until_available

POISON_AFTER = 3
_GONE_MS = 3_600_000  # a consumer that lives reads each second


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One claimed entry: its id, its fields, and how often it was handed out before.

    `delivery` holds the fields of a delivery that DONE returned together with its entry.
    """

    id: bytes
    fields: Mapping[bytes, bytes]
    taken_before: int = 0
    delivery: Mapping[bytes, bytes] = field(default_factory=dict)

    @property
    def poisonous(self) -> bool:
        """Handed out three times, and never a result: it seems to kill whoever works on it."""
        return self.taken_before >= POISON_AFTER


class StreamClaims:
    """One consumer of one stream's group. `lease_ms` is how long a silent consumer keeps its entries."""

    def __init__(self, store: Store, stream: str, group: bytes, consumer: str, lease_ms: int) -> None:
        self._store = store
        self._stream = stream
        self._group = group
        self.consumer = consumer
        self._lease_ms = lease_ms
        self._held: set[bytes] = set()
        self._accepted: tuple[StreamEntry, ...] = ()
        self._cursor: bytes = b"0-0"

    async def take(self, count: int, *, block: bool = True) -> tuple[StreamEntry, ...]:
        """Up to `count` new entries, waiting at most a second for the first."""
        redis = self._store.blocking if block else self._store.redis
        async with self._store.errors():
            try:
                answer = await redis.xreadgroup(
                    self._group,
                    self.consumer,
                    {self._stream: ">"},
                    count=count,
                    block=BLOCK_MS if block else None,
                )
            except exceptions.ResponseError as error:
                if "NOGROUP" not in str(error):
                    raise
                # The server came back without its data (directory deleted): begin again, the sources are re-read.
                await ensure_group(self._store.redis, self._stream, self._group)
                return ()
        entries = tuple(StreamEntry(id_, fields) for _, found in answer or () for id_, fields in found)
        self._held.update(entry.id for entry in entries)
        return entries

    async def reclaim(self, count: int, *, oldest: bool = False) -> tuple[StreamEntry, ...]:
        """Up to `count` entries that nobody renewed for a lease; each says how often it was taken.

        Each call goes on where the last one ended; `oldest` begins with the oldest entry again.
        """
        if oldest:
            self._cursor = b"0-0"
        async with self._store.errors():
            try:
                answer = await self._store.redis.xautoclaim(
                    self._stream,
                    self._group,
                    self.consumer,
                    self._lease_ms,
                    start_id=self._cursor,
                    count=count,
                )
            except exceptions.ResponseError as error:
                if "NOGROUP" not in str(error):
                    raise
                return ()
            self._cursor, found = (
                answer[0],
                [(id_, fields) for id_, fields in answer[1] if fields is not None],
            )
            entries = []
            for id_, fields in found:
                pending = await self._store.redis.xpending_range(self._stream, self._group, id_, id_, 1)
                if pending:
                    entries.append(StreamEntry(id_, fields, pending[0]["times_delivered"] - 1))
        self._held.update(entry.id for entry in entries)
        return tuple(entries)

    async def renew(self) -> None:
        """Say that everything held is still being worked on."""
        if self._held:
            await self._store.run("renew", [self._stream], [self._group, self.consumer, *self._held])

    def accept(self, entry: StreamEntry) -> None:
        """An entry that a script handed out is ours: it is renewed with the others, and waits to be dealt with."""
        self._held.add(entry.id)
        self._accepted += (entry,)

    def accepted(self) -> tuple[StreamEntry, ...]:
        """What scripts handed out since this was last asked."""
        handed, self._accepted = self._accepted, ()
        return handed

    def forget(self, entry: StreamEntry) -> None:
        """The entry's work is over, or somebody else's: stop renewing it."""
        self._held.discard(entry.id)

    async def release(self, entry: StreamEntry) -> None:
        """Work that was broken off on purpose (we end, or begin again): as if the entry had not been taken."""
        fields = [part for pair in entry.fields.items() for part in pair]
        await self._store.run("give_back", [self._stream], [self._group, entry.id, *fields])

    async def leave_group(self) -> None:
        """Take this consumer's name out of the group unless it still holds something, and those of long-dead ones."""
        async with self._store.errors():
            for found in await self._store.redis.xinfo_consumers(self._stream, self._group):
                ours, gone = found["name"] == self.consumer.encode(), found["idle"] > _GONE_MS
                if (ours or gone) and not found["pending"]:
                    await self._store.redis.xgroup_delconsumer(self._stream, self._group, found["name"])


# What every role that reads a stream does: take, take over, renew, give up, give back. The role adds only its work.
#
# One batch at a time: what a silent consumer left comes alone, and nothing else is under way meanwhile. If it kills us,
# nothing beside it is counted as a killer.


_WAIT_SECONDS = 1.0


async def _always() -> bool:
    return True


def _nothing() -> None:
    pass


class Consumer:
    """Deals with the entries of one stream until `stop` is set, and goes on while the store is away.

    `take()` gives new entries, or none after about a second; `deal(entries)` does the role's work with them, and
    acknowledges each in the script that does it; `give_up(entry)` takes poison out of the stream. All may raise
    StoreError: what is not acknowledged then is nobody's when its lease ends. `may_take_over()`: may abandoned
    entries be dealt with now? `tick` and `tick_renew` return three times a lease, or at once when stopping.
    `beat()` is called each time that the loop comes round, also while the store is away. `queue` is the stream's name
    in the metrics, `shown` in the log.
    """

    def __init__(
        self,
        claims: StreamClaims,
        queue: str,
        *,
        take: Callable[[], Awaitable[Sequence[StreamEntry]]],
        deal: Callable[[Sequence[StreamEntry]], Awaitable[None]],
        dead_letter: Callable[[StreamEntry], Awaitable[None]],
        tick: Callable[[], Awaitable[None]],
        tick_renew: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        may_take_over: Callable[[], Awaitable[bool]] = _always,
        beat: Callable[[], None] = _nothing,
        shown: str = "",
    ) -> None:
        self._claims = claims
        self._queue = queue
        self._shown = shown or queue
        self._take = take
        self._deal = deal
        self._dead_letter = dead_letter
        self._tick = tick
        self._tick_renew = tick_renew
        self._stop = stop
        self._may_take_over = may_take_over
        self._beat = beat
        self._look = True  # for what silent consumers left

    async def run(self) -> None:
        """The daemon. What was begun when `stop` is set is finished; what a cancellation cuts short is given back."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._work())
                tasks.create_task(self._pulse())
                tasks.create_task(self._renew())
        finally:
            with suppress(StoreError):
                await self._release(self._claims.accepted())
                await self._claims.leave_group()

    async def deal(self, entries: Sequence[StreamEntry]) -> None:
        """Deal with these entries now, poison included. Raises StoreError."""
        try:
            for entry in entries:
                if entry.poisonous:
                    tm.log().error("queue.poison", queue=self._shown)
                    await self._dead_letter(entry)
            await self._deal([entry for entry in entries if not entry.poisonous])
        except asyncio.CancelledError:
            # We end while the work is under way. That is no crash, and must not count as one.
            with suppress(StoreError):
                await self._release(entries)
            raise
        finally:
            for entry in entries:  # what was not dealt with is nobody's when its lease ends
                self._claims.forget(entry)

    async def _work(self) -> None:
        following: Sequence[StreamEntry] = ()
        while following or not self._stop.is_set():
            self._beat()
            try:
                await self.deal(following or await self._next())
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()
                await until_available(_WAIT_SECONDS, self._stop)
            following = self._claims.accepted()

    async def _next(self) -> Sequence[StreamEntry]:
        if self._look:
            self._look = False  # if the store fails us, at the next tick again
            entries = await self._claims.reclaim(1) if await self._may_take_over() else ()
            self._look = bool(entries)
            if entries:
                tm.taken_over.labels(self._queue).inc()
                return entries
        return await self._take()

    async def _pulse(self) -> None:
        while not self._stop.is_set():
            await self._tick()
            self._look = True

    async def _renew(self) -> None:
        """What is being worked on stays ours, however long it takes."""
        while not self._stop.is_set():
            await self._tick_renew()
            try:
                await self._claims.renew()
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()

    async def _release(self, entries: Sequence[StreamEntry]) -> None:
        for entry in entries:
            await self._claims.release(entry)
