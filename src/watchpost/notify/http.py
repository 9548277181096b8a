"""HTTP for receivers: one POST to one address within a deadline, and what its answer means for a delivery.

Redirects are not followed. At most 64 KiB of an answer are read, and none of it is unpacked. The meaning of a status
follows the Standard Webhooks specification:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#delivery-success-and-failure
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from watchpost import redaction
from watchpost.config.fields import ADVANCED, Duration, Network, Secret, checked_secret
from watchpost.config.proxy import Proxy
from watchpost.http_headers import retry_after_seconds
from watchpost.model import Delivered, Outcome, Refused, TryLater, Unknown, derive_id
from watchpost.net import check_literal, network_failure
from watchpost.notify.receiver import DeliveryOptions, ReceiverContext
from watchpost.notify.retry import LONGEST_RETRY_AFTER

if TYPE_CHECKING:
    import httpx

ANSWER_LIMIT = 64 * 1024
JSON_TYPE = "application/json; charset=utf-8"
OPERATOR_WAIT = timedelta(hours=1)
"""The wait after a failure that ends when an operator changes something."""

_OF_THE_ADDRESS = (401, 402, 403, 404, 405, 407, 421, 451, 511)
"""Statuses that say something about the address, the login or a proxy, and nothing about the message (RFC 9110, 15.5;
RFC 6585, 6 for a network that wants a login). People can cure them."""

_ECHO_LENGTH = 200  # characters of a refusal's body that the detail quotes


class HttpOptions(DeliveryOptions):
    """`timeout`: of an attempt as a whole. `allow_private`: networks that the receiver may be in.

    `proxy` makes the connections. It resolves names, so it decides which are private; a bare address is judged here.
    """

    timeout: Annotated[Duration, Field(gt=timedelta(0), le=timedelta(minutes=5))] = timedelta(seconds=15)
    allow_private: tuple[Network, ...] = ()
    proxy: Annotated[Proxy | None, ADVANCED] = None


def _check_url(secret: Secret) -> Secret:
    url = secret.reveal().strip()
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        valid = valid and parts.port != 0
    except ValueError:
        valid = False
    if not valid or any(char <= " " or char == "\x7f" for char in url):
        raise PydanticCustomError("target", "the URL must be http:// or https:// with a host and without a user name")
    return Secret(url, secret.origin)


def _read_literal(value: object) -> object:
    """A literal URL gets an origin that changes with it, so that the configuration's fingerprint does, too."""
    return Secret(value, f"literal {derive_id('url', value)[:8]}") if isinstance(value, str) else value


SecretUrl = Annotated[Secret, checked_secret(_check_url)]
"""An http(s) address that is a credential itself: only `{env: NAME}` or `{file: PATH}`."""

_SECRET_SCHEMA = [
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {source: {"type": "string"}},
        "required": [source],
    }
    for source in ("env", "file")
]
TargetUrl = Annotated[
    Secret,
    BeforeValidator(_read_literal),
    checked_secret(_check_url),
    WithJsonSchema({"oneOf": [{"type": "string", "pattern": "^https?://"}, *_SECRET_SCHEMA]}),
]
"""An http(s) address, written out or as a secret. It is never shown, because it may contain a token."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer. `body` has at most 64 KiB; `whole` is False if it was longer or broke off."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool

    @property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one if it is anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def text(self, limit: int) -> str:
        """The first `limit` bytes of the body, without spaces around them and without control characters."""
        text = self.body[:limit].decode("utf-8", "replace").strip()
        return "".join(char for char in text if char.isprintable())


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No answer came. `reason` is one of log.DELIVERY_REASONS; `sent`: the whole message had been sent by then."""

    reason: str
    detail: str
    sent: bool


class Poster:
    """Posts to one address. With a `pace` it posts one message at a time, and waits so long after each."""

    def __init__(
        self, url: Secret, options: HttpOptions, context: ReceiverContext, pace: timedelta = timedelta(0)
    ) -> None:
        self._url = url
        self._options = options
        self._context = context
        self._pace = pace.total_seconds()
        self._client: httpx.AsyncClient | None = None
        self._turn = asyncio.Lock()
        self._free_at = 0.0

    async def post(self, body: bytes, headers: Mapping[str, str]) -> HttpAnswer | NoAnswer:
        """One request and its answer, within the timeout. Does not raise for what the network or the target does."""
        if not self._pace:
            return await self._post(body, headers)
        async with self._turn:
            now = asyncio.get_running_loop().time
            await self._context.sleep(max(0.0, self._free_at - now()))
            try:
                return await self._post(body, headers)
            finally:
                self._free_at = now() + self._pace

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> HttpAnswer | NoAnswer:
        import httpx

        sent = False
        response: httpx.Response | None = None
        received = bytearray()
        whole = False

        async def watch(event: str, info: Mapping[str, Any]) -> None:
            nonlocal sent
            sent = sent or event == "http11.send_request_body.complete"

        try:
            async with asyncio.timeout(self._options.timeout.total_seconds()):
                client = self._open()
                request = client.build_request(
                    "POST",
                    self._url.reveal(),
                    content=body,
                    headers={"accept-encoding": "identity", **headers},
                    extensions={"trace": watch},
                )
                response = await client.send(request, stream=True)
                try:
                    async for chunk in response.aiter_raw():
                        received += chunk
                        if len(received) > ANSWER_LIMIT:
                            break
                    else:
                        whole = True
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RuntimeError) as error:
            if response is None:
                failure = network_failure(error)
                reason = "unknown" if failure.kind == "other" else failure.kind
                return NoAnswer(reason, failure.problem, sent and reason in ("timeout", "unknown"))
        finally:
            if self._options.proxy is not None and self._client is not None:  # no connection to a proxy is kept
                client, self._client = self._client, None
                await client.aclose()
        assert response is not None  # noqa: S101  # without one, NoAnswer was returned
        return HttpAnswer(response.status_code, response.headers, bytes(received[:ANSWER_LIMIT]), whole)

    def _open(self) -> httpx.AsyncClient:
        """Nothing is kept alive between two posts, so the client needs no closing. Raises BlockedAddress."""
        proxy, allow_private = self._options.proxy, self._options.allow_private
        if proxy is not None:
            check_literal(urlsplit(self._url.reveal()).hostname or "", allow_private)
        if self._client is None:
            from watchpost.guarded_http import guarded_client, proxied_client

            user_agent = self._context.user_agent
            if proxy is not None:
                self._client = proxied_client(proxy.address.reveal(), user_agent=user_agent)
            else:
                self._client = guarded_client(user_agent=user_agent, allow_private=allow_private)
        return self._client


def judge(answer: HttpAnswer | NoAnswer, *, repeatable: bool, secrets: Iterable[Secret] = ()) -> Outcome:
    """What an answer means for the delivery, by its status alone: 2xx is Delivered.

    `repeatable` goes into Unknown. `secrets` are masked where the answer echoes them.
    """
    if isinstance(answer, NoAnswer):
        if answer.sent:
            return Unknown(answer.reason, f"no answer after the message was sent: {answer.detail}", repeatable)
        return TryLater(answer.reason, answer.detail, OPERATOR_WAIT if answer.reason == "blocked" else None)
    status = answer.status
    if 200 <= status < 300:
        return Delivered(f"HTTP {status}")
    detail = f"HTTP {status}{_echo(answer.body, secrets)}"
    if 300 <= status < 400:  # says where the message was sent to, and nothing about the message
        problem = f"HTTP {status}: moved to {_location(answer)}; redirects are not followed"
        return TryLater("auth", problem, OPERATOR_WAIT)
    if status in _OF_THE_ADDRESS:
        return TryLater("client_error" if status in (404, 405) else "auth", detail, OPERATOR_WAIT)
    if status in (408, 425, 429) or status >= 500:
        reason = {408: "timeout", 425: "client_error", 429: "rate_limited"}.get(status, "server_error")
        return TryLater(reason, detail, retry_after(answer))
    if status == 410:
        return Refused("gone", f"{detail}: the receiver is gone")
    return Refused("too_large" if status == 413 else "client_error", detail)


_PAGE = re.compile(rb"<(!doctype html|html|head|body)\b", re.IGNORECASE)


def judge_page(answer: HttpAnswer | NoAnswer) -> Outcome | None:
    """For targets that never answer with a web page: one with status 2xx is a sign-in or error page in between."""
    if (
        isinstance(answer, NoAnswer)
        or not 200 <= answer.status < 300
        or not _PAGE.match(answer.body[:1000].lstrip(b"\xef\xbb\xbf \t\r\n"))
    ):
        return None
    return TryLater("auth", f"HTTP {answer.status}, but a web page came, as for a sign-in", OPERATOR_WAIT)


def retry_after(answer: HttpAnswer) -> timedelta | None:
    """The wait that the answer asks for, at most an hour; None if it asks for none."""
    seconds = retry_after_seconds(answer.headers.get("retry-after", ""), datetime.now(UTC))
    return None if seconds is None else wait_of(seconds)


def wait_of(seconds: float) -> timedelta:
    """So many seconds, but at most an hour: whoever asks for more makes a mistake."""
    return timedelta(seconds=min(seconds, LONGEST_RETRY_AFTER.total_seconds()))


def _echo(body: bytes, secrets: Iterable[Secret]) -> str:
    text = body[: 4 * _ECHO_LENGTH].decode("utf-8", "replace")
    for secret in secrets:
        text = text.replace(secret.reveal(), "***") if secret.reveal() else text
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return f": {text[:_ECHO_LENGTH]}" if text else ""


def _location(answer: HttpAnswer) -> str:
    location = answer.headers.get("location", "")
    return redaction.short_url(location) if re.match(r"https?://", location) else "another address of the same host"
