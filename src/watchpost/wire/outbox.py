"""The notifier's end of Redis, second half: deliveries on their way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from watchpost.model import Delivery
from watchpost.wire import keys
from watchpost.wire.codec import MESSAGE
from watchpost.wire.store import ensure_group
from watchpost.wire.stream import Claims, Entry
from watchpost.wire.windows import Windows


class Outbox(Windows):
    """What the notify role may do. `kept_ms` is how long sent ids and dead deliveries are remembered."""

    # ── deliveries ──

    def claims(self, receiver: str, consumer: str, lease_ms: int) -> Claims:
        """The stream of one receiver's deliveries: a slow receiver holds up nobody else."""
        return Claims(self._store, self._keys.outbox(receiver), keys.NOTIFY, consumer, lease_ms)

    async def open_box(self, receiver: str) -> None:
        """Make sure the receiver's stream and its group exist (a full server refuses to make them later)."""
        async with self._store.errors():
            await ensure_group(self._store.redis, self._keys.outbox(receiver), keys.NOTIFY)

    async def delivery(self, entry: Entry) -> Delivery | None:
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
        self, receiver: str, entry: Entry, *, then: Claims | None = None, thread: str = "", remember: str = ""
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
            then.hand(Entry(next_id, {b"d": delivery}, along=dict(zip(flat[::2], flat[1::2], strict=True))))

    async def retry(self, receiver: str, entry: Entry, delay: timedelta, state: str, error: str) -> None:
        """It did not go through: try again after `delay`."""
        await self._retry(receiver, entry, int(delay.total_seconds() * 1000), state, error, "", 1)

    async def keep(self, receiver: str, entry: Entry, keeper: str, error: str, *, burns: bool) -> None:
        """Its receiver is held: the message stays the oldest one, and anybody may take it over at once.

        `keeper` is the consumer that has it now; `burns` counts this as an attempt.
        """
        await self._retry(receiver, entry, 0, "held", error, keeper, int(burns))

    async def _retry(
        self, receiver: str, entry: Entry, delay_ms: int, state: str, error: str, keeper: str, counts: int
    ) -> None:
        id_ = _id(entry)
        names = [self._keys.outbox(receiver), self._keys.out(id_), self._keys.retry]
        await self._store.run("retry", names, [entry.id, id_, delay_ms, state, error[:2000], keeper, counts])

    async def bury(self, receiver: str, entry: Entry, reason: str, detail: str) -> None:
        """It will never go through: keep it with the reason."""
        id_ = _id(entry)
        names = [self._keys.outbox(receiver), self._keys.dead, self._keys.dead_counts]
        names += [self._keys.ledger, self._keys.out(id_)]
        letter = ["kind", "delivery", "id", id_, "receiver", receiver, "reason", reason, "detail", detail]
        await self._store.run("dead", names, [keys.NOTIFY, entry.id, self._kept_ms, *letter])

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


def _id(entry: Entry) -> str:
    """The delivery's id; "" in an entry that we did not write."""
    return entry.fields.get(b"d", b"").decode("utf-8", "replace")


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _at(raw: bytes | None) -> datetime | None:
    return None if raw is None else datetime.fromtimestamp(int(raw) / 1000, UTC)
