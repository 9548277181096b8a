"""Pages and probes over a real socket, reachable from this machine only."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import pytest

from tests.store.ends import queued
from tests.web.web_app import failing, pages, web_context
from watchpost.errors import WatchpostError
from watchpost.health import Health
from watchpost.store.client import Store
from watchpost.web.server import Listener, parse_listen, serve


async def test_probes_metrics_and_the_page(store: Store) -> None:
    await failing(store, "rfi", "HTTP 503 <script>")
    await queued(store)
    health = Health()
    health.registered = True
    async with pages(store, health=health) as address, httpx.AsyncClient() as client:
        assert (await client.get(f"{address}/healthz")).text == "ok\n"
        assert (await client.get(f"{address}/readyz")).json() == {"ready": True}
        status = (await client.get(f"{address}/status.json")).json()
        assert (status["type"], status["status"]) == ("watchpost/status/1", "degraded")
        assert status["reasons"] == [
            *(f"no process runs {r}" for r in ("poll", "match", "notify")),
            "1 of 1 sources cannot be read",
        ]
        assert status["sources"]["failing_named"][0]["detail"] == "HTTP 503 <script>"
        assert status["queues"]["outbox:team"] == {"depth": 0, "oldest_seconds": 0.0}
        assert status["receivers"]["team"]["state"] == "ok"
        metrics = await client.get(f"{address}/metrics")
        assert "watchpost_hits_total" in metrics.text
        answer = await client.get(f"{address}/status")
        assert "HTTP 503 &lt;script&gt;" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_healthz_names_the_role_that_stopped(store: Store) -> None:
    health = Health()
    health.expect(["match", "notify"])
    health._beats["match"] -= 61
    async with pages(store, health=health) as address, httpx.AsyncClient() as client:
        answer = await client.get(f"{address}/healthz")
        assert (answer.status_code, answer.text) == (503, "no sign of life from match\n")
        health.beat("match")
        assert (await client.get(f"{address}/healthz")).status_code == 200


async def test_a_process_is_not_ready_before_it_is_registered(store: Store) -> None:
    async with pages(store) as address, httpx.AsyncClient() as client:
        assert (await client.get(f"{address}/readyz")).status_code == 503


async def test_readyz_says_what_is_wrong_when_the_store_is_away() -> None:
    store = Store("redis://127.0.0.1:1/0")
    async with pages(store) as address, httpx.AsyncClient() as client:
        answer = await client.get(f"{address}/readyz")
        assert answer.status_code == 503
        assert "127.0.0.1:1" in answer.json()["reason"]
        status = await client.get(f"{address}/status.json")
        assert (status.status_code, status.json()["status"]) == (503, "down")
        assert (await client.get(f"{address}/healthz")).status_code == 200, "alive is not the same as ready"
        assert (await client.get(address)).status_code == 503
    await store.close()


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", "192.168.1.5:80", "[::]:8080", "8080", "here:there"])
def test_without_a_log_in_the_server_listens_on_loopback_only(listen: str) -> None:
    with pytest.raises(WatchpostError, match=r"http\.listen"):
        parse_listen(listen)


def test_with_a_log_in_the_server_may_listen_on_any_address() -> None:
    assert parse_listen("0.0.0.0:8080", guarded=True) == ("0.0.0.0", 8080)
    with pytest.raises(WatchpostError, match="not an address"):
        parse_listen("here:there", guarded=True)


async def test_a_request_between_two_servers_waits_for_the_next(store: Store) -> None:
    listener, addresses = Listener(), asyncio.Queue[str]()

    async def one_round(stop: asyncio.Event) -> None:
        context = replace(web_context(store), stop=stop)
        await serve(context, listener, addresses.put)

    first, second = asyncio.Event(), asyncio.Event()
    async with httpx.AsyncClient(timeout=20, headers={"connection": "close"}) as client:
        serving = asyncio.ensure_future(one_round(first))
        address = f"http://{await addresses.get()}"
        assert (await client.get(f"{address}/healthz")).status_code == 200
        first.set()
        await serving
        asking = asyncio.ensure_future(client.get(f"{address}/healthz"))
        assert not (await asyncio.wait({asking}, timeout=0.2))[0], "nobody is there to answer"
        serving = asyncio.ensure_future(one_round(second))
        assert (await asking).status_code == 200
        assert f"http://{await addresses.get()}" == address
        second.set()
        await serving
        listener.close()
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{address}/healthz")


def test_loopback_in_each_form() -> None:
    assert parse_listen("127.0.0.1:8080") == ("127.0.0.1", 8080)
    assert parse_listen("[::1]:8080") == ("::1", 8080)
    assert parse_listen("localhost:0") == ("localhost", 0)
