"""Pure: what the API takes and answers. `docs/openapi.json` is made from it; keys may be added, none changes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from watchpost.config.schema import SourceKind
from watchpost.model import Severity
from watchpost.operations.deliveries import ReplayRequest


class Shape(BaseModel):
    """A part of an answer, made from the attributes of the value that it shows."""

    model_config = ConfigDict(from_attributes=True)


class Evidence(Shape):
    """Words that made a hit: `start` and `end` count code points of `field`."""

    field: str
    start: int
    end: int
    text: str
    clause: str


class Place(Shape):
    """A place that the article names: its usual name, and the code of its country (ISO 3166).

    `event`: the event of the article happened there, as far as the text says.
    """

    name: str
    country: str
    event: bool = False


class HitShape(Shape):
    """One article that matched one topic. `url` is null unless it is http or https; `mark` is its place in the list."""

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
    title_highlights: list[tuple[int, int]]
    why: list[Evidence]
    places: list[Place]


class Hits(Shape):
    """Hits, the newest first. Send `more` as `before` for older ones; it is null if there are none."""

    hits: list[HitShape]
    more: str | None


class PlaceCounts(Shape):
    """Where events happened: how many stories on each of `days` of `Places`. `at` is degrees north and east, null for
    a country. `unusual`: today has three stories or more, and three times as many as an average day before."""

    name: str
    country: str
    days: list[int]
    total: int
    unusual: bool
    at: tuple[float, float] | None


class Places(Shape):
    """Where the events of the last days happened, unusual places first. `days` are local dates, the oldest first.

    `left_out` places have fewer stories and are not listed; `complete` is false if there were too many hits: then the
    newest are counted.
    """

    days: list[date]
    places: list[PlaceCounts]
    left_out: int
    complete: bool


class CopiesShape(Shape):
    """Texts that one outlet has from another; half of them within `lag_seconds`, null if nobody had them before."""

    outlet: str
    texts: int
    lag_seconds: float | None


class SourceProfileShape(Shape):
    """A source beside the others, by the hits of the last 30 days.

    `own` of its `reports` are in words of its own. `first` of the `shared` stories, and `first_of_events` of `events`,
    it reported before all other sources. `copies` are its reports with text that another source had before; half of
    them have at least the part `copied_share` of it (0 to 1, null without any) in common, `mostly_copied` more than
    half. `complete` is false if there were too many hits: then the newest count.
    """

    name: str
    reports: int
    own: int
    shared: int
    first: int
    events: int
    first_of_events: int
    copies: int
    copied_share: float | None
    mostly_copied: int
    copied_from: list[CopiesShape]
    copied_by: list[CopiesShape]
    complete: bool


class DeedShape(Shape):
    """Who did something, and when."""

    by: str
    at: datetime


class NoteShape(Shape):
    """A note on a story."""

    id: str
    by: str
    at: datetime
    text: str


class HandlingShape(Shape):
    """What people did with a story. `claimed` and `acknowledged` are null if nobody did."""

    claimed: DeedShape | None
    acknowledged: DeedShape | None
    stars: list[DeedShape]
    notes: list[NoteShape]


class NoteText(BaseModel):
    """The text of a note."""

    text: str


class Mute(BaseModel):
    """What is silenced, `story`, `topic NAME` or `source NAME`, and for how long; seven days if `lasting` is ""."""

    what: str = "story"
    lasting: str = ""


class TollShape(Shape):
    """A number of people, and what became of them: killed, wounded, taken or arrested."""

    role: str
    number: int


class NumberShape(Shape):
    """A number of people, and the voices that say it."""

    number: int
    voices: list[str]


class DifferenceShape(Shape):
    """Where voices differ: different numbers of people of whom they say the same."""

    role: str
    numbers: list[NumberShape]


class VoiceShape(Shape):
    """A story of an event. `reasons` say why it was joined, and `like` to which story it is most like; null for the
    first one. `by` is the person who decided, else null.
    """

    story: str
    title: str
    url: str | None
    outlet: str
    lang: str
    published: datetime | None
    matched: datetime
    tolls: list[TollShape]
    reasons: list[str]
    like: str | None
    by: str | None


class EventShape(Shape):
    """What several stories report: all of them in the order of report, and where they differ.

    `more`: so many further stories are not shown.
    """

    id: str
    voices: list[VoiceShape]
    differences: list[DifferenceShape]
    more: int


class OtherStory(BaseModel):
    """A story of the event that another one is put into."""

    other: str


class StoryShape(Shape):
    """One story, whole. `lead` is what a digest shows; `voices` counts independent reports; `others` has one hit of
    each other report, the newest first. `page` is its address, without a host if there is no `public_url`. `event` is
    null if no other story is of its event.
    """

    id: str
    page: str
    topics: list[str]
    severity: Severity
    voices: int
    first_found: datetime
    last_report: datetime
    lead: HitShape
    others: list[HitShape]
    handling: HandlingShape
    event: EventShape | None = None


class Stories(Shape):
    """Stories in the order of their newest hit. Send `more` as `before` for older ones; null: there are none."""

    stories: list[StoryShape]
    more: str | None


class FeedShape(Shape):
    """One source. `state`: ok, failing, gone, dead or new."""

    name: str
    kind: SourceKind
    state: str
    place: str
    pace: str
    failures: int
    reason: str
    detail: str
    last_read: datetime | None
    due: datetime | None


class Feeds(Shape):
    """Every source, those with problems first."""

    feeds: list[FeedShape]


class TopicShape(Shape):
    """One topic. `days` counts its hits on each of the last 14 days (UTC), the oldest day first."""

    name: str
    title: str
    severity: Severity
    query: str
    languages: list[str]
    days: list[int]


class Topics(Shape):
    """Every topic."""

    topics: list[TopicShape]


class ReceiverShape(Shape):
    """One receiver. `state`: ok, failing, paused, open, trial or disabled; `waiting` counts messages to send."""

    name: str
    kind: str
    state: str
    why: str
    until: datetime | None
    waiting: int


class Receivers(Shape):
    """Every receiver."""

    receivers: list[ReceiverShape]


class DeliveryShape(Shape):
    """One message: in progress, failed for good (state "dead") or delivered. `letter` is the id of its dead letter."""

    id: str
    receiver: str
    state: str
    subject: str
    attempts: int
    created: datetime | None
    due: datetime | None
    error: str
    letter: str | None = None


class Deliveries(Shape):
    """Deliveries in progress, the oldest first; then those that were delivered last."""

    deliveries: list[DeliveryShape]


class SilenceShape(Shape):
    """A rule that stops notifications about matching hits. `configured`: it is part of the configuration."""

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


class Silences(Shape):
    """Every silence that has not ended."""

    silences: list[SilenceShape]


class UpcomingDigest(Shape):
    """What one receiver is sent next. `next` is null for an alert: it goes out with the next hit."""

    id: str
    receiver: str
    schedule: str
    next: datetime | None
    waiting: int


class UpcomingDigests(Shape):
    """What every receiver is sent next, by receiver and schedule."""

    editions: list[UpcomingDigest]


class MessageShape(Shape):
    """A message as it would be sent: each of its forms by name, such as "text", "html", "json" or "mime"."""

    subject: str
    address: str
    editions: dict[str, str]


class Previews(Shape):
    """What would be sent now. `kept` says in sentences which hits are not sent, and why."""

    messages: list[MessageShape]
    kept: list[str]


class ChangeShape(Shape):
    """One difference. `live`: a reload is enough; otherwise it needs a restart."""

    path: str
    kind: str
    before: Any
    after: Any
    live: bool


class Compared(Shape):
    """What a reload would change for these roles."""

    roles: list[str]
    since: str
    changes: list[ChangeShape]


class Configuration(Shape):
    """The files compared with what runs. With `problems` they would be refused. `hidden`: only a secret differs."""

    problems: list[str]
    hidden: bool
    compared: list[Compared]


class Replay(ReplayRequest):
    """What to send again. `what`: "failed" for what failed for good, "all" for everything not delivered yet.

    `since`: how far back, like "6h". `dry_run`: only count.
    """

    dry_run: bool = False


class FoundArticleShape(Shape):
    """An article that a search found. `read` is when watchpost read it; `topics` are those that match it."""

    id: str
    title: str
    url: str | None
    source: str
    outlet: str
    lang: str
    published: datetime | None
    read: datetime
    snippet: str
    highlights: list[tuple[int, int]]
    topics: list[str]
    muted: bool


class FoundArticles(Shape):
    """What a search found, the newest first. Send `more` as `before` for older articles; it is null if there are none.

    A search looks at 3,000 articles at most, so that `articles` may be empty while `more` is not null.
    """

    articles: list[FoundArticleShape]
    more: str | None


class SearchFields(BaseModel):
    """The fields of a search of the archive; "" is no condition."""

    model_config = ConfigDict(extra="forbid")

    q: str = ""
    since: str = ""
    until: str = ""
    source: str = ""
    lang: str = ""
    topic: str = ""
    severity: str = ""
    muted: str = ""


class NewSearch(SearchFields):
    """A search to save under a name."""

    name: str


class SavedSearchShape(Shape):
    """A saved search; `page` and `feed` are its addresses, without a host if there is no `public_url`."""

    name: str
    asked: SearchFields
    by: str
    at: datetime
    page: str
    feed: str


class SavedSearchesShape(Shape):
    """Every saved search, by name."""

    searches: list[SavedSearchShape]


class Done(BaseModel):
    """What was done, in a word, and to how many things."""

    done: str
    count: int = 1


class Problem(BaseModel):
    """Why it could not be done."""

    problem: str
