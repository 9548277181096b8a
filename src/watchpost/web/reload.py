"""`POST /-/reload` reads the configuration again; `GET /-/reload` says how the last reload ended."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from watchpost import log as tm
from watchpost.config.config import Reload
from watchpost.operations.reloading import Reloader

PATH = "/-/reload"


def routes(reloader: Reloader) -> tuple[Route, ...]:
    """The two routes. `auth.Guard` has checked before who asks."""

    async def show(_: Request) -> Response:
        return _answer(reloader.last)

    async def ask(request: Request) -> Response:
        return _answer(await reload(reloader, request.user.name))

    return Route(PATH, show, methods=["GET"]), Route(PATH, ask, methods=["POST"])


async def reload(reloader: Reloader, by: str) -> Reload:
    """Reload the configuration, and log who asked for it."""
    tm.operator_acted("reload", 1, by)
    return await reloader.reload("HTTP")


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
