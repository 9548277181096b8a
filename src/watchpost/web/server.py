"""The door for browsers, probes and Prometheus.

Pages, and `/healthz` (does the process live? never asks the store), `/readyz` (may it be sent work?), `/status.json`
(how does the service fare?) and `/metrics`.
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
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from watchpost import __version__
from watchpost import log as tm
from watchpost.config.fields import is_loopback
from watchpost.errors import StoreError, WatchpostError
from watchpost.store.overview import Overview
from watchpost.store.websub import PushStore
from watchpost.web import api, unsubscribe, websub
from watchpost.web.api import acts
from watchpost.web.auth import Authenticator, Guard
from watchpost.web.context import WebContext
from watchpost.web.health import Gauges, RequestCounter, look, report
from watchpost.web.queries import Queries
from watchpost.web.reload import routes_of
from watchpost.web.rendering import Rendering
from watchpost.web.routes import Pages

_PING_SECONDS = 3.0


def parse_listen(listen: str, guarded: bool = False) -> tuple[str, int]:
    """ "127.0.0.1:8080" → (host, port). Raises WatchpostError for what is no address, or may not be listened on.

    Unless they are `guarded` by a log-in, the pages are for this machine only.
    """
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
        number = int(port)
    except ValueError:
        raise WatchpostError(f"http.listen: {listen!r} is not an address and a port, e.g. 127.0.0.1:8080") from None
    if not loopback and not guarded:
        raise WatchpostError(
            f"http.listen: {host} can be reached from other machines, and nobody is asked for a password: "
            "write http.auth, or listen on 127.0.0.1"
        )
    return host, number


def build(web_context: WebContext) -> Starlette:
    """The ASGI application."""
    summary, health, overview = web_context.summary, web_context.health, Overview(web_context.store)
    gauges = Gauges(overview, summary)

    async def healthz(_: Request) -> Response:
        trouble = health.trouble()
        return PlainTextResponse(f"{trouble or 'ok'}\n", 503 if trouble else 200)

    async def readyz(_: Request) -> Response:
        reason = health.trouble()
        try:
            async with asyncio.timeout(_PING_SECONDS):
                await overview.ping()
            reason = reason or health.refused
        except StoreError as error:
            reason = str(error)
        except TimeoutError:
            reason = f"the store does not answer within {_PING_SECONDS:.0f} s"
        if not reason and not health.registered:
            reason = "this process has not yet said in the store that it works"
        return JSONResponse({"ready": False, "reason": reason}, 503) if reason else JSONResponse({"ready": True})

    async def status(_: Request) -> Response:
        seen = await look(overview, summary)
        document = report(summary, health, seen, datetime.now(UTC), __version__)
        return JSONResponse(document, 503 if document["status"] == "down" else 200)

    async def metrics(_: Request) -> Response:
        await gauges.measure()
        tm.loop_lag.set(health.lag)
        return Response(generate_latest(tm.REGISTRY), media_type=CONTENT_TYPE_LATEST)

    async def described(_: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(api.document))

    queries = Queries(
        web_context.store, summary, health, web_context.next_edition, web_context.coming, web_context.disk
    )
    rendering = Rendering(summary.timezone)
    pages = Pages(queries, rendering, web_context.stop, can_act=web_context.actions is not None)
    loopback = is_loopback(web_context.listen)
    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/status.json", status),
            *([Route("/metrics", metrics)] if web_context.access.metrics else []),
            *([] if web_context.door is None else routes_of(web_context.door)),
            *websub.routes(PushStore(web_context.store)),
            *api.routes(queries, web_context.actions, web_context.coming),
            Route("/openapi.json", described),
            *([] if web_context.leaving is None else unsubscribe.routes(web_context.leaving, rendering)),
            *pages.routes(),
            *(
                []
                if web_context.actions is None
                else acts(web_context.actions, web_context.door, web_context.coming, queries, pages)
            ),
        ],
        exception_handlers={404: pages.missing, 405: pages.missing},
        middleware=[
            Middleware(RequestCounter),
            Middleware(
                Guard,
                authenticator=Authenticator(web_context.access.auth),
                names=web_context.access.names,
                open_to_all=not loopback,
            ),
        ],
    )


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: ending is the service's business."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Listener:
    """The address that is listened on. It stays open from one server to the next, as after a reload: who knocks
    meanwhile waits and is not turned away."""

    def __init__(self) -> None:
        self._listen = ""
        self._bound: socket.socket | None = None

    def open(self, listen: str, guarded: bool = False) -> tuple[str, socket.socket]:
        """The address as it is bound, and a socket of it for one server. Raises OSError if it cannot be bound."""
        host, port = parse_listen(listen, guarded)
        if self._bound is None or self._listen != listen:
            self.close()
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._listen, self._bound = listen, socket.create_server((host, port), family=family)
        return f"{host}:{self._bound.getsockname()[1]}", self._bound.dup()

    def close(self) -> None:
        """Nobody listens any more."""
        if self._bound is not None:
            self._bound.close()
            self._bound = None


async def serve(
    listen: str,
    stop: asyncio.Event,
    app: Starlette,
    told: Callable[[str], Awaitable[None]],
    guarded: bool = False,
    doorway: Listener | None = None,
) -> None:
    """Serve until `stop`. `told` hears the address once it is bound. Raises OSError if it cannot be bound.

    A `doorway` of the caller's is left open.
    """
    own = doorway or Listener()
    address, bound = own.open(listen, guarded)
    await told(address)
    config = uvicorn.Config(
        app, log_config=None, lifespan="off", timeout_graceful_shutdown=1, proxy_headers=False, server_header=False
    )
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[bound]))
    await stop.wait()
    server.should_exit = True
    await asyncio.gather(serving, return_exceptions=True)
    if doorway is None:
        own.close()
