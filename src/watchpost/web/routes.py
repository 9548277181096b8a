"""The pages' addresses: a request → what is gathered for it → a page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from watchpost import log as tm
from watchpost.errors import StoreError
from watchpost.web.atom import atom, json_feed
from watchpost.web.auth import User
from watchpost.web.context import NOTICES
from watchpost.web.queries import Page, Queries
from watchpost.web.rendering import MEDIA, Rendering, TooLongError, form_of

_LOOK_SECONDS = 2.0
_STREAMS = 50  # open pages that are told at once when something moves
_ALIVE_SECONDS = 20.0

FRAMED = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""For the HTML of an edition: nothing of it runs, sends or loads anything; only our own pages show it in a frame."""

Look = Callable[[Request, datetime], Awaitable[Page | None]]


class Pages:
    """The seven pages, their static files, and the stream that says when to read a page again."""

    def __init__(self, queries: Queries, rendering: Rendering, stop: asyncio.Event, *, can_act: bool = False) -> None:
        self._queries = queries
        self._rendering = rendering
        self._stop = stop
        self._can_act = can_act
        self._streams = 0

    def routes(self) -> list[Route]:
        """All of them."""
        queries = self._queries

        async def tried(request: Request, now: datetime) -> Page | None:
            form = await form_of(request)
            return await queries.tried(request.path_params["name"], now, form.get("title", ""), form.get("text", ""))

        async def back(request: Request) -> Response:
            return RedirectResponse(f"/topics/{quote(request.path_params['name'])}", 303)

        looks: dict[str, Look] = {
            "/": lambda request, now: queries.now(now),
            "/stories": lambda request, now: queries.stories(request.query_params),
            "/feeds": lambda request, now: queries.feeds(request.query_params, now),
            "/topics": lambda request, now: queries.topics(request.query_params, now),
            "/topics/{name}": lambda request, now: queries.topic(request.path_params["name"], now),
            "/editions": lambda request, now: queries.editions(now),
            "/editions/{id}": lambda request, now: queries.coming(request.path_params["id"], now),
            "/e/{id}": lambda request, now: queries.edition(request.path_params["id"]),
            "/deliveries": lambda request, now: queries.deliveries(now),
            "/config": lambda request, now: queries.configuration(now),
        }
        routes = [Route(path, self.shown(look)) for path, look in looks.items()]
        routes.append(Route("/topics/{name}/try", self.shown(tried), methods=["POST"]))
        routes.append(Route("/topics/{name}/try", back))  # whoever asks for a tried text's address again
        routes.append(Route("/editions/{id}/{number:int}/{face}", self._face))
        routes.append(Route("/e/{id}/{number:int}/{face}", self._face))
        routes.append(Route("/feeds/{name}.atom", self._syndicated))
        routes.append(Route("/feeds/{name}.json", self._syndicated))
        return [*routes, Route("/static/{name}", self._static), Route("/live", self._live)]

    def shown(self, look: Look) -> Callable[[Request], Awaitable[Response]]:
        """What answers with the page that `look` gathers."""

        async def page(request: Request) -> Response:
            now = datetime.now(UTC)
            try:
                shown = await look(request, now)
            except StoreError as error:
                return self.trouble("The store is away", str(error), 503)
            except TooLongError:
                return self.trouble("Too long", "So long a text is not taken here.", 413)
            except Exception as error:  # one page that cannot be made says so, and leaves the others alone
                return self.failed(error)
            if shown is None:
                return self.trouble("Not here", "There is nothing of that name (any more).", 404)
            return self.answer(request, shown, now)

        return page

    def answer(self, request: Request, shown: Page, now: datetime) -> Response:
        """The page; 422 if it says that a form was filled in wrongly."""
        code = 503 if shown.values.get("document", {}).get("status") == "down" else 200
        user: User = request.user
        values = {
            "mistakes": {},
            **shown.values,
            "may_act": self._can_act and user.role == "operate",
            "user": user,
            "notice": NOTICES.get(request.query_params.get("done", ""), ""),
        }
        code = 422 if values["mistakes"] else code
        return HTMLResponse(self._rendering.page(shown.template, now, values), code)

    async def missing(self, request: Request, error: Exception) -> Response:
        """An address that is none, or none for this method."""
        if request.url.path.startswith("/api/"):
            return JSONResponse({"problem": "there is no such call"}, getattr(error, "status_code", 404))
        return self.trouble("Not here", "There is no such page.", getattr(error, "status_code", 404))

    def trouble(self, heading: str, text: str, code: int) -> Response:
        """A page that says what is wrong."""
        values = {"active": "", "heading": heading, "trouble": text}
        return HTMLResponse(self._rendering.page("trouble", datetime.now(UTC), values), code)

    def failed(self, error: Exception) -> Response:
        """A page that says that a mistake of ours keeps it from being made; the log says which."""
        tm.log().exception("page.failed", error=type(error).__name__)
        return self.trouble(
            "This cannot be shown", "A mistake in watchpost itself: the log has it as page.failed.", 500
        )

    async def _face(self, request: Request) -> Response:
        """One text of a message and nothing else: the very characters that are sent, which no script of may run."""
        asked, coming = request.path_params, request.url.path.startswith("/editions/")
        try:
            face = await self._queries.face(asked["id"], asked["number"], asked["face"], coming=coming)
        except StoreError as error:
            return PlainTextResponse(f"{error}\n", 503)
        except Exception as error:
            return self.failed(error)
        if face is None:
            return PlainTextResponse("there is nothing of that name (any more)\n", 404)
        if face.markup:
            return HTMLResponse(face.text, headers={"content-security-policy": FRAMED})
        return PlainTextResponse(face.text)

    async def _syndicated(self, request: Request) -> Response:
        """A topic's hits for other readers."""
        try:
            found = await self._queries.syndicated(request.path_params["name"])
        except StoreError as error:
            return PlainTextResponse(f"{error}\n", 503, headers={"retry-after": "60"})
        if found is None:
            return PlainTextResponse("there is no such topic\n", 404)
        topic, hits = found
        public = self._queries.summary.public_url
        address = f"{public}{request.url.path}" if public else str(request.url.replace(query=""))
        if request.url.path.endswith(".json"):
            return JSONResponse(json_feed(topic, hits, address), media_type="application/feed+json")
        return Response(atom(topic, hits, address, datetime.now(UTC)), media_type="application/atom+xml")

    async def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        content = self._rendering.static.get(name)
        if content is None:
            return Response(status_code=404)
        # Their address changes with their content (?v=…), so a browser may keep them.
        headers = {"cache-control": "private, max-age=31536000, immutable"}
        return Response(content, media_type=MEDIA[name.rpartition(".")[2]], headers=headers)

    async def _live(self, request: Request) -> Response:
        if self._streams >= _STREAMS:
            return Response("too many pages are open\n", 503, headers={"retry-after": "60"})
        return StreamingResponse(self._moves(), media_type="text/event-stream")

    async def _moves(self) -> AsyncIterator[str]:
        self._streams += 1
        try:
            yield "retry: 5000\n\n"
            before, quiet = await self._mark(), 0.0
            while not self._stop.is_set():
                await asyncio.sleep(_LOOK_SECONDS)
                quiet += _LOOK_SECONDS
                now = await self._mark()
                if now != before:
                    before, quiet = now, 0.0
                    yield "event: moved\ndata:\n\n"
                elif quiet >= _ALIVE_SECONDS:
                    quiet = 0.0
                    yield ": still here\n\n"
        finally:
            self._streams -= 1

    async def _mark(self) -> str:
        try:
            return await self._queries.mark()
        except StoreError as error:
            return str(error)
