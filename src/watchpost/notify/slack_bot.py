"""The door to Slack's Web API (docs.slack.dev/reference/methods/chat.postMessage): what an incoming webhook cannot do.

A bot's messages have a `ts`, so that what comes later about a story goes into the thread of its first message, and
that message can be brought up to date. The `ts` is remembered by the store, not here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from watchpost.model import Delivered, Delivery, Digest, Message, Outcome, Refused, TryLater, Unknown
from watchpost.notify.post import Answer, NoAnswer, Poster, judge, retry_after
from watchpost.notify.render import payload, slack, words
from watchpost.plan.fields import Network, Secret

_CONFIGURATION = timedelta(hours=1)
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

    def compose(self, digest: Digest) -> tuple[Message, ...]:
        """A digest as by webhook; an alert as one message per story, each in its story's thread."""
        if not self._threads or digest.kind != "alert" or not digest.stories:
            return self._compose(digest)
        alerts = payload.hits(words.shorten(digest, self._stories))
        return tuple(
            Message(
                part=f"{number}" if len(alerts) > 1 else "",
                subject=one.subject,
                editions=one.editions,
                thread=alert.stories[0].id,
                omitted=one.omitted,
            )
            for number, alert in enumerate(alerts, 1)
            for one in self._compose(alert)[:1]
        )

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt: into the thread that is remembered, or as its first message; plain if the blocks are refused."""
        channel, _, root = delivery.remembered.partition(" ")
        blocks: dict[str, Any] = json.loads(delivery.message.editions["blocks"])
        sent, answer = await self._post(blocks, root)
        if root and _error(answer) in _THREAD_LOST:
            root = ""
            sent, answer = await self._post(blocks, root)
        if _error(answer) in _BLOCKS_REFUSED:
            why = _error(answer)
            blocks = json.loads(slack.plain_payload(delivery.message.editions["text"]))
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

    async def _post(self, blocks: dict[str, Any], root: str) -> tuple[Outcome, Answer | NoAnswer]:
        thread = {"thread_ts": root} if root else {}
        answer = await self._call("chat.postMessage", blocks | {"channel": self._channel} | thread)
        return judge_api(answer, self._token), answer

    async def _call(self, method: str, body: dict[str, Any]) -> Answer | NoAnswer:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        headers = {
            "content-type": "application/json; charset=utf-8",
            "authorization": f"Bearer {self._token.reveal()}",
        }
        return await self._methods[method].post(text.encode(), headers)


def judge_api(answer: Answer | NoAnswer, *secrets: Secret) -> Outcome:
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


def _said(answer: Answer | NoAnswer) -> dict[str, Any]:
    if isinstance(answer, Answer):
        with suppress(ValueError):
            said = json.loads(answer.body)
            if isinstance(said, dict):
                return said
    return {}


def _error(answer: Answer | NoAnswer) -> str:
    """Slack's code for what went wrong, "" if there is none."""
    error = _said(answer).get("error", "")
    return error[:60] if isinstance(error, str) and error.replace("_", "").isalnum() and error.isascii() else ""


def _place(answer: Answer | NoAnswer) -> str:
    """Channel and `ts` of the message that was posted, "" if Slack does not say."""
    said = _said(answer)
    channel, ts = said.get("channel"), said.get("ts")
    if isinstance(channel, str) and isinstance(ts, str) and channel.isalnum() and ts.replace(".", "").isdigit():
        return f"{channel} {ts}"
    return ""
