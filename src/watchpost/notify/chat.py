"""What the chats with incoming webhooks share: a payload that is checked, posted once, and once more as plain text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from watchpost.config.fields import Duration, Network, Secret
from watchpost.model import Delivered, Delivery, Digest, Message, Outcome, Refused
from watchpost.notify.http import HttpAnswer, NoAnswer, Poster, SecretUrl, judge
from watchpost.notify.receiver import DeliveryOptions
from watchpost.notify.render import packing, plain, sentences
from watchpost.notify.render.limits import Limits, checked

_PAYLOAD_REFUSED = (400, 413, 422)


class ChatOptions(DeliveryOptions):
    """`url`: the incoming webhook's, a secret. `max_stories`: at most so many in one edition."""

    url: SecretUrl
    max_stories: Annotated[int, Field(ge=1, le=90)] = 36
    timeout: Annotated[Duration, Field(gt=timedelta(0), le=timedelta(minutes=5))] = timedelta(seconds=15)
    allow_private: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """A chat's own: how an edition becomes one that fits and its payloads (JSON), how they are checked, what it takes.

    `says(answer)` is an outcome where the chat knows better than the HTTP status, else None.
    """

    messages: Callable[[Digest], tuple[Digest, tuple[str, ...]]]
    plain_payload: Callable[[str], str]
    validate: Callable[[Mapping[str, Any]], tuple[str, ...]]
    limits: Limits
    says: Callable[[HttpAnswer], Outcome | None]
    pace: timedelta


class Chat:
    """Posts an edition in the chat's form; where the chat does not like it, the same as plain text, once."""

    def __init__(
        self, name: str, options: ChatOptions, user_agent: str, form: ChatFormat, url: Secret | None = None
    ) -> None:
        self.name = name
        self._form = form
        self._stories = options.max_stories
        self._secrets = (options.url,)
        self._poster = Poster(url or options.url, user_agent, options.allow_private, options.timeout, form.pace)

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """One message or more; part "1", "2", … if there are several. Raises UnfitError for what would be refused."""
        shown, laid = self._form.messages(packing.limit_stories(digest, self._stories))
        payloads = [checked(payload, self._form.validate) for payload in laid]
        text = plain.plain(packing.limit_stories(shown, self._form.limits.stories))
        return tuple(
            Message(
                part=str(number) if len(payloads) > 1 else "",
                subject=sentences.subject(shown),
                renderings={
                    "json": payload,
                    "plain": self._form.plain_payload(text if number == 1 else sentences.heading(shown)),
                },
                omitted=shown.omitted,
            )
            for number, payload in enumerate(payloads, 1)
        )

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt, and at most one more as plain text if the payload is refused."""
        outcome, status = await self._try(delivery.message.renderings["json"])
        if not isinstance(outcome, Refused) or status not in _PAYLOAD_REFUSED:
            return outcome
        second, _ = await self._try(delivery.message.renderings["plain"])
        if isinstance(second, Delivered):
            return Delivered(f"as plain text; the payload was refused ({outcome.detail})")
        return outcome if isinstance(second, Refused) else second

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()

    async def _try(self, payload: str) -> tuple[Outcome, int]:
        answer = await self._poster.post(payload.encode(), {"content-type": "application/json; charset=utf-8"})
        if isinstance(answer, NoAnswer):
            return judge(answer, repeatable=False, secrets=self._secrets), 0
        said = self._form.says(answer)
        return said or judge(answer, repeatable=False, secrets=self._secrets), answer.status
