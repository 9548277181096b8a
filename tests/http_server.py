"""A real HTTP/1.1 server on loopback that answers what a test tells it to, and keeps every byte it was sent.

async with HttpServer() as server:
    server.on("/hook", Answer(503, {"Retry-After": "7"}), Answer(200))   # in turn; the last one stays
    ... server.url("/hook") ... server.requests[0].body ...
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

CERTIFICATE = Path(__file__).with_name("tls") / "localhost.pem"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came: `head` is everything up to the empty line, header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    head: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer. A Content-Length is added unless the headers say how the body ends, or it is `chunks`."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    chunks: Callable[[], AsyncIterator[bytes]] | None = None


Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]
"""Does with the connection what it likes; the connection is closed after it."""


async def drop(request: Request, writer: asyncio.StreamWriter) -> None:
    """Take the request and hang up without a word."""


async def hang(request: Request, writer: asyncio.StreamWriter) -> None:
    """Take the request and say nothing until the other side, or the server, goes."""
    await asyncio.Event().wait()


class HttpServer:
    """Listens on 127.0.0.1 and a free port while its `async with` lasts."""

    def __init__(self, tls: bool = False) -> None:
        self.requests: list[Request] = []
        self.bytes_sent = 0
        self._tls = tls
        self._config: dict[str, list[Answer | Handler]] = {}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()

    def on(self, path: str, *answers: Answer | Handler) -> None:
        """From now on these answers for this path ("*": any other), one after the other; the last one stays."""
        self._config[path] = list(answers)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """The address of a path."""
        return f"http{'s' if self._tls else ''}://{host}:{self.port}{path}"

    async def received(self, number: int) -> None:
        """Return when so many requests have come."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.requests) >= number)

    async def __aenter__(self) -> HttpServer:
        context = None
        if self._tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(CERTIFICATE)
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", 0, ssl=context)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; False when the connection is at its end."""
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        request = Request(method, target, headers, head, body)
        async with self._news:
            self.requests.append(request)
            self._news.notify_all()
        config = self._config.get(target.partition("?")[0]) or self._config.get("*") or [Answer(404)]
        answer = config.pop(0) if len(config) > 1 else config[0]
        if not isinstance(answer, Answer):
            gone = asyncio.ensure_future(reader.read())
            doing = asyncio.ensure_future(answer(request, writer))
            try:
                await asyncio.wait({gone, doing}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                gone.cancel()
                doing.cancel()
            return False
        await self._write(writer, answer, request)
        return answer.chunks is None and headers.get("connection") != "close"

    async def _write(self, writer: asyncio.StreamWriter, answer: Answer, request: Request) -> None:
        headers = dict(answer.headers)
        if answer.chunks is None:
            headers.setdefault("Content-Length", str(len(answer.body)))
        else:
            headers.setdefault("Connection", "close")
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        await self._send(writer, f"HTTP/1.1 {answer.status} Said\r\n{lines}\r\n".encode("latin-1"))
        if request.method != "HEAD":
            await self._send(writer, answer.body)
        if answer.chunks is not None:
            async for chunk in answer.chunks():
                await self._send(writer, chunk)

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(data)
        await writer.drain()
        self.bytes_sent += len(data)
