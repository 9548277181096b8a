"""The door to Slack: incoming webhooks (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks), or a bot.

Slack answers `ok` as plain text, and only that is a success. A webhook has no key to drop repeats by.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from watchpost.model import Delivered, Delivery, Digest, Message, Outcome, Refused, TryLater, Unknown
from watchpost.notify.post import Answer, NoAnswer, Poster, SecretUrl, TargetUrl, judge
from watchpost.notify.receiver import DeliveryOptions, Kind, Workshop
from watchpost.notify.render import plain, slack, words
from watchpost.notify.render.unfit import fit
from watchpost.notify.slack_bot import SlackBot
from watchpost.plan.fields import Duration, Network, Secret

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
    api_url: TargetUrl = Secret("https://slack.com/api", "literal")
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
    shown, laid = slack.messages(words.shorten(digest, stories))
    payloads = [fit(payload, slack.validate_slack) for payload in laid]
    text = plain.plain(words.shorten(shown, slack.MAX_STORIES))
    return tuple(
        Message(
            part=str(number) if len(payloads) > 1 else "",
            subject=words.subject(shown),
            editions={"blocks": blocks, "text": text if number == 1 else words.heading(shown)},
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

    def compose(self, digest: Digest) -> tuple[Message, ...]:
        """One to three messages."""
        return compose(digest, self._stories)

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt, and at most one more as plain text if the blocks are refused."""
        outcome, answer = await self._try(delivery.message.editions["blocks"])
        if isinstance(outcome, Refused) and _says(answer) in _BLOCKS_REFUSED:
            fallback, _ = await self._try(slack.plain_payload(delivery.message.editions["text"]))
            if isinstance(fallback, Delivered):
                return Delivered(f"as plain text; the blocks were refused ({_says(answer)})")
            return outcome if isinstance(fallback, Refused) else fallback
        return outcome

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()

    async def _try(self, payload: str) -> tuple[Outcome, Answer | NoAnswer]:
        answer = await self._poster.post(payload.encode(), {"content-type": "application/json; charset=utf-8"})
        return self._judge(answer), answer

    def _judge(self, answer: Answer | NoAnswer) -> Outcome:
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


def _says(answer: Answer | NoAnswer) -> str:
    """Slack's word for what happened, "" if there is none."""
    if isinstance(answer, NoAnswer):
        return ""
    text = answer.body[:200].decode("utf-8", "replace").strip()
    return "".join(char for char in text if char.isprintable())


def _build(name: str, options: SlackOptions, workshop: Workshop) -> Slack | SlackBot:
    if options.url is not None:
        return Slack(name, options, options.url, workshop.user_agent)
    assert options.token is not None  # noqa: S101  # the options were checked
    return SlackBot(
        name,
        lambda digest: compose(digest, options.max_stories),
        api=options.api_url,
        token=options.token,
        channel=options.channel,
        threads=options.thread == "story",
        stories=options.max_stories,
        user_agent=workshop.user_agent,
        allow_private=options.allow_private,
        timeout=options.timeout,
        pace=_PACE,
    )


KIND = Kind("slack", SlackOptions, _build, pace=timedelta(seconds=1))
