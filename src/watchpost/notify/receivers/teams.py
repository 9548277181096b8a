"""The door to Microsoft Teams: the address of a workflow that posts cards ("Workflows", template "webhook alerts")."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from watchpost.model import Digest, Outcome, TryLater
from watchpost.notify.chat import Chat, ChatFormat, ChatOptions
from watchpost.notify.http import HttpAnswer
from watchpost.notify.receiver import ReceiverContext, ReceiverKind
from watchpost.notify.render import rich_text
from watchpost.notify.render.limits import TEAMS
from watchpost.notify.render.packing import pages
from watchpost.notify.render.rich_text import JOINER
from watchpost.notify.render.sanitize import cut, link

# the Teams edition: an Adaptive Card 1.4 for a "Workflows" address (adaptivecards.io/explorer).
#
# Text stands in RichTextBlock only, whose runs are never read as Markdown.


MOST_BYTES = 28_000
_CARD = "application/vnd.microsoft.card.adaptive"
_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"

Block = dict[str, Any]


def messages(digest: Digest) -> tuple[Digest, tuple[str, ...]]:
    """The digest as it is shown, and one to three payloads as compact JSON; the last counts what does not fit."""
    shown, found = pages(digest, TEAMS, form=_story, cost=_size, frame=_frame)
    payloads = []
    for number, page in enumerate(found, 1):
        body = _opening(shown, number, len(found)) + [block for blocks in page for block in blocks]
        if number == len(found):
            body += _closing(shown)
        payloads.append(_dump(_payload(rich_text.first_line(shown, number, len(found)), body)))
    return shown, tuple(payloads)


def plain_payload(text: str) -> str:
    """The text alone."""
    return _dump(_payload("watchpost", [_rich((rich_text.Run(line),)) for line in cut(text, 4000).split("\n") if line]))


def validate_teams(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Everything in a payload that Teams would refuse or read as marks; empty if it is fit."""
    size = len(_dump(payload).encode())
    problems = [f"{size} bytes"] if size > MOST_BYTES else []
    match payload:
        case {
            "type": "message",
            "attachments": [
                {
                    "contentType": "application/vnd.microsoft.card.adaptive",
                    "content": {"type": "AdaptiveCard", "version": "1.4", "body": [*body]},
                }
            ],
        } if body:
            for index, block in enumerate(body):
                problems += [f"block {index}: {problem}" for problem in _check(block)]
        case _:
            problems.append("not a message with one card")
    return tuple(problems)


def _check(block: Block) -> Iterator[str]:
    match block:
        case {"type": "RichTextBlock", "inlines": [*inlines]} if inlines:
            for inline in inlines:
                match inline:
                    case {"type": "TextRun", "text": str(text)} if text and "{{" not in text:
                        url = inline.get("selectAction", {}).get("url", "https://example.org/")
                        if link(url) != url:
                            yield f"link {url!r}"
                    case _:
                        yield f"inline {inline}"
        case _:
            yield f"shape of {block.get('type')}"


def _story(told: rich_text.StoryText) -> list[Block]:
    blocks = [_rich((rich_text.Run(told.topic, bold=True),))] if told.topic else []
    blocks += [_rich(line, "None") for line in told.lines]
    return [blocks[0] | {"separator": True, "spacing": "Medium"}, *blocks[1:]]


def _opening(digest: Digest, number: int, of: int) -> list[Block]:
    first = _rich((rich_text.Run(rich_text.heading(digest, number, of), bold=True),))
    first["inlines"][0]["size"] = "Large"
    return [first, *(_rich((rich_text.Run(line),), "None") for line in rich_text.opening(digest, number))]


def _closing(digest: Digest) -> list[Block]:
    return [_rich(line) for line in rich_text.closing(digest, TEAMS)]


def _frame(digest: Digest, number: int, of: int) -> int:
    body = _opening(digest, number, of) + _closing(digest)
    return len(_dump(_payload(rich_text.first_line(digest, number, of), body)).encode())


def _size(blocks: list[Block]) -> int:
    return sum(len(_dump(block).encode()) + 1 for block in blocks)


def _rich(line: rich_text.Line, spacing: str = "Default") -> Block:
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": [_run(run) for run in line]}


def _run(run: rich_text.Run) -> Block:
    inline: Block = {"type": "TextRun", "text": _literal(run.text)}
    inline |= {"weight": "Bolder"} if run.bold else {}
    return inline | ({"selectAction": {"type": "Action.OpenUrl", "url": run.url}} if run.url else {})


def _literal(text: str) -> str:
    """{{DATE(…)}} is the one thing that a card computes from text: its braces are put apart."""
    return text.replace("{{", f"{{{JOINER}{{").replace("{{", f"{{{JOINER}{{")


def _payload(summary: str, body: list[Block]) -> dict[str, Any]:
    summary = _literal(summary)
    card = {
        "$schema": _SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": summary,
        "body": body,
        "msteams": {"width": "Full"},
    }
    return {"type": "message", "summary": summary, "attachments": [{"contentType": _CARD, "content": card}]}


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class TeamsOptions(ChatOptions):
    """`url`: the workflow's, a secret, for it holds a signature."""


def says(answer: HttpAnswer) -> Outcome | None:
    """The older connectors say 200 to what they did not post, and why in the text."""
    text = answer.body[:500].decode("utf-8", "replace")
    if 200 <= answer.status < 300 and "delivery failed with error" in text:
        limited = "429" in text
        return TryLater("rate_limited" if limited else "server_error", f"HTTP {answer.status}, but delivery failed")
    return None


FORM = ChatFormat(
    messages=messages,
    plain_payload=plain_payload,
    validate=validate_teams,
    limits=TEAMS,
    says=says,
    pace=timedelta(seconds=0.5),  # above 4 requests a second Teams refuses
)


def _build(name: str, options: TeamsOptions, context: ReceiverContext) -> Chat:
    return Chat(name, options, context.user_agent, FORM)


KIND = ReceiverKind("teams", TeamsOptions, _build)
