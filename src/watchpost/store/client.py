"""The door to Redis: two connection pools, the scripts, and redis-py's errors said in the house's words."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript

from watchpost import log as tm
from watchpost.errors import StoreBusy, StoreUnfit, StoreUnreachable
from watchpost.store import keys as store_keys

OLDEST = {
    "redis": (7, 0),
    "valkey": (7, 2),
}  # streams, XAUTOCLAIM with deleted ids: findings on redis-queue, 1.3
BLOCK_MS = 1000
_LETTERS = ("letters",)
_WITH = {
    "matched": ("stories",),
    **dict.fromkeys(("close_due", "dead", "drop", "recount", "requeue"), _LETTERS),
}  # what a script leans on besides the clock
_PATIENCE_SECONDS = 10.0  # above BLOCK_MS + 2 s, or a blocking read raises (redis-py #3138)

Argument = str | bytes | int | float
Call = tuple[Sequence[str], Sequence[Argument]]


class Store:
    """One Redis or Valkey, and everything that its wire ends share.

    `url` is redis://, rediss:// or unix://; `prefix` starts every key and holds a hash tag. Opening and
    closing cost nothing: the first command connects. After a lost connection commands raise StoreUnreachable
    until the server is back; nothing needs to be opened again.
    """

    def __init__(self, url: str, prefix: str = "{wp}:", *, client: Redis | None = None) -> None:
        self.keys = store_keys.Keys(prefix)
        self.address = _without_password(url)
        # Any: redis-py types each answer "bytes or str", because decoding is a switch at run time; ours are bytes.
        self.redis: Any = client or _client(url)
        self.blocking: Any = client or _client(url)
        self._scripts: dict[str, AsyncScript] = {}

    def script(self, name: str) -> AsyncScript:
        """The script of that file name, registered once; it reloads itself after SCRIPT FLUSH or a restart."""
        if name not in self._scripts:
            folder = resources.files("watchpost.store") / "scripts"
            parts = ("now", "ledger", *_WITH.get(name, ()), name)
            text = "".join((folder / f"{part}.lua").read_text("utf-8") for part in parts)
            self._scripts[name] = self.redis.register_script(text)
        return self._scripts[name]

    async def run(self, name: str, keys: Iterable[str], args: Iterable[Argument]) -> Any:
        """Run a script. Raises StoreUnreachable, StoreBusy, StoreUnfit."""
        async with self.errors():
            with tm.store_seconds.labels(name).time():
                return await self.script(name)(keys=list(keys), args=list(args))

    async def run_each(self, name: str, calls: Sequence[Call]) -> list[Any]:
        """Run one script once for each (keys, arguments), all in one round trip; each call is a step of its own.

        Answers come in order; an answer may be an exception, so that one refused call does not hide the others.
        """
        script = self.script(name)
        async with self.errors():
            with tm.store_seconds.labels(name).time():
                answers = await self._pipelined(script.sha, calls)
            if any(isinstance(answer, exceptions.NoScriptError) for answer in answers):
                await self.redis.script_load(script.script)
                again = [n for n, answer in enumerate(answers) if isinstance(answer, exceptions.NoScriptError)]
                for n, answer in zip(again, await self._pipelined(script.sha, [calls[n] for n in again]), strict=True):
                    answers[n] = answer
        return answers

    async def _pipelined(self, sha: str, calls: Sequence[Call]) -> list[Any]:
        pipe = self.redis.pipeline(transaction=False)
        for names, args in calls:
            pipe.evalsha(sha, len(names), *names, *args)
        return list(await pipe.execute(raise_on_error=False))

    @asynccontextmanager
    async def errors(self) -> AsyncIterator[None]:
        """Within this block redis-py's errors become StoreUnreachable, StoreBusy or StoreUnfit.

        No error of the store ends a loop: what it refuses for a reason that we do not know is tried again, too.
        """
        with cancellable():
            try:
                yield
            except (exceptions.BusyLoadingError, exceptions.OutOfMemoryError) as error:
                raise StoreBusy(f"the store takes no writes for now: {error}") from error
            except exceptions.ReadOnlyError as error:
                raise StoreUnfit("the store is a read-only replica: point watchpost at the primary") from error
            except (exceptions.AuthenticationError, exceptions.NoPermissionError) as error:
                raise StoreUnfit(f"the store refuses this user: {error}") from error
            except (exceptions.ConnectionError, exceptions.TimeoutError, OSError) as error:
                raise StoreUnreachable(f"no Redis answers at {self.address}: {_why(error)}") from error
            except exceptions.RedisError as error:
                raise StoreBusy(f"the store refused a command: {_first_line(error)}") from error

    async def check(self) -> None:
        """Refuse a server that would lose alerts. Raises StoreUnreachable or StoreUnfit with the cure."""
        async with self.errors():
            info: Mapping[str, Any] = await self.redis.info()
            policy = str(info.get("maxmemory_policy", "noeviction"))
        brand = "valkey" if "valkey_version" in info else "redis"
        version = str(info.get(f"{brand}_version", "0"))
        oldest = OLDEST[brand]
        if tuple(int(part) for part in version.split(".")[:2]) < oldest:
            wanted = ".".join(map(str, oldest))
            raise StoreUnfit(f"{brand} {version} is too old: watchpost needs {brand} {wanted} or newer")
        if info.get("role") == "slave":
            raise StoreUnfit("the store is a replica: point watchpost at the primary")
        if policy != "noeviction":
            raise StoreUnfit(
                f"maxmemory-policy is {policy}: the server would throw queued alerts away when memory is short; "
                "run `CONFIG SET maxmemory-policy noeviction` and write it to the server's configuration"
            )

    async def prepare(self, install: str) -> str:
        """Make what must be there before the first write; returns this installation's id (kept for ever)."""
        async with self.errors():
            schema, kept = await self.redis.hmget(self.keys.meta, "schema", "install")
            if schema is None or kept is None:  # a full server refuses to write what is there already
                await self.redis.hsetnx(self.keys.meta, "schema", store_keys.SCHEMA)
                await self.redis.hsetnx(self.keys.meta, "install", install)
                schema, kept = await self.redis.hmget(self.keys.meta, "schema", "install")
            if schema.decode() != store_keys.SCHEMA:
                raise StoreUnfit(
                    f"the data were written for schema {schema.decode()}, this version reads {store_keys.SCHEMA}: "
                    "run the version that wrote them, or start with an empty data directory"
                )
            for stream, group in ((self.keys.articles, store_keys.MATCH), (self.keys.pushed, store_keys.POLL)):
                await ensure_group(self.redis, stream, group)  # a full server refuses to make them later
            return str(kept.decode())

    async def secret(self) -> str:
        """This installation's secret, drawn once and kept for ever: what its tokens are made of."""
        async with self.errors():
            kept = await self.redis.hget(self.keys.meta, "secret")
            if kept is None:
                await self.redis.hsetnx(self.keys.meta, "secret", secrets.token_hex(32))
                kept = await self.redis.hget(self.keys.meta, "secret")
            return str(kept.decode())

    async def prune(self, at_most: int = 1000) -> int:
        """Forget ids whose time is over; returns how many. What is counted of dead letters is set right, too."""
        await self.run("recount", [self.keys.dead, self.keys.dead_counts], [])
        names = [self.keys.meta, self.keys.heads, self.keys.seen, self.keys.hits, self.keys.sent]
        return int(await self.run("prune", names, [at_most]))

    async def heartbeat(self, name: str, facts: str) -> None:
        """Say that this process works; said no more, it is forgotten after 15 s."""
        await self.run("beat", [self.keys.beat(name), self.keys.beats], [name, facts, 15_000])

    async def end_heartbeat(self, name: str) -> None:
        """Say that this process ends."""
        async with self.errors():
            await self.redis.zrem(self.keys.beats, name)
            await self.redis.delete(self.keys.beat(name))

    async def close(self) -> None:
        """Close both pools."""
        await self.redis.aclose()
        if self.blocking is not self.redis:
            await self.blocking.aclose()


def _client(url: str) -> Redis:
    # No retries inside the client: sending a script again is right, but only its caller knows when.
    return Redis.from_url(
        url,
        protocol=2,  # RESP3 changes the shape of XREADGROUP's answer on redis-py 8
        socket_timeout=_PATIENCE_SECONDS,
        socket_connect_timeout=5.0,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=30,
    )


async def ensure_group(redis: Any, stream: str, group: bytes) -> None:
    """Create a consumer group that reads its stream from the very first entry; an existing one stays as it is."""
    if await redis.exists(stream) and any(each["name"] == group for each in await redis.xinfo_groups(stream)):
        return  # a server without memory refuses to make what is there already
    try:
        await redis.xgroup_create(stream, group, id="0", mkstream=True)
    except exceptions.ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


@contextmanager
def cancellable() -> Iterator[None]:
    """Within this block a cancellation always raises CancelledError, at the latest when the block ends.

    redis-py sends with asyncio.wait_for, which on Python 3.11 drops a cancellation that arrives in the moment in which
    it is done (https://github.com/python/cpython/issues/86296): a loop that asks the server would go on for ever.
    """
    before = _cancellations()
    try:
        yield
    except Exception as error:
        if _cancellations() > before:
            raise asyncio.CancelledError from error
        raise
    if _cancellations() > before:
        raise asyncio.CancelledError


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def _without_password(url: str) -> str:
    """The address as it may be shown: a password can stand before the host, or among the parameters."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _why(error: BaseException) -> str:
    """What a person says of it; redis-py wraps the system's error, and quotes it with its number."""
    cause = error.__cause__ or error.__context__ or error
    if isinstance(cause, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(cause, socket.gaierror):
        return "its name cannot be resolved"
    if isinstance(error, exceptions.TimeoutError) or isinstance(cause, TimeoutError):
        return "no answer in time"
    return _first_line(error)


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


async def until_available(delay_seconds: float, stop: asyncio.Event) -> None:
    """Wait, or until `stop` is set."""
    try:
        async with asyncio.timeout(delay_seconds):
            await stop.wait()
    except TimeoutError:
        pass


# Calls of one script by many tasks: those that come while others are under way go out next, in one round trip.


class Batcher:
    """Runs one script. Each call is a step of its own, and what is refused to one no other hears."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name
        self._waiting: list[tuple[Call, asyncio.Future[Any]]] = []
        self._sender: asyncio.Task[None] | None = None

    async def run(self, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """As Store.run. Whoever is cancelled meanwhile does not know whether the step was taken."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(((keys, args), answer))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())
        async with self._store.errors():
            return await answer

    async def _send(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            answers: Sequence[object]
            try:
                answers = await self._store.run_each(self._name, [call for call, _ in waiting])
            except Exception as error:
                answers = [error] * len(waiting)
            for (_, future), answer in zip(waiting, answers, strict=True):
                if future.done():  # nobody waits any more
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
