"""Deliveries: the frozen messages on their way to receivers, for the notify role and for operators."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from watchpost.model import Delivery, Message
from watchpost.store import keys as store_keys
from watchpost.store.client import Store, ensure_group, json_argument
from watchpost.store.codec import MESSAGE, fields_of, from_ms, from_ms_or_none, text_of
from watchpost.store.dead_letters import drop
from watchpost.store.streams import StreamClaims, StreamEntry
from watchpost.store.windows import WindowStore

_FARTHEST_MS = 172_800_000 - 2_000  # two days, as due_retries.lua and escalate.lua have it; a bit less is no harm
_LONG_BYTES = 100_000  # longer messages are read in a thread


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """What is stored of one delivery. `state`: queued, retrying, held, unknown, dead, or delivered (then only its id).

    `due` is the time of the next attempt, if one is set. `message` is None if this version cannot read it.
    """

    id: str
    receiver: str
    state: str
    digest: str = ""
    attempts: int = 0
    replays: int = 0
    created: datetime | None = None
    due: datetime | None = None
    error: str = ""
    message: Message | None = None

    @property
    def subject(self) -> str:
        """The subject of its message, "" if that cannot be read."""
        return self.message.subject if self.message is not None else ""


class DeliveryStore(WindowStore):
    """What the notify role may do. `kept_ms` is how long ids of arrived and dead deliveries are remembered."""

    def claims(self, receiver: str, consumer: str, lease_ms: int) -> StreamClaims:
        """Return a consumer of one receiver's outbox: each has its own, so that a slow receiver delays no other."""
        return StreamClaims(self._store, self._keys.outbox(receiver), store_keys.NOTIFY, consumer, lease_ms)

    async def create_outbox(self, receiver: str) -> None:
        """Create the receiver's stream and its group before they are needed: a full server refuses to later."""
        async with self._store.errors():
            await ensure_group(self._store.redis, self._keys.outbox(receiver), store_keys.NOTIFY)

    async def delivery(self, entry: StreamEntry) -> Delivery | None:
        """Return the frozen delivery of an entry; None if it has arrived already. Raises CodecError."""
        id_, fields = text_of(entry.fields, b"d"), entry.delivery
        if b"message" not in fields:
            async with self._store.errors():
                fields = await self._store.redis.hgetall(self._keys.out(id_))
        if b"message" not in fields:
            return None
        data = fields[b"message"]
        message = await asyncio.to_thread(MESSAGE.decode, data) if len(data) > _LONG_BYTES else MESSAGE.decode(data)
        receiver, remembered = text_of(fields, b"receiver"), b""
        if message.thread:
            async with self._store.errors():
                remembered = await self._store.redis.get(self._keys.thread(receiver, message.thread)) or b""
        return Delivery(
            id=id_,
            digest=text_of(fields, b"digest"),
            receiver=receiver,
            message=message,
            attempt=int(fields[b"attempts"]) + 1,
            created=from_ms(fields[b"created"]),
            remembered=remembered.decode("utf-8", "replace"),
            replays=int(fields.get(b"replays", b"0")),
            spent=int(fields.get(b"spent", b"0")),
        )

    async def done(
        self,
        receiver: str,
        entry: StreamEntry,
        *,
        then: StreamClaims | None = None,
        thread: str = "",
        remember: str = "",
    ) -> None:
        """Record that a delivery arrived, and keep `remember` for the next message of `thread`.

        The same step claims the receiver's next delivery, if one waits, for the consumer `then`.
        """
        id_ = text_of(entry.fields, b"d")
        names = [self._keys.outbox(receiver), self._keys.out(id_), self._keys.sent, self._keys.out("")]
        names += [self._keys.thread(receiver, thread), self._keys.ledger, self._keys.editions]
        names += [self._keys.contents("")]
        consumer, remembered = then.consumer if then else "", remember if thread else ""
        answer = await self._store.run("done", names, [entry.id, id_, self._kept_ms, consumer, remembered])
        if answer and then is not None:
            next_id, delivery, flat = answer
            then.accept(StreamEntry(next_id, {b"d": delivery}, delivery=fields_of(flat)))

    async def retry(self, receiver: str, entry: StreamEntry, delay: timedelta, state: str, error: str) -> None:
        """Count a failed attempt, and try again after `delay`."""
        delay_ms = int(delay.total_seconds() * 1000)
        await self._retry(receiver, entry, delay_ms=delay_ms, state=state, error=error, consumer="", attempts=1)

    async def hold(
        self, receiver: str, entry: StreamEntry, consumer: str, error: str, *, counts: bool, state: str = "held"
    ) -> None:
        """Leave a delivery the oldest of its outbox, because its receiver is held; anybody may claim it at once.

        `consumer` has it now; `counts` says whether this was an attempt; `state` is for people.
        """
        attempts = int(counts)
        await self._retry(receiver, entry, delay_ms=0, state=state, error=error, consumer=consumer, attempts=attempts)

    async def _retry(self, receiver: str, entry: StreamEntry, *, error: str, **facts: object) -> None:
        id_ = text_of(entry.fields, b"d")
        names = [self._keys.outbox(receiver), self._keys.out(id_), self._keys.retry]
        argument = json_argument(entry=entry.id, delivery=id_, error=error[:2000], **facts)
        await self._store.run("retry", names, [argument])

    async def dead_letter(self, receiver: str, entry: StreamEntry, reason: str, detail: str) -> None:
        """Make a delivery that failed for good a dead letter, with the reason."""
        id_ = text_of(entry.fields, b"d")
        names = [self._keys.outbox(receiver), self._keys.dead, self._keys.dead_counts]
        names += [self._keys.ledger, self._keys.out(id_), self._keys.contents("")]
        letter = ("kind", "delivery", "id", id_, "receiver", receiver, "reason", reason, "detail", detail)
        argument = json_argument(group=store_keys.NOTIFY, entry=entry.id, kept_ms=self._kept_ms, letter=letter)
        await self._store.run("dead", names, [argument])

    async def is_due(self) -> bool:
        """Whether `queue_due_retries` or `escalate_due` may find something: one cheap round trip instead of both."""

        def commands(pipe: Any) -> None:
            pipe.time()
            for key in (self._keys.retry, self._keys.later):
                pipe.zrange(key, 0, 0, withscores=True)
                pipe.zrange(key, -1, -1, withscores=True)

        async with self._store.errors():
            (seconds, _), *ends = await self._store.ask(commands)
        first, last = ([score for rows in some for _, score in rows] for some in (ends[::2], ends[1::2]))
        now = (seconds + 1) * 1000  # times further ahead than the scripts accept were written while the clock was wrong
        return any(score <= now for score in first) or any(score > now + _FARTHEST_MS for score in last)

    async def queue_due_retries(self) -> int:
        """Put deliveries whose next attempt is due back into their outbox, at most 100; return how many."""
        return await _queue_retries(self._store, limit=100)

    async def escalate_due(self) -> tuple[int, int]:
        """Queue the escalations that are due, and drop those whose story was answered; return how many of both."""
        keys = self._keys
        names = [keys.later, keys.out(""), keys.outbox(""), keys.handling(""), keys.ledger, keys.sent]
        argument = json_argument(limit=100, kept_ms=self._kept_ms)
        queued, dropped = await self._store.run("escalate", names, [argument])
        return int(queued), int(dropped)

    async def stranded(self, receivers: Sequence[str]) -> dict[str, int]:
        """Return how many deliveries wait for receivers other than these, by name."""
        async with self._store.errors():
            names = sorted(name.decode() for name in await self._store.redis.smembers(self._keys.boxes))
            others = [name for name in names if name not in receivers]
            waiting = [int(await self._store.redis.xlen(self._keys.outbox(name))) for name in others]
        return {name: count for name, count in zip(others, waiting, strict=True) if count}

    async def retry_now(self, receiver: str) -> int:
        """Queue the receiver's deliveries that wait for a later attempt; return how many."""
        return await _retry_now(self._store, receiver)

    async def dead(self) -> int:
        """Return how many dead letters there are."""
        async with self._store.errors():
            return int(await self._store.redis.xlen(self._keys.dead))

    async def unsent(self, receivers: Sequence[str]) -> tuple[int, int]:
        """Return how many deliveries are queued or in progress, and how many wait for a later attempt."""
        async with self._store.errors():
            waiting = [await self._store.redis.xlen(self._keys.outbox(receiver)) for receiver in receivers]
            return sum(waiting), int(await self._store.redis.zcard(self._keys.retry))


class DeliveryAdmin:
    """What an operator may see and do with deliveries."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys

    async def records(self, receiver: str = "") -> tuple[DeliveryRecord, ...]:
        """Return every delivery that has not arrived yet, the oldest first; with `receiver`, only its own."""
        prefix = self._keys.out("")
        # SCAN takes a glob pattern: https://redis.io/docs/latest/commands/scan/
        pattern = "".join(f"\\{char}" if char in "*?[]\\" else char for char in prefix) + "*"
        async with self._store.errors():
            ids = [key.decode().removeprefix(prefix) async for key in self._store.redis.scan_iter(pattern)]
        records = [record for id_ in ids if (record := await self.record(id_)) is not None]
        records = [record for record in records if not receiver or record.receiver == receiver]
        return tuple(
            sorted(records, key=lambda record: (record.created or datetime.max.replace(tzinfo=UTC), record.id))
        )

    async def receivers(self) -> frozenset[str]:
        """Return every receiver that ever had a delivery, configured or not."""
        async with self._store.errors():
            return frozenset(name.decode() for name in await self._store.redis.smembers(self._keys.boxes))

    async def record(self, id_: str) -> DeliveryRecord | None:
        """Return one delivery by its id; None if nothing is known of it (any more)."""
        async with self._store.errors():
            fields = await self._store.redis.hgetall(self._keys.out(id_))
            due = await self._store.redis.zscore(self._keys.retry, id_)
            if due is None:
                due = await self._store.redis.zscore(self._keys.later, id_)
            if not fields and await self._store.redis.zscore(self._keys.sent, id_) is not None:
                return DeliveryRecord(id_, "", "delivered")
            state, receiver = text_of(fields, b"state"), text_of(fields, b"receiver")
            if due is None and state in ("retrying", "unknown"):  # held in its place: its receiver is paused until then
                due = await self._store.redis.hget(self._keys.receiver(receiver), "till")
        if b"receiver" not in fields:
            return None
        return DeliveryRecord(
            id=id_,
            receiver=receiver,
            state=state,
            digest=text_of(fields, b"digest"),
            # RETRY counts attempts; the last one of a dead delivery went through DEAD, which does not.
            attempts=int(fields.get(b"attempts", b"0")) + (state == "dead"),
            replays=int(fields.get(b"replays", b"0")),
            created=from_ms_or_none(fields.get(b"created")),
            due=from_ms_or_none(due),
            error=text_of(fields, b"error"),
            message=MESSAGE.decode_or_none(fields.get(b"message", b"")),
        )

    async def retry_now(self, receiver: str = "", only: Sequence[str] = ()) -> int:
        """Queue deliveries that wait for a later attempt: those of `receiver`, or `only` these ids; return how many."""
        return await _retry_now(self._store, receiver, only)

    async def waiting(self, receiver: str) -> int:
        """Return how many deliveries of the receiver are queued or in progress."""
        async with self._store.errors():
            return int(await self._store.redis.xlen(self._keys.outbox(receiver)))

    async def drop(self, record: DeliveryRecord) -> bool:
        """Delete a waiting delivery; return False if it is gone."""
        async with self._store.errors():
            rows = await self._store.redis.xrange(self._keys.outbox(record.receiver))
        entry = next((id_ for id_, fields in rows if text_of(fields, b"d") == record.id), b"")
        return await drop(self._store, record.receiver, record.id, entry=entry)


async def _retry_now(store: Store, receiver: str, only: Sequence[str] = ()) -> int:
    async with store.errors():
        waiting = int(await store.redis.zcard(store.keys.retry))
    return await _queue_retries(store, limit=waiting, all_=True, receiver=receiver, ids=only) if waiting else 0


async def _queue_retries(
    store: Store, *, limit: int, all_: bool = False, receiver: str = "", ids: Sequence[str] = ()
) -> int:
    names = [store.keys.retry, store.keys.out(""), store.keys.outbox("")]
    argument = json_argument(limit=limit, all=all_, receiver=receiver, ids=ids)
    return int(await store.run("due_retries", names, [argument]))
