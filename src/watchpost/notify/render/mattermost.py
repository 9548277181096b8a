"""Still: the Mattermost edition: one text in Markdown (developers.mattermost.com, "Incoming webhooks")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import regex

from watchpost.model import Digest
from watchpost.notify.render import runs
from watchpost.notify.render.foreign import cut
from watchpost.notify.render.limits import MATTERMOST
from watchpost.notify.render.markdown import escape, write
from watchpost.notify.render.packer import pages

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


def _story(told: runs.Told) -> str:
    topic = (f"**{escape(told.topic)}**",) if told.topic else ()
    return "\n".join((*topic, *map(write, told.lines)))


def _opening(digest: Digest, number: int, of: int) -> str:
    lines = (f"#### {escape(runs.heading(digest, number, of))}", *map(escape, runs.opening(digest, number)))
    return "\n".join(lines)


def _closing(digest: Digest) -> str:
    return "\n".join(map(write, runs.closing(digest, MATTERMOST)))


def _frame(digest: Digest, number: int, of: int) -> int:
    return len(_opening(digest, number, of)) + len(_closing(digest)) + 4 + 2 * MATTERMOST.stories


def _dump(text: str) -> str:
    return json.dumps({"text": text}, ensure_ascii=False, separators=(",", ":"))
