"""Connections that say nothing, say half of it, or read nothing: they are bounded in number and time, and counted."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watchpost import log as tm
from watchpost.web.connections import BACKLOG, Connections, Deadlines

HALF = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
WHOLE = HALF + b"Connection: close\r\n\r\n"
SOON = Deadlines(head=0.4, body=0.4, answer=0.4)


async def _ok(request: Request) -> Response:
    return PlainTextResponse(f"ok {len(await request.body())}")


async def _large(_: Request) -> Response:
    return PlainTextResponse("x" * 20_000_000)


@contextlib.asynccontextmanager
async def serving(connections: Connections) -> AsyncIterator[int]:
    """A server on loopback; gives its port."""
    sock = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/healthz", _ok, methods=["GET", "POST"]), Route("/large", _large)])
    config = uvicorn.Config(
        app, http=connections.protocol(), backlog=BACKLOG, log_config=None, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    task = asyncio.ensure_future(server._serve([sock]))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield sock.getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def ask(port: int, request: bytes = WHOLE) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return answer


def refused(reason: str) -> float:
    return tm.REGISTRY.get_sample_value("watchpost_http_connections_refused_total", {"reason": reason}) or 0.0


async def opened(port: int, number: int, what: bytes) -> list[asyncio.StreamWriter]:
    writers = []
    for _ in range(number):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(what)
        writers.append(writer)
    return writers


async def test_thousands_of_half_requests_keep_nobody_out() -> None:
    before = refused("all")
    async with serving(Connections(1024, lambda _: True)) as port:
        held = []
        for what in (HALF, b"", b"GET"):
            held += await opened(port, 400, what)
            assert b"ok" in await ask(port)
        assert refused("all") - before >= 900
        for writer in held:
            writer.close()


async def test_one_address_leaves_room_for_others() -> None:
    before = refused("address")
    async with serving(Connections(1024, lambda _: False, per_address=10)) as port:
        held = await opened(port, 40, HALF)
        assert b"ok" in await ask(port)
        assert refused("address") - before >= 30
        for writer in held:
            writer.close()


async def test_head_body_and_reading_have_their_time() -> None:
    post = b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf"
    large = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"
    before = {phase: refused(phase) for phase in ("head", "body", "answer")}
    async with serving(Connections(1024, lambda _: True, deadlines=SOON)) as port:
        held = await opened(port, 1, HALF) + await opened(port, 1, post) + await opened(port, 1, large)
        held[2].transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(100):
            await asyncio.sleep(0.1)
            if all(refused(phase) > before[phase] for phase in before):
                break
        assert {phase: refused(phase) - before[phase] for phase in before} == {"head": 1, "body": 1, "answer": 1}
        for writer in held:
            writer.close()


async def test_bytes_that_trickle_do_not_move_the_deadline() -> None:
    before = refused("head")
    async with serving(Connections(1024, lambda _: True, deadlines=SOON)) as port:
        (writer,) = await opened(port, 1, b"GET ")
        with contextlib.suppress(ConnectionError):
            for _ in range(20):
                writer.write(b"/")
                await writer.drain()
                await asyncio.sleep(0.05)
        assert refused("head") == before + 1


async def test_requests_one_after_the_other_are_answered() -> None:
    async with serving(Connections(1024, lambda _: True)) as port:
        assert (await ask(port, HALF + b"\r\n" + HALF + b"\r\n" + WHOLE)).count(b"ok 0") == 3
        body = b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 4\r\n\r\nabcd"
        assert b"ok 4" in await ask(port, body)
