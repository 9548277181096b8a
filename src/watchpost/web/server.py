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
from watchpost.config.schema import Auth
from watchpost.errors import WatchpostError
from watchpost.store.websub import PushStore
from watchpost.web import api, forms, reload, slack, story_links, unsubscribe, websub
from watchpost.web.auth import Authenticator, Guard
from watchpost.web.connections import BACKLOG, Connections, open_files
from watchpost.web.context import WebContext
from watchpost.web.health import Probes, RequestCounter
from watchpost.web.page_turns import PageTurns
from watchpost.web.queries import Queries
from watchpost.web.rendering import Rendering
from watchpost.web.routes import Pages


def build(context: WebContext) -> Starlette:
    """The ASGI application."""
    config, store = context.config, context.store
    queries, rendering = (
        Queries(context),
        Rendering(config.timezone, config.install, searchable=context.archive is not None),
    )
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
            *story_links.routes(queries, rendering),
            *slack.routes(config, store),
            *pages.routes(),
            *forms.routes(queries, pages),
        ],
        exception_handlers={404: pages.missing, 405: pages.missing},
        middleware=[Middleware(RequestCounter), guard, Middleware(PageTurns)],
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
            "configure http.auth, set WATCHPOST_HTTP_LOGIN, or listen on 127.0.0.1"
        )
    return host, number


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the service handles signals, and sets `stop`."""

    def __init__(self, config: uvicorn.Config, stop: asyncio.Event) -> None:
        super().__init__(config)
        self._stop = stop

    async def main_loop(self) -> None:
        """Return when `stop` is set. uvicorn's own loop wakes ten times a second; Connections has the Date header."""
        await self._stop.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Listener:
    """The address that the server listens on.

    It stays open from one server to the next, as in a reload: a request in between waits and is not refused.
    """

    def __init__(self) -> None:
        self._bound: dict[str, tuple[str, socket.socket]] = {}  # by purpose

    def open(self, listen: str, guarded: bool = False, purpose: str = "pages") -> tuple[str, socket.socket]:
        """The address as bound, and a socket for one server. Raises OSError if it cannot be bound."""
        host, port = parse_listen(listen, guarded)
        if purpose not in self._bound or self._bound[purpose][0] != listen:
            self.close(purpose)
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._bound[purpose] = listen, socket.create_server((host, port), family=family)
        bound = self._bound[purpose][1]
        return f"{host}:{bound.getsockname()[1]}", bound.dup()

    def close(self, purpose: str = "") -> None:
        """Stop listening for this purpose, or for all."""
        for name in [name for name in self._bound if not purpose or name == purpose]:
            self._bound.pop(name)[1].close()


async def serve(context: WebContext, listener: Listener, bound: Callable[[str], Awaitable[None]]) -> None:
    """Serve until `context.stop`, then leave the listener open. `bound` is called with the address.

    Raises OSError if the address cannot be bound.
    """
    access = context.config.access
    address, sock = listener.open(context.config.listen, access.auth.required)
    await bound(address)
    serving = [_serving(build(context), sock, context.stop, _is_shared(access.auth))]
    if access.probes:
        _, sock = listener.open(access.probes, True, "probes")
        probes = Starlette(routes=Probes(context).open_routes())
        serving.append(_serving(probes, sock, context.stop, lambda _: True))
    await context.stop.wait()
    for server, _ in serving:
        server.should_exit = True
    await asyncio.gather(*(task for _, task in serving), return_exceptions=True)


def _serving(
    app: Starlette, sock: socket.socket, stop: asyncio.Event, is_shared: Callable[[str], bool]
) -> tuple[_Server, asyncio.Task[None]]:
    """A server that has begun to serve."""
    config = uvicorn.Config(
        app,
        http=Connections(open_files(), is_shared).protocol(),
        backlog=BACKLOG,
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=1,
        proxy_headers=False,
        server_header=False,
    )
    server = _Server(config, stop)
    return server, asyncio.ensure_future(server.serve(sockets=[sock]))


def _is_shared(auth: Auth) -> Callable[[str], bool]:
    """Whether many people come from an address: that of a proxy, or this machine, where one may run."""
    trusted = auth.proxy.trusted if auth.proxy is not None else ()

    def is_shared(address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return True  # no address: a socket of this machine
        return found.is_loopback or any(found in network for network in trusted)

    return is_shared
