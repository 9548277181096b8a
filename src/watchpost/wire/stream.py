"""Reading a stream with a consumer group so that nothing is lost: claim, renew, reclaim.

An entry belongs to a consumer until it is acknowledged in the very script that does its work. A consumer that
lives renews what it holds each third of the lease; what nobody renewed for a lease is taken over by anybody
(XAUTOCLAIM, no lock around it). After three takings without a result the entry kills its workers: poison.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from redis import exceptions

from watchpost.wire.store import BLOCK_MS, Store, ensure_group

POISON_AFTER = 3
_GONE_MS = 3_600_000  # a consumer that lives reads each second


@dataclass(frozen=True, slots=True)
class Entry:
    """One claimed entry: its id, its fields, and how often it was handed out before.

    `along` is what a script gave with it: DONE hands out the next delivery of an outbox whole.
    """

    id: bytes
    fields: Mapping[bytes, bytes]
    taken_before: int = 0
    along: Mapping[bytes, bytes] = field(default_factory=dict)

    @property
    def poisonous(self) -> bool:
        """Handed out three times, and never a result: it seems to kill whoever works on it."""
        return self.taken_before >= POISON_AFTER


class Claims:
    """One consumer of one stream's group. `lease_ms` is how long a silent consumer keeps its entries."""

    def __init__(self, store: Store, stream: str, group: bytes, consumer: str, lease_ms: int) -> None:
        self._store = store
        self._stream = stream
        self._group = group
        self.consumer = consumer
        self._lease_ms = lease_ms
        self._held: set[bytes] = set()
        self._handed: tuple[Entry, ...] = ()
        self._cursor: bytes = b"0-0"

    async def take(self, count: int, *, block: bool = True) -> tuple[Entry, ...]:
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
        entries = tuple(Entry(id_, fields) for _, found in answer or () for id_, fields in found)
        self._held.update(entry.id for entry in entries)
        return entries

    async def reclaim(self, count: int, *, oldest: bool = False) -> tuple[Entry, ...]:
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
                    entries.append(Entry(id_, fields, pending[0]["times_delivered"] - 1))
        self._held.update(entry.id for entry in entries)
        return tuple(entries)

    async def renew(self) -> None:
        """Say that everything held is still being worked on."""
        if self._held:
            await self._store.run("renew", [self._stream], [self._group, self.consumer, *self._held])

    def hand(self, entry: Entry) -> None:
        """An entry that a script handed out is ours: it is renewed with the others, and waits to be dealt with."""
        self._held.add(entry.id)
        self._handed += (entry,)

    def handed(self) -> tuple[Entry, ...]:
        """What scripts handed out since this was last asked."""
        handed, self._handed = self._handed, ()
        return handed

    def let_go(self, entry: Entry) -> None:
        """The entry's work is over, or somebody else's: stop renewing it."""
        self._held.discard(entry.id)

    async def give_back(self, entry: Entry) -> None:
        """Work that was broken off on purpose (we end, or begin again): as if the entry had not been taken."""
        fields = [part for pair in entry.fields.items() for part in pair]
        await self._store.run("give_back", [self._stream], [self._group, entry.id, *fields])

    async def leave(self) -> None:
        """Take this consumer's name out of the group unless it still holds something, and those of long-dead ones."""
        async with self._store.errors():
            for found in await self._store.redis.xinfo_consumers(self._stream, self._group):
                ours, gone = found["name"] == self.consumer.encode(), found["idle"] > _GONE_MS
                if (ours or gone) and not found["pending"]:
                    await self._store.redis.xgroup_delconsumer(self._stream, self._group, found["name"])
