"""Commands to a running embedded server over its socket: ping, identify, adjust, shut down, find."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from watchpost.errors import StoreBusy, StoreUnfit, StoreUnreachable
from watchpost.store.client import cancellable
from watchpost.store.server.binary import Fsync
from watchpost.store.server.datadir import DataDirectory

# A door to the embedded server's socket: the few things its supervisor asks and tells it, each in one connection.
#
# A new connection each time is on purpose: it finds what a client would find.


Answer = Literal["ready", "loading", "silent"]

_TROUBLE = (exceptions.RedisError, OSError, TimeoutError)


async def ask(socket: Path) -> Answer:
    """Whether the server takes commands. Never raises."""
    try:
        async with _client(socket, timeout_seconds=2.0) as redis:
            await redis.ping()
    except exceptions.BusyLoadingError:
        return "loading"
    except exceptions.ResponseError:  # MISCONF, BUSY: in trouble, but it lives
        return "ready"
    except _TROUBLE:
        return "silent"
    return "ready"


async def identify(socket: Path, data: Path) -> int:
    """The server's process id, once it has said that it keeps its data in `data`.

    Raises StoreUnfit for another server, StoreUnreachable when it goes away meanwhile.
    """
    try:
        async with _client(socket) as redis:
            facts = await redis.info("server")
            settings = await redis.config_get("dir", "appendonly")
    except _TROUBLE as error:
        raise StoreUnreachable(f"the server at {socket} went away while it started: {error}") from error
    if settings.get("dir") != str(data) or settings.get("appendonly") != "yes":
        raise StoreUnfit(
            f"the server at {socket} keeps its data in {settings.get('dir')} "
            f"(appendonly {settings.get('appendonly')}), not in {data}: stop that server and start again"
        )
    return int(facts["process_id"])


async def adjust(socket: Path, *, fsync: Fsync, maxmemory: int) -> None:
    """Give a server that was started earlier the settings of now."""
    with suppress(*_TROUBLE):
        async with _client(socket) as redis:
            await redis.config_set("appendfsync", fsync, "maxmemory", maxmemory)


async def shut_down(socket: Path) -> bool:
    """Ask the server to write out its file and end. False when it refused or did not listen."""
    try:
        async with _client(socket) as redis:
            await redis.shutdown()
    except _TROUBLE:
        return False
    return True


@asynccontextmanager
async def _client(socket: Path, timeout_seconds: float = 10.0) -> AsyncIterator[Any]:
    # Any: redis-py types answers "bytes or str", because decoding is a switch at run time.
    client = Redis(
        unix_socket_path=str(socket),
        protocol=2,
        decode_responses=True,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=2.0,
        retry=Retry(NoBackoff(), 0),
    )
    with cancellable():
        async with client:
            yield client


# A door to an embedded server that runs already: for commands that look at a service from outside it.


async def find_running(data: Path, *, runtime_dir: Path | None = None) -> str:
    """The URL of the server that runs on the directory `data` right now. Starts nothing, writes nothing.

    `runtime_dir` as for EmbeddedServer. Raises StoreUnreachable if none runs there, StoreBusy if it is still loading.
    """
    if runtime_dir is None and (named := os.environ.get("XDG_RUNTIME_DIR")):
        runtime_dir = Path(named)
    directory = DataDirectory(data, runtime_dir)
    socket = directory.socket(make=False)
    answer = "silent" if socket is None else await ask(socket)
    if answer == "silent":
        raise StoreUnreachable(
            f"no watchpost runs on {directory.path}: start it with `watchpost run`, or name its directory with --data"
        )
    if answer == "loading":
        raise StoreBusy(f"the server on {directory.path} is still reading its data: try again in a moment")
    return f"unix://{socket}"
