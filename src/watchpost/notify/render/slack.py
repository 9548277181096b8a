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

from watchpost.model import Digest, Story
from watchpost.notify.render import words
from watchpost.notify.render.foreign import clean, cut, direction, link, marked, pieces

MAX_BLOCKS = 45
MAX_BYTES = 11_000
MAX_MESSAGES = 3
MAX_STORIES = 12  # per message
_TITLE, _QUOTE, _URL, _TEXT = 150, 240, 1000, 2000
_HIGHLIGHTS = 10  # per story: each costs some 100 bytes
_ROOM = 300  # bytes: "Not shown" comes in when stories are left over

Block = dict[str, Any]


def messages(digest: Digest) -> tuple[str, ...]:
    """One to three payloads as compact JSON, each at most 45 blocks and 11,000 bytes; the rest is counted."""
    pages = _pack(digest)
    shown = words.shorten(digest, sum(len(page) for page in pages))
    payloads = []
    for number, page in enumerate(pages, 1):
        blocks = _opening(shown, number, len(pages)) + [block for blocks in page for block in blocks]
        if number == len(pages):
            blocks += _closing(shown)
        payloads.append(_dump(_payload(_first_line(shown, number, len(pages)), blocks)))
    return tuple(payloads)


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


def _pack(digest: Digest) -> list[list[list[Block]]]:
    """Stories as blocks, in pages that fit; a page always takes at least one story."""
    pages: list[list[list[Block]]] = [[]]
    room, above = _room(digest, 1), ""
    for number, story in enumerate(digest.stories, 1):
        one = _story(digest, story, number, above)
        if pages[-1] and (_size(one) > room or len(pages[-1]) == MAX_STORIES):
            if len(pages) == MAX_MESSAGES:
                break
            pages.append([])
            room = _room(digest, len(pages))
            one = _story(digest, story, number, "")
        if _size(one) > room:
            one = _story(digest, story, number, "", brief=True)
        pages[-1].append(one)
        room, above = room - _size(one), words.home(story).name
    return pages


def _room(digest: Digest, number: int) -> int:
    """How many bytes a page has for its stories."""
    frame = _opening(digest, number, MAX_MESSAGES) + _closing(digest)
    return MAX_BYTES - _ROOM - len(_dump(_payload(_first_line(digest, number, MAX_MESSAGES), frame)).encode())


def _size(blocks: list[Block]) -> int:
    return sum(len(_dump(block).encode()) + 1 for block in blocks)


def _opening(digest: Digest, number: int, of: int) -> list[Block]:
    mark = f" ({number}/{of})" if of > 1 else ""
    blocks: list[Block] = [{"type": "header", "text": _plain(cut(words.heading(digest), 140) + mark)}]
    if number == 1 and digest.kind == "digest":
        told = f" · {words.summary(digest)}" if digest.stories else ""
        blocks.append(_context(words.dateline(digest) + told))
        if late := words.lateness(digest):
            blocks.append(_context(late))
    return [*blocks, {"type": "divider"}] if digest.stories else blocks


def _closing(digest: Digest) -> list[Block]:
    lines = (words.not_shown(digest), cut(words.not_read(digest, 5), 400))
    blocks = [_context(line) for line in lines if line]
    if 0 < len(url := words.pages_link(digest)) <= _URL:
        blocks.append(_rich([{"type": "link", "url": url, "text": words.speak(digest).open}]))
    return [{"type": "divider"}, *blocks] if blocks and digest.stories else blocks


def _story(digest: Digest, story: Story, number: int, above: str, *, brief: bool = False) -> list[Block]:
    """One rich_text block, with its topic's line before it where the topic changes; `brief`: one line only."""
    home = words.home(story)
    blocks = [] if home.name == above else [_rich([_text(cut(words.title(home), 80).upper(), bold=True)])]
    alert = words.severity(digest, story) + " · " if digest.kind == "alert" else ""
    parts = [_text(f"{number}  {alert}"), _text(f"{words.status(digest, story)}  ", bold=True)]
    parts.append(_title(story))
    if brief or story.status == "continuing":
        return [*blocks, _rich([*parts, _text(f" ({words.source_count(digest, story)})")])]
    parts.append(_text(f"\n{words.byline(digest, story)}"))
    if runs := pieces(marked(story.snippet, _QUOTE), _HIGHLIGHTS):
        parts += [_text("\n"), *(_text(run, bold=lit) for run, lit in runs)]
    others, more = words.also(story)
    also = ", ".join([words.other(story, report) for report in others] + ([f"+{more}"] if more else []))
    say, reasons = words.speak(digest), cut(words.why(story), 300)
    last = words.listed(
        (say.why.format(words=reasons) if reasons else "", say.also.format(outlets=also) if also else "")
    )
    return [*blocks, _rich([*parts, _text(f"\n{last}")] if last else parts)]


def _title(story: Story) -> Block:
    title = words.headline(story.lead, _TITLE)
    if direction(title) == "rtl":
        title = f"\u2068{title}\u2069"  # first strong isolate: the line around it keeps its order
    url = link(story.lead.url, _URL)
    if not url:
        return _text(title, bold=True)
    return {"type": "link", "url": url, "text": title, "style": {"bold": True}}


def _first_line(digest: Digest, number: int, of: int) -> str:
    """The notification: what a telephone shows and a screen reader reads."""
    top = ""
    if digest.stories:
        top = ". " + words.speak(digest).top.format(title=words.headline(digest.stories[0].lead, _TITLE))
    return words.heading(digest) + (f" ({number}/{of})" if of > 1 else "") + top


def _payload(text: str, blocks: list[Block]) -> dict[str, Any]:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    payload: dict[str, Any] = {"text": escaped, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
    return payload | {"blocks": blocks} if blocks else payload


def _text(text: str, *, bold: bool = False) -> Block:
    return {"type": "text", "text": text} | ({"style": {"bold": True}} if bold else {})


def _rich(parts: list[Block]) -> Block:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": parts}]}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [_plain(clean(text, 900))]}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
