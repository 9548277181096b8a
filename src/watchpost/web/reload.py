"""The door for a new configuration: `POST /-/reload` asks for it, `GET` tells what became of the last wish."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from watchpost.plan.reload import Reload

PATH = "/-/reload"


@dataclass(frozen=True, slots=True)
class Door:
    """`last` is what became of the last wish, `ask` reads the configuration again."""

    last: Callable[[], Reload]
    ask: Callable[[], Awaitable[Reload]]


def routes_of(door: Door) -> tuple[Route, ...]:
    """The two routes."""

    async def tell(_: Request) -> Response:
        return _answer(door.last())

    async def ask(request: Request) -> Response:
        if not is_own(request):
            return PlainTextResponse("a page elsewhere may not ask for this\n", 403)
        return _answer(await door.ask())

    return Route(PATH, tell, methods=["GET"]), Route(PATH, ask, methods=["POST"])


def trouble_of(door: Door | None) -> str:
    """A sentence for the top of a page if the newest configuration was refused, else ""."""
    last = door.last() if door is not None else None
    if last is None or last.ok:
        return ""
    more = f" (and {len(last.complaints) - 1} more)" if len(last.complaints) > 1 else ""
    return f"The configuration on disk is not used: {last.complaints[0] if last.complaints else ''}{more}"


def is_own(request: Request) -> bool:
    """False for what a page of another site sends. Programs that are no browsers say neither of the two headers.

    https://www.w3.org/TR/fetch-metadata: a browser says where a request comes from, and no page can forge it.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


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
