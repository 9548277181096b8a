"""The embedded server is one per directory, whoever dies: started, adopted, joined, stopped."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.servers import servers_on
from tests.store.embedding import BINARY, client, killed_parent, make, run_id, until, write
from watchpost.errors import StoreUnfit, StoreUnreachable
from watchpost.store.server import control
from watchpost.store.server.datadir import make_private


async def test_starts_a_server_for_this_user_alone(data: Path) -> None:
    server = make(data)
    await server.start()
    assert (server.owner, server.adopted) == (True, False)
    assert server.url == f"unix://{data}/redis.sock"
    with client(server) as answers:
        assert answers.ping()
        wanted = {
            "port": "0",
            "hz": "5",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
        }
        assert answers.config_get(*wanted) == wanted
        assert 64 * 2**20 <= int(answers.config_get("maxmemory")["maxmemory"]) <= 512 * 2**20
    assert data.stat().st_mode & 0o777 == 0o700
    assert server.socket.stat().st_mode & 0o777 == 0o700
    assert (data / "redis.log").stat().st_mode & 0o077 == 0
    assert os.getsid(server.pid) != os.getsid(0), "the terminal's Ctrl-C must not reach the server"
    await server.stop()
    assert servers_on(data) == ()
    assert not server.owner


async def test_data_survive_stop_and_start(data: Path) -> None:
    first = make(data, fsync="always", maxmemory=100 * 2**20)
    await first.start()
    with client(first) as answers:
        assert answers.config_get("appendfsync", "maxmemory") == {"appendfsync": "always", "maxmemory": "104857600"}
    write(data, 50)
    await first.stop()
    second = make(data)
    await second.start()
    assert not second.adopted
    with client(second) as answers:
        assert answers.xlen("s") == 50
    await second.stop()


async def test_adopts_the_server_of_a_killed_process_and_owns_it(data: Path) -> None:
    async with killed_parent(data) as pid:
        server = make(data, fsync="always")
        await server.start()
        assert (server.adopted, server.owner, server.pid) == (True, True, pid)
        assert servers_on(data) == (pid,)
        with client(server) as answers:
            assert answers.xlen("s") == 100
            assert answers.config_get("appendfsync") == {"appendfsync": "always"}, "today's settings, not yesterday's"
        await server.stop()
        assert servers_on(data) == ()


async def test_a_second_process_joins_and_lets_go(data: Path) -> None:
    first, second = make(data), make(data)
    await first.start()
    await second.start()
    assert (second.owner, second.adopted, second.pid) == (False, True, first.pid)
    assert second.url == first.url
    before = run_id(first)
    await second.stop()
    assert run_id(first) == before
    await first.stop()
    assert servers_on(data) == ()


async def test_two_starts_at_once_make_one_server(data: Path) -> None:
    both = [make(data) for _ in range(4)]
    await asyncio.gather(*(server.start() for server in both))
    assert sorted(server.owner for server in both) == [False, False, False, True]
    assert len(servers_on(data)) == 1
    for server in both:
        await server.stop()
    assert servers_on(data) == ()


async def test_waits_while_the_server_reads_its_file(data: Path) -> None:
    first = make(data)
    await first.start()
    with client(first) as answers, answers.pipeline(transaction=False) as batch:
        for number in range(20_000):  # the server looks up from its file every 1,024 commands
            batch.xadd("s", {"n": number})
        batch.execute()
    await first.stop()
    slow = data.parent / "server"
    slow.write_text(f'#!/bin/sh\nexec {BINARY} "$@" --key-load-delay 50\n')  # microseconds
    slow.chmod(0o755)
    second = make(data, binary=slow)
    starting = asyncio.create_task(second.start())

    async def loads() -> bool:
        return await control.ping(first.socket) == "loading"

    await until(loads)
    assert not starting.done()
    await starting
    with client(second) as answers:
        assert answers.xlen("s") == 20_000
    await second.stop()


async def test_a_program_that_ends_at_once_says_why(data: Path) -> None:
    program = data.parent / "server"
    program.write_text("#!/bin/sh\necho the moon is full\nexit 7\n")
    program.chmod(0o755)
    server = make(data, binary=program)
    with pytest.raises(StoreUnreachable, match=r"exit code 7.*the moon is full"):
        await server.start()
    assert not server.owner
    after = make(data)
    await after.start()
    assert after.owner, "a failed start must leave no lock behind"
    await after.stop()


async def test_a_program_that_cannot_be_run(data: Path) -> None:
    with pytest.raises(StoreUnreachable, match=r"no-such-server cannot be started .*WATCHPOST_REDIS_BIN"):
        await make(data, binary=data.parent / "no-such-server").start()


async def test_a_directory_that_cannot_be_written(data: Path) -> None:
    data.write_text("a file stands where the directory should be")
    with pytest.raises(StoreUnfit, match=r"cannot be written .*--data"):
        await make(data).start()


async def test_a_server_that_holds_no_lock_is_not_doubled(data: Path) -> None:
    data.mkdir()
    stranger = await asyncio.create_subprocess_exec(
        BINARY, "--port", "0", "--unixsocket", str(data / "redis.sock"), "--dir", str(data), "--logfile", "redis.log"
    )
    try:
        await until(lambda: (data / "redis.sock").exists())
        with pytest.raises(StoreUnfit, match="not started by watchpost"):
            await make(data).start()
        assert stranger.returncode is None
    finally:
        stranger.kill()
        await stranger.wait()


async def test_a_long_path_gets_a_socket_elsewhere_that_the_next_one_finds(data: Path) -> None:
    runtime = data.parent / "run"
    runtime.mkdir(mode=0o700)
    deep = data / ("d" * 60) / ("e" * 60)
    first, second = make(deep, runtime_dir=runtime), make(deep)
    await first.start()
    assert first.socket.parent == runtime
    assert (deep / "redis.sock.path").read_text() == f"{first.socket}\n"
    await second.start()
    assert (second.socket, second.owner) == (first.socket, False)
    await first.stop()


async def test_a_long_path_without_a_runtime_directory(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    open_to_all = data.parent / "run"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    deep = data / ("d" * 60) / ("e" * 60)
    server = make(deep, runtime_dir=open_to_all)
    await server.start()
    try:
        assert server.socket.parent != open_to_all, "anybody could put a socket there"
        assert server.socket.parent.stat().st_mode & 0o777 == 0o700
        assert len(os.fsencode(server.socket)) <= 100
    finally:
        await server.stop()
        server.socket.parent.rmdir()


async def test_a_start_that_is_cancelled_leaves_nothing_behind(data: Path) -> None:
    server = make(data)
    task = asyncio.create_task(server.start())
    await until(lambda: bool(servers_on(data)))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert servers_on(data) == ()
    assert not server.owner


def test_a_data_directory_that_others_may_enter_is_closed_to_them(tmp_path: Path) -> None:
    assert make_private(tmp_path / "new") == ""
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    tmp_path.chmod(0o755)
    assert make_private(tmp_path) == "", "nothing says that it is ours"
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    (tmp_path / "identity.json").write_text("{}")
    assert make_private(tmp_path) == "0755"
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert make_private(tmp_path) == ""
