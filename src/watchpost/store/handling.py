"""The handling of stories: who claimed or acknowledged one, who starred it, and the notes on it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchpost.model import derive_id
from watchpost.store.client import Store
from watchpost.store.codec import from_ms, to_ms

MOST_NOTES = 50
"""So many notes one story has at most."""

_CLAIMED, _ACKNOWLEDGED, _STAR, _NOTE = "claimed", "acknowledged", "star:", "note:"


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did something, and when."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """A note on a story."""

    id: str
    by: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Handling:
    """What people did with a story. `stars` and `notes` are in the order of their times."""

    claimed: Deed | None = None
    acknowledged: Deed | None = None
    stars: tuple[Deed, ...] = ()
    notes: tuple[Note, ...] = ()

    def is_starred_by(self, name: str) -> bool:
        """Whether this user starred it."""
        return any(star.by == name for star in self.stars)


class Handlings:
    """Reads and writes the handling of stories; it is kept for `lifetime` after the last deed.

    Each deed is one atomic step that may be repeated. Every method raises StoreError.
    """

    def __init__(self, store: Store, lifetime: timedelta) -> None:
        self._store = store
        self._keys = store.keys
        self._lifetime = lifetime

    async def of(self, stories: Iterable[str]) -> dict[str, Handling]:
        """Return the handling of each of these stories, by id."""
        ids = list(dict.fromkeys(stories))
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=False)
            for id_ in ids:
                pipe.hgetall(self._keys.handling(id_))
            rows = await pipe.execute() if ids else []
        return {id_: _handling(row) for id_, row in zip(ids, rows, strict=True)}

    async def claim(self, story: str, by: str, now: datetime) -> bool:
        """Claim a story; False if somebody else has it."""
        return await self._first(story, _CLAIMED, by, now)

    async def release(self, story: str) -> None:
        """Undo a claim."""
        await self._delete(story, _CLAIMED)

    async def acknowledge(self, story: str, by: str, now: datetime) -> bool:
        """Acknowledge a story; False if somebody else did before."""
        return await self._first(story, _ACKNOWLEDGED, by, now)

    async def reopen(self, story: str) -> None:
        """Undo an acknowledgement."""
        await self._delete(story, _ACKNOWLEDGED)

    async def star(self, story: str, by: str, now: datetime) -> None:
        """Star a story for a user."""
        await self._first(story, f"{_STAR}{by}", by, now)

    async def unstar(self, story: str, by: str) -> None:
        """Undo a star."""
        await self._delete(story, f"{_STAR}{by}")

    async def add_note(self, story: str, by: str, text: str, now: datetime) -> bool:
        """Add a note; the same text of the same user is there once. False if the story has too many notes."""
        field = f"{_NOTE}{derive_id('note', story, by, text)[:12]}"
        notes = (await self.of([story]))[story].notes
        if len(notes) >= MOST_NOTES:
            return any(f"{_NOTE}{note.id}" == field for note in notes)
        value = json.dumps({"by": by, "at": to_ms(now), "text": text}, ensure_ascii=False)
        await self._set(story, field, value)
        return True

    async def delete_note(self, story: str, id_: str) -> bool:
        """Delete a note; False if there is none of this id."""
        return await self._delete(story, f"{_NOTE}{id_}")

    async def _first(self, story: str, field: str, by: str, now: datetime) -> bool:
        value = f"{to_ms(now)}\t{by}"
        stored = await self._set(story, field, value)
        deed = _deed(stored)
        return deed is not None and deed.by == by

    async def _set(self, story: str, field: str, value: str) -> bytes:
        """Set a field unless it is set; return what it then is."""
        key = self._keys.handling(story)
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=True)
            pipe.hsetnx(key, field, value)
            pipe.pexpire(key, self._lifetime)
            pipe.hget(key, field)
            _, _, stored = await pipe.execute()
        return bytes(stored)

    async def _delete(self, story: str, field: str) -> bool:
        async with self._store.errors():
            return bool(await self._store.redis.hdel(self._keys.handling(story), field))


def _handling(fields: Mapping[bytes, bytes]) -> Handling:
    texts = {name.decode("utf-8", "replace"): value for name, value in fields.items()}
    stars = [deed for name, value in texts.items() if name.startswith(_STAR) and (deed := _deed(value))]
    notes = [
        note
        for name, value in texts.items()
        if name.startswith(_NOTE) and (note := _note(name.removeprefix(_NOTE), value))
    ]
    return Handling(
        _deed(texts.get(_CLAIMED, b"")),
        _deed(texts.get(_ACKNOWLEDGED, b"")),
        tuple(sorted(stars, key=lambda deed: (deed.at, deed.by))),
        tuple(sorted(notes, key=lambda note: (note.at, note.id))),
    )


def _deed(value: bytes) -> Deed | None:
    at, tab, by = value.decode("utf-8", "replace").partition("\t")
    return Deed(by, from_ms(at)) if tab and at.isascii() and at.isdigit() else None


def _note(id_: str, value: bytes) -> Note | None:
    try:
        found = json.loads(value)
        return Note(id_, str(found["by"]), from_ms(found["at"]), str(found["text"]))
    except (ValueError, KeyError, TypeError):
        return None
