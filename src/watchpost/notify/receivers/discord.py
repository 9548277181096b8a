"""The door to Discord: webhooks (discord.com/developers/docs/resources/webhook#execute-webhook)."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from datetime import timedelta
from typing import Any

from watchpost.model import Outcome, Refused, TryLater
from watchpost.notify.chat import Chat, ChatOptions, Form
from watchpost.notify.post import LONGEST_WAIT, Answer
from watchpost.notify.receiver import Kind, Workshop
from watchpost.notify.render import discord
from watchpost.notify.render.limits import DISCORD
from watchpost.plan.fields import Secret

_UNKNOWN_WEBHOOK, _INVALID_TOKEN = 10015, 50027


class DiscordOptions(ChatOptions):
    """`url`: the webhook's, a secret."""


def says(answer: Answer) -> Outcome | None:
    """Discord's own codes: a webhook that is gone, and a wait with fractions of a second."""
    with suppress(ValueError, UnicodeDecodeError):
        said: Any = json.loads(answer.body)
        if not isinstance(said, dict):
            return None
        if answer.status >= 400 and said.get("code") in (_UNKNOWN_WEBHOOK, _INVALID_TOKEN):
            return Refused("gone", f"HTTP {answer.status}: the webhook was deleted")
        wait = said.get("retry_after")
        if answer.status == 429 and isinstance(wait, int | float) and wait >= 0 and math.isfinite(wait):
            seconds = min(math.ceil(wait), LONGEST_WAIT.total_seconds())
            return TryLater("rate_limited", "HTTP 429", timedelta(seconds=seconds))
    return None


FORM = Form(
    messages=discord.messages,
    plain_payload=discord.plain_payload,
    validate=discord.validate_discord,
    limits=DISCORD,
    says=says,
    pace=timedelta(seconds=0.5),  # 5 messages in 2 s per webhook
)


def _build(name: str, options: DiscordOptions, workshop: Workshop) -> Chat:
    address = options.url.reveal()
    # With wait=true Discord answers when the message stands in the channel, not when it was read.
    waiting = Secret(f"{address}{'&' if '?' in address else '?'}wait=true", options.url.origin)
    return Chat(name, options, workshop.user_agent, FORM, waiting)


KIND = Kind("discord", DiscordOptions, _build)
