"""Looking at a service from outside: its server is found, never started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.embedding import make
from watchpost.errors import StoreUnreachable
from watchpost.store.server.control import find_running


async def test_a_running_server_is_found_and_a_stopped_one_is_not(data: Path) -> None:
    server = make(data)
    await server.start()
    assert await find_running(data) == server.url
    await server.stop()
    with pytest.raises(StoreUnreachable, match="watchpost run"):
        await find_running(data)


async def test_a_server_in_a_directory_with_a_long_name_is_found(data: Path) -> None:
    deep = data / ("d" * 60) / ("e" * 60)
    server = make(deep)
    await server.start()
    assert await find_running(deep) == server.url
    await server.stop()


async def test_looking_at_nothing_leaves_nothing_behind(data: Path) -> None:
    with pytest.raises(StoreUnreachable, match=str(data)):
        await find_running(data)
    assert not data.exists()
