"""Which Sentinels are asked: each of them, however many connections ask at once."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import ConnectionError as NoAnswer

from watchpost.store.client import Sentinels

PRIMARY = {
    "ip": "10.0.0.9",
    "port": 6379,
    "is_master": True,
    "is_sdown": False,
    "is_odown": False,
    "num-other-sentinels": 2,
}


class Asked:
    """A client of a Sentinel, which answers after a few turns of the loop, or fails while its host is cut off."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.is_cut_off, self.times = chance, False, 0

    async def sentinel_masters(self) -> dict[str, Any]:
        self.times += 1
        for _ in range(self.chance.randrange(4)):
            await asyncio.sleep(0)
        if self.is_cut_off:
            raise NoAnswer
        return {"news": PRIMARY}


def three(seed: int) -> tuple[Any, list[Asked]]:
    chance = random.Random(seed)
    sentinels: Any = Sentinels([("127.0.0.1", 1)] * 3)  # type: ignore[no-untyped-call]  # redis-py
    asked = [Asked(chance) for _ in range(3)]
    sentinels.sentinels = list(asked)
    return sentinels, asked


@pytest.mark.parametrize("seed", range(20))
async def test_none_is_forgotten_when_many_connections_ask_at_once(seed: int) -> None:
    sentinels, asked = three(seed)
    for cut_off in (0, 1, 2, 0, 1, 2):
        for number, each in enumerate(asked):
            each.is_cut_off = number == cut_off
        found = await asyncio.gather(*(sentinels.discover_master("news") for _ in range(12)))
        assert set(found) == {("10.0.0.9", 6379)}
        assert set(sentinels.sentinels) == set(asked)
        assert len(sentinels.sentinels) == 3


async def test_the_one_that_answered_is_asked_first() -> None:
    sentinels, asked = three(1)
    asked[0].is_cut_off = True
    await sentinels.discover_master("news")
    before = asked[0].times
    await sentinels.discover_master("news")
    assert asked[0].times == before
    assert sentinels.sentinels[0] is asked[1]


async def test_where_none_answers_the_order_stays_and_the_next_look_asks_all() -> None:
    sentinels, asked = three(2)
    for each in asked:
        each.is_cut_off = True
    with pytest.raises(MasterNotFoundError):
        await sentinels.discover_master("news")
    assert sentinels.sentinels == asked
    assert [each.times for each in asked] == [1, 1, 1]
