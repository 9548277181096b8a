"""The notifier's end of Redis, second half: deliveries on their way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from watchpost.errors import CodecError
from watchpost.model import Delivery, Message
from watchpost.store import keys as store_keys
from watchpost.store.client import Store, ensure_group
from watchpost.store.codec import MESSAGE
from watchpost.store.dead_letters import DeadLetter, _dead_letter, _title
from watchpost.store.receivers import ReceiverState, receiver_state
from watchpost.store.streams import StreamClaims, StreamEntry
from watchpost.store.windows import WindowStore

# what people look up: deliveries and dead letters, hits and messages of the past.


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One delivery on file. `state`: queued, retrying, held, unknown, dead, or delivered (then only the id is left).

    `due` is when the next attempt comes, if a time is set. `message` is None where it cannot be read.
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
        """What it is about."""
        return self.message.subject if self.message is not None else ""


class DeliveryStore(WindowStore):
    """What the notify role may do. `kept_ms` is how long sent ids and dead deliveries are remembered."""

    # ── deliveries ──

    def claims(self, receiver: str, consumer: str, lease_ms: int) -> StreamClaims:
        """The stream of one receiver's deliveries: a slow receiver holds up nobody else."""
        return StreamClaims(self._store, self._keys.outbox(receiver), store_keys.NOTIFY, consumer, lease_ms)

    async def open_box(self, receiver: str) -> None:
        """Make sure the receiver's stream and its group exist (a full server refuses to make them later)."""
        async with self._store.errors():
            await ensure_group(self._store.redis, self._keys.outbox(receiver), store_keys.NOTIFY)

    async def delivery(self, entry: StreamEntry) -> Delivery | None:
        """The frozen delivery of an entry; None if it was done already. Raises CodecError."""
        id_, found = _id(entry), entry.along
        if b"message" not in found:
            async with self._store.errors():
                found = await self._store.redis.hgetall(self._keys.out(id_))
        if b"message" not in found:
            return None
        receiver, message, remembered = found[b"receiver"].decode(), MESSAGE.decode(found[b"message"]), b""
        if message.thread:
            async with self._store.errors():
                remembered = await self._store.redis.get(self._keys.thread(receiver, message.thread)) or b""
        return Delivery(
            id=id_,
            digest=found[b"digest"].decode(),
            receiver=receiver,
            message=message,
            attempt=int(found[b"attempts"]) + 1,
            created=_at(found[b"created"]) or datetime.fromtimestamp(0, UTC),
            remembered=remembered.decode("utf-8", "replace"),
            replays=int(found.get(b"replays", b"0")),
            spent=int(found.get(b"spent", b"0")),
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
        """It arrived. To `then` the receiver's next delivery is handed in the same step, if one waits.

        `remember` is kept for the next message of `thread`, in that step too.
        """
        id_ = _id(entry)
        names = [self._keys.outbox(receiver), self._keys.out(id_), self._keys.sent, self._keys.out("")]
        names += [self._keys.thread(receiver, thread), self._keys.ledger, self._keys.editions]
        noted = remember if thread else ""
        args: list[str | bytes | int] = [entry.id, id_, self._kept_ms, then.consumer if then else "", noted]
        found = await self._store.run("done", names, args)
        if found and then is not None:
            next_id, delivery, flat = found
            then.hand(StreamEntry(next_id, {b"d": delivery}, along=dict(zip(flat[::2], flat[1::2], strict=True))))

    async def retry(self, receiver: str, entry: StreamEntry, delay: timedelta, state: str, error: str) -> None:
        """It did not go through: try again after `delay`."""
        await self._retry(receiver, entry, int(delay.total_seconds() * 1000), state, error, "", 1)

    async def keep(self, receiver: str, entry: StreamEntry, keeper: str, error: str, *, burns: bool) -> None:
        """Its receiver is held: the message stays the oldest one, and anybody may take it over at once.

        `keeper` is the consumer that has it now; `burns` counts this as an attempt.
        """
        await self._retry(receiver, entry, 0, "held", error, keeper, int(burns))

    async def _retry(
        self, receiver: str, entry: StreamEntry, delay_ms: int, state: str, error: str, keeper: str, counts: int
    ) -> None:
        id_ = _id(entry)
        names = [self._keys.outbox(receiver), self._keys.out(id_), self._keys.retry]
        await self._store.run("retry", names, [entry.id, id_, delay_ms, state, error[:2000], keeper, counts])

    async def bury(self, receiver: str, entry: StreamEntry, reason: str, detail: str) -> None:
        """It will never go through: keep it with the reason."""
        id_ = _id(entry)
        names = [self._keys.outbox(receiver), self._keys.dead, self._keys.dead_counts]
        names += [self._keys.ledger, self._keys.out(id_)]
        dead_letter = ["kind", "delivery", "id", id_, "receiver", receiver, "reason", reason, "detail", detail]
        await self._store.run("dead", names, [store_keys.NOTIFY, entry.id, self._kept_ms, *dead_letter])

    async def wake_retries(self, at_most: int = 100, *, all_of_them: bool = False, receiver: str = "") -> int:
        """Deliveries whose time has come go back into their outbox; returns how many. `receiver`: only its own."""
        names = [self._keys.retry, self._keys.out(""), self._keys.outbox("")]
        return int(await self._store.run("due_retries", names, [at_most, "1" if all_of_them else "0", receiver]))

    async def stranded(self, receivers: Sequence[str]) -> dict[str, int]:
        """Deliveries for receivers other than these: name → how many wait."""
        async with self._store.errors():
            names = sorted(name.decode() for name in await self._store.redis.smembers(self._keys.boxes))
            others = [name for name in names if name not in receivers]
            waiting = [int(await self._store.redis.xlen(self._keys.outbox(name))) for name in others]
        return {name: count for name, count in zip(others, waiting, strict=True) if count}

    async def dead(self) -> int:
        """How many dead letters there are."""
        async with self._store.errors():
            return int(await self._store.redis.xlen(self._keys.dead))

    async def unsent(self, receivers: Sequence[str]) -> tuple[int, int]:
        """(deliveries waiting or in flight, deliveries parked for a later attempt)."""
        async with self._store.errors():
            waiting = [await self._store.redis.xlen(self._keys.outbox(receiver)) for receiver in receivers]
            return sum(waiting), int(await self._store.redis.zcard(self._keys.retry))


def _id(entry: StreamEntry) -> str:
    """The delivery's id; "" in an entry that we did not write."""
    return entry.fields.get(b"d", b"").decode("utf-8", "replace")


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _at(raw: bytes | None) -> datetime | None:
    return None if raw is None else datetime.fromtimestamp(int(raw) / 1000, UTC)


# The operator's end of Redis: deliveries and dead letters looked at, sent again, or given up.


class DeliveryAdmin:
    """What an operator may see and do."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys

    async def state(self, receiver: str) -> ReceiverState:
        """How a receiver stands."""
        async with self._store.errors():
            return receiver_state(await self._store.redis.hgetall(self._keys.receiver(receiver)))

    async def cases(self, receiver: str = "") -> tuple[DeliveryRecord, ...]:
        """Every delivery that is not delivered yet, the oldest first; `receiver`: only its own."""
        prefix = self._keys.out("")
        async with self._store.errors():
            ids = [key.decode().removeprefix(prefix) async for key in self._store.redis.scan_iter(f"{_glob(prefix)}*")]
        found = [case for id_ in ids if (case := await self.case(id_)) is not None]
        found = [case for case in found if not receiver or case.receiver == receiver]
        return tuple(sorted(found, key=lambda case: (case.created or datetime.max.replace(tzinfo=UTC), case.id)))

    async def receivers(self) -> frozenset[str]:
        """Every receiver that ever had a delivery, configured still or not."""
        async with self._store.errors():
            return frozenset(name.decode() for name in await self._store.redis.smembers(self._keys.boxes))

    async def case(self, id_: str) -> DeliveryRecord | None:
        """One delivery by its id; None if nothing is known of it (any more)."""
        async with self._store.errors():
            found = await self._store.redis.hgetall(self._keys.out(id_))
            due = await self._store.redis.zscore(self._keys.retry, id_)
            if not found and await self._store.redis.zscore(self._keys.sent, id_) is not None:
                return DeliveryRecord(id_, "", "delivered")
        if b"receiver" not in found:
            return None
        try:
            message = MESSAGE.decode(found.get(b"message", b""))
        except CodecError:
            message = None
        state, tried = found.get(b"state", b"").decode(), int(found.get(b"attempts", b"0"))
        return DeliveryRecord(
            id=id_,
            receiver=found[b"receiver"].decode(),
            state=state,
            digest=found.get(b"digest", b"").decode(),
            attempts=tried + (state == "dead"),  # RETRY counts; the attempt that was the last one went to DEAD
            replays=int(found.get(b"replays", b"0")),
            created=_at_desk(found.get(b"created")),
            due=_at_desk(due),
            error=found.get(b"error", b"").decode("utf-8", "replace"),
            message=message,
        )

    async def dead_letters(self) -> tuple[DeadLetter, ...]:
        """Every dead letter, the oldest first."""
        async with self._store.errors():
            rows = await self._store.redis.xrange(self._keys.dead)
        return tuple(_dead_letter(id_, fields) for id_, fields in rows)

    async def requeue(self, dead_letter: DeadLetter) -> bool:
        """Send it again as it was; False if nothing is left of it."""
        keys = self._keys
        names = [keys.dead, keys.articles, keys.out(dead_letter.delivery), keys.outbox(dead_letter.receiver), keys.open]
        names += [keys.bucket(dead_letter.group), keys.parked, keys.ledger, keys.dead_counts]
        return bool((await self._store.run("requeue", names, [dead_letter.id, dead_letter.group]))[0] == b"OK")

    async def hurry(self, receiver: str = "", only: Sequence[str] = ()) -> int:
        """Deliveries that wait for a later attempt go now: only the receiver's, `only` these. Returns how many."""
        names, moved = [self._keys.retry, self._keys.out(""), self._keys.outbox("")], 0
        async with self._store.errors():
            waiting = int(await self._store.redis.zcard(self._keys.retry))
        if waiting:
            moved = int(await self._store.run("due_retries", names, [waiting, "1", receiver, *only]))
        return moved

    async def read_now(self, feed: str, lease_ms: int) -> str:
        """Make a feed due: "NOW"; "SOON" if it is read within a lease anyway; "NONE" if it is not scheduled."""
        return str((await self._store.run("read_now", [self._keys.feeds], [feed, lease_ms])).decode())

    async def drop(self, case: DeliveryRecord) -> bool:
        """Give up a delivery that waits; False if it is gone already."""
        async with self._store.errors():
            rows = await self._store.redis.xrange(self._keys.outbox(case.receiver))
        entry = next((id_ for id_, fields in rows if fields.get(b"d", b"").decode() == case.id), b"")
        return await self._drop(case.receiver, case.id, entry, "")

    async def drop_letter(self, dead_letter: DeadLetter) -> bool:
        """Throw a dead letter away, with the message that it speaks of; False if it is gone already."""
        return await self._drop(dead_letter.receiver, dead_letter.delivery, b"", dead_letter.id)

    async def _drop(self, receiver: str, delivery: str, entry: bytes, dead_letter: str) -> bool:
        keys = self._keys
        names = [keys.outbox(receiver), keys.out(delivery), keys.retry, keys.dead, keys.dead_counts, keys.ledger]
        return bool(await self._store.run("drop", names, [delivery, entry, dead_letter]))

    async def articles(self, count: int) -> tuple[str, ...]:
        """The titles of the oldest articles that wait to be matched."""
        async with self._store.errors():
            rows = await self._store.redis.xrange(self._keys.articles, count=count)
        return tuple(_title(fields.get(b"a", b"")) for _, fields in rows)


def _glob(text: str) -> str:
    """A key's prefix as SCAN must be given it."""
    return "".join(f"\\{char}" if char in "*?[]\\" else char for char in text)


def _at_desk(raw: bytes | float | None) -> datetime | None:
    return None if raw is None else datetime.fromtimestamp(int(raw) / 1000, UTC)
