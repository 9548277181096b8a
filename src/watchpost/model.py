"""Pure: the values that travel through the house, all frozen. Article → Hit → Digest → Message → Outcome.

Times are aware UTC datetimes. Offsets count code points of the very text they belong to. Ids are derived,
never drawn, so that replays, restarts and twins collapse by themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from watchpost.query.tree import Evidence, Query
from watchpost.schedules import Cron as Cron
from watchpost.schedules import Daily as Daily
from watchpost.schedules import Every as Every
from watchpost.schedules import Immediate as Immediate
from watchpost.schedules import Schedule as Schedule
from watchpost.trend import Trend

# how much a topic matters. Routes ask for it, stories and editions are ordered by it.


Severity = Literal["low", "normal", "high"]
SEVERITIES: tuple[Severity, ...] = ("low", "normal", "high")
"""In rising order."""


# stories as they are told, with reports, reasons and changes; and the edition that tells them.
#
# Times are aware UTC datetimes. Highlights are offsets in code points of the very text they belong to.


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of the article around its densest evidence; highlights are (start, end) offsets into `text`."""

    text: str
    highlights: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class TopicMatch:
    """One topic of a story: `why` are the words that matched, in the article's own form."""

    name: str
    title: str
    severity: Severity
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """One article of a story: where it stood."""

    source: str
    outlet: str
    title: str
    url: str
    lang: str
    published: datetime | None
    first_seen: datetime


@dataclass(frozen=True, slots=True)
class HeadlineChange:
    """What is new since the reader was told of a story: so many more voices and topics, the headline that an outlet
    replaced ("" if none), figures that it corrected as (before, now)."""

    sources: int = 0
    headline: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    topics: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """What one text and its copies tell, once. `lead` is the report seen first.

    `outlets` and `independent` count who told it so far, in earlier editions too, and how many voices they are
    (agencies, or outlets of their own); 0: not known, the reports are all there are. `change` is since then.
    `reckoning` is how the score comes about: "0.82 = log(1 + 3) · 1.2 · 0.5 · 0.99".
    """

    id: str
    status: Literal["new", "updated", "continuing"]
    topics: tuple[TopicMatch, ...]
    snippet: Snippet
    lead: Report
    reports: tuple[Report, ...]
    score: float
    change: HeadlineChange = HeadlineChange()
    outlets: int = 0
    independent: int = 0
    reckoning: str = ""

    @property
    def severity(self) -> Severity:
        """The highest severity among the story's topics."""
        return max((match.severity for match in self.topics), key=SEVERITIES.index)


@dataclass(frozen=True, slots=True)
class UnreadSource:
    """A source that could not be read, why, and since when (None: never read yet)."""

    source: str
    reason: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """Yesterday by the ledger: what was read, what was found, and which sums do not meet now ("" for none)."""

    sources: int
    articles: int
    hits: int
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Digest:
    """One edition for one receiver: what is told, and what is missing from it.

    `kind` is "alert" for an immediate edition. `late` is how long after its moment it was closed (downtime is
    said, not hidden). `sources_total` counts everything watched. `test`: nothing happened, somebody tries a receiver.
    `accounts` stands in the first edition of a day, and in every one while a sum of the ledger does not meet.
    `left_out` counts omitted stories by severity, as far as known; `silenced` hits of which nobody is told; `flooded`
    by topic's title those beyond its limit. `trends` are by topic. `following` is when the next one is due.
    `reduced`: no templates of the operator's, for one of them failed.
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
    flooded: tuple[tuple[str, int], ...] = ()
    trends: Mapping[str, Trend] = field(default_factory=dict, hash=False)
    following: datetime | None = None


# what became of an attempt to send. A receiver says what happened, never what next.


@dataclass(frozen=True, slots=True)
class Delivered:
    """The other side has it. `detail` is for the log ("250 2.0.0 queued as 4F2A").

    `remember` is kept for the next message of the same thread; "" changes nothing.
    """

    detail: str = ""
    remember: str = ""


@dataclass(frozen=True, slots=True)
class TryLater:
    """Not now: the same message may well go through later. `after` is the other side's own wish."""

    reason: str
    detail: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Not like this: the same bytes will never be taken."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The message went out whole and nothing came back: it may or may not have arrived.

    `repeatable` says that a repeat does no harm (the receiver drops it by the delivery's id).
    """

    reason: str
    detail: str
    repeatable: bool


Outcome = Delivered | TryLater | Refused | Unknown


# what tells whether two articles carry one text: the value that matching makes and the store compares.


WINDOW = timedelta(hours=72)
"""A text finds its copies for so long after it came in, unless a topic says longer."""

SKETCH = 96
"""So many of a text's shingle hashes are kept: the smallest ones, so that two texts keep the same ones."""

DIGITS = 12
"""A hash in hex; 48 bits fit the numbers of every Lua."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One article as stories see it.

    `article` is its id, `story` the id of the story that it opens if it belongs to none. `exact` are keys of which
    one in common is enough (its address, its whole text). `sketch` are the smallest hashes of its shingles in
    ascending order, each `DIGITS` hex digits; `whole`: these are all there are. `outlet` is who published it,
    `voice` who wrote it, `credited` whether that is an agency which the article names.
    `day` is when it was published, ms since 1970; `series` what its title is without figures; `numbers` the figures
    of its title; `figures` those of its text, in reading order, each once. `size` is how many shingles the text has;
    `headline` and `lead` are short hashes of the content words of the title and of the beginning of the text;
    `opening` are the smallest hashes of the shingles of the first sentences.
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """The story that an article belongs to, whose voice it is, and whether it opens the story."""

    story: str
    voice: str
    opens: bool


def derive_id(kind: str, *parts: str) -> str:
    """A 128-bit id in hex from what the thing is: the same parts give the same id on every machine."""
    digest = hashlib.blake2b(digest_size=16, person=kind.encode()[:16])
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Article:
    """One article as a source gave it, tidied.

    `source` is the operator's name of the feed or folder; `outlet` is who wrote or published it, as far as
    known ("The Southern African Times"). `fingerprints` are what two copies of one article share: its
    canonical URL ("url:…") and its exact text ("text:…"). Unknown strings are "", an unknown date is None.
    `trace` is the W3C traceparent of the visit that brought it, "" while tracing is off. `revises` is the id of the
    article of which this is a later version, under another headline.
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

    def head(self) -> Article:
        """The article without its text: what travels on with a hit."""
        return replace(self, body="", summary="")


@dataclass(frozen=True, slots=True)
class Topic:
    """What an analyst watches. An article matches if `query` does, `exclude` does not and the language fits.

    `languages` empty: any; an unknown one always fits. A text finds its copies for the longest `window` of all topics.
    `examples`: a text, and whether it must match."""

    name: str
    title: str
    query: Query
    exclude: Query | None = None
    severity: Severity = "normal"
    languages: tuple[str, ...] = ()
    window: timedelta = WINDOW
    examples: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One article about one topic, and why. `article` carries no text any more; the snippet does.

    `story` names what copies of one text have in common, `voice` is whose words they are (an agency, an outlet;
    "" if nobody asked), `figures` are the numbers in the text.
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


# ── where a hit goes ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Route:
    """Which hits go to which receivers, and when. Empty `topics`, `severities`, `sources` mean "any"."""

    to: tuple[str, ...]
    schedule: Schedule
    topics: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    sources: tuple[str, ...] = ()
    go_on: bool = False  # `continue: true` in the configuration: later routes are tried too


@dataclass(frozen=True, slots=True)
class Group:
    """The hits that one receiver gets together: one receiver, one schedule. `key` is readable and stable."""

    key: str
    receiver: str
    schedule: Schedule

    @property
    def id(self) -> str:
        """The group's name in addresses, where its key would need escaping."""
        return derive_id("group", self.key)[:16]


@dataclass(frozen=True, slots=True)
class Message:
    """What a receiver will send, frozen: every attempt sends these very texts.

    A digest may need several messages (parts of a long one, or one per recipient): `part` tells them apart
    and is "" if there is only one. `renderings` maps a name that the receiver understands ("json", "text",
    "html", "mime", "blocks") to text. `address` is the recipient where there is one. `thread` names the
    conversation that the message belongs to, "" if there is none. `severity` is the highest in the digest and
    `oldest` when the first of its articles was first seen; both are for the metrics alone, `trace` is the traceparent
    of the closing of its window. `omitted`: so many of the last stories are only counted, for lack of room.
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


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way. `id` is the same on every attempt: the receiver's key to drop repeats.

    `attempt` counts from 1. `digest` is the digest's id, `created` when the digest was frozen.
    `remembered` is what the receiver noted of the message's thread the last time, "" if nothing is known (any more).
    `replays`: how often a person sent it again after it was given up, `spent` the attempts before the last time.
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
