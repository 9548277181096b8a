"""A bad network between a watchpost and its store: a TCP proxy that does to the bytes what a test says."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

Trouble = Literal["", "replies lost", "cut", "reset", "blackhole", "delay", "slow"]
DELAY_SECONDS = 0.4
_SLICE = 64  # bytes that get through before a cut, and at a time on a slow line


@dataclass
class Chaos:
    """`url` leads to the store; `trouble` is what happens on the way from now on, `hit` how often it did."""

    upstream: str  # a unix socket
    trouble: Trouble = ""
    hit: int = 0
    port: int = 0
    _pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """The store, through the bad network."""
        return f"redis://127.0.0.1:{self.port}/0"

    async def serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        """One connection, both ways, until one side ends it."""
        try:
            upstream, ask = await asyncio.open_unix_connection(self.upstream)
        except OSError:
            answer.transport.abort()
            return
        pair = answer, ask
        self._pairs.add(pair)
        try:
            await asyncio.gather(
                self._carry(client, ask, pair, back=False), self._carry(upstream, answer, pair, back=True)
            )
        finally:
            self._pairs.discard(pair)

    async def _carry(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        pair: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
        *,
        back: bool,
    ) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if not await self._harm(data, target, pair, back):
                    target.write(data)
                await target.drain()
        with suppress(OSError, RuntimeError):
            target.close()

    async def _harm(
        self,
        data: bytes,
        target: asyncio.StreamWriter,
        pair: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
        back: bool,
    ) -> bool:
        """True if the bytes were dealt with here."""
        trouble = self.trouble
        self.hit += bool(trouble) and (back or trouble != "replies lost")
        if trouble == "delay":
            await asyncio.sleep(DELAY_SECONDS)
        elif trouble == "blackhole":
            return True
        elif trouble == "reset" or (trouble == "replies lost" and back):
            _reset(pair)
            return True
        elif trouble == "cut" and back:
            target.write(data[: min(_SLICE, len(data) // 2)])
            await target.drain()
            _reset(pair)
            return True
        elif trouble == "slow":
            for at in range(0, len(data), _SLICE):
                target.write(data[at : at + _SLICE])
                await target.drain()
                await asyncio.sleep(_SLICE / 4096)
            return True
        return False

    def drop_all(self) -> None:
        """End every connection at once."""
        for pair in list(self._pairs):
            _reset(pair)


def _reset(pair: tuple[asyncio.StreamWriter, asyncio.StreamWriter]) -> None:
    for writer in pair:
        sock = writer.get_extra_info("socket")
        with suppress(OSError, AttributeError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


@contextmanager
def chaos(socket_path: str) -> Iterator[Chaos]:
    """A proxy in a thread of its own, before the server at that unix socket."""
    made, started, loop, over = Chaos(socket_path), threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def run() -> None:
        server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
        made.port = server.sockets[0].getsockname()[1]
        started.set()
        await over.wait()
        server.close()
        await asyncio.sleep(0.05)  # what was accepted a moment ago becomes a task first, so that it can be ended
        ending = asyncio.all_tasks() - {asyncio.current_task()}
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    thread = threading.Thread(target=lambda: (loop.run_until_complete(run()), loop.close()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
