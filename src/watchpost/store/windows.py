"""The notifier's end of Redis, first half: parked hits, and windows that close."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from watchpost.errors import CodecError
from watchpost.model import Delivery, Hit
from watchpost.store.client import Store
from watchpost.store.codec import HIT, MESSAGE

AT_MOST_HITS = 5000  # of one digest; what is beyond goes into the next
HELD = "|held"
"""Ends the key of the group that keeps what another one holds back: a bucket of its own, opened at a set time."""

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Bucket:
    """A group as it stands: what is parked, since when, and when it was last closed and last told anything.

    `taken` counts the entries read, readable or not: so many leave the bucket when the window closes. `raw` are the
    bytes of each of the `hits`; `damaged` are those that cannot be read: why, and their bytes. `notes` are what was
    noted of the hits' stories when the group was last told of them, by story. `over` counts by topic what came beyond
    its limit and was not parked; `silenced` what silences swallowed since the group was last told anything; `editions`
    what its receiver got in this hour. `plan` names the configuration under which it was last told anything.
    """

    group: str
    turn: str
    taken: int
    hits: tuple[Hit, ...]
    opened: datetime | None
    closed: datetime | None
    told: datetime | None
    notes: Mapping[str, str] = field(default_factory=dict, hash=False)
    raw: tuple[bytes, ...] = ()
    damaged: tuple[tuple[str, bytes], ...] = ()
    over: Mapping[str, int] = field(default_factory=dict, hash=False)
    silenced: int = 0
    editions: int = 0
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class GroupState:
    """The cheap part of Parked: enough to decide whether a window is due.

    `until`: what is held waits so long. `flooded`: since when hits beyond a topic's limit are only counted.
    """

    opened: datetime | None
    closed: datetime | None
    told: datetime | None
    until: datetime | None = None
    flooded: datetime | None = None


@dataclass(frozen=True, slots=True)
class Withheld:
    """What a window does not tell: hits `held` until a moment, by their bytes, and how many were `silenced`.

    `over` are the counts by topic, beyond a limit, that its edition tells instead.
    """

    held: tuple[bytes, ...] = ()
    until: datetime | None = None
    silenced: int = 0
    over: Mapping[str, int] = field(default_factory=dict, hash=False)


def base_of(group: str) -> str:
    """The group whose hits are held in this one, or the group itself."""
    return group.removesuffix(HELD)


class WindowStore:
    """Groups and their windows. `kept_ms` is how long what was told of a story is remembered."""

    def __init__(self, store: Store, *, kept_ms: int) -> None:
        self._store = store
        self._keys = store.keys
        self._kept_ms = kept_ms

    async def register(self, groups: Sequence[str], now: datetime) -> None:
        """Know these groups from now on: their first window starts now, unless they were known before."""
        async with self._store.errors():
            for group in groups:
                # Asked first: a server without memory refuses to write what is there already.
                if not await self._store.redis.hexists(self._keys.group(group), "closed"):
                    await self._store.redis.hsetnx(self._keys.group(group), "closed", _ms(now))

    async def group_states(self, groups: Sequence[str]) -> dict[str, GroupState]:
        """How each of these groups stands, and every other group that has something parked."""
        async with self._store.errors():
            opened = {key.decode(): value for key, value in (await self._store.redis.hgetall(self._keys.open)).items()}
            names = list(dict.fromkeys([*groups, *opened]))
            pipe = self._store.redis.pipeline(transaction=False)
            for name in names:
                pipe.hmget(self._keys.group(name), "closed", "told", "until")
                pipe.hget(self._keys.over(name), "")
            rows = await pipe.execute()
        return {
            name: GroupState(_at(opened.get(name)), _at(closed), _at(told), _at(until), _at(flooded))
            for name, (closed, told, until), flooded in zip(names, rows[::2], rows[1::2], strict=True)
        }

    async def peek(self, group: str) -> Bucket:
        """What is parked for a group, read at one instant."""
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
            raw, opened, turn, (closed, told, silenced, config), over, editions = await pipe.execute()
        hits: list[tuple[Hit, bytes]] = []
        damaged: list[tuple[str, bytes]] = []
        for data in raw:
            try:
                hits.append((decode_hit(data), data))
            except CodecError as error:
                damaged.append((str(error), data))
        return Bucket(
            group,
            (turn or b"0").decode(),
            len(raw),
            tuple(hit for hit, _ in hits),
            _at(opened),
            _at(closed),
            _at(told),
            await self._notes(base, list(dict.fromkeys(hit.story for hit, _ in hits))),
            tuple(data for _, data in hits),
            tuple(damaged),
            {topic.decode(): int(count) for topic, count in over.items() if topic},
            int(silenced or 0),
            int(editions or 0),
            (config or b"").decode("utf-8", "replace"),
        )

    async def _notes(self, group: str, stories: Sequence[str]) -> dict[str, str]:
        """They change only when the group's turn does, so reading them after the hits is early enough."""
        if not stories:
            return {}
        async with self._store.errors():
            found = await self._store.redis.mget([self._keys.told(group, story) for story in stories])
        pairs = zip(stories, found, strict=True)
        return {story: note.decode("utf-8", "replace") for story, note in pairs if note is not None}

    async def close(
        self,
        parked: Bucket,
        window_end: datetime,
        deliveries: Sequence[Delivery],
        notes: Mapping[str, str] | None = None,
        rest: Withheld = Withheld(),
        *,
        fingerprint: str = "",
    ) -> bool:
        """End a window: its hits leave the bucket, or are held, or (the damaged ones) go to the dead letters; its
        deliveries enter the outbox, and `notes` of what they tell of each story are kept; or nothing of that.

        False: another notifier closed it first, nothing was written.
        """
        group, base, keys = parked.group, base_of(parked.group), self._keys
        args: list[str | bytes | int] = [group, parked.turn, _ms(window_end), parked.taken, len(deliveries)]
        for delivery in deliveries:
            args += [delivery.id, delivery.receiver, delivery.digest, _ms(delivery.created)]
            args.append(MESSAGE.encode(delivery.message))
        args += [self._kept_ms, len(notes or {}), *(part for pair in (notes or {}).items() for part in pair)]
        args += [base + HELD, _ms(rest.until or window_end), len(rest.held), *rest.held, rest.silenced]
        args.append(fingerprint)
        args += [len(rest.over), *(part for pair in rest.over.items() for part in pair)]
        args += [len(parked.damaged), *(part for pair in parked.damaged for part in pair)]
        names = [keys.bucket(group), keys.open, keys.group(group), keys.out(""), keys.outbox(""), keys.boxes]
        names += [keys.told(base, ""), keys.ledger, keys.bucket(base + HELD), keys.group(base + HELD)]
        names += [
            keys.group(base),
            keys.over(base),
            keys.quota(base.partition("|")[0], ""),
            keys.dead,
            keys.dead_counts,
        ]
        answer = await self._store.run("close_due", names, args)
        return bool(answer[0] == b"OK")

    async def new_hits(self, stop: asyncio.Event) -> AsyncIterator[None]:
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

    async def waiting_groups(self) -> int:
        """How many groups have hits that no closed window has taken or holds back."""
        async with self._store.errors():
            return sum(not key.endswith(HELD.encode()) for key in await self._store.redis.hkeys(self._keys.open))

    async def now(self) -> datetime:
        """The store's time: the one by which hits were parked."""
        async with self._store.errors():
            seconds, micros = await self._store.redis.time()
        return datetime.fromtimestamp(seconds + micros / 1_000_000, UTC)


def decode_hit(data: bytes) -> Hit:
    """A parked hit with the story that MATCHED gave it: see scripts/matched.lua. Raises CodecError."""
    if data[:2] != b"s1":
        return HIT.decode(data)
    try:
        story, end = data[2:34].decode(), 38 + int(data[34:38])
        voice = data[38:end].decode("utf-8", "replace")
    except ValueError as error:
        raise CodecError(f"Hit: damaged ({error})") from error
    return replace(HIT.decode(data[end:]), story=story, voice=voice)


def decode_hit_or_none(data: bytes) -> Hit | None:
    """Return a parked hit with its story, or None if this version cannot read it."""
    try:
        return decode_hit(data)
    except CodecError:
        return None


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _at(raw: bytes | None) -> datetime | None:
    return None if raw is None else datetime.fromtimestamp(int(raw) / 1000, UTC)
