"""Pure: hits of one event are sent as one story, so that a reader is told of it once.

The event's first story gives the id: what was sent of it before it had other reports is what was sent of the event. A
report in another language is then an update of that story.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from watchpost.model import Hit, Toll
from watchpost.notify.notification_log import NotificationRecord
from watchpost.notify.tolls import differences
from watchpost.store.events import EventOfStory


def as_events(hits: Sequence[Hit], events: Mapping[str, EventOfStory], *, certain: bool) -> tuple[Hit, ...]:
    """The hits in their order, with their events instead of their stories; with `certain`, only where that is safe."""
    return tuple(_of_event(hit, events.get(hit.story), certain) for hit in hits)


def _of_event(hit: Hit, found: EventOfStory | None, certain: bool) -> Hit:
    if found is None or found.event == hit.story or (certain and not found.certain):
        return hit
    return replace(hit, story=found.event)


def records_of_events(
    records: Mapping[str, NotificationRecord], before: Sequence[Hit], after: Sequence[Hit]
) -> dict[str, NotificationRecord]:
    """The records by event: that of the event, or of one of its stories that was sent before it was joined."""
    found = dict(records)
    for hit, joined in zip(before, after, strict=True):
        if joined.story not in found and hit.story in records:
            found[joined.story] = records[hit.story]
    return found


@dataclass(frozen=True, slots=True)
class EventParts:
    """Why several stories are one event, and how many of them have no known outlet: each is a voice of its own.

    `tolls` are what outlets count, also those whose reports were sent earlier.
    """

    reasons: tuple[str, ...] = ()
    nameless: int = 0
    tolls: Sequence[tuple[str, Toll]] = ()


def parts_of_events(
    before: Sequence[Hit],
    after: Sequence[Hit],
    events: Mapping[str, EventOfStory],
    links: Mapping[str, Sequence[EventOfStory]],
    *,
    certain: bool,
) -> dict[str, EventParts]:
    """The parts of each event that has several stories among these hits, or whose outlets count differently.

    `links` are those of all stories of each event; with `certain`, only those that are safe say what is counted.
    """
    tolls = {
        event: [(one.outlet, one.harm) for one in of if one.outlet and (one.certain or not certain)]
        for event, of in links.items()
    }
    stories: dict[str, dict[str, bool]] = {}
    for hit, joined in zip(before, after, strict=True):
        known = stories.setdefault(joined.story, {})
        known[hit.story] = known.get(hit.story, False) or bool(hit.article.outlet)
    return {
        event: EventParts(
            next((events[one].reasons for one in parts if one in events and events[one].reasons), ()),
            sum(not named for named in parts.values()) if len(parts) > 1 else 0,
            tolls.get(event, ()),
        )
        for event, parts in stories.items()
        if len(parts) > 1 or differences(tolls.get(event, ()))
    }
