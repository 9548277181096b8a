"""Connections that say nothing, say half of it, or read nothing: they are bounded in number and time, and counted."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.loop_steps import steps
from watchpost import log as tm
from watchpost.web.connections import BACKLOG, Connections, Deadlines

HALF = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
WHOLE = HALF + b"Connection: close\r\n\r\n"
SOON = Deadlines(head=0.4, body=0.4, answer=0.4)


async def _ok(request: Request) -> Response:
    try:
        return PlainTextResponse(f"ok {len(await request.body())}")
    except ClientDisconnect:
        return PlainTextResponse("incomplete", 400)


async def _early(_: Request) -> Response:
    return PlainTextResponse("early")


async def _large(_: Request) -> Response:
    return PlainTextResponse("x" * 20_000_000)


@contextlib.asynccontextmanager
async def serving(connections: Connections) -> AsyncIterator[int]:
    """A server on loopback; gives its port."""
    sock = socket.create_server(("127.0.0.1", 0))
    routes = [Route("/healthz", _ok, methods=["GET", "POST"]), Route("/large", _large)]
    app = Starlette(routes=[*routes, Route("/early", _early, methods=["POST"])])
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


HEAD = b"POST /healthz HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
SHARE = 0.05  # seconds of the processor that one step of the loop may take


async def test_bodies_that_never_end_keep_nobody_out() -> None:
    half = HEAD + b"Content-Length: 100\r\n\r\nhalf"
    async with serving(Connections(1024, lambda _: True, most=20)) as port:
        held = await opened(port, 60, half)
        assert b"ok" in await ask(port)
        for writer in held:
            writer.close()


async def test_answers_that_nobody_reads_keep_nobody_out() -> None:
    async with serving(Connections(1024, lambda _: True, most=20)) as port:
        held = await opened(port, 30, b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for writer in held:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
        assert b"ok" in await ask(port)
        for writer in held:
            writer.close()


@pytest.mark.parametrize("phase", ["body", "answer"])
async def test_what_was_sent_ahead_has_its_time_too(phase: str) -> None:
    then = HEAD + b"Content-Length: 9\r\n\r\nhalf" if phase == "body" else b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
    before = refused(phase)
    async with serving(Connections(1024, lambda _: True, deadlines=SOON)) as port:
        (writer,) = await opened(port, 1, HALF + b"\r\n" + then)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(300):
            await asyncio.sleep(0.1)
            if refused(phase) > before:
                break
        assert refused(phase) == before + 1
        writer.close()


MALFORMED = {
    "tiny pieces": HEAD + CHUNKED + b"1\r\nx\r\n" * 40_000,
    "tiny pieces after the answer": HEAD.replace(b"healthz", b"early") + CHUNKED + b"1\r\nx\r\n" * 40_000,
    "many header lines": HALF + b"a:\r\n" * 60_000 + b"\r\n",
    "many last lines": HEAD + CHUNKED + b"0\r\n" + b"a:\r\n" * 60_000 + b"\r\n",
    "a long head": HALF + b"a: " + b"a" * 250_000 + b"\r\n\r\n",
    "a wrong piece": HEAD + CHUNKED + b"zz\r\n",
    "a wrong piece after the answer": HEAD.replace(b"healthz", b"early") + CHUNKED + b"1\r\nx\r\nzz\r\n",
    "two lengths": HEAD + b"Content-Length: 10\r\nContent-Length: 11\r\n\r\nhalf",
    "no text": b"\x16\x03\x01" * 2_000,
    "nothing but lines": b"\r\n" * 60_000,
}


@pytest.mark.parametrize("what", MALFORMED)
async def test_what_is_no_request_costs_little_and_is_counted_without_a_line_each(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = refused("malformed")
    caplog.set_level("ERROR", "uvicorn.error")
    async with serving(Connections(1024, lambda _: True)) as port:
        await ask(port)

        async def sent() -> None:
            with contextlib.suppress(ConnectionError):
                await ask(port, MALFORMED[what])

        done = await steps(sent())
        assert refused("malformed") == before + 1
        assert done.longest_seconds < SHARE
        assert b"ok" in await ask(port)
    assert [record for record in caplog.records if record.name in ("uvicorn.error", "asyncio")] == []


async def test_a_body_in_pieces_of_a_packet_is_taken() -> None:
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [b"x" * 1_400] * 500 + [b"y"]) + b"0\r\n\r\n"
    async with serving(Connections(1024, lambda _: True)) as port:
        assert b"ok 700001" in await ask(port, HEAD + b"Connection: close\r\n" + CHUNKED + body)
