"""Chats with incoming webhooks: payloads that are checked before they are stored, posted once, then as plain text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from watchpost.config.fields import Secret
from watchpost.model import Delivered, Delivery, Digest, Message, Outcome, Refused, TryLater, Unknown
from watchpost.notify.http import JSON_TYPE, OPERATOR_WAIT, HttpAnswer, HttpOptions, NoAnswer, Poster, judge, judge_page
from watchpost.notify.receiver import ReceiverContext
from watchpost.notify.render import plain, rich_text, sentences
from watchpost.notify.render.limits import Limits, checked
from watchpost.notify.render.packing import limit_stories, pages

Block = dict[str, Any]


class ChatOptions(HttpOptions):
    """`max_stories`: the most stories that one digest shows."""

    max_stories: Annotated[int, Field(ge=1, le=90)] = 36


def _is_payload_refused(answer: HttpAnswer) -> bool:
    return answer.status in (400, 413, 422)


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """What differs between the chats.

    `lay_out` gives the digest with the stories that fit, and its payloads (JSON). `plain_payload` is the payload of a
    text alone, `validate` names everything that the chat would refuse. `judge` returns an outcome where the chat says
    more than the HTTP status, else None. `is_payload_refused` tells whether the payload is at fault. `query` is added
    to the URL.
    """

    lay_out: Callable[[Digest], tuple[Digest, tuple[str, ...]]]
    plain_payload: Callable[[str], str]
    validate: Callable[[Mapping[str, Any]], tuple[str, ...]]
    limits: Limits
    judge: Callable[[HttpAnswer], Outcome | None]
    pace: timedelta
    is_payload_refused: Callable[[HttpAnswer], bool] = _is_payload_refused
    query: str = ""


class Chat:
    """Posts a digest in the chat's format; if the chat refuses that, the same once as plain text."""

    def __init__(
        self, name: str, url: Secret, form: ChatFormat, options: ChatOptions, context: ReceiverContext
    ) -> None:
        self.name = name
        self._form = form
        self._max_stories = options.max_stories
        self._secrets = (url,)
        if form.query:
            address = url.reveal_or("")
            url = Secret(f"{address}{'&' if '?' in address else '?'}{form.query}", url.origin, url.why_absent)
        self._poster = Poster(url, options, context, form.pace)

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """One message or several; their parts are "1", "2", …. Raises UnfitError for what the chat would refuse."""
        return render_messages(digest, self._form, self._max_stories, self._renderings)

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt, and one more as plain text if the chat refuses the payload."""
        payload, plain_payload = self._payloads(delivery.message.renderings)
        outcome, answer = await self._post(payload)
        if isinstance(answer, NoAnswer) or not isinstance(outcome, Refused):
            return outcome
        if not self._form.is_payload_refused(answer):
            return outcome
        second, _ = await self._post(plain_payload)
        if isinstance(second, Delivered):
            return Delivered(f"as plain text; the payload was refused ({outcome.detail})")
        return outcome if isinstance(second, Refused) else second

    def _renderings(self, payload: str, text: str) -> dict[str, str]:
        return {"json": payload, "plain": self._form.plain_payload(text)}

    def _payloads(self, renderings: Mapping[str, str]) -> tuple[str, str]:
        return renderings["json"], renderings["plain"]

    async def _post(self, payload: str) -> tuple[Outcome, HttpAnswer | NoAnswer]:
        answer = await self._poster.post(payload.encode(), {"content-type": JSON_TYPE})
        outcome = self._form.judge(answer) if isinstance(answer, HttpAnswer) else None
        outcome = outcome or judge_page(answer)
        return outcome or judge(answer, repeatable=False, secrets=self._secrets), answer


def render_messages(
    digest: Digest, form: ChatFormat, max_stories: int, renderings: Callable[[str, str], dict[str, str]]
) -> tuple[Message, ...]:
    """The digest's messages. `renderings(payload, text)` names the texts of one of them. Raises UnfitError."""
    shown, payloads = form.lay_out(limit_stories(digest, max_stories))
    text = plain.plain(limit_stories(shown, form.limits.stories))
    return tuple(
        Message(
            part=str(number) if len(payloads) > 1 else "",
            subject=sentences.subject(shown),
            renderings=renderings(checked(payload, form.validate), text if number == 1 else sentences.heading(shown)),
            omitted=shown.omitted,
            named=shown.named[number - 1] if len(shown.named) == len(payloads) else None,
        )
        for number, payload in enumerate(payloads, 1)
    )


def block_payloads(
    digest: Digest,
    limits: Limits,
    *,
    story: Callable[[rich_text.StoryText], list[Block]],
    opening: Callable[[Digest, int, int], list[Block]],
    closing: Callable[[Digest], list[Block]],
    payload: Callable[[str, list[Block]], dict[str, Any]],
) -> tuple[Digest, tuple[str, ...]]:
    """The layout of a chat whose messages are lists of blocks: the digest as it is shown, and its payloads.

    `opening(digest, number, of)` begins each message, `closing` ends the last; `payload` takes its first line, too.
    """

    def size(blocks: list[Block]) -> int:
        return sum(len(compact_json(block).encode()) + 1 for block in blocks)

    def message(shown: Digest, number: int, of: int, blocks: list[Block], end: list[Block]) -> str:
        first_line = rich_text.first_line(shown, number, of)
        return compact_json(payload(first_line, [*opening(shown, number, of), *blocks, *end]))

    def frame(shown: Digest, number: int, of: int) -> int:
        return len(message(shown, number, of, [], closing(shown)).encode())

    shown, packed = pages(digest, limits, form=story, cost=size, frame=frame)
    payloads = []
    for number, page in enumerate(packed, 1):
        end = closing(shown) if number == len(packed) else []
        payloads.append(message(shown, number, len(packed), [block for blocks in page for block in blocks], end))
    return shown, tuple(payloads)


def judge_ok(answer: HttpAnswer) -> Outcome | None:
    """For chats that speak Slack: `ok`, `{"ok": true}` (workflows), `{"success": true}` (Rocket.Chat), or nothing.

    An error in a body with status 200 counts (docs.rocket.chat, core.telegram.org/bots/api#making-requests). What is
    none of these comes from something in between, and says nothing about the message.
    """
    text = answer.text(200)
    if not 200 <= answer.status < 300 or text == "ok":
        return None
    said = [answer.json[word] for word in ("ok", "success") if isinstance(answer.json.get(word), bool)]
    if said and all(said):
        return None
    if not text:
        return None if answer.whole else Unknown("timeout", "the answer broke off", repeatable=False)
    detail = f"HTTP {answer.status}, but not ok: {text[:100]}"
    code = answer.json.get("error_code")
    if said and isinstance(code, int) and 400 <= code < 600:
        return judge(replace(answer, status=code, headers=_with_retry_after(answer)), repeatable=False)
    if said:
        return TryLater("server_error", detail)
    return TryLater("auth", detail, OPERATOR_WAIT)


def _with_retry_after(answer: HttpAnswer) -> Mapping[str, str]:
    """The headers with the wait that the body asks for."""
    parameters = answer.json.get("parameters")
    wait = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return answer.headers if not isinstance(wait, int) else {"retry-after": str(wait)}


def compact_json(value: Any) -> str:
    """The value as JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
