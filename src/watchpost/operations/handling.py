"""Deeds on stories: claim, acknowledge, star, note, mute. The pages, the API and the command line do them here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from watchpost import log as tm
from watchpost.config.config import Config
from watchpost.errors import FormError, NotFound
from watchpost.operations.silences import SilenceRequest, add_silence
from watchpost.operations.stories import StoryView, id_from, view_of
from watchpost.store.client import Store
from watchpost.store.handling import MOST_NOTES, Handling, Handlings
from watchpost.store.stories import Stories

NOTE_LENGTH = 2000
MUTED_FOR = "7d"


class StoryDeed(StrEnum):
    """What a person may do with a story; each has the deed that undoes it."""

    CLAIM = "claim"
    RELEASE = "release"
    ACKNOWLEDGE = "acknowledge"
    REOPEN = "reopen"
    STAR = "star"
    UNSTAR = "unstar"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class DeedResult:
    """The handling of the story afterwards. `first` is False if somebody else had claimed or acknowledged it."""

    handling: Handling
    first: bool


async def act_on_story(
    config: Config, store: Store, story: str, deed: StoryDeed, by: str, text: str = ""
) -> DeedResult:
    """Do it, as the user `by`; `text` is that of a note.

    Raises NotFound if there is no such story, FormError for a wrong note, and StoreError.
    """
    id_ = await _known(store, story)
    handlings, now = Handlings(store, config.retention.hits), datetime.now(UTC)
    deeds: dict[StoryDeed, Callable[[], Awaitable[bool | None]]] = {
        StoryDeed.CLAIM: lambda: handlings.claim(id_, by, now),
        StoryDeed.RELEASE: lambda: handlings.release(id_),
        StoryDeed.ACKNOWLEDGE: lambda: handlings.acknowledge(id_, by, now),
        StoryDeed.REOPEN: lambda: handlings.reopen(id_),
        StoryDeed.STAR: lambda: handlings.star(id_, by, now),
        StoryDeed.UNSTAR: lambda: handlings.unstar(id_, by),
        StoryDeed.NOTE: lambda: _note(handlings, id_, by, text, now),
    }
    first = await deeds[deed]() is not False
    tm.operator_acted(f"story {deed}", 1, by, story=id_)
    return DeedResult((await handlings.of([id_]))[id_], first)


async def delete_note(config: Config, store: Store, story: str, note: str, by: str) -> None:
    """Delete a note. Raises NotFound and StoreError."""
    id_ = await _known(store, story)
    if not await Handlings(store, config.retention.hits).delete_note(id_, note):
        raise NotFound(f"no note {note}")
    tm.operator_acted("story delete note", 1, by, story=id_)


async def mute(config: Config, store: Store, story: str, what: str, lasting: str, by: str) -> None:
    """Silence the story, or one of its topics or sources: `what` is "story", "topic NAME" or "source NAME".

    The reason of the silence is the headline. Raises NotFound, FormError and StoreError.
    """
    view = await story_of(store, story)
    kind, _, name = what.partition(" ")
    conditions = {"story": view.id} if kind == "story" else {kind: name}
    if kind not in ("story", "topic", "source"):
        raise FormError({"what": f"'{what}' is not one of story, topic NAME and source NAME"})
    title = view.lead.article.title or view.id
    request = SilenceRequest(**conditions, lasting=lasting or MUTED_FOR, reason=f"muted: {title}")
    await add_silence(config, store, request, by)


async def story_of(store: Store, story: str) -> StoryView:
    """The story of this id. Raises NotFound and StoreError."""
    found = await Stories(store).story(id_from(story))
    if found is None:
        raise NotFound(f"no story {story}")
    return view_of(found)


async def _known(store: Store, story: str) -> str:
    return (await story_of(store, story)).id


async def _note(handlings: Handlings, story: str, by: str, text: str, now: datetime) -> bool:
    text = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if not text:
        raise FormError({"text": "write a note"})
    if len(text) > NOTE_LENGTH:
        raise FormError({"text": f"the note has {len(text)} characters; at most {NOTE_LENGTH} are possible"})
    if not await handlings.add_note(story, by, text, now):
        raise FormError({"text": f"the story has {MOST_NOTES} notes; delete one first"})
    return True
