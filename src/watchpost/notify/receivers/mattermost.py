"""Mattermost: one text in Markdown for an incoming webhook (developers.mattermost.com/integrate/webhooks/incoming)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import regex

from watchpost.model import Digest
from watchpost.notify.chat import Chat, ChatFormat, ChatOptions, compact_json, judge_ok
from watchpost.notify.http import SecretUrl
from watchpost.notify.receiver import ReceiverKind
from watchpost.notify.render import rich_text
from watchpost.notify.render.limits import MATTERMOST
from watchpost.notify.render.packing import pages
from watchpost.notify.render.rich_text import StoryText, escape, markdown
from watchpost.notify.render.sanitize import cut

_LONGEST_POST = 16_383
_MENTION = regex.compile(r"(?<![\w\\])@\w|<!")


class MattermostOptions(ChatOptions):
    """`url`: the incoming webhook's, a secret."""

    url: SecretUrl


def lay_out(digest: Digest) -> tuple[Digest, tuple[str, ...]]:
    """The digest as it is shown, and one to three payloads as compact JSON; the last says what does not fit."""
    shown, packed = pages(digest, MATTERMOST, form=_story, cost=len, frame=_frame)
    payloads = []
    for number, page in enumerate(packed, 1):
        parts = [_opening(shown, number, len(packed)), *page, _closing(shown) if number == len(packed) else ""]
        payloads.append(compact_json({"text": "\n\n".join(part for part in parts if part)}))
    return shown, tuple(payloads)


def plain_payload(text: str) -> str:
    """The text alone, literal."""
    return compact_json({"text": "\n".join(escape(line) for line in cut(text, _LONGEST_POST // 4).split("\n"))})


def validate_mattermost(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Everything in a payload that Mattermost would refuse, or that would notify people in the channel."""
    problems = [f"unknown key {key}" for key in payload.keys() - {"text"}]
    text = payload.get("text")
    if not isinstance(text, str) or not 0 < MATTERMOST.measure(text) <= _LONGEST_POST:
        problems.append("the text is empty or too long")
    elif _MENTION.search(text):
        problems.append("the text mentions somebody")
    return tuple(problems)


def _story(story: StoryText) -> str:
    topic = (f"**{escape(story.topic)}**",) if story.topic else ()
    return "\n".join((*topic, *map(markdown, story.lines)))


def _opening(digest: Digest, number: int, of: int) -> str:
    heading = rich_text.heading(digest, number, of)
    lines = map(escape, rich_text.opening(digest, number, of))
    return "\n".join([f"#### {escape(heading)}", *lines] if heading else lines)


def _closing(digest: Digest) -> str:
    return "\n".join(map(markdown, rich_text.closing(digest, MATTERMOST)))


def _frame(digest: Digest, number: int, of: int) -> int:
    return len(_opening(digest, number, of)) + len(_closing(digest)) + 4 + 2 * MATTERMOST.stories


FORMAT = ChatFormat(lay_out, plain_payload, validate_mattermost, MATTERMOST, judge_ok, pace=timedelta(seconds=0.2))


KIND = ReceiverKind(
    "mattermost", MattermostOptions, lambda name, options, context: Chat(name, options.url, FORMAT, options, context)
)
