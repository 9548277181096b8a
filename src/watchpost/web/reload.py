"""The door for a new configuration: `POST /-/reload` asks for it, `GET` tells what became of the last wish.

guard.py has seen before that no page elsewhere asks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from watchpost import log as tm
from watchpost.config.config import Reload

PATH = "/-/reload"


@dataclass(frozen=True, slots=True)
class ReloadEndpoint:
    """`last` is what became of the last wish, `ask` reads the configuration again."""

    last: Callable[[], Reload]
    ask: Callable[[], Awaitable[Reload]]


def routes_of(door: ReloadEndpoint) -> tuple[Route, ...]:
    """The two routes."""

    async def tell(_: Request) -> Response:
        return _answer(door.last())

    async def ask(request: Request) -> Response:
        return _answer(await wish(door, request))

    return Route(PATH, tell, methods=["GET"]), Route(PATH, ask, methods=["POST"])


async def wish(door: ReloadEndpoint, request: Request) -> Reload:
    """What became of asking for a new configuration; whoever asks stands in the log."""
    tm.log().warning("operator.acted", deed="reload", count=1, by=request.user.name)
    return await door.ask()


def _answer(last: Reload) -> JSONResponse:
    facts = {
        "ok": last.ok,
        "at": last.at.isoformat(timespec="seconds"),
        "by": last.by,
        "complaints": last.complaints,
        "changes": last.changes,
        "needs_restart": last.restart,
    }
    return JSONResponse(facts, 200 if last.ok else 422)
