"""Who claimed, acknowledged or starred a story, and the notes on it: each once, the first one counts."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from tests.making import WHEN
from watchpost.store.client import Store
from watchpost.store.handling import MOST_NOTES, Deed, Handling, Handlings

STORY = "5" * 32


def handlings(store: Store) -> Handlings:
    """Kept for a day."""
    return Handlings(store, timedelta(days=1))


async def test_the_first_of_many_has_it_and_a_repeat_changes_nothing(store: Store) -> None:
    all_ = handlings(store)
    names = [f"user {number}" for number in range(8)]
    won = await asyncio.gather(*(all_.claim(STORY, name, WHEN) for name in names))
    assert sum(won) == 1
    (winner,) = (name for name, first in zip(names, won, strict=True) if first)
    assert await all_.claim(STORY, winner, WHEN + timedelta(hours=1))
    assert (await all_.of([STORY]))[STORY].claimed == Deed(winner, WHEN)
    await all_.release(STORY)
    assert await all_.claim(STORY, "ben", WHEN)
    assert await all_.acknowledge(STORY, "anna", WHEN)
    assert not await all_.acknowledge(STORY, "ben", WHEN)
    await all_.reopen(STORY)
    assert (await all_.of([STORY]))[STORY] == Handling(claimed=Deed("ben", WHEN))


async def test_stars_are_of_each_user_and_notes_of_all(store: Store) -> None:
    all_ = handlings(store)
    for name in ("ben", "anna", "ben"):
        await all_.star(STORY, name, WHEN)
    await all_.unstar(STORY, "ben")
    for text in ("first\nline two", "second", "first\nline two"):
        assert await all_.add_note(STORY, "anna", text, WHEN)
    found = (await all_.of([STORY, "6" * 32]))[STORY]
    assert [star.by for star in found.stars] == ["anna"]
    assert found.is_starred_by("anna")
    assert sorted(note.text for note in found.notes) == ["first\nline two", "second"]
    assert await all_.delete_note(STORY, found.notes[0].id)
    assert not await all_.delete_note(STORY, found.notes[0].id)
    assert len((await all_.of([STORY]))[STORY].notes) == 1
    assert 0 < await store.redis.pttl(store.keys.handling(STORY)) <= 86_400_000


async def test_notes_are_bounded_and_what_cannot_be_read_is_left_out(store: Store) -> None:
    all_ = handlings(store)
    for number in range(MOST_NOTES):
        assert await all_.add_note(STORY, "anna", f"note {number}", WHEN)
    assert not await all_.add_note(STORY, "anna", "one more", WHEN)
    assert await all_.add_note(STORY, "anna", "note 3", WHEN), "it is there"
    key = store.keys.handling(STORY)
    await store.redis.hset(key, mapping={"note:x": "[]", "note:y": "{", "claimed": "soon", "star:z": "\t"})
    found = (await all_.of([STORY]))[STORY]
    assert (len(found.notes), found.claimed, found.stars) == (MOST_NOTES, None, ())
