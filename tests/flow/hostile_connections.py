"""Connections of strangers who want to stop the pages: `python -m tests.flow.hostile_connections PORT NUMBER`.

Each says nothing, half a head, a head that trickles, half a body, pieces of one byte, what is no HTTP, requests whose
answers it never reads, or opens the page that shows changes at once. It comes again when it is closed. Ends when its
standard input does.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from contextlib import suppress

_HEAD = b"Host: localhost\r\n"
_POST = b"POST /u/x HTTP/1.1\r\n" + _HEAD
_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
FORMS = (
    b"",
    b"GET / HTTP/1.1\r\n" + _HEAD,
    b"GET /",
    _POST + b"Content-Length: 900\r\n\r\nhalf",
    _POST + _CHUNKED + b"1\r\nx\r\n" * 2_000,
    b"\x16\x03\x01\x00" * 100,
    (b"GET /stories HTTP/1.1\r\n" + _HEAD + b"\r\n") * 3,
    b"GET /live HTTP/1.1\r\n" + _HEAD + b"\r\n",
)
_TRICKLES = FORMS[2]
_AGAIN_SECONDS = 10.0


async def hold(port: int, number: int) -> None:
    """One stranger, until cancelled."""
    form = FORMS[number % len(FORMS)]
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=64)  # nobody reads more
            writer.write(form)
            while form is _TRICKLES and not writer.is_closing():
                await asyncio.sleep(1)
                writer.write(b"x")
                await writer.drain()
            if form in FORMS[6:]:
                await reader.read(1)
                await asyncio.sleep(30)
            else:
                await reader.read()
            writer.close()
        await asyncio.sleep(_AGAIN_SECONDS)


async def _until_told() -> None:
    port, number = int(sys.argv[1]), int(sys.argv[2])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, number + 100), hard))
    held = [asyncio.ensure_future(hold(port, each)) for each in range(number)]
    await asyncio.to_thread(sys.stdin.read)
    for each in held:
        each.cancel()


if __name__ == "__main__":
    asyncio.run(_until_told())
