"""What the tests of the embedded server share: a program, a log that remembers, a client, some writes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import redis

from watchpost.store.server.binary import find_binary
from watchpost.store.server.embedded import EmbeddedServer

BINARY = find_binary(os.environ)

PARENT = """
import asyncio, sys
from pathlib import Path
import structlog
from watchpost.store.server.embedded import EmbeddedServer

async def main():
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    server = EmbeddedServer(Path(sys.argv[1]), binary=Path(sys.argv[2]), log=structlog.get_logger())
    await server.start()
    print(server.pid, flush=True)
    await server.supervise()

asyncio.run(main())
"""


class Telling:
    """A log that remembers: the events in order, and each event's last level and facts."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.levels: dict[str, str] = {}
        self.facts: dict[str, dict[str, Any]] = {}

    def info(self, event: str, /, **facts: Any) -> None:
        self._tell("info", event, facts)

    def warning(self, event: str, /, **facts: Any) -> None:
        self._tell("warning", event, facts)

    def error(self, event: str, /, **facts: Any) -> None:
        self._tell("error", event, facts)

    def _tell(self, level: str, event: str, facts: dict[str, Any]) -> None:
        self.events.append(event)
        self.levels[event] = level
        self.facts[event] = facts


def make(data: Path, *, binary: Path = BINARY, **options: Any) -> EmbeddedServer:
    return EmbeddedServer(data, binary=binary, **{"log": Telling(), "ping_seconds": 0.2, **options})


def client(server: EmbeddedServer) -> Any:
    return redis.Redis.from_url(server.url, decode_responses=True, protocol=2)


def write(data: Path, count: int) -> int:
    """Append `count` entries to the stream "s", one by one; returns how many the server acknowledged."""
    with redis.Redis(unix_socket_path=str(data / "redis.sock"), protocol=2) as writer:
        for number in range(count):
            writer.xadd("s", {"n": number})
    return count


async def until_in_file(server: EmbeddedServer) -> None:
    """Until all that was acknowledged is in the server's file: it waits up to two seconds for a slow fsync."""
    with client(server) as answers:
        await until(lambda: answers.info("persistence")["aof_buffer_length"] == 0, 60)


def run_id(server: EmbeddedServer) -> str:
    with client(server) as redis_client:
        return str(redis_client.info("server")["run_id"])


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def supervised(server: EmbeddedServer) -> AsyncIterator[None]:
    task = asyncio.create_task(server.supervise())
    try:
        yield
        assert not task.done(), "supervise() must run until it is cancelled"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def killed_parent(data: Path) -> AsyncIterator[int]:
    """A process that starts the server, supervises it, and dies by SIGKILL; gives the server's process id."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(data), str(BINARY), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(await asyncio.wait_for(parent.stdout.readline(), 20))
    write(data, 100)
    parent.kill()
    await parent.wait()
    yield pid
