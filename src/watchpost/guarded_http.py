"""httpx with net.py's guard: a transport and a client that talk to public addresses and permitted networks only."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import cache
from typing import Any

import httpcore
import httpx

from watchpost.http_exchange import HttpExchange, PlainStream, TlsStream
from watchpost.http_head import repaired_head, says_chunked, without_false_chunks
from watchpost.net import BlockedAddress, Network, connect

_HEAD_BYTES_MAX = 100_000  # above this httpcore refuses a head anyway
_INTERIM = (b"HTTP/1.1 1", b"HTTP/1.0 1")


def _headers(user_agent: str) -> dict[str, str]:
    """httpx would offer every compression, and unpacks what comes without a bound: whoever reads, reads raw bytes."""
    return {"user-agent": user_agent, "accept-encoding": "identity"}


def guarded_client(*, user_agent: str, allow_private: Sequence[Network] = ()) -> httpx.AsyncClient:
    """An httpx client over GuardedTransport. Follows no redirects, reads no proxy settings, has no deadline."""
    return httpx.AsyncClient(
        transport=GuardedTransport(allow_private=allow_private),
        headers=_headers(user_agent),
        timeout=None,  # noqa: S113 - httpx has no total deadline, so each caller sets one around the request
        follow_redirects=False,
        trust_env=False,
    )


class GuardedTransport(httpx.AsyncBaseTransport):
    """Each request has a connection of its own, to a public address or to one in `allow_private`.

    Nothing is kept alive. Polls of one host are minutes apart, and a POST on a connection that the server is about
    to close would leave it unknown whether the message arrived. Deadlines are the caller's. `tls` replaces the
    system's trusted certificates.
    """

    def __init__(self, *, allow_private: Sequence[Network] = (), tls: ssl.SSLContext | None = None) -> None:
        self._allow_private = tuple(allow_private)
        self._tls = tls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange. Raises BlockedAddress and httpx's own errors. The caller closes the response."""
        url, encrypted = request.url, request.url.scheme == "https"
        port = url.port or (443 if encrypted else 80)
        host = url.raw_host.decode("ascii")
        try:
            connection = await connect(host, port, allow_private=self._allow_private)
            try:
                stream: httpcore.AsyncNetworkStream = PlainStream(connection)
                if encrypted:
                    stream = await TlsStream.start(connection, self._tls or _trusted(), host)
            except BaseException:
                connection.close()
                raise
        except Exception as error:
            raise _as_httpx(error) from error
        exchange = HttpExchange(ForgivingStream(stream))
        try:
            head = await exchange.ask(request)
        except BaseException:
            await exchange.aclose()
            raise
        headers = head.headers.raw_items()
        return httpx.Response(head.status_code, headers=headers, stream=_Body(exchange), request=request)


class ForgivingStream(httpcore.AsyncNetworkStream):
    """A connection on which the head of an answer arrives repaired: browsers forgive lines that are no headers.

    Interim answers (1xx) have heads of their own. What follows the head of the final one passes unchanged.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._held = b""
        self._in_head = True

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """As of the wrapped stream; a head comes whole, or as it is if it does not end within bounds."""
        while self._in_head:
            head, rest = repaired_head(self._held)
            if head is not None and head.startswith(_INTERIM):
                self._held = rest
                return head
            if head is None and len(self._held) <= _HEAD_BYTES_MAX:
                data = await self._stream.read(max_bytes, timeout)
                self._held += data
                if data:
                    continue
                rest = self._held
            if head and not rest and says_chunked(head):
                rest = await self._stream.read(max_bytes, timeout)
            self._in_head, self._held = False, b""
            return without_false_chunks(head or b"", rest) + rest
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """As of the wrapped stream."""
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """As of the wrapped stream."""
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """As of the wrapped stream; heads of what is encrypted arrive repaired, too."""
        return ForgivingStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """As of the wrapped stream."""
        return self._stream.get_extra_info(info)


class _Body(httpx.AsyncByteStream):
    def __init__(self, exchange: HttpExchange) -> None:
        self._exchange = exchange

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._exchange.body()

    async def aclose(self) -> None:
        await self._exchange.aclose()


class _ProxiedBody(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._answer.aiter_stream():
                yield chunk
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise _as_httpx(error) from error

    async def aclose(self) -> None:
        await self._answer.aclose()


def _as_httpcore(request: httpx.Request, port: int | None) -> httpcore.Request:
    url = request.url
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _as_httpx(error: Exception) -> Exception:
    """httpx's error of the same name as httpcore's; its ConnectError for one of the system; any other as it is."""
    if isinstance(error, OSError) and not isinstance(error, BlockedAddress):
        return httpx.ConnectError(str(error))
    same = getattr(httpx, type(error).__name__, None) if type(error).__module__.startswith("httpcore") else None
    return same(str(error)) if isinstance(same, type) and issubclass(same, httpx.HTTPError) else error


def proxied_transport(url: str) -> httpx.AsyncBaseTransport:
    """A transport through an HTTP proxy, for one exchange. The proxy resolves names, so it decides what is private."""
    return _ProxiedTransport(httpx.Proxy(url))


class _ProxiedTransport(httpx.AsyncBaseTransport):
    """As httpx.AsyncHTTPTransport with a proxy, but heads arrive repaired, and no connection is kept alive."""

    def __init__(self, proxy: httpx.Proxy) -> None:
        url = proxy.url
        self._pool = httpcore.AsyncHTTPProxy(
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            proxy_auth=proxy.raw_auth,
            proxy_headers=proxy.headers.raw,
            ssl_context=_trusted(),
            proxy_ssl_context=_trusted() if url.scheme == "https" else None,
            max_keepalive_connections=0,
            network_backend=_ForgivingNetwork(),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange. Raises httpx's own errors."""
        try:
            answer = await self._pool.handle_async_request(_as_httpcore(request, request.url.port))
        except Exception as error:
            raise _as_httpx(error) from error
        return httpx.Response(answer.status, headers=answer.headers, stream=_ProxiedBody(answer), request=request)

    async def aclose(self) -> None:
        """Close what is open."""
        await self._pool.aclose()


class _ForgivingNetwork(httpcore.AsyncNetworkBackend):
    """Connections to a proxy, on which heads arrive repaired: its own, and those that it passes on."""

    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """As of the wrapped network."""
        return ForgivingStream(await self._network.connect_tcp(host, port, timeout, local_address, socket_options))


def proxied_client(proxy: str, *, user_agent: str) -> httpx.AsyncClient:
    """A client over `proxied_transport`, for one exchange. Follows no redirects and has no deadline; close it."""
    return httpx.AsyncClient(
        transport=proxied_transport(proxy),
        headers=_headers(user_agent),
        timeout=None,  # noqa: S113 - as in guarded_client
        follow_redirects=False,
        trust_env=False,
    )


@cache
def _trusted() -> ssl.SSLContext:
    """The system's certificates, loaded once: that costs 20 ms and 1 MB."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
