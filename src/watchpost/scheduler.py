"""Ticks for the loops, from APScheduler.

What is due is in Redis; a tick only says that it is time to look. So any number of processes can tick, a late tick does
no harm, and no job is cancelled in the middle of its work. APScheduler's defaults drop ticks of a busy loop
(misfire_grace_time is one second); with misfire_grace_time=None and coalesce=True late ticks become one:
https://apscheduler.readthedocs.io/en/3.x/userguide.html#missed-job-executions-and-coalescing

APScheduler computes when a tick is due from the time of day. If that was set back, the next one would be due hours
later; so a tick that has not come for three intervals comes by the monotonic clock, and its job begins again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from time import monotonic

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from watchpost import log as tm

_LATE = 3  # intervals


def utc_now() -> datetime:
    """The current time of this machine, in UTC."""
    return datetime.now(UTC)


class Scheduler:
    """Makes tickers. After `stop` every ticker returns at once, so that the loops can end."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._events: dict[float, list[asyncio.Event]] = {}
        self._stopped = False

    def ticker(self, seconds: float) -> Callable[[], Awaitable[None]]:
        """A function to await: it returns at the next tick, every `seconds`. Each loop needs its own.

        Loops with the same interval wake up together: one wakeup costs less than many.
        """
        event = asyncio.Event()
        if seconds not in self._events:
            self._events[seconds] = []
            self._scheduler.add_job(self._fires(seconds), "interval", seconds=seconds, id=str(seconds))
        self._events[seconds].append(event)

        async def tick() -> None:
            await event.wait()
            if not self._stopped:
                event.clear()

        return tick

    def _fires(self, seconds: float) -> Callable[[], Awaitable[None]]:
        last = 0.0
        late: asyncio.TimerHandle | None = None

        def guard() -> None:
            nonlocal late
            if late is not None:
                late.cancel()
            late = None if self._stopped else asyncio.get_running_loop().call_later(_LATE * seconds + 1, begin_again)

        def begin_again() -> None:
            if not self._stopped:
                self._scheduler.reschedule_job(str(seconds), trigger="interval", seconds=seconds)
                guard()
                for event in self._events[seconds]:
                    event.set()

        async def fire() -> None:  # APScheduler runs a plain function in a thread
            nonlocal last
            now = monotonic()
            if last:
                tm.misfires.inc(max(0, round((now - last) / seconds) - 1))
            last = now
            guard()
            for event in self._events[seconds]:
                event.set()

        return fire

    def start(self) -> None:
        """Start ticking. Needs a running event loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Stop ticking, and return from every ticker that is awaited."""
        self._stopped = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for events in self._events.values():
            for event in events:
                event.set()
