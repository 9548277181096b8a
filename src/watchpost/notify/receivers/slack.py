"""The door to Slack: incoming webhooks (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks), or a bot.

Slack answers `ok` as plain text, and only that is a success. A webhook has no key to drop repeats by.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import regex
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from watchpost.config.fields import ADVANCED, Duration, Network, Secret
from watchpost.model import Delivered, Delivery, Digest, Message, Outcome, Refused, TryLater, Unknown
from watchpost.notify.http import HttpAnswer, NoAnswer, Poster, SecretUrl, TargetUrl, judge, retry_after
from watchpost.notify.receiver import DeliveryOptions, ReceiverContext, ReceiverKind
from watchpost.notify.render import packing, payload, plain, rich_text, sentences
from watchpost.notify.render.limits import SLACK, checked
from watchpost.notify.render.packing import pages
from watchpost.notify.render.sanitize import clean, cut, link

# the Slack edition: Block Kit payloads for an incoming webhook.
#
# Foreign text stands only in rich_text and plain_text, which Slack never reads as markup: no mention, no emoji
# code, no asterisk of a headline does anything. Limits: docs.slack.dev/reference/block-kit/blocks; and the sum
# of the blocks must stay far below the documented one (slackapi/bolt-js#2509, `msg_blocks_too_long`).


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
        payloads.append(_dump(_payload(rich_text.first_line(shown, number, len(found)), blocks)))
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
    return len(_dump(_payload(rich_text.first_line(digest, number, of), frame)).encode())


def _size(blocks: list[Block]) -> int:
    return sum(len(_dump(block).encode()) + 1 for block in blocks)


def _opening(digest: Digest, number: int, of: int) -> list[Block]:
    blocks: list[Block] = [{"type": "header", "text": _plain(rich_text.heading(digest, number, of))}]
    blocks += [_context(line) for line in rich_text.opening(digest, number)]
    return [*blocks, {"type": "divider"}] if digest.stories else blocks


def _closing(digest: Digest) -> list[Block]:
    lines = rich_text.closing(digest, SLACK)
    blocks = [_rich([_run(run) for run in line]) if line[0].url else _context(line[0].text) for line in lines]
    return [{"type": "divider"}, *blocks] if blocks and digest.stories else blocks


def _story(told: rich_text.StoryText) -> list[Block]:
    """One rich_text block, with its topic's line before it where the topic changes."""
    blocks = [_rich([_run(rich_text.Run(told.topic, bold=True))])] if told.topic else []
    parts = [_run(run) for run in told.lines[0]]
    for line in told.rest:
        parts += [_run(rich_text.Run("\n")), *(_run(run) for run in line)]
    return [*blocks, _rich(parts)]


def _payload(text: str, blocks: list[Block]) -> dict[str, Any]:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    payload: dict[str, Any] = {"text": escaped, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
    return payload | {"blocks": blocks} if blocks else payload


def _run(run: rich_text.Run) -> Block:
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


# The door to Slack's Web API (docs.slack.dev/reference/methods/chat.postMessage): what an incoming webhook cannot do.
#
# A bot's messages have a `ts`, so that what comes later about a story goes into the thread of its first message, and
# that message can be brought up to date. The `ts` is remembered by the store, not here.


_CONFIGURATION = timedelta(hours=1)
_BLOCKS_REFUSED_slack_bot = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"}
)
_THREAD_LOST = frozenset({"thread_not_found", "message_not_found", "cannot_reply_to_message"})
_CODES: dict[str, tuple[type[Refused] | type[TryLater], str]] = {
    **dict.fromkeys(("account_inactive", "token_revoked", "is_archived", "team_access_not_granted"), (Refused, "gone")),
    **dict.fromkeys(("no_text", *_BLOCKS_REFUSED_slack_bot), (Refused, "client_error")),
    **dict.fromkeys(("ratelimited", "rate_limited", "message_limit_exceeded"), (TryLater, "rate_limited")),
    **dict.fromkeys(
        ("internal_error", "fatal_error", "service_unavailable", "request_timeout"), (TryLater, "server_error")
    ),
}
"""What `error` means. Every other code is about the token, the channel or a right: people can cure it."""

Compose = Callable[[Digest], tuple[Message, ...]]


class SlackBot:
    """Posts into one channel with a bot's token. `compose` lays out one edition.

    `threads`: a thread for each story of an alert, of which at most `stories` are told.
    """

    def __init__(
        self,
        name: str,
        compose: Compose,
        *,
        api: Secret,
        token: Secret,
        channel: str,
        threads: bool,
        stories: int,
        user_agent: str,
        allow_private: tuple[Network, ...],
        timeout: timedelta,
        pace: timedelta,
    ) -> None:
        self.name = name
        self._compose = compose
        self._token = token
        self._channel = channel
        self._threads = threads
        self._stories = stories
        base = api.reveal().rstrip("/")
        self._methods = {
            method: Poster(Secret(f"{base}/{method}", api.origin), user_agent, allow_private, timeout, pace)
            for method in ("chat.postMessage", "chat.update")
        }

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """A digest as by webhook; an alert as one message per story, each in its story's thread."""
        if not self._threads or digest.kind != "alert" or not digest.stories:
            return self._compose(digest)
        alerts = payload.one_per_story(packing.limit_stories(digest, self._stories))
        return tuple(
            Message(
                part=f"{number}" if len(alerts) > 1 else "",
                subject=one.subject,
                renderings=one.renderings,
                thread=alert.stories[0].id,
                omitted=one.omitted,
            )
            for number, alert in enumerate(alerts, 1)
            for one in self._compose(alert)[:1]
        )

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt: into the thread that is remembered, or as its first message; plain if the blocks are refused."""
        channel, _, root = delivery.remembered.partition(" ")
        blocks: dict[str, Any] = json.loads(delivery.message.renderings["blocks"])
        sent, answer = await self._post(blocks, root)
        if root and _error(answer) in _THREAD_LOST:
            root = ""
            sent, answer = await self._post(blocks, root)
        if _error(answer) in _BLOCKS_REFUSED_slack_bot:
            why = _error(answer)
            blocks = json.loads(plain_payload(delivery.message.renderings["text"]))
            plain, answer = await self._post(blocks, root)
            if isinstance(plain, Refused):
                return sent
            sent = Delivered(f"as plain text; the blocks were refused ({why})") if _is_done(plain) else plain
        if not _is_done(sent) or not delivery.message.thread:
            return sent
        if root:
            return Delivered(f"{sent.detail}, in its thread{await self._update(blocks, channel, root)}")
        return Delivered(sent.detail, remember=_place(answer))

    async def close(self) -> None:
        """Close the connections."""
        for poster in self._methods.values():
            await poster.close()

    async def _update(self, blocks: dict[str, Any], channel: str, root: str) -> str:
        """The thread's first message shows how things stand. It failed? What there is to tell stands in the thread."""
        answer = await self._call("chat.update", blocks | {"channel": channel, "ts": root})
        return "" if _is_done(judge_api(answer)) else "; the first message stays as it was"

    async def _post(self, blocks: dict[str, Any], root: str) -> tuple[Outcome, HttpAnswer | NoAnswer]:
        thread = {"thread_ts": root} if root else {}
        answer = await self._call("chat.postMessage", blocks | {"channel": self._channel} | thread)
        return judge_api(answer, self._token), answer

    async def _call(self, method: str, body: dict[str, Any]) -> HttpAnswer | NoAnswer:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        headers = {
            "content-type": "application/json; charset=utf-8",
            "authorization": f"Bearer {self._token.reveal()}",
        }
        return await self._methods[method].post(text.encode(), headers)


def judge_api(answer: HttpAnswer | NoAnswer, *secrets: Secret) -> Outcome:
    """What an answer of the Web API means: it says `ok` in the body, whatever the status."""
    outcome = judge(answer, repeatable=False, secrets=secrets)
    if isinstance(answer, NoAnswer) or not isinstance(outcome, Delivered):
        return outcome
    said = _said(answer)
    if said.get("ok") is True:
        return Delivered(f"HTTP {answer.status}")
    error = _error(answer)
    if not error:
        if not answer.whole and not answer.body:
            return Unknown("timeout", "the answer broke off", repeatable=False)
        return Refused("client_error", f"HTTP {answer.status}, but no answer of Slack's")
    kind, reason = _CODES.get(error, (TryLater, "auth"))
    if kind is Refused:
        return Refused(reason, error)
    wait = retry_after(answer.headers.get("retry-after", ""), datetime.now(UTC))
    return TryLater(reason, error, _CONFIGURATION if reason == "auth" else wait)


def _is_done(outcome: Outcome) -> bool:
    return isinstance(outcome, Delivered)


def _said(answer: HttpAnswer | NoAnswer) -> dict[str, Any]:
    if isinstance(answer, HttpAnswer):
        with suppress(ValueError):
            said = json.loads(answer.body)
            if isinstance(said, dict):
                return said
    return {}


def _error(answer: HttpAnswer | NoAnswer) -> str:
    """Slack's code for what went wrong, "" if there is none."""
    error = _said(answer).get("error", "")
    return error[:60] if isinstance(error, str) and error.replace("_", "").isalnum() and error.isascii() else ""


def _place(answer: HttpAnswer | NoAnswer) -> str:
    """Channel and `ts` of the message that was posted, "" if Slack does not say."""
    said = _said(answer)
    channel, ts = said.get("channel"), said.get("ts")
    if isinstance(channel, str) and isinstance(ts, str) and channel.isalnum() and ts.replace(".", "").isdigit():
        return f"{channel} {ts}"
    return ""


_PACE = timedelta(seconds=1.1)  # Slack takes one message a second per channel
_BLOCKS_REFUSED = ("invalid_blocks", "msg_blocks_too_long", "invalid_payload")
_GONE = ("no_service", "channel_is_archived", "invalid_token", "no_team", "team_disabled")


class SlackOptions(DeliveryOptions):
    """Either `url`, the incoming webhook's, or a bot's `token` with a `channel`; `url` and `token` are secrets.

    `thread: story` puts what comes later about an alert's story into the thread of its first message. `max_stories`: at
    most so many in one edition. `api_url`: where Slack's methods are, for those with a Slack of their own.
    """

    url: SecretUrl | None = None
    token: Secret | None = None
    channel: Annotated[str, Field(pattern=r"^#?[^\s#<>&]{1,80}$")] = ""
    thread: Literal["story", "none"] = "none"
    api_url: Annotated[TargetUrl, ADVANCED] = Secret("https://slack.com/api", "literal")
    max_stories: Annotated[int, Field(ge=1, le=36)] = 36
    timeout: Annotated[Duration, Field(gt=timedelta(0), le=timedelta(minutes=5))] = timedelta(seconds=15)
    allow_private: tuple[Network, ...] = ()

    @model_validator(mode="after")
    def _webhook_or_bot(self) -> SlackOptions:
        if (self.url is None) == (self.token is None):
            raise PydanticCustomError(
                "slack_way", "give either the url of an incoming webhook, or a token and a channel"
            )
        if self.token is not None and not self.channel:
            raise PydanticCustomError("slack_channel", "a token needs a channel")
        if self.url is not None and (self.channel or self.thread == "story"):
            raise PydanticCustomError("slack_url", "a webhook has its own channel and no threads: those need a token")
        return self


def compose(digest: Digest, stories: int) -> tuple[Message, ...]:
    """One to three messages; part "1", "2", "3" if there are several. Raises UnfitError."""
    shown, laid = messages(packing.limit_stories(digest, stories))
    payloads = [checked(payload, validate_slack) for payload in laid]
    text = plain.plain(packing.limit_stories(shown, MAX_STORIES))
    return tuple(
        Message(
            part=str(number) if len(payloads) > 1 else "",
            subject=sentences.subject(shown),
            renderings={"blocks": blocks, "text": text if number == 1 else sentences.heading(shown)},
            omitted=shown.omitted,
        )
        for number, blocks in enumerate(payloads, 1)
    )


class Slack:
    """Posts blocks; where Slack does not like them, the same as plain text, once."""

    def __init__(self, name: str, options: SlackOptions, url: Secret, user_agent: str) -> None:
        self.name = name
        self._stories = options.max_stories
        self._secrets: tuple[Secret, ...] = (url,)
        self._poster = Poster(url, user_agent, options.allow_private, options.timeout, _PACE)

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """One to three messages."""
        return compose(digest, self._stories)

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt, and at most one more as plain text if the blocks are refused."""
        outcome, answer = await self._try(delivery.message.renderings["blocks"])
        if isinstance(outcome, Refused) and _says(answer) in _BLOCKS_REFUSED:
            fallback, _ = await self._try(plain_payload(delivery.message.renderings["text"]))
            if isinstance(fallback, Delivered):
                return Delivered(f"as plain text; the blocks were refused ({_says(answer)})")
            return outcome if isinstance(fallback, Refused) else fallback
        return outcome

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()

    async def _try(self, payload: str) -> tuple[Outcome, HttpAnswer | NoAnswer]:
        answer = await self._poster.post(payload.encode(), {"content-type": "application/json; charset=utf-8"})
        return self._judge(answer), answer

    def _judge(self, answer: HttpAnswer | NoAnswer) -> Outcome:
        outcome = judge(answer, repeatable=False, secrets=self._secrets)
        said = _says(answer)
        if isinstance(answer, NoAnswer):
            return outcome
        if said in _GONE:
            return Refused("gone", f"HTTP {answer.status}: {said}")
        if not isinstance(outcome, Delivered) or said == "ok":
            return outcome
        if not answer.whole and not said:
            return Unknown("timeout", "the answer broke off", repeatable=False)
        if said == "rate_limited":
            return TryLater("rate_limited", "HTTP 200: rate_limited")
        return Refused("client_error", f"HTTP {answer.status}, but not ok: {said[:100]}")


def _says(answer: HttpAnswer | NoAnswer) -> str:
    """Slack's word for what happened, "" if there is none."""
    if isinstance(answer, NoAnswer):
        return ""
    text = answer.body[:200].decode("utf-8", "replace").strip()
    return "".join(char for char in text if char.isprintable())


def _build(name: str, options: SlackOptions, context: ReceiverContext) -> Slack | SlackBot:
    if options.url is not None:
        return Slack(name, options, options.url, context.user_agent)
    assert options.token is not None  # noqa: S101  # the options were checked
    return SlackBot(
        name,
        lambda digest: compose(digest, options.max_stories),
        api=options.api_url,
        token=options.token,
        channel=options.channel,
        threads=options.thread == "story",
        stories=options.max_stories,
        user_agent=context.user_agent,
        allow_private=options.allow_private,
        timeout=options.timeout,
        pace=_PACE,
    )


KIND = ReceiverKind("slack", SlackOptions, _build, pace=timedelta(seconds=1))
