"""The forms of the pages: a deed, then back to the page with a sentence of what came of it.

A form that makes no sense is shown again, with what was written in it, and at each wrong field what to write instead.

guard.py has seen before that no page elsewhere sends them, and that who asks may act.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from watchpost.errors import FormError, StoreError
from watchpost.web.deeds import Deeds
from watchpost.web.forms import TooLongError, form_of
from watchpost.web.gathering import Gathering, Shown
from watchpost.web.looking import Coming
from watchpost.web.pages import replay
from watchpost.web.reload import Door, wish
from watchpost.web.routes import Pages

Act = Callable[[Request, str], Awaitable[tuple[str, str]]]
"""Does it, for a user of that name; returns the page to go back to and the key of its notice."""


def acts(deeds: Deeds, door: Door | None, coming: Coming | None, gathering: Gathering, pages: Pages) -> list[Route]:
    """The routes of all forms. `pages` shows again what was refused."""

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
        form = await form_of(request)
        try:
            await deeds.hush(form, by)
        except FormError as error:
            raise _RefusedError(await gathering.configuration(_now(), form, error.fields)) from error
        return "/stories" if form.get("back") == "stories" else "/config", "hushed"

    async def backlog(request: Request, now: datetime) -> Shown:
        asked = replay.typed(request.query_params)
        try:
            found, wrong = await deeds.backlog(asked), dict[str, str]()
        except FormError as error:
            found, wrong = None, error.fields
        return Shown("replay", replay.view(gathering.watched.receivers, asked, found, wrong))

    async def again(request: Request, by: str) -> tuple[str, str]:
        asked = replay.typed(await form_of(request))
        try:
            count = await deeds.replay(asked, by)
        except FormError as error:
            shown = Shown("replay", replay.view(gathering.watched.receivers, asked, None, error.fields))
            raise _RefusedError(shown) from error
        return "/deliveries", "replayed" if count else "gone"

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
        "/deliveries/replay": again,
        "/deliveries/{id}/retry": resend,
        "/feeds/{name}/read": read_now,
        "/config/read": reload,
        "/editions/{id}/send": tell,
        "/silences": hush,
        "/silences/{id}/end": unhush,
    }
    return [
        Route("/deliveries/replay", pages.shown(backlog)),
        Route("/silences", lambda _: RedirectResponse("/config", 303)),  # who asks again for a form that was refused
        *(Route(path, _form(act, pages), methods=["POST"]) for path, act in forms.items()),
    ]


class _RefusedError(Exception):
    """What was written makes no sense; the page says why."""

    def __init__(self, shown: Shown) -> None:
        super().__init__()
        self.shown = shown


def _form(act: Act, pages: Pages) -> Callable[[Request], Awaitable[Response]]:
    async def done(request: Request) -> Response:
        try:
            page, notice = await act(request, request.user.name)
        except StoreError as error:
            return pages.trouble("The store is away", str(error), 503)
        except TooLongError:
            return pages.trouble("Too long", "So long a text is not taken here.", 413)
        except ClientDisconnect:
            return pages.trouble("Incomplete", "Not all of the form has arrived.", 400)
        except _RefusedError as error:
            return pages.answer(request, error.shown, _now())
        except Exception as error:
            return pages.failed(error)
        return RedirectResponse(f"{page}?done={quote(notice)}", 303)

    return done


def _now() -> datetime:
    return datetime.now(UTC)
