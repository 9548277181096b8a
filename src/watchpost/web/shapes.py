"""The shapes of the API's answers. `docs/openapi.json` is made from them; keys may be added, none change."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from watchpost.model import Hit, Severity
from watchpost.web.pages.configuration import Comparison
from watchpost.web.shaping import safe_link


class Evidence(BaseModel):
    """A place that made a hit: `start` and `end` count code points of `field`."""

    field: str
    start: int
    end: int
    text: str
    clause: str


class HitShape(BaseModel):
    """One article about one topic. `url` is null unless it is http or https; `mark` is its place in the history."""

    id: str
    mark: str
    topic: str
    severity: Severity
    story: str
    title: str
    url: str | None
    source: str
    outlet: str
    lang: str
    published: datetime | None
    seen: datetime
    matched: datetime
    snippet: str
    highlights: list[tuple[int, int]]
    why: list[Evidence]


class Hits(BaseModel):
    """Hits, the newest first; `more` goes into `before` for those further back, null if there are none."""

    hits: list[HitShape]
    more: str | None


class StoryShape(BaseModel):
    """The hits of one story among those that were found; `lead` is the report seen first."""

    id: str
    topics: list[str]
    voices: int
    lead: HitShape
    others: list[HitShape]


class Stories(BaseModel):
    """Stories in the order of their newest hit."""

    stories: list[StoryShape]
    more: str | None


class FeedShape(BaseModel):
    """One source."""

    name: str
    kind: Literal["feed", "folder"]
    state: str
    place: str
    pace: str
    failures: int
    reason: str
    detail: str
    last_read: datetime | None
    due: datetime | None


class Feeds(BaseModel):
    """Every feed and folder, those in trouble first."""

    feeds: list[FeedShape]


class TopicShape(BaseModel):
    """One topic; `days` are its hits by the day (UTC) of the last fortnight, the oldest first."""

    name: str
    title: str
    severity: Severity
    query: str
    languages: list[str]
    days: list[int]


class Topics(BaseModel):
    """Every topic."""

    topics: list[TopicShape]


class ReceiverShape(BaseModel):
    """One receiver. `state`: ok, failing, paused, open, trial or disabled."""

    name: str
    kind: str
    state: str
    why: str
    until: datetime | None
    waiting: int


class Receivers(BaseModel):
    """Every receiver."""

    receivers: list[ReceiverShape]


class DeliveryShape(BaseModel):
    """One message on its way, given up (state "dead") or arrived ("delivered")."""

    id: str
    receiver: str
    state: str
    subject: str
    attempts: int
    created: datetime | None
    due: datetime | None
    error: str
    letter: str | None = None


class Deliveries(BaseModel):
    """What is on its way, the oldest first; then what arrived last."""

    deliveries: list[DeliveryShape]


class SilenceShape(BaseModel):
    """Of what nobody is told."""

    id: str
    until: datetime
    reason: str
    by: str
    topic: str
    source: str
    severity: str
    text: str
    story: str
    configured: bool


class Silences(BaseModel):
    """Every silence that has not ended."""

    silences: list[SilenceShape]


class Edition(BaseModel):
    """A coming edition: `id` of its receiver and schedule, `next` when it is sent (null: with the next hit)."""

    id: str
    receiver: str
    schedule: str
    next: datetime | None
    waiting: int


class Editions(BaseModel):
    """Every coming edition."""

    editions: list[Edition]


class MessageShape(BaseModel):
    """A message as it would be sent: each of its `editions` by name, like "text", "html", "json", "mime"."""

    subject: str
    address: str
    editions: dict[str, str]


class Previews(BaseModel):
    """What would be sent now; `kept` says in sentences what is not told, and why."""

    messages: list[MessageShape]
    kept: list[str]


class ChangeShape(BaseModel):
    """One difference; `live`: a reload takes it over, else a restart."""

    path: str
    kind: str
    before: Any
    after: Any
    live: bool


class Compared(BaseModel):
    """What a reload would change for these roles."""

    roles: list[str]
    since: str
    changes: list[ChangeShape]


class Configuration(BaseModel):
    """The files against what runs. With `problems` they would be refused. `hidden`: a secret has another value."""

    problems: list[str]
    hidden: bool
    compared: list[Compared]


def configuration_shape(found: Comparison | None) -> Configuration:
    """A comparison for machines."""
    found = found or Comparison()
    return Configuration(
        problems=list(found.problems),
        hidden=found.hidden,
        compared=[
            Compared(
                roles=list(side.roles),
                since=side.since,
                changes=[
                    ChangeShape(path=one.path, kind=one.kind, before=one.before, after=one.after, live=one.live)
                    for one in side.changes
                ],
            )
            for side in found.sides
        ],
    )


def hit_shape(mark: str, hit: Hit) -> HitShape:
    """A hit for machines."""
    about = hit.article
    return HitShape(
        id=hit.id,
        mark=mark,
        topic=hit.topic,
        severity=hit.severity,
        story=hit.story,
        title=about.title,
        url=safe_link(about.url) or None,
        source=about.source,
        outlet=about.outlet,
        lang=about.lang,
        published=about.published,
        seen=about.fetched,
        matched=hit.matched,
        snippet=hit.snippet.text,
        highlights=[(start, end) for start, end in hit.snippet.highlights],
        why=[
            Evidence(field=one.field, start=one.start, end=one.end, text=one.text, clause=one.clause)
            for one in hit.evidence
        ],
    )
