"""APScheduler as the clock of the house: it fires ticks, and nothing else.

What is due lives in Redis; a tick only says "look". So any number of processes may tick, a late tick hurts
nobody, and no job is ever cancelled in the middle of its work. APScheduler's own defaults would silently drop
ticks of a busy loop: misfire_grace_time=None and coalesce=True (findings on delivery, 4.6).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from time import monotonic

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from watchpost import log as tm


def utc_now() -> datetime:
    """The time of this machine, aware, in UTC."""
    return datetime.now(UTC)


class Scheduler:
    """Tickers for the loops. After `stop` every ticker returns at once, so that the loops can see it."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._events: list[asyncio.Event] = []
        self._stopped = False

    def ticker(self, seconds: float) -> Callable[[], Awaitable[None]]:
        """A function to await: it returns at the next tick, each `seconds`. One loop per ticker."""
        event = asyncio.Event()
        self._events.append(event)
        last = 0.0

        async def fire() -> None:  # a coroutine, so that it runs in the loop and not in a thread
            nonlocal last
            now = monotonic()
            if last:
                tm.misfires.inc(max(0, round((now - last) / seconds) - 1))
            last = now
            event.set()

        self._scheduler.add_job(fire, "interval", seconds=seconds)

        async def tick() -> None:
            await event.wait()
            if not self._stopped:
                event.clear()

        return tick

    def start(self) -> None:
        """Begin to tick; needs the running event loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Tick no more, and wake everybody who waits."""
        self._stopped = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for event in self._events:
            event.set()
