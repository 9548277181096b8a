"""`/api/v1`: what the pages show and do, as JSON. One table of calls; openapi.py describes the API from it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from watchpost import log as tm
from watchpost.config.errors import suggest
from watchpost.errors import FormError, NotFound, StoreError
from watchpost.model import Hit
from watchpost.notify.story_choice import title_highlights
from watchpost.operations import deliveries
from watchpost.operations.events import cut, join
from watchpost.operations.exports import FORMATS, MEDIA, Format
from watchpost.operations.feeds.status import read_now
from watchpost.operations.handling import StoryDeed, act_on_story, delete_note, mute
from watchpost.operations.saved_searches import delete_search, find_search, list_searches, save_search, search_path
from watchpost.operations.silences import SilenceRequest, add_silence, end_silence
from watchpost.operations.source_profile import Copies
from watchpost.operations.stories import StoryView
from watchpost.operations.story_search import Search, search_of
from watchpost.operations.verdicts import judge
from watchpost.operations.voices import PREFIX, EventView
from watchpost.store.handling import Handling
from watchpost.store.history import PastHit, is_mark
from watchpost.store.saved_searches import SavedSearch
from watchpost.web import schemas
from watchpost.web.formatting import safe_link
from watchpost.web.pages.digests import visible
from watchpost.web.pages.search import is_continued
from watchpost.web.queries import Queries
from watchpost.web.rendering import PlainJSON, TooLongError, body_of
from watchpost.web.routes import BROKEN
from watchpost.web.schemas import Problem

if TYPE_CHECKING:
    from watchpost.archive.search import FoundArticle

ROOT = "/api/v1"

Answer = Callable[[Queries, Request], Awaitable[BaseModel | dict[str, Any] | Response]]
"""Raises StoreError, NotFound, FormError or ValidationError."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `gives` is the shape of its answer, `takes` that of its body, `query` what each parameter means.

    `media` is the type of an answer that is not JSON; `archived`: it is there only with an archive.
    """

    method: str
    path: str
    summary: str
    answer: Answer
    gives: type[BaseModel] | None
    query: tuple[tuple[str, str], ...] = ()
    takes: type[BaseModel] | None = None
    media: str = ""
    archived: bool = False


def routes(queries: Queries) -> list[Route]:
    """The routes of all calls."""
    calls = [call for call in CALLS if queries.archive_search is not None or not call.archived]
    return [Route(ROOT + call.path, _endpoint(call, queries), methods=[call.method]) for call in calls]


def _endpoint(call: Call, queries: Queries) -> Callable[[Request], Awaitable[Response]]:
    known = [name for name, _ in call.query]

    async def endpoint(request: Request) -> Response:
        try:
            check_parameters(request.query_params, known)
            given = await call.answer(queries, request)
        except Exception as error:
            return _problem(error)
        if isinstance(given, Response):
            return given
        return PlainJSON(given.model_dump(mode="json") if isinstance(given, BaseModel) else given)

    return endpoint


def check_parameters(given: Iterable[str], known: Sequence[str]) -> None:
    """Raise FormError for a parameter that is not known: a filter that is ignored would give a wrong answer."""
    unknown = dict.fromkeys(name[:100] for name in given if name not in known)
    if unknown:
        raise FormError({name: f"there is no parameter '{name}'{suggest(name, known)}" for name in unknown})


def _problem(error: Exception) -> Response:
    match error:
        case StoreError():
            text, code = str(error), 503
        case NotFound():
            text, code = str(error), 404
        case FormError():
            text, code = str(error), 422
        case ValidationError():
            text = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            code = 422
        case TooLongError():
            text, code = "the body is too long", 413
        case ClientDisconnect():
            text, code = "the body is incomplete", 400
        case _:
            tm.log().exception("page.failed", error=type(error).__name__)
            text, code = BROKEN, 500
    return JSONResponse({"problem": text}, code)


# ── calls that read ──


async def _status(queries: Queries, _: Request) -> dict[str, Any]:
    return await queries.document(datetime.now(UTC))


def _asked(request: Request) -> Search:
    """The search that a call asks for. Raises FormError: from a wrong mark on, a program would read all once more."""
    search = search_of(request.query_params)
    if search.before and not is_mark(search.before):
        raise FormError({"before": f"'{search.before[:100]}' is not a value of `more`"})
    return search


async def _hits(queries: Queries, request: Request) -> schemas.Hits:
    found = await queries.searches.hits(_asked(request), 50)
    return schemas.Hits(hits=[_hit(past) for past in found.hits], more=found.more or None)


async def _stories(queries: Queries, request: Request) -> schemas.Stories:
    found, more = await queries.searches.stories(_asked(request), 50)
    handlings = await queries.handlings.of(story.id for story in found)
    events = await queries.events(found)
    shapes = [_story(queries, story, handlings[story.id], events.get(story.id)) for story in found]
    return schemas.Stories(stories=shapes, more=more or None)


async def _places(queries: Queries, _: Request) -> schemas.Places:
    counts = await queries.counts_of_places(datetime.now(UTC))
    rows = [
        schemas.PlaceCounts(
            name=row.name, country=row.country, days=list(row.days), total=row.total, unusual=row.unusual, at=row.at
        )
        for row in counts["rows"]
    ]
    return schemas.Places(days=counts["days"], places=rows, left_out=counts["left_out"], complete=not counts["more"])


async def _profile(queries: Queries, request: Request) -> schemas.SourceProfileShape:
    status, found, more = await queries.profile_of(request.path_params["name"], datetime.now(UTC))

    def shapes(copies: Iterable[Copies]) -> list[schemas.CopiesShape]:
        return [
            schemas.CopiesShape(
                outlet=one.outlet, texts=one.texts, lag_seconds=None if one.lag is None else one.lag.total_seconds()
            )
            for one in copies
        ]

    return schemas.SourceProfileShape(
        name=status.name,
        reports=found.reports,
        own=found.own,
        shared=found.shared,
        first=found.first,
        events=found.events,
        first_of_events=found.first_of_events,
        copies=found.copies,
        copied_share=found.copied_share,
        mostly_copied=found.mostly_copied,
        copied_from=shapes(found.copied_from),
        copied_by=shapes(found.copied_by),
        complete=not more,
    )


async def _one_story(queries: Queries, request: Request) -> schemas.StoryShape:
    return await _whole_story(queries, request.path_params["id"])


async def _whole_story(queries: Queries, id_: str) -> schemas.StoryShape:
    story = await queries.story(id_)
    handling, events = await queries.handlings.of([story.id]), await queries.events([story])
    return _story(queries, story, handling[story.id], events.get(story.id))


def _story(queries: Queries, story: StoryView, handling: Handling, event: EventView | None) -> schemas.StoryShape:
    def shape(hit: Hit) -> schemas.HitShape:
        return _hit(PastHit(story.places[hit.id], hit))

    return schemas.StoryShape(
        id=story.id,
        page=f"{queries.config.public_url}{story.path}",
        topics=[hit.topic for hit in story.topics],
        severity=story.severity,
        voices=story.voices,
        first_found=story.first_found,
        last_report=story.last_report,
        lead=shape(story.lead),
        others=[shape(hit) for hit in story.others],
        handling=schemas.HandlingShape.model_validate(handling),
        event=None if event is None else _event(event),
    )


def _event(event: EventView) -> schemas.EventShape:
    voices = [
        schemas.VoiceShape(
            story=voice.story,
            title=voice.report.article.title,
            url=safe_link(voice.report.article.url) or None,
            outlet=voice.outlet,
            lang=voice.report.article.lang,
            published=voice.report.article.published,
            matched=voice.report.matched,
            tolls=[schemas.TollShape(role=role, number=number) for role, number in voice.toll],
            reasons=list(voice.reasons),
            like=voice.like or None,
            by=voice.by or None,
        )
        for voice in event.voices
    ]
    differences = [
        schemas.DifferenceShape(
            role=one.role,
            numbers=[schemas.NumberShape(number=number, voices=list(said)) for number, said in one.numbers],
        )
        for one in event.differences
    ]
    return schemas.EventShape(id=f"{PREFIX}{event.id}", voices=voices, differences=differences, more=event.more)


def _hit(past: PastHit) -> schemas.HitShape:
    hit, article = past.hit, past.hit.article
    return schemas.HitShape(
        id=hit.id,
        mark=past.mark,
        topic=hit.topic,
        severity=hit.severity,
        story=hit.story,
        title=article.title,
        url=safe_link(article.url) or None,
        source=article.source,
        outlet=article.outlet,
        lang=article.lang,
        published=article.published,
        seen=article.fetched,
        matched=hit.matched,
        snippet=hit.snippet.text,
        highlights=list(hit.snippet.highlights),
        title_highlights=list(title_highlights([hit])),
        why=[schemas.Evidence.model_validate(item) for item in hit.evidence],
        places=[schemas.Place.model_validate(item) for item in hit.places],
    )


async def _feeds(queries: Queries, request: Request) -> schemas.Feeds:
    summary, wanted = queries.summary, request.query_params.get("state", "")
    statuses, due = await queries.statuses(), await queries.overview.due(queries.summary.feeds)
    feeds = [
        schemas.FeedShape(
            name=status.name,
            kind=summary.source_kinds[status.name],
            state=status.state,
            place=summary.places.get(status.name, ""),
            pace=summary.paces.get(status.name, ""),
            failures=status.failures,
            reason=status.reason,
            detail=status.detail,
            last_read=status.last_read,
            due=due.get(status.name),
        )
        for status in statuses
        if wanted in ("", status.state)
    ]
    return schemas.Feeds(feeds=sorted(feeds, key=lambda feed: feed.state == "ok"))


async def _topics(queries: Queries, _: Request) -> schemas.Topics:
    return schemas.Topics(
        topics=[
            schemas.TopicShape(
                name=topic.name,
                title=topic.title,
                severity=topic.severity,
                query=topic.query.text,
                languages=list(topic.languages),
                days=[bar.count for bar in chart.bars],
            )
            for topic, chart in await queries.charts(datetime.now(UTC))
        ]
    )


async def _receivers(queries: Queries, _: Request) -> schemas.Receivers:
    summary, now = queries.summary, datetime.now(UTC)
    states = await queries.overview.receivers(summary.receivers)
    depths = await queries.overview.depths(summary.receivers)
    return schemas.Receivers(
        receivers=[
            schemas.ReceiverShape(
                name=name,
                kind=summary.kinds.get(name, ""),
                state=state.status(now),
                why=state.why,
                until=state.till,
                waiting=depths.outbox[name],
            )
            for name, state in states.items()
        ]
    )


async def _deliveries(queries: Queries, _: Request) -> schemas.Deliveries:
    letters = {one.delivery: one.id for one in await queries.dead_letters.all() if one.delivery}
    unsent = [
        schemas.DeliveryShape(
            id=case.id,
            receiver=case.receiver,
            state=case.state,
            subject=case.subject,
            attempts=case.attempts,
            created=case.created,
            due=case.due,
            error=case.error,
            letter=letters.get(case.id),
        )
        for case in await queries.delivery_admin.records()
    ]
    sent = [
        schemas.DeliveryShape(
            id=one.id,
            receiver=one.receiver,
            state="delivered",
            subject=one.message.subject if one.message is not None else "",
            attempts=one.attempts,
            created=one.created,
            due=None,
            error="",
        )
        for one in await queries.history.sent()
    ]
    return schemas.Deliveries(deliveries=unsent + sent)


async def _upcoming(queries: Queries, _: Request) -> schemas.UpcomingDigests:
    return schemas.UpcomingDigests(
        editions=[schemas.UpcomingDigest.model_validate(one) for one in await queries.upcoming(datetime.now(UTC))]
    )


async def _previews(queries: Queries, request: Request) -> schemas.Previews:
    previews = await queries.previews(request.path_params["id"])
    messages = [visible(message, may_act=request.user.may_act) for preview in previews for message in preview.messages]
    return schemas.Previews(
        messages=[
            schemas.MessageShape(subject=message.subject, address=message.address, editions=dict(message.renderings))
            for message in messages
        ],
        kept=[text for preview in previews for text in preview.kept],
    )


async def _configuration(queries: Queries, _: Request) -> schemas.Configuration:
    comparison = await queries.compare()
    return schemas.Configuration(
        problems=list(comparison.problems),
        hidden=comparison.hidden,
        compared=[schemas.Compared.model_validate(one) for one in comparison.differences],
    )


async def _silences(queries: Queries, _: Request) -> schemas.Silences:
    configured, now = queries.summary.silences, datetime.now(UTC)
    return schemas.Silences(
        silences=[
            schemas.SilenceShape(**asdict(silence), configured=silence in configured)
            for silence in (*configured, *await queries.silences.all())
            if silence.until > now
        ]
    )


async def _search(queries: Queries, request: Request) -> schemas.FoundArticles:
    return await _found(queries, request.query_params)


async def _saved_search(queries: Queries, request: Request) -> schemas.FoundArticles:
    saved = await find_search(queries.store, request.path_params["name"])
    return await _found(queries, {**saved.asked, "before": request.query_params.get("before", "")})


async def _found(queries: Queries, query: Mapping[str, str]) -> schemas.FoundArticles:
    form, page = await queries.searched({"q": "", **query}, datetime.now(UTC))
    if form.mistakes:
        raise FormError(form.mistakes)
    if (before := query.get("before", "")) and not is_continued(before):
        raise FormError({"before": f"'{before[:50]}' is not a value of `more`"})
    found = () if page is None else page.found
    return schemas.FoundArticles(
        articles=[_article(one) for one in found],
        more=None if page is None or page.more is None else str(page.more),
    )


def _article(found: FoundArticle) -> schemas.FoundArticleShape:
    about, snippet = found.article, found.snippet()
    return schemas.FoundArticleShape(
        id=about.id,
        title=about.title,
        url=safe_link(about.url) or None,
        source=about.source,
        outlet=about.outlet,
        lang=about.lang,
        published=about.published,
        read=about.fetched,
        snippet=snippet.text,
        highlights=list(snippet.highlights),
        topics=[hit.topic for hit in found.hits],
        muted=found.muted,
    )


async def _saved_searches(queries: Queries, _: Request) -> schemas.SavedSearchesShape:
    return schemas.SavedSearchesShape(searches=[_saved(queries, one) for one in await list_searches(queries.store)])


def _saved(queries: Queries, saved: SavedSearch) -> schemas.SavedSearchShape:
    page = f"{queries.config.public_url}{search_path(saved.name)}"
    asked = {name: value for name, value in saved.asked.items() if name in schemas.SearchFields.model_fields}
    return schemas.SavedSearchShape(
        name=saved.name,
        asked=schemas.SearchFields(**asked),
        by=saved.by,
        at=saved.at,
        page=page,
        feed=f"{page}.atom",
    )


# ── calls that act ──


async def _save_search(queries: Queries, request: Request) -> schemas.SavedSearchShape:
    wanted = schemas.NewSearch.model_validate_json(await body_of(request))
    form = queries.search_form(wanted.model_dump(exclude={"name"}), datetime.now(UTC))
    if form.mistakes:
        raise FormError(form.mistakes)
    return _saved(queries, await save_search(queries.store, wanted.name, form.asked, request.user.name))


async def _delete_search(queries: Queries, request: Request) -> schemas.Done:
    await delete_search(queries.store, request.path_params["name"], request.user.name)
    return schemas.Done(done="deleted")


async def _enable(queries: Queries, request: Request) -> schemas.Done:
    name = request.path_params["name"]
    count = await deliveries.enable_receiver(queries.config, queries.store, name, request.user.name)
    return schemas.Done(done="enabled", count=count)


async def _retry(queries: Queries, request: Request) -> schemas.Done:
    count = await deliveries.retry_waiting(queries.config, queries.store, request.user.name)
    return schemas.Done(done="retried", count=count)


async def _send_again(queries: Queries, request: Request) -> schemas.Done:
    await deliveries.send_letter_again(queries.store, request.path_params["letter"], request.user.name)
    return schemas.Done(done="retried")


async def _replay(queries: Queries, request: Request) -> schemas.Done:
    wanted = schemas.Replay.model_validate_json(await body_of(request))
    if wanted.dry_run:
        backlog = await deliveries.find_backlog(queries.config, queries.store, wanted)
        return schemas.Done(done="counted", count=backlog.count)
    count = await deliveries.replay(queries.config, queries.store, wanted, request.user.name)
    return schemas.Done(done="replayed", count=count)


async def _send_digest(queries: Queries, request: Request) -> schemas.Done:
    count = await queries.context.previews.send(request.path_params["id"], request.user.name)
    if count is None:
        raise NotFound("nothing was sent: this digest went out in the meantime")
    return schemas.Done(done="sent", count=count)


async def _read(queries: Queries, request: Request) -> schemas.Done:
    answer = await read_now(queries.config, queries.store, request.path_params["name"], request.user.name)
    return schemas.Done(done=answer.lower())


async def _add_silence(queries: Queries, request: Request) -> schemas.Done:
    wanted = SilenceRequest.model_validate_json(await body_of(request))
    await add_silence(queries.config, queries.store, wanted, request.user.name)
    return schemas.Done(done="silenced")


async def _end_silence(queries: Queries, request: Request) -> schemas.Done:
    await end_silence(queries.config, queries.store, request.path_params["id"], request.user.name)
    return schemas.Done(done="ended")


def _deed(deed: StoryDeed) -> Answer:
    async def answer(queries: Queries, request: Request) -> schemas.HandlingShape:
        text = ""
        if deed is StoryDeed.NOTE:
            text = schemas.NoteText.model_validate_json(await body_of(request)).text
        story = request.path_params["id"]
        result = await act_on_story(queries.config, queries.store, story, deed, request.user.name, text)
        return schemas.HandlingShape.model_validate(result.handling)

    return answer


async def _delete_note(queries: Queries, request: Request) -> schemas.Done:
    wanted = request.path_params
    await delete_note(queries.config, queries.store, wanted["id"], wanted["note"], request.user.name)
    return schemas.Done(done="deleted")


async def _mute(queries: Queries, request: Request) -> schemas.Done:
    wanted = schemas.Mute.model_validate_json(await body_of(request) or b"{}")
    story = request.path_params["id"]
    await mute(queries.config, queries.store, story, wanted.what, wanted.lasting, request.user.name)
    return schemas.Done(done="muted")


async def _judge(queries: Queries, request: Request) -> schemas.Done:
    await judge(queries.store, request.path_params["id"], request.path_params["word"], request.user.name)
    return schemas.Done(done="judged")


async def _cut(queries: Queries, request: Request) -> schemas.StoryShape:
    story = request.path_params["id"]
    await cut(queries.store, story, request.user.name)
    return await _whole_story(queries, story)


async def _join(queries: Queries, request: Request) -> schemas.StoryShape:
    story, body = request.path_params["id"], await body_of(request)
    await join(queries.store, story, schemas.OtherStory.model_validate_json(body).other, request.user.name)
    return await _whole_story(queries, story)


def _export(what: Literal["stories", "hits"], form: Format) -> Answer:
    async def answer(queries: Queries, request: Request) -> Response:
        lines = queries.searches.lines(_asked(request), what, form)
        # What is wrong with the search or the store shows before the answer begins.
        first = await anext(lines) + await anext(lines)

        async def body() -> AsyncIterator[str]:
            yield first
            async for part in lines:
                yield part

        name = f'attachment; filename="{what}.{form}"'
        return StreamingResponse(body(), media_type=MEDIA[form], headers={"content-disposition": name})

    return answer


_SEARCH = (
    ("q", "words that must all occur in the headline, snippet, outlet or evidence"),
    ("topic", "a topic's name"),
    ("source", "the name of a source"),
    ("lang", "a language, like fr"),
    ("severity", "low, normal or high"),
    ("since", "only what was found since: 12h, 7d, yesterday, a date or a time"),
    ("before", "the value of `more` in an earlier answer: only older hits"),
)
_BEFORE = ("before", "the value of `more` in an earlier answer: only older articles")
_ARCHIVE_SEARCH = (
    ("q", "a query of the query language"),
    ("since", "only what was read since: 12h, 7d, yesterday, a date or a time"),
    ("until", "only what was read before"),
    ("source", "the name of a source"),
    ("lang", "a language, like fr, declared or recognised"),
    ("topic", "only articles that match this topic, as it is now"),
    ("severity", "only articles that match a topic of this severity: low, normal or high"),
    ("muted", "yes: with a hit that a silence covers; no: without"),
    _BEFORE,
)
_HANDLING = schemas.HandlingShape
CALLS = (
    Call("GET", "/status", "The state of the service: the document of /status.json.", _status, None),
    Call("GET", "/hits", "Hits, the newest first.", _hits, schemas.Hits, _SEARCH),
    Call("GET", "/stories", "Whole stories with a hit that fits.", _stories, schemas.Stories, _SEARCH),
    *(
        Call(
            "GET",
            f"/{what}.{form}",
            f"All {what} that fit, as {form.upper()}.",
            _export(what, form),
            None,
            _SEARCH,
            media=MEDIA[form].partition(";")[0],
        )
        for what in ("stories", "hits")
        for form in FORMATS
    ),
    Call("GET", "/stories/{id}", "One story, whole.", _one_story, schemas.StoryShape),
    Call("GET", "/places", "Where the events of the last eight days happened, by day.", _places, schemas.Places),
    Call("GET", "/feeds", "Every source.", _feeds, schemas.Feeds, (("state", "only those in this state"),)),
    Call("GET", "/feeds/{name}/profile", "A source beside the others.", _profile, schemas.SourceProfileShape),
    Call("GET", "/topics", "Every topic, with its hits of the last 14 days.", _topics, schemas.Topics),
    Call("GET", "/receivers", "Every receiver.", _receivers, schemas.Receivers),
    Call("GET", "/deliveries", "Deliveries: in progress, failed, and recent.", _deliveries, schemas.Deliveries),
    Call("GET", "/editions", "The next digest or alert of each receiver.", _upcoming, schemas.UpcomingDigests),
    Call("GET", "/editions/{id}", "What a digest would say if it were sent now.", _previews, schemas.Previews),
    Call("GET", "/configuration", "What a reload would change.", _configuration, schemas.Configuration),
    Call("GET", "/silences", "Every silence that has not ended.", _silences, schemas.Silences),
    Call("POST", "/receivers/{name}/enable", "Enable a receiver, and send it what waits.", _enable, schemas.Done),
    Call("POST", "/deliveries/retry", "Send now what waits for another attempt.", _retry, schemas.Done),
    Call(
        "POST", "/deliveries/replay", "Send again what was not delivered.", _replay, schemas.Done, takes=schemas.Replay
    ),
    Call("POST", "/deliveries/{letter}/retry", "Send the message of a dead letter again.", _send_again, schemas.Done),
    Call("POST", "/editions/{id}/send", "Send a digest now.", _send_digest, schemas.Done),
    Call("POST", "/feeds/{name}/read", "Read a feed now, at its host's next turn.", _read, schemas.Done),
    Call("POST", "/stories/{id}/claim", "Claim a story; who came first has it.", _deed(StoryDeed.CLAIM), _HANDLING),
    Call("POST", "/stories/{id}/release", "Undo a claim.", _deed(StoryDeed.RELEASE), _HANDLING),
    Call("POST", "/stories/{id}/acknowledge", "Acknowledge a story.", _deed(StoryDeed.ACKNOWLEDGE), _HANDLING),
    Call("POST", "/stories/{id}/reopen", "Undo an acknowledgement.", _deed(StoryDeed.REOPEN), _HANDLING),
    Call("POST", "/stories/{id}/star", "Star a story.", _deed(StoryDeed.STAR), _HANDLING),
    Call("POST", "/stories/{id}/unstar", "Undo your star.", _deed(StoryDeed.UNSTAR), _HANDLING),
    Call("POST", "/stories/{id}/note", "Add a note.", _deed(StoryDeed.NOTE), _HANDLING, takes=schemas.NoteText),
    Call("POST", "/stories/{id}/notes/{note}/delete", "Delete a note.", _delete_note, schemas.Done),
    Call(
        "POST",
        "/stories/{id}/mute",
        "Silence a story, or one of its topics or sources; the headline is the reason.",
        _mute,
        schemas.Done,
        takes=schemas.Mute,
    ),
    Call(
        "POST",
        "/hits/{id}/{word}",
        "Say of a hit that it is `relevant` or `not-relevant`; `none` takes a verdict back.",
        _judge,
        schemas.Done,
    ),
    Call("POST", "/stories/{id}/event/cut", "Take a story out of its event.", _cut, schemas.StoryShape),
    Call(
        "POST",
        "/stories/{id}/event/join",
        "Put a story into the event of another one.",
        _join,
        schemas.StoryShape,
        takes=schemas.OtherStory,
    ),
    Call(
        "GET",
        "/search",
        "Articles of the archive that fit, the newest first: the query decides as it does for a topic.",
        _search,
        schemas.FoundArticles,
        _ARCHIVE_SEARCH,
        archived=True,
    ),
    Call("GET", "/searches", "Every saved search.", _saved_searches, schemas.SavedSearchesShape, archived=True),
    Call(
        "GET",
        "/searches/{name}",
        "What a saved search finds now.",
        _saved_search,
        schemas.FoundArticles,
        (_BEFORE,),
        archived=True,
    ),
    Call(
        "POST",
        "/searches",
        "Save a search under a name.",
        _save_search,
        schemas.SavedSearchShape,
        takes=schemas.NewSearch,
        archived=True,
    ),
    Call("POST", "/searches/{name}/delete", "Delete a saved search.", _delete_search, schemas.Done, archived=True),
    Call("POST", "/silences", "Add a silence.", _add_silence, schemas.Done, takes=SilenceRequest),
    Call("POST", "/silences/{id}/end", "End a silence now.", _end_silence, schemas.Done),
)


# The description of the API (OpenAPI 3.1), made from its table of calls; `make schema` writes docs/openapi.json.


def document() -> dict[str, Any]:
    """The whole description. Its version is that of the API, not of the program."""
    models = {model for call in CALLS for model in (call.gives, call.takes) if model} | {Problem}
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
            "description": "What the pages show and do. With `http.auth` a program sends one of its `tokens` (Bearer); "
            "POST needs a token that may act. GET is open to users as well (HTTP Basic).",
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
    name = re.sub(r"[{}]", "", call.path).strip("/").replace("/", "_").replace(".", "_")
    parameters = [
        {"name": part, "in": "path", "required": True, "schema": {"type": "string"}}
        for part in re.findall(r"{(\w+)}", call.path)
    ]
    parameters += [
        {"name": part, "in": "query", "description": meaning, "schema": {"type": "string"}}
        for part, meaning in call.query
    ]
    operation: dict[str, Any] = {"operationId": f"{call.method.lower()}_{name}", "summary": call.summary}
    if parameters:
        operation["parameters"] = parameters
    if call.takes is not None:
        operation["requestBody"] = {"required": True, "content": _content(call.takes)}
    good: dict[str, Any] = _content(call.gives) if call.gives else {"application/json": {"schema": {"type": "object"}}}
    if call.media:
        good = {call.media: {"schema": {"type": "string"}}}
    operation["responses"] = {"200": {"description": "OK", "content": good}}
    if call.method == "POST":
        operation["security"] = [{"token": []}, {}]
        operation["responses"] |= {
            "404": {"description": "This does not exist, or no longer.", "content": _content(Problem)},
            "422": {"description": "The body has mistakes; the answer says which.", "content": _content(Problem)},
        }
    operation["responses"]["503"] = {"description": "The store is not available.", "content": _content(Problem)}
    return operation


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
