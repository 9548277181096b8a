"""The door for browsers, probes and Prometheus: `/`, `/healthz`, `/readyz`, `/metrics` on a loopback address."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from watchpost import telemetry as tm
from watchpost.errors import StoreError, WatchpostError
from watchpost.web.page import page
from watchpost.wire.board import Board

LAG_LIMIT_SECONDS = 10.0

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def parse_listen(listen: str) -> tuple[str, int]:
    """ "127.0.0.1:8080" → (host, port). Raises WatchpostError for anything that is not a loopback address.

    The pages show what is watched and have no log-in yet: they are for this machine only.
    """
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
        number = int(port)
    except ValueError:
        raise WatchpostError(f"http.listen: {listen!r} is not an address and a port, e.g. 127.0.0.1:8080") from None
    if not loopback:
        raise WatchpostError(
            f"http.listen: {host} can be reached from other machines, and the pages have no log-in: "
            "listen on 127.0.0.1 and put a proxy with authentication in front"
        )
    return host, number


class Pulse:
    """Is the event loop alive? A task beats; `late` says how long ago the last beat was."""

    def __init__(self) -> None:
        self._last = monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Beat each second until `stop`."""
        while not stop.is_set():
            self._last = monotonic()
            await asyncio.sleep(1)

    @property
    def late(self) -> float:
        """Seconds since the last beat."""
        return monotonic() - self._last


def build(
    board: Board, sources: Sequence[str], receivers: Sequence[str], topics: Sequence[str], pulse: Pulse
) -> Starlette:
    """The ASGI application. It only looks; nothing here changes state."""

    async def healthz(_: Request) -> Response:
        alive = pulse.late < LAG_LIMIT_SECONDS
        return PlainTextResponse("ok\n" if alive else "the event loop hangs\n", 200 if alive else 503)

    async def readyz(_: Request) -> Response:
        try:
            await board.ping()
        except StoreError as error:
            return JSONResponse({"ready": False, "reason": str(error)}, 503)
        return JSONResponse({"ready": True})

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(tm.REGISTRY), media_type=CONTENT_TYPE_LATEST)

    async def now(_: Request) -> Response:
        try:
            status = await board.sources(sources)
            depths = await board.depths(receivers)
        except StoreError as error:
            return HTMLResponse(page(None, (), topics, str(error)), 503)
        return HTMLResponse(page(depths, status, topics, ""))

    return Starlette(
        routes=[
            Route("/", now),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=_guard)],
    )


async def _guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Only names of this machine are answered: a web page elsewhere must not read us through its own DNS name."""
    host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    try:
        ours = host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        ours = False
    response = await call_next(request) if ours else PlainTextResponse("unknown host\n", 421)
    response.headers.update(_HEADERS)
    return response


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: ending is the service's business."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    listen: str,
    stop: asyncio.Event,
    make: Callable[[Pulse], Starlette],
    told: Callable[[str], Awaitable[None]],
) -> None:
    """Serve until `stop`. `told` hears the address once it is bound. Raises OSError if it cannot be bound."""
    host, port = parse_listen(listen)
    bound = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    await told(f"{host}:{bound.getsockname()[1]}")
    pulse = Pulse()
    config = uvicorn.Config(make(pulse), log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[bound]))
    beating = asyncio.ensure_future(pulse.run(stop))
    await stop.wait()
    server.should_exit = True
    beating.cancel()
    await asyncio.gather(serving, beating, return_exceptions=True)
