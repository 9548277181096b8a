"""What the API's calls that look answer, from what is gathered for the pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request

from watchpost.model import Hit
from watchpost.web import shapes
from watchpost.web.gathering import Gathering
from watchpost.web.pages import feeds, stories
from watchpost.wire.records import Found


class MissingError(Exception):
    """There is nothing of that name."""


Answer = Callable[[Request, datetime], Awaitable[BaseModel | dict[str, Any]]]


def looks(gathering: Gathering) -> dict[str, Answer]:
    """By path, below the root of the API."""
    watched = gathering.watched

    async def status(_: Request, now: datetime) -> dict[str, Any]:
        return dict(await gathering.document(now))

    async def hits(request: Request, _: datetime) -> BaseModel:
        found = await gathering.search(stories.search_of(request.query_params))
        return shapes.Hits(hits=[shapes.hit_shape(past.mark, past.hit) for past in found.hits], more=found.more or None)

    async def told(request: Request, _: datetime) -> BaseModel:
        return _stories(await gathering.search(stories.search_of(request.query_params)))

    async def sources(request: Request, now: datetime) -> BaseModel:
        statuses, due = await gathering.statuses(), await gathering.board.due(watched.feeds)
        wanted = request.query_params.get("state", "")
        found = [
            shapes.FeedShape(
                name=one.name,
                kind="feed" if one.name in due or one.name in watched.feeds else "folder",
                state=feeds.state_of(one),
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
        return shapes.Feeds(
            feeds=sorted((one for one in found if wanted in ("", one.state)), key=lambda one: one.state == "ok")
        )

    async def topics(_: Request, now: datetime) -> BaseModel:
        charts = await gathering.charts(now)
        return shapes.Topics(
            topics=[
                shapes.TopicShape(
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
        states = await gathering.board.receivers(watched.receivers)
        depths = await gathering.board.depths(watched.receivers)
        return shapes.Receivers(
            receivers=[
                shapes.ReceiverShape(
                    name=name,
                    kind=watched.kinds.get(name, ""),
                    state=state.word(now),
                    why=state.why,
                    until=state.till,
                    waiting=depths.outbox[name],
                )
                for name, state in states.items()
            ]
        )

    async def deliveries(_: Request, now: datetime) -> BaseModel:
        letters = {one.delivery: one.id for one in await gathering.desk.letters() if one.delivery}
        found = [
            shapes.DeliveryShape(
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
            for case in await gathering.desk.cases()
        ]
        for one in await gathering.history.sent():
            subject = one.message.subject if one.message is not None else ""
            found.append(
                shapes.DeliveryShape(
                    id=one.id, receiver=one.receiver, state="delivered", subject=subject,
                    attempts=one.attempts, created=one.created, due=None, error="",
                )
            )  # fmt: skip
        return shapes.Deliveries(deliveries=found)

    async def silences(_: Request, now: datetime) -> BaseModel:
        both = [(one, True) for one in watched.silences] + [(one, False) for one in await gathering.silences.all()]
        names = ("id", "until", "reason", "by", "topic", "source", "severity", "text", "story")
        return shapes.Silences(
            silences=[
                shapes.SilenceShape(**{name: getattr(one, name) for name in names}, configured=configured)
                for one, configured in both
                if one.until > now
            ]
        )

    async def editions(_: Request, now: datetime) -> BaseModel:
        return shapes.Editions(
            editions=[
                shapes.Edition(
                    id=one.id, receiver=one.receiver, schedule=one.schedule, next=one.next, waiting=one.parked
                )
                for one in await gathering.upcoming(now)
            ]
        )

    async def edition(request: Request, _: datetime) -> BaseModel:
        found = await gathering.previews(request.path_params["id"])
        if found is None:
            raise MissingError
        return shapes.Previews(
            messages=[
                shapes.MessageShape(subject=one.subject, address=one.address, editions=dict(one.editions))
                for preview in found
                for one in preview.messages
            ],
            kept=[text for preview in found for text in preview.kept],
        )

    async def configured(_: Request, __: datetime) -> BaseModel:
        return shapes.configuration_shape(await gathering.compare())

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


def _stories(found: Found) -> shapes.Stories:
    marks = {past.hit.id: past.mark for past in found.hits}

    def shape(hit: Hit) -> shapes.HitShape:
        return shapes.hit_shape(marks[hit.id], hit)

    return shapes.Stories(
        stories=[
            shapes.StoryShape(
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
