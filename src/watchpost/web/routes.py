"""The pages: a request, the values that are read for it, and the page made of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
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
from watchpost.errors import ArchiveError, FormError, NotFound, StoreError
from watchpost.web.atom import atom, json_feed
from watchpost.web.auth import User
from watchpost.web.queries import Page, Queries
from watchpost.web.rendering import MEDIA, PlainJSON, Rendering, TooLongError, form_of
from watchpost.web.visits import COOKIE, KEPT, Visit, seen, visit_of

_LIVE = "x-watchpost-live"  # the header of a request that live.js sends
_LOOK_SECONDS = 2.0
_STREAMS = 20  # open pages of one person that are sent at once what changes
_ALIVE_SECONDS = 20.0

FRAMED = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""For the HTML of a message: it runs, sends and loads nothing, and only our own pages show it in a frame."""

BROKEN = "An error in watchpost itself; the log has it as page.failed."

NOTICES = {
    "enabled": "Receiver enabled. Waiting messages are being sent now.",
    "hurried": "Waiting messages are being sent now.",
    "resent": "The message is being sent again.",
    "replayed": "The messages are being sent again: unchanged, each once, in order.",
    "gone": "There is nothing left to send: it was sent again already, or is too old.",
    "now": "The feed will be read at its host's next turn.",
    "soon": "The feed is being read already, or will be in a moment.",
    "none": "That no longer exists.",
    "read": "Configuration reloaded.",
    "judged": "Verdict kept.",
    "saved": "Search saved.",
    "unsaved": "Saved search deleted.",
    "hushed": "Silenced: no notifications about this for now.",
    "unhushed": "Silence ended.",
    "claim": "You have claimed this story.",
    "release": "Nobody has claimed this story now.",
    "acknowledge": "Story acknowledged.",
    "reopen": "The story is no longer acknowledged.",
    "star": "Story starred.",
    "unstar": "Star removed.",
    "note": "Note added.",
    "unnoted": "Note deleted.",
    "cut": "The story was taken out of the event.",
    "joined": "The story was put into the event.",
    "taken": "Somebody else did that before you.",
    "told": "Digest sent. Its stories will not be sent again.",
    "empty": "There is nothing to send.",
    "moved": "Nothing sent: this digest went out or changed in the meantime. Below is what would be sent now.",
    "refused": "The configuration on disk has mistakes and is not used.",
}
"""What a page may say after a form was sent, by the key in its address. No other text from an address is shown."""

Look = Callable[[Request, datetime], Awaitable[Page]]


class Pages:
    """The pages, their static files, and the stream that says when to read a page again."""

    def __init__(self, queries: Queries, rendering: Rendering, stop: asyncio.Event) -> None:
        self._queries = queries
        self._rendering = rendering
        self._stop = stop
        self._streams: Counter[str] = Counter()  # by person
        self._look: asyncio.Future[str] | None = None
        self._look_again = 0.0  # by the loop's clock

    def routes(self) -> list[Route]:
        """All routes that show something."""
        queries = self._queries
        looks: dict[str, Look] = {
            "/": lambda request, now: queries.news(request.query_params, _visit(request, now), now),
            "/status": lambda request, now: queries.status(now),
            "/stories": lambda request, now: queries.stories(request.query_params),
            "/stories/{id}": lambda request, now: queries.story_page(request.path_params["id"], request.query_params),
            "/places": lambda request, now: queries.places(now),
            "/feeds": lambda request, now: queries.feeds(request.query_params, now),
            "/topics": lambda request, now: queries.topics(request.query_params, now),
            "/topics/{name}": lambda request, now: queries.topic(request.path_params["name"], now),
            "/editions": lambda request, now: queries.digests(now),
            "/editions/{id}": lambda request, now: queries.upcoming_digest(
                request.path_params["id"], now, may_act=request.user.may_act
            ),
            "/e/{id}": lambda request, now: queries.message(request.path_params["id"], may_act=request.user.may_act),
            "/deliveries": lambda request, now: queries.deliveries(now),
            "/config": lambda request, now: queries.configuration(now),
        }
        archived: list[Route] = []
        if queries.archive_search is not None:
            looks["/search"] = lambda request, now: queries.search_page(request.query_params, now)
            archived += [
                Route("/search.atom", self._search_feed),
                Route("/searches/{name}.atom", self._search_feed),
                Route("/searches/{name}", self.shown(self._saved_search)),
                Route("/searches", lambda _: RedirectResponse("/search", 303)),
            ]
        return [
            *archived,
            *(Route(path, self.shown(look)) for path, look in looks.items()),
            Route("/topics/{name}/try", self.shown(self._try), methods=["POST"]),
            Route("/topics/{name}/try", _back_to_topic),
            Route("/topics/{name}/tune", self.shown(self._tune), methods=["POST"]),
            Route("/topics/{name}/tune", _back_to_topic),
            Route("/topics/{name}/suggest", self.shown(self._suggest), methods=["POST"]),
            Route("/topics/{name}/suggest", _back_to_topic),
            Route("/editions/{id}/{number:int}/{form}", self._message_form),
            Route("/e/{id}/{number:int}/{form}", self._message_form),
            Route("/feeds/{name}.atom", self._syndicated),
            Route("/feeds/{name}.json", self._syndicated),
            Route("/feeds/{name}", self.shown(self._feed)),
            Route("/seen", self._seen, methods=["POST"]),
            Route("/seen", lambda _: RedirectResponse("/", 303)),
            Route("/static/{name}", self._static),
            Route("/live", self._live),
        ]

    def shown(self, look: Look) -> Callable[[Request], Awaitable[Response]]:
        """What answers a request with the page that `look` makes."""

        async def page(request: Request) -> Response:
            now = datetime.now(UTC)
            try:
                return await self.answer(request, await look(request, now), now)
            except Exception as error:  # one page that fails must not affect the others
                return self.failed(error)

        return page

    async def answer(self, request: Request, page: Page, now: datetime) -> Response:
        """The page; with status 422 if it says that a form was filled in wrongly."""
        user: User = request.user
        values = {
            "mistakes": {},
            **page.values,
            "may_act": user.may_act,
            "user": user,
            "notice": NOTICES.get(request.query_params.get("done", ""), ""),
        }
        down = page.values.get("document", {}).get("status") == "down"
        code = 422 if values["mistakes"] else 503 if down else 200
        html = await asyncio.to_thread(self._rendering.page, page.template, now, values)
        response = HTMLResponse(html, code)
        if _LIVE not in request.headers:  # a page that updates itself is no visit
            self._remember(response, _visit(request, now))
        return response

    def _remember(self, response: Response, visit: Visit) -> None:
        secure = self._queries.config.public_url.startswith("https:")
        age = int(KEPT.total_seconds())
        response.set_cookie(COOKIE, visit.cookie(), max_age=age, httponly=True, samesite="lax", secure=secure)

    async def _feed(self, request: Request, now: datetime) -> Page:
        return await self._queries.feed(request.path_params["name"], now)

    async def _seen(self, _: Request) -> Response:
        """The reader has seen the news."""
        response = RedirectResponse("/", 303)
        self._remember(response, seen(datetime.now(UTC)))
        return response

    async def missing(self, request: Request, error: Exception) -> Response:
        """The answer for an address that does not exist, or not for this method."""
        code = getattr(error, "status_code", 404)
        if request.url.path.startswith("/api/"):
            return JSONResponse({"problem": "there is no such call"}, code)
        return self.problem("Not found", "There is no such page.", code)

    def problem(self, heading: str, text: str, code: int) -> Response:
        """A page that says what is wrong."""
        values = {"active": "", "heading": heading, "problem": text}
        return HTMLResponse(self._rendering.page("problem", datetime.now(UTC), values), code)

    def failed(self, error: Exception) -> Response:
        """The page for an error; one of ours goes into the log."""
        match error:
            case StoreError():
                return self.problem("The store is not available", str(error), 503)
            case ArchiveError():
                return self.problem("The archive is not available", str(error), 503)
            case NotFound():
                return self.problem("Not found", "This does not exist, or no longer.", 404)
            case TooLongError():
                return self.problem("Too long", "The text is too long.", 413)
            case ClientDisconnect():
                return self.problem("Incomplete", "The form did not arrive completely.", 400)
        tm.log().exception("page.failed", error=type(error).__name__)
        return self.problem("This page cannot be shown", BROKEN, 500)

    async def _try(self, request: Request, now: datetime) -> Page:
        form = await form_of(request)
        tried = form.get("title", ""), form.get("text", "")
        return await self._queries.topic(request.path_params["name"], now, tried)

    async def _tune(self, request: Request, now: datetime) -> Page:
        form = await form_of(request)
        changed = form.get("query", ""), form.get("exclude", "")
        return await self._queries.tuned_topic(request.path_params["name"], now, *changed)

    async def _suggest(self, request: Request, now: datetime) -> Page:
        return await self._queries.suggested_topic(request.path_params["name"], now)

    async def _message_form(self, request: Request) -> Response:
        """One form of a message and nothing else: exactly what is sent. No script in it can run."""
        wanted, upcoming = request.path_params, request.url.path.startswith("/editions/")
        try:
            form = await self._queries.message_form(
                wanted["id"], wanted["number"], wanted["form"], upcoming=upcoming, may_act=request.user.may_act
            )
        except NotFound as error:
            return PlainTextResponse(f"{error}\n", 404)
        except StoreError as error:
            return PlainTextResponse(f"{error}\n", 503)
        except Exception as error:
            return self.failed(error)
        if form.markup:
            return HTMLResponse(form.text, headers={"content-security-policy": FRAMED})
        return PlainTextResponse(form.text)

    async def _syndicated(self, request: Request) -> Response:
        """A topic's stories as a feed for other readers."""
        try:
            topic, stories, events = await self._queries.latest_stories(request.path_params["name"])
        except NotFound as error:
            return PlainTextResponse(f"{error}\n", 404)
        except StoreError as error:
            return PlainTextResponse(f"{error}\n", 503, headers={"retry-after": "60"})
        public = self._queries.config.public_url
        address = f"{public}{request.url.path}" if public else str(request.url.replace(query=""))
        if request.url.path.endswith(".json"):
            return PlainJSON(json_feed(topic, stories, address, events), media_type="application/feed+json")
        return Response(atom(topic, stories, address, datetime.now(UTC), events), media_type="application/atom+xml")

    async def _saved_search(self, request: Request, now: datetime) -> Page:
        return await self._queries.search_page(request.query_params, now, request.path_params["name"])

    async def _search_feed(self, request: Request) -> Response:
        """A search of the archive as a feed for other readers."""
        public, now = self._queries.config.public_url, datetime.now(UTC)
        path = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        try:
            feed = await self._queries.search_feed(
                request.query_params,
                f"{public}{path}" if public else str(request.url),
                now,
                request.path_params.get("name", ""),
            )
        except NotFound as error:
            return PlainTextResponse(f"{error}\n", 404)
        except FormError as error:
            return PlainTextResponse(f"{error}\n", 422)
        except (StoreError, ArchiveError) as error:
            return PlainTextResponse(f"{error}\n", 503, headers={"retry-after": "60"})
        return Response(feed, media_type="application/atom+xml")

    async def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        content = self._rendering.static.get(name)
        if content is None:
            return Response(status_code=404)
        # Their address changes with their content (?v=…), so a browser may keep them.
        headers = {"cache-control": "private, max-age=31536000, immutable"}
        return Response(content, media_type=MEDIA[name.rpartition(".")[2]], headers=headers)

    async def _live(self, request: Request) -> Response:
        client = request.client.host if request.client else ""
        person = f"{request.user.name} {client}"
        if self._streams[person] >= _STREAMS:
            return Response("too many open pages\n", 503, headers={"retry-after": "60"})
        return StreamingResponse(self._moves(person), media_type="text/event-stream")

    async def _moves(self, person: str) -> AsyncIterator[str]:
        self._streams[person] += 1
        try:
            yield "retry: 5000\n\n"
            before, quiet = await self._fingerprint(), 0.0
            while not self._stop.is_set():
                await asyncio.sleep(_LOOK_SECONDS)
                quiet += _LOOK_SECONDS
                now = await self._fingerprint()
                if now != before:
                    before, quiet = now, 0.0
                    yield "event: moved\ndata:\n\n"
                elif quiet >= _ALIVE_SECONDS:
                    quiet = 0.0
                    yield ": alive\n\n"
        finally:
            self._streams[person] -= 1
            if not self._streams[person]:
                del self._streams[person]

    async def _fingerprint(self) -> str:
        """One look serves every open page."""
        clock = asyncio.get_running_loop().time
        if self._look is None or clock() >= self._look_again:
            self._look, self._look_again = asyncio.ensure_future(self._look_once()), clock() + _LOOK_SECONDS / 2
        return await asyncio.shield(self._look)

    async def _look_once(self) -> str:
        try:
            return await self._queries.fingerprint()
        except StoreError as error:
            return str(error)


def _visit(request: Request, now: datetime) -> Visit:
    return visit_of(request.cookies.get(COOKIE, ""), now, updates_itself=_LIVE in request.headers)


async def _back_to_topic(request: Request) -> Response:
    """Reloading the page of a tried text or query asks for its address without the form."""
    return RedirectResponse(f"/topics/{quote(request.path_params['name'])}", 303)
