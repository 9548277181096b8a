"""The forms of the pages: a deed, then back to the page with a sentence of what came of it.

guard.py has seen before that no page elsewhere sends them, and that who asks may act.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from watchpost.errors import StoreError
from watchpost.web.deeds import Deeds
from watchpost.web.forms import form_of
from watchpost.web.looking import Coming
from watchpost.web.reload import Door, wish

NOTICES = {
    "enabled": "The receiver is enabled: what waits for it goes now.",
    "hurried": "What waited for a later attempt goes now.",
    "resent": "It is sent again.",
    "gone": "Nothing is left of it: somebody was faster, or it was kept too long ago.",
    "now": "The feed is read at its host's next turn.",
    "soon": "The feed is being read, or will be in a moment.",
    "none": "There is nothing of that name.",
    "read": "The configuration was read and is what runs.",
    "hushed": "Nobody is told of that for a while.",
    "unhushed": "The silence has ended.",
    "told": "The edition goes now. What it tells is not told again.",
    "empty": "There is nothing to send.",
    "moved": "Nothing was sent: the edition that you saw went out by itself a moment ago, or was changed. "
    "This is how it stands now.",
    "refused": "The configuration on the disk has mistakes and is not used.",
}
"""What a page may say after a deed; nothing else that stands in an address is ever shown."""

Act = Callable[[Request, str], Awaitable[tuple[str, str]]]
"""Does it, for a user of that name; returns the page to go back to and the key of its notice."""


def acts(deeds: Deeds, door: Door | None, coming: Coming | None = None) -> list[Route]:
    """The routes of all forms."""

    async def enable(request: Request, by: str) -> tuple[str, str]:
        moved = await deeds.enable(request.path_params["name"], by)
        return "/deliveries", "none" if moved is None else "enabled"

    async def hurry(request: Request, by: str) -> tuple[str, str]:
        await deeds.hurry("", by)
        return "/deliveries", "hurried"

    async def resend(request: Request, by: str) -> tuple[str, str]:
        return "/deliveries", "resent" if await deeds.resend(request.path_params["id"], by) else "gone"

    async def read_now(request: Request, by: str) -> tuple[str, str]:
        return "/feeds", (await deeds.read_now(request.path_params["name"], by)).lower()

    async def reload(request: Request, by: str) -> tuple[str, str]:
        return "/config", "none" if door is None else "read" if (await wish(door, request)).ok else "refused"

    async def hush(request: Request, by: str) -> tuple[str, str]:
        problem = await deeds.hush(await form_of(request), by)
        if problem:
            raise _RefusedError(problem)
        return "/config", "hushed"

    async def unhush(request: Request, by: str) -> tuple[str, str]:
        return "/config", "unhushed" if await deeds.unhush(request.path_params["id"], by) else "none"

    async def tell(request: Request, by: str) -> tuple[str, str]:
        id_, saw = request.path_params["id"], (await form_of(request)).get("seen", "")
        count = await coming.send(id_, saw, by) if coming is not None else 0
        if count is None:
            return f"/editions/{quote(id_)}", "moved"
        return "/editions", "told" if count else "empty"

    forms: dict[str, Act] = {
        "/receivers/{name}/enable": enable,
        "/deliveries/retry": hurry,
        "/deliveries/{id}/retry": resend,
        "/feeds/{name}/read": read_now,
        "/config/read": reload,
        "/editions/{id}/send": tell,
        "/silences": hush,
        "/silences/{id}/end": unhush,
    }
    return [Route(path, _form(act), methods=["POST"]) for path, act in forms.items()]


class _RefusedError(Exception):
    """What was written makes no sense; says why."""


def _form(act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def done(request: Request) -> Response:
        try:
            page, notice = await act(request, request.user.name)
        except StoreError as error:
            return PlainTextResponse(f"{error}\n", 503)
        except _RefusedError as error:
            return PlainTextResponse(f"{error}\n", 422)
        return RedirectResponse(f"{page}?done={quote(notice)}", 303)

    return done
