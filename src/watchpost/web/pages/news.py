"""Pure: the first page: what is new for a reader, the topics of a fortnight, what is sent next, one line on health."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from watchpost.model import Topic
from watchpost.operations.stories import StoryView
from watchpost.store.handling import Handling
from watchpost.trend import Trend
from watchpost.web.formatting import Chart
from watchpost.web.pages.digests import Upcoming

PAGE = 25  # stories
EARLIER = 10  # stories that are shown when nothing is new
VOICES = 4  # further stories of an event whose headlines are shown below the first one
TOPICS = 10
UPCOMING = 3
SPANS = (("24 hours", "24h"), ("7 days", "7d"))


@dataclass(frozen=True, slots=True)
class News:
    """The ids of the stories that are new since `begin`, the most important first; of an event only its first one.

    `others`: by the id of such a first one, those of the event's other stories that are new. `more`: there were too
    many to read them all, and these are of the newest. `why`: what `begin` is.
    `mistake`: what is wrong with the span that the address asks for.
    """

    begin: datetime
    why: Literal["visit", "evening", "asked"]
    stories: tuple[str, ...] = ()
    more: bool = False
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mistake: str = ""

    @property
    def count(self) -> int:
        """How many stories are new."""
        return len(self.stories) + sum(map(len, self.others.values()))


@dataclass(frozen=True, slots=True)
class TopicRow:
    """A topic with its chart of 14 days, and what it has since the begin of the news compared with what is usual."""

    topic: Topic
    chart: Chart
    trend: Trend | None

    @property
    def spike(self) -> bool:
        """Whether it has many more hits than usual."""
        return self.trend is not None and self.trend.spike


def by_event(stories: Iterable[str], events: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The stories in their order, each event at the place of its first story, with its other stories.

    `events` are the ids of the events by story; a story that has none stands alone.
    """
    found: dict[str, list[str]] = {}
    for story in stories:
        found.setdefault(events.get(story, story), []).append(story)
    return {first: tuple(others) for first, *others in found.values()}


def page_of_news(
    news: News,
    shown: Sequence[StoryView],
    earlier: Sequence[StoryView],
    *,
    voices: Mapping[str, Sequence[StoryView]],
    topics: Sequence[TopicRow],
    upcoming: Sequence[Upcoming],
    document: Mapping[str, Any],
    muted: Mapping[str, datetime],
    handlings: Mapping[str, Handling],
    page: int,
    pages: int,
    asked: str,
) -> dict[str, Any]:
    """What the template shows. `earlier`: the latest stories, where nothing is new. `muted`: until when, by story.

    `voices`: of a story's event, the other stories whose headlines are shown.

    `asked` is the span in the address, "" for the reader's own.
    """
    ranked = sorted(topics, key=lambda row: (not row.spike, -row.chart.bars[-1].count, -_hits(row)))
    due = sorted((one for one in upcoming if one.next is not None), key=lambda one: one.next or news.begin)
    return {
        "active": "news",
        "news": news,
        "count": news.count,
        "stories": shown,
        "voices": voices,
        "earlier": earlier,
        "topics": [row for row in ranked[:TOPICS] if row.spike or _hits(row)],
        "topics_count": len(topics),
        "upcoming": due[:UPCOMING] or list(upcoming[:UPCOMING]),
        "document": document,
        "muted": muted,
        "handlings": handlings,
        "page": page,
        "pages": pages,
        "asked": asked,
        "spans": SPANS,
    }


def window_of_trend(begin: datetime, now: datetime) -> tuple[datetime, datetime]:
    """The time in which hits are compared with what is usual: that of the news, but at least three hours."""
    return min(begin, now - timedelta(hours=3)), now


def _hits(row: TopicRow) -> int:
    return sum(bar.count for bar in row.chart.bars)
