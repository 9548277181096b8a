"""Discord: a heading and one embed per story for a webhook (discord.com/developers/docs/resources/webhook).

Discord counts UTF-16 units. `allowed_mentions` is always empty, so that no headline notifies anybody.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from watchpost.model import Digest, Outcome, Refused, TryLater
from watchpost.notify.chat import Block, Chat, ChatFormat, ChatOptions, compact_json
from watchpost.notify.http import HttpAnswer, SecretUrl, wait_of
from watchpost.notify.receiver import ReceiverKind
from watchpost.notify.render import rich_text
from watchpost.notify.render.limits import DISCORD, DISCORD_CONTENT, DISCORD_TEXT, DISCORD_TITLE
from watchpost.notify.render.packing import pages
from watchpost.notify.render.rich_text import Run, StoryText, escape, markdown
from watchpost.notify.render.sanitize import cut

_KEYS = {"content", "embeds", "allowed_mentions"}
_COLOURS = {"low": 0x8A8A8A, "normal": 0x2B6CB0, "high": 0xC53030}
_MOST_EMBEDS, _MOST_UNITS = 10, 6000
_UNKNOWN_WEBHOOK, _INVALID_TOKEN = 10015, 50027


class DiscordOptions(ChatOptions):
    """`url`: the webhook's, a secret."""

    url: SecretUrl


def lay_out(digest: Digest) -> tuple[Digest, tuple[str, ...]]:
    """The digest as it is shown, and one to three payloads as compact JSON; the last says what does not fit."""
    shown, packed = pages(
        digest, DISCORD, form=_embed, cost=_units, frame=lambda shown, number, of: _units(_closing(shown))
    )
    colours = iter(_COLOURS[story.severity] for story in shown.stories)
    payloads = []
    for number, page in enumerate(packed, 1):
        embeds = [embed | {"color": next(colours)} for embed in page]
        if number == len(packed) and (closing := _closing(shown)):
            embeds.append(closing)
        payloads.append(compact_json(_payload(_content(shown, number, len(packed)), embeds)))
    return shown, tuple(payloads)


def plain_payload(text: str) -> str:
    """The text alone, literal, for when Discord refuses the embeds."""
    return compact_json(_payload(_escaped(text, DISCORD_CONTENT), []))


def validate_discord(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Everything in a payload that Discord would refuse, or that would notify people in the channel."""
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


def _check(embed: Block) -> Iterator[str]:
    for key, limit in (("title", DISCORD_TITLE), ("description", DISCORD_TEXT)):
        text = embed.get(key, "-")
        if not isinstance(text, str) or not 0 < DISCORD.measure(text) <= limit:
            yield f"{key} is empty or too long"
    if not embed.keys() & {"title", "description"} or embed.keys() - {"title", "description", "url", "color"}:
        yield f"keys {sorted(embed)}"
    if "url" in embed and not str(embed["url"]).startswith(("http://", "https://")):
        yield "link"


def _embed(story: StoryText) -> Block:
    embed: Block = {"title": _escaped("".join(run.text for run in story.lines[0]), DISCORD_TITLE)}
    if story.title.url:
        embed["url"] = story.title.url
    lines = [markdown((Run(story.topic, bold=True),))] if story.topic else []
    lines += map(markdown, story.rest)
    return embed | ({"description": "\n".join(lines)} if lines else {})


def _closing(digest: Digest) -> Block:
    lines = map(markdown, rich_text.closing(digest, DISCORD))
    return {"description": text} if (text := "\n".join(lines)) else {}


def _content(digest: Digest, number: int, of: int) -> str:
    heading = rich_text.heading(digest, number, of) or rich_text.first_line(digest, number, of)
    lines = [heading, *rich_text.opening(digest, number, of)]
    return "\n".join(_escaped(line, DISCORD_CONTENT // 4) for line in lines)


def _escaped(text: str, units: int) -> str:
    """The text escaped, and cut so that Discord counts at most so many units."""
    length = len(text)
    while (measured := DISCORD.measure(escaped := escape(cut(text, length)))) > units:
        length = min(length - 1, length * units // measured)
    return escaped


def _units(embed: Block) -> int:
    return sum(DISCORD.measure(str(embed.get(key, ""))) for key in ("title", "description"))


def _payload(content: str, embeds: list[Block]) -> dict[str, Any]:
    payload: dict[str, Any] = {"content": content, "allowed_mentions": {"parse": []}}
    return payload | ({"embeds": embeds} if embeds else {})


def judge_discord(answer: HttpAnswer) -> Outcome | None:
    """Discord's own codes: a webhook that is gone, and a wait with fractions of a second."""
    if answer.status >= 400 and answer.json.get("code") in (_UNKNOWN_WEBHOOK, _INVALID_TOKEN):
        return Refused("gone", f"HTTP {answer.status}: the webhook was deleted")
    wait = answer.json.get("retry_after")
    if answer.status == 429 and isinstance(wait, int | float) and wait >= 0 and math.isfinite(wait):
        return TryLater("rate_limited", "HTTP 429", wait_of(math.ceil(wait)))
    return None


FORMAT = ChatFormat(
    lay_out,
    plain_payload,
    validate_discord,
    DISCORD,
    judge_discord,
    pace=timedelta(seconds=0.5),  # Discord takes 5 messages in 2 seconds per webhook
    query="wait=true",  # it answers once the message is in the channel, not once the request is read
)


KIND = ReceiverKind(
    "discord", DiscordOptions, lambda name, options, context: Chat(name, options.url, FORMAT, options, context)
)
