"""Still: the Slack edition: Block Kit payloads for an incoming webhook.

Foreign text stands only in rich_text and plain_text, which Slack never reads as markup: no mention, no emoji
code, no asterisk of a headline does anything. Limits: docs.slack.dev/reference/block-kit/blocks; and the sum
of the blocks must stay far below the documented one (slackapi/bolt-js#2509, `msg_blocks_too_long`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import regex

from watchpost.model import Digest
from watchpost.notify.render import runs
from watchpost.notify.render.foreign import clean, cut, link
from watchpost.notify.render.limits import SLACK
from watchpost.notify.render.packer import pages

MAX_BLOCKS = 45
MAX_BYTES = SLACK.size
MAX_MESSAGES = SLACK.messages
MAX_STORIES = SLACK.stories  # per message
_TEXT = 2000

Block = dict[str, Any]


def messages(digest: Digest) -> tuple[Digest, tuple[str, ...]]:
    """The digest as it is shown, and one to three payloads as compact JSON, each at most 45 blocks and 11,000 bytes.

    The rest is counted.
    """
    shown, found = pages(digest, SLACK, form=_story, cost=_size, frame=_frame)
    payloads = []
    for number, page in enumerate(found, 1):
        blocks = _opening(shown, number, len(found)) + [block for blocks in page for block in blocks]
        if number == len(found):
            blocks += _closing(shown)
        payloads.append(_dump(_payload(runs.first_line(shown, number, len(found)), blocks)))
    return shown, tuple(payloads)


def plain_payload(text: str) -> str:
    """The text alone, for when Slack refuses the blocks: literal, cut at 2,000 code points."""
    return _dump(_payload(cut(text, _TEXT), []))


def validate_slack(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Everything in a payload that Slack would refuse or that could act in a channel; empty if it is fit."""
    problems = [f"unknown key {key}" for key in payload.keys() - _KEYS]
    blocks, text = payload.get("blocks", []), payload.get("text")
    if not isinstance(text, str) or not text or len(text) > 5 * _TEXT:
        problems.append("text is empty or too long")
    elif "<" in text or ">" in text or regex.search(r"&(?!(amp|lt|gt);)", text):
        problems.append("text is not escaped")
    if payload.get("mrkdwn") is not False:
        problems.append("text is read as mrkdwn")
    if len(blocks) > MAX_BLOCKS:
        problems.append(f"{len(blocks)} blocks")
    if (size := len(_dump(payload).encode())) > MAX_BYTES:
        problems.append(f"{size} bytes")
    for index, block in enumerate(blocks):
        problems += [f"block {index}: {problem}" for problem in _check(block)]
    return tuple(problems)


_KEYS = {"text", "mrkdwn", "blocks", "unfurl_links", "unfurl_media"}


def _check(block: Block) -> Iterator[str]:
    match block:
        case {"type": "divider"}:
            pass
        case {"type": "header", "text": part}:
            yield from _check_plain(part, 150)
        case {"type": "context", "elements": [*parts]} if 1 <= len(parts) <= 10:
            for part in parts:
                yield from _check_plain(part, 2000)
        case {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [*parts]}]} if parts:
            for part in parts:
                match part:
                    case {"type": "text", "text": str(text)} if text:
                        pass
                    case {"type": "link", "url": str(url), "text": str(text)} if text:
                        if link(url) != url:
                            yield f"link {url!r}"
                    case _:
                        yield f"element {part}"
        case _:
            yield f"shape of {block.get('type')}"


def _check_plain(part: Any, limit: int) -> Iterator[str]:
    match part:
        case {"type": "plain_text", "text": str(text), "emoji": False} if 0 < len(text) <= limit:
            pass
        case _:
            yield f"plain_text {part}"


def _frame(digest: Digest, number: int, of: int) -> int:
    """How many bytes a page takes without its stories."""
    frame = _opening(digest, number, of) + _closing(digest)
    return len(_dump(_payload(runs.first_line(digest, number, of), frame)).encode())


def _size(blocks: list[Block]) -> int:
    return sum(len(_dump(block).encode()) + 1 for block in blocks)


def _opening(digest: Digest, number: int, of: int) -> list[Block]:
    blocks: list[Block] = [{"type": "header", "text": _plain(runs.heading(digest, number, of))}]
    blocks += [_context(line) for line in runs.opening(digest, number)]
    return [*blocks, {"type": "divider"}] if digest.stories else blocks


def _closing(digest: Digest) -> list[Block]:
    lines = runs.closing(digest, SLACK)
    blocks = [_rich([_run(run) for run in line]) if line[0].url else _context(line[0].text) for line in lines]
    return [{"type": "divider"}, *blocks] if blocks and digest.stories else blocks


def _story(told: runs.Told) -> list[Block]:
    """One rich_text block, with its topic's line before it where the topic changes."""
    blocks = [_rich([_run(runs.Run(told.topic, bold=True))])] if told.topic else []
    parts = [_run(run) for run in told.lines[0]]
    for line in told.rest:
        parts += [_run(runs.Run("\n")), *(_run(run) for run in line)]
    return [*blocks, _rich(parts)]


def _payload(text: str, blocks: list[Block]) -> dict[str, Any]:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    payload: dict[str, Any] = {"text": escaped, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
    return payload | {"blocks": blocks} if blocks else payload


def _run(run: runs.Run) -> Block:
    style = {"style": {"bold": True}} if run.bold else {}
    if run.url:
        return {"type": "link", "url": run.url, "text": run.text} | style
    return {"type": "text", "text": run.text} | style


def _rich(parts: list[Block]) -> Block:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": parts}]}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [_plain(clean(text, 900))]}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
