"""A disk that was full for a while: the server's file has zeros in it, and nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from tests.flow.disk import FILLER, fill, in_memory
from tests.servers import servers_on
from tests.store.embedding import Telling, client, make, supervised, until, until_in_file
from watchpost.store.server.embedded import EmbeddedServer

_ROOM = 8192  # bytes: some writes succeed, and one has room for its beginning only


@pytest.fixture
def disk(data: Path) -> Iterator[Path]:
    """A data directory on a small disk of its own."""
    with in_memory(data, 64) as place:
        try:
            yield place
        finally:
            for pid in servers_on(place):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


async def rewritten(server: EmbeddedServer) -> None:
    """Have the server write its file again: from then on it appends without O_APPEND."""
    with client(server) as answers:
        answers.bgrewriteaof()
    await until_written(server)


async def until_written(server: EmbeddedServer) -> None:
    """Until no rewrite is in progress."""
    with client(server) as answers:

        def is_done() -> bool:
            facts = answers.info("persistence")
            return not facts["aof_rewrite_in_progress"] and not facts["aof_rewrite_scheduled"]

        await until(is_done, 60)


async def fill_and_clear(server: EmbeddedServer, disk: Path) -> set[str]:
    """Write until the disk is full, make room, write again; returns the keys that were acknowledged."""
    fill(disk)
    os.truncate(disk / FILLER, (disk / FILLER).stat().st_size - _ROOM)
    acknowledged = set()
    with client(server) as answers:
        for number in range(100):
            try:
                answers.set(f"before-{number}", "x" * 3000)
            except redis.ResponseError:
                break
            acknowledged.add(f"before-{number}")
        assert len(acknowledged) < 100
        (disk / FILLER).unlink()

        def has_room() -> bool:
            return bool(answers.info("persistence")["aof_last_write_status"] == "ok")

        await until(has_room, 60)
        for number in range(100):
            answers.set(f"after-{number}", "y")
            acknowledged.add(f"after-{number}")
    return acknowledged


def keys(server: EmbeddedServer) -> set[str]:
    with client(server) as answers:
        return set(answers.keys("*"))


async def test_a_server_that_is_killed_after_a_full_disk_comes_back_with_everything(disk: Path) -> None:
    server = make(disk)
    await server.start()
    await rewritten(server)
    acknowledged = await fill_and_clear(server, disk)
    await until_in_file(server)
    os.kill(server.pid, signal.SIGKILL)
    await server.stop()
    telling = Telling()
    again = make(disk, log=telling)
    await again.start()
    assert keys(again) == acknowledged
    assert telling.facts["redis.repaired"]["gap_bytes"] > 0
    assert telling.facts["redis.repaired"]["lost_bytes"] == 0
    await again.stop()


@pytest.mark.parametrize("ping_seconds", [0.2, 3600.0], ids=["asked often", "asked seldom"])
async def test_a_running_server_writes_its_file_again_after_a_full_disk(disk: Path, ping_seconds: float) -> None:
    telling = Telling()
    server = make(disk, log=telling, ping_seconds=ping_seconds)
    await server.start()
    await rewritten(server)
    async with supervised(server):
        acknowledged = await fill_and_clear(server, disk)
        await until(lambda: "redis.rewriting" in telling.events, 60)
        await until_written(server)
    assert telling.facts["redis.rewriting"]["gap_bytes"] > 0
    await until_in_file(server)
    os.kill(server.pid, signal.SIGKILL)
    await server.stop()
    after = Telling()
    again = make(disk, log=after)
    await again.start()
    assert keys(again) == acknowledged
    assert "redis.damaged" not in after.events
    await again.stop()


@pytest.mark.parametrize("rewrites", [0, 3])
async def test_a_server_whose_disk_was_never_full_is_not_asked_to_write_again(data: Path, rewrites: int) -> None:
    """Also while it writes between two looks at its files."""
    telling = Telling()
    server = make(data, log=telling, ping_seconds=0.005)
    await server.start()

    def write_on() -> None:
        with client(server) as answers:
            for number in range(6000):
                answers.set(f"key-{number % 1000}", "z" * 50)

    async with supervised(server):
        writing = asyncio.create_task(asyncio.to_thread(write_on))
        for _ in range(rewrites):
            await rewritten(server)
        await writing
        with client(server) as answers:
            await until(lambda: answers.info("stats")["total_connections_received"] > 20, 60)
    await server.stop()
    assert "redis.rewriting" not in telling.events
