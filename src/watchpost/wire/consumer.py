"""What every role that reads a stream does: take, take over, renew, give up, give back. The role adds only its work.

One batch at a time: what a silent consumer left comes alone, and nothing else is under way meanwhile. If it kills us,
nothing beside it is counted as a killer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from watchpost import telemetry as tm
from watchpost.errors import StoreError
from watchpost.wire.store import patiently
from watchpost.wire.stream import Claims, Entry

_WAIT_SECONDS = 1.0


async def _always() -> bool:
    return True


def _nothing() -> None:
    pass


class Consumer:
    """Deals with the entries of one stream until `stop` is set, and goes on while the store is away.

    `take()` gives new entries, or none after about a second; `deal(entries)` does the role's work with them, and
    acknowledges each in the script that does it; `give_up(entry)` takes poison out of the stream. All may raise
    StoreError: what is not acknowledged then is nobody's when its lease ends. `may_take_over()`: may abandoned
    entries be dealt with now? `tick` and `tick_renew` return three times a lease, or at once when stopping.
    `beat()` is called each time that the loop comes round, also while the store is away. `queue` is the stream's name
    in the metrics, `shown` in the log.
    """

    def __init__(
        self,
        claims: Claims,
        queue: str,
        *,
        take: Callable[[], Awaitable[Sequence[Entry]]],
        deal: Callable[[Sequence[Entry]], Awaitable[None]],
        give_up: Callable[[Entry], Awaitable[None]],
        tick: Callable[[], Awaitable[None]],
        tick_renew: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        may_take_over: Callable[[], Awaitable[bool]] = _always,
        beat: Callable[[], None] = _nothing,
        shown: str = "",
    ) -> None:
        self._claims = claims
        self._queue = queue
        self._shown = shown or queue
        self._take = take
        self._deal = deal
        self._give_up = give_up
        self._tick = tick
        self._tick_renew = tick_renew
        self._stop = stop
        self._may_take_over = may_take_over
        self._beat = beat
        self._look = True  # for what silent consumers left

    async def run(self) -> None:
        """The daemon. What was begun when `stop` is set is finished; what a cancellation cuts short is given back."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._work())
                tasks.create_task(self._pulse())
                tasks.create_task(self._renew())
        finally:
            with suppress(StoreError):
                await self._give_back(self._claims.handed())
                await self._claims.leave()

    async def deal(self, entries: Sequence[Entry]) -> None:
        """Deal with these entries now, poison included. Raises StoreError."""
        try:
            for entry in entries:
                if entry.poisonous:
                    tm.log().error("queue.poison", queue=self._shown)
                    await self._give_up(entry)
            await self._deal([entry for entry in entries if not entry.poisonous])
        except asyncio.CancelledError:
            # We end while the work is under way. That is no crash, and must not count as one.
            with suppress(StoreError):
                await self._give_back(entries)
            raise
        finally:
            for entry in entries:  # what was not dealt with is nobody's when its lease ends
                self._claims.let_go(entry)

    async def _work(self) -> None:
        following: Sequence[Entry] = ()
        while following or not self._stop.is_set():
            self._beat()
            try:
                await self.deal(following or await self._next())
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()
                await patiently(_WAIT_SECONDS, self._stop)
            following = self._claims.handed()

    async def _next(self) -> Sequence[Entry]:
        if self._look:
            self._look = False  # if the store fails us, at the next tick again
            entries = await self._claims.reclaim(1) if await self._may_take_over() else ()
            self._look = bool(entries)
            if entries:
                tm.taken_over.labels(self._queue).inc()
                return entries
        return await self._take()

    async def _pulse(self) -> None:
        while not self._stop.is_set():
            await self._tick()
            self._look = True

    async def _renew(self) -> None:
        """What is being worked on stays ours, however long it takes."""
        while not self._stop.is_set():
            await self._tick_renew()
            try:
                await self._claims.renew()
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()

    async def _give_back(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            await self._claims.give_back(entry)
