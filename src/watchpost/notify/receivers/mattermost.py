"""The door to Mattermost: incoming webhooks (developers.mattermost.com/integrate/webhooks/incoming)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import regex

from watchpost.model import Digest, Outcome, Refused, Unknown
from watchpost.notify.chat import Chat, ChatFormat, ChatOptions
from watchpost.notify.http import HttpAnswer
from watchpost.notify.receiver import ReceiverContext, ReceiverKind
from watchpost.notify.render import rich_text
from watchpost.notify.render.limits import MATTERMOST
from watchpost.notify.render.packing import pages
from watchpost.notify.render.rich_text import escape, markdown
from watchpost.notify.render.sanitize import cut

# the Mattermost edition: one text in Markdown (developers.mattermost.com, "Incoming webhooks").


_MOST = 16_383
_MENTION = regex.compile(r"(?<![\w\\])@\w|<!")


def messages(digest: Digest) -> tuple[Digest, tuple[str, ...]]:
    """The digest as it is shown, and one to three payloads as compact JSON; the last counts what does not fit."""
    shown, found = pages(digest, MATTERMOST, form=_story, cost=len, frame=_frame)
    payloads = []
    for number, page in enumerate(found, 1):
        parts = [_opening(shown, number, len(found)), *page, _closing(shown) if number == len(found) else ""]
        payloads.append(_dump("\n\n".join(part for part in parts if part)))
    return shown, tuple(payloads)


def plain_payload(text: str) -> str:
    """The text alone, literal."""
    return _dump("\n".join(escape(line) for line in cut(text, _MOST // 4).split("\n")))


def validate_mattermost(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Everything in a payload that Mattermost would refuse or that could call somebody; empty if it is fit."""
    problems = [f"unknown key {key}" for key in payload.keys() - {"text"}]
    text = payload.get("text")
    if not isinstance(text, str) or not 0 < MATTERMOST.measure(text) <= _MOST:
        problems.append("text is empty or too long")
    elif _MENTION.search(text):
        problems.append("somebody is called")
    return tuple(problems)


def _story(told: rich_text.StoryText) -> str:
    topic = (f"**{escape(told.topic)}**",) if told.topic else ()
    return "\n".join((*topic, *map(markdown, told.lines)))


def _opening(digest: Digest, number: int, of: int) -> str:
    lines = (f"#### {escape(rich_text.heading(digest, number, of))}", *map(escape, rich_text.opening(digest, number)))
    return "\n".join(lines)


def _closing(digest: Digest) -> str:
    return "\n".join(map(markdown, rich_text.closing(digest, MATTERMOST)))


def _frame(digest: Digest, number: int, of: int) -> int:
    return len(_opening(digest, number, of)) + len(_closing(digest)) + 4 + 2 * MATTERMOST.stories


def _dump(text: str) -> str:
    return json.dumps({"text": text}, ensure_ascii=False, separators=(",", ":"))


class MattermostOptions(ChatOptions):
    """`url`: the incoming webhook's, a secret."""


def says(answer: HttpAnswer) -> Outcome | None:
    """Only the text `ok` is a success: a proxy's sign-in page has status 200 too."""
    if not 200 <= answer.status < 300:
        return None
    text = answer.body[:100].decode("utf-8", "replace").strip()
    if text == "ok":
        return None
    if not answer.whole and not text:
        return Unknown("timeout", "the answer broke off", repeatable=False)
    shown = "".join(char for char in text if char.isprintable())
    return Refused("client_error", f"HTTP {answer.status}, but not ok: {shown}")


FORM = ChatFormat(
    messages=messages,
    plain_payload=plain_payload,
    validate=validate_mattermost,
    limits=MATTERMOST,
    says=says,
    pace=timedelta(seconds=0.2),
)


def _build(name: str, options: MattermostOptions, context: ReceiverContext) -> Chat:
    return Chat(name, options, context.user_agent, FORM)


KIND = ReceiverKind("mattermost", MattermostOptions, _build)
