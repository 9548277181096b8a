"""The shapes of the API's answers. `docs/openapi.json` is made from them; keys may be added, none change."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from watchpost.model import Hit, Severity
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


class Wanted(BaseModel):
    """A silence that is wanted: at least one condition, `lasting` ("2h") or `until`, and a reason."""

    topic: str = ""
    source: str = ""
    severity: str = ""
    text: str = ""
    story: str = ""
    lasting: str = ""
    until: str = ""
    reason: str = ""


class Done(BaseModel):
    """What came of a deed: `done` in a word, `count` how many."""

    done: str
    count: int = 1


class Problem(BaseModel):
    """Why not."""

    problem: str


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
