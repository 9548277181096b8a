"""Servers whose headers say what is not so: a weak sign decides nothing, and the cure names who is at fault."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import brotli
import pytest
from backports import zstd

from tests.http_server import Answer, Handler, HttpServer, Request, drop
from tests.poll.reader import HOUR, NOW, SECOND, Reader, document
from watchpost.config.fields import Network, Secret
from watchpost.errors import FetchError
from watchpost.http_head import repaired_head
from watchpost.operations.feeds.cures import SERVER_AT_FAULT, cure_of
from watchpost.poll.http.cookies import VisitCookies
from watchpost.poll.http.fetcher import Fetched, HttpFetcher

FEED = document("a", "b")


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        yield server


async def get(url: str, headers: dict[str, str] | None = None) -> Fetched:
    from ipaddress import ip_network

    private: tuple[Network, ...] = (ip_network("127.0.0.0/8"),)
    fetcher = HttpFetcher(user_agent="test", allow_private=private)
    return await fetcher.get(url, headers=headers or {}, validators=None, timeout=5 * SECOND)


def raw(*pieces: bytes) -> Handler:
    async def send(request: Request, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)

    return send


PACKED = gzip.compress(FEED, mtime=0)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        *((name, FEED) for name in ("aws-chunked", "UTF-8", "none", "binary", "gzip", "br", "deflate", "zstd", "xz")),
        *((name, FEED) for name in ("gzip, gzip", "identity", "utf-8, aws-chunked", "x-gzip", ",")),
        ("gzip, gzip", gzip.compress(PACKED, mtime=0)),
        ("gzip, gzip", PACKED),
        ("GZip", PACKED),
        ("deflate, gzip", gzip.compress(zlib.compress(FEED), mtime=0)),
        ("gzip, br", brotli.compress(PACKED)),
        ("aws-chunked, gzip", PACKED),
        ("gzip,aws-chunked", PACKED),
        ("", PACKED),
        ("none", PACKED),
        ("br", PACKED),
        ("deflate", PACKED),
        ("zstd", PACKED),
        ("gzip", brotli.compress(FEED)),
        ("gzip", zlib.compress(FEED)),
        ("gzip", zstd.compress(FEED)),
        ("gzip gzip", gzip.compress(PACKED, mtime=0)),
        ("gzip;q=1", PACKED),
        ("", gzip.compress(PACKED, mtime=0)),
        ("", zstd.compress(FEED)),
        ("gzip", PACKED[:-4]),
        ("", PACKED[:-8]),
        ("base64", FEED),
        ("text/xml", FEED),
    ],
)
async def test_the_body_and_not_the_header_says_how_it_is_packed(
    server: HttpServer, encoding: str, body: bytes
) -> None:
    server.on("/f", Answer(200, {"Content-Encoding": encoding} if encoding else {}, body))
    assert (await get(server.url("/f"))).body == FEED


@pytest.mark.parametrize(
    ("encoding", "body"), [("gzip", PACKED[: len(PACKED) // 2]), ("br", b"\xff" * 99), ("gzip", b"\xff" * 99)]
)
async def test_a_body_that_is_damaged_before_its_end_is_refused(server: HttpServer, encoding: str, body: bytes) -> None:
    server.on("/f", Answer(200, {"Content-Encoding": encoding}, body))
    with pytest.raises(FetchError) as caught:
        await get(server.url("/f"))
    assert caught.value.reason == "truncated"


async def test_a_gzip_file_is_unpacked_within_the_bounds_of_any_other_answer(server: HttpServer) -> None:
    server.on("/f", Answer(200, {"Content-Type": "application/x-gzip"}, gzip.compress(bytes(50_000_000))))
    with pytest.raises(FetchError) as caught:
        await get(server.url("/f"))
    assert caught.value.reason == "too_large"


LENGTH = b"Content-Length: %d" % len(FEED)
BAD_LINES = [
    b"PHP Warning:  Undefined array key 3 in /srv/feed.php on line 2",
    b"no colon at all",
    b": no name",
    b"X-Name : a blank before the colon",
    b"X(y): z",
    b"X-Null: a\0b",
    b"X-Control: a\x01\x7f",
    b"X-Latin: caf\xe9",
    b"Content-Length: many",
    b"Content-Length: %d, %d" % (len(FEED), len(FEED)),
    b"Transfer-Encoding: identity",
    b"X-Folded: one\r\n two",
    b" folded from nothing",
    b"<br />",
    "Имя: значение".encode(),
    b"HTTP/1.1 200 OK",
    b"X\t: a tab before the colon",
    b"Transfer-Encoding: none",
    b'Content-Length: "12"',
    b"",
]


@pytest.mark.parametrize("line", BAD_LINES)
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK", b"HTTP/1.0 200", b"HTTP/1.1 200 caf\xe9\x01"])
async def test_a_header_line_that_is_none_costs_nothing(
    server: HttpServer, line: bytes, end: bytes, first: bytes
) -> None:
    lines = [first, line, b"ETag: x", LENGTH, b"", b""] if line else [first, b"ETag: x", LENGTH, b"", b""]
    server.on("/f", raw(end.join(lines) + FEED))
    answer = await get(server.url("/f"))
    assert (answer.body, answer.headers["etag"]) == (FEED, "x")


@pytest.mark.parametrize("line", BAD_LINES)
async def test_it_costs_nothing_behind_a_proxy_either(server: HttpServer, line: bytes) -> None:
    lines = [b"HTTP/1.1 200 OK", *([line] if line else []), b"ETag: x", LENGTH, b"", b""]
    server.on("*", raw(b"\r\n".join(lines) + FEED))
    fetcher = HttpFetcher(user_agent="test", proxy=Secret(server.url("")))
    answer = await fetcher.get("http://feeds.invalid/f", headers={}, validators=None, timeout=5 * SECOND)
    assert (answer.body, answer.headers["etag"]) == (FEED, "x")


async def test_the_answer_of_a_proxy_that_tunnels_is_repaired(server: HttpServer) -> None:
    """After it the encryption begins, which this server does not know: the failure is that of the encryption."""
    server.on("*", raw(b"HTTP/1.0 200 Connection established\r\nwrong line\r\n\r\n", b"no encryption at all\r\n"))
    fetcher = HttpFetcher(user_agent="test", proxy=Secret(server.url("")))
    with pytest.raises(FetchError) as caught:
        await fetcher.get("https://feeds.invalid/f", headers={}, validators=None, timeout=30 * SECOND)
    assert caught.value.reason == "tls"


@pytest.mark.parametrize(
    "head",
    [
        b"\r\n\r\nHTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n\r\n",
        b"<br />\n<b>Warning</b>: x\nHTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n\r\n",
        b"http/1.1 200 ok\r\n" + LENGTH + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\r\n" + LENGTH + b"\r\r\n\r\r\n",
    ],
    ids=["blank lines", "warning before it", "small letters", "two returns"],
)
async def test_a_status_line_is_found(server: HttpServer, head: bytes) -> None:
    server.on("/f", raw(head + FEED))
    assert (await get(server.url("/f"))).body == FEED


def in_chunks(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    "pieces",
    [
        (CHUNKED + b"\r\n", FEED),
        (CHUNKED + b"\r\n" + FEED[:10], FEED[10:]),
        (CHUNKED + CHUNKED.partition(b"\n")[2] + b"\r\n", in_chunks(FEED)),
        (CHUNKED + b"\r\n", in_chunks(FEED)[:-5]),
        (CHUNKED + b"\r\n", in_chunks(FEED)[:-2] + b"garbage\r\n\r\n"),
        (CHUNKED + b"\r\n", in_chunks(FEED)),
    ],
    ids=["none", "none, with the head", "said twice", "no last chunk", "garbage at the end", "sound"],
)
async def test_wrong_chunks_cost_no_document(server: HttpServer, pieces: tuple[bytes, ...]) -> None:
    server.on("/f", raw(*pieces))
    assert (await get(server.url("/f"))).body == FEED


async def test_a_document_that_breaks_off_in_a_chunk_is_cut_short(server: HttpServer) -> None:
    server.on("/f", raw(CHUNKED + b"\r\n", in_chunks(FEED)[:-40]))
    with pytest.raises(FetchError) as caught:
        await get(server.url("/f"))
    assert caught.value.reason == "truncated"


async def test_interim_answers_and_heads_in_pieces_are_read(server: HttpServer) -> None:
    head = b"HTTP/1.1 103 Early Hints\r\nwrong\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nwrong\r\n" + LENGTH + b"\r\n\r\n"
    server.on("/f", raw(*(head[n : n + 7] for n in range(0, len(head), 7)), FEED[:5], FEED[5:]))
    assert (await get(server.url("/f"))).body == FEED


def test_what_is_not_http_is_left_alone() -> None:
    assert repaired_head(b"SSH-2.0-OpenSSH\r\n\r\n") == (b"", b"SSH-2.0-OpenSSH\r\n\r\n")
    assert repaired_head(b"HTTP/1.1 200 OK\r\nA: b\r\n") == (None, b"HTTP/1.1 200 OK\r\nA: b\r\n")


SETS = {"Set-Cookie": "seen=1; Path=/", "Location": "/f"}


def consent(cookie: str = "seen=1", location: str = "/f", sets: str = "seen=1; Path=/") -> Handler:
    """Redirects until the cookie comes."""

    async def handle(request: Request, writer: asyncio.StreamWriter) -> None:
        if cookie in request.headers.get("cookie", ""):
            writer.write(b"HTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n\r\n" + FEED)
        else:
            head = f"HTTP/1.1 302 Found\r\nSet-Cookie: {sets}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
            writer.write(head.encode())
        await writer.drain()

    return handle


async def test_a_cookie_lives_for_the_redirects_of_one_visit(server: HttpServer) -> None:
    server.on("/f", consent())
    for _ in range(2):
        assert (await get(server.url("/f"))).body == FEED
    assert ["cookie" in request.headers for request in server.requests] == [False, True, False, True]


async def test_a_cookie_goes_along_with_the_configured_one(server: HttpServer) -> None:
    server.on("/f", consent())
    assert (await get(server.url("/f"), {"Cookie": "mine=2"})).body == FEED
    assert server.requests[1].headers["cookie"] == "mine=2; seen=1"


async def test_a_cookie_goes_to_the_host_that_set_it_alone(server: HttpServer) -> None:
    async with HttpServer() as other:
        server.on("/f", Answer(302, {"Set-Cookie": "seen=1; Domain=127.0.0.1", "Location": other.url("/f")}))
        other.on("/f", Answer(200, {}, FEED))
        await get(server.url("/f"))
        assert "cookie" not in other.requests[0].headers


async def test_a_loop_that_sets_the_same_cookie_again_is_a_loop(server: HttpServer) -> None:
    server.on("/f", consent(cookie="never"))
    with pytest.raises(FetchError) as caught:
        await get(server.url("/f"))
    assert caught.value.reason == "redirect_loop"
    assert len(server.requests) == 2


COOKIE_NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "url", "sent"),
    [
        ("a=1", "https://h/x/z", "a=1"),
        ("a=1", "https://h/y", ""),
        ("a=1; Path=/", "https://h/y", "a=1"),
        ("a=1; Path=/x", "https://h/xy", ""),
        ("a=1; Path=/; Secure", "http://h/y", ""),
        ("a=1; Path=/; Secure", "https://h/y", "a=1"),
        ("a=1; Path=/; Max-Age=0", "https://h/y", ""),
        ("a=1; Path=/; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "https://h/y", "a=1"),
        ("a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "https://h/y", ""),
        ("a=b=c; Path=/; HttpOnly; SameSite=Lax", "https://h/y", "a=b=c"),
        ("no pair; Path=/", "https://h/y", ""),
        ("a=b\r\nX: y; Path=/", "https://h/y", ""),
        ("a=" + "1" * 5000, "https://h/x/z", ""),
    ],
)
def test_where_a_cookie_goes(line: str, url: str, sent: str) -> None:
    cookies = VisitCookies()
    cookies.keep("https://h/x/w", "h", [line], COOKIE_NOW)
    assert cookies.header(url, "h") == sent
    assert cookies.header(url, "other") == ""


def frozen(modified: str, *bodies: bytes) -> Handler:
    """Sends one Last-Modified with every body, and 304 to anyone who returns it."""
    left = list(bodies)

    async def handle(request: Request, writer: asyncio.StreamWriter) -> None:
        if "if-modified-since" in request.headers:
            writer.write(b"HTTP/1.1 304 Not Modified\r\n\r\n")
        else:
            body = left.pop(0) if len(left) > 1 else left[0]
            head = f"HTTP/1.1 200 OK\r\nLast-Modified: {modified}\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
        await writer.drain()

    return handle


@pytest.mark.parametrize(
    "modified",
    [
        "Tue, 01 Jan 1980 00:00:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Tue, 01 Jan 2041 00:00:00 GMT",
        "0",
        "-1",
        "never",
    ],
)
async def test_a_date_of_another_age_is_no_reason_to_ask_conditionally(server: HttpServer, modified: str) -> None:
    server.on("/f", frozen(modified, document("a"), document("b", "a")))
    reader = Reader(server.url("/f"))
    await reader.visit()
    await reader.visit()
    assert reader.told == ["a", "b", "a"]


async def test_an_etag_is_a_reason_whatever_the_date_says(server: HttpServer) -> None:
    headers = {"ETag": '"1"', "Last-Modified": "Tue, 01 Jan 1980 00:00:00 GMT"}
    server.on("/f", Answer(200, headers, document("a")), Answer(304))
    reader = Reader(server.url("/f"))
    await reader.visit()
    assert (await reader.visit()).outcome == "unchanged"
    assert server.requests[1].headers["if-none-match"] == '"1"'
    assert "if-modified-since" not in server.requests[1].headers


async def test_an_etag_that_stays_while_the_feed_changes_says_nothing(server: HttpServer) -> None:
    headers = {"ETag": '"x"'}
    server.on("/f", *(Answer(200, headers, document(*"cba"[n:])) for n in (2, 1, 0)))
    reader = Reader(server.url("/f"))
    for _ in range(3):
        await reader.visit()
    assert ["if-none-match" in request.headers for request in server.requests] == [False, True, False]


@pytest.mark.parametrize("etag", ['""', 'W/""', '"'])
async def test_an_empty_etag_says_nothing(server: HttpServer, etag: str) -> None:
    server.on("/f", Answer(200, {"ETag": etag}, document("a")))
    reader = Reader(server.url("/f"))
    for _ in range(2):
        await reader.visit()
    assert "if-none-match" not in server.requests[1].headers


def dated(title: str, moment: datetime) -> bytes:
    item = (
        f"<item><title>{title}</title><guid>{title}</guid><pubDate>{moment:%a, %d %b %Y %H:%M:%S GMT}</pubDate></item>"
    )
    return f"<rss version='2.0'><channel>{item}</channel></rss>".encode()


async def test_a_date_that_is_older_than_the_entries_says_nothing(server: HttpServer) -> None:
    bodies = dated("a", NOW - HOUR), dated("b", NOW)
    server.on("/f", frozen("Mon, 02 Nov 2026 00:00:00 GMT", *bodies))
    reader = Reader(server.url("/f"))
    await reader.visit()
    await reader.visit()
    assert reader.told == ["a", "b"]


async def test_a_date_that_stayed_while_the_feed_changed_says_nothing(server: HttpServer) -> None:
    server.on("/f", frozen("Mon, 23 Nov 2026 10:00:00 GMT", document("a"), document("b"), document("c")))
    reader = Reader(server.url("/f"))
    await reader.visit()
    assert (await reader.visit()).outcome == "unchanged"
    later = NOW + timedelta(days=4)  # then the feed is read whole, and found to have changed
    await reader.visit(later)
    await reader.visit(later + HOUR)
    assert reader.told == ["a", "b", "c"]


async def test_an_unasked_304_is_a_failure_of_the_server(server: HttpServer) -> None:
    server.on("/f", Answer(304))
    failed = await Reader(server.url("/f")).visit()
    assert (failed.outcome, failed.reason) == ("failed", "http_error")
    assert cure_of(failed.reason, failed.detail) == SERVER_AT_FAULT


@pytest.mark.parametrize("handler", [raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), drop])
async def test_the_cure_names_the_server_where_the_server_is_at_fault(server: HttpServer, handler: Handler) -> None:
    server.on("/f", handler)
    failed = await Reader(server.url("/f")).visit()
    assert failed.outcome == "failed"
    assert cure_of(failed.reason, failed.detail) == SERVER_AT_FAULT


def test_the_cure_names_the_network_where_nothing_answers() -> None:
    assert "network" in cure_of("unreachable", "the connection failed: No route to host")
