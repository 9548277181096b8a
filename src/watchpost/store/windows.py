"""Groups and their windows: the hits that wait, and CLOSE_DUE, which turns them into deliveries."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from redis import exceptions

from watchpost.errors import CodecError
from watchpost.model import Contents, Delivery, EscalatedDelivery, Hit, WindowFates
from watchpost.store.client import Call, Store, json_argument, pause
from watchpost.store.codec import HIT, MESSAGE, delivery_facts, escalation_facts, from_ms_or_none, to_ms
from watchpost.store.events import EventOfStory, EventStore

N = TypeVar("N", bound=str)
AT_MOST_HITS = 5000  # of one digest; the others go into the next one
_NO_CHANNEL_SECONDS = 60  # until a user without rights on the channel tries again
HISTORY_MS = 30 * 24 * 3_600_000
HELD = "|held"
"""Ends the key of the group that keeps what another one holds back: a bucket of its own, due at a set time."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A group with its waiting hits: since when they wait, when its window last closed, and when it was last sent.

    `taken` counts the entries read, readable or not: so many leave the bucket when the window closes. `raw` are the
    bytes of each of the `hits`; `damaged` are the reasons and the bytes of those that cannot be read. `notes` hold what
    was stored of the hits' stories when the group was last sent them, by story. `over` counts by topic the hits beyond
    its limit; `silenced` those that silences dropped since the group was last sent; `sent_this_hour` how many
    messages its receiver got in this hour. `fingerprint` names the configuration under which the group was last sent.
    `events` are those of the hits' stories, by story; `notes` has what was stored of them, too, and
    `links` those of all stories of each event.
    """

    group: str
    turn: str
    taken: int
    hits: tuple[Hit, ...]
    opened: datetime | None
    closed: datetime | None
    last_sent: datetime | None
    notes: Mapping[str, str] = field(default_factory=dict, hash=False)
    raw: tuple[bytes, ...] = ()
    damaged: tuple[tuple[str, bytes], ...] = ()
    over: Mapping[str, int] = field(default_factory=dict, hash=False)
    silenced: int = 0
    sent_this_hour: int = 0
    fingerprint: str = ""
    events: Mapping[str, EventOfStory] = field(default_factory=dict, hash=False)
    links: Mapping[str, tuple[EventOfStory, ...]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class GroupState:
    """The cheap part of Bucket: enough to decide whether a window is due.

    What is held waits `until` then; `flooded` is when the first hit beyond a topic's limit came.
    """

    opened: datetime | None
    closed: datetime | None
    last_sent: datetime | None
    until: datetime | None = None
    flooded: datetime | None = None


@dataclass(frozen=True, slots=True)
class Withheld:
    """What a window does not send: hits `held` until a moment, by their bytes, and how many were `silenced`.

    `back`: they stay in the group, for its next window, and not in one of their own. `over` counts by topic the hits
    beyond a limit, which its digest reports instead.
    """

    held: tuple[bytes, ...] = ()
    until: datetime | None = None
    silenced: int = 0
    over: Mapping[str, int] = field(default_factory=dict, hash=False)
    back: bool = False


def base_of(group: str) -> str:
    """Return the group whose hits are held in this one, or the group itself."""
    return group.removesuffix(HELD)


class WindowStore:
    """Groups and their windows.

    What was sent of a story is remembered for `kept_ms`, and what became of a hit for `hits_ms`.
    """

    def __init__(self, store: Store, *, kept_ms: int, hits_ms: int = HISTORY_MS) -> None:
        self._store = store
        self._keys = store.keys
        self._kept_ms = kept_ms
        self._hits_ms = hits_ms

    async def register(self, groups: Sequence[str], now: datetime) -> None:
        """Store that the first window of each of these groups starts now, unless the group is known."""
        async with self._store.errors():
            for group in groups:
                # Read first: a full server refuses even a write that changes nothing.
                if not await self._store.redis.hexists(self._keys.group(group), "closed"):
                    await self._store.redis.hsetnx(self._keys.group(group), "closed", to_ms(now))

    async def group_states(self, groups: Sequence[str]) -> dict[str, GroupState]:
        """Return the state of each of these groups, and of every other group that has hits waiting."""
        return (await self.look(groups))[1]

    async def look(self, groups: Sequence[str]) -> tuple[datetime, dict[str, GroupState]]:
        """Return the server's time, and what `group_states` returns: in one round trip if no other group has hits."""

        def commands(pipe: Any) -> None:
            pipe.time()
            pipe.hgetall(self._keys.open)
            self._ask_for(pipe, groups)

        async with self._store.errors():
            (seconds, micros), waiting, *rows = await self._store.ask(commands)
            opened = {key.decode(): value for key, value in waiting.items()}
            others = [name for name in opened if name not in groups]
            if others:
                pipe = self._store.redis.pipeline(transaction=False)
                self._ask_for(pipe, others)
                rows += await pipe.execute()
        states = {
            name: GroupState(*map(from_ms_or_none, (opened.get(name), *times, flooded)))
            for name, times, flooded in zip((*groups, *others), rows[::2], rows[1::2], strict=True)
        }
        return datetime.fromtimestamp(seconds + micros / 1_000_000, UTC), states

    def _ask_for(self, pipe: Any, groups: Sequence[str]) -> None:
        for name in groups:
            pipe.hmget(self._keys.group(name), "closed", "told", "until")
            pipe.hget(self._keys.over(name), "")

    async def peek(self, group: str) -> Bucket:
        """Return a group with its waiting hits, read at one instant."""
        base = base_of(group)
        hour = int((await self.now()).timestamp()) // 3600
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=True)
            pipe.lrange(self._keys.bucket(group), 0, AT_MOST_HITS - 1)
            pipe.hget(self._keys.open, group)
            pipe.hget(self._keys.group(group), "turn")
            pipe.hmget(self._keys.group(base), "closed", "told", "silenced", "plan")
            pipe.hgetall(self._keys.over(base))
            pipe.get(self._keys.quota(base.partition("|")[0], hour))
            pipe.exists(self._keys.joined)
            entries, opened, turn, (closed, told, silenced, plan), over, sent, joined = await pipe.execute()
        hits, damaged = await asyncio.to_thread(_read, entries)  # 5,000 hits take more than a second
        stories = list(dict.fromkeys(hit.story for hit, _ in hits))
        events = await EventStore(self._store).events_of(stories) if joined else {}
        links = await EventStore(self._store).links_of(one.event for one in events.values()) if events else {}
        told_of = dict.fromkeys([*stories, *(one.event for one in events.values())])
        return Bucket(
            group=group,
            turn=(turn or b"0").decode(),
            taken=len(entries),
            hits=tuple(hit for hit, _ in hits),
            opened=from_ms_or_none(opened),
            closed=from_ms_or_none(closed),
            last_sent=from_ms_or_none(told),
            notes=await self._notes(base, list(told_of)),
            events=events,
            links=links,
            raw=tuple(data for _, data in hits),
            damaged=tuple(damaged),
            over={topic.decode(): int(count) for topic, count in over.items() if topic},
            silenced=int(silenced or 0),
            sent_this_hour=int(sent or 0),
            fingerprint=(plan or b"").decode("utf-8", "replace"),
        )

    async def _notes(self, group: str, stories: Sequence[str]) -> dict[str, str]:
        """They change only when the group's turn does, so reading them after the hits is early enough."""
        if not stories:
            return {}
        async with self._store.errors():
            notes = await self._store.redis.mget([self._keys.told(group, story) for story in stories])
        pairs = zip(stories, notes, strict=True)
        return {story: note.decode("utf-8", "replace") for story, note in pairs if note is not None}

    async def close(
        self,
        bucket: Bucket,
        window_end: datetime,
        deliveries: Sequence[Delivery],
        notes: Mapping[str, str] | None = None,
        withheld: Withheld = Withheld(),
        *,
        fingerprint: str = "",
        fates: WindowFates | None = None,
        escalations: Sequence[EscalatedDelivery] = (),
    ) -> bool:
        """Close a window in one atomic step.

        Its hits leave the bucket; some are held, and the damaged ones become dead letters. Its deliveries enter the
        outbox, and `notes` of what they say of each story are stored. Without `fates` its deliveries together name all
        hits that leave. The `escalations` of its stories wait until they are due.

        Return False if another notifier closed it first; then nothing was written.
        """
        names, arguments = await asyncio.to_thread(  # the names of 5,000 hits, and megabytes of messages
            self._closing, bucket, window_end, deliveries, notes or {}, withheld, fingerprint, fates, escalations
        )
        answer = await self._store.run("close_due", names, arguments)
        return bool(answer[0] == b"OK")

    def _closing(
        self,
        bucket: Bucket,
        window_end: datetime,
        deliveries: Sequence[Delivery],
        notes: Mapping[str, str],
        withheld: Withheld,
        fingerprint: str,
        fates: WindowFates | None,
        escalations: Sequence[EscalatedDelivery],
    ) -> Call:
        """The keys and arguments of CLOSE_DUE."""
        group, base, keys = bucket.group, base_of(bucket.group), self._keys
        held = group if withheld.back else base + HELD
        names = [keys.bucket(group), keys.open, keys.group(group), keys.out(""), keys.outbox(""), keys.boxes]
        names += [keys.told(base, ""), keys.ledger, keys.bucket(held), keys.group(held)]
        names += [keys.group(base), keys.over(base), keys.quota(base.partition("|")[0], "")]
        names += [keys.dead, keys.dead_counts, keys.contents(""), keys.hit(""), keys.later, keys.sent]
        gone = _gone(bucket, withheld)
        if fates is None:
            fates = _all_named(gone, deliveries)
            deliveries = [replace(each, contents=fates.contents[0].id) for each in deliveries]
        argument = json_argument(
            group=group,
            turn=bucket.turn,
            end_ms=to_ms(window_end),
            taken=bucket.taken,
            deliveries=delivery_facts(deliveries),
            plan=fingerprint,
            notes=list(notes.items()),
            notes_ttl_ms=self._kept_ms,
            held_group=held,
            held_until=to_ms(withheld.until or window_end),
            held=len(withheld.held),
            silenced=withheld.silenced,
            over=list(withheld.over.items()),
            damaged=[why for why, _ in bucket.damaged],
            gone=list(gone.items()),
            contents=[
                {"id": one.id, "ids": one.deliveries, "sums": _sums(one.hits)}
                for one in fates.contents
                if one.deliveries
            ],
            ended=_sums(fates.ended),
            known=_sums(fates.known),
            fates=fates.hits,
            kept_ms=self._hits_ms,
            escalations=escalation_facts(escalations),
        )
        last = [MESSAGE.encode(each.delivery.message) for each in escalations]
        messages = [MESSAGE.encode(delivery.message) for delivery in deliveries]
        damaged = [data for _, data in bucket.damaged]
        return names, [argument, *messages, *withheld.held, *damaged, *last]

    async def new_hits(self, stop: asyncio.Event) -> AsyncIterator[None]:
        """Yield when a group gets a hit, and first when that will be noticed.

        It is only a hint: while the server is away, nothing comes. It ends when the store makes new connections. For a
        user without rights on the channel it yields each second, and tries again after a minute.
        """
        renewals = self._store.renewals
        async with self._store.errors():
            pubsub = self._store.blocking.pubsub()
            try:
                await pubsub.subscribe(self._keys.parked)
                while not stop.is_set() and renewals == self._store.renewals:
                    if await pubsub.get_message(timeout=self._store.block_ms / 1000):  # the first says that it listens
                        yield None
            except exceptions.NoPermissionError:
                for _ in range(_NO_CHANNEL_SECONDS):
                    await pause(1.0, stop)
                    yield None
            finally:
                await pubsub.aclose()

    async def waiting_groups(self) -> int:
        """Return how many groups have hits that wait and are not held back."""
        async with self._store.errors():
            return sum(not key.endswith(HELD.encode()) for key in await self._store.redis.hkeys(self._keys.open))

    async def now(self) -> datetime:
        """Return the server's time: hits and windows are dated by it."""
        async with self._store.errors():
            seconds, micros = await self._store.redis.time()
        return datetime.fromtimestamp(seconds + micros / 1_000_000, UTC)


def _gone(bucket: Bucket, withheld: Withheld) -> Counter[str]:
    """How many readable hits leave the bucket for good, by topic."""
    held = set(withheld.held)
    return Counter(hit.topic for hit, data in zip(bucket.hits, bucket.raw, strict=True) if data not in held)


def _all_named(gone: Mapping[str, int], deliveries: Sequence[Delivery]) -> WindowFates:
    if not deliveries:
        return WindowFates(ended={(topic, "copies"): count for topic, count in gone.items()})
    ids = tuple(delivery.id for delivery in deliveries)
    return WindowFates((Contents(ids[0], ids, {(topic, "named"): count for topic, count in gone.items()}),))


def _sums(counts: Mapping[tuple[str, N], int]) -> list[tuple[str, N, int]]:
    return [(*names, count) for names, count in counts.items()]


def _read(entries: Sequence[bytes]) -> tuple[list[tuple[Hit, bytes]], list[tuple[str, bytes]]]:
    """The hits with their bytes, and for each that cannot be read the reason with its bytes."""
    hits: list[tuple[Hit, bytes]] = []
    damaged: list[tuple[str, bytes]] = []
    for data in entries:
        try:
            hits.append((decode_hit(data), data))
        except CodecError as error:
            damaged.append((str(error), data))
    return hits, damaged


def decode_hit(data: bytes) -> Hit:
    """Return a waiting hit with the story that scripts/matched.lua put in front of it. Raises CodecError."""
    if data[:2] != b"s1":
        return HIT.decode(data)
    try:
        story, end = data[2:34].decode(), 38 + int(data[34:38])
        voice = data[38:end].decode("utf-8", "replace")
    except ValueError as error:
        raise CodecError(f"Hit: damaged ({error})") from error
    return replace(HIT.decode(data[end:]), story=story, voice=voice)


def decode_hit_or_none(data: bytes) -> Hit | None:
    """Return a waiting hit, or None if this version cannot read it."""
    try:
        return decode_hit(data)
    except CodecError:
        return None
