"""Pure: an event as pages, feeds and the API show it: its stories in the order of report, and where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from watchpost.model import Hit, Publisher, TollDifference, story_path
from watchpost.notify.notification_log import outlet, voice
from watchpost.notify.owners import with_owners
from watchpost.notify.tolls import differences, in_order
from watchpost.operations.stories import StoryView
from watchpost.store.events import EventOfStory

PREFIX = "ev_"
"""Begins the ids of events in JSON."""

MOST = 100
"""So many stories of an event are shown, the first ones."""


@dataclass(frozen=True, slots=True)
class VoiceView:
    """One story of an event: its first report, why it was joined, and how many people it counts.

    `like` is the story that it has most in common with, "" for the first; `by` is the person who decided, if any;
    `publisher` is who is behind the source of the report.
    """

    story: str
    report: Hit
    reasons: tuple[str, ...]
    like: str
    by: str
    toll: tuple[tuple[str, int], ...]
    publisher: Publisher

    @property
    def outlet(self) -> str:
        """Who published it."""
        return outlet(self.report)

    @property
    def path(self) -> str:
        """The page of the story below the root of the pages."""
        return story_path(self.story)


@dataclass(frozen=True, slots=True)
class EventView:
    """An event of several stories, in the order of report. `more`: so many further stories are not shown.

    `independent` counts the voices: copies of one text are one, and so are sources of one owner.
    """

    id: str
    voices: tuple[VoiceView, ...]
    differences: tuple[TollDifference, ...]
    more: int = 0
    independent: int = 0

    def others(self, story: str) -> tuple[VoiceView, ...]:
        """The voices besides this story."""
        return tuple(one for one in self.voices if one.story != story)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of its reports, in their order."""
        return tuple(dict.fromkeys(one.report.article.lang for one in self.voices if one.report.article.lang))


def event_view(
    event: str,
    stories: Iterable[StoryView],
    links: Mapping[str, EventOfStory],
    publishers: Mapping[str, Publisher],
    more: int = 0,
) -> EventView:
    """The event of these stories; `links` say why each belongs to it, `publishers` are by source."""
    shown = tuple(stories)
    voices = [_voice(story, links.get(story.id, EventOfStory(event)), publishers) for story in shown]
    voices.sort(key=lambda one: (one.report.article.fetched, one.story))
    independent = {voice(hit) for hit in with_owners([hit for story in shown for hit in story.reports], publishers)}
    said = differences((one.outlet, one.toll) for one in voices)
    return EventView(event, tuple(voices), said, more, len(independent))


def _voice(story: StoryView, link: EventOfStory, publishers: Mapping[str, Publisher]) -> VoiceView:
    first = min(story.reports, key=lambda hit: (hit.article.fetched, hit.article.id))
    publisher = publishers.get(first.article.source, Publisher())
    return VoiceView(story.id, first, link.reasons, link.like, link.by, in_order(link.harm), publisher)
