"""Slack: blocks for an incoming webhook, or for a bot, which can also put messages into threads.

Foreign text is only in rich_text and plain_text, which Slack never reads as markup: no mention, emoji code or asterisk
of a headline has an effect. Limits: docs.slack.dev/reference/block-kit/blocks. All blocks together must stay far below
the documented size (github.com/slackapi/bolt-js/issues/2509, `msg_blocks_too_long`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Literal

import regex
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from watchpost.config.fields import ADVANCED, HeaderSecret, Secret, shaped
from watchpost.model import Delivered, Delivery, Digest, Message, Outcome, Refused, TryLater, Unknown
from watchpost.notify.chat import (
    Block,
    Chat,
    ChatFormat,
    ChatOptions,
    block_payloads,
    compact_json,
    judge_ok,
    render_messages,
)
from watchpost.notify.http import (
    JSON_TYPE,
    OPERATOR_WAIT,
    HttpAnswer,
    NoAnswer,
    Poster,
    SecretUrl,
    TargetUrl,
    judge,
    retry_after,
)
from watchpost.notify.receiver import ReceiverContext, ReceiverKind
from watchpost.notify.render import payload, rich_text
from watchpost.notify.render.limits import SLACK
from watchpost.notify.render.packing import limit_stories
from watchpost.notify.render.rich_text import Run, StoryText
from watchpost.notify.render.sanitize import clean, cut, link
from watchpost.notify.render.slack_buttons import buttons, check_buttons

MOST_BLOCKS = 45
_CHANNEL_FORM = r"^#?[^\s#<>&]{1,80}$"
_CHANNEL_PROBLEM = "is no channel; write its name like #newsroom, or its id"
_WITH_BUTTONS = 9  # stories in a message: each has up to three blocks, and a line on what was done takes a fourth
_LONGEST_TEXT = 2000
_KEYS = {"text", "mrkdwn", "blocks", "unfurl_links", "unfurl_media"}


class SlackOptions(ChatOptions):
    """Either `url`, the incoming webhook's, or a bot's `token` with a `channel`; `url` and `token` are secrets.

    `thread: story` puts later alerts about a story into the thread of its first message. `max_stories`: the most
    stories that one digest shows. `api_url`: where Slack's methods are, for a Slack of your own. `signing_secret`: that
    of the Slack app; with it alerts have buttons.
    """

    url: SecretUrl | None = None
    token: HeaderSecret | None = None
    channel: Annotated[str, Field(pattern=_CHANNEL_FORM), shaped(_CHANNEL_FORM, _CHANNEL_PROBLEM)] = ""
    thread: Literal["story", "none"] = "none"
    signing_secret: HeaderSecret | None = None
    api_url: Annotated[TargetUrl, ADVANCED] = Secret("https://slack.com/api", "literal")
    max_stories: Annotated[int, Field(ge=1, le=36)] = 36

    @model_validator(mode="after")
    def _check_webhook_or_bot(self) -> SlackOptions:
        if (self.url is None) == (self.token is None):
            raise PydanticCustomError(
                "slack_way", "give either the url of an incoming webhook, or a token and a channel"
            )
        if self.token is not None and not self.channel:
            raise PydanticCustomError("slack_channel", "a token needs a channel")
        if self.url is not None and (self.channel or self.thread == "story"):
            raise PydanticCustomError("slack_url", "a webhook has its own channel and no threads: those need a token")
        return self


# ── the layout, of webhook and bot alike ──


def lay_out(digest: Digest) -> tuple[Digest, tuple[str, ...]]:
    """The digest as it is shown, and one to three payloads as compact JSON; the last says what does not fit."""
    if not digest.buttons:
        return block_payloads(digest, SLACK, story=_story, opening=_opening, closing=_closing, payload=_payload)

    def story(text: StoryText) -> list[Block]:
        return [*_story(text), *buttons(text.id, digest.language)]

    limits = replace(SLACK, stories=_WITH_BUTTONS)
    return block_payloads(digest, limits, story=story, opening=_opening, closing=_closing, payload=_payload)


def with_buttons(digest: Digest, options: SlackOptions) -> Digest:
    """The digest with buttons, if it is an alert and the receiver has a signing secret."""
    return replace(digest, buttons=digest.kind == "alert" and options.signing_secret is not None)


def plain_payload(text: str) -> str:
    """The text alone, literal, for when Slack refuses the blocks."""
    return compact_json(_payload(cut(text, _LONGEST_TEXT), []))


def validate_slack(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Everything in a payload that Slack would refuse, or that would have an effect in the channel."""
    problems = [f"unknown key {key}" for key in payload.keys() - _KEYS]
    blocks, text = payload.get("blocks", []), payload.get("text")
    if not isinstance(text, str) or not text or len(text) > 5 * _LONGEST_TEXT:
        problems.append("text is empty or too long")
    elif "<" in text or ">" in text or regex.search(r"&(?!(amp|lt|gt);)", text):
        problems.append("text is not escaped")
    if payload.get("mrkdwn") is not False:
        problems.append("text is read as mrkdwn")
    if len(blocks) > MOST_BLOCKS:
        problems.append(f"{len(blocks)} blocks")
    if (size := len(compact_json(payload).encode())) > SLACK.size:
        problems.append(f"{size} bytes")
    for index, block in enumerate(blocks):
        problems += [f"block {index}: {problem}" for problem in _check(block)]
    return tuple(problems)


def _check(block: Block) -> Iterator[str]:
    match block:
        case {"type": "divider"}:
            pass
        case {"type": "actions"}:
            yield from check_buttons(block)
        case {"type": "header", "text": element}:
            yield from _check_plain(element, 150)
        case {"type": "context", "elements": [*elements]} if 1 <= len(elements) <= 10:
            for element in elements:
                yield from _check_plain(element, 2000)
        case {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [*elements]}]} if elements:
            for element in elements:
                match element:
                    case {"type": "text", "text": str(text)} if text:
                        pass
                    case {"type": "link", "url": str(url), "text": str(text)} if text:
                        if link(url) != url:
                            yield f"link {url!r}"
                    case _:
                        yield f"element {element}"
        case _:
            yield f"shape of {block.get('type')}"


def _check_plain(element: Any, limit: int) -> Iterator[str]:
    match element:
        case {"type": "plain_text", "text": str(text), "emoji": False} if 0 < len(text) <= limit:
            pass
        case _:
            yield f"plain_text {element}"


def _opening(digest: Digest, number: int, of: int) -> list[Block]:
    heading = rich_text.heading(digest, number, of)
    blocks: list[Block] = [{"type": "header", "text": _plain(heading)}] if heading else []
    blocks += [_context(line) for line in rich_text.opening(digest, number, of)]
    return [*blocks, {"type": "divider"}] if blocks and digest.stories else blocks


def _closing(digest: Digest) -> list[Block]:
    lines = rich_text.closing(digest, SLACK)
    blocks = [_rich([_run(run) for run in line]) if line[0].url else _context(line[0].text) for line in lines]
    return [{"type": "divider"}, *blocks] if blocks and digest.stories else blocks


def _story(story: StoryText) -> list[Block]:
    """One rich_text block, after a line with its topic where that changes."""
    blocks = [_rich([_run(Run(story.topic, bold=True))])] if story.topic else []
    elements = [_run(run) for run in story.lines[0]]
    for line in story.rest:
        elements += [_run(Run("\n")), *map(_run, line)]
    return [*blocks, _rich(elements)]


def _payload(text: str, blocks: list[Block]) -> dict[str, Any]:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    payload: dict[str, Any] = {"text": escaped, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
    return payload | {"blocks": blocks} if blocks else payload


def _run(run: Run) -> Block:
    style = {"style": {"bold": True}} if run.bold else {}
    if run.url:
        return {"type": "link", "url": run.url, "text": run.text} | style
    return {"type": "text", "text": run.text} | style


def _rich(elements: list[Block]) -> Block:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [_plain(clean(text, 900))]}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _renderings(blocks: str, text: str) -> dict[str, str]:
    return {"blocks": blocks, "text": text}


# ── the webhook (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks) ──

_GONE = ("no_service", "channel_is_archived", "invalid_token", "no_team", "team_disabled")
_OF_THE_MESSAGE = ("no_text", "invalid_payload", "invalid_blocks", "msg_blocks_too_long", "too_many_attachments")


class Slack(Chat):
    """An incoming webhook. It answers `ok` as plain text, and has no key by which it would drop repeats."""

    def __init__(self, name: str, url: Secret, options: SlackOptions, context: ReceiverContext) -> None:
        super().__init__(name, url, FORMAT, options, context)
        self._options = options

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """One message or several; alerts with buttons, if there is a signing secret."""
        return super().render(with_buttons(digest, self._options))

    def _renderings(self, payload: str, text: str) -> dict[str, str]:
        return _renderings(payload, text)

    def _payloads(self, renderings: Mapping[str, str]) -> tuple[str, str]:
        return renderings["blocks"], plain_payload(renderings["text"])


def judge_webhook(answer: HttpAnswer) -> Outcome | None:
    """The webhook's own words, whatever the status."""
    word = answer.text(200)
    if word in _GONE:
        return Refused("gone", f"HTTP {answer.status}: {word}")
    if word == "rate_limited" and 200 <= answer.status < 300:
        return TryLater("rate_limited", f"HTTP {answer.status}: rate_limited")
    if word in _OF_THE_MESSAGE:
        return Refused("client_error", f"HTTP {answer.status}: {word}")
    return judge_ok(answer)


def _are_blocks_refused(answer: HttpAnswer) -> bool:
    return answer.text(200) in ("invalid_blocks", "msg_blocks_too_long", "invalid_payload")


FORMAT = ChatFormat(
    lay_out,
    plain_payload,
    validate_slack,
    SLACK,
    judge_webhook,
    pace=timedelta(seconds=1.1),  # Slack takes one message a second per channel
    is_payload_refused=_are_blocks_refused,
)


# ── the bot (docs.slack.dev/reference/methods/chat.postMessage) ──

_BLOCKS_REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})
_THREAD_LOST = frozenset({"thread_not_found", "message_not_found", "cannot_reply_to_message"})
_CODES: dict[str, tuple[type[Refused] | type[TryLater], str]] = {
    **dict.fromkeys(("account_inactive", "token_revoked", "is_archived", "team_access_not_granted"), (Refused, "gone")),
    **dict.fromkeys(("no_text", *_BLOCKS_REFUSED), (Refused, "client_error")),
    **dict.fromkeys(("ratelimited", "rate_limited", "message_limit_exceeded"), (TryLater, "rate_limited")),
    **dict.fromkeys(
        ("internal_error", "fatal_error", "service_unavailable", "request_timeout"), (TryLater, "server_error")
    ),
}
"""The outcome of each `error`. Every other one is about the token, the channel or a right: an operator can mend it."""


class SlackBot:
    """Posts into one channel with a bot's token; with `thread: story`, each story of an alert has a thread.

    A bot's messages have a `ts`. The store remembers it, so that later alerts about the story go into the thread of
    its first message, and that message can be updated.
    """

    def __init__(self, name: str, token: Secret, options: SlackOptions, context: ReceiverContext) -> None:
        self.name = name
        self._token = token
        self._options = options
        base = options.api_url.reveal_or("").rstrip("/")
        self._methods = {
            method: Poster(
                Secret(f"{base}/{method}", options.api_url.origin, options.api_url.why_absent),
                options,
                context,
                FORMAT.pace,
            )
            for method in ("chat.postMessage", "chat.update")
        }

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """A digest as for the webhook; an alert as one message per story, each in its story's thread."""
        digest, most = with_buttons(digest, self._options), self._options.max_stories
        if self._options.thread == "none" or digest.kind != "alert" or not digest.stories:
            return render_messages(digest, FORMAT, most, _renderings)
        alerts = payload.one_per_story(limit_stories(digest, most))
        messages = [render_messages(alert, FORMAT, most, _renderings)[0] for alert in alerts]
        return tuple(
            Message(
                part=f"{number}" if len(alerts) > 1 else "",
                subject=message.subject,
                renderings=message.renderings,
                thread=alert.stories[0].id,
                omitted=message.omitted,
                named=message.named,
            )
            for number, (alert, message) in enumerate(zip(alerts, messages, strict=True), 1)
        )

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt: into the remembered thread, or as its first message; as plain text if the blocks are refused."""
        channel, _, root = delivery.remembered.partition(" ")
        blocks: dict[str, Any] = json.loads(delivery.message.renderings["blocks"])
        outcome, answer = await self._post(blocks, root)
        if root and _error(answer) in _THREAD_LOST:
            root = ""
            outcome, answer = await self._post(blocks, root)
        if (refusal := _error(answer)) in _BLOCKS_REFUSED:
            blocks = json.loads(plain_payload(delivery.message.renderings["text"]))
            second, answer = await self._post(blocks, root)
            if isinstance(second, Refused):
                return outcome
            outcome = second
            if isinstance(second, Delivered):
                outcome = Delivered(f"as plain text; the blocks were refused ({refusal})")
        if not isinstance(outcome, Delivered) or not delivery.message.thread:
            return outcome
        if root:
            return Delivered(f"{outcome.detail}, in its thread{await self._update(blocks, channel, root)}")
        return Delivered(outcome.detail, remember=_place(answer))

    async def _update(self, blocks: dict[str, Any], channel: str, root: str) -> str:
        """Show the latest state in the thread's first message. If that fails, the thread still has everything."""
        answer = await self._call("chat.update", blocks | {"channel": channel, "ts": root})
        return "" if isinstance(judge_api(answer), Delivered) else "; the first message stays as it was"

    async def _post(self, blocks: dict[str, Any], root: str) -> tuple[Outcome, HttpAnswer | NoAnswer]:
        thread = {"thread_ts": root} if root else {}
        answer = await self._call("chat.postMessage", blocks | {"channel": self._options.channel} | thread)
        return judge_api(answer, self._token), answer

    async def _call(self, method: str, body: dict[str, Any]) -> HttpAnswer | NoAnswer:
        headers = {"content-type": JSON_TYPE, "authorization": f"Bearer {self._token.reveal()}"}
        return await self._methods[method].post(compact_json(body).encode(), headers)


def judge_api(answer: HttpAnswer | NoAnswer, *secrets: Secret) -> Outcome:
    """What an answer of the Web API means: `ok` in the body decides, whatever the status."""
    outcome = judge(answer, repeatable=False, secrets=secrets)
    if isinstance(answer, NoAnswer) or not isinstance(outcome, Delivered):
        return outcome
    if answer.json.get("ok") is True:
        return Delivered(f"HTTP {answer.status}")
    error = _error(answer)
    if not error:
        if not answer.whole and not answer.body:
            return Unknown("timeout", "the answer broke off", repeatable=False)
        return TryLater("auth", f"HTTP {answer.status}, but not an answer from Slack", OPERATOR_WAIT)
    kind, reason = _CODES.get(error, (TryLater, "auth"))
    if kind is Refused:
        return Refused(reason, error)
    return TryLater(reason, error, OPERATOR_WAIT if reason == "auth" else retry_after(answer))


def _error(answer: HttpAnswer | NoAnswer) -> str:
    """Slack's code for what went wrong; "" if there is none."""
    error = answer.json.get("error") if isinstance(answer, HttpAnswer) else None
    return error[:60] if isinstance(error, str) and error.replace("_", "").isalnum() and error.isascii() else ""


def _place(answer: HttpAnswer | NoAnswer) -> str:
    """Channel and `ts` of the message that was posted; "" if the answer lacks them."""
    fields = answer.json if isinstance(answer, HttpAnswer) else {}
    channel, ts = fields.get("channel"), fields.get("ts")
    if isinstance(channel, str) and isinstance(ts, str) and channel.isalnum() and ts.replace(".", "").isdigit():
        return f"{channel} {ts}"
    return ""


def _build(name: str, options: SlackOptions, context: ReceiverContext) -> Slack | SlackBot:
    if options.url is not None:
        return Slack(name, options.url, options, context)
    assert options.token is not None  # noqa: S101  # SlackOptions checks that
    return SlackBot(name, options.token, options, context)


KIND = ReceiverKind("slack", SlackOptions, _build, pace=timedelta(seconds=1))
