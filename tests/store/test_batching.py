"""Calls that go out together: each has its own answer, and its own trouble."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from watchpost.errors import StoreBusy, StoreUnreachable
from watchpost.store.client import Batcher, Call, Store


class Counting(Store):
    """A real store that counts round trips."""

    trips = 0

    async def run_each(self, name: str, calls: Sequence[Call]) -> list[Any]:
        self.trips += 1
        return await super().run_each(name, calls)


async def test_each_call_has_its_own_answer_and_few_round_trips_carry_them(store: Store) -> None:
    counting = Counting("", client=store.redis)
    for n in range(0, 40, 2):
        await store.redis.hset(store.keys.host(f"h{n}"), "holder", f"p{n}")
    together = Batcher(counting, "leave_host")
    answers = await asyncio.gather(*(together.run([store.keys.host(f"h{n}")], [f"p{n}"]) for n in range(40)))
    assert answers == [1, 0] * 20
    assert counting.trips == 1


async def test_what_is_refused_to_one_the_others_do_not_hear(store: Store) -> None:
    await store.redis.hset(store.keys.host("h"), "holder", "p")
    await store.redis.set(store.keys.host("no hash"), "x")
    together = Batcher(store, "leave_host")
    calls = [together.run([store.keys.host(name)], ["p"]) for name in ("no hash", "h")]
    heard = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(heard[0], StoreBusy)
    assert heard[1] == 1


async def test_whoever_gives_up_takes_no_one_along(store: Store) -> None:
    await store.redis.hset(store.keys.host("h"), "holder", "p")
    together = Batcher(store, "leave_host")
    calls = [asyncio.create_task(together.run([store.keys.host(name)], ["p"])) for name in ("other", "h")]
    await asyncio.sleep(0)
    calls[0].cancel()
    assert await calls[1] == 1
    assert await together.run([store.keys.host("h")], ["p"]) == 0, "and the next ones are sent, too"


async def test_everybody_hears_that_nobody_answers() -> None:
    away = Store("unix:///nowhere/redis.sock")
    together = Batcher(away, "leave_host")
    for _ in range(2):
        heard = await asyncio.gather(*(together.run(["k"], ["p"]) for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in heard] == [StoreUnreachable] * 3
    await away.close()
