from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from ipaddress import ip_network

import brotli
import pytest
from backports import zstd

from tests.bombs import Peak, bomb
from tests.http_server import CERTIFICATE, Answer, HttpServer, Request, drop, hang
from watchpost.config.fields import Secret
from watchpost.errors import FetchError
from watchpost.poll.http.fetcher import Bounds, Fetched, HttpFetcher, Validators

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
SECOND = timedelta(seconds=1)


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        yield server


def fetcher(bounds: Bounds | None = None) -> HttpFetcher:
    return HttpFetcher(user_agent="watchpost/test", allow_private=LOOPBACK, bounds=bounds)


async def get(
    url: str, *, validators: Validators | None = None, timeout: timedelta = 5 * SECOND, **headers: str
) -> Fetched:
    return await fetcher().get(url, headers=headers, validators=validators, timeout=timeout)


async def fails(url: str, timeout: timedelta = 5 * SECOND) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await get(url, timeout=timeout)
    return caught.value


def raw(head: bytes, then: bytes = b"", pause: float = 0) -> Callable[..., Awaitable[None]]:
    """A handler that writes these very bytes; `then` is repeated without end."""

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        await writer.drain()
        while then:
            writer.write(then)
            await writer.drain()
            await asyncio.sleep(pause)

    return handler


async def test_an_answer_comes_with_its_headers_and_address(server: HttpServer) -> None:
    server.on("/a", Answer(200, {"ETag": 'W/"x"', "X-Some": "y"}, b"<rss/>"))
    answer = await get(server.url("/a"))
    assert (answer.status, answer.body, answer.url, answer.moved_to) == (200, b"<rss/>", server.url("/a"), "")
    assert answer.headers["etag"] == 'W/"x"'
    sent = server.requests[0].headers
    assert (sent["user-agent"], sent["accept-encoding"]) == ("watchpost/test", "gzip, br, zstd")
    assert "cookie" not in sent


@pytest.mark.parametrize("etag", ['W/"a"', '"a,b"', "unquoted", '""'])
async def test_validators_go_back_byte_for_byte(server: HttpServer, etag: str) -> None:
    server.on("/a", Answer(304))
    known = Validators(server.url("/a"), etag, "Mon, 23 Nov 2026 08:00:00 GMT")
    assert (await get(server.url("/a"), validators=known)).status == 304
    sent = server.requests[0].headers
    assert (sent["if-none-match"], sent["if-modified-since"]) == (etag, "Mon, 23 Nov 2026 08:00:00 GMT")


async def test_validators_and_secrets_go_to_nobody_else(server: HttpServer) -> None:
    async with HttpServer() as other:
        server.on("/a", Answer(302, {"Location": other.url("/b")}))
        other.on("/b", Answer(200, {}, b"x"))
        known = Validators(server.url("/a"), '"a"')
        answer = await get(server.url("/a"), validators=known, Authorization="Bearer secret")
        assert (answer.url, answer.moved_to) == (other.url("/b"), "")
        assert server.requests[0].headers["authorization"] == "Bearer secret"
        assert not {"authorization", "if-none-match"} & set(other.requests[0].headers)
        await get(server.url("/a"), validators=Validators(other.url("/b"), '"b"'))
        assert "if-none-match" not in server.requests[1].headers
        assert other.requests[1].headers["if-none-match"] == '"b"'


async def test_only_permanent_redirects_all_the_way_move_a_feed(server: HttpServer) -> None:
    server.on("/a", Answer(301, {"Location": "/b"}))
    server.on("/b", Answer(308, {"Location": "/c#top"}))
    server.on("/c", Answer(200, {}, b"x"))
    server.on("/t", Answer(302, {"Location": "/a"}))
    assert (await get(server.url("/a"))).moved_to == server.url("/c")
    assert (await get(server.url("/t"))).moved_to == ""


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data/", "blocked"),
        ("http://[::ffff:10.0.0.1]/", "blocked"),
        ("http://0.0.0.0:1/", "blocked"),
        ("http://2130706433.example.invalid/", "dns"),
        ("file:///etc/passwd", "blocked"),
        ("gopher://127.0.0.1/", "blocked"),
        ("http://[", "unreachable"),
        ("/loop", "redirect_loop"),
        ("/far0", "redirect_loop"),
    ],
)
async def test_redirects_lead_nowhere_they_must_not(server: HttpServer, location: str, reason: str) -> None:
    server.on("/loop", Answer(302, {"Location": location}))
    for i in range(9):
        server.on(f"/far{i}", Answer(302, {"Location": f"/far{i + 1}"}))
    assert (await fails(server.url("/loop"))).reason == reason


async def test_private_addresses_are_refused_unless_allowed(server: HttpServer) -> None:
    strict = HttpFetcher(user_agent="x")
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(FetchError) as blocked:
            await strict.get(server.url("/", host), headers={}, validators=None, timeout=5 * SECOND)
        assert blocked.value.reason == "blocked"
    assert not server.requests


@pytest.mark.parametrize(
    ("status", "reason", "detail"),
    [(404, "not_found", "HTTP 404"), (500, "http_error", "HTTP 500"), (403, "http_error", "HTTP 403"),
     (410, "gone", "HTTP 410: the feed is gone for good"), (429, "rate_limited", "HTTP 429"),
     (302, "http_error", "HTTP 302"), (206, "http_error", "HTTP 206")],
)  # fmt: skip
async def test_other_answers_are_failures_with_a_name(
    server: HttpServer, status: int, reason: str, detail: str
) -> None:
    server.on("/", Answer(status, {"Retry-After": "120"}, b"body"))
    error = await fails(server.url("/"))
    assert (error.reason, error.detail) == (reason, detail)
    assert error.retry_after_seconds == (None if status == 410 else 120)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n"


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (raw(HEAD + b"Content-Length: 100\r\n\r\n", b"x", pause=0.05), "timeout"),
        (raw(HEAD, b"X-More: a\r\n", pause=0.05), "timeout"),
        (hang, "timeout"),
        (raw(HEAD + b"\r\n", b"<item>" * 20_000), "too_large"),
        (raw(HEAD + b"Content-Length: 1000\r\n\r\n<rss>"), "truncated"),
        (raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n"), "truncated"),
        (raw(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"<rss/>" * 99, mtime=0)[:25]), "truncated"),
        (raw(HEAD + b"Content-Encoding: gzip\r\n\r\nnot gzip at all"), "truncated"),
        (raw(HEAD + b"Content-Encoding: br\r\n\r\n" + brotli.compress(b"<rss/>" * 99)[:9]), "truncated"),
        (raw(HEAD + b"Content-Encoding: br\r\n\r\nnot brotli at all"), "truncated"),
        (raw(HEAD + b"Content-Encoding: zstd\r\n\r\n" + zstd.compress(b"<rss/>" * 99)[:9]), "truncated"),
        (raw(HEAD + b"Content-Encoding: zstd\r\n\r\nnot zstd at all"), "truncated"),
        (raw(HEAD + b"Content-Encoding: lzma\r\nContent-Length: 3\r\n\r\nabc"), "http_error"),
        (raw(HEAD + b"X: " + b"a" * 1_000_000 + b"\r\n\r\n"), "too_large"),
        (raw(HEAD + b"X: " + b"a" * 80_000 + b"\r\nContent-Length: 0\r\n\r\n"), "too_large"),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "unreachable"),
        (drop, "unreachable"),
    ],
)
async def test_hostile_servers_cost_one_deadline_at_most(
    server: HttpServer, handler: Callable[..., Awaitable[None]], reason: str
) -> None:
    server.on("/", handler)
    error = await fails(server.url("/"), SECOND / 2)  # without its deadline it would wait for ever
    assert error.reason == reason


TEXT = b"<rss>" + bytes(range(32, 127)) * 2000


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "br, br", "zstd, br", "br, gzip, zstd"])
async def test_a_bomb_is_refused_before_it_goes_off(server: HttpServer, encoding: str) -> None:
    server.on("/", Answer(200, {"Content-Encoding": encoding}, bomb(encoding, 50)))
    peak = Peak()
    error = await fails(server.url("/"))
    assert (error.reason, "100-fold" in error.detail) == ("too_large", True)
    slack = fetcher(Bounds(ratio=10**9))
    with pytest.raises(FetchError, match="more than 10,000,000 bytes"):
        await slack.get(server.url("/"), headers={}, validators=None, timeout=5 * SECOND)
    assert peak.bytes() < 40e6, "fifty megabytes are never held"


async def test_a_bomb_of_which_no_header_says_anything_is_refused(server: HttpServer) -> None:
    server.on("/", Answer(200, {}, bomb("zstd, zstd, gzip", 50)))
    peak = Peak()
    assert (await fails(server.url("/"))).reason == "too_large"
    assert peak.bytes() < 40e6


async def test_an_answer_packed_more_often_than_anybody_does_is_not_unpacked(server: HttpServer) -> None:
    packed = TEXT
    for _ in range(4):
        packed = brotli.compress(packed)
    server.on("/", Answer(200, {"Content-Encoding": "br, br, br, br"}, packed))
    error = await fails(server.url("/"))
    assert (error.reason, error.detail) == ("http_error", "the answer says that it is packed 4 times")


async def test_45_400_kb_of_gzip_that_are_400_mb_are_refused_within_40_mb(server: HttpServer) -> None:
    server.on("/", Answer(200, {"Content-Encoding": "gzip"}, bomb("gzip", 400)))
    peak = Peak()
    assert (await fails(server.url("/"))).reason == "too_large"
    assert peak.bytes() < 40e6


_RAW = zlib.compressobj(9, zlib.DEFLATED, -15)


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("x-gzip", gzip.compress(TEXT[:999], mtime=0) + gzip.compress(TEXT[999:], mtime=0)),
        ("gzip", gzip.compress(TEXT, mtime=0) + bytes(10)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", _RAW.compress(TEXT) + _RAW.flush()),
        ("br", brotli.compress(TEXT)),
        ("zstd", zstd.compress(TEXT[:999]) + zstd.compress(TEXT[999:])),
        ("identity", TEXT),
        ("gzip", b""),
    ],
)
async def test_compressed_answers_are_unpacked(server: HttpServer, encoding: str, packed: bytes) -> None:
    server.on("/", Answer(200, {"Content-Encoding": encoding}, packed))
    assert (await get(server.url("/"))).body == (TEXT if packed else b"")


async def test_failures_to_connect_have_names() -> None:
    with socket.socket() as idle:
        idle.bind(("127.0.0.1", 0))  # bound, not listening: refused
        port = idle.getsockname()[1]
        assert (await fails(f"http://127.0.0.1:{port}/")).reason == "refused"
    assert (await fails("http://no-such-host.invalid/")).reason == "dns"
    async with HttpServer(tls=True) as selfsigned:
        assert (await fails(selfsigned.url("/"))).reason == "tls"


async def test_a_connection_that_can_be_trusted_is_encrypted_and_checked() -> None:
    trusted = ssl.create_default_context(cafile=str(CERTIFICATE))
    known = HttpFetcher(user_agent="x", allow_private=LOOPBACK, tls=trusted)
    async with HttpServer(tls=True) as server:
        server.on("/", Answer(200, {}, bytes(200_000)))
        answer = await known.get(server.url("/", "localhost"), headers={}, validators=None, timeout=5 * SECOND)
        assert len(answer.body) == 200_000


async def test_a_name_with_a_private_address_gets_no_connection_at_all() -> None:
    connections = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.close()

    listener = await asyncio.start_server(count, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        with pytest.raises(FetchError) as blocked:
            await HttpFetcher(user_agent="x").get(
                f"http://localhost:{port}/", headers={}, validators=None, timeout=5 * SECOND
            )
        await asyncio.sleep(0.05)
    assert (blocked.value.reason, connections) == ("blocked", 0)


async def test_a_proxy_makes_the_connections(server: HttpServer) -> None:
    server.on("*", Answer(200, {}, b"<rss/>"))
    through = HttpFetcher(user_agent="x", proxy=Secret(server.url("").replace("//", "//me:hush@")))
    answer = await through.get("http://feeds.invalid/f", headers={}, validators=None, timeout=5 * SECOND)
    (seen,) = server.requests
    assert (answer.body, seen.target) == (b"<rss/>", "http://feeds.invalid/f")
    assert seen.headers["proxy-authorization"] == "Basic bWU6aHVzaA=="
