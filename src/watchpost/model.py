"""Pure: the values of the pipeline, all frozen: Article → Hit → Digest → Message → Delivery → Outcome.

Times are aware UTC datetimes. Offsets count code points of the text they belong to. Ids are derived from what a thing
is, never by chance, so that replays, restarts and parallel processes produce the same ids.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import quote

from watchpost.query.tree import Evidence, Query
from watchpost.schedules import Schedule
from watchpost.trend import Trend

Severity = Literal["low", "normal", "high"]
SEVERITIES: tuple[Severity, ...] = ("low", "normal", "high")
"""In rising order. Routes select by severity; stories and digests are ordered by it."""

WINDOW = timedelta(hours=72)
"""How long copies of a text are recognised after it came in, unless a topic says longer."""

SKETCH = 96
"""How many of a text's shingle hashes are kept: the smallest, so that two texts keep the same ones."""

DIGITS = 12
"""Hex digits of a hash: Lua's numbers, which are doubles, hold 48 bits exactly."""


def derive_id(kind: str, *parts: str) -> str:
    """A 128-bit id in hex from what a thing is: the same parts give the same id on every machine."""
    digest = hashlib.blake2b(digest_size=16, person=kind.encode()[:16])
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()


def story_path(id_: str) -> str:
    """The page of a story, below the root of the pages. The id of a story does not change."""
    return f"/stories/{quote(id_, safe='')}"


@dataclass(frozen=True, slots=True)
class Article:
    """One article of a source, cleaned.

    `source` is the configured name of the source; `outlet` is who published it, as far as known ("The Southern
    African Times"). `fingerprints` are what two copies of an article share: its canonical URL ("url:…") and its exact
    text ("text:…"). Unknown strings are "", an unknown date is None. `trace` is the traceparent of the visit that found
    it, "" while tracing is off. `revises` is the id of an earlier version of the article, under another headline.
    `entry` is a digest of the text that the feed has, where `body` is the text of its page.
    """

    id: str
    source: str
    title: str
    body: str
    fetched: datetime
    outlet: str = ""
    url: str = ""
    summary: str = ""
    author: str = ""
    lang: str = ""
    place: str = ""
    published: datetime | None = None
    fingerprints: tuple[str, ...] = ()
    trace: str = ""
    revises: str = ""
    entry: str = ""

    def head(self) -> Article:
        """The article without its text, as a hit carries it."""
        return replace(self, body="", summary="")


@dataclass(frozen=True, slots=True)
class Topic:
    """What an analyst watches. An article matches if `query` does, `exclude` does not, and the language fits.

    `languages`: empty for any; an article of unknown language always fits. `examples`: texts, and whether each must
    match. Copies of a text are recognised for the longest `window` of all topics.
    """

    name: str
    title: str
    query: Query
    exclude: Query | None = None
    severity: Severity = "normal"
    languages: tuple[str, ...] = ()
    window: timedelta = WINDOW
    examples: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Snippet:
    """A part of the article around its densest evidence; highlights are (start, end) offsets into `text`."""

    text: str
    highlights: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A place that an article names: its usual name, and the code of its country (ISO 3166).

    `event`: the event of the article happened there, as far as the text says. The place may then be a country.
    """

    name: str
    country: str
    event: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """One article that matches one topic, and why. The article has no text any more; the snippet has.

    `story` is the same for copies of one text. `voice` is the agency or outlet whose words they are, "" if unknown;
    `figures` are the numbers in the text, `places` the places that it names.
    """

    id: str
    topic: str
    topic_title: str
    severity: Severity
    story: str
    article: Article
    evidence: tuple[Evidence, ...]
    snippet: Snippet
    matched: datetime
    voice: str = ""
    figures: tuple[str, ...] = ()
    places: tuple[NamedPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class HitVerdict:
    """What a person said of a hit of a topic: whether it is relevant. The article has the text that is kept."""

    topic: str
    article: Article
    relevant: bool
    by: str
    at: datetime


# ── which articles are one story ──


@dataclass(frozen=True, slots=True)
class Signature:
    """An article as stories compare it.

    `article` is its id, `story` the id of the story that it starts if it belongs to none. `exact` are keys of which one
    in common is enough (its address, its whole text). `sketch` are the smallest hashes of its shingles in ascending
    order, each `DIGITS` hex digits; `whole`: there are no more. `outlet` is who published it, `voice` who wrote it,
    `credited` whether that is an agency which the article names. `day` is when it was published, ms since 1970;
    `series` is its title without figures; `numbers` are the figures of its title, `figures` those of its text, in
    reading order, each once. `size` is how many shingles the text has; `headline` and `lead` are short hashes of the
    content words of the title and of the beginning of the text; `opening` are the smallest hashes of the shingles of
    the first sentences. `page` is the key in `exact` of its address and title, "" without them. `siblings` is the same
    for all articles that one source has of one outlet under one title. `words` is a digest of summary and text, `entry`
    one of what the feed says beside the text: of its own text if that is the text of a page, else of the summary.
    """

    article: str
    story: str
    exact: tuple[str, ...]
    sketch: tuple[str, ...]
    whole: bool
    outlet: str
    voice: str
    credited: bool
    day: int
    series: str
    numbers: tuple[str, ...]
    figures: tuple[str, ...]
    size: int = 0
    headline: tuple[str, ...] = ()
    lead: tuple[str, ...] = ()
    opening: tuple[str, ...] = ()
    page: str = ""
    siblings: str = ""
    words: str = ""
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The story that an article belongs to, its voice, and whether it starts the story."""

    story: str
    voice: str
    opens: bool


# ── where a hit goes ──


@dataclass(frozen=True, slots=True)
class Escalation:
    """An alert that is sent `to` another receiver `after` a while, unless somebody has `unless` the story by then."""

    to: str
    after: timedelta
    unless: Literal["acknowledged", "claimed"] = "acknowledged"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who is behind a source: the owner, whose sources are one voice, and the country (ISO 3166); "" if unknown."""

    owner: str = ""
    country: str = ""
    state_media: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """Which hits go to which receivers, and when. Empty `topics`, `severities`, `sources` and `countries` mean any.

    `countries` are codes of those in which the event of the article happened.
    """

    to: tuple[str, ...]
    schedule: Schedule
    topics: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    sources: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    go_on: bool = False  # `continue: true` in the configuration: later routes are tried too
    escalation: Escalation | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The hits that wait for one receiver under one schedule. `key` is readable and stable."""

    key: str
    receiver: str
    schedule: Schedule

    @property
    def id(self) -> str:
        """The group's name in addresses, where its key would need escaping."""
        return derive_id("group", self.key)[:16]


# ── what a digest says ──


@dataclass(frozen=True, slots=True)
class TopicMatch:
    """One topic of a story: `why` are the words that matched, as the article writes them."""

    name: str
    title: str
    severity: Severity
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """One article of a story, and where it was published.

    `highlights` are the places in its title, (start, end), that matched the topic under which the story is listed;
    `article` is the article's id, "" if unknown; `publisher` is who is behind the source.
    """

    source: str
    outlet: str
    title: str
    url: str
    lang: str
    published: datetime | None
    first_seen: datetime
    highlights: tuple[tuple[int, int], ...] = ()
    article: str = ""
    publisher: Publisher = Publisher()


@dataclass(frozen=True, slots=True)
class StoryChange:
    """What is new since the receiver was last sent the story.

    How many more voices and topics it has, the headline that an outlet replaced ("" if none), and the figures that it
    corrected, as (before, now).
    """

    sources: int = 0
    headline: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    topics: int = 0


Toll = Sequence[tuple[str, int]]
"""Numbers of people by what became of them: ("killed", 11)."""


@dataclass(frozen=True, slots=True)
class TollDifference:
    """Numbers of one role that differ: each with the outlets that say it, in the order of their reports."""

    role: str
    numbers: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Story:
    """One text and its copies, as a digest shows them.

    `lead` is the first report that matches the most severe topic; the snippet is from it, and shows that topic's words.

    `outlets` and `independent` count the outlets that carried it so far, also in earlier digests, and the voices among
    them (agencies, or outlets with a text of their own); 0 if unknown: then the reports are all there are. `change` is
    what is new. `places` are those that the article of the lead names. `reckoning` explains the score:
    "0.82 = log(1 + 3) · 1.2 · 0.5 · 0.99".

    If it is an event of several stories, `event` is its id, `reasons` say why they were joined, and `languages` are
    those of its reports, in the order in which they came. `differences` say where its outlets count differently.
    """

    id: str
    status: Literal["new", "updated", "continuing"]
    topics: tuple[TopicMatch, ...]
    snippet: Snippet
    lead: Report
    reports: tuple[Report, ...]
    score: float
    change: StoryChange = StoryChange()
    outlets: int = 0
    independent: int = 0
    reckoning: str = ""
    places: tuple[NamedPlace, ...] = ()
    event: str = ""
    reasons: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    differences: tuple[TollDifference, ...] = ()

    @property
    def severity(self) -> Severity:
        """The highest severity among the story's topics."""
        return max((match.severity for match in self.topics), key=SEVERITIES.index)


NOT_YET = "not visited yet"


@dataclass(frozen=True, slots=True)
class UnreadSource:
    """A source that could not be read, why, and since when; None if it was never read.

    The reason `NOT_YET` is for one that was not visited so far.
    """

    source: str
    reason: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """Yesterday in the ledger: how much was read and found. `gaps` are the sums that do not match now.

    `whole_day` is False if the ledger was started within that day or after it.
    """

    sources: int
    articles: int
    hits: int
    gaps: tuple[str, ...] = ()
    whole_day: bool = True


@dataclass(frozen=True, slots=True)
class Digest:
    """One digest or alert for one receiver: its stories, and what it leaves out.

    `late` is how long after its due time it was composed, after an outage. `sources_total` counts all sources. `test`:
    a person tries the receiver. `accounts` is in the first digest of a day, and in each while a sum of the ledger does
    not match. `left_out` counts omitted stories by severity, as far as known; `silenced` counts silenced hits;
    `waiting` counts stories that wait for another voice; `flooded`, by topic title, hits over the limit. `trends`
    are by topic. `following` is when the next digest is due. `reduced`: without the operator's templates, because
    one of them failed. `paused`: why no source is read now, or was read at the end of the window: "disk",
    "backlog", "store", or ""; `last_read` is when a source was last read before. `unanswered`: it is an escalation,
    and nobody answered the alert for so long. `named`, once it is laid out in messages: for each of them the
    articles whose headlines it shows. `link_key` ends the links by which recipients act on stories
    (story_links.py), "" for none; `buttons`: stories have buttons for that (slack_buttons.py).
    """

    id: str
    kind: Literal["digest", "alert"]
    receiver: str
    window_start: datetime
    window_end: datetime
    timezone: str
    language: str
    created: datetime
    stories: tuple[Story, ...]
    articles: int
    omitted: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict, hash=False)
    unread: tuple[UnreadSource, ...] = ()
    sources_total: int = 0
    late: timedelta = timedelta(0)
    public_url: str = ""
    install: str = "watchpost"
    test: bool = False
    accounts: SourceCounts | None = None
    reduced: bool = False
    silenced: int = 0
    waiting: int = 0
    flooded: tuple[tuple[str, int], ...] = ()
    trends: Mapping[str, Trend] = field(default_factory=dict, hash=False)
    following: datetime | None = None
    paused: str = ""
    last_read: datetime | None = None
    named: tuple[tuple[str, ...], ...] = ()
    unanswered: timedelta | None = None
    link_key: str = ""
    buttons: bool = False


# ── sending; a receiver reports what happened, retry.py decides what comes next ──


@dataclass(frozen=True, slots=True)
class Message:
    """What a receiver sends. It is frozen: every attempt sends the same bytes.

    A digest may need several messages, for parts of it or for recipients: `part` tells them apart and is "" if there is
    only one. `renderings` are its texts by form ("text", "html", "json", "mime", "blocks"). `address` is the recipient,
    if there is one; `thread` names the conversation that it belongs to, "" for none. `severity` is the highest in the
    digest, and `oldest` is when the first of its articles was first seen; both are for the metrics only. `trace` is the
    traceparent of the closing of its window. `omitted`: so many last stories are only counted, for lack of room.
    `named` are the ids of the articles whose headlines it shows; None in the store, where the hits' records say it.
    """

    part: str
    subject: str
    renderings: Mapping[str, str] = field(hash=False, metadata={"alias": "editions"})  # the key in stored records
    address: str = ""
    thread: str = ""
    severity: Severity = "normal"
    oldest: datetime | None = None
    trace: str = ""
    omitted: int = 0
    named: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one receiver. `id` is the same on every attempt, so that the receiver can drop repeats.

    `attempt` counts from 1. `digest` is the digest's id, `created` when the digest was frozen. `remembered` is what the
    receiver noted about the message's thread, "" if nothing is known. `replays` counts how often a person sent it again
    after it had failed for good, `spent` the attempts before that. `contents` is where the store counts what it holds.
    """

    id: str
    digest: str
    receiver: str
    message: Message
    attempt: int
    created: datetime
    remembered: str = ""
    replays: int = 0
    spent: int = 0
    contents: str = ""


@dataclass(frozen=True, slots=True)
class EscalatedDelivery:
    """A delivery that waits `after` its window closed, and is dropped if somebody has `unless` the story by then."""

    delivery: Delivery
    story: str
    after: timedelta
    unless: str


Fate = Literal["named", "copies", "left_out", "silenced"]
"""How a hit ends for a receiver: its headline is in a message, the message names another report with the same text, the
message only counts it, or a silence covers it. It may also fail for good together with its message."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What those deliveries of one digest hold that show the same stories: how many hits, by topic and fate.

    The fates are final once one of the deliveries arrived; if none does, all these hits fail for good.
    """

    id: str
    deliveries: tuple[str, ...]
    hits: Mapping[tuple[str, Fate], int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class WindowFates:
    """What becomes of the hits that leave a group when its window closes.

    `contents` are those that the deliveries hold. `ended` counts, by topic and fate, those that no delivery holds;
    `known`, by topic and contents, the copies of what an earlier delivery names. `hits` says it of each hit: its id,
    its fate, and the id of the contents or of the silence.
    """

    contents: tuple[Contents, ...] = ()
    ended: Mapping[tuple[str, Fate], int] = field(default_factory=dict, hash=False)
    known: Mapping[tuple[str, str], int] = field(default_factory=dict, hash=False)
    hits: tuple[tuple[str, Fate, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has accepted the message. `detail` is for the log ("250 2.0.0 queued as 4F2A").

    `remember` is kept for the next message of the same thread; "" changes nothing.
    """

    detail: str = ""
    remember: str = ""


@dataclass(frozen=True, slots=True)
class TryLater:
    """The message may be accepted later. `after` is how long the receiver asks to wait.

    `alone`: only this message has to wait; otherwise the receiver accepts nothing for now, and all messages wait.
    """

    reason: str
    detail: str
    after: timedelta | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The receiver will never accept this message."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The message was sent completely, and no answer came: it may or may not have arrived.

    `repeatable`: a repeat does no harm, because the receiver recognises the delivery's id.
    """

    reason: str
    detail: str
    repeatable: bool


Outcome = Delivered | TryLater | Refused | Unknown
