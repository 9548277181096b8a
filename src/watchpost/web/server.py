"""The door for browsers, probes and Prometheus, on a loopback address.

`/`, `/healthz` (does the process live? never asks the store), `/readyz` (may it be sent work?), `/status.json` (how
does the service fare?) and `/metrics`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from watchpost import __version__
from watchpost import telemetry as tm
from watchpost.errors import StoreError, WatchpostError
from watchpost.vitals import Vitals
from watchpost.web.counting import Counting
from watchpost.web.gauges import Gauges
from watchpost.web.page import page
from watchpost.web.reload import Door, routes_of, trouble_of
from watchpost.web.report import look, report
from watchpost.web.watched import Watched
from watchpost.wire.board import Board

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


def build(board: Board, watched: Watched, vitals: Vitals, door: Door | None = None) -> Starlette:
    """The ASGI application. It only looks; the one thing that it can do is to ask `door` for a reload."""
    gauges = Gauges(board, watched)

    async def healthz(_: Request) -> Response:
        trouble = vitals.trouble()
        return PlainTextResponse(f"{trouble or 'ok'}\n", 503 if trouble else 200)

    async def readyz(_: Request) -> Response:
        reason = vitals.trouble()
        try:
            await board.ping()
        except StoreError as error:
            reason = str(error)
        if not reason and not vitals.registered:
            reason = "this process has not yet said in the store that it works"
        return JSONResponse({"ready": False, "reason": reason}, 503) if reason else JSONResponse({"ready": True})

    async def status(_: Request) -> Response:
        seen = await look(board, watched)
        document = report(watched, vitals, seen, datetime.now(UTC), __version__)
        return JSONResponse(document, 503 if document["status"] == "down" else 200)

    async def metrics(_: Request) -> Response:
        await gauges.measure()
        tm.loop_lag.set(vitals.lag)
        return Response(generate_latest(tm.REGISTRY), media_type=CONTENT_TYPE_LATEST)

    async def now(_: Request) -> Response:
        try:
            status = await board.sources(watched.sources)
            depths = await board.depths(watched.receivers)
        except StoreError as error:
            return HTMLResponse(page(None, (), watched.topics, str(error)), 503)
        return HTMLResponse(page(depths, status, watched.topics, trouble_of(door)))

    return Starlette(
        routes=[
            Route("/", now),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/status.json", status),
            Route("/metrics", metrics),
            *([] if door is None else routes_of(door)),
        ],
        middleware=[Middleware(Counting), Middleware(BaseHTTPMiddleware, dispatch=_guard)],
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
    app: Starlette,
    told: Callable[[str], Awaitable[None]],
) -> None:
    """Serve until `stop`. `told` hears the address once it is bound. Raises OSError if it cannot be bound."""
    host, port = parse_listen(listen)
    bound = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    await told(f"{host}:{bound.getsockname()[1]}")
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[bound]))
    await stop.wait()
    server.should_exit = True
    await asyncio.gather(serving, return_exceptions=True)
