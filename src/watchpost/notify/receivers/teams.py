"""Microsoft Teams: an Adaptive Card 1.4 for a workflow's address (learn.microsoft.com, "Create incoming webhooks").

Text is only in RichTextBlocks, whose runs Teams never reads as Markdown. Shapes: adaptivecards.io/explorer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from watchpost.model import Digest, Outcome, TryLater
from watchpost.notify.chat import Block, Chat, ChatFormat, ChatOptions, block_payloads, compact_json
from watchpost.notify.http import HttpAnswer, SecretUrl
from watchpost.notify.receiver import ReceiverKind
from watchpost.notify.render import rich_text
from watchpost.notify.render.limits import TEAMS
from watchpost.notify.render.rich_text import JOINER, Run, StoryText
from watchpost.notify.render.sanitize import cut, link

MOST_BYTES = 28_000
_CARD_TYPE = "application/vnd.microsoft.card.adaptive"
_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"


class TeamsOptions(ChatOptions):
    """`url`: the workflow's, a secret, because it contains a signature."""

    url: SecretUrl


def lay_out(digest: Digest) -> tuple[Digest, tuple[str, ...]]:
    """The digest as it is shown, and one to three payloads as compact JSON; the last says what does not fit."""
    return block_payloads(digest, TEAMS, story=_story, opening=_opening, closing=_closing, payload=_payload)


def plain_payload(text: str) -> str:
    """The text alone."""
    return compact_json(_payload("watchpost", [_rich((Run(line),)) for line in cut(text, 4000).split("\n") if line]))


def validate_teams(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Everything in a payload that Teams would refuse or read as markup."""
    size = len(compact_json(payload).encode())
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


def _story(story: StoryText) -> list[Block]:
    blocks = [_rich((Run(story.topic, bold=True),))] if story.topic else []
    blocks += [_rich(line, "None") for line in story.lines]
    return [blocks[0] | {"separator": True, "spacing": "Medium"}, *blocks[1:]]


def _opening(digest: Digest, number: int, of: int) -> list[Block]:
    lines = [_rich((Run(line),), "None") for line in rich_text.opening(digest, number, of)]
    if not (heading := rich_text.heading(digest, number, of)):
        return lines
    first = _rich((Run(heading, bold=True),))
    first["inlines"][0]["size"] = "Large"
    return [first, *lines]


def _closing(digest: Digest) -> list[Block]:
    return [_rich(line) for line in rich_text.closing(digest, TEAMS)]


def _rich(line: rich_text.Line, spacing: str = "Default") -> Block:
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": [_run(run) for run in line]}


def _run(run: Run) -> Block:
    inline: Block = {"type": "TextRun", "text": _literal(run.text)}
    inline |= {"weight": "Bolder"} if run.bold else {}
    return inline | ({"selectAction": {"type": "Action.OpenUrl", "url": run.url}} if run.url else {})


def _literal(text: str) -> str:
    """The text with its double braces apart: {{DATE(…)}} is the one thing that a card computes from text."""
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
    return {"type": "message", "summary": summary, "attachments": [{"contentType": _CARD_TYPE, "content": card}]}


def judge_teams(answer: HttpAnswer) -> Outcome | None:
    """Older connectors answer 200 to what they did not post, with the reason in the text."""
    text = answer.text(500)
    if 200 <= answer.status < 300 and "delivery failed with error" in text:
        reason = "rate_limited" if "429" in text else "server_error"
        return TryLater(reason, f"HTTP {answer.status}, but delivery failed")
    if 200 <= answer.status < 300 and isinstance(error := answer.json.get("error"), dict):
        return TryLater("server_error", f"HTTP {answer.status}, but an error: {str(error.get('code', ''))[:100]}")
    return None


# Teams refuses more than 4 requests a second.
FORMAT = ChatFormat(lay_out, plain_payload, validate_teams, TEAMS, judge_teams, pace=timedelta(seconds=0.5))


KIND = ReceiverKind(
    "teams", TeamsOptions, lambda name, options, context: Chat(name, options.url, FORMAT, options, context)
)
