"""The forms of the pages: do something, then go back to the page with a sentence about it.

A form with mistakes is shown again as it was filled in, with a sentence at each wrong field. `auth.Guard` has checked
before that the request comes from our own pages, and that the user may act.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from watchpost.errors import FormError, NotFound
from watchpost.model import story_path
from watchpost.operations import deliveries
from watchpost.operations.deliveries import ReplayRequest
from watchpost.operations.events import cut, join
from watchpost.operations.feeds.status import read_now
from watchpost.operations.handling import StoryDeed, act_on_story, delete_note, mute
from watchpost.operations.saved_searches import PATH, delete_search, save_search, search_path
from watchpost.operations.silences import SilenceRequest, add_silence, end_silence
from watchpost.operations.stories import id_from
from watchpost.operations.verdicts import judge
from watchpost.web.pages.deliveries import page_of_replay, typed
from watchpost.web.queries import Page, Queries
from watchpost.web.reload import reload
from watchpost.web.rendering import form_of
from watchpost.web.routes import Pages

Act = Callable[[Queries, Request], Awaitable[tuple[str, str]]]
"""Does it; returns the page to go back to and the key of its notice. Raises NotFound, FormError, StoreError."""


async def _enable(queries: Queries, request: Request) -> tuple[str, str]:
    name = request.path_params["name"]
    await deliveries.enable_receiver(queries.config, queries.store, name, request.user.name)
    return "/deliveries", "enabled"


async def _retry(queries: Queries, request: Request) -> tuple[str, str]:
    await deliveries.retry_waiting(queries.config, queries.store, request.user.name)
    return "/deliveries", "hurried"


async def _send_again(queries: Queries, request: Request) -> tuple[str, str]:
    try:
        await deliveries.send_letter_again(queries.store, request.path_params["id"], request.user.name)
    except NotFound:
        return "/deliveries", "gone"
    return "/deliveries", "resent"


async def _replay(queries: Queries, request: Request) -> tuple[str, str]:
    wanted = typed(await form_of(request))
    try:
        count = await deliveries.replay(
            queries.config, queries.store, ReplayRequest.model_validate(wanted), request.user.name
        )
    except FormError as error:
        page = page_of_replay(queries.summary.receivers, wanted, None, error.fields)
        raise _RefusedError(Page("replay", page)) from error
    return "/deliveries", "replayed" if count else "gone"


async def _read_now(queries: Queries, request: Request) -> tuple[str, str]:
    answer = await read_now(queries.config, queries.store, request.path_params["name"], request.user.name)
    return "/feeds", answer.lower()


async def _reload(queries: Queries, request: Request) -> tuple[str, str]:
    last = await reload(queries.context.reloader, request.user.name)
    return "/config", "read" if last.ok else "refused"


async def _send_digest(queries: Queries, request: Request) -> tuple[str, str]:
    id_, shown = request.path_params["id"], (await form_of(request)).get("seen", "")
    count = await queries.context.previews.send(id_, request.user.name, shown)
    if count is None:
        return f"/editions/{quote(id_)}", "moved"
    return "/editions", "told" if count else "empty"


async def _add_silence(queries: Queries, request: Request) -> tuple[str, str]:
    form = await form_of(request)
    try:
        await add_silence(queries.config, queries.store, SilenceRequest.model_validate(form), request.user.name)
    except FormError as error:
        raise _RefusedError(await queries.configuration(datetime.now(UTC), form, error.fields)) from error
    back = {"stories": "/stories", "news": "/", "story": story_path(form.get("story", ""))}
    return back.get(form.get("back", ""), "/config"), "hushed"


async def _end_silence(queries: Queries, request: Request) -> tuple[str, str]:
    story = (await form_of(request)).get("story", "")
    await end_silence(queries.config, queries.store, request.path_params["id"], request.user.name)
    return story_path(story) if story else "/config", "unhushed"


async def _on_story(queries: Queries, request: Request) -> tuple[str, str]:
    try:
        deed = StoryDeed(request.path_params["deed"])
    except ValueError:
        raise NotFound(f"no deed {request.path_params['deed']}") from None
    story, form = request.path_params["id"], await form_of(request)
    try:
        result = await act_on_story(queries.config, queries.store, story, deed, request.user.name, form.get("text", ""))
    except FormError as error:
        page = await queries.story_page(story, {})
        values = {**page.values, "typed": form.get("text", "")[:10_000], "mistakes": error.fields}
        raise _RefusedError(Page("story", values)) from error
    return story_path(id_from(story)), deed if result.first else "taken"


async def _delete_note(queries: Queries, request: Request) -> tuple[str, str]:
    wanted = request.path_params
    await delete_note(queries.config, queries.store, wanted["id"], wanted["note"], request.user.name)
    return story_path(id_from(wanted["id"])), "unnoted"


async def _mute(queries: Queries, request: Request) -> tuple[str, str]:
    story, form = request.path_params["id"], await form_of(request)
    try:
        what, lasting = form.get("what", "story"), form.get("lasting", "")
        await mute(queries.config, queries.store, story, what, lasting, request.user.name)
    except FormError as error:
        raise _RefusedError(
            Page("story", {**(await queries.story_page(story, {})).values, "typed": "", "mistakes": error.fields})
        ) from error
    return story_path(id_from(story)), "hushed"


async def _cut(queries: Queries, request: Request) -> tuple[str, str]:
    """Take a story out of its event; `story` in the form is the page to go back to."""
    story = request.path_params["id"]
    back = (await form_of(request)).get("story", "") or story
    await cut(queries.store, story, request.user.name)
    return story_path(id_from(back)), "cut"


async def _join(queries: Queries, request: Request) -> tuple[str, str]:
    """Put a story into the event of another one, which is named by its id or the address of its page."""
    story, other = request.path_params["id"], (await form_of(request)).get("other", "").strip()[:300]
    try:
        await join(queries.store, story, other.rstrip("/").rpartition("/")[2].partition("?")[0], request.user.name)
    except NotFound as error:
        values = (await queries.story_page(story, {})).values
        mistakes = {"other": f"{error}; give the id of a story or the address of its page"}
        raise _RefusedError(Page("story", {**values, "wanted": other, "mistakes": mistakes})) from error
    return story_path(id_from(story)), "joined"


async def _save_search(queries: Queries, request: Request) -> tuple[str, str]:
    form, now = await form_of(request), datetime.now(UTC)
    asked = queries.search_form(form, now)
    try:
        if asked.mistakes:
            raise FormError(asked.mistakes)
        saved = await save_search(queries.store, form.get("name", ""), asked.asked, request.user.name)
    except FormError as error:
        page = await queries.search_page(form, now)
        raise _RefusedError(
            Page("search", {**page.values, "typed": form.get("name", "")[:200], "mistakes": error.fields})
        ) from error
    return search_path(saved.name), "saved"


async def _delete_search(queries: Queries, request: Request) -> tuple[str, str]:
    await delete_search(queries.store, request.path_params["name"], request.user.name)
    return "/search", "unsaved"


async def _judge(queries: Queries, request: Request) -> tuple[str, str]:
    """What a person says of a hit on the page of its topic."""
    wanted = request.path_params
    hit = await judge(queries.store, wanted["id"], wanted["word"], request.user.name)
    return f"/topics/{quote(hit.topic)}", "judged"


FORMS: dict[str, tuple[Act, str]] = {
    "/receivers/{name}/enable": (_enable, "/deliveries"),
    "/deliveries/retry": (_retry, "/deliveries"),
    "/deliveries/replay": (_replay, "/deliveries"),
    "/deliveries/{id}/retry": (_send_again, "/deliveries"),
    "/feeds/{name}/read": (_read_now, "/feeds"),
    "/config/read": (_reload, "/config"),
    "/editions/{id}/send": (_send_digest, "/editions"),
    "/stories/{id}/mute": (_mute, "/stories"),
    "/stories/{id}/notes/{note}/delete": (_delete_note, "/stories"),
    "/stories/{id}/event/cut": (_cut, "/stories"),
    "/stories/{id}/event/join": (_join, "/stories"),
    "/stories/{id}/{deed}": (_on_story, "/stories"),
    "/hits/{id}/{word}": (_judge, "/topics"),
    "/searches": (_save_search, "/search"),
    "/searches/{name}/delete": (_delete_search, "/search"),
    "/silences": (_add_silence, "/config"),
    "/silences/{id}/end": (_end_silence, "/config"),
}
"""By path: what it does, and the page to go back to if the thing does not exist (any more)."""


def routes(queries: Queries, pages: Pages) -> list[Route]:
    """The routes of all forms. `pages` shows those with mistakes again."""

    async def count_backlog(request: Request, _: datetime) -> Page:
        wanted, mistakes = typed(request.query_params), dict[str, str]()
        try:
            backlog = await deliveries.find_backlog(queries.config, queries.store, ReplayRequest.model_validate(wanted))
        except FormError as error:
            backlog, mistakes = None, error.fields
        return Page("replay", page_of_replay(queries.summary.receivers, wanted, backlog, mistakes))

    forms = {
        path: form for path, form in FORMS.items() if queries.archive_search is not None or not path.startswith(PATH)
    }
    return [
        Route("/deliveries/replay", pages.shown(count_backlog)),
        Route("/stories/{id}/{deed}", lambda request: RedirectResponse(story_path(request.path_params["id"]), 303)),
        Route("/stories/{id}/event/join", lambda request: RedirectResponse(story_path(request.path_params["id"]), 303)),
        Route("/silences", lambda _: RedirectResponse("/config", 303)),  # for a reload of a form with mistakes
        *(Route(path, _endpoint(act, back, queries, pages), methods=["POST"]) for path, (act, back) in forms.items()),
    ]


class _RefusedError(Exception):
    """A form with mistakes; `page` says which."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page


def _endpoint(act: Act, back: str, queries: Queries, pages: Pages) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            place, notice = await act(queries, request)
        except NotFound:
            place, notice = back, "none"
        except _RefusedError as error:
            return await pages.answer(request, error.page, datetime.now(UTC))
        except Exception as error:
            return pages.failed(error)
        return RedirectResponse(f"{place}?done={quote(notice)}", 303)

    return endpoint
