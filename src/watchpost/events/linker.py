"""The linker: takes stories that wait for their event, and decides which one it is, beside the matcher.

All matchers decide in one order. Each of them has read every decision before its own, or JOIN refuses it and it decides
again; so two of them never give one event two ids. A story whose decision fails has no event, and is sent all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from watchpost import failpoints
from watchpost import log as tm
from watchpost.errors import CodecError, StoreError
from watchpost.events.joining import WINDOW, Events, Joined, Report
from watchpost.events.vectors import Vectors
from watchpost.events.witnesses import Witnesses, embedded_text, witnesses
from watchpost.health import HEALTH
from watchpost.store.client import pause
from watchpost.store.events import Decided, EventStore, Unjoined
from watchpost.store.streams import Consumer, StreamEntry

_BATCH = 16
_TRIES = 50  # another matcher decided in between
_EXPIRE_EVERY = 200  # decisions
_WITNESSES: TypeAdapter[Witnesses] = TypeAdapter(Witnesses)


class Linker:
    """Decides events until `stop` is set. `tick` and `tick_renew` return three times in each lease."""

    def __init__(
        self,
        store: EventStore,
        vectors: Vectors,
        *,
        tick: Callable[[], Awaitable[None]],
        tick_renew: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._vectors = vectors
        self._stop = stop
        self._clock = clock
        self._events = Events()
        self._last = ""
        self._decisions = 0
        self._consumer = Consumer(
            store.claims,
            "unjoined",
            take=lambda: store.claims.take(_BATCH),
            process=self._process,
            dead_letter=self._leave_out,
            tick=tick,
            tick_renew=tick_renew,
            stop=stop,
        )

    async def run(self) -> None:
        """Decide what comes, and what a silent process left."""
        await self._consumer.run()

    async def once(self) -> None:
        """Decide until nothing waits."""
        while await self._store.waiting() and not self._stop.is_set():
            entries = await self._store.claims.take(_BATCH, block=False) or await self._store.claims.reclaim(_BATCH)
            await self._consumer.process(entries)
            if not entries:
                await pause(0.2, self._stop)

    async def _process(self, entries: Sequence[StreamEntry]) -> None:
        for entry in entries:
            failpoints.point("events.read")
            try:
                story = self._store.read(entry)
            except CodecError as error:
                tm.log().warning("events.unreadable", detail=str(error))
                await self._leave_out(entry)
                continue
            try:
                said = await self._said(story)
                HEALTH.linking.note(self._vectors.without, self._clock())
            except Exception as error:  # whatever a stranger's text does to the embedding, it costs this link alone
                tm.events_joined.labels("failed").inc()
                tm.log().warning("events.failed", detail=f"{type(error).__name__}: {error}")
                await self._leave_out(entry)
                continue
            await self._join(entry, story.story, said, story.article.outlet or story.article.source)
            await asyncio.sleep(0)

    async def _said(self, story: Unjoined) -> Witnesses:
        vector = await self._vectors.of(embedded_text(story.article))
        return await asyncio.to_thread(witnesses, story.article, frozenset(story.about), vector)

    async def _join(self, entry: StreamEntry, story: str, said: Witnesses, outlet: str) -> None:
        for _ in range(_TRIES):
            await self._read_decisions()
            found = await asyncio.to_thread(self._events.decide, story, said)
            answer = await self._store.join(
                Decided(self._last, story, found.event, written(said), said.vector, _is_certain(found)),
                entry=entry,
                like=found.like,
                reasons=[str(reason) for reason in found.reasons],
                harm=said.first_harm,
                outlet=outlet,
            )
            failpoints.point("events.joined")
            if answer != "AGAIN":
                tm.events_joined.labels("joined" if found.like else "new").inc(answer == "OK")
                return
        raise StoreError("other matchers decide too fast")

    async def _read_decisions(self) -> None:
        """Add what was decided since the last time, by whichever matcher or person."""
        for one in await self._store.decided(self._last):
            self._last = one.mark
            known = self._events.reports.get(one.story)
            said = known.witnesses if known is not None else read(one)
            if said is not None:
                self._events.add(Report(one.story, one.event, said, one.certain))
            self._decisions += 1
            if self._decisions % _EXPIRE_EVERY == 0:
                self._events.expire(self._clock() - WINDOW)  # an article may be old when it comes

    async def _leave_out(self, entry: StreamEntry) -> None:
        """A story that cannot be judged, or ended three processes: it has no event."""
        with suppress(StoreError):
            await self._store.drop(entry)


def _is_certain(found: Joined) -> bool:
    """A story that opens its event is certainly of it."""
    return found.certain or found.event == found.story


def written(said: Witnesses) -> bytes:
    """What an article says as bytes; the vector is stored beside it."""
    return _WITNESSES.dump_json(said, exclude={"vector"})


def read(one: Decided) -> Witnesses | None:
    """What the article of a decision says; None if this version cannot read it, or a person decided."""
    try:
        said = _WITNESSES.validate_json(one.said)
    except ValidationError:
        return None
    return replace(said, vector=one.vector)
