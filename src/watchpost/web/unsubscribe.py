"""`/u/TOKEN`: the unsubscribe link in each mail. A POST alone unsubscribes (RFC 8058), without a login."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from watchpost.config.config import Config
from watchpost.errors import NotFound, StoreError
from watchpost.operations import unsubscribe as recipients
from watchpost.store.client import Store
from watchpost.web.rendering import Rendering, TooLongError, form_of

_FORM_BYTES = 4_000  # a button of our page, or the one field that a mail program sends


def routes(config: Config, store: Store, rendering: Rendering) -> list[Route]:
    """The page, and what is posted to it."""

    async def show(request: Request) -> Response:
        found = await recipients.find_subscription(config, store, request.path_params["token"])
        return page("Unsubscribe" if found.active else "Unsubscribed", masked(found.address), not found.active)

    async def take(request: Request) -> Response:
        await recipients.find_subscription(config, store, request.path_params["token"])  # before anything is read
        again = (await form_of(request, _FORM_BYTES)).get("again")
        change = recipients.subscribe_again if again else recipients.unsubscribe
        await change(config, store, request.path_params["token"])
        return await show(request)

    def page(heading: str, address: str, gone: bool, code: int = 200) -> Response:
        values = {"heading": heading, "address": address, "gone": gone}
        return HTMLResponse(rendering.page("unsubscribe", datetime.now(UTC), values), code)

    def safely(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def safe(request: Request) -> Response:
            try:
                return await endpoint(request)
            except StoreError:
                return PlainTextResponse("please try again in a few minutes\n", 503, headers={"retry-after": "300"})
            except NotFound:
                return page("Link not valid", "", False, 404)
            except (TooLongError, ClientDisconnect):
                return PlainTextResponse("the form is too long or incomplete\n", 413)

        return safe

    return [Route("/u/{token}", safely(show)), Route("/u/{token}", safely(take), methods=["POST"])]


def masked(address: str) -> str:
    """An address as its owner recognises it and nobody else does: "w•••@example.org"."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}•••@{domain}"
