"""`/u/TOKEN`: the way out that stands in each mail. A POST alone does it (RFC 8058), and nobody need log in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from watchpost.errors import StoreError
from watchpost.web.rendering import Rendering, TooLongError, form_of


class Leaving(Protocol):
    """What app does for readers. All raise StoreError."""

    async def whose(self, token: str) -> tuple[str, str, bool] | None:
        """Receiver, address, and whether it has left; None for a token that is none (any more)."""

    async def leave(self, token: str) -> bool:
        """Write to this reader no more. False for a token that is none."""

    async def come_back(self, token: str) -> bool:
        """Write to this reader again. False for a token that is none."""


def routes(leaving: Leaving, rendering: Rendering) -> list[Route]:
    """The page, and what is posted to it."""

    async def show(request: Request) -> Response:
        found = await leaving.whose(request.path_params["token"])
        if found is None:
            return page("This is no link of ours", "", False, 404)
        _, address, gone = found
        return page("No more mail" if gone else "Unsubscribe", masked(address), gone)

    def page(heading: str, address: str, gone: bool, code: int = 200) -> Response:
        values = {"heading": heading, "address": address, "gone": gone}
        return HTMLResponse(rendering.page("leave", datetime.now(UTC), values), code)

    async def take(request: Request) -> Response:
        token, form = request.path_params["token"], await form_of(request)
        done = await (leaving.come_back(token) if form.get("again") else leaving.leave(token))
        return await show(request) if done else page("This is no link of ours", "", False, 404)

    return [Route("/u/{token}", _safely(show)), Route("/u/{token}", _safely(take), methods=["POST"])]


def masked(address: str) -> str:
    """An address so that its owner knows it and nobody else: "w•••@example.org"."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}•••@{domain}"


def _safely(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def safe(request: Request) -> Response:
        try:
            return await endpoint(request)
        except StoreError:
            return PlainTextResponse("please try again in a few minutes\n", 503, headers={"retry-after": "300"})
        except (TooLongError, ClientDisconnect):
            return PlainTextResponse("that is too long, or incomplete\n", 413)

    return safe
