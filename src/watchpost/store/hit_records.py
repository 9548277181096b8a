"""Records of hits: what became of each one, in each group of each receiver. MATCHED and CLOSE_DUE write them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from watchpost.model import Hit, derive_id
from watchpost.store.client import Ask, Store
from watchpost.store.codec import from_ms, from_ms_or_none, text_of
from watchpost.store.windows import HELD, decode_hit_or_none

_GROUP = b"group:"
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class HitFate:
    """What became of a hit in one group.

    `state` is waiting, over (counted beyond a limit, until a message counts it), open (in messages that have not
    arrived), named, copies, left_out, silenced, failed, or missing: it should wait and does not. `planned` is its fate
    once one of the messages arrives. `deliveries` are these messages; `message` is the one that arrived first.
    """

    receiver: str
    group: str
    state: str
    since: datetime
    planned: str = ""
    silence: str = ""
    deliveries: tuple[str, ...] = ()
    message: str = ""
    arrived: datetime | None = None


@dataclass(frozen=True, slots=True)
class HitRecord:
    """One hit: `share` is how much of its text its story had before, from 0 to 1; 0 is also for texts too short to say.

    `first` is the first hit of the story and topic, which it may be itself; a copy that repeats it has its fate. `of`
    is the hit with most of its text, "" if it is unknown or has another topic. `hit` is None if the history no longer
    has it, or this version cannot read it.
    """

    id: str
    hit: Hit | None
    share: float
    first: str
    fates: tuple[HitFate, ...]
    of: str = ""


class HitRecords:
    """Reads the records of hits. Every method raises StoreError if the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys

    async def record(self, id_: str) -> HitRecord | None:
        """Return what became of one hit; None if nothing is known of it (any more)."""
        read = await self._read(id_)
        if read is None or not any(fate.state == "waiting" for fate in read.fates):
            return read
        waiting = {fate.group: await self._waiting(fate.group) for fate in read.fates if fate.state == "waiting"}
        again = await self._read(id_)  # it may have left meanwhile
        return again and replace(
            again,
            fates=tuple(
                replace(fate, state="missing")
                if fate.state == "waiting" and id_ not in waiting.get(fate.group, {id_})
                else fate
                for fate in again.fates
            ),
        )

    async def _read(self, id_: str) -> HitRecord | None:
        async with self._store.errors():
            fields = await self._store.redis.hgetall(self._keys.hit(id_))
        if not fields:
            return None
        fates = [await self._fate(key, value) for key, value in sorted(fields.items()) if key.startswith(_GROUP)]
        # What was held back is closed as a group of its own.
        by_group = {fate.group.removesuffix(HELD): fate for fate in sorted(fates, key=lambda fate: fate.since)}
        share, first = float(text_of(fields, b"share") or 0), text_of(fields, b"first")
        hit, article = await self._hit(fields), text_of(fields, b"of")
        of = derive_id("hit", hit.topic, article) if hit is not None and article else ""
        async with self._store.errors():
            known = bool(of) and of != id_ and await self._store.redis.exists(self._keys.hit(of))
        return HitRecord(id_, hit, share, first or id_, tuple(by_group.values()), of if known else "")

    async def _hit(self, fields: dict[bytes, bytes]) -> Hit | None:
        if b"bytes" in fields:
            return decode_hit_or_none(fields[b"bytes"])
        place = text_of(fields, b"history")
        async with self._store.errors():
            rows = await self._store.redis.xrange(self._keys.history, place, place) if place else []
        return decode_hit_or_none(rows[0][1].get(b"h", b"")) if rows else None

    async def _fate(self, key: bytes, value: bytes) -> HitFate:
        group = key.removeprefix(_GROUP).decode("utf-8", "replace")
        state, since, where = value.decode("utf-8", "replace").split("\t")
        fate = HitFate(group.partition("|")[0], group, state, from_ms(float(since)))
        if state == "silenced":
            return replace(fate, silence=where)
        if not where:
            return fate
        async with self._store.errors():
            contents = await self._store.redis.hgetall(self._keys.contents(where))
        ended = text_of(contents, b"state") or "arrived"  # what arrived long ago is forgotten first
        return replace(
            fate,
            state=state if ended == "arrived" else ended,
            planned=state,
            deliveries=tuple(text_of(contents, b"ids").split()),
            message=text_of(contents, b"by"),
            arrived=from_ms_or_none(contents.get(b"at")) if ended == "arrived" else None,
        )

    async def shares(self, ids: Sequence[str]) -> dict[str, tuple[float, str]]:
        """Return how much of its text each of these hits has of an earlier article, from 0 to 1, and that article's id.

        Hits without such an article are left out.
        """
        found = {}
        for at in range(0, len(ids), _PAGE):
            page = ids[at : at + _PAGE]
            async with self._store.errors():
                rows = await self._store.ask(_shares_of([self._keys.hit(id_) for id_ in page]))
            for id_, (share, of) in zip(page, rows, strict=True):
                if share and of:
                    found[id_] = float(share), of.decode("utf-8", "replace")
        return found

    async def _waiting(self, group: str) -> set[str]:
        """The ids of the hits that wait in a group, or are held back from it."""
        ids: set[str] = set()
        for key in map(self._keys.bucket, (group, group.removesuffix(HELD) + HELD)):
            at, page = 0, [b""]
            while page:
                async with self._store.errors():
                    page = await self._store.redis.lrange(key, at, at + _PAGE - 1)
                at += len(page)
                ids |= await asyncio.to_thread(_ids, page)
        return ids

    async def copies(self, topic: str = "", count: int = 200) -> tuple[str, ...]:
        """Return the ids of the last hits that repeat others, which the history does not have, the newest first."""
        async with self._store.errors():
            rows = await self._store.redis.xrevrange(self._keys.copies, count=_PAGE if topic else count)
        return tuple([text_of(fields, b"i") for _, fields in rows if topic in ("", text_of(fields, b"t"))][:count])

    async def records(self, ids: Sequence[str]) -> tuple[HitRecord, ...]:
        """Return the records of these hits, of which something is known."""
        return tuple([found for id_ in ids if (found := await self.record(id_)) is not None])


def _ids(page: Sequence[bytes]) -> set[str]:
    """The ids of the waiting hits that can be read."""
    return {hit.id for data in page if (hit := decode_hit_or_none(data)) is not None}


def _shares_of(keys: Sequence[str]) -> Ask:
    return lambda pipe: [pipe.hmget(key, ("share", "of")) for key in keys]
