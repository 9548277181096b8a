"""A copy of what waits in the store, in memory and a few seconds old, to be put back if the store loses its data.

It has the hits that wait in groups, the deliveries that wait to be sent, and the marks by which repeats of the latest
hits are known. What is new since the last look is read, nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchpost.store.client import Argument, Store, json_argument
from watchpost.store.codec import text_of
from watchpost.store.matching import mark_of_headline, marks_of
from watchpost.store.windows import decode_hit_or_none

_MOST_BYTES = 16 * 1024 * 1024  # of hits, and as many of messages
_MOST_DELIVERIES = 1000  # of one receiver
_MOST_MARKS = 100_000
_HISTORY_PAGE = 200
_HISTORY_MS = 48 * 3_600_000  # what feeds may still show
_PART = 100  # hits or deliveries in one call


@dataclass(frozen=True, slots=True)
class _Group:
    turn: bytes
    opened: int
    until: int
    hits: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class PutBack:
    """How many hits and deliveries this process put back; others may have been faster with the same ones."""

    hits: int = 0
    deliveries: int = 0


@dataclass(frozen=True, slots=True)
class _Contents:
    groups: Mapping[str, _Group] = field(default_factory=dict, hash=False)
    deliveries: Mapping[str, Mapping[bytes, bytes]] = field(default_factory=dict, hash=False)


class LocalCopy:
    """The copy of one process. `hits_ttl_ms` is how long repeats of a hit are known."""

    def __init__(self, store: Store, *, hits_ttl_ms: int) -> None:
        self._store = store
        self._keys = store.keys
        self._hits_ttl_ms = hits_ttl_ms
        self._contents = _Contents()
        self._next: _Contents | None = None
        self._marks: dict[str, None] = {}
        self._next_marks: list[str] = []
        self._position = b""
        self._next_position = b""

    @property
    def known(self) -> PutBack:
        """How many hits and deliveries are known to wait."""
        hits = sum(len(group.hits) for group in self._contents.groups.values())
        return PutBack(hits, len(self._contents.deliveries))

    async def read(self) -> None:
        """Read what waits now. It counts once `adopt` is called. Raises StoreError."""
        keys, history = self._keys, await self._history_start()

        def commands(pipe: Any) -> None:
            pipe.hgetall(keys.open)
            pipe.smembers(keys.boxes)
            self._ask_for_later(pipe)
            pipe.xrange(keys.history, min=history, count=_HISTORY_PAGE)

        async with self._store.errors():
            opened, boxes, retries, escalations, page = await self._store.ask(commands)
            self._next = _Contents(await self._groups(opened), await self._deliveries(boxes, (*retries, *escalations)))
        self._next_position = page[-1][0] if page else self._position
        self._next_marks = await asyncio.to_thread(_marks_of, page) if page else []

    def adopt(self) -> None:
        """The store was whole after `read`: what was read replaces what was known."""
        if self._next is not None:
            self._contents, self._next = self._next, None
            self._position = self._next_position
            self._marks.update(dict.fromkeys(self._next_marks))
            self._next_marks = []
            for mark in list(self._marks)[: max(0, len(self._marks) - _MOST_MARKS)]:
                del self._marks[mark]

    async def put_back(self) -> PutBack:
        """Give an empty store what is known; what another process has put back is left. Raises StoreError."""
        await self._put_back_marks()
        hits = deliveries = 0
        for name, group in self._contents.groups.items():
            for at in range(0, len(group.hits), _PART):
                hits += (await self._call(name, group, group.hits[at : at + _PART], {}))[0]
        known = list(self._contents.deliveries.items())
        for at in range(0, len(known), _PART):
            nothing = _Group(b"0", 0, 0, ())
            deliveries += (await self._call("", nothing, (), dict(known[at : at + _PART])))[1]
        self._position = b""
        return PutBack(hits, deliveries)

    async def _put_back_marks(self) -> None:
        marks = list(self._marks)
        async with self._store.errors():
            seconds, _ = await self._store.redis.time()
            until = int(seconds) * 1000 + self._hits_ttl_ms
            for at in range(0, len(marks), 1000):
                await self._store.redis.zadd(self._keys.hits, dict.fromkeys(marks[at : at + 1000], until))

    async def _call(
        self, name: str, group: _Group, hits: Sequence[bytes], deliveries: Mapping[str, Mapping[bytes, bytes]]
    ) -> tuple[int, int]:
        keys = self._keys
        names = [keys.restored, keys.open, keys.bucket(name), keys.group(name), keys.hits, keys.ledger, keys.meta]
        names += [keys.out(""), keys.outbox(""), keys.boxes, keys.parked, keys.later]
        argument = json_argument(
            group=name,
            opened=group.opened,
            until=group.until,
            marks=[_marks(data) for data in hits],
            topics=[_topic(data) for data in hits],
            hits_ttl_ms=self._hits_ttl_ms,
            deliveries=[
                {
                    "id": id_,
                    "receiver": text_of(fields, b"receiver"),
                    "digest": text_of(fields, b"digest"),
                    "created": int(fields.get(b"created", b"0")),
                    "story": text_of(fields, b"story"),
                    "unless": text_of(fields, b"unless") if text_of(fields, b"state") == "escalation" else "",
                    "due": int(fields.get(b"due", b"0")),
                }
                for id_, fields in deliveries.items()
            ],
        )
        args: list[Argument] = [argument, *hits, *(fields[b"message"] for fields in deliveries.values())]
        put_back = await self._store.run("put_back", names, args)
        return int(put_back[0]), int(put_back[1])

    async def _groups(self, opened: Mapping[bytes, bytes]) -> dict[str, _Group]:
        names = [name.decode("utf-8", "replace") for name in opened]
        pipe = self._store.redis.pipeline(transaction=False)
        for name in names:
            pipe.hmget(self._keys.group(name), "turn", "until")
            before = self._contents.groups.get(name)
            pipe.lrange(self._keys.bucket(name), len(before.hits) if before else 0, -1)
        rows = await pipe.execute() if names else []
        groups: dict[str, _Group] = {}
        room = _MOST_BYTES
        for name, since, (turn, until), new in zip(names, opened.values(), rows[::2], rows[1::2], strict=True):
            before = self._contents.groups.get(name)
            if before is None:
                hits = tuple(new)
            elif before.turn == (turn or b"0"):
                hits = (*before.hits, *new)
            else:  # what was read then has left
                hits = tuple(await self._store.redis.lrange(self._keys.bucket(name), 0, -1))
            room -= sum(map(len, hits))
            if room < 0:
                break
            groups[name] = _Group(turn or b"0", int(since), int(until or 0), hits)
        return groups

    async def _deliveries(self, boxes: Collection[bytes], later: Sequence[bytes]) -> dict[str, Mapping[bytes, bytes]]:
        entries = []
        if boxes:
            pipe = self._store.redis.pipeline(transaction=False)
            for box in boxes:
                pipe.xrange(self._keys.outbox(box.decode("utf-8", "replace")), count=_MOST_DELIVERIES)
            self._ask_for_later(pipe)  # together with the outboxes: a delivery goes from one to the other
            *entries, retries, escalations = await pipe.execute()
            later = (*retries, *escalations)
        ids = [fields[b"d"].decode() for page in entries for _, fields in page if b"d" in fields]
        ids += [id_.decode() for id_ in later]
        known, room = {}, _MOST_BYTES
        for id_ in ids:
            fields = self._contents.deliveries.get(id_) or await self._store.redis.hgetall(self._keys.out(id_))
            room -= len(fields.get(b"message", b""))
            if room < 0:
                break
            if b"message" in fields:
                known[id_] = fields
        return known

    def _ask_for_later(self, pipe: Any) -> None:
        for key in (self._keys.retry, self._keys.later):
            pipe.zrange(key, 0, _MOST_DELIVERIES - 1)

    async def _history_start(self) -> bytes:
        if not self._position:
            async with self._store.errors():
                seconds, _ = await self._store.redis.time()
            self._position = b"%d" % max(0, int(seconds) * 1000 - _HISTORY_MS)
        return b"(" + self._position if b"-" in self._position else self._position


def _marks_of(page: Sequence[tuple[bytes, Mapping[bytes, bytes]]]) -> list[str]:
    return [mark for _, fields in page for mark in _marks(fields.get(b"h", b""))]


def _marks(data: bytes) -> list[str]:
    hit = decode_hit_or_none(data)
    if hit is None:
        return []
    return [*marks_of(hit.topic, hit.article), mark_of_headline(hit.topic, hit.article)]


def _topic(data: bytes) -> str:
    hit = decode_hit_or_none(data)
    return "" if hit is None else hit.topic
