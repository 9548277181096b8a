"""Ticks for the loops.

What is due is in Redis; a tick only says that it is time to look. So any number of processes can tick, a late tick does
no harm, and no work is cancelled in the middle. Late ticks become one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from watchpost import log as tm


def utc_now() -> datetime:
    """The current time of this machine, in UTC."""
    return datetime.now(UTC)


class Scheduler:
    """Makes tickers. After `stop` every ticker returns at once, so that the loops can end."""

    def __init__(self) -> None:
        self._events: dict[float, list[asyncio.Event]] = {}
        self._ticking: dict[float, asyncio.Task[None]] = {}
        self._began: float | None = None
        self._stopped = False

    def ticker(self, seconds: float) -> Callable[[], Awaitable[None]]:
        """A function to await: it returns at the next tick, every `seconds`. Each loop needs its own.

        Loops with the same interval wake up together, and an interval of five seconds ends with one of a second: one
        wakeup costs less than many.
        """
        event = asyncio.Event()
        self._events.setdefault(seconds, []).append(event)
        self._tick(seconds)

        async def tick() -> None:
            await event.wait()
            if not self._stopped:
                event.clear()

        return tick

    def start(self) -> None:
        """Start ticking. Needs a running event loop."""
        self._began = asyncio.get_running_loop().time()
        for seconds in self._events:
            self._tick(seconds)

    def stop(self) -> None:
        """Stop ticking, and return from every ticker that is awaited."""
        self._stopped = True
        for task in self._ticking.values():
            task.cancel()
        for events in self._events.values():
            for event in events:
                event.set()

    def _tick(self, seconds: float) -> None:
        """Begin to tick at this interval, once, if `start` was called."""
        if self._began is not None and not self._stopped and seconds not in self._ticking:
            self._ticking[seconds] = asyncio.ensure_future(self._ticks(self._began, seconds))

    async def _ticks(self, began: float, seconds: float) -> None:
        clock = asyncio.get_running_loop().time
        last = int((clock() - began) / seconds)
        while True:
            await asyncio.sleep(began + (last + 1) * seconds - clock())
            now = max(last + 1, int((clock() - began) / seconds))
            tm.misfires.inc(now - last - 1)
            last = now
            for event in self._events[seconds]:
                event.set()
