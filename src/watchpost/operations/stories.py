"""Pure: a story as pages, feeds and the API show it: its headline, topics, severity, reports, and when it was found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from watchpost.model import SEVERITIES, Hit, Publisher, Severity, story_path
from watchpost.notify.digest_builder import score
from watchpost.notify.owners import with_owners
from watchpost.notify.story_choice import Spans, current, shown_hit, title_highlights
from watchpost.store.stories import PastStory

PREFIX = "st_"
"""Begins the ids of stories in webhook JSON."""


@dataclass(frozen=True, slots=True)
class StoryView:
    """A story, whole.

    `lead` is the hit whose article gives the headline, and whose snippet is the excerpt. `topics` has the newest hit of
    each topic, that of the lead first, then by severity. `reports` has one hit of each article, the oldest first.
    `voices` counts independent reports. `first_found` and `last_report` are when the first and the last hit was found.
    `places` are the hits' places in the history, by hit.
    """

    id: str
    lead: Hit
    topics: tuple[Hit, ...]
    reports: tuple[Hit, ...]
    voices: int
    first_found: datetime
    last_report: datetime
    places: Mapping[str, str]

    @property
    def severity(self) -> Severity:
        """The highest severity among its topics."""
        return max((hit.severity for hit in self.topics), key=SEVERITIES.index)

    @property
    def others(self) -> tuple[Hit, ...]:
        """The reports besides the lead's, the newest first."""
        return tuple(hit for hit in reversed(self.reports) if hit.article.id != self.lead.article.id)

    @property
    def highlights(self) -> Spans:
        """Where the headline matched."""
        return title_highlights([self.lead])

    @property
    def path(self) -> str:
        """Its page below the root of the pages."""
        return story_path(self.id)


def id_from(text: str) -> str:
    """The id of a story as an address has it: with or without the prefix of webhook JSON."""
    return text.removeprefix(PREFIX)


def view_of(story: PastStory, publishers: Mapping[str, Publisher] | None = None) -> StoryView:
    """The story as it is shown; with the `publishers` by source, those of one owner are one voice."""
    hits = with_owners([past.hit for past in story.hits], publishers or {})
    lead = shown_hit(current(hits))
    newest = {hit.topic: hit for hit in hits} | {lead.topic: lead}
    reports: dict[str, Hit] = {}
    for hit in hits:
        reports.setdefault(hit.article.id, hit)
    return StoryView(
        id=story.id,
        lead=lead,
        topics=tuple(sorted(newest.values(), key=lambda hit: (hit is not lead, -SEVERITIES.index(hit.severity)))),
        reports=tuple(reports.values()),
        voices=_voices(hits),
        first_found=min(hit.matched for hit in hits),
        last_report=max(hit.matched for hit in hits),
        places={past.hit.id: past.mark for past in story.hits},
    )


def views_of(stories: Iterable[PastStory], publishers: Mapping[str, Publisher] | None = None) -> tuple[StoryView, ...]:
    """The stories as they are shown, in their order."""
    return tuple(view_of(story, publishers) for story in stories)


def by_importance(hits: Iterable[Hit], weights: Mapping[str, float], now: datetime) -> tuple[str, ...]:
    """The ids of the stories of these hits, the most important first, as a digest orders them.

    `weights` are those of the sources.
    """
    stories: dict[str, list[Hit]] = {}
    for hit in hits:
        stories.setdefault(hit.story, []).append(hit)

    def rank(id_: str) -> tuple[int, float, str]:
        return _rank(id_, stories[id_], weights, now)

    return tuple(sorted(stories, key=rank))


def _rank(id_: str, hits: Sequence[Hit], weights: Mapping[str, float], now: datetime) -> tuple[int, float, str]:
    severity = max(SEVERITIES.index(hit.severity) for hit in hits)
    age = now - max(hit.article.published or hit.article.fetched for hit in hits)
    weight = max(weights.get(hit.article.source, 1.0) for hit in hits)
    value, _ = score(_voices(hits), weight, age, hits)
    return -severity, -value, id_


def _voices(hits: Iterable[Hit]) -> int:
    return len({hit.voice or hit.article.outlet or hit.article.source for hit in hits})
