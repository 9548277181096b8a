"""The notifier's end of Redis: parked hits, windows that close, deliveries on their way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from watchpost.errors import CodecError
from watchpost.model import Delivery, Hit
from watchpost.wire import keys
from watchpost.wire.codec import HIT, MESSAGE
from watchpost.wire.store import Store, ensure_group
from watchpost.wire.stream import Claims, Entry

AT_MOST_HITS = 5000  # of one digest; what is beyond goes into the next


@dataclass(frozen=True, slots=True)
class Parked:
    """A group as it stands: what is parked, since when, and when it was last closed and last told anything.

    `taken` counts the entries read, readable or not: so many leave the bucket when the window closes.
    `notes` are what was noted of the hits' stories when the group was last told of them, by story.
    """

    group: str
    turn: str
    taken: int
    hits: tuple[Hit, ...]
    opened: datetime | None
    closed: datetime | None
    told: datetime | None
    notes: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """The cheap part of Parked: enough to decide whether a window is due."""

    opened: datetime | None
    closed: datetime | None
    told: datetime | None


class Outbox:
    """What the notify role may do. `kept_ms` is how long sent ids and dead deliveries are remembered."""

    def __init__(self, store: Store, *, kept_ms: int) -> None:
        self._store = store
        self._keys = store.keys
        self._kept_ms = kept_ms

    # ── groups ──

    async def enrol(self, groups: Sequence[str], now: datetime) -> None:
        """Know these groups from now on: their first window starts now, unless they were known before."""
        async with self._store.errors():
            for group in groups:
                # Asked first: a server without memory refuses to write what is there already.
                if not await self._store.redis.hexists(self._keys.group(group), "closed"):
                    await self._store.redis.hsetnx(self._keys.group(group), "closed", _ms(now))

    async def standing(self, groups: Sequence[str]) -> dict[str, Standing]:
        """How each of these groups stands, and every other group that has something parked."""
        async with self._store.errors():
            opened = {key.decode(): value for key, value in (await self._store.redis.hgetall(self._keys.open)).items()}
            names = list(dict.fromkeys([*groups, *opened]))
            pipe = self._store.redis.pipeline(transaction=False)
            for name in names:
                pipe.hmget(self._keys.group(name), "closed", "told")
            rows = await pipe.execute()
        return {
            name: Standing(_at(opened.get(name)), _at(closed), _at(told))
            for name, (closed, told) in zip(names, rows, strict=True)
        }

    async def peek(self, group: str) -> Parked:
        """What is parked for a group, read at one instant. Unreadable hits are counted in `taken` only."""
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=True)
            pipe.lrange(self._keys.bucket(group), 0, AT_MOST_HITS - 1)
            pipe.hget(self._keys.open, group)
            pipe.hmget(self._keys.group(group), "turn", "closed", "told")
            raw, opened, (turn, closed, told) = await pipe.execute()
        hits = []
        for data in raw:
            try:
                hits.append(parked_hit(data))
            except CodecError as error:
                await self._bury_hit(group, data, str(error))
        notes = await self._notes(group, list(dict.fromkeys(hit.story for hit in hits)))
        return Parked(group, (turn or b"0").decode(), len(raw), tuple(hits), _at(opened), _at(closed), _at(told), notes)

    async def _notes(self, group: str, stories: Sequence[str]) -> dict[str, str]:
        """They change only when the group's turn does, so reading them after the hits is early enough."""
        if not stories:
            return {}
        async with self._store.errors():
            found = await self._store.redis.mget([self._keys.told(group, story) for story in stories])
        pairs = zip(stories, found, strict=True)
        return {story: note.decode("utf-8", "replace") for story, note in pairs if note is not None}

    async def _bury_hit(self, group: str, data: bytes, why: str) -> None:
        letter: dict[str, str | bytes] = {"kind": "hit", "reason": "codec", "detail": why, "payload": data}
        letter |= {"group": group, "at": str(_ms(await self.now()))}
        async with self._store.errors():
            await self._store.redis.xadd(self._keys.dead, letter, maxlen=10_000, approximate=True)

    async def close(
        self,
        parked: Parked,
        window_end: datetime,
        deliveries: Sequence[Delivery],
        notes: Mapping[str, str] | None = None,
    ) -> bool:
        """End a window: its hits leave the bucket, its deliveries enter the outbox, and `notes` of what they tell of
        each story are kept as long as sent ids; or nothing of that.

        False: another notifier closed it first, nothing was written.
        """
        group = parked.group
        args: list[str | bytes | int] = [group, parked.turn, _ms(window_end), parked.taken, len(deliveries)]
        for delivery in deliveries:
            args += [delivery.id, delivery.receiver, delivery.digest, _ms(delivery.created)]
            args.append(MESSAGE.encode(delivery.message))
        args += [self._kept_ms, len(notes or {}), *(part for pair in (notes or {}).items() for part in pair)]
        names = [self._keys.bucket(group), self._keys.open, self._keys.group(group), self._keys.out("")]
        answer = await self._store.run(
            "close_due",
            [*names, self._keys.outbox(""), self._keys.boxes, self._keys.told(group, ""), self._keys.ledger],
            args,
        )
        return bool(answer[0] == b"OK")

    async def hints(self, stop: asyncio.Event) -> AsyncIterator[None]:
        """Yields when somebody parked a hit; only a hint, and silent while the server is away."""
        async with self._store.errors():
            pubsub = self._store.blocking.pubsub()
            try:
                await pubsub.subscribe(self._keys.parked)
                while not stop.is_set():
                    if await pubsub.get_message(ignore_subscribe_messages=True, timeout=0.5):
                        yield None
            finally:
                await pubsub.aclose()

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
        id_, found = _id(entry), entry.fields
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
    ) -> Entry | None:
        """It arrived. With `then`, the receiver's next delivery is claimed in the same step, if one waits.

        `remember` is kept for the next message of `thread`, in that step too.
        """
        id_ = _id(entry)
        names = [self._keys.outbox(receiver), self._keys.out(id_), self._keys.sent, self._keys.out("")]
        names += [self._keys.thread(receiver, thread), self._keys.ledger, self._keys.editions]
        noted = remember if thread else ""
        args: list[str | bytes | int] = [entry.id, id_, self._kept_ms, then.consumer if then else "", noted]
        found = await self._store.run("done", names, args)
        if not found or then is None:
            return None
        next_id, delivery, flat = found
        following = Entry(next_id, {b"d": delivery, **dict(zip(flat[::2], flat[1::2], strict=True))})
        then.hold(following)
        return following

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
        names = [self._keys.outbox(receiver), self._keys.dead, self._keys.ledger, self._keys.out(id_)]
        letter = ["kind", "delivery", "id", id_, "receiver", receiver, "reason", reason, "detail", detail]
        await self._store.run("dead", names, [keys.NOTIFY, entry.id, self._kept_ms, *letter])

    async def give_back(self, receiver: str, entry: Entry) -> None:
        """An attempt was broken off on purpose (we end, or begin again): as if it had not been taken."""
        await self._store.run("give_back", [self._keys.outbox(receiver)], [keys.NOTIFY, entry.id, "d", _id(entry)])

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

    async def parked(self) -> int:
        """How many groups have hits that no closed window has taken."""
        async with self._store.errors():
            return int(await self._store.redis.hlen(self._keys.open))

    async def dead(self) -> int:
        """How many dead letters there are."""
        async with self._store.errors():
            return int(await self._store.redis.xlen(self._keys.dead))

    async def now(self) -> datetime:
        """The store's time: the one by which hits were parked."""
        async with self._store.errors():
            seconds, micros = await self._store.redis.time()
        return datetime.fromtimestamp(seconds + micros / 1_000_000, UTC)

    async def unsent(self, receivers: Sequence[str]) -> tuple[int, int]:
        """(deliveries waiting or in flight, deliveries parked for a later attempt)."""
        async with self._store.errors():
            waiting = [await self._store.redis.xlen(self._keys.outbox(receiver)) for receiver in receivers]
            return sum(waiting), int(await self._store.redis.zcard(self._keys.retry))


def parked_hit(data: bytes) -> Hit:
    """A parked hit with the story that MATCHED gave it: see scripts/matched.lua. Raises CodecError."""
    if data[:2] != b"s1":
        return HIT.decode(data)
    try:
        story, end = data[2:34].decode(), 38 + int(data[34:38])
        voice = data[38:end].decode("utf-8", "replace")
    except ValueError as error:
        raise CodecError(f"Hit: damaged ({error})") from error
    return replace(HIT.decode(data[end:]), story=story, voice=voice)


def _id(entry: Entry) -> str:
    """The delivery's id; "" in an entry that we did not write."""
    return entry.fields.get(b"d", b"").decode("utf-8", "replace")


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _at(raw: bytes | None) -> datetime | None:
    return None if raw is None else datetime.fromtimestamp(int(raw) / 1000, UTC)
