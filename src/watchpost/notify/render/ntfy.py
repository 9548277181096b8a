"""Still: the ntfy edition: its JSON publish form (docs.ntfy.sh/publish), which no header encoding can spoil."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from watchpost.model import SEVERITIES, Digest
from watchpost.notify.render import words
from watchpost.notify.render.brief import brief, shorten
from watchpost.notify.render.foreign import names
from watchpost.notify.render.limits import NTFY, NTFY_TAGS, NTFY_TITLE

_PRIORITY = {"low": 2, "normal": 3, "high": 4}  # 5 rings through "do not disturb": that is not ours to decide
_TAGS = 5
_MOST = 4096


def message(digest: Digest, topic: str, title: str = "", text: str = "") -> tuple[int, str]:
    """How many stories are only counted, and the payload as compact JSON: one notification.

    `title` and `text`, where given, stand instead of ours.
    """
    told = brief(digest, NTFY, NTFY_TITLE)
    severity = max((story.severity for story in digest.stories), key=SEVERITIES.index, default="low")
    tags, _ = names((words.home(story).name.replace(",", " ") for story in digest.stories), _TAGS, 40)
    payload: dict[str, Any] = {
        "topic": topic,
        "title": shorten(title, NTFY, NTFY_TITLE) or told.title,
        "message": shorten(text, NTFY, NTFY.size) or told.text,
        "priority": _PRIORITY[severity],
    }
    payload |= {"tags": list(tags)} if tags else {}
    payload |= {"click": told.click} if told.click else {}
    omitted = digest.omitted if text else told.omitted
    return omitted, json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def validate_ntfy(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Everything in a payload that ntfy would refuse or turn into an attachment; empty if it is fit."""
    problems = [
        f"unknown key {key}" for key in payload.keys() - {"topic", "title", "message", "priority", "tags", "click"}
    ]
    for key, limit in (("title", 1024), ("message", _MOST)):
        text = payload.get(key)
        if not isinstance(text, str) or not 0 < len(text.encode()) <= limit:
            problems.append(f"{key} is empty or too long")
    if len(",".join(payload.get("tags", ())).encode()) > NTFY_TAGS:
        problems.append("tags are too long")
    if payload.get("priority") not in (1, 2, 3, 4, 5):
        problems.append("no priority")
    return tuple(problems)
