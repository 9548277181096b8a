"""Actions on a story out of a message: by a link in mail, or by a button in Slack."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from watchpost.config.config import Config
from watchpost.errors import NotFound
from watchpost.notify.receivers.email import EmailOptions
from watchpost.notify.render import mime
from watchpost.notify.story_links import is_key
from watchpost.operations.handling import MUTED_FOR, StoryDeed, act_on_story, mute, story_of
from watchpost.operations.silences import end_silence
from watchpost.operations.stories import StoryView
from watchpost.operations.verdicts import NONE, NOT_RELEVANT, RELEVANT, judge
from watchpost.schedules import Silence
from watchpost.store.client import Store
from watchpost.store.silences import Silences

_MUTED_ALREADY = timedelta(days=6)
"""A story that is muted for so long is not muted once more: links and buttons can be pressed again."""


class MessageAction(StrEnum):
    """What a message lets its reader do; each has the action that undoes it."""

    ACKNOWLEDGE = "acknowledge"
    REOPEN = "reopen"
    CLAIM = "claim"
    RELEASE = "release"
    MUTE = "mute"
    UNMUTE = "unmute"
    RELEVANT = "relevant"
    NOT_RELEVANT = "not-relevant"
    NO_VERDICT = "no-verdict"


_DEEDS = {
    MessageAction.ACKNOWLEDGE: StoryDeed.ACKNOWLEDGE,
    MessageAction.REOPEN: StoryDeed.REOPEN,
    MessageAction.CLAIM: StoryDeed.CLAIM,
    MessageAction.RELEASE: StoryDeed.RELEASE,
}
_VERDICTS = {
    MessageAction.RELEVANT: RELEVANT,
    MessageAction.NOT_RELEVANT: NOT_RELEVANT,
    MessageAction.NO_VERDICT: NONE,
}


@dataclass(frozen=True, slots=True)
class LinkHolder:
    """The recipient of a mail, as one of its links names them."""

    receiver: str
    address: str


async def holder_of(config: Config, store: Store, story: str, key: str, now: datetime) -> LinkHolder:
    """Whose link this is. Raises NotFound for one that is invalid, ended, or of a former recipient, and StoreError."""
    secrets = (await store.secret(), *store.former_secrets)
    for part in config.receivers:
        if isinstance(part.options, EmailOptions) and part.options.actions is not None:
            for text in part.options.to:
                address = mime.mailbox(text).addr_spec
                if any(is_key(key, secret, part.name, address, story, now) for secret in secrets):
                    return LinkHolder(part.name, address)
    raise NotFound("this link is not valid")


def has_links(config: Config) -> bool:
    """Whether any mail has links for actions."""
    return bool(config.public_url) and any(
        isinstance(part.options, EmailOptions) and part.options.actions is not None for part in config.receivers
    )


async def act(config: Config, store: Store, story: str, action: MessageAction, by: str, topic: str = "") -> bool:
    """Do it, as `by`; False if somebody else had claimed, acknowledged or muted the story before.

    A verdict is on the latest hit of `topic`, or without one on that of each topic of the story. Raises NotFound,
    FormError and StoreError.
    """
    if action in _DEEDS:
        return (await act_on_story(config, store, story, _DEEDS[action], by)).first
    if action is MessageAction.MUTE:
        end = datetime.now(UTC) + _MUTED_ALREADY
        if before := [one.by for one in await silences_of(store, story) if one.until > end]:
            return by in before
        await mute(config, store, story, "story", MUTED_FOR, by)
    elif action is MessageAction.UNMUTE:
        for silence in await silences_of(store, story):
            await end_silence(config, store, silence.id, by)
    else:
        view = await story_of(store, story)
        hits = [hit for hit in view.topics if topic in ("", hit.topic)]
        if not hits:
            raise NotFound(f"the story has no topic {topic}")
        for hit in hits:
            await judge(store, hit.id, _VERDICTS[action], by)
    return True


async def silences_of(store: Store, story: str) -> tuple[Silence, ...]:
    """The silences with which people muted the story, that have not ended. Raises StoreError."""
    now = datetime.now(UTC)
    return tuple(one for one in await Silences(store).all() if one.story == story and one.until > now)


async def shown_story(store: Store, story: str) -> StoryView | None:
    """The story, or None if it is no longer kept. Raises StoreError."""
    try:
        return await story_of(store, story)
    except NotFound:
        return None
