"""Webhooks: signed JSON as the Standard Webhooks specification has it, signature version v1 (standardwebhooks.com).

The target drops repeats by `webhook-id`, which is the same in every attempt; time and signature are the attempt's.
Every secret signs, so that one can be replaced while both sides change over.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from watchpost.config.fields import ADVANCED, HeaderSecret, Secret, Size, checked_secret
from watchpost.model import Delivery, Digest, Message, Outcome, derive_id
from watchpost.notify.http import HttpOptions, Poster, TargetUrl, judge
from watchpost.notify.receiver import ReceiverContext, ReceiverKind
from watchpost.notify.render import payload, sentences
from watchpost.notify.render.limits import UnfitError
from watchpost.notify.render.template import render_template
from watchpost.notify.templates import BodyTemplates

_SECRET_BYTES = 24, 64  # least and most, by the specification
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110, 5.6.2 ("token")
_OUR_HEADERS = re.compile(
    r"webhook-.*|watchpost-.*|content-.*|transfer-encoding|host|connection|user-agent|accept-encoding|te"
)
_PLAIN_ID = re.compile(r"[A-Za-z0-9.-]{1,200}")


def _check_secret(secret: Secret) -> Secret:
    """The library accepts any length, and text that is not base64: a weak secret would go unnoticed."""
    try:
        text = secret.reveal().removeprefix("whsec_")
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    least, most = _SECRET_BYTES
    if not least <= len(key) <= most:
        problem = f"a signing secret is whsec_ and the base64 of {least} to {most} random bytes"
        raise PydanticCustomError("webhook_secret", problem)
    return secret


Event = Literal["digest.created", "hit.created"]
SigningSecret = Annotated[Secret, checked_secret(_check_secret)]


class WebhookOptions(HttpOptions):
    """`secrets`: each of them signs; without any, messages are not signed. `template`: a body of your own.

    `events`: a digest is one digest.created, and each story of an alert a hit.created; if only one of the two is
    listed, everything comes in that form. `envelope`: cloudevents renames the outer fields. `max_bytes`: of one
    message; a longer digest comes in parts.
    """

    url: TargetUrl
    secrets: tuple[SigningSecret, ...] = Field(default=(), max_length=5)
    headers: Mapping[str, HeaderSecret] = {}
    events: Annotated[tuple[Event, ...], Field(min_length=1), ADVANCED] = ("digest.created", "hit.created")
    envelope: Annotated[Literal["watchpost", "cloudevents"], ADVANCED] = "watchpost"
    max_bytes: Annotated[Size, Field(ge=16 * 1024, le=4 * 1024 * 1024), ADVANCED] = payload.LIMIT
    template: BodyTemplates | None = None

    @field_validator("headers", mode="after")
    @classmethod
    def _check_headers(cls, headers: Mapping[str, HeaderSecret]) -> Mapping[str, HeaderSecret]:
        for name in headers:
            if not _HEADER_NAME.fullmatch(name) or _OUR_HEADERS.fullmatch(name.lower()):
                raise PydanticCustomError("header_name", "header {name} cannot be set here", {"name": name[:100]})
        return headers


class Webhook:
    """Posts the JSON of `render.payload`, or of the operator's template."""

    def __init__(self, name: str, options: WebhookOptions, context: ReceiverContext) -> None:
        self.name = name
        self._options = options
        is_cloudevent = options.template is None and options.envelope == "cloudevents"
        self._content_type = "application/cloudevents+json" if is_cloudevent else "application/json"
        self._secrets = (options.url, *options.secrets, *options.headers.values())
        self._poster = Poster(options.url, options, context)

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """The JSON, serialised once: these very bytes are signed and sent. A long digest is several messages.

        Raises TemplateFault, and UnfitError for a body that is longer than `max_bytes`.
        """
        bodies, subject = self._bodies(digest), sentences.subject(digest)
        return tuple(
            Message(
                str(number) if len(bodies) > 1 else "", subject, {"json": body}, omitted=digest.omitted, named=named
            )
            for number, (body, named) in enumerate(bodies, 1)
        )

    def _bodies(self, digest: Digest) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Each body, and the articles whose headlines are in it."""
        options = self._options
        is_alert = digest.kind == "alert" and bool(digest.stories)  # an alert without stories reports a flood
        one_by_one = options.events == ("hit.created",) or (is_alert and "hit.created" in options.events)
        digests = payload.one_per_story(digest) if one_by_one else (digest,)
        if options.template is not None and not digest.reduced:
            bodies = tuple(render_template(options.template.body, "json", each) for each in digests)
            if any(len(body.encode()) > options.max_bytes for body in bodies):
                raise UnfitError(f"the body is longer than {options.max_bytes} bytes")
            return tuple(
                (body, payload.named_articles(each.stories)) for body, each in zip(bodies, digests, strict=True)
            )
        event = "hit.created" if one_by_one else "digest.created"
        bodies = tuple(body for each in digests for body in payload.parts(each, options.max_bytes, event))
        named = [payload.named_in(body, digest.stories) for body in bodies]
        if options.envelope == "cloudevents":
            bodies = tuple(map(payload.cloudevent, bodies))
        return tuple(zip(bodies, named, strict=True))

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt. A repeat does no harm, because the target knows the id."""
        body = delivery.message.renderings["json"]
        headers = {name.lower(): value.reveal() for name, value in self._options.headers.items()}
        headers |= {"content-type": self._content_type, "watchpost-attempt": str(delivery.attempt)}
        headers |= {"watchpost-replay": str(delivery.replays)} if delivery.replays else {}
        headers |= signature_headers(delivery, body, self._options.secrets, datetime.now(UTC))
        answer = await self._poster.post(body.encode(), headers)
        return judge(answer, repeatable=True, secrets=self._secrets)


def signature_headers(delivery: Delivery, body: str, secrets: tuple[Secret, ...], now: datetime) -> dict[str, str]:
    """The specification's headers. `now` must be in UTC, because the library's `sign` replaces the time zone."""
    from standardwebhooks import Webhook as Signer

    headers = {"webhook-id": message_id(delivery.id), "webhook-timestamp": str(int(now.timestamp()))}
    signatures = [str(Signer(secret.reveal()).sign(headers["webhook-id"], now, body)) for secret in secrets]
    return headers | ({"webhook-signature": " ".join(signatures)} if signatures else {})


def message_id(delivery: str) -> str:
    """The delivery's id as `webhook-id`. It has no ".", because dots divide the text that is signed."""
    if _PLAIN_ID.fullmatch(delivery):
        return "msg_" + delivery.replace(".", "_")
    return "msg_" + derive_id("webhook", delivery)


KIND = ReceiverKind("webhook", WebhookOptions, Webhook)
