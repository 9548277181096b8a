"""`/api/v1`: what the pages show and do, for machines. One table of calls, from which the documentation is made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from watchpost import telemetry as tm
from watchpost.errors import FormError, StoreError
from watchpost.web import answers, asking, shapes
from watchpost.web.answers import MissingError
from watchpost.web.deeds import Deeds
from watchpost.web.forms import TooLongError, body_of
from watchpost.web.gathering import Gathering
from watchpost.web.looking import Coming

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
    Call("GET", "/hits", "What was found, the newest first.", shapes.Hits, _SEARCH),
    Call("GET", "/stories", "The same, gathered by story.", shapes.Stories, _SEARCH),
    Call("GET", "/feeds", "Every feed and folder.", shapes.Feeds, (("state", "only those in this state"),)),
    Call("GET", "/topics", "Every topic, with a fortnight of hits.", shapes.Topics),
    Call("GET", "/receivers", "Every receiver.", shapes.Receivers),
    Call("GET", "/deliveries", "Messages on their way, given up, and those that arrived last.", shapes.Deliveries),
    Call("GET", "/editions", "What is sent next: to whom, when, and how many hits wait for it.", shapes.Editions),
    Call("GET", "/editions/{id}", "What a coming edition would say now, in each of its forms.", shapes.Previews),
    Call("GET", "/configuration", "What a reload of the configuration would change.", shapes.Configuration),
    Call("GET", "/silences", "Every silence that has not ended.", shapes.Silences),
    Call("POST", "/receivers/{name}/enable", "Let a receiver be tried again.", asking.Done),
    Call("POST", "/deliveries/retry", "What waits for a later attempt goes now.", asking.Done),
    Call("POST", "/deliveries/replay", "Send again what has not arrived.", asking.Done, takes=asking.Replay),
    Call("POST", "/deliveries/{letter}/retry", "Take a dead letter up again.", asking.Done),
    Call("POST", "/editions/{id}/send", "Send a coming edition now.", asking.Done),
    Call("POST", "/feeds/{name}/read", "Read a feed at its host's next turn.", asking.Done),
    Call("POST", "/silences", "Tell nobody of some hits for a while.", asking.Done, takes=asking.Wanted),
    Call("POST", "/silences/{id}/end", "End a silence now.", asking.Done),
)


def routes(gathering: Gathering, deeds: Deeds | None, coming: Coming | None = None) -> list[Route]:
    """The routes of CALLS; without `deeds` only those that look."""
    looks = answers.looks(gathering)
    given: dict[tuple[str, str], Answer] = {("GET", path): answer for path, answer in looks.items()}
    if deeds is not None:
        given |= {("POST", path): answer for path, answer in _acts(deeds, coming).items()}
    return [
        Route(ROOT + call.path, _endpoint(given[call.method, call.path]), methods=[call.method])
        for call in CALLS
        if (call.method, call.path) in given
    ]


def _acts(deeds: Deeds, coming: Coming | None) -> dict[str, Answer]:
    async def enable(request: Request, _: datetime) -> BaseModel:
        moved = await deeds.enable(request.path_params["name"], request.user.name)
        if moved is None:
            raise MissingError
        return asking.Done(done="enabled", count=moved)

    async def hurry(request: Request, _: datetime) -> BaseModel:
        return asking.Done(done="retried", count=await deeds.hurry("", request.user.name))

    async def resend(request: Request, _: datetime) -> BaseModel:
        if not await deeds.resend(request.path_params["letter"], request.user.name):
            raise MissingError
        return asking.Done(done="retried")

    async def read_now(request: Request, _: datetime) -> BaseModel:
        answer = await deeds.read_now(request.path_params["name"], request.user.name)
        if answer == "NONE":
            raise MissingError
        return asking.Done(done=answer.lower())

    async def replay(request: Request, _: datetime) -> BaseModel:
        wanted = asking.Replay.model_validate_json(await body_of(request))
        asked = wanted.model_dump(exclude={"dry_run"})
        if wanted.dry_run:
            return asking.Done(done="counted", count=(await deeds.backlog(asked)).count)
        return asking.Done(done="replayed", count=await deeds.replay(asked, request.user.name))

    async def tell(request: Request, _: datetime) -> BaseModel:
        count = await coming.send(request.path_params["id"], None, request.user.name) if coming is not None else None
        if count is None:
            raise MissingError
        return asking.Done(done="sent", count=count)

    async def hush(request: Request, _: datetime) -> BaseModel:
        wanted = asking.Wanted.model_validate_json(await body_of(request))
        await deeds.hush(wanted.model_dump(), request.user.name)
        return asking.Done(done="silenced")

    async def unhush(request: Request, _: datetime) -> BaseModel:
        if not await deeds.unhush(request.path_params["id"], request.user.name):
            raise MissingError
        return asking.Done(done="ended")

    return {
        "/receivers/{name}/enable": enable,
        "/deliveries/retry": hurry,
        "/deliveries/replay": replay,
        "/deliveries/{letter}/retry": resend,
        "/editions/{id}/send": tell,
        "/feeds/{name}/read": read_now,
        "/silences": hush,
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
