"""The connection to Redis: its pools, its Lua scripts, and redis-py's errors as our own."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from copy import copy
from dataclasses import dataclass
from importlib import resources
from typing import Any, cast
from urllib.parse import urlsplit

from pydantic_core import to_json
from redis import DriverInfo, exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript

from watchpost import log as tm
from watchpost.errors import StoreBusy, StoreError, StoreUnfit, StoreUnreachable
from watchpost.net import causes_of, network_failure
from watchpost.sentinel_address import is_sentinel_address, sentinel_address
from watchpost.store import keys as store_keys

# Since 7.0 XAUTOCLAIM skips deleted entries: https://redis.io/docs/latest/commands/xautoclaim/. Valkey began at 7.2.
OLDEST = {"redis": (7, 0), "valkey": (7, 2)}
# A socket timeout must be longer than a blocking read takes: https://github.com/redis/redis-py/issues/3138
BLOCK_MS = 4000
_OWN_BLOCK_MS = 25_000  # at a socket of this machine, whose end is noticed at once; redis-py asks after 30 s of silence
DRIVER = DriverInfo()  # without it redis-py reads its package's metadata for each client, which takes 6 ms
_CONNECTIONS = 10_000  # as many as a server accepts, unless it is told otherwise
_SOCKET_TIMEOUT_SECONDS = 10.0
_TURNS = 6  # of the loop, from a tick to the moment in which the last loop that waited for it asks the store
_FAILOVER_TIMEOUT_SECONDS = 5.0  # with Sentinels another server answers by then
_LOOK_SECONDS = 2.0  # for the answer of a primary; one that hangs must not keep us from seeing the next one
_SENTINEL_TIMEOUT_SECONDS = 1.5  # then the next one is asked
_RENEW_SECONDS = 1.0  # between two renewals that commands ask for
_HEARTBEAT_MS = 15_000
_PRUNINGS = 20  # steps in a minute; twenty feeds at their limit bring less
_SHARED = {  # the parts in scripts/shared that a script needs besides the clock and the ledger
    "matched": ("fates", "stories"),
    "close_due": ("dead_letters", "fates", "outbox"),
    **dict.fromkeys(("audit", "done"), ("fates",)),
    "receiver": ("outbox",),
    **dict.fromkeys(("dead", "drop", "requeue"), ("dead_letters", "fates")),
    "recount": ("dead_letters",),
    **dict.fromkeys(("claim_feeds", "commit", "leave_feed", "leave_host", "take_host"), ("hosts",)),
    "put_back": ("fates", "outbox"),
}

Argument = str | bytes | int | float
Call = tuple[Sequence[str], Sequence[Argument]]
Ask = Callable[[Any], object]
"""Adds commands to a pipeline of redis-py."""


def json_argument(**fields: object) -> bytes:
    """Return the one structured argument of a script, which reads it with cjson.decode(ARGV[1]).

    JSON carries no binary data: encoded articles, hits and messages follow it as arguments of their own.
    """
    return to_json(fields)


@dataclass(frozen=True, slots=True)
class Server:
    """What a new connection leads to: `run_id` changes with each start of a server."""

    brand: str
    version: str
    run_id: str
    role: str
    address: str

    def __str__(self) -> str:
        return f"{self.brand} {self.version} at {self.address}, {self.role}"


class Store:
    """One Redis or Valkey server, or the primary that Sentinels name.

    `url` is redis://, rediss://, unix:// or redis+sentinel://; `prefix` starts every key and contains a hash tag. The
    first command connects. While the connection is lost commands raise StoreUnreachable; nothing needs to be opened
    again. When the address leads to another server, or the server becomes a replica, new connections are made.
    """

    def __init__(
        self, url: str, prefix: str = "{wp}:", *, client: Redis | None = None, health_checks: bool = True
    ) -> None:
        """`health_checks`: ask a connection that was not used for 30 s whether it still works.

        A server that cannot write refuses that question, so that nothing could be read from it any more.
        """
        self.keys = store_keys.Keys(prefix)
        self.address = _without_password(url)
        # Any: redis-py types each answer "bytes or str", because decoding is a switch at run time; ours are bytes.
        self._connect = _Connector(url, health_checks=health_checks)
        self.redis: Any = client or self._connect.client()
        own = url.startswith("unix:")
        self.block_ms = _OWN_BLOCK_MS if own else BLOCK_MS  # how long a read may wait for something new
        self.blocking: Any = client or self._connect.client(waits_ms=self.block_ms if own else 0)
        self.server: Server | None = None
        self.renewals = 0  # how often all connections were made again
        self.interruptions = 0  # how often it was away or became another server: it may be older than what we read
        self.born = ""  # which beginning of the store's data this process knows, "" for any
        self.former_secrets: Sequence[str] = ()  # of stores before this one: links derived from them go on working
        self._renewed = -_RENEW_SECONDS
        self._scripts: dict[str, AsyncScript] = {}
        self._asked: list[tuple[Ask, asyncio.Future[list[Any]]]] = []
        self._asking: set[asyncio.Task[None]] = set()

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
        for answer in answers:
            if isinstance(answer, Exception):
                await self._renew_after(answer)
        return answers

    async def ask(self, commands: Ask) -> list[Any]:
        """Return the answers to the commands that `commands` adds to a pipeline. Raises redis-py's errors.

        What several loops ask at the same tick goes out in one round trip, in order: one wakeup instead of many.
        """
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._asked.append((commands, answer))
        if len(self._asked) == 1:
            task = asyncio.create_task(self._ask())
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        return await answer

    async def _ask(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        asked, self._asked = self._asked, []
        pipe = self.redis.pipeline(transaction=False)
        ends = []
        for commands, _ in asked:
            commands(pipe)
            ends.append(len(pipe))
        try:
            answers: list[Any] = await pipe.execute(raise_on_error=False)
        except Exception as error:  # each of those who asked raises it
            answers = [error] * ends[-1]
        for (_, future), begin, end in zip(asked, [0, *ends], ends, strict=False):
            if future.done():  # who asked was cancelled
                continue
            failed = next((one for one in answers[begin:end] if isinstance(one, Exception)), None)
            if failed is not None:
                future.set_exception(failed)
            else:
                future.set_result(answers[begin:end])

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
            except exceptions.RedisError as error:
                self.interruptions += 1
                await self._renew_after(error)
                raise self._as_ours(error) from error
            except OSError as error:
                self.interruptions += 1
                raise self._as_ours(error) from error
            except AttributeError as error:
                if not _is_closed_connection(error):
                    raise
                self.interruptions += 1
                raise StoreUnreachable(f"no Redis answers at {self.address}: the connection was closed") from error

    def _as_ours(self, error: exceptions.RedisError | OSError) -> StoreError:
        if (refusal := _cannot_write(error)) is not None:
            return StoreBusy(f"the store takes no writes now: {refusal}")
        match error:
            case exceptions.BusyLoadingError() | exceptions.OutOfMemoryError():
                return StoreBusy(f"the store takes no writes now: {error}")
            case exceptions.ReadOnlyError() | exceptions.MasterDownError():
                return StoreUnfit("the store is a read-only replica: point watchpost at the primary")
            case exceptions.AuthenticationError() | exceptions.NoPermissionError():
                return StoreUnfit(f"the store refuses this user: {error}")
            case exceptions.MovedError():
                return StoreUnfit(_CLUSTER)
            case MasterNotFoundError():
                return StoreUnreachable(f"no Redis answers at {self.address}: {_why_no_primary(error)}")
            case exceptions.ConnectionError() | exceptions.TimeoutError() | OSError():
                return StoreUnreachable(f"no Redis answers at {self.address}: {_why(error)}")
        if str(error).startswith(_NO_SENTINEL):
            return StoreUnfit(f"{self.address} names a server that is no Sentinel; Sentinels are mostly at port 26379")
        return StoreBusy(f"the store refused a command: {_first_line(error)}")

    async def _renew_after(self, error: Exception) -> None:
        """Make new connections if the error says that these lead to the wrong server; at most once a second."""
        now = asyncio.get_running_loop().time()
        if _is_elsewhere(error) and now - self._renewed >= _RENEW_SECONDS:
            await self.renew()

    async def renew(self) -> None:
        """Close every connection: the next command connects again, and asks the name server or the Sentinels.

        A command that is waiting for its answer fails with StoreUnreachable; its caller runs it again.
        """
        self._renewed = asyncio.get_running_loop().time()
        self.renewals += 1
        self.interruptions += 1
        for client in (self.redis, self.blocking):
            with suppress(exceptions.RedisError, OSError):
                await client.connection_pool.disconnect()

    async def look(self) -> Server:
        """Return the server that a new connection leads to now; renew the others if that is another one than before.

        An address can lead to another server while connections to the old one live on: after a failover, or a change
        in DNS or in a proxy. Raises StoreError, also if the server is a replica.
        """
        async with self.errors():
            client = self._connect.client()
            try:
                async with asyncio.timeout(self._connect.look_seconds):
                    info: Mapping[str, Any] = await client.info()
                if info.get("loading"):
                    raise exceptions.BusyLoadingError("it is loading its data")
                found = _server(info, self._connect.place(client) or self.address)
            finally:
                await client.aclose(close_connection_pool=True)
        before, self.server = self.server, found
        if before is not None and (before.run_id, before.role) != (found.run_id, found.role):
            await self.renew()
        if found.role != "primary":
            raise StoreUnfit("the store is a replica: point watchpost at the primary")
        return found

    async def check(self) -> None:
        """Refuse a server that would lose alerts. Raises StoreUnreachable, or StoreUnfit with the cure."""
        async with self.errors():
            info: Mapping[str, Any] = await self.redis.info()
        server, policy = _server(info, self.address), str(info.get("maxmemory_policy", "noeviction"))
        if tuple(int(number) for number in server.version.split(".")[:2]) < OLDEST[server.brand]:
            oldest = ".".join(map(str, OLDEST[server.brand]))
            raise StoreUnfit(
                f"{server.brand} {server.version} is too old: watchpost needs {server.brand} {oldest} or newer"
            )
        if server.role != "primary":
            raise StoreUnfit("the store is a replica: point watchpost at the primary")
        if info.get("cluster_enabled"):
            raise StoreUnfit(_CLUSTER)
        if policy != "noeviction":
            raise StoreUnfit(
                f"maxmemory-policy is {policy}: the server would delete queued alerts when memory is short; "
                "run `CONFIG SET maxmemory-policy noeviction` and write it to the server's configuration"
            )

    async def check_writes(self) -> None:
        """Return if the server accepts writes now; changes nothing. Raises StoreBusy or StoreUnfit with its reason.

        A server that is full refuses even a write that sets no field, because the field exists.
        """
        async with self.errors():
            schema = await self.redis.hget(self.keys.meta, "schema")
            if schema is not None:
                await self.redis.hsetnx(self.keys.meta, "schema", schema)

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
        """Forget ids that are past their time, and correct the counts of dead letters; return how many ids.

        At most so many of each kind in one step, and twenty times as many in all.
        """
        await self.run("recount", [self.keys.dead, self.keys.dead_counts], [])
        names = [self.keys.meta, self.keys.heads, self.keys.seen, self.keys.hits, self.keys.sent]
        forgotten = 0
        for _ in range(_PRUNINGS):
            step = int(await self.run("prune", names, [at_most]))
            forgotten += step
            if step < at_most:
                break
        return forgotten

    async def heartbeat(self, name: str, facts: str, roles: Sequence[str] = ()) -> None:
        """Report that this process is running these roles, for the next 15 s."""
        names = [self.keys.beat(name), self.keys.beats, self.keys.meta]
        await self.run("beat", names, [name, facts, _HEARTBEAT_MS, *roles])

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
        await self._connect.close()


class Sentinels(Sentinel):  # type: ignore[misc, no-any-unimported, unused-ignore]
    """The Sentinels of an address, of which each is asked until one answers; the last that did so is asked first.

    redis-py swaps two places of its list after an answer. If several connections ask at once, one Sentinel may get two
    places and another none. In the end one alone is left: while its host is cut off, the primary is not found.
    """

    async def discover_master(self, service_name: str) -> tuple[str, int]:
        """Return host and port of the primary of that name. Raises MasterNotFoundError."""
        asked = copy(self)
        asked.sentinels = list(self.sentinels)
        found: tuple[str, int] = await Sentinel.discover_master(asked, service_name)  # type: ignore[no-untyped-call, unused-ignore]
        first = asked.sentinels[0]
        self.sentinels = [first, *(each for each in self.sentinels if each is not first)]
        return found


class _Connector:
    """Makes clients for an address; those of Sentinels ask the same ones."""

    def __init__(self, url: str, *, health_checks: bool) -> None:
        self._url = url
        self._sentinel: Sentinels | None = None
        self._name = ""
        options: dict[str, Any] = {
            "protocol": 2,  # RESP3 changes the shape of XREADGROUP's answer on redis-py 8
            "socket_timeout": _SOCKET_TIMEOUT_SECONDS,
            "socket_connect_timeout": 5.0,
            "retry": Retry(NoBackoff(), 0),  # the caller of a script decides whether to run it again
            "health_check_interval": 30 if health_checks else 0,
            # Each receiver waits on a connection of its own; with redis-py's 100 the others wait until one is free.
            "max_connections": _CONNECTIONS,
            "driver_info": DRIVER,
        }
        self._options = options
        if not is_sentinel_address(url):
            return
        address = sentinel_address(url)
        self._name = address.name
        tls = {} if address.tls is None else {"ssl": True, **address.tls}
        timeouts = dict.fromkeys(("socket_timeout", "socket_connect_timeout"), _SENTINEL_TIMEOUT_SECONDS)
        asking = {"username": address.sentinel_username or None, "password": address.sentinel_password or None}
        self._sentinel = Sentinels(  # type: ignore[no-untyped-call]  # redis-py
            address.sentinels,
            sentinel_kwargs={**options, "health_check_interval": 0, **timeouts, **asking, **tls},
            **{**options, "socket_timeout": _FAILOVER_TIMEOUT_SECONDS, "socket_connect_timeout": 2.0},
            db=address.database,
            username=address.username or None,
            password=address.password or None,
            **tls,
        )

    @property
    def look_seconds(self) -> float:
        """How long a look at the server may take."""
        if self._sentinel is None:
            return _SOCKET_TIMEOUT_SECONDS
        return _LOOK_SECONDS + _SENTINEL_TIMEOUT_SECONDS * len(self._sentinel.sentinels)

    def client(self, *, waits_ms: int = 0) -> Redis:
        """A client with connections of its own, for commands that wait so long for their answer."""
        if self._sentinel is None:
            timeout = self._options["socket_timeout"] + waits_ms / 1000
            return Redis.from_url(self._url, **self._options | {"socket_timeout": timeout})
        return cast("Redis", self._sentinel.master_for(self._name))

    def place(self, client: Redis) -> str:
        """Where the Sentinels sent this client, as host:port; "" without Sentinels."""
        host, port = getattr(client.connection_pool, "master_address", None) or ("", 0)
        return f"{host}:{port}" if host else ""

    async def close(self) -> None:
        """Close the connections to the Sentinels."""
        if self._sentinel is not None:
            await self._sentinel.aclose()


_NO_SENTINEL = "unknown command 'SENTINEL'"
_CLUSTER = (
    "the server is a node of a Redis Cluster, and watchpost speaks to one server: "
    "use a server that is no cluster, or Sentinels (redis+sentinel://…)"
)


def _server(info: Mapping[str, Any], address: str) -> Server:
    brand = "valkey" if "valkey_version" in info else "redis"
    role = "replica" if info.get("role") == "slave" else "primary"
    return Server(brand, str(info.get(f"{brand}_version", "0")), str(info.get("run_id", "")), role, address)


def _is_elsewhere(error: Exception) -> bool:
    """Whether the server is not the one to ask: a replica, one that became one, or one that has no data yet."""
    if isinstance(error, exceptions.ReadOnlyError | exceptions.MasterDownError | exceptions.BusyLoadingError):
        return True
    return str(error).startswith(("UNBLOCKED", "The previous master is now a slave"))  # redis-py has no types for them


def _cannot_write(error: BaseException) -> str | None:
    """Why the server cannot write its file, None for other errors.

    Such a server refuses PING as well, and redis-py calls that a failed connection: the server is there all the same.
    https://valkey.io/commands/ping/, https://github.com/valkey-io/valkey/blob/unstable/src/server.c (processCommand)
    """
    said = next((str(cause) for cause in causes_of(error) if str(cause).startswith("MISCONF")), None)
    if said is None:
        return None
    return "the disk with its file is full (No space left on device)" if "No space left" in said else _line_of(said)


def _is_closed_connection(error: AttributeError) -> bool:
    """Whether redis-py raised it: one of its connections that is closed while it connects has no writer any more."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and str(trace.tb_frame.f_globals.get("__name__")) == "redis.asyncio.connection"


def _why_no_primary(error: BaseException) -> str:
    """redis-py lists in the error which Sentinels did not answer."""
    if " : " in str(error):
        return "no Sentinel that answers knows the primary"
    return "the Sentinels know no primary of that name that is up"


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
    return _line_of(str(error)) if str(error) else type(error).__name__


def _line_of(text: str) -> str:
    return text.splitlines()[0]


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
