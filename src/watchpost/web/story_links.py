"""`/a/STORY/KEY`: the links in mail by which a recipient acts on a story, without a login.

Programs that look at mail follow its links, so a GET changes nothing: it shows the story and a button for each action.
The button sends a POST that names the action.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from watchpost.errors import FormError, NotFound, StoreError
from watchpost.notify.story_links import PATH, link_path
from watchpost.operations.message_actions import MessageAction, act, has_links, holder_of, shown_story, silences_of
from watchpost.store.verdicts import Verdicts
from watchpost.web.queries import Queries
from watchpost.web.rendering import Rendering, TooLongError, form_of

_FORM_BYTES = 4_000
_DONE = {
    MessageAction.ACKNOWLEDGE: "Story acknowledged.",
    MessageAction.REOPEN: "The story is no longer acknowledged.",
    MessageAction.CLAIM: "You have claimed this story.",
    MessageAction.RELEASE: "Nobody has claimed this story now.",
    MessageAction.MUTE: "Story muted for 7 days.",
    MessageAction.UNMUTE: "Story no longer muted.",
    MessageAction.RELEVANT: "Verdict kept: relevant.",
    MessageAction.NOT_RELEVANT: "Verdict kept: not relevant.",
    MessageAction.NO_VERDICT: "Verdict taken back.",
}
_ACTIONS: dict[str, MessageAction] = {str(action): action for action in MessageAction}
_TAKEN = "taken"


def routes(queries: Queries, rendering: Rendering) -> list[Route]:
    """The page, and what is posted to it; none if no mail has such links."""
    if not has_links(queries.config):
        return []
    config, store = queries.config, queries.store

    async def show(request: Request) -> Response:
        now, story = datetime.now(UTC), request.path_params["story"]
        holder = await holder_of(config, store, story, request.path_params["key"], now)
        view = await shown_story(store, story)
        if view is None:
            return page("Story no longer kept", now, 410)
        handling = (await queries.handlings.of([story]))[story]
        muted = await silences_of(store, story)
        articles = {hit.article.id for hit in view.topics}
        verdicts = {
            hit.topic: one.relevant
            for hit in view.topics
            for one in await Verdicts(store).of(hit.topic)
            if one.article.id in articles and one.article.id == hit.article.id
        }
        done = request.query_params.get("done", "")
        action = _action(done)
        notice = "Somebody else did that before you." if done == _TAKEN else _DONE[action] if action else ""
        values = {
            "story": view,
            "holder": holder,
            "handling": handling,
            "muted": muted,
            "verdicts": verdicts,
            "wanted": request.query_params.get("do", ""),
            "notice": notice,
        }
        return page(view.lead.article.title or "Story", now, values=values)

    async def take(request: Request) -> Response:
        now, story, key = datetime.now(UTC), request.path_params["story"], request.path_params["key"]
        holder = await holder_of(config, store, story, key, now)  # before anything is read
        form = await form_of(request, _FORM_BYTES)
        action = _action(form.get("do", ""))
        if action is None:
            return await show(request)
        first = await act(config, store, story, action, holder.address, form.get("topic", ""))
        return RedirectResponse(f"{link_path(story, key)}?done={action if first else _TAKEN}", 303)

    def page(heading: str, now: datetime, code: int = 200, values: dict[str, object] | None = None) -> Response:
        shown = {"heading": heading, "story": None, "mistakes": {}} | (values or {})
        return HTMLResponse(rendering.page("story_link", now, shown), code)

    def safely(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def safe(request: Request) -> Response:
            try:
                return await endpoint(request)
            except StoreError:
                return PlainTextResponse("please try again in a few minutes\n", 503, headers={"retry-after": "300"})
            except (NotFound, FormError):
                return page("Link not valid", datetime.now(UTC), 404)
            except (TooLongError, ClientDisconnect):
                return PlainTextResponse("the form is too long or incomplete\n", 413)

        return safe

    path = f"{PATH}{{story}}/{{key}}"
    return [Route(path, safely(show)), Route(path, safely(take), methods=["POST"])]


def _action(word: str) -> MessageAction | None:
    return _ACTIONS.get(word)
