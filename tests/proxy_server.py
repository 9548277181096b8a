"""A real HTTP proxy on loopback, the only one that knows the names of a test: CONNECT, absolute URLs, Basic login.

async with ProxyServer({"paper.test": 8080}, login="me:hush") as proxy: ... proxy.url ... proxy.asked ...
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit


class ProxyServer:
    """Listens on 127.0.0.1 while its `async with` lasts; `asked` has each method with its host and port."""

    def __init__(self, names: Mapping[str, int], login: str = "") -> None:
        """`names`: hosts and the ports on loopback that they lead to; all others are asked at their own port."""
        self.asked: list[tuple[str, str]] = []
        self.refused = 0
        self._names = names
        self._login = base64.b64encode(login.encode()).decode() if login else ""
        self._userinfo = f"{login}@" if login else ""
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Its address, with the login."""
        assert self._server is not None
        return f"http://{self._userinfo}127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> ProxyServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._pass_on(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        method, target, version = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if self._login and headers.get("proxy-authorization") != f"Basic {self._login}":
            self.refused += 1
            writer.write(b"HTTP/1.1 407 Log In\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()
            return
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host = parts.hostname or ""
        port = self._names.get(host, parts.port or 80)
        self.asked.append((method, host))
        other_reader, other = await asyncio.open_connection("127.0.0.1", port)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            kept = [line for line in lines if not line.lower().startswith(("proxy-", "connection:"))]
            path = parts._replace(scheme="", netloc="").geturl() or "/"
            request = "\r\n".join([f"{method} {path} {version}", *kept, "connection: close", "", ""])
            other.write(request.encode("latin-1"))
        try:
            await asyncio.gather(self._pump(reader, other), self._pump(other_reader, writer))
        finally:
            other.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        with suppress(OSError, RuntimeError):  # a stream with TLS cannot be half closed
            writer.write_eof()
