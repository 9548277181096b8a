"""Which servers are refused, and what the message says to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.making import WHEN
from watchpost.errors import StoreBusy, StoreUnfit, StoreUnreachable
from watchpost.store.client import Store
from watchpost.store.deliveries import DeliveryStore


@asynccontextmanager
async def server_that_says(info: str, error: str = "") -> AsyncIterator[str]:
    """A server that answers INFO with this text, and everything else with OK or an error (RESP2)."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while count := await reader.readline():
            words = []
            for _ in range(int(count[1:])):
                size = int((await reader.readline())[1:])
                words.append((await reader.readexactly(size + 2))[:-2].upper())
            if words[0] == b"INFO":
                writer.write(f"${len(info.encode())}\r\n{info}\r\n".encode())
            elif words[0] == b"PING":
                writer.write(b"+PONG\r\n")
            else:
                writer.write(f"-{error}\r\n".encode() if error and words[0] != b"CLIENT" else b"+OK\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"


@pytest.mark.parametrize(
    ("info", "says"),
    [
        ("redis_version:6.2.14", "redis 6.2.14 is too old: watchpost needs redis 7.0 or newer"),
        ("redis_version:7.2.4\r\nvalkey_version:7.0.1", "valkey 7.0.1 is too old: watchpost needs valkey 7.2 or newer"),
        ("redis_version:7.4.0\r\nrole:slave", "the store is a replica: point watchpost at the primary"),
        ("redis_version:7.4.0\r\nmaxmemory_policy:allkeys-lru", "CONFIG SET maxmemory-policy noeviction"),
    ],
)
async def test_an_unfit_server_is_refused_with_the_cure(info: str, says: str) -> None:
    async with server_that_says(info + "\r\n") as url:
        store = Store(url)
        with pytest.raises(StoreUnfit, match=says.replace(".", r"\.")):
            await store.check()
        await store.close()


async def test_a_command_ends_wherever_it_is_cancelled(empty_valkey_url: str) -> None:
    store = Store(empty_valkey_url)
    await store.check()
    for steps in range(30):
        command = asyncio.create_task(store.check())
        for _ in range(steps):
            await asyncio.sleep(0)
        if command.cancel():
            await asyncio.wait({command}, timeout=5)
            assert command.cancelled(), f"a cancellation after {steps} steps of the event loop is lost"
    await store.close()


async def test_the_real_servers_policy_is_looked_at(empty_valkey_url: str) -> None:
    store = Store(empty_valkey_url)
    await store.check()
    await store.redis.config_set("maxmemory-policy", "volatile-lru")
    try:
        with pytest.raises(StoreUnfit, match="volatile-lru"):
            await store.check()
    finally:
        await store.redis.config_set("maxmemory-policy", "noeviction")
    await store.close()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("MISCONF Errors writing to the AOF file: No space left on device", StoreBusy),
        ("OOM command not allowed when used memory > 'maxmemory'.", StoreBusy),
        ("LOADING Valkey is loading the dataset in memory", StoreBusy),
        ("READONLY You can't write against a read only replica.", StoreUnfit),
        ("NOPERM User default has no permissions to run the 'hset' command", StoreUnfit),
    ],
)
async def test_a_refused_write_says_whether_waiting_helps(error: str, kind: type[Exception]) -> None:
    async with server_that_says("redis_version:7.4.0\r\n", error) as url:
        store = Store(url)
        with pytest.raises(kind):
            await store.prepare("x")
        await store.close()


async def test_nobody_there_names_the_place_and_no_password() -> None:
    store = Store("redis://user:hunter2@127.0.0.1:1/0")
    with pytest.raises(StoreUnreachable, match=r"redis://127\.0\.0\.1:1/0") as caught:
        await store.check()
    assert "hunter2" not in str(caught.value)
    await store.close()


async def test_data_of_another_schema_is_left_alone(empty_valkey_url: str) -> None:
    store = Store(empty_valkey_url)
    await store.redis.hset(store.keys.meta, "schema", "99")
    with pytest.raises(StoreUnfit, match="schema 99"):
        await store.prepare("x")
    await store.close()


async def test_out_of_memory_is_busy_and_draining_goes_on(empty_valkey_url: str) -> None:
    store = Store(empty_valkey_url)
    await store.prepare("x")
    before = (await store.redis.config_get("maxmemory"))["maxmemory"]
    await store.redis.config_set("maxmemory", "1mb")
    try:
        with pytest.raises(StoreBusy):
            await store.run("commit", ["f", "s", "seen", "articles"], ["n", "", -1, 1000, 10, 0, "id", "x" * 100])
        assert await store.redis.exists("seen", "articles") == 0, "refused as a whole"
        await store.run("done", ["outbox", "out", "sent", "out:", "thread"], ["0-1", "d", 1000, "", ""])
    finally:
        await store.redis.config_set("maxmemory", before)
    await store.close()


async def test_the_id_of_an_installation_is_kept(empty_valkey_url: str) -> None:
    store = Store(empty_valkey_url)
    assert await store.prepare("one") == "one"
    assert await store.prepare("two") == "one"
    await store.close()


async def test_without_memory_windows_close_and_old_ids_are_forgotten(empty_valkey_url: str) -> None:
    store = Store(empty_valkey_url)
    await store.prepare("x")
    await store.redis.zadd(store.keys.seen, {"old": 1})
    await store.redis.rpush(store.keys.bucket("g"), b"h1")
    await store.redis.hset(store.keys.meta, "last_prune", int((await store.redis.time())[0]) * 1000)
    outbox = DeliveryStore(store, kept_ms=1000)
    parked = await outbox.peek("g")
    before = (await store.redis.config_get("maxmemory"))["maxmemory"]
    await store.redis.config_set("maxmemory", "1mb")
    try:
        assert await store.prune() == 1
        assert await outbox.close(parked, WHEN, [])
    finally:
        await store.redis.config_set("maxmemory", before)
    await store.close()


@pytest.mark.parametrize("error", ["NOREPLICAS Not enough good replicas", "BUSY script is running", "WHATEVER else"])
async def test_no_word_of_the_store_ends_a_loop(error: str) -> None:
    async with server_that_says("redis_version:7.4.0\r\n", error) as url:
        store = Store(url)
        with pytest.raises(StoreBusy, match=error.split()[0]):
            await store.prepare("x")
        await store.close()


def test_no_password_is_shown_wherever_it_stands() -> None:
    for url in ("redis://h/0?password=hunter2", "redis://u:hunter2@h/0", "redis://u:p@hunter2@h/0"):
        assert "hunter2" not in Store(url).address


async def test_a_connection_that_is_closed_while_it_connects_is_an_unreachable_store(empty_valkey_url: str) -> None:
    store = Store(empty_valkey_url)

    async def ask() -> Exception | None:
        try:
            async with store.errors():
                await store.redis.ping()
        except Exception as error:
            return error
        return None

    async def renew(turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        await store.renew()

    try:
        for turns in range(60):
            *answers, _ = await asyncio.gather(*(ask() for _ in range(8)), renew(turns))
            assert {type(answer) for answer in answers} <= {type(None), StoreUnreachable}
        assert await ask() is None
    finally:
        await store.close()


async def test_an_error_of_our_own_is_not_taken_for_a_closed_connection(empty_valkey_url: str) -> None:
    store = Store(empty_valkey_url)
    try:
        with pytest.raises(AttributeError):
            async with store.errors():
                getattr(store, "no_such_thing")  # noqa: B009 - mypy would see it
    finally:
        await store.close()
