"""A store that becomes another server behind the same address, or one that must not be written to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
import redis

from tests.servers import ValkeyServer, valkey_server
from watchpost.errors import StoreBusy, StoreError, StoreUnfit, StoreUnreachable
from watchpost.store.client import Store


@dataclass
class Name:
    """A name that leads to one server at a time, as in DNS: connections that were made before live on."""

    socket: str
    port: int = 0
    taken: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        upstream, ask = await asyncio.open_unix_connection(self.socket)
        self._writers += [writer, ask]

        async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                target.write(data)
            target.close()

        await asyncio.gather(carry(reader, ask), carry(upstream, writer), return_exceptions=True)


@pytest.fixture
def servers() -> Iterator[tuple[ValkeyServer, ValkeyServer]]:
    with valkey_server() as one, valkey_server("--cluster-enabled", "no") as two:
        yield one, two


@pytest.fixture
async def name(servers: tuple[ValkeyServer, ValkeyServer]) -> AsyncIterator[Name]:
    made = Name(servers[0].url.removeprefix("unix://"))
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    for writer in made._writers:
        writer.close()


@pytest.fixture
async def store(name: Name) -> AsyncIterator[Store]:
    made = Store(name.url)
    await made.prepare("x")
    await made.look()
    yield made
    await made.close()


def demote(server: ValkeyServer) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")


async def test_a_primary_that_became_a_replica_is_left_when_the_name_leads_elsewhere(
    name: Name, store: Store, servers: tuple[ValkeyServer, ValkeyServer]
) -> None:
    old, new = servers
    before = store.server
    demote(old)
    for _ in range(2):
        with pytest.raises(StoreUnfit, match="replica"):
            await store.heartbeat("one", "{}")
    name.socket = new.url.removeprefix("unix://")
    with pytest.raises(StoreUnfit):  # connections are made again once a second at most
        await store.heartbeat("one", "{}")
    await asyncio.sleep(1)
    with pytest.raises(StoreUnfit):
        await store.heartbeat("one", "{}")
    await store.heartbeat("one", "{}")
    found = await store.look()
    assert before is not None
    assert found.run_id != before.run_id


async def test_a_name_that_leads_elsewhere_is_followed_although_the_old_server_takes_writes(
    name: Name, store: Store, servers: tuple[ValkeyServer, ValkeyServer]
) -> None:
    """After a change in DNS, or of a service of Kubernetes, the old primary may not know yet."""
    name.socket = servers[1].url.removeprefix("unix://")
    await store.heartbeat("one", "{}")
    with redis.Redis.from_url(servers[1].url) as client:
        assert not client.exists("{wp}:beats"), "the old connection lives on"
        await store.look()
        await store.heartbeat("one", "{}")
        assert client.exists("{wp}:beats")
    renewals = store.renewals
    await store.look()
    assert store.renewals == renewals, "nothing changed"


async def test_a_command_that_waits_at_the_old_server_ends(
    name: Name, store: Store, servers: tuple[ValkeyServer, ValkeyServer]
) -> None:
    async def wait() -> None:
        async with store.errors():
            await store.blocking.blpop("nothing", timeout=60)

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0.2)
    name.socket = servers[1].url.removeprefix("unix://")
    await store.look()
    with pytest.raises(StoreUnreachable):
        await asyncio.wait_for(waiting, 20)


async def test_a_new_connection_to_a_replica_is_refused(
    store: Store, servers: tuple[ValkeyServer, ValkeyServer]
) -> None:
    demote(servers[0])
    with pytest.raises(StoreUnfit, match="the store is a replica: point watchpost at the primary"):
        await store.look()
    assert store.server is not None
    assert store.server.role == "replica"


@pytest.mark.parametrize(
    ("answer", "kind", "renews"),
    [
        ("READONLY You can't write against a read only replica.", StoreUnfit, True),
        ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", StoreUnfit, True),
        ("LOADING Valkey is loading the dataset in memory", StoreBusy, True),
        ("UNBLOCKED force unblock from blocking operation, instance state changed", StoreBusy, True),
        ("MOVED 12121 127.0.0.1:7623", StoreUnfit, False),
        ("MISCONF Errors writing to the AOF file: No space left on device", StoreBusy, False),
        ("OOM command not allowed when used memory > 'maxmemory'.", StoreBusy, False),
    ],
)
async def test_which_answers_lead_to_new_connections(answer: str, kind: type[StoreError], renews: bool) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while count := await reader.readline():
            for _ in range(2 * int(count[1:])):
                await reader.readline()
            writer.write(f"-{answer}\r\n".encode())
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        store = Store(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
        with pytest.raises(kind):
            await store.secret()
        assert bool(store.renewals) == renews
        await store.close()


async def test_a_node_of_a_cluster_is_refused_in_a_sentence() -> None:
    with valkey_server("--cluster-enabled", "yes") as server:
        store = Store(server.url)
        with pytest.raises(StoreUnfit, match=r"is a node of a Redis Cluster, and watchpost speaks to one server"):
            await store.check()
        await store.close()


async def test_a_server_that_is_no_sentinel_is_named_as_such() -> None:
    with valkey_server() as server:
        name = Name(server.url.removeprefix("unix://"))
        listening = await asyncio.start_server(name.serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        store = Store(f"redis+sentinel://127.0.0.1:{port}/news/0")
        with pytest.raises(StoreUnfit, match=f"127.0.0.1:{port}.* names a server that is no Sentinel"):
            await store.look()
        await store.close()
        listening.close()
