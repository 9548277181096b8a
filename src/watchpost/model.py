"""Still: the values that travel through the house, all frozen. Article → Hit → Digest → Message → Outcome.

Times are aware UTC datetimes. Offsets count code points of the very text they belong to. Ids are derived,
never drawn, so that replays, restarts and twins collapse by themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from watchpost.outcome import Delivered as Delivered
from watchpost.outcome import Outcome as Outcome
from watchpost.outcome import Refused as Refused
from watchpost.outcome import TryLater as TryLater
from watchpost.outcome import Unknown as Unknown
from watchpost.query.tree import Evidence, Query
from watchpost.severity import SEVERITIES as SEVERITIES
from watchpost.severity import Severity as Severity
from watchpost.signature import WINDOW
from watchpost.story import Accounts as Accounts
from watchpost.story import Change as Change
from watchpost.story import Digest as Digest
from watchpost.story import Report as Report
from watchpost.story import Snippet as Snippet
from watchpost.story import Story as Story
from watchpost.story import TopicMatch as TopicMatch
from watchpost.story import Unread as Unread
from watchpost.timetable import Cron as Cron
from watchpost.timetable import Daily as Daily
from watchpost.timetable import Every as Every
from watchpost.timetable import Immediate as Immediate
from watchpost.timetable import Schedule as Schedule


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


@dataclass(frozen=True, slots=True)
class Message:
    """What a receiver will send, frozen: every attempt sends these very texts.

    A digest may need several messages (parts of a long one, or one per recipient): `part` tells them apart
    and is "" if there is only one. `editions` maps a name that the receiver understands ("json", "text",
    "html", "mime", "blocks") to text. `address` is the recipient where there is one. `thread` names the
    conversation that the message belongs to, "" if there is none. `severity` is the highest in the digest and
    `oldest` when the first of its articles was first seen; both are for the metrics alone, `trace` is the traceparent
    of the closing of its window. `omitted`: so many of the last stories are only counted, for lack of room.
    """

    part: str
    subject: str
    editions: Mapping[str, str] = field(hash=False)
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
