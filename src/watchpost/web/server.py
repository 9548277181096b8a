"""The web server: the application with its pages, API and probes, and the address that it listens on."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from watchpost.config.fields import is_loopback
from watchpost.errors import WatchpostError
from watchpost.store.websub import PushStore
from watchpost.web import api, forms, reload, unsubscribe, websub
from watchpost.web.auth import Authenticator, Guard
from watchpost.web.context import WebContext
from watchpost.web.health import Probes, RequestCounter
from watchpost.web.queries import Queries
from watchpost.web.rendering import Rendering
from watchpost.web.routes import Pages


def build(context: WebContext) -> Starlette:
    """The ASGI application."""
    config, store = context.config, context.store
    queries, rendering = Queries(context), Rendering(config.timezone)
    pages = Pages(queries, rendering, context.stop)
    guard = Middleware(
        Guard,
        authenticator=Authenticator(config.access.auth),
        names=config.access.names,
        open_to_all=not is_loopback(config.listen),
    )
    return Starlette(
        routes=[
            *Probes(context).routes(),
            *reload.routes(context.reloader),
            *websub.routes(PushStore(store)),
            *api.routes(queries),
            Route("/openapi.json", _description),
            *unsubscribe.routes(config, store, rendering),
            *pages.routes(),
            *forms.routes(queries, pages),
        ],
        exception_handlers={404: pages.missing, 405: pages.missing},
        middleware=[Middleware(RequestCounter), guard],
    )


async def _description(_: Request) -> Response:
    return JSONResponse(await asyncio.to_thread(api.document))


def parse_listen(listen: str, guarded: bool = False) -> tuple[str, int]:
    """ "127.0.0.1:8080" → (host, port). Raises WatchpostError for anything else.

    Only with a login (`guarded`) may the address be reachable from other machines.
    """
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
        number = int(port)
    except ValueError:
        raise WatchpostError(
            f"http.listen: '{listen}' is not an address with a port; write it like 127.0.0.1:8080"
        ) from None
    if not loopback and not guarded:
        raise WatchpostError(
            f"http.listen: other machines can reach {host}, and no password is set: "
            "configure http.auth, or listen on 127.0.0.1"
        )
    return host, number


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the service handles signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Listener:
    """The address that the server listens on.

    It stays open from one server to the next, as in a reload: a request in between waits and is not refused.
    """

    def __init__(self) -> None:
        self._listen = ""
        self._bound: socket.socket | None = None

    def open(self, listen: str, guarded: bool = False) -> tuple[str, socket.socket]:
        """The address as bound, and a socket for one server. Raises OSError if it cannot be bound."""
        host, port = parse_listen(listen, guarded)
        if self._bound is None or self._listen != listen:
            self.close()
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._listen, self._bound = listen, socket.create_server((host, port), family=family)
        return f"{host}:{self._bound.getsockname()[1]}", self._bound.dup()

    def close(self) -> None:
        """Stop listening."""
        if self._bound is not None:
            self._bound.close()
            self._bound = None


async def serve(context: WebContext, listener: Listener, bound: Callable[[str], Awaitable[None]]) -> None:
    """Serve until `context.stop`, then leave the listener open. `bound` is called with the address.

    Raises OSError if the address cannot be bound.
    """
    address, sock = listener.open(context.config.listen, context.config.access.auth.required)
    await bound(address)
    config = uvicorn.Config(
        build(context),
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=1,
        proxy_headers=False,
        server_header=False,
    )
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[sock]))
    await context.stop.wait()
    server.should_exit = True
    await asyncio.gather(serving, return_exceptions=True)
