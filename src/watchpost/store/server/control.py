"""Commands to a running embedded server over its socket: ping, identify, adjust, shut down, find.

Each uses a new connection on purpose: it fails where that of a client would fail.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from watchpost.errors import StoreBusy, StoreEnded, StoreSilent, StoreUnfit, StoreUnreachable
from watchpost.store.client import DRIVER, cancellable
from watchpost.store.server.binary import HZ, Fsync
from watchpost.store.server.datadir import DataDirectory

Answer = Literal["ready", "loading", "silent"]

_TROUBLE = (exceptions.RedisError, OSError, TimeoutError)


async def ping(socket: Path) -> Answer:
    """Return whether the server takes commands. Never raises StoreError."""
    try:
        async with _client(socket, timeout_seconds=2.0) as redis:
            await redis.ping()
    except exceptions.BusyLoadingError:
        return "loading"
    except exceptions.ResponseError:  # MISCONF, BUSY: it has a problem, but it is running
        return "ready"
    except _TROUBLE:
        return "silent"
    return "ready"


async def identify(socket: Path, data: Path) -> int:
    """Return the process id of the server, whose data must be in `data`.

    Raises StoreUnfit for another server, StoreUnreachable if it ends meanwhile.
    """
    try:
        async with _client(socket) as redis:
            facts = await redis.info("server")
            settings = await redis.config_get("dir", "appendonly")
    except _TROUBLE as error:
        raise StoreUnreachable(f"the server at {socket} ended while it started: {error}") from error
    if settings.get("dir") != str(data) or settings.get("appendonly") != "yes":
        raise StoreUnfit(
            f"the server at {socket} keeps its data in {settings.get('dir')} "
            f"(appendonly {settings.get('appendonly')}), not in {data}: stop that server and start again"
        )
    return int(facts["process_id"])


async def adjust(socket: Path, *, fsync: Fsync, maxmemory: int) -> None:
    """Give a server that was started earlier the present settings."""
    with suppress(*_TROUBLE):
        async with _client(socket) as redis:
            await redis.config_set("appendfsync", fsync, "maxmemory", maxmemory, "hz", HZ)


@dataclass(frozen=True, slots=True)
class FileState:
    """What a server says of its append-only files.

    `written` is the bytes that it wrote to them; `is_settled`: its last write succeeded, and no rewrite is in progress;
    `rewrite_failed`: its last rewrite did.
    """

    written: int
    is_settled: bool
    rewrite_failed: bool


async def look_at_file(socket: Path) -> FileState | None:
    """Return the server's own account of its files; None if it does not answer."""
    try:
        async with _client(socket, timeout_seconds=2.0) as redis:
            facts = await redis.info("persistence")
    except _TROUBLE:
        return None
    busy = facts["aof_rewrite_in_progress"] or facts["aof_rewrite_scheduled"]
    return FileState(
        written=int(facts["aof_current_size"]),
        is_settled=facts["aof_last_write_status"] == "ok" and not busy,
        rewrite_failed=facts["aof_last_bgrewrite_status"] != "ok",
    )


async def rewrite(socket: Path) -> None:
    """Ask the server to write its files again; it does so in a process of its own."""
    with suppress(*_TROUBLE):
        async with _client(socket) as redis:
            await redis.bgrewriteaof()


async def shut_down(socket: Path) -> bool:
    """Ask the server to write its file and end; return False if it refused or did not answer."""
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
        driver_info=DRIVER,
    )
    with cancellable():
        async with client:
            yield client


async def find_running(data: Path, *, runtime_dir: Path | None = None) -> str:
    """Return the URL of the server that is running on the directory `data`. It starts and writes nothing.

    `runtime_dir` as for EmbeddedServer. Raises StoreUnreachable if none is running, StoreSilent if it hangs, StoreEnded
    if only the service runs, StoreBusy if it is still loading.
    """
    directory = DataDirectory(data, runtime_dir)
    socket = directory.socket(make=False)
    answer = "silent" if socket is None else await ping(socket)
    if answer == "silent" and directory.is_locked("redis"):
        raise StoreSilent(
            f"the server of the watchpost on {directory.path} is running, but does not answer: it hangs or is stopped; "
            "restart the service"
        )
    if answer == "silent" and directory.is_locked("owner"):
        raise StoreEnded(
            f"the watchpost on {directory.path} is running, but its server is not: it starts it again by itself; "
            "if this lasts, redis.died and redis.down in its log say why"
        )
    if answer == "silent":
        raise StoreUnreachable(
            f"no watchpost is running on {directory.path}: "
            "start it with `watchpost run`, or name its directory with --data"
        )
    if answer == "loading":
        raise StoreBusy(f"the server on {directory.path} is still loading its data: try again in a moment")
    return f"unix://{socket}"
