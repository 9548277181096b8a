"""The heartbeat is sent while everything works, and only then."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import IPv4Network

from tests.http_server import Answer, HttpServer
from watchpost.config.fields import Secret
from watchpost.config.schema import Heartbeat
from watchpost.health import Health
from watchpost.service import heartbeat
from watchpost.store.client import Store
from watchpost.store.overview import Overview

LOOPBACK = (IPv4Network("127.0.0.0/8"),)


async def _works(store: Store, *roles: str) -> str:
    for role in roles:
        await store.heartbeat(f"{role}-host-1", json.dumps({"role": role, "version": "1", "pid": 1}))
    return await heartbeat.missing(Overview(store), Health())


async def test_the_service_works_when_every_role_does_wherever_it_runs(store: Store) -> None:
    assert await _works(store) == "no process runs match, notify, poll"
    assert await _works(store, "poll", "notify") == "no process runs match"
    assert await _works(store, "match") == ""


async def test_one_process_for_all_is_enough_unless_one_of_its_roles_is_silent(store: Store) -> None:
    assert await _works(store, "all") == ""
    health = Health()
    health.expect(["match"])
    health._beats["match"] -= 61
    assert await heartbeat.missing(Overview(store), health) == "no sign of life from match"


async def test_a_store_without_writes_stops_the_heartbeat_and_no_role_is_reported_missing(store: Store) -> None:
    health = Health()
    health.refused = "the store takes no writes for now: it is full"
    assert await heartbeat.missing(Overview(store), health) == health.refused


async def test_without_the_store_there_is_no_heartbeat() -> None:
    away = Store("redis://127.0.0.1:1/0")
    assert "127.0.0.1:1" in await heartbeat.missing(Overview(away), Health())
    await away.close()


@asynccontextmanager
async def beating(server: HttpServer, trouble: list[str]) -> AsyncIterator[None]:
    stop = asyncio.Event()
    options = Heartbeat(
        url=Secret(server.url("/ping/t0k3n")), every=timedelta(seconds=10), allow_private=LOOPBACK
    ).model_copy(update={"every": timedelta(seconds=0.05)})

    async def why_not() -> str:
        return trouble[0]

    async def tick() -> None:
        await asyncio.sleep(0.02)

    running = asyncio.ensure_future(heartbeat.run(options, "test", why_not, tick, stop))
    yield
    stop.set()
    await running


async def test_the_heartbeat_goes_on_after_a_failure() -> None:
    async with HttpServer() as server:
        server.on("/ping/t0k3n", Answer(500), Answer(200))
        async with beating(server, [""]):
            await server.received(3)
        assert {request.method for request in server.requests} == {"GET"}


async def test_there_is_no_heartbeat_while_something_is_wrong() -> None:
    async with HttpServer() as server:
        trouble = ["no sign of life from match"]
        async with beating(server, trouble):
            await asyncio.sleep(0.3)
            assert server.requests == []
            trouble[0] = ""
            await server.received(1)
