"""Streams with consumer groups, read so that nothing is lost: claim, renew, reclaim, release.

An entry belongs to a consumer until the script that stores its result acknowledges it. A running consumer renews what
it holds each third of the lease; any other consumer may claim what nobody renewed for a lease (XAUTOCLAIM). An entry
that was claimed three times without a result is poison: it probably kills its worker.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from redis import exceptions

from watchpost import log as tm
from watchpost.errors import StoreError
from watchpost.store.client import Store, ensure_group, json_argument, pause

POISON_AFTER = 3
_GONE_MS = 3_600_000  # a running consumer reads every few seconds
_WAIT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One claimed entry: its id, its fields, and how often it was claimed before.

    `delivery` is the hash of its delivery, if DONE returned the entry together with it.
    """

    id: bytes
    fields: Mapping[bytes, bytes]
    taken_before: int = 0
    delivery: Mapping[bytes, bytes] = field(default_factory=dict)

    @property
    def poisonous(self) -> bool:
        """Whether it was claimed three times without a result."""
        return self.taken_before >= POISON_AFTER


class StreamClaims:
    """One consumer in the group of one stream. A consumer that is silent for `lease_ms` loses its entries."""

    def __init__(self, store: Store, stream: str, group: bytes, consumer: str, lease_ms: int) -> None:
        self._store = store
        self._stream = stream
        self._group = group
        self.consumer = consumer
        self._lease_ms = lease_ms
        self._held: set[bytes] = set()
        self._forgotten: deque[bytes] = deque(maxlen=64)  # what this consumer works on no more, the last ones
        self._accepted: tuple[StreamEntry, ...] = ()
        self._cursor: bytes = b"0-0"
        self._reading: asyncio.Future[Any] | None = None
        self._interrupted = False

    async def take(self, count: int, *, block: bool = True) -> tuple[StreamEntry, ...]:
        """Claim up to `count` new entries; with `block`, wait for the first, but no longer than a lease."""
        async with self._store.errors():
            try:
                answer = await (self._wait_for_new(count) if block else self._read(self._store.redis, count))
            except exceptions.ResponseError as error:
                if "NOGROUP" not in str(error):
                    raise
                # The server came back without its data: somebody deleted the directory. The sources are read again.
                await ensure_group(self._store.redis, self._stream, self._group)
                return ()
        entries = tuple(StreamEntry(id_, fields) for _, page in answer or () for id_, fields in page)
        self._held.update(entry.id for entry in entries)
        return entries

    async def _read(self, redis: Any, count: int, block_ms: int | None = None) -> Any:
        return await redis.xreadgroup(self._group, self.consumer, {self._stream: ">"}, count=count, block=block_ms)

    async def _wait_for_new(self, count: int) -> Any:
        if not self._interrupted:
            block_ms = min(self._store.block_ms, self._lease_ms)
            self._reading = asyncio.ensure_future(self._read(self._store.blocking, count, block_ms))
            try:
                return await self._reading
            except asyncio.CancelledError:
                if not self._interrupted:
                    raise
            finally:
                self._reading = None
            await self.offer_unread()
        self._interrupted = False
        return ()

    def interrupt(self) -> None:
        """End the read that waits, or the next one that would: it returns nothing."""
        self._interrupted = True
        if self._reading is not None:
            self._reading.cancel()

    async def abandoned(self) -> bool:
        """Whether an entry was not renewed for a lease, so that `reclaim` may find it."""
        async with self._store.errors():
            try:
                (pending,) = await self._store.ask(
                    lambda pipe: pipe.xpending_range(self._stream, self._group, "-", "+", 1, idle=self._lease_ms)
                )
            except exceptions.ResponseError as error:
                if "NOGROUP" not in str(error):
                    raise
                return False
        return bool(pending)

    async def reclaim(self, count: int, *, oldest: bool = False) -> tuple[StreamEntry, ...]:
        """Claim up to `count` entries that nobody renewed for a lease.

        Each call continues where the last one ended; `oldest` begins with the oldest entry again.
        """
        start = b"0-0" if oldest else self._cursor
        async with self._store.errors():
            try:
                self._cursor, page, *_ = await self._store.redis.xautoclaim(
                    self._stream, self._group, self.consumer, self._lease_ms, start_id=start, count=count
                )
            except exceptions.ResponseError as error:
                if "NOGROUP" not in str(error):
                    raise
                return ()
            entries = []
            for id_, fields in page:
                pending = await self._store.redis.xpending_range(self._stream, self._group, id_, id_, 1)
                if pending and fields is not None:
                    entries.append(StreamEntry(id_, fields, pending[0]["times_delivered"] - 1))
        self._held.update(entry.id for entry in entries)
        return tuple(entries)

    async def older_claimed(self, entry: StreamEntry) -> bool:
        """Whether an older entry of the stream is claimed, by whichever consumer.

        An older entry that this consumer claimed and no longer works on (the store failed in between) can be claimed
        at once afterwards, by anybody.
        """
        async with self._store.errors():
            older = await self._store.redis.xpending_range(self._stream, self._group, "-", b"(" + entry.id, 1)
            if older and older[0]["message_id"] in self._forgotten and older[0]["consumer"] == self.consumer.encode():
                await self._offer(older[0]["message_id"])
        return bool(older)

    async def offer(self, entry: StreamEntry) -> None:
        """Leave an entry in its place as if nobody had claimed it: anybody may claim it at once.

        It writes nothing new, so that a full server does it, too.
        """
        async with self._store.errors():
            await self._offer(entry.id, retrycount=0)

    async def _offer(self, id_: bytes, *, retrycount: int | None = None) -> None:
        await self._store.redis.xclaim(
            self._stream, self._group, self.consumer, 0, [id_], idle=self._lease_ms, retrycount=retrycount, justid=True
        )

    async def renew(self) -> None:
        """Renew everything that is held."""
        if self._held:
            argument = json_argument(group=self._group, consumer=self.consumer, entries=list(self._held))
            await self._store.run("renew", [self._stream], [argument])

    def accept(self, entry: StreamEntry) -> None:
        """Hold an entry that a script has claimed for this consumer."""
        self._held.add(entry.id)
        self._accepted += (entry,)

    def accepted(self) -> tuple[StreamEntry, ...]:
        """Return what scripts have claimed since the last call."""
        accepted, self._accepted = self._accepted, ()
        return accepted

    def hold(self, entry: StreamEntry) -> None:
        """Renew an entry whose work goes on beside the others'."""
        self._held.add(entry.id)

    def forget(self, entry: StreamEntry) -> None:
        """Renew an entry no more: its work is done, or another consumer's."""
        self._held.discard(entry.id)
        self._forgotten.append(entry.id)

    async def release(self, entry: StreamEntry) -> None:
        """Put an entry back whose work was cut short on purpose, as if it had never been claimed."""
        await self._store.run("give_back", [self._stream], [self._group, entry.id])

    async def offer_unread(self) -> None:
        """Offer what a read claimed whose answer was not waited for: claimed once, and never worked on."""
        async with self._store.errors():
            pending = await self._store.redis.xpending_range(
                self._stream, self._group, "-", "+", 100, consumername=self.consumer
            )
            for one in pending:
                if one["times_delivered"] == 1 and one["message_id"] not in {*self._held, *self._forgotten}:
                    await self._offer(one["message_id"], retrycount=0)

    async def leave_group(self) -> None:
        """Remove this consumer from the group unless it holds something, and consumers that ended long ago."""
        async with self._store.errors():
            for consumer in await self._store.redis.xinfo_consumers(self._stream, self._group):
                ours, gone = consumer["name"] == self.consumer.encode(), consumer["idle"] > _GONE_MS
                if (ours or gone) and not consumer["pending"]:
                    await self._store.redis.xgroup_delconsumer(self._stream, self._group, consumer["name"])


class Consumer:
    """Processes the entries of one stream until `stop` is set, and waits while the store is away.

    `take()` returns new entries, or none after a while; it is cancelled when `stop` is set. `process(entries)`
    does the role's work and acknowledges each entry in the script that stores its result; `dead_letter(entry)` takes
    poison out of the stream. All may raise StoreError: other consumers may claim what is not acknowledged when its
    lease ends. `may_take_over()` says whether abandoned entries may be processed now. `tick` and `tick_renew` return
    three times in a lease, or at once when stopping. `beat()` is called in each turn of the loop, also while the store
    is away. `queue` is the stream's name in metrics, `label` in the log.

    An abandoned entry is processed alone, so that if it kills this process nothing else counts as a killer.
    """

    def __init__(
        self,
        claims: StreamClaims,
        queue: str,
        *,
        take: Callable[[], Awaitable[Sequence[StreamEntry]]],
        process: Callable[[Sequence[StreamEntry]], Awaitable[None]],
        dead_letter: Callable[[StreamEntry], Awaitable[None]],
        tick: Callable[[], Awaitable[None]],
        tick_renew: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        may_take_over: Callable[[], Awaitable[bool]] | None = None,
        beat: Callable[[], None] = lambda: None,
        label: str = "",
    ) -> None:
        self._claims = claims
        self._queue = queue
        self._label = label or queue
        self._take = take
        self._process = process
        self._dead_letter = dead_letter
        self._tick = tick
        self._tick_renew = tick_renew
        self._stop = stop
        self._may_take_over = may_take_over
        self._beat = beat
        self._abandoned = asyncio.Event()  # somebody may have abandoned an entry
        self._abandoned.set()
        self._waits = False  # for something new

    async def run(self) -> None:
        """Run until `stop` is set. What was begun then is finished; what a cancellation cuts short is released."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._work())
                tasks.create_task(self._watch_abandoned())
                tasks.create_task(self._renew())
            with suppress(StoreError):
                await self._claims.offer_unread()
        finally:
            with suppress(StoreError):
                await self._release(self._claims.accepted())
                await self._claims.leave_group()

    async def process(self, entries: Sequence[StreamEntry]) -> None:
        """Process these entries now; poison becomes a dead letter. Raises StoreError."""
        try:
            for entry in entries:
                if entry.poisonous:
                    tm.log().error("queue.poison", queue=self._label)
                    await self._dead_letter(entry)
            await self._process([entry for entry in entries if not entry.poisonous])
        except asyncio.CancelledError:
            # The process ends during the work. That is no crash, and must not count as one.
            with suppress(StoreError):
                await self._release(entries)
            raise
        finally:
            for entry in entries:  # if an entry has no result, other consumers may claim it when its lease ends
                self._claims.forget(entry)

    async def _work(self) -> None:
        following: Sequence[StreamEntry] = ()
        while following or not self._stop.is_set():
            self._beat()
            try:
                await self.process(following or await self._next())
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()
                await pause(_WAIT_SECONDS, self._stop)
            following = self._claims.accepted()

    async def _next(self) -> Sequence[StreamEntry]:
        if self._abandoned.is_set():
            self._abandoned.clear()  # if the store fails, the next tick looks again
            allowed = self._may_take_over is None or await self._may_take_over()
            if entries := await self._claims.reclaim(1) if allowed else ():
                self._abandoned.set()
                tm.taken_over.labels(self._queue).inc()
                return entries
        take, stopped = asyncio.ensure_future(self._take()), asyncio.ensure_future(self._stop.wait())
        abandoned = asyncio.ensure_future(self._abandoned.wait())
        self._waits = True
        try:
            await asyncio.wait({take, stopped, abandoned}, return_when=asyncio.FIRST_COMPLETED)
            if not take.done() and not stopped.done():
                self._claims.interrupt()
                await asyncio.wait({take, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waits = False
            stopped.cancel()
            abandoned.cancel()
            if not take.done():
                take.cancel()
                await asyncio.wait({take})
        return () if take.cancelled() else take.result()

    async def _watch_abandoned(self) -> None:
        while not self._stop.is_set():
            await self._tick()
            if self._waits and not self._stop.is_set():
                self._beat()  # nothing hangs: there is nothing to do
                try:
                    if not await self._claims.abandoned():
                        continue  # the read that waits goes on
                except StoreError as error:
                    tm.store_errors.labels(type(error).__name__).inc()
            self._abandoned.set()

    async def _renew(self) -> None:
        while not self._stop.is_set():
            await self._tick_renew()
            try:
                await self._claims.renew()
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()

    async def _release(self, entries: Sequence[StreamEntry]) -> None:
        for entry in entries:
            await self._claims.release(entry)
