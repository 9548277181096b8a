"""The door to HTTP: a guarded client with few connections for receivers, a guarded transport for thousands of feeds.

Feed addresses, redirects and webhook targets come from strangers or are typed by hand: each connection is made
to an address that was checked first, so a name cannot change between the two (httpx-secure does that for the
client, GuardedTransport for itself). Rules and traps: OWASP "Server-Side Request Forgery", RFC 6890.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpcore
import httpx
from httpx_secure import SSRFProtectionError, httpx_ssrf_protection

Network = IPv4Network | IPv6Network

__all__ = ["BlockedAddress", "GuardedTransport", "guarded_client", "is_public", "proxied_transport", "redact"]

BlockedAddress = SSRFProtectionError
"""Raised by a guarded client when the address is not one it may talk to."""

_ATTEMPT_SECONDS = 3.0
"""How long one address of several may take to answer before the next one is tried."""

# Python 3.11's is_global says yes to each of these (RFC 6890, RFC 3056, RFC 4380, RFC 6052, RFC 5771, RFC 7526).
_NOT_PUBLIC_4 = tuple(IPv4Network(n) for n in ("192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4"))
_NOT_PUBLIC_6 = tuple(IPv6Network(n) for n in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_UNICAST_6 = IPv6Network("2000::/3")  # the only block IANA gives out for the public Internet


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """True for an address of the public Internet; no to private, loopback, multicast, translated and reserved."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _NOT_PUBLIC_4)
    return address.is_global and address in _UNICAST_6 and not any(address in network for network in _NOT_PUBLIC_6)


def guarded_client(
    *,
    user_agent: str,
    allow_private: Sequence[Network] = (),
    timeout_seconds: float = 10.0,
    connections: int = 10,
) -> httpx.AsyncClient:
    """An httpx client that talks to public addresses and to the networks in `allow_private`, to nothing else.

    It follows no redirects, reads no proxy settings and keeps no cookies. `timeout_seconds` is per read: a
    total deadline is the caller's (httpx has none).
    """

    def admit(hostname: str, address: IPv4Address | IPv6Address, port: int) -> bool:
        return is_public(address) or any(address in network for network in allow_private)

    client = httpx.AsyncClient(
        headers={"user-agent": user_agent},
        timeout=timeout_seconds,
        follow_redirects=False,
        trust_env=False,
        verify=_tls(),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
    )
    return httpx_ssrf_protection(client, check_globally_reachable=False, custom_validator=admit, dns_cache_ttl=60)


class GuardedTransport(httpx.AsyncBaseTransport):
    """Each request has a connection of its own, to a public address or one in `allow_private`.

    Nothing is kept alive: feeds lie on many hosts and polls are minutes apart, and httpcore's pool needs time in
    proportion to requests times connections. Deadlines are the caller's. `tls` stands in for the trusted roots.
    """

    def __init__(self, *, allow_private: Sequence[Network] = (), tls: ssl.SSLContext | None = None) -> None:
        self._allow_private = tuple(allow_private)
        self._tls = tls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange. Raises BlockedAddress, or httpx's own errors; whoever has the response closes it."""
        url, encrypted = request.url, request.url.scheme == "https"
        port = url.port or (443 if encrypted else 80)
        host = url.raw_host.decode("ascii")
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=port, target=url.raw_path)
        try:
            stream = await _connect(host, port, self._allow_private)
            try:
                if encrypted:
                    await stream.start_tls(self._tls or _tls(), host)
                # Not httpcore's AsyncHTTPConnection: its locks and retries are of no use to a single request.
                connection = httpcore.AsyncHTTP11Connection(target.origin, stream)
                answer = await connection.handle_async_request(
                    httpcore.Request(request.method, target, headers=request.headers.raw)
                )
            except BaseException:
                await stream.aclose()
                raise
        except BaseException as error:
            raise _as_httpx(error) from error
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer, connection), request=request)


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response, connection: httpcore.AsyncHTTP11Connection) -> None:
        self._answer = answer
        self._connection = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._answer.aiter_stream():
                yield chunk
        except httpcore.NetworkError as error:
            raise _as_httpx(error) from error
        except httpcore.ProtocolError as error:
            raise _as_httpx(error) from error

    async def aclose(self) -> None:
        await self._connection.aclose()


async def _connect(host: str, port: int, allow_private: Sequence[Network]) -> _Stream:
    """Resolves, checks, and connects to what it checked."""
    found = await _addresses(host)
    admitted = [one for one in found if is_public(one) or any(one in network for network in allow_private)]
    if not admitted:
        raise BlockedAddress("not a public address", hostname=host, ip_addr=found[0], port=port)
    error: OSError | None = None
    for address in admitted:
        patience = _ATTEMPT_SECONDS if address is not admitted[-1] else None
        try:
            async with asyncio.timeout(patience):
                return _Stream(*await asyncio.open_connection(str(address), port))
        except OSError as failure:  # TimeoutError is one, too
            error = failure
    raise httpcore.ConnectError(str(error)) from error


class _Stream(httpcore.AsyncNetworkStream):
    """A connection in asyncio's own terms. It is dropped, not closed politely: nobody waits for a slow goodbye."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return await self._reader.read(max_bytes)
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            self._writer.write(buffer)
            await self._writer.drain()
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        self._writer.transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        ssl_context.set_alpn_protocols(["http/1.1"])
        try:
            await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except BaseException as error:
            self._writer.transport.abort()
            if isinstance(error, OSError):  # ssl.SSLError is one
                raise httpcore.ConnectError(str(error)) from error
            raise
        return self

    def get_extra_info(self, info: str) -> object:
        return self._writer.get_extra_info(info)


async def _addresses(host: str) -> list[IPv4Address | IPv6Address]:
    try:
        return [ip_address(host)]
    except ValueError:
        pass
    try:
        found = await asyncio.get_running_loop().run_in_executor(_resolvers(), _resolve, host)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label that is empty or too long
        raise httpcore.ConnectError(str(error)) from (error if isinstance(error, OSError) else socket.gaierror())
    return [ip_address(text) for text in dict.fromkeys(found)]


def _resolve(host: str) -> list[str]:
    return [str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


@cache
def _resolvers() -> ThreadPoolExecutor:
    """Threads of their own: a dead name server must not hold up whatever else asyncio hands to threads."""
    return ThreadPoolExecutor(32, "resolver")


def _as_httpx(error: BaseException) -> BaseException:
    """httpx's error of the same name; anything else as it is."""
    same = getattr(httpx, type(error).__name__, None) if type(error).__module__.startswith("httpcore") else None
    return same(str(error)) if isinstance(same, type) and issubclass(same, httpx.HTTPError) else error


def proxied_transport(url: str) -> httpx.AsyncBaseTransport:
    """A transport through an HTTP proxy, for one exchange. The proxy resolves names: what is private, it decides."""
    return httpx.AsyncHTTPTransport(proxy=httpx.Proxy(url), verify=_tls(), trust_env=False)


@cache
def _tls() -> ssl.SSLContext:
    """Loading the certificate store costs 20 ms and 1 MB: once for the process is enough."""
    return ssl.create_default_context()


def redact(url: str) -> str:
    """A URL as it may be shown: scheme and host, and the last four characters so that people can tell two apart."""
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return "(unreadable URL)"
    tail = f"…{url[-4:]}" if len(parts.path) > 5 or parts.query else parts.path
    return f"{parts.scheme}://{parts.host}/{tail.lstrip('/')}" if parts.host else "(unreadable URL)"
