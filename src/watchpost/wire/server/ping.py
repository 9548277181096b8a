"""A door to the embedded server's socket: the few things its supervisor asks and tells it, each in one connection.

A new connection each time is on purpose: it finds what a client would find.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from watchpost.errors import StoreUnfit, StoreUnreachable
from watchpost.wire.server.binary import Fsync

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


def _client(socket: Path, timeout_seconds: float = 10.0) -> Any:
    # Any: redis-py types answers "bytes or str", because decoding is a switch at run time.
    return Redis(
        unix_socket_path=str(socket),
        protocol=2,
        decode_responses=True,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=2.0,
        retry=Retry(NoBackoff(), 0),
        single_connection_client=True,
    )
