"""Pure: the shapes of the API's answers. `docs/openapi.json` is made from them; keys may be added, none change."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel

from watchpost.durations import short
from watchpost.model import Hit, Severity
from watchpost.operations.config_diff import Comparison
from watchpost.schedules import Cron, Daily, Every, Immediate, Schedule

# small things that pages show, from values: times in words, links that are safe, highlights, bars.


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text, highlighted or not."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of a chart: its label, its count, and where it stands in units of the drawing."""

    label: str
    count: int
    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars for the days of a fortnight; `text` says the same in a sentence."""

    bars: tuple[Bar, ...]
    text: str
    width: int
    height: int

    @property
    def path(self) -> str:
        """All bars as one line of a drawing (SVG, `d`)."""
        return "".join(f"M{bar.x} {self.height}v-{bar.height}h{BAR}v{bar.height}z" for bar in self.bars if bar.height)

    @property
    def slots(self) -> str:
        """Where a bar may stand, for each day, likewise."""
        return "".join(f"M{bar.x} 0h{BAR}v{self.height}h-{BAR}z" for bar in self.bars)


_MARK = re.compile(r"^\[[^\[\]]{1,80}\] (?=.)")

BAR, GAP, HEIGHT = 8, 2, 36


def page_of(query: Mapping[str, str], rows: int, size: int) -> tuple[int, int]:
    """Which page of a list is asked for (from 1), and how many there are."""
    asked, pages = query.get("page", "1"), max(1, -(-rows // size))
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else 1
    return min(max(1, number), pages), pages


def safe_link(url: str) -> str:
    """The address if a browser may follow it: http or https with a host. Else "": feeds are written by strangers."""
    try:
        parts = urlsplit(url.strip())
        fine = parts.scheme in ("http", "https") and parts.hostname
    except ValueError:
        return ""
    return url.strip() if fine and url.strip().isprintable() else ""


def pieces(text: str, spans: Sequence[tuple[int, int]]) -> tuple[Piece, ...]:
    """The text cut at the highlights, which are (start, end) in code points; overlapping ones count once."""
    found, at = [], 0
    for first, last in sorted(spans):
        start, end = max(first, at), min(last, len(text))
        if start >= end:
            continue
        if start > at:
            found.append(Piece(text[at:start], False))
        found.append(Piece(text[start:end], True))
        at = end
    if at < len(text):
        found.append(Piece(text[at:], False))
    return tuple(found)


def day_and_time(moment: datetime, now: datetime) -> str:
    """A moment as people write it: "25 Nov 08:00"; of another year with that."""
    return f"{moment:%d %b %H:%M}" if moment.year == now.year else f"{moment:%d %b %Y %H:%M}"


def plain_subject(subject: str) -> str:
    """A subject without the mark of this installation, which is the same in a whole list: "[watch.example.org] "."""
    return _MARK.sub("", subject)


def chart(labels: Sequence[str], counts: Sequence[int]) -> Chart:
    """Bars from zero; a day with anything at all has a bar that can be seen."""
    most = max(counts, default=0)
    bars = []
    for number, (label, count) in enumerate(zip(labels, counts, strict=True)):
        height = max(2, round(count / most * HEIGHT)) if count else 0
        bars.append(Bar(label, count, number * (BAR + GAP), HEIGHT - height, height))
    total, today = sum(counts), counts[-1] if counts else 0
    text = f"{total} hits in {len(counts)} days, {today} today, at most {most} a day"
    return Chart(tuple(bars), text, len(bars) * (BAR + GAP), HEIGHT)


def schedule_words(schedule: Schedule) -> str:
    """When a receiver is told, for people."""
    match schedule:
        case Immediate(group_wait=wait):
            return f"at once, after {short(wait)}" if wait else "at once"
        case Daily(at=times, days=days):
            when = ", ".join(f"{moment:%H:%M}" for moment in times)
            return when if len(days) == 7 else f"{when} on {_days(days)}"
        case Every(interval=interval):
            return f"every {short(interval)}"
        case Cron(text=text):
            return f"cron {text}"


def _days(days: Sequence[int]) -> str:
    """Days of the week, as a span where they are one: "Mon–Fri"."""
    if len(days) > 2 and list(days) == list(range(days[0], days[0] + len(days))):
        return f"{_DAYS[days[0]]}–{_DAYS[days[-1]]}"
    return ", ".join(_DAYS[day] for day in days)


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


# The shapes of what the API is asked for, and of what it says then. `docs/openapi.json` is made from them, too.


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


class Replay(BaseModel):
    """What is to be sent again: `what` is "failed" (given up) or "all" (whatever has not arrived); `since` like "6h".

    `dry_run`: only count it.
    """

    receiver: str = ""
    since: str = ""
    what: str = "failed"
    dry_run: bool = False


class Done(BaseModel):
    """What came of a deed: `done` in a word, `count` how many."""

    done: str
    count: int = 1


class Problem(BaseModel):
    """Why not."""

    problem: str
