"""One exchange on a socket, plain and encrypted: the same answers, whatever the server does with the connection."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from ipaddress import ip_network

import httpx
import pytest

from tests.http_server import CERTIFICATE, HttpServer, Request
from watchpost.guarded_http import GuardedTransport

LOOPBACK = (ip_network("127.0.0.0/8"),)
Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


def writes(*parts: bytes, abort: bool = False) -> Handler:
    """Write these parts, then close; with `abort` without a word of farewell in TLS."""

    async def handle(request: Request, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        if abort:
            while writer.transport.get_write_buffer_size():
                await asyncio.sleep(0.01)
            writer.transport.abort()

    return handle


async def ask(server: HttpServer, *, tls: bool, body: bytes = b"") -> tuple[int, bytes]:
    """(status, body) of the answer to a request."""
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    transport = GuardedTransport(allow_private=LOOPBACK, tls=context)
    url = server.url("/", "localhost" if tls else "127.0.0.1")
    async with asyncio.timeout(60):
        response = await transport.handle_async_request(httpx.Request("POST" if body else "GET", url, content=body))
        try:
            return response.status_code, b"".join([part async for part in response.aiter_raw()])
        finally:
            await response.aclose()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (writes(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnews"), (200, b"news")),
        (writes(b"HTTP/1.1 200 OK\r\nContent-", b"Length: 4\r\n\r\nne", b"ws"), (200, b"news")),
        (writes(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n"), (304, b"")),
        (
            writes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nne\r\n2\r\nws\r\n0\r\n\r\n"),
            (200, b"news"),
        ),
        (writes(b"HTTP/1.0 200 OK\r\n\r\nne", b"ws"), (200, b"news")),
        (writes(b"HTTP/1.0 200 OK\r\n\r\nne", b"ws", abort=True), (200, b"news")),
        (writes(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + 300_000 * b"n"), (200, 300_000 * b"n")),
    ],
    ids=["length", "pieces", "interim", "chunks", "until the end", "no farewell", "long"],
)
async def test_an_answer_is_read_whole(handler: Handler, expected: tuple[int, bytes], tls: bool) -> None:
    async with HttpServer(tls=tls) as server:
        server.on("*", handler)
        assert await ask(server, tls=tls) == expected


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(
    ("handler", "problem"),
    [
        (writes(), "disconnected without"),
        (writes(b"HTTP/1.1 200 OK\r\nContent-"), "disconnected without|illegal|incomplete"),
        (writes(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnews"), "without sending complete"),
        (writes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nnews"), "without sending complete"),
    ],
    ids=["nothing", "half a head", "half a body", "half a chunk"],
)
async def test_an_answer_that_breaks_off_is_an_error(handler: Handler, problem: str, tls: bool) -> None:
    async with HttpServer(tls=tls) as server:
        server.on("*", handler)
        with pytest.raises(httpx.RemoteProtocolError, match=problem):
            await ask(server, tls=tls)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_a_request_arrives_whole_and_says_when_it_is_sent(tls: bool) -> None:
    sent: list[str] = []

    async def trace(event: str, info: object) -> None:
        sent.append(event)

    async with HttpServer(tls=tls) as server:
        server.on("*", writes(b"HTTP/1.1 204 No Content\r\n\r\n"))
        context = ssl.create_default_context(cafile=str(CERTIFICATE))
        request = httpx.Request("POST", server.url("/hook", "localhost"), content=2_000_000 * b"n")
        request.extensions["trace"] = trace
        response = await GuardedTransport(allow_private=LOOPBACK, tls=context).handle_async_request(request)
        await response.aclose()
        assert (server.requests[0].target, len(server.requests[0].body)) == ("/hook", 2_000_000)
    assert sent == ["http11.send_request_body.complete"]


async def test_a_request_that_is_given_up_leaves_no_connection_open() -> None:
    accepted, ended = asyncio.Event(), asyncio.Event()

    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        await reader.read()
        ended.set()
        writer.close()

    server = await asyncio.start_server(nothing, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with asyncio.timeout(60):
        transport = GuardedTransport(allow_private=LOOPBACK)
        asking = asyncio.ensure_future(transport.handle_async_request(httpx.Request("GET", url)))
        await accepted.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await ended.wait()
    server.close()
    await server.wait_closed()
