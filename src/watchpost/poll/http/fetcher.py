"""One bounded GET: redirects are followed here, and each hop goes to a checked address (RFC 9110).

A server that drips, floods, sends bombs or lies costs at most one deadline and a few megabytes.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urljoin, urlsplit

import httpx

from watchpost.config.fields import Network, Secret
from watchpost.errors import FetchError
from watchpost.guarded_http import GuardedTransport, proxied_transport
from watchpost.http_headers import declared_charset, http_date, retry_after_seconds
from watchpost.net import BlockedAddress, check_literal, host_of, network_failure
from watchpost.poll.http.cookies import VisitCookies
from watchpost.poll.http.decompress import ACCEPTED, decompress, is_whole
from watchpost.poll.http.faults import CLOSED, NOT_HTTP, UNASKED_304

Reason = Literal[
    "timeout", "dns", "refused", "tls", "blocked", "too_large", "http_error", "not_found", "gone", "rate_limited",
    "truncated", "redirect_loop", "unreachable",
]  # fmt: skip
"""Every reason with which a fetch fails."""

_SMALL_BYTES = 500_000
_PERMANENT = frozenset({301, 308})
REDIRECTS = _PERMANENT | {302, 303, 307}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one answer may cost: bytes on the wire, bytes after decompression, their ratio (above `ratio_from`)."""

    wire_bytes: int = 5_000_000
    body_bytes: int = 10_000_000
    ratio: int = 100
    ratio_from: int = 1_000_000
    header_bytes: int = 65_536
    hops: int = 5


@dataclass(frozen=True, slots=True)
class Validators:
    """ETag and Last-Modified exactly as `url` gave them; "" if it gave none. They go to no other address."""

    url: str
    etag: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: 200, 226 or 304. `headers` have lower-case names. `url` is where the answer came from.

    `moved_to` is the address that permanent redirects, and only such, led to; "" if there were none. `set_cookies` are
    the values of its Set-Cookie headers.
    """

    status: int
    headers: Mapping[str, str] = field(hash=False)
    body: bytes
    url: str
    moved_to: str = ""
    set_cookies: tuple[str, ...] = ()

    @property
    def charset(self) -> str:
        """The charset that the answer declares, "" if none."""
        return declared_charset(self.headers.get("content-type", ""))


class HttpFetcher:
    """Keeps nothing from one call to the next: no connections, and cookies for the redirects of one call only.

    `proxy`, if given, makes the connections. It resolves names, so it decides which are private; a bare address is
    judged here. With `plain` an answer is returned as it is, whatever its status, and no redirect is followed, so that
    the caller can check each hop. `tls` replaces the system's trusted certificates.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        allow_private: Sequence[Network] = (),
        proxy: Secret | None = None,
        bounds: Bounds | None = None,
        tls: ssl.SSLContext | None = None,
        plain: bool = False,
    ) -> None:
        self._user_agent = user_agent
        self._plain = plain
        self._proxy = proxy
        self._allow_private = tuple(allow_private)
        self._transport = GuardedTransport(allow_private=allow_private, tls=tls)
        self._bounds = bounds or Bounds()

    async def get(
        self, url: str, *, headers: Mapping[str, str], validators: Validators | None, timeout: timedelta
    ) -> Fetched:
        """One GET within `timeout` in total. Raises FetchError with a Reason, and with Retry-After where given.

        `headers` are sent to the origin of `url` alone: they may hold a secret.
        """
        seconds = timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(url, headers, validators)
        except (TimeoutError, httpx.TimeoutException):
            raise FetchError("timeout", f"no complete answer within {seconds:g} s") from None
        except BlockedAddress as error:
            raise FetchError("blocked", f"{error.host}: {error}") from None
        except httpx.InvalidURL as error:
            raise FetchError("unreachable", f"this is no URL: {error}") from None
        except httpx.HTTPError as error:
            raise _as_fetch_error(error) from None

    async def _follow(self, url: str, headers: Mapping[str, str], validators: Validators | None) -> Fetched:
        only_permanent, moved_to, start = True, "", httpx.URL(url)
        here, cookies = start, VisitCookies()
        visited: set[tuple[str, str]] = set()
        for _ in range(self._bounds.hops + 1):
            own_headers = headers if _same_origin(here, start) else {}
            own_validators = validators if validators is not None and validators.url == url else None
            sent = {"user-agent": self._user_agent} | _request_headers(own_headers, own_validators)
            sent = with_cookies(sent, cookies.header(url, host_of(url)))
            visited.add((url, sent.get("cookie", "")))
            answer = await self._send(httpx.Request("GET", here, headers=sent), url)
            if self._plain:
                return answer
            target = answer.headers.get("location", "")
            if answer.status not in REDIRECTS or not target:
                if answer.status == 304 and not any(name.startswith("if-") for name in sent):
                    raise FetchError("http_error", UNASKED_304)
                return accepted(answer, moved_to)
            cookies.keep(url, host_of(url), answer.set_cookies, datetime.now(UTC))
            only_permanent = only_permanent and answer.status in _PERMANENT
            url = redirected(url, target)
            moved_to = url if only_permanent else moved_to
            here = httpx.URL(url)
            if (url, with_cookies(own_headers, cookies.header(url, host_of(url))).get("cookie", "")) in visited:
                raise FetchError("redirect_loop", f"redirected back to {here.host}")
        raise FetchError("redirect_loop", f"more than {self._bounds.hops} redirects")

    async def _send(self, request: httpx.Request, url: str) -> Fetched:
        if self._proxy is None:
            return await self._exchange(self._transport, request, url)
        check_literal(request.url.host, self._allow_private)  # also after a redirect
        async with proxied_transport(self._proxy.reveal()) as transport:
            return await self._exchange(transport, request, url)

    async def _exchange(self, transport: httpx.AsyncBaseTransport, request: httpx.Request, url: str) -> Fetched:
        response = await transport.handle_async_request(request)
        try:
            size = sum(len(name) + len(value) + 4 for name, value in response.headers.raw)
            if size > self._bounds.header_bytes:
                raise FetchError("too_large", f"the answer's headers have {size:,} bytes")
            headers = {name.lower(): value for name, value in response.headers.items()}
            body = await self._body(response) if response.status_code in (200, 203, 226) else b""
            set_cookies = tuple(response.headers.get_list("set-cookie"))
            return Fetched(response.status_code, headers, body, url, set_cookies=set_cookies)
        finally:
            await response.aclose()

    async def _body(self, response: httpx.Response) -> bytes:
        """The unpacked body, read no further than the bounds allow."""
        bounds, packed = self._bounds, bytearray()
        try:
            async for chunk in response.aiter_raw():
                packed += chunk
                if len(packed) > bounds.wire_bytes:
                    raise FetchError("too_large", f"the answer has more than {bounds.wire_bytes:,} bytes")
        except httpx.RemoteProtocolError:
            if "transfer-encoding" not in response.headers or not is_whole(packed):
                raise  # else only the end of the chunks is wrong
        return await self._unpacked(response.headers.get("content-encoding", ""), bytes(packed))

    async def _unpacked(self, encoding: str, packed: bytes) -> bytes:
        """What is small when it is unpacked takes a few ms; a thread for it costs more than most answers do."""
        bounds = self._bounds
        ratios = {"ratio": bounds.ratio, "ratio_from": bounds.ratio_from}
        if bounds.body_bytes > _SMALL_BYTES:
            try:
                return decompress(encoding, packed, bytes_max=_SMALL_BYTES, **ratios)
            except FetchError as error:
                if error.reason != "too_large":
                    raise
        # a bomb of 80 bytes becomes 10 MB before it is refused
        return await asyncio.to_thread(decompress, encoding, packed, bytes_max=bounds.body_bytes, **ratios)


def with_cookies(headers: Mapping[str, str], cookies: str) -> dict[str, str]:
    """Request headers with lower-case names, and the cookies after those that the operator configured."""
    sent = {name.lower(): value for name, value in headers.items()}
    configured = sent.get("cookie", "")
    return sent | ({"cookie": "; ".join(filter(None, (configured, cookies)))} if cookies else {})


def _same_origin(here: httpx.URL, start: httpx.URL) -> bool:
    """Whether what is meant for `start` may go `here`, too; from https to anything else it may not."""
    return here.host == start.host and here.port == start.port and not (start.scheme == "https" != here.scheme)


def _request_headers(headers: Mapping[str, str], validators: Validators | None) -> dict[str, str]:
    sent = {
        "accept": "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5",
        "accept-encoding": ACCEPTED,
    }
    sent |= {name.lower(): value for name, value in headers.items()}
    if validators is not None:
        sent |= {"if-none-match": validators.etag} if validators.etag else {}
        sent |= {"if-modified-since": validators.modified} if validators.modified else {}
    return sent


def redirected(url: str, location: str) -> str:
    """Where a redirect from `url` leads. Raises FetchError for what is no web address."""
    try:
        target = urljoin(url, location.strip())
        parts = httpx.URL(target)
    except (ValueError, httpx.InvalidURL):
        raise FetchError("unreachable", "redirected to something that is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.host:
        raise FetchError("blocked", f"redirected to a {parts.scheme or 'strange'}: address")
    return str(parts.copy_with(fragment=None))


def accepted(answer: Fetched, moved_to: str = "") -> Fetched:
    """The answer if it can be used. Raises FetchError for every other status."""
    if answer.status in (200, 203, 226, 304):
        return Fetched(answer.status, answer.headers, answer.body, answer.url, moved_to)
    detail = f"HTTP {answer.status}"
    server_time = http_date(answer.headers.get("date", "")) or datetime.now(UTC)
    wait = retry_after_seconds(answer.headers.get("retry-after", ""), server_time)
    if answer.status == 410:
        raise FetchError("gone", f"{detail}: the feed is gone for good")
    if answer.status == 404:
        raise FetchError("not_found", detail, wait)
    if answer.status == 429:
        raise FetchError("rate_limited", detail, wait)
    raise FetchError("http_error", detail, wait)


def _as_fetch_error(error: httpx.HTTPError) -> FetchError:
    if isinstance(error, httpx.RemoteProtocolError):
        message = str(error)[:200]
        if "too long" in message.lower() or "too large" in message.lower():
            return FetchError("too_large", "the answer's headers are too long")
        if "complete" in message.lower():
            return FetchError("truncated", "the connection ended before the answer did")
        if "disconnected" in message.lower():
            return FetchError("unreachable", f"{CLOSED} without an answer")
        return FetchError("unreachable", f"{NOT_HTTP}: {message}")
    failure = network_failure(error)
    if failure.kind == "other" and isinstance(error, (httpx.ReadError, httpx.WriteError)):
        return FetchError("unreachable", f"{CLOSED}: {failure.problem}")
    return FetchError("unreachable" if failure.kind == "other" else failure.kind, failure.problem)


def origin_of(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port: the operator's headers and passwords are meant for one origin."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
