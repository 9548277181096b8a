"""While something large is built, objects are not searched for circles; afterwards they are, whatever happened."""

from __future__ import annotations

import asyncio
import gc

import pytest

from watchpost.garbage import uncollected


def test_searches_go_on_when_the_last_has_left() -> None:
    assert gc.isenabled()
    with uncollected():
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_searches_go_on_after_an_error() -> None:
    with pytest.raises(ValueError, match="wrong"), uncollected():
        raise ValueError("wrong")
    assert gc.isenabled()


async def test_tasks_may_leave_in_any_order() -> None:
    first, second = asyncio.Event(), asyncio.Event()

    async def until(event: asyncio.Event) -> None:
        with uncollected():
            await event.wait()

    tasks = [asyncio.ensure_future(until(first)), asyncio.ensure_future(until(second))]
    await asyncio.sleep(0)
    first.set()
    await tasks[0]
    assert not gc.isenabled()
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert gc.isenabled()
