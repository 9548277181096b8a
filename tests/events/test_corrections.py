"""What a person decides about events stays so."""

from __future__ import annotations

import pytest

from tests.events.test_joining import CONVOY, TUESDAY
from tests.events.test_linker import linker, matched, reports
from tests.making import article
from watchpost.errors import NotFound
from watchpost.model import Article
from watchpost.operations.events import cut, event_of, join
from watchpost.store.client import Store
from watchpost.store.events import EventStore


def late() -> Article:
    """A third report of the same convoy."""
    lang, title, body = CONVOY[0]
    return article(f"{title}, again", body=f"{body} Again.", lang=lang, published=TUESDAY, fetched=TUESDAY, outlet="x")


async def test_a_story_that_is_cut_stays_apart(store: Store) -> None:
    stories = await matched(store, *reports())
    running = linker(store)
    await running.once()
    apart = await cut(store, f"st_{stories[1]}", "anna")
    assert [story for story, _ in apart.stories] == [stories[1]]
    assert [story for story, _ in (await event_of(store, stories[0])).stories] == [stories[0], stories[2]]
    (again,) = await matched(store, late())
    await running.once()
    await linker(store, "another").once()
    found = await EventStore(store).events_of([*stories, again])
    assert found[stories[1]].event == apart.id
    assert found[stories[1]].by == "anna"
    assert found[stories[0]].event == found[stories[2]].event != apart.id


async def test_a_linker_that_starts_later_knows_what_was_corrected(store: Store) -> None:
    stories = await matched(store, *reports())
    await linker(store).once()
    await cut(store, stories[0], "anna")
    fresh = linker(store, "fresh")
    await fresh._read_decisions()
    assert {one.story: one.event for one in fresh._events.reports.values()}[stories[0]] != stories[0]


async def test_a_story_is_put_into_another_event(store: Store) -> None:
    stories = await matched(store, *reports(1), article("Mali opens a market", published=TUESDAY, fetched=TUESDAY))
    await linker(store).once()
    assert (await event_of(store, stories[1])).id != (await event_of(store, stories[0])).id
    both = await join(store, stories[1], stories[0], "anna")
    assert [story for story, _ in both.stories] == stories
    assert dict(both.stories)[stories[1]].reasons == ("decided by anna",)


async def test_a_story_that_nobody_knows(store: Store) -> None:
    for deed in (event_of(store, "x"), cut(store, "x", "anna"), join(store, "x", "y", "anna")):
        with pytest.raises(NotFound, match="no event is known of a story x"):
            await deed
