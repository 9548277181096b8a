"""Events by hand: a person takes a story out of its event, or puts it into another one, and it stays so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from watchpost import log as tm
from watchpost.errors import NotFound, StoreBusy
from watchpost.model import Publisher, derive_id
from watchpost.operations.stories import view_of
from watchpost.operations.voices import MOST, EventView, event_view
from watchpost.store.client import Store
from watchpost.store.events import Decided, EventOfStory, EventStore
from watchpost.store.stories import Stories

_TRIES = 50  # a matcher decided in between


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """An event: its id, and its stories in the order in which they joined it, each with why."""

    id: str
    stories: tuple[tuple[str, EventOfStory], ...]


async def event_of(store: Store, story: str) -> ShownEvent:
    """The event of a story. Raises NotFound, and StoreError."""
    events = EventStore(store)
    found = (await events.events_of([bare(story)])).get(bare(story))
    if found is None:
        raise NotFound(f"no event is known of a story {story}")
    stories = await events.stories_of(found.event)
    of = await events.events_of(stories)
    return ShownEvent(found.event, tuple((one, of[one]) for one in stories if one in of))


async def events_of_stories(
    store: Store, stories: Iterable[str], publishers: Mapping[str, Publisher]
) -> dict[str, EventView]:
    """The events of these stories, by story; none for one that is alone in its event. Raises StoreError."""
    events = EventStore(store)
    links = await events.events_of(stories)
    members = await events.stories_of_each(one.event for one in links.values())
    several = {event: of for event, of in members.items() if len(of) > 1}
    shown = {story for of in several.values() for story in of[:MOST]}
    links |= await events.events_of(shown - links.keys())
    whole = await Stories(store).whole(shown)
    views = {
        event: event_view(
            event,
            (view_of(whole[one], publishers) for one in of[:MOST] if one in whole),
            links,
            publishers,
            len(of[MOST:]),
        )
        for event, of in several.items()
    }
    return {
        story: views[link.event]
        for story, link in links.items()
        if link.event in views and len(views[link.event].voices) > 1
    }


async def cut(store: Store, story: str, by: str) -> ShownEvent:
    """Take a story out of its event: it is an event of its own. Raises NotFound, and StoreError."""
    before = await event_of(store, story)
    return await _decide(store, bare(story), before.id, derive_id("event", bare(story), before.id), "event cut", by)


async def join(store: Store, story: str, other: str, by: str) -> ShownEvent:
    """Put a story into the event of another one. Raises NotFound, and StoreError."""
    before, wanted = await event_of(store, story), await event_of(store, other)
    return await _decide(store, bare(story), before.id, wanted.id, "event join", by)


async def _decide(store: Store, story: str, former: str, event: str, deed: str, by: str) -> ShownEvent:
    events = EventStore(store)
    for _ in range(_TRIES):
        last = next((one.mark for one in reversed(await events.decided())), "")
        decided = Decided(last, story, event)
        if await events.join(decided, reasons=[f"decided by {by}"], by=by, former=former) == "OK":
            tm.operator_acted(deed, 1, by, story=story)
            return await event_of(store, story)
    raise StoreBusy("matchers decide events too fast; try again")


def bare(id_: str) -> str:
    """The id of a story or event without the mark that messages put in front."""
    return id_.removeprefix("st_").removeprefix("ev_")
