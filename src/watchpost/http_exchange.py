"""One HTTP/1.1 exchange on a connection of its own: streams on sockets, and a request and its answer by h11.

httpcore's connection does the same through anyio, with locks, deadlines and tasks that are of no use to a single
exchange and cost a sixth to a quarter of a poll visit that brings nothing new.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterable, AsyncIterator
from typing import cast

import h11
import httpcore
import httpx

_READ_BYTES = 65_536
_HEAD_BYTES_MAX = 100_000


class PlainStream(httpcore.AsyncNetworkStream):
    """A connected, non-blocking socket. Timeouts are the caller's. Raises httpx.ReadError and httpx.WriteError."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """At least one byte, at most `max_bytes`; b"" at the end."""
        try:
            return await self._loop.sock_recv(self._connection, max_bytes)
        except OSError as error:
            raise httpx.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it."""
        try:
            await self._loop.sock_sendall(self._connection, buffer)
        except OSError as error:
            raise httpx.WriteError(str(error)) from error

    async def aclose(self) -> None:
        """Close the socket."""
        self._connection.close()


class TlsStream(httpcore.AsyncNetworkStream):
    """As PlainStream, encrypted. A server that ends without saying so in TLS has ended."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def start(cls, connection: socket.socket, context: ssl.SSLContext, host: str) -> TlsStream:
        """Encrypt a connection to `host`. Raises ssl.SSLError and other errors of the system."""
        return cls(*await asyncio.open_connection(sock=connection, ssl=context, server_hostname=host))

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """As of PlainStream."""
        try:
            return await self._reader.read(max_bytes)
        except OSError as error:
            raise httpx.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """As of PlainStream."""
        try:
            self._writer.write(buffer)
            await self._writer.drain()
        except OSError as error:
            raise httpx.WriteError(str(error)) from error

    async def aclose(self) -> None:
        """Close the socket at once: nobody waits for the server's farewell."""
        self._writer.transport.abort()


class HttpExchange:
    """One request on a stream, and its answer (RFC 9112). Raises httpx's errors; `aclose` closes the stream.

    The request's extension `trace` is called as httpx calls it, when all of the request has been sent.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES_MAX)

    async def ask(self, request: httpx.Request) -> h11.Response:
        """Send the request; returns the head of the final answer."""
        protocol, stream = self._protocol, cast("AsyncIterable[bytes]", request.stream)
        try:
            head = h11.Request(
                method=request.method, target=request.url.raw_path, headers=request.headers.raw, http_version=b"1.1"
            )
            parts = [protocol.send(head)]
            parts += [protocol.send(h11.Data(data=chunk)) async for chunk in stream]
            parts.append(protocol.send(h11.EndOfMessage()))
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        try:
            await self._stream.write(b"".join(part for part in parts if part))
            if (trace := request.extensions.get("trace")) is not None:
                await trace("http11.send_request_body.complete", {})
        except (httpx.WriteError, httpcore.WriteError):
            pass  # the server may have answered before it had read everything
        while not isinstance(event := await self._next_event(), h11.Response):
            pass  # an interim answer (1xx)
        return event

    async def body(self) -> AsyncIterator[bytes]:
        """The body of the answer, as it comes, undone from chunks."""
        while isinstance(event := await self._next_event(), h11.Data):
            yield bytes(event.data)

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()

    async def _next_event(self) -> object:
        protocol = self._protocol
        try:
            while True:
                event = protocol.next_event()
                if event is not h11.NEED_DATA:
                    return event
                data = await self._stream.read(_READ_BYTES)
                if not data and protocol.their_state is h11.SEND_RESPONSE:
                    raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
                protocol.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from error
