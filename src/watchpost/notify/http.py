"""The door to HTTP targets: post some bytes once, within a deadline, and say what became of it.

Redirects are never followed, at most 64 KiB of the answer are read, compressed answers are not asked for and
not unpacked. What a status means follows the Standard Webhooks specification ("Operational considerations").
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from watchpost import redaction
from watchpost.config.fields import Network, Secret
from watchpost.model import Delivered, Outcome, Refused, TryLater, Unknown, derive_id

if TYPE_CHECKING:
    import httpx

ANSWER_LIMIT = 64 * 1024
LONGEST_WAIT = timedelta(hours=1)  # a longer Retry-After is a mistake or malice
_CONFIGURATION = timedelta(hours=1)  # such a failure ends when a person acts: ask slowly
_ECHO = 200  # characters of a refusal's answer that go into the detail


def _check_target(secret: Secret) -> Secret:
    try:
        parts = urlsplit(secret.reveal().strip())
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        sound = sound and parts.port != 0
    except ValueError:
        sound = False
    if not sound or any(char <= " " or char == "\x7f" for char in secret.reveal().strip()):
        raise PydanticCustomError("target", "the URL must be http:// or https:// with a host and without a user name")
    return Secret(secret.reveal().strip(), secret.origin)


def _literal(value: object) -> object:
    """A literal keeps a mark that changes with it, so that the configuration's fingerprint does."""
    return Secret(value, f"literal {derive_id('url', value)[:8]}") if isinstance(value, str) else value


SecretUrl = Annotated[Secret, AfterValidator(_check_target)]
"""An http(s) address that is a credential itself: only `{env: NAME}` or `{file: PATH}`."""

_SECRET_SCHEMA = [
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {how: {"type": "string"}},
        "required": [how],
    }
    for how in ("env", "file")
]
TargetUrl = Annotated[
    Secret,
    BeforeValidator(_literal),
    AfterValidator(_check_target),
    WithJsonSchema({"oneOf": [{"type": "string", "pattern": "^https?://"}, *_SECRET_SCHEMA]}),
]
"""An http(s) address, written out or as a secret; either way without a printable form: it may hold a token."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back. `body` is at most 64 KiB; `whole` is False if it went on or broke off."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nothing came back. `reason` is from the closed set; `sent`: the body had gone out whole by then."""

    reason: str
    detail: str
    sent: bool


class Poster:
    """Posts to one target. Opens nothing before the first post; `close` may be called at any time, and twice.

    With a `pace`, one post at a time, and so long after the one before.
    """

    def __init__(
        self,
        url: Secret,
        user_agent: str,
        allow_private: Sequence[Network],
        deadline: timedelta,
        pace: timedelta = timedelta(0),
    ) -> None:
        self._url = url
        self._user_agent = user_agent
        self._allow_private = tuple(allow_private)
        self._seconds = deadline.total_seconds()
        self._client: httpx.AsyncClient | None = None
        self._pace = pace.total_seconds()
        self._turn = asyncio.Lock()
        self._free_at = 0.0

    async def post(self, body: bytes, headers: Mapping[str, str]) -> HttpAnswer | NoAnswer:
        """One request, one answer, all within the deadline. Does not raise for what the outside does."""
        if not self._pace:
            return await self._post(body, headers)
        async with self._turn:
            loop = asyncio.get_running_loop()
            await asyncio.sleep(max(0.0, self._free_at - loop.time()))
            try:
                return await self._post(body, headers)
            finally:
                self._free_at = loop.time() + self._pace

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> HttpAnswer | NoAnswer:
        import httpx

        sent = False
        status: int | None = None
        answer_headers: Mapping[str, str] = {}
        received = bytearray()
        whole = False

        async def watch(event: str, info: Mapping[str, Any]) -> None:
            nonlocal sent
            sent = sent or event == "http11.send_request_body.complete"

        try:
            async with asyncio.timeout(self._seconds):
                request = self._open().build_request(
                    "POST",
                    self._url.reveal(),
                    content=body,
                    headers={"accept-encoding": "identity", **headers},
                    extensions={"trace": watch},
                )
                response = await self._open().send(request, stream=True)
                status, answer_headers = response.status_code, response.headers
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
            if status is None:
                reason, detail = _diagnose(error)
                return NoAnswer(reason, detail, sent and reason in ("timeout", "unknown"))
        assert status is not None  # noqa: S101  # no answer has returned above
        return HttpAnswer(status, answer_headers, bytes(received[:ANSWER_LIMIT]), whole)

    async def close(self) -> None:
        """Close the connections; a later post opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            from watchpost.guarded_http import guarded_client

            self._client = guarded_client(user_agent=self._user_agent, allow_private=self._allow_private)
        return self._client


def judge(answer: HttpAnswer | NoAnswer, *, repeatable: bool, secrets: Iterable[Secret] = ()) -> Outcome:
    """What an answer means for the delivery. 2xx is Delivered; whatever else a body must say, the caller reads.

    `repeatable` goes into Unknown. `secrets` are hidden should the answer echo one of them.
    """
    if isinstance(answer, NoAnswer):
        if answer.sent:
            return Unknown(answer.reason, f"no answer after the message was sent: {answer.detail}", repeatable)
        return TryLater(answer.reason, answer.detail, _CONFIGURATION if answer.reason == "blocked" else None)
    status = answer.status
    if 200 <= status < 300:
        return Delivered(f"HTTP {status}")
    detail = f"HTTP {status}{_echo(answer.body, secrets)}"
    if 300 <= status < 400:
        return Refused("client_error", f"HTTP {status}: moved to {_whereto(answer)}; redirects are not followed")
    if status in (401, 403, 404):
        return TryLater("client_error" if status == 404 else "auth", detail, _CONFIGURATION)
    if status in (408, 425, 429) or status >= 500:
        reason = {408: "timeout", 425: "client_error", 429: "rate_limited"}.get(status, "server_error")
        return TryLater(reason, detail, retry_after(answer.headers.get("retry-after", ""), datetime.now(UTC)))
    if status == 410:
        return Refused("gone", f"{detail}: the receiver wants no more messages")
    return Refused("too_large" if status == 413 else "client_error", detail)


def retry_after(value: str, now: datetime) -> timedelta | None:
    """A Retry-After header (RFC 9110, 10.2.3: seconds or a date) as a wait from 0 to 1 h; None if unreadable."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:9]), LONGEST_WAIT.total_seconds()))
    with suppress(ValueError, TypeError, IndexError, OverflowError):
        moment = parsedate_to_datetime(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(max(moment - now, timedelta(0)), LONGEST_WAIT)
    return None


def _echo(body: bytes, secrets: Iterable[Secret]) -> str:
    text = body[: 4 * _ECHO].decode("utf-8", "replace")
    for secret in secrets:
        text = text.replace(secret.reveal(), "***") if secret.reveal() else text
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return f": {text[:_ECHO]}" if text else ""


def _whereto(answer: HttpAnswer) -> str:
    location = answer.headers.get("location", "")
    return redaction.short_url(location) if re.match(r"https?://", location) else "another address of the same host"


def _diagnose(error: BaseException) -> tuple[str, str]:
    """Why no answer came: a reason of the closed set, a sentence without addresses (those may be secrets)."""
    import httpx

    from watchpost.net import BlockedAddress

    if isinstance(error, BlockedAddress):
        return "blocked", "the address is private or reserved; allow_private can permit it"
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "timeout", "the deadline passed"
    causes = tuple(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return "tls", f"TLS failed: {cause.reason or 'no reason given'}"
        if isinstance(cause, socket.gaierror):
            return "dns", "the host's name cannot be resolved"
        if isinstance(cause, ConnectionRefusedError):
            return "refused", "the connection was refused"
    return "unknown", f"the connection failed ({type(error).__name__})"


def _causes(error: BaseException) -> Iterable[BaseException]:
    """The error and all that led to it, groups opened."""
    pending, seen = [error], set[int]()
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        pending += [cause for cause in (one.__cause__, one.__context__) if cause is not None]
        if isinstance(one, BaseExceptionGroup):
            pending += one.exceptions
