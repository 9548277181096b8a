"""`/api/v1`: what the pages show and do, for machines. One table of calls, from which the documentation is made."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from watchpost import log as tm
from watchpost.errors import FormError, StoreError
from watchpost.model import Hit
from watchpost.store.history import HitPage
from watchpost.web import schemas as web_schemas
from watchpost.web.context import Coming, Deeds
from watchpost.web.pages import deliveries as pages_deliveries
from watchpost.web.pages import stories
from watchpost.web.queries import Page, Queries
from watchpost.web.reload import ReloadEndpoint, wish
from watchpost.web.rendering import TooLongError, body_of, form_of
from watchpost.web.routes import Pages

# What the API's calls that look answer, from what is gathered for the pages.


class MissingError(Exception):
    """There is nothing of that name."""


def looks(queries: Queries) -> dict[str, Answer]:
    """By path, below the root of the API."""
    watched = queries.summary

    async def status(_: Request, now: datetime) -> dict[str, Any]:
        return dict(await queries.document(now))

    async def hits(request: Request, _: datetime) -> BaseModel:
        found = await queries.search(stories.search_of(request.query_params))
        return web_schemas.Hits(
            hits=[web_schemas.hit_shape(past.mark, past.hit) for past in found.hits], more=found.more or None
        )

    async def told(request: Request, _: datetime) -> BaseModel:
        return _stories(await queries.search(stories.search_of(request.query_params)))

    async def sources(request: Request, now: datetime) -> BaseModel:
        statuses, due = await queries.statuses(), await queries.overview.due(watched.feeds)
        wanted = request.query_params.get("state", "")
        found = [
            web_schemas.FeedShape(
                name=one.name,
                kind="feed" if one.name in due or one.name in watched.feeds else "folder",
                state=one.state,
                place=watched.places.get(one.name, ""),
                pace=watched.paces.get(one.name, ""),
                failures=one.failures,
                reason=one.reason,
                detail=one.detail,
                last_read=one.last_read,
                due=due.get(one.name),
            )
            for one in statuses
        ]
        return web_schemas.Feeds(
            feeds=sorted((one for one in found if wanted in ("", one.state)), key=lambda one: one.state == "ok")
        )

    async def topics(_: Request, now: datetime) -> BaseModel:
        charts = await queries.charts(now)
        return web_schemas.Topics(
            topics=[
                web_schemas.TopicShape(
                    name=topic.name,
                    title=topic.title,
                    severity=topic.severity,
                    query=topic.query.text,
                    languages=list(topic.languages),
                    days=[bar.count for bar in chart.bars],
                )
                for topic, chart in charts
            ]
        )

    async def receivers(_: Request, now: datetime) -> BaseModel:
        states = await queries.overview.receivers(watched.receivers)
        depths = await queries.overview.depths(watched.receivers)
        return web_schemas.Receivers(
            receivers=[
                web_schemas.ReceiverShape(
                    name=name,
                    kind=watched.kinds.get(name, ""),
                    state=state.status(now),
                    why=state.why,
                    until=state.till,
                    waiting=depths.outbox[name],
                )
                for name, state in states.items()
            ]
        )

    async def deliveries(_: Request, now: datetime) -> BaseModel:
        dead_letters = {one.delivery: one.id for one in await queries.dead_letters.all() if one.delivery}
        found = [
            web_schemas.DeliveryShape(
                id=case.id,
                receiver=case.receiver,
                state=case.state,
                subject=case.subject,
                attempts=case.attempts,
                created=case.created,
                due=case.due,
                error=case.error,
                letter=dead_letters.get(case.id),
            )
            for case in await queries.desk.records()
        ]
        for one in await queries.history.sent():
            subject = one.message.subject if one.message is not None else ""
            found.append(
                web_schemas.DeliveryShape(
                    id=one.id, receiver=one.receiver, state="delivered", subject=subject,
                    attempts=one.attempts, created=one.created, due=None, error="",
                )
            )  # fmt: skip
        return web_schemas.Deliveries(deliveries=found)

    async def silences(_: Request, now: datetime) -> BaseModel:
        both = [(one, True) for one in watched.silences] + [(one, False) for one in await queries.silences.all()]
        names = ("id", "until", "reason", "by", "topic", "source", "severity", "text", "story")
        return web_schemas.Silences(
            silences=[
                web_schemas.SilenceShape(**{name: getattr(one, name) for name in names}, configured=configured)
                for one, configured in both
                if one.until > now
            ]
        )

    async def editions(_: Request, now: datetime) -> BaseModel:
        return web_schemas.Editions(
            editions=[
                web_schemas.Edition(
                    id=one.id, receiver=one.receiver, schedule=one.schedule, next=one.next, waiting=one.parked
                )
                for one in await queries.upcoming(now)
            ]
        )

    async def edition(request: Request, _: datetime) -> BaseModel:
        found = await queries.previews(request.path_params["id"])
        if found is None:
            raise MissingError
        return web_schemas.Previews(
            messages=[
                web_schemas.MessageShape(subject=one.subject, address=one.address, editions=dict(one.renderings))
                for preview in found
                for one in preview.messages
            ],
            kept=[text for preview in found for text in preview.kept],
        )

    async def configured(_: Request, __: datetime) -> BaseModel:
        return web_schemas.configuration_shape(await queries.compare())

    return {
        "/editions": editions,
        "/editions/{id}": edition,
        "/configuration": configured,
        "/status": status,
        "/hits": hits,
        "/stories": told,
        "/feeds": sources,
        "/topics": topics,
        "/receivers": receivers,
        "/deliveries": deliveries,
        "/silences": silences,
    }


def _stories(found: HitPage) -> web_schemas.Stories:
    marks = {past.hit.id: past.mark for past in found.hits}

    def shape(hit: Hit) -> web_schemas.HitShape:
        return web_schemas.hit_shape(marks[hit.id], hit)

    return web_schemas.Stories(
        stories=[
            web_schemas.StoryShape(
                id=story.id,
                topics=[hit.topic for hit in story.topics],
                voices=story.voices,
                lead=shape(story.lead),
                others=[shape(hit) for hit in story.others],
            )
            for story in stories.gather([past.hit for past in found.hits])
        ],
        more=found.more or None,
    )


ROOT = "/api/v1"

Answer = Callable[[Request, datetime], Awaitable[BaseModel | dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API: `query` are its parameters with what they mean, `takes` the shape of its body."""

    method: str
    path: str
    summary: str
    gives: type[BaseModel] | None
    query: tuple[tuple[str, str], ...] = ()
    takes: type[BaseModel] | None = None


_SEARCH = (
    ("q", "words that all stand in headline, snippet, outlet or evidence"),
    ("topic", "a topic's name"),
    ("source", "a feed's or folder's name"),
    ("lang", "a language, like fr"),
    ("before", "a mark: only what is further back"),
)
CALLS = (
    Call("GET", "/status", "How the service fares: the document of /status.json.", None),
    Call("GET", "/hits", "What was found, the newest first.", web_schemas.Hits, _SEARCH),
    Call("GET", "/stories", "The same, gathered by story.", web_schemas.Stories, _SEARCH),
    Call("GET", "/feeds", "Every feed and folder.", web_schemas.Feeds, (("state", "only those in this state"),)),
    Call("GET", "/topics", "Every topic, with a fortnight of hits.", web_schemas.Topics),
    Call("GET", "/receivers", "Every receiver.", web_schemas.Receivers),
    Call("GET", "/deliveries", "Messages on their way, given up, and those that arrived last.", web_schemas.Deliveries),
    Call("GET", "/editions", "What is sent next: to whom, when, and how many hits wait for it.", web_schemas.Editions),
    Call("GET", "/editions/{id}", "What a coming edition would say now, in each of its forms.", web_schemas.Previews),
    Call("GET", "/configuration", "What a reload of the configuration would change.", web_schemas.Configuration),
    Call("GET", "/silences", "Every silence that has not ended.", web_schemas.Silences),
    Call("POST", "/receivers/{name}/enable", "Let a receiver be tried again.", web_schemas.Done),
    Call("POST", "/deliveries/retry", "What waits for a later attempt goes now.", web_schemas.Done),
    Call("POST", "/deliveries/replay", "Send again what has not arrived.", web_schemas.Done, takes=web_schemas.Replay),
    Call("POST", "/deliveries/{letter}/retry", "Take a dead letter up again.", web_schemas.Done),
    Call("POST", "/editions/{id}/send", "Send a coming edition now.", web_schemas.Done),
    Call("POST", "/feeds/{name}/read", "Read a feed at its host's next turn.", web_schemas.Done),
    Call("POST", "/silences", "Tell nobody of some hits for a while.", web_schemas.Done, takes=web_schemas.Wanted),
    Call("POST", "/silences/{id}/end", "End a silence now.", web_schemas.Done),
)


def routes(queries: Queries, actions: Deeds | None, coming: Coming | None = None) -> list[Route]:
    """The routes of CALLS; without `deeds` only those that look."""
    look_answers = looks(queries)
    given: dict[tuple[str, str], Answer] = {("GET", path): answer for path, answer in look_answers.items()}
    if actions is not None:
        given |= {("POST", path): answer for path, answer in _acts(actions, coming).items()}
    return [
        Route(ROOT + call.path, _endpoint(given[call.method, call.path]), methods=[call.method])
        for call in CALLS
        if (call.method, call.path) in given
    ]


def _acts(actions: Deeds, coming: Coming | None) -> dict[str, Answer]:
    async def enable(request: Request, _: datetime) -> BaseModel:
        moved = await actions.enable(request.path_params["name"], request.user.name)
        if moved is None:
            raise MissingError
        return web_schemas.Done(done="enabled", count=moved)

    async def hurry(request: Request, _: datetime) -> BaseModel:
        return web_schemas.Done(done="retried", count=await actions.hurry("", request.user.name))

    async def resend(request: Request, _: datetime) -> BaseModel:
        if not await actions.resend(request.path_params["letter"], request.user.name):
            raise MissingError
        return web_schemas.Done(done="retried")

    async def read_now(request: Request, _: datetime) -> BaseModel:
        answer = await actions.read_now(request.path_params["name"], request.user.name)
        if answer == "NONE":
            raise MissingError
        return web_schemas.Done(done=answer.lower())

    async def replay(request: Request, _: datetime) -> BaseModel:
        wanted = web_schemas.Replay.model_validate_json(await body_of(request))
        asked = wanted.model_dump(exclude={"dry_run"})
        if wanted.dry_run:
            return web_schemas.Done(done="counted", count=(await actions.backlog(asked)).count)
        return web_schemas.Done(done="replayed", count=await actions.replay(asked, request.user.name))

    async def tell(request: Request, _: datetime) -> BaseModel:
        count = await coming.send(request.path_params["id"], None, request.user.name) if coming is not None else None
        if count is None:
            raise MissingError
        return web_schemas.Done(done="sent", count=count)

    async def holding_rules(request: Request, _: datetime) -> BaseModel:
        wanted = web_schemas.Wanted.model_validate_json(await body_of(request))
        await actions.holding_rules(wanted.model_dump(), request.user.name)
        return web_schemas.Done(done="silenced")

    async def unhush(request: Request, _: datetime) -> BaseModel:
        if not await actions.unhush(request.path_params["id"], request.user.name):
            raise MissingError
        return web_schemas.Done(done="ended")

    return {
        "/receivers/{name}/enable": enable,
        "/deliveries/retry": hurry,
        "/deliveries/replay": replay,
        "/deliveries/{letter}/retry": resend,
        "/editions/{id}/send": tell,
        "/feeds/{name}/read": read_now,
        "/silences": holding_rules,
        "/silences/{id}/end": unhush,
    }


def _endpoint(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            given = await answer(request, datetime.now(UTC))
        except StoreError as error:
            return _problem(str(error), 503)
        except MissingError:
            return _problem("there is nothing of that name (any more)", 404)
        except TooLongError:
            return _problem("so long a body is not taken here", 413)
        except ClientDisconnect:
            return _problem("the body is incomplete", 400)
        except ValidationError as error:
            told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            return _problem(told, 422)
        except FormError as error:
            return _problem(str(error), 422)
        except Exception as error:
            tm.log().exception("page.failed", error=type(error).__name__)
            return _problem("a mistake in watchpost itself: the log has it as page.failed", 500)
        content = given.model_dump(mode="json") if isinstance(given, BaseModel) else given
        return JSONResponse(content)

    return endpoint


def _problem(text: str, code: int) -> Response:
    return JSONResponse({"problem": text}, code)


# The forms of the pages: a deed, then back to the page with a sentence of what came of it.
#
# A form that makes no sense is shown again, with what was written in it, and at each wrong field what to write instead.
#
# guard.py has seen before that no page elsewhere sends them, and that who asks may act.


Act = Callable[[Request, str], Awaitable[tuple[str, str]]]
"""Does it, for a user of that name; returns the page to go back to and the key of its notice."""


def acts(
    actions: Deeds, door: ReloadEndpoint | None, coming: Coming | None, queries: Queries, pages: Pages
) -> list[Route]:
    """The routes of all forms. `pages` shows again what was refused."""

    async def enable(request: Request, by: str) -> tuple[str, str]:
        moved = await actions.enable(request.path_params["name"], by)
        return "/deliveries", "none" if moved is None else "enabled"

    async def hurry(request: Request, by: str) -> tuple[str, str]:
        await actions.hurry("", by)
        return "/deliveries", "hurried"

    async def resend(request: Request, by: str) -> tuple[str, str]:
        return "/deliveries", "resent" if await actions.resend(request.path_params["id"], by) else "gone"

    async def read_now(request: Request, by: str) -> tuple[str, str]:
        return "/feeds", (await actions.read_now(request.path_params["name"], by)).lower()

    async def reload(request: Request, by: str) -> tuple[str, str]:
        return "/config", "none" if door is None else "read" if (await wish(door, request)).ok else "refused"

    async def holding_rules(request: Request, by: str) -> tuple[str, str]:
        form = await form_of(request)
        try:
            await actions.holding_rules(form, by)
        except FormError as error:
            raise _RefusedError(await queries.configuration(_now(), form, error.fields)) from error
        return "/stories" if form.get("back") == "stories" else "/config", "hushed"

    async def backlog(request: Request, now: datetime) -> Page:
        asked = pages_deliveries.typed(request.query_params)
        try:
            found, wrong = await actions.backlog(asked), dict[str, str]()
        except FormError as error:
            found, wrong = None, error.fields
        return Page("replay", pages_deliveries.page_of_replay(queries.summary.receivers, asked, found, wrong))

    async def again(request: Request, by: str) -> tuple[str, str]:
        asked = pages_deliveries.typed(await form_of(request))
        try:
            count = await actions.replay(asked, by)
        except FormError as error:
            shown = Page(
                "replay", pages_deliveries.page_of_replay(queries.summary.receivers, asked, None, error.fields)
            )
            raise _RefusedError(shown) from error
        return "/deliveries", "replayed" if count else "gone"

    async def unhush(request: Request, by: str) -> tuple[str, str]:
        return "/config", "unhushed" if await actions.unhush(request.path_params["id"], by) else "none"

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
        "/silences": holding_rules,
        "/silences/{id}/end": unhush,
    }
    return [
        Route("/deliveries/replay", pages.shown(backlog)),
        Route("/silences", lambda _: RedirectResponse("/config", 303)),  # who asks again for a form that was refused
        *(Route(path, _form(act, pages), methods=["POST"]) for path, act in forms.items()),
    ]


class _RefusedError(Exception):
    """What was written makes no sense; the page says why."""

    def __init__(self, shown: Page) -> None:
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


# The description of the API for machines (OpenAPI 3.1): made from its table of calls and its shapes.


def document() -> dict[str, Any]:
    """The whole document; its version is that of the API, not of the program."""
    models = (
        {call.gives for call in CALLS if call.gives}
        | {call.takes for call in CALLS if call.takes}
        | {web_schemas.Problem}
    )
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "serialization") for model in ordered], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for call in CALLS:
        paths.setdefault(ROOT + call.path, {})[call.method.lower()] = _operation(call)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "watchpost",
            "version": "1",
            "description": "What the pages show and do. Where `http.auth` is configured, a program shows one of its "
            "`tokens` (Bearer); POST needs one that may act. What only looks is open to users, too (HTTP Basic).",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
        "security": [{"token": []}, {"basic": []}, {}],
    }


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _operation(call: Call) -> dict[str, Any]:
    words = re.sub(r"[{}]", "", call.path).strip("/").replace("/", "_")
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", call.path)
    ]
    parameters += [
        {"name": name, "in": "query", "description": meaning, "schema": {"type": "string"}}
        for name, meaning in call.query
    ]
    operation: dict[str, Any] = {"operationId": f"{call.method.lower()}_{words}", "summary": call.summary}
    if parameters:
        operation["parameters"] = parameters
    if call.takes is not None:
        operation["requestBody"] = {"required": True, "content": _content(call.takes)}
    good = _content(call.gives) if call.gives else {"application/json": {"schema": {"type": "object"}}}
    operation["responses"] = {
        "200": {"description": "Done." if call.method == "POST" else "As asked.", "content": good}
    }
    if call.method == "POST":
        operation["security"] = [{"token": []}, {}]
        operation["responses"] |= {
            "404": {"description": "Nothing of that name.", "content": _content(web_schemas.Problem)},
            "422": {"description": "What to write instead.", "content": _content(web_schemas.Problem)},
        }
    operation["responses"]["503"] = {"description": "The store is away.", "content": _content(web_schemas.Problem)}
    return operation


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
