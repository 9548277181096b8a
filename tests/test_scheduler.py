"""Ticks: in step, never lost for those who wait, and over at once when the clock stops."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from watchpost import log as tm
from watchpost.scheduler import Scheduler


async def test_tickers_of_one_interval_wake_up_together_also_one_that_came_later() -> None:
    clock = Scheduler()
    early = clock.ticker(0.05)
    clock.start()
    late = clock.ticker(0.05)
    async with asyncio.timeout(30):
        for _ in range(3):
            await asyncio.gather(early(), late())
    clock.stop()


async def test_a_long_interval_ends_with_a_short_one() -> None:
    clock = Scheduler()
    short, long = clock.ticker(0.02), clock.ticker(0.1)
    clock.start()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with asyncio.timeout(30):
        await short()
        await long()
    assert loop.time() - begun >= 0.09, "an interval does not end early"
    clock.stop()


async def test_ticks_that_a_busy_loop_missed_become_one_and_are_counted() -> None:
    clock = Scheduler()
    tick = clock.ticker(0.01)
    clock.start()
    before = tm.misfires._value.get()
    async with asyncio.timeout(30):
        await tick()
        begun = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() - begun < 0.1:
            pass  # something computes for ten intervals
        await tick()
        await tick()
    assert tm.misfires._value.get() >= before + 5
    clock.stop()


async def test_a_clock_that_stops_lets_everybody_go() -> None:
    clock = Scheduler()
    tick, never_started = clock.ticker(3600), Scheduler()
    clock.start()
    waits = [asyncio.ensure_future(tick()), asyncio.ensure_future(never_started.ticker(3600)())]
    await asyncio.sleep(0)
    clock.stop()
    never_started.stop()
    async with asyncio.timeout(30):
        await asyncio.gather(*waits)
        await tick()


async def test_ticks_go_on_when_the_time_of_day_is_set_back() -> None:
    clock = Scheduler()
    tick = clock.ticker(0.05)
    clock.start()
    async with asyncio.timeout(60):
        await tick()
        for job in clock._scheduler.get_jobs():  # as it is after the clock was set back by two hours
            job.modify(next_run_time=datetime.now(UTC) + timedelta(hours=2))
        for _ in range(5):
            await tick()
    clock.stop()
