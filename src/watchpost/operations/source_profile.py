"""Pure: what a source's reports say of it: how often it is first, whose texts it prints, and who prints its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median, median_high
from types import MappingProxyType

from watchpost.model import Hit
from watchpost.notify.notification_log import outlet, voice

MOST = 10
"""So many outlets are named, those with the most texts."""


MOST_TEXTS = 2_000
"""The last reports whose texts are compared with those of others."""

MOSTLY = 0.5
"""A report with more of another's text is mostly that."""


@dataclass(frozen=True, slots=True)
class SharedText:
    """How much text one report has of an earlier one: from 0 to 1 of the shorter of both, and the earlier article."""

    share: float
    article: str


NO_TEXTS: Mapping[str, SharedText] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Copies:
    """How many texts one outlet has from another one, and half of them after how long.

    `lag` counts from the first report of the text; None if nobody that is watched had it before.
    """

    outlet: str
    texts: int
    lag: timedelta | None


@dataclass(frozen=True, slots=True)
class SourceProfile:
    """A source beside the others.

    `reports` are its articles with a hit, and `own` those in words of its own. `shared` are its stories that another
    source has, too, and `first` those of them that it reported first; `events` and `first_of_events` are the same for
    events, which are told in several words. `copies` are its reports with text that another source had before; half of
    them have at least the part `copied_share` of it in common, None without any; `mostly_copied` are those that have
    more than half. `copied_from` and `copied_by` are the outlets whose texts it prints and
    those that print its own, the most frequent first.
    """

    source: str
    reports: int
    own: int
    shared: int
    first: int
    events: int
    first_of_events: int
    copies: int
    copied_share: float | None
    mostly_copied: int
    copied_from: tuple[Copies, ...]
    copied_by: tuple[Copies, ...]


def hits_of(source: str, hits: Iterable[Hit]) -> tuple[str, ...]:
    """The id of one hit of each report of this source, those of the last ones: as many as `MOST_TEXTS`."""
    ids = {hit.article.id: hit.id for hit in hits if hit.article.source == source}
    return tuple(ids.values())[-MOST_TEXTS:]


def profile(
    source: str, hits: Sequence[Hit], events: Mapping[str, str], texts: Mapping[str, SharedText] = NO_TEXTS
) -> SourceProfile:
    """The profile of this source, by all hits of some days; `events` are the ids of the events by story.

    `texts` says by hit how much of its text is in an earlier article.

    A report is made when it was published; where a feed gives no date, or one in the future, when it was read.
    """
    stories: dict[str, dict[str, Hit]] = defaultdict(dict)
    for hit in hits:
        stories[hit.story].setdefault(hit.article.id, hit)
    has_it = {story for story, found in stories.items() if any(one.article.source == source for one in found.values())}
    firsts = {story: _first_of_each(stories[story].values()) for story in has_it}
    mine = [hit for story in has_it for hit in stories[story].values() if hit.article.source == source]
    shared = [found for found in firsts.values() if len(found) > 1]
    copied_from: dict[str, list[timedelta | None]] = defaultdict(list)
    copied_by: dict[str, list[timedelta | None]] = defaultdict(list)
    for reports in firsts.values():
        own = next(one for one in reports if one.article.source == source)
        if _is_copy(own):
            copied_from[voice(own)].append(_moment(own) - _moment(reports[0]) if reports[0] is not own else None)
            continue
        for other in reports:
            if other is not own and voice(other) == outlet(own):
                copied_by[outlet(other)].append(max(_moment(other) - _moment(own), timedelta()))
    copied = _shares_of_others(source, hits, texts)
    together = _by_event(stories, {events[story] for story in has_it if story in events}, events)
    return SourceProfile(
        source=source,
        reports=len(mine),
        own=sum(not _is_copy(hit) for hit in mine),
        shared=len(shared),
        first=sum(found[0].article.source == source for found in shared),
        events=len(together),
        first_of_events=sum(found[0].article.source == source for found in together),
        copies=len(copied),
        copied_share=median_high(copied) if copied else None,
        mostly_copied=sum(share > MOSTLY for share in copied),
        copied_from=_ranked(copied_from),
        copied_by=_ranked(copied_by),
    )


def _shares_of_others(source: str, hits: Iterable[Hit], texts: Mapping[str, SharedText]) -> Sequence[float]:
    """Of each report that has text of another source's earlier one: how much."""
    sources, found = {}, {}
    for hit in hits:
        sources[hit.article.id] = hit.article.source
        text = texts.get(hit.id)
        if text is not None and text.share > 0 and hit.article.source == source:
            found[hit.article.id] = text
    return [text.share for text in found.values() if sources.get(text.article, source) != source]


def _by_event(
    stories: Mapping[str, Mapping[str, Hit]], wanted: set[str], events: Mapping[str, str]
) -> Sequence[Sequence[Hit]]:
    """The first report of each source of those of these events that several sources have, the earliest first."""
    of: dict[str, list[Hit]] = defaultdict(list)
    for story, found in stories.items():
        if (event := events.get(story)) in wanted and event is not None:
            of[event] += found.values()
    found_by_event = map(_first_of_each, of.values())
    return [reports for reports in found_by_event if len(reports) > 1]


def _first_of_each(hits: Iterable[Hit]) -> Sequence[Hit]:
    """The first report of each source, the earliest first."""
    first: dict[str, Hit] = {}
    for hit in sorted(hits, key=lambda hit: (_moment(hit), hit.article.fetched, hit.article.id)):
        first.setdefault(hit.article.source, hit)
    return tuple(first.values())


def _moment(hit: Hit) -> datetime:
    return min(hit.article.published or hit.article.fetched, hit.article.fetched)


def _is_copy(hit: Hit) -> bool:
    return voice(hit) != outlet(hit)


def _ranked(found: Mapping[str, Sequence[timedelta | None]]) -> tuple[Copies, ...]:
    copies = []
    for name, lags in found.items():
        seconds = [lag.total_seconds() for lag in lags if lag is not None]
        copies.append(Copies(name, len(lags), timedelta(seconds=median(seconds)) if seconds else None))
    return tuple(sorted(copies, key=lambda one: (-one.texts, one.outlet))[:MOST])
