"""Edge cases of fetching, with their numbers in findings on feeds, section 8: answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_network

import pytest

from tests.http_server import Answer, HttpServer, Request
from tests.poll.reader import DAY, HOUR, MINUTE, NOW, SECOND, Reader, document
from watchpost.errors import FetchError
from watchpost.poll.http.fetcher import HttpFetcher


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        yield server


@pytest.mark.parametrize("etag", ['W/"a"', "unquoted"])
async def test_32_validators_go_back_as_they_came(server: HttpServer, etag: str) -> None:
    server.on("/f", Answer(200, {"ETag": etag}, document("a")), Answer(304))
    reader = Reader(server.url("/f"))
    await reader.visit()
    assert (await reader.visit()).outcome == "unchanged"
    assert server.requests[1].headers["if-none-match"] == etag


async def test_33_the_same_body_with_a_new_etag_is_no_news(server: HttpServer) -> None:
    server.on("/f", Answer(200, {"ETag": '"1"'}, document("a")), Answer(200, {"ETag": '"2"'}, document("a")))
    reader = Reader(server.url("/f"))
    await reader.visit()
    assert (await reader.visit()).outcome == "unchanged"
    assert (reader.told, reader.memory["etag"]) == (["a"], '"2"')


def made_at(time: str, *titles: str) -> bytes:
    made = f"<lastBuildDate>Mon, 23 Nov 2026 {time} GMT</lastBuildDate>"
    return document(*titles).replace(b"</title>", b"</title>" + made.encode(), 1)


async def test_33_a_body_that_only_names_another_moment_is_no_news(server: HttpServer) -> None:
    bodies = [made_at(f"12:0{minute}:00", "a") for minute in range(4)]
    server.on("/f", *(Answer(200, {}, body) for body in bodies), Answer(200, {}, made_at("12:05:00", "b", "a")))
    reader = Reader(server.url("/f"))
    outcomes = [(await reader.visit()).outcome for _ in bodies]
    assert (outcomes, reader.told) == (["read", "unchanged", "unchanged", "unchanged"], ["a"])
    assert (await reader.visit()).outcome == "read"
    assert "b" in reader.told


async def test_33_what_waits_is_read_though_the_body_only_names_another_moment(server: HttpServer) -> None:
    titles = "abcdefg"
    server.on("/f", *(Answer(200, {}, made_at(f"12:0{minute}:00", *titles)) for minute in range(4)))
    reader = Reader(server.url("/f"), max_items=5, on_new="all")
    assert (await reader.visit()).waiting == 2
    assert (await reader.visit()).outcome == "read"


async def test_33_a_body_that_only_names_another_moment_is_read_whole_now_and_then(server: HttpServer) -> None:
    server.on("/f", *(Answer(200, {}, made_at(f"12:0{minute}:00", "a")) for minute in range(4)))
    reader = Reader(server.url("/f"))
    outcomes = [(await reader.visit(NOW + age)).outcome for age in (0 * DAY, DAY, 2 * DAY, 4 * DAY)]
    assert outcomes == ["read", "unchanged", "unchanged", "read"]


async def test_34_a_304_brings_new_validators_and_freshness_and_need_not_repeat_them(server: HttpServer) -> None:
    server.on(
        "/f",
        Answer(200, {"ETag": '"1"', "Cache-Control": "max-age=3600"}, document("a")),
        Answer(304),
        Answer(304, {"ETag": '"2"', "Cache-Control": "max-age=7200"}),
    )
    reader = Reader(server.url("/f"))
    for etag, delay in (('"1"', HOUR), ('"1"', HOUR), ('"2"', 2 * HOUR)):
        await reader.visit()
        assert (reader.memory["etag"], reader.delay) == (etag, delay)
    assert reader.status.next_why.endswith("the server says max-age 2 hours")


@pytest.mark.parametrize(
    ("after", "delay"),
    [
        ("1800", 30 * MINUTE),
        ("Mon, 23 Nov 2026 12:45:00 GMT", 45 * MINUTE),
        ("9999999999", DAY),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
async def test_35_retry_after_is_respected_if_it_can_be_read(
    server: HttpServer, after: str, delay: timedelta | None
) -> None:
    server.on("/f", Answer(503, {"Retry-After": after, "Date": "Mon, 23 Nov 2026 12:00:00 GMT"}))
    reader = Reader(server.url("/f"))
    await reader.visit()
    if delay is None:
        assert 10 * MINUTE <= reader.delay <= 11 * MINUTE
    else:
        assert reader.delay == delay
        assert "the server asked for" in reader.status.next_why


async def test_46_a_dripping_server_is_left_at_the_deadline(server: HttpServer) -> None:
    left = asyncio.Event()

    async def drip(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        try:
            while True:
                writer.write(b"<")
                await writer.drain()
                await asyncio.sleep(0.02)
        finally:
            left.set()

    server.on("/f", drip)
    failed = await Reader(server.url("/f"), timeout="300ms").visit()
    assert (failed.outcome, failed.reason) == ("failed", "timeout")
    async with asyncio.timeout(20):
        await left.wait()


@pytest.mark.parametrize("target", ["file:///etc/passwd", "http://127.0.0.2/", "http://[::ffff:10.0.0.1]/"])
async def test_47_redirects_to_private_places_are_blocked(server: HttpServer, target: str) -> None:
    server.on("/f", Answer(302, {"Location": target}))
    failed = await Reader(server.url("/f"), allow_private=["127.0.0.1/32"]).visit()
    assert (failed.reason, len(server.requests)) == ("blocked", 1)


async def test_47_a_name_that_turns_private_is_blocked_at_the_connection(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["127.0.0.1", "127.0.0.2"]

    def resolve(host: str, *args: object, **kwargs: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    server.on("/f", Answer(302, {"Location": "/g"}))
    server.on("/g", Answer(200, {}, b"secret"))
    url = server.url("/f", "rebinding.example")
    with pytest.raises(FetchError) as blocked:
        await HttpFetcher(user_agent="x", allow_private=[ip_network("127.0.0.1/32")]).get(
            url, headers={}, validators=None, timeout=5 * SECOND
        )
    assert (blocked.value.reason, len(server.requests), answers) == ("blocked", 1, [])


async def test_48_some_entries_only_do_not_make_the_others_vanish(server: HttpServer) -> None:
    twenty = [f"n{n}" for n in range(20)]
    server.on(
        "/f",
        Answer(200, {"ETag": '"1"'}, document(*twenty)),
        Answer(226, {"ETag": '"2"', "IM": "feed"}, document("x", "y")),
        Answer(200, {"ETag": '"3"'}, document(*twenty)),
    )
    reader = Reader(server.url("/f"), headers={"A-IM": "feed"})
    await reader.visit()
    read, body = reader.memory["read"], reader.memory["body"]
    await reader.visit(NOW + HOUR)
    assert (reader.told[20:], reader.memory["etag"]) == (["x", "y"], '"2"')
    assert (reader.memory["read"], reader.memory["body"]) == (read, body), "that was no full reading"
    assert server.requests[1].headers["a-im"] == "feed"


async def test_49_a_body_that_was_cut_short_leaves_no_validators(server: HttpServer) -> None:
    async def short(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 1000\r\n\r\n' + document("a"))
        await writer.drain()

    server.on("/f", short)
    reader = Reader(server.url("/f"))
    assert (await reader.visit()).reason == "truncated"
    assert reader.memory == {}


async def test_50_a_body_that_cannot_be_read_leaves_no_validators(server: HttpServer) -> None:
    server.on("/f", Answer(200, {"ETag": '"1"'}, b"<rss><item"))
    reader = Reader(server.url("/f"))
    assert (await reader.visit()).reason == "malformed"
    assert reader.memory == {}
