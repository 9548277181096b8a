"""The embedded server under supervision: what dies is started again, what lives is left alone."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from pathlib import Path

from tests.servers import servers_on
from tests.store.embedding import (
    BINARY,
    Telling,
    client,
    killed_parent,
    make,
    run_id,
    supervised,
    until,
    until_in_file,
    write,
)
from watchpost.store.server.datadir import DataDirectory


async def test_an_adopted_server_that_dies_is_started_again(data: Path) -> None:
    async with killed_parent(data) as pid:
        server = make(data)
        await server.start()
        await until_in_file(server)
        async with supervised(server):
            os.kill(pid, signal.SIGKILL)
            await until(lambda: server.pid != pid and not server.adopted)
            with client(server) as answers:
                assert answers.xlen("s") == 100
        await server.stop()
        assert servers_on(data) == ()


async def test_a_joined_process_takes_over_when_server_and_owner_are_gone(data: Path) -> None:
    first, second = make(data), make(data)
    await first.start()
    await second.start()
    write(data, 10)
    async with supervised(second):
        await first.stop()
        await until(lambda: second.owner and not second.adopted)
        with client(second) as answers:
            assert answers.xlen("s") == 10
    await second.stop()
    assert servers_on(data) == ()


async def test_a_killed_server_is_back_within_seconds_with_all_it_acknowledged(data: Path) -> None:
    telling = Telling()
    server = make(data, log=telling)
    await server.start()
    async with supervised(server):
        acknowledged = write(data, 1000)
        await until_in_file(server)
        before, pid = run_id(server), server.pid
        os.kill(pid, signal.SIGKILL)
        await until(lambda: server.pid != pid and "redis.restarted" in telling.events)
        assert run_id(server) != before
        with client(server) as answers:
            assert answers.xlen("s") == acknowledged
    await server.stop()
    assert telling.levels["redis.died"] == "error"
    assert servers_on(data) == ()


async def test_the_end_of_a_server_is_noticed_without_a_ping(data: Path) -> None:
    telling = Telling()
    server = make(data, ping_seconds=600, log=telling)
    await server.start()
    async with supervised(server):
        os.kill(server.pid, signal.SIGKILL)
        await until(lambda: "redis.restarted" in telling.events, 60)
    await server.stop()
    assert servers_on(data) == ()


async def test_a_server_that_lives_but_is_silent_is_left_alone(data: Path) -> None:
    telling = Telling()
    server = make(data, log=telling)
    await server.start()
    os.kill(server.pid, signal.SIGSTOP)
    try:
        async with supervised(server):
            await until(lambda: "redis.silent" in telling.events, 12)
            assert servers_on(data) == (server.pid,)
            os.kill(server.pid, signal.SIGCONT)
            await until(lambda: "redis.answers" in telling.events)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    await server.stop()
    assert "redis.died" not in telling.events


async def test_a_server_that_dies_at_each_start_is_not_started_hot(data: Path) -> None:
    """A program that can be told to fail: what a full disk does to a server with fsync always."""
    program, spawns, broken = data.parent / "server", data.parent / "spawns", data.parent / "broken"
    program.write_text(
        f'#!/bin/sh\necho . >> {spawns}\n[ -e {broken} ] && echo "it is broken" && exit 1\nexec {BINARY} "$@"\n'
    )
    program.chmod(0o755)
    telling = Telling()
    server = make(data, binary=program, log=telling)
    await server.start()
    broken.touch()
    async with supervised(server):
        os.kill(server.pid, signal.SIGKILL)
        await until(lambda: "redis.down" in telling.events)
        spawns.write_text("")
        await asyncio.sleep(2)
        assert 1 <= len(spawns.read_text().split()) <= 4
        broken.unlink()
        await until(lambda: "redis.restarted" in telling.events)
    await server.stop()
    assert "it is broken" in telling.facts["redis.down"]["problem"]


async def test_supervision_ends_wherever_in_a_ping_it_is_cancelled(data: Path) -> None:
    server = make(data, ping_seconds=0)
    await server.start()
    for steps in range(100):
        supervising = asyncio.create_task(server.supervise())
        for _ in range(steps):
            await asyncio.sleep(0)
        supervising.cancel()
        await asyncio.wait({supervising}, timeout=5)
        assert supervising.cancelled(), f"it goes on when it is cancelled after {steps} steps of the event loop"
    await server.stop()


async def test_the_disk_guard_flips_and_says_so(data: Path) -> None:
    free = [10**12]
    telling = Telling()
    server = make(data, log=telling, free_bytes=lambda _: free[0])
    await server.start()
    async with supervised(server):
        assert not server.disk_short
        free[0] = 100 * 2**20
        await until(lambda: server.disk_short)
        free[0] = 10**12
        await until(lambda: not server.disk_short)
    with (data / "appendonlydir" / "large").open("wb") as large:
        large.truncate(400 * 2**20)
    free[0] = 1000 * 2**20
    assert server.disk_is_short(), "three times the append-only file"
    await server.stop()
    assert [event for event in telling.events if event.startswith("disk")] == ["disk.short", "disk.ample"]


async def test_a_directory_that_cannot_be_read_is_not_called_a_full_disk(data: Path) -> None:
    problems: list[OSError] = []

    def free(_: Path) -> int:
        if problems:
            raise problems[0]
        return 10**12

    telling = Telling()
    server = make(data, log=telling, free_bytes=free)
    await server.start()
    async with supervised(server):
        problems.append(PermissionError(errno.EACCES, "Permission denied"))
        await until(lambda: server.disk_short, 60)
        problems.clear()
        await until(lambda: not server.disk_short, 60)
    await server.stop()
    assert [event for event in telling.events if event.startswith(("disk", "data"))] == [
        "data.unreadable",
        "data.readable",
    ]
    assert telling.facts["data.unreadable"]["detail"] == "Permission denied"


async def test_a_long_log_of_a_running_server_is_rotated_and_read_from_its_new_beginning(data: Path) -> None:
    server = make(data)
    await server.start()
    log, rotated = data / "redis.log", data / "redis.log.1"
    with log.open("ab") as file:
        file.write(b"x" * (4 * 1024 * 1024))
    async with supervised(server):
        await until(rotated.exists)
        with client(server) as answers:
            answers.bgrewriteaof()
        await until(lambda: log.exists() and b"rewrite" in log.read_bytes())
    await server.stop()
    assert rotated.stat().st_size > 4 * 1024 * 1024
    assert DataDirectory(data, None).read_log(rotated.stat().st_size).startswith(f"{server.pid}:")
