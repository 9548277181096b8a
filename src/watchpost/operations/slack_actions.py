"""Buttons that people press in Slack: the action in watchpost, and the message as it is afterwards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from watchpost.config.config import Config
from watchpost.config.fields import Secret
from watchpost.errors import FormError, NotFound
from watchpost.notify.http import JSON_TYPE, HttpAnswer, Poster
from watchpost.notify.receiver import ReceiverContext
from watchpost.notify.receivers.slack import SlackOptions
from watchpost.notify.render.slack_buttons import ButtonState
from watchpost.notify.slack_interactions import ButtonPress, edited, is_signed, may_answer
from watchpost.operations.factory import USER_AGENT, terminal
from watchpost.operations.handling import story_of
from watchpost.operations.message_actions import MessageAction, act, silences_of
from watchpost.store.client import Store
from watchpost.store.handling import Handlings
from watchpost.store.verdicts import Verdicts


def signing_receivers(config: Config) -> tuple[SlackOptions, ...]:
    """The options of each Slack receiver whose alerts have buttons."""
    options = (part.options for part in config.receivers)
    return tuple(one for one in options if isinstance(one, SlackOptions) and one.signing_secret is not None)


def signer_of(
    receivers: Sequence[SlackOptions], timestamp: str, signature: str, body: bytes, now: datetime
) -> SlackOptions | None:
    """The first receiver whose signing secret signed this request; None if none did."""
    for options in receivers:
        secret = options.signing_secret
        if secret is not None and is_signed(secret.reveal(), timestamp, signature, body, now):
            return options
    return None


async def press(config: Config, store: Store, pressed: ButtonPress) -> None:
    """Do what the button says. An unknown action or story does nothing. Raises StoreError."""
    try:
        await act(config, store, pressed.story, MessageAction(pressed.action), pressed.by)
    except (NotFound, FormError, ValueError):
        return


async def state_of(config: Config, store: Store, story: str) -> ButtonState | None:
    """What is done with the story now; None if it is no longer kept. Raises StoreError."""
    try:
        view = await story_of(store, story)
    except NotFound:
        return None
    handling = (await Handlings(store, config.retention.hits).of([story]))[story]
    muted = await silences_of(store, story)
    hits = {(hit.topic, hit.article.id) for hit in view.topics}
    verdicts = [
        verdict
        for hit in view.topics
        for verdict in await Verdicts(store).of(hit.topic)
        if (verdict.topic, verdict.article.id) in hits
    ]
    return ButtonState(
        acknowledged=handling.acknowledged.by if handling.acknowledged else "",
        claimed=handling.claimed.by if handling.claimed else "",
        muted=muted[0].by if muted else "",
        judged=verdicts[0].by if verdicts else "",
        verdict=verdicts[0].relevant if verdicts else None,
    )


@dataclass(frozen=True, slots=True)
class EditResult:
    """Whether Slack took the edited message, and what it answered if not."""

    done: bool
    detail: str = ""


async def edit(config: Config, store: Store, pressed: ButtonPress, options: SlackOptions) -> EditResult:
    """Show in the message what is done with its story. Raises StoreError."""
    if not may_answer(pressed.response_url, options.allow_private):
        return EditResult(False, "its response_url is not at Slack")
    body = edited(pressed, config.language, await state_of(config, store, pressed.story))
    if body is None:
        return EditResult(False, "the message has no buttons of this story")
    context = ReceiverContext(USER_AGENT, config.install, terminal())
    poster = Poster(Secret(pressed.response_url, "response_url"), options, context)
    answer = await poster.post(json.dumps(body).encode(), {"content-type": JSON_TYPE})
    if isinstance(answer, HttpAnswer):
        return EditResult(200 <= answer.status < 300, f"HTTP {answer.status}: {answer.text(100)}")
    return EditResult(False, answer.detail)
