"""Pure: the requests that Slack sends when somebody presses a button, and the message as it is afterwards.

Sources: docs.slack.dev/authentication/verifying-requests-from-slack (the signature),
docs.slack.dev/reference/interaction-payloads/block_actions-payload (the request),
docs.slack.dev/interactivity/handling-user-interaction (the answer within 3 seconds, and `response_url`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlsplit

from watchpost.config.fields import Network
from watchpost.notify.render.sanitize import clean
from watchpost.notify.render.slack_buttons import ACTION, BUTTONS, STATE, Block, ButtonState, buttons

PATH = "/slack/actions"
WINDOW = timedelta(minutes=5)
"""How far the time of a request may be from ours: a request that somebody recorded is of no use later."""

RESPONSE_HOST = "hooks.slack.com"
_LONGEST_STORY = 200
_MOST_BLOCKS = 50  # of one message


@dataclass(frozen=True, slots=True)
class ButtonPress:
    """A button that somebody pressed: whose name, which story, which action, and the message with its address."""

    by: str
    story: str
    action: str
    response_url: str
    message: Mapping[str, Any]


def is_signed(secret: str, timestamp: str, signature: str, body: bytes, now: datetime) -> bool:
    """Whether Slack sent this body within the last five minutes: `v0=` and HMAC-SHA256 of "v0:TIMESTAMP:BODY"."""
    if not secret or not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    if abs(int(timestamp) - int(now.timestamp())) > WINDOW.total_seconds():
        return False
    expected = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={expected}".encode(), signature.encode("utf-8", "replace"))


def read_press(body: bytes) -> ButtonPress | None:
    """The button that a signed body reports; None for any other interaction, such as with another app's blocks."""
    try:
        (text,) = parse_qs(body.decode(), max_num_fields=10)["payload"]
        payload = json.loads(text)
        if payload["type"] != "block_actions":
            return None
        (pressed, *_), user = payload["actions"], payload["user"]
        story, action = str(pressed["value"]), str(pressed["action_id"])
        by = clean(str(user.get("name") or user.get("username") or user["id"]), 60)
        message = payload.get("message") or {}
        if not isinstance(message, dict) or not action.startswith(ACTION) or len(story) > _LONGEST_STORY:
            return None
        response_url = str(payload.get("response_url", ""))
        return ButtonPress(f"{by} (Slack)", story, action.removeprefix(ACTION), response_url, message)
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        return None


def may_answer(url: str, allow_private: Sequence[Network]) -> bool:
    """Whether the edited message may be sent there: to Slack, or to a bare address in a permitted private network."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if "@" in parts.netloc:
        return False
    if parts.scheme == "https" and parts.hostname == RESPONSE_HOST:
        return port in (None, 443)
    try:
        address = ip_address(parts.hostname or "")
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and any(address in network for network in allow_private)


def edited(press: ButtonPress, language: str, state: ButtonState | None) -> dict[str, Any] | None:
    """What replaces the message at its `response_url`; None if the message has no buttons of this story.

    `state` None: the story is no longer kept, so its buttons go.
    """
    blocks = press.message.get("blocks")
    if not isinstance(blocks, list) or not any(_id(block) == f"{BUTTONS}{press.story}" for block in blocks):
        return None
    after: list[Block] = []
    for block in blocks:
        if _id(block) == f"{STATE}{press.story}":
            continue
        if _id(block) != f"{BUTTONS}{press.story}":
            after.append(block)
        elif state is not None:
            after += buttons(press.story, language, state)
    after = _within(after)
    return {"replace_original": True, "text": str(press.message.get("text", ""))[:4000] or " ", "blocks": after}


def _within(blocks: list[Block]) -> list[Block]:
    """As many blocks as one message may have: lines about other stories go first, from the end."""
    spare = len(blocks) - _MOST_BLOCKS
    for index in range(len(blocks) - 1, -1, -1):
        if spare > 0 and _id(blocks[index]).startswith(STATE):
            del blocks[index]
            spare -= 1
    return blocks[:_MOST_BLOCKS]


def _id(block: Any) -> str:
    return str(block.get("block_id", "")) if isinstance(block, dict) else ""
