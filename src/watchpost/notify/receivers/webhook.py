"""The door to webhooks: signed JSON after the Standard Webhooks specification, version v1.

The other side drops repeats by `webhook-id`, which stays the same on every attempt; the time and the signature
are those of the attempt. All secrets sign, so that one can be replaced while both sides change over.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from watchpost.config.fields import ADVANCED, Duration, Network, Secret, Size
from watchpost.model import Delivery, Digest, Message, Outcome, derive_id
from watchpost.notify.http import Poster, TargetUrl, judge
from watchpost.notify.receiver import DeliveryOptions, ReceiverContext, ReceiverKind
from watchpost.notify.render import payload, sentences
from watchpost.notify.render.limits import UnfitError
from watchpost.notify.render.template import render_template
from watchpost.notify.templates import BodyTemplates

_FEWEST, _MOST = 24, 64  # bytes of a secret, as the specification says
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110 "token"
_OURS = re.compile(
    r"webhook-.*|watchpost-.*|content-.*|transfer-encoding|host|connection|user-agent|accept-encoding|te"
)
_PLAIN_ID = re.compile(r"[A-Za-z0-9.-]{1,200}")


def _check_secret(secret: Secret) -> Secret:
    """The library takes any length, and what is no base64 at all: a weak secret must not go unnoticed."""
    try:
        text = secret.reveal().removeprefix("whsec_")
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _FEWEST <= len(key) <= _MOST:
        raise PydanticCustomError(
            "webhook_secret",
            f"a signing secret is whsec_ and the base64 of {_FEWEST} to {_MOST} random bytes",
        )
    return secret


Event = Literal["digest.created", "hit.created"]
SigningSecret = Annotated[Secret, AfterValidator(_check_secret)]


class WebhookOptions(DeliveryOptions):
    """`secrets`: every one of them signs; none sends unsigned. `timeout` is for the attempt as a whole.

    `events`: digests come whole as digest.created, an alert's stories one by one as hit.created; where only one of the
    two is listed, everything comes in that form. `envelope`: cloudevents renames the outer fields. `max_bytes`: of one
    message; a longer digest comes in parts. `template`: a body of the operator's own.
    """

    url: TargetUrl
    secrets: tuple[SigningSecret, ...] = Field(default=(), max_length=5)
    timeout: Annotated[Duration, Field(gt=timedelta(0), le=timedelta(minutes=5))] = timedelta(seconds=15)
    allow_private: tuple[Network, ...] = ()
    headers: Mapping[str, Secret] = {}
    events: Annotated[tuple[Event, ...], Field(min_length=1), ADVANCED] = ("digest.created", "hit.created")
    envelope: Annotated[Literal["watchpost", "cloudevents"], ADVANCED] = "watchpost"
    max_bytes: Annotated[Size, Field(ge=16 * 1024, le=4 * 1024 * 1024), ADVANCED] = payload.LIMIT
    template: BodyTemplates | None = None

    @field_validator("headers", mode="after")
    @classmethod
    def _headers_are_safe(cls, headers: Mapping[str, Secret]) -> Mapping[str, Secret]:
        for name, value in headers.items():
            if not _NAME.fullmatch(name) or _OURS.fullmatch(name.lower()):
                raise PydanticCustomError("header_name", "header {name} cannot be set here", {"name": name[:100]})
            if not (value.reveal().isascii() and value.reveal().isprintable()):
                raise PydanticCustomError("header_value", "the value of {name} must be printable ASCII", {"name": name})
        return headers


class Webhook:
    """Posts the JSON of `render.payload`."""

    def __init__(self, name: str, options: WebhookOptions, user_agent: str) -> None:
        self.name = name
        self._options = options
        envelope = options.template is None and options.envelope == "cloudevents"
        self._type = "application/cloudevents+json" if envelope else "application/json"
        self._poster = Poster(options.url, user_agent, options.allow_private, options.timeout)

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """The JSON, serialised once: these very bytes are signed and sent. A long digest is several messages.

        Raises TemplateFault, and UnfitError for a body that is longer than `max_bytes`.
        """
        bodies, subject = self._bodies(digest), sentences.subject(digest)
        return tuple(
            Message(part if len(bodies) > 1 else "", subject, {"json": body}, omitted=digest.omitted)
            for part, body in zip(map(str, itertools.count(1)), bodies, strict=False)
        )

    def _bodies(self, digest: Digest) -> tuple[str, ...]:
        options = self._options
        alert = digest.kind == "alert" and bool(digest.stories)  # else it tells of a flood, and not of a hit
        one_by_one = options.events == ("hit.created",) or (alert and "hit.created" in options.events)
        editions = payload.one_per_story(digest) if one_by_one else (digest,)
        if options.template is not None and not digest.reduced:
            bodies = tuple(render_template(options.template.body, "json", edition) for edition in editions)
            if max(map(len, map(str.encode, bodies)), default=0) > options.max_bytes:
                raise UnfitError(f"the body is longer than {options.max_bytes} bytes")
            return bodies
        event = "hit.created" if one_by_one else "digest.created"
        return tuple(
            payload.cloudevent(body) if options.envelope == "cloudevents" else body
            for edition in editions
            for body in payload.parts(edition, options.max_bytes, event)
        )

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt. A repeat does no harm: the other side knows the id."""
        body = delivery.message.renderings["json"]
        headers = {name.lower(): value.reveal() for name, value in self._options.headers.items()}
        headers |= {"content-type": self._type, "watchpost-attempt": str(delivery.attempt)}
        headers |= {"watchpost-replay": str(delivery.replays)} if delivery.replays else {}
        headers |= _signed(delivery, body, self._options.secrets, datetime.now(UTC))
        answer = await self._poster.post(body.encode(), headers)
        return judge(
            answer,
            repeatable=True,
            secrets=(self._options.url, *self._options.secrets, *self._options.headers.values()),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()


def _signed(delivery: Delivery, body: str, secrets: tuple[Secret, ...], now: datetime) -> dict[str, str]:
    """The specification's headers. The library's `sign` replaces the timezone: `now` must be UTC already."""
    from standardwebhooks import Webhook as Signer

    headers = {"webhook-id": message_id(delivery.id), "webhook-timestamp": str(int(now.timestamp()))}
    signatures = [str(Signer(secret.reveal()).sign(headers["webhook-id"], now, body)) for secret in secrets]
    return headers | ({"webhook-signature": " ".join(signatures)} if signatures else {})


def message_id(delivery: str) -> str:
    """The delivery's id as `webhook-id`: it may hold no ".", for dots divide the signed text."""
    if _PLAIN_ID.fullmatch(delivery):
        return "msg_" + delivery.replace(".", "_")
    return "msg_" + derive_id("webhook", delivery)


def _build(name: str, options: WebhookOptions, context: ReceiverContext) -> Webhook:
    return Webhook(name, options, context.user_agent)


KIND = ReceiverKind("webhook", WebhookOptions, _build)
