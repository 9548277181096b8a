"""The door to Discord: webhooks (discord.com/developers/docs/resources/webhook#execute-webhook)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from watchpost.config.fields import Secret
from watchpost.model import Digest, Outcome, Refused, TryLater
from watchpost.notify.chat import Chat, ChatFormat, ChatOptions
from watchpost.notify.http import LONGEST_WAIT, HttpAnswer
from watchpost.notify.receiver import ReceiverContext, ReceiverKind
from watchpost.notify.render import rich_text
from watchpost.notify.render.limits import DISCORD, DISCORD_CONTENT, DISCORD_TEXT, DISCORD_TITLE
from watchpost.notify.render.packing import pages
from watchpost.notify.render.rich_text import escape, markdown
from watchpost.notify.render.sanitize import cut

# the Discord edition: a heading and one embed per story (discord.com/developers/docs/resources/message).
#
# Discord counts UTF-16 units. `allowed_mentions` is always empty: whatever a headline says, nobody is called.


_KEYS = {"content", "embeds", "allowed_mentions"}
_COLOURS = {"low": 0x8A8A8A, "normal": 0x2B6CB0, "high": 0xC53030}
_MOST_EMBEDS, _MOST_UNITS = 10, 6000

Embed = dict[str, Any]


def messages(digest: Digest) -> tuple[Digest, tuple[str, ...]]:
    """The digest as it is shown, and one to three payloads as compact JSON; the last counts what does not fit."""
    shown, found = pages(digest, DISCORD, form=_embed, cost=_units, frame=lambda one, number, of: _units(_end(one)))
    colours = [_COLOURS[story.severity] for story in shown.stories]
    payloads, told = [], 0
    for number, page in enumerate(found, 1):
        embeds = [embed | {"color": colour} for embed, colour in zip(page, colours[told:], strict=False)]
        told += len(page)
        if number == len(found) and (end := _end(shown)):
            embeds.append(end)
        payloads.append(_dump(_payload(_content(shown, number, len(found)), embeds)))
    return shown, tuple(payloads)


def plain_payload(text: str) -> str:
    """The text alone, literal, for when Discord refuses the embeds."""
    return _dump(_payload(_fit(text, DISCORD_CONTENT), []))


def validate_discord(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Everything in a payload that Discord would refuse or that could call somebody; empty if it is fit."""
    problems = [f"unknown key {key}" for key in payload.keys() - _KEYS]
    if payload.get("allowed_mentions") != {"parse": []}:
        problems.append("mentions are allowed")
    content, embeds = payload.get("content"), payload.get("embeds", [])
    if not isinstance(content, str) or not 0 < DISCORD.measure(content) <= DISCORD_CONTENT:
        problems.append("content is empty or too long")
    if len(embeds) > _MOST_EMBEDS:
        problems.append(f"{len(embeds)} embeds")
    if (units := sum(map(_units, embeds))) > _MOST_UNITS:
        problems.append(f"{units} units in all embeds")
    for index, embed in enumerate(embeds):
        problems += [f"embed {index}: {problem}" for problem in _check(embed)]
    return tuple(problems)


def _check(embed: Embed) -> Iterator[str]:
    for key, limit in (("title", DISCORD_TITLE), ("description", DISCORD_TEXT)):
        text = embed.get(key, "-")
        if not isinstance(text, str) or not 0 < DISCORD.measure(text) <= limit:
            yield f"{key} is empty or too long"
    if not embed.keys() & {"title", "description"} or embed.keys() - {"title", "description", "url", "color"}:
        yield f"keys {sorted(embed)}"
    if "url" in embed and not str(embed["url"]).startswith(("http://", "https://")):
        yield "link"


def _embed(told: rich_text.StoryText) -> Embed:
    head = "".join(run.text for run in told.lines[0])
    embed: Embed = {"title": _fit(head, DISCORD_TITLE)}
    if told.title.url:
        embed["url"] = told.title.url
    lines = [markdown((rich_text.Run(told.topic, bold=True),))] if told.topic else []
    lines += [markdown(line) for line in told.rest]
    return embed | ({"description": "\n".join(lines)} if lines else {})


def _end(digest: Digest) -> Embed:
    lines = [markdown(line) for line in rich_text.closing(digest, DISCORD)]
    return {"description": "\n".join(lines)} if lines else {}


def _content(digest: Digest, number: int, of: int) -> str:
    lines = [rich_text.heading(digest, number, of), *rich_text.opening(digest, number)]
    return "\n".join(_fit(line, DISCORD_CONTENT // 4) for line in lines)


def _fit(text: str, units: int) -> str:
    """The text escaped and cut, so that Discord counts at most so many units."""
    limit = len(text)
    while DISCORD.measure(found := escape(cut(text, limit))) > units:
        limit = min(limit - 1, limit * units // DISCORD.measure(found))
    return found


def _units(embed: Embed) -> int:
    return sum(DISCORD.measure(str(embed.get(key, ""))) for key in ("title", "description"))


def _payload(content: str, embeds: list[Embed]) -> dict[str, Any]:
    payload: dict[str, Any] = {"content": content, "allowed_mentions": {"parse": []}}
    return payload | ({"embeds": embeds} if embeds else {})


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_UNKNOWN_WEBHOOK, _INVALID_TOKEN = 10015, 50027


class DiscordOptions(ChatOptions):
    """`url`: the webhook's, a secret."""


def says(answer: HttpAnswer) -> Outcome | None:
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


FORM = ChatFormat(
    messages=messages,
    plain_payload=plain_payload,
    validate=validate_discord,
    limits=DISCORD,
    says=says,
    pace=timedelta(seconds=0.5),  # 5 messages in 2 s per webhook
)


def _build(name: str, options: DiscordOptions, context: ReceiverContext) -> Chat:
    address = options.url.reveal()
    # With wait=true Discord answers when the message stands in the channel, not when it was read.
    waiting = Secret(f"{address}{'&' if '?' in address else '?'}wait=true", options.url.origin)
    return Chat(name, options, context.user_agent, FORM, waiting)


KIND = ReceiverKind("discord", DiscordOptions, _build)
