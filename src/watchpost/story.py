"""Still: stories as they are told, with reports, reasons and changes; and the edition that tells them.

Times are aware UTC datetimes. Highlights are offsets in code points of the very text they belong to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from watchpost.severity import SEVERITIES, Severity
from watchpost.trend import Trend


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
class Change:
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
    change: Change = Change()
    outlets: int = 0
    independent: int = 0
    reckoning: str = ""

    @property
    def severity(self) -> Severity:
        """The highest severity among the story's topics."""
        return max((match.severity for match in self.topics), key=SEVERITIES.index)


@dataclass(frozen=True, slots=True)
class Unread:
    """A source that could not be read, why, and since when (None: never read yet)."""

    source: str
    reason: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Accounts:
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
    unread: tuple[Unread, ...] = ()
    sources_total: int = 0
    late: timedelta = timedelta(0)
    public_url: str = ""
    install: str = "watchpost"
    test: bool = False
    accounts: Accounts | None = None
    reduced: bool = False
    silenced: int = 0
    flooded: tuple[tuple[str, int], ...] = ()
    trends: Mapping[str, Trend] = field(default_factory=dict, hash=False)
    following: datetime | None = None
