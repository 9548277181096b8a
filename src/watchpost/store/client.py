"""The connection to Redis: its pools, its Lua scripts, and redis-py's errors as our own."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from pydantic_core import to_json
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript

from watchpost import log as tm
from watchpost.errors import StoreBusy, StoreUnfit, StoreUnreachable
from watchpost.net import network_failure
from watchpost.store import keys as store_keys

# Since 7.0 XAUTOCLAIM skips deleted entries: https://redis.io/docs/latest/commands/xautoclaim/. Valkey began at 7.2.
OLDEST = {"redis": (7, 0), "valkey": (7, 2)}
BLOCK_MS = 1000
# A shorter one would end blocking reads, which take BLOCK_MS: https://github.com/redis/redis-py/issues/3138
_SOCKET_TIMEOUT_SECONDS = 10.0
_HEARTBEAT_MS = 15_000
_SHARED = {  # the parts in scripts/shared that a script needs besides the clock and the ledger
    "matched": ("stories",),
    "close_due": ("dead_letters", "outbox"),
    "receiver": ("outbox",),
    **dict.fromkeys(("dead", "drop", "recount", "requeue"), ("dead_letters",)),
}

Argument = str | bytes | int | float
Call = tuple[Sequence[str], Sequence[Argument]]


def json_argument(**fields: object) -> bytes:
    """Return the one structured argument of a script, which reads it with cjson.decode(ARGV[1]).

    JSON carries no binary data: encoded articles, hits and messages follow it as arguments of their own.
    """
    return to_json(fields)


class Store:
    """One Redis or Valkey server.

    `url` is redis://, rediss:// or unix://; `prefix` starts every key and contains a hash tag. The first command
    connects. While the connection is lost commands raise StoreUnreachable; nothing needs to be opened again.
    """

    def __init__(self, url: str, prefix: str = "{wp}:", *, client: Redis | None = None) -> None:
        self.keys = store_keys.Keys(prefix)
        self.address = _without_password(url)
        # Any: redis-py types each answer "bytes or str", because decoding is a switch at run time; ours are bytes.
        self.redis: Any = client or _client(url)
        self.blocking: Any = client or _client(url)
        self._scripts: dict[str, AsyncScript] = {}

    def script(self, name: str) -> AsyncScript:
        """Return the script of that file name. redis-py loads it again after SCRIPT FLUSH or a restart."""
        if name not in self._scripts:
            folder = resources.files("watchpost.store") / "scripts"
            shared = [folder / "shared" / f"{part}.lua" for part in ("clock", "ledger", *_SHARED.get(name, ()))]
            text = "".join(file.read_text("utf-8") for file in (*shared, folder / f"{name}.lua"))
            self._scripts[name] = self.redis.register_script(text)
        return self._scripts[name]

    async def run(self, name: str, keys: Iterable[str], args: Iterable[Argument]) -> Any:
        """Run a script. Raises StoreUnreachable, StoreBusy or StoreUnfit."""
        async with self.errors():
            with tm.store_seconds.labels(name).time():
                return await self.script(name)(keys=list(keys), args=list(args))

    async def run_each(self, name: str, calls: Sequence[Call]) -> list[Any]:
        """Run one script for each (keys, arguments) in one round trip; each call is atomic by itself.

        The answers come in order. A call that fails answers with its exception, so that it does not hide the others.
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
        """Turn redis-py's errors within this block into StoreUnreachable, StoreBusy or StoreUnfit.

        An error that we do not know becomes StoreBusy, so that the loops try again instead of ending.
        """
        with cancellable():
            try:
                yield
            except (exceptions.BusyLoadingError, exceptions.OutOfMemoryError) as error:
                raise StoreBusy(f"the store takes no writes now: {error}") from error
            except exceptions.ReadOnlyError as error:
                raise StoreUnfit("the store is a read-only replica: point watchpost at the primary") from error
            except (exceptions.AuthenticationError, exceptions.NoPermissionError) as error:
                raise StoreUnfit(f"the store refuses this user: {error}") from error
            except (exceptions.ConnectionError, exceptions.TimeoutError, OSError) as error:
                raise StoreUnreachable(f"no Redis answers at {self.address}: {_why(error)}") from error
            except exceptions.RedisError as error:
                raise StoreBusy(f"the store refused a command: {_first_line(error)}") from error

    async def check(self) -> None:
        """Refuse a server that would lose alerts. Raises StoreUnreachable, or StoreUnfit with the cure."""
        async with self.errors():
            info: Mapping[str, Any] = await self.redis.info()
        brand = "valkey" if "valkey_version" in info else "redis"
        version, policy = str(info.get(f"{brand}_version", "0")), str(info.get("maxmemory_policy", "noeviction"))
        if tuple(int(number) for number in version.split(".")[:2]) < OLDEST[brand]:
            oldest = ".".join(map(str, OLDEST[brand]))
            raise StoreUnfit(f"{brand} {version} is too old: watchpost needs {brand} {oldest} or newer")
        if info.get("role") == "slave":
            raise StoreUnfit("the store is a replica: point watchpost at the primary")
        if policy != "noeviction":
            raise StoreUnfit(
                f"maxmemory-policy is {policy}: the server would delete queued alerts when memory is short; "
                "run `CONFIG SET maxmemory-policy noeviction` and write it to the server's configuration"
            )

    async def prepare(self, install: str) -> str:
        """Create what the first write needs; return this installation's id (`install` if it has none yet)."""
        async with self.errors():
            schema, kept = await self.redis.hmget(self.keys.meta, "schema", "install")
            if schema is None or kept is None:  # read first: a full server refuses even a write that changes nothing
                await self.redis.hsetnx(self.keys.meta, "schema", store_keys.SCHEMA)
                await self.redis.hsetnx(self.keys.meta, "install", install)
                schema, kept = await self.redis.hmget(self.keys.meta, "schema", "install")
            if schema.decode() != store_keys.SCHEMA:
                raise StoreUnfit(
                    f"the data have schema {schema.decode()}, this version reads {store_keys.SCHEMA}: "
                    "run the version that wrote them, or start with an empty data directory"
                )
            for stream, group in ((self.keys.articles, store_keys.MATCH), (self.keys.pushed, store_keys.POLL)):
                await ensure_group(self.redis, stream, group)
            return str(kept.decode())

    async def secret(self, field: str = "secret") -> str:
        """Return a secret of this installation, drawn once and kept for ever; its tokens are derived from it."""
        async with self.errors():
            secret = await self.redis.hget(self.keys.meta, field)
            if secret is None:
                await self.redis.hsetnx(self.keys.meta, field, secrets.token_hex(32))
                secret = await self.redis.hget(self.keys.meta, field)
            return str(secret.decode())

    async def prune(self, at_most: int = 1000) -> int:
        """Forget ids that are past their time, and correct the counts of dead letters; return how many ids."""
        await self.run("recount", [self.keys.dead, self.keys.dead_counts], [])
        names = [self.keys.meta, self.keys.heads, self.keys.seen, self.keys.hits, self.keys.sent]
        return int(await self.run("prune", names, [at_most]))

    async def heartbeat(self, name: str, facts: str) -> None:
        """Report that this process is running, for the next 15 s."""
        await self.run("beat", [self.keys.beat(name), self.keys.beats], [name, facts, _HEARTBEAT_MS])

    async def end_heartbeat(self, name: str) -> None:
        """Report that this process ends."""
        async with self.errors():
            await self.redis.zrem(self.keys.beats, name)
            await self.redis.delete(self.keys.beat(name))

    async def close(self) -> None:
        """Close both pools."""
        await self.redis.aclose()
        if self.blocking is not self.redis:
            await self.blocking.aclose()


def _client(url: str) -> Redis:
    return Redis.from_url(
        url,
        protocol=2,  # RESP3 changes the shape of XREADGROUP's answer on redis-py 8
        socket_timeout=_SOCKET_TIMEOUT_SECONDS,
        socket_connect_timeout=5.0,
        retry=Retry(NoBackoff(), 0),  # the caller of a script decides whether to run it again
        health_check_interval=30,
    )


async def ensure_group(redis: Any, stream: str, group: bytes) -> None:
    """Create a consumer group that reads its stream from the first entry on, unless it exists."""
    if await redis.exists(stream) and any(each["name"] == group for each in await redis.xinfo_groups(stream)):
        return  # read first: a full server refuses even a write that changes nothing
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
    """Return the URL without passwords: one can be in front of the host, or among the parameters."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _why(error: BaseException) -> str:
    failure = network_failure(error)
    return _first_line(error) if failure.kind == "other" else failure.problem


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


async def pause(delay_seconds: float, stop: asyncio.Event) -> None:
    """Sleep for so long, or until `stop` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(delay_seconds):
            await stop.wait()


class Batcher:
    """Runs one script for many tasks: calls that arrive during a round trip go out together in the next one.

    Each call is atomic by itself; if one fails, the others are not affected.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name
        self._waiting: list[tuple[Call, asyncio.Future[Any]]] = []
        self._sender: asyncio.Task[None] | None = None

    async def run(self, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run the script, as Store.run. If the caller is cancelled, the script may or may not have run."""
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
                if future.done():  # its caller was cancelled
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
