"""The feeds of a page: those that it names, else the usual places."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from tests.http_server import Answer, HttpServer
from watchpost.documents.page import FEED_LINKS_MAX, find_feed_links
from watchpost.documents.parser_process import InlineParser
from watchpost.operations.feeds.discovery import USUAL, Candidate, discover, form_of, network_list
from watchpost.poll.http.fetcher import HttpFetcher

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RSS = b"<rss version='2.0'><channel><title>Wire</title><item><title>Mali</title><guid>1</guid></item></channel></rss>"
PLAIN = b"<html><body>Hi</body></html>"


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        yield server


async def found(server: HttpServer, *, guess: bool = False) -> tuple[Candidate, ...]:
    fetcher = HttpFetcher(user_agent="watchpost/test", allow_private=network_list(["127.0.0.0/8"]))
    return await discover(server.url("/"), fetcher, InlineParser(), NOW, guess=guess, pause_seconds=0)


async def test_an_address_that_is_a_feed_is_itself_found(server: HttpServer) -> None:
    server.on("/", Answer(200, {}, RSS))
    (one,) = await found(server)
    assert (one.url, one.title, one.entries, one.problem) == (server.url("/"), "Wire", 1, "")
    assert len(server.requests) == 1


async def test_the_usual_places_are_tried_only_on_request_and_if_no_feed_is_named(server: HttpServer) -> None:
    server.on("/", Answer(200, {}, PLAIN))
    server.on("/rss.xml", Answer(200, {}, RSS))
    assert await found(server) == ()
    assert len(server.requests) == 1
    (one,) = await found(server, guess=True)
    assert (one.url, one.guessed) == (server.url("/rss.xml"), True)
    assert [request.target for request in server.requests[2:]] == list(USUAL)
    server.on("/", Answer(200, {}, b"<link rel=alternate type=application/rss+xml href=/rss.xml>"))
    server.requests.clear()
    assert not (await found(server, guess=True))[0].guessed
    assert len(server.requests) == 2


def links(page: str) -> list[str]:
    return [link.url for link in find_feed_links(page.encode(), "https://e.example/a/b")]


@pytest.mark.parametrize(
    ("page", "urls"),
    [
        ("<link rel='alternate' type='application/rss+xml' href='x'>", ["https://e.example/a/x"]),
        ("<base href='//o.example/c/'><link rel=feed href='x'>", ["https://o.example/c/x"]),
        ("<LINK REL='Home ALTERNATE' TYPE='application/feed+json; charset=utf-8' HREF=' x '>", ["https://e.example/a/x"]),
        ("<a rel=feed href=x>feed</a><a rel=alternate type=application/rss+xml href=y>", ["https://e.example/a/x"]),
        ("<link rel=alternate type=text/html href=x><link rel=alternate hreflang=fr href=x>", []),
        ("<link rel=feed href='javascript:x()'><link rel=feed href='file:///etc/passwd'>", []),
        ("<link rel=feed href='//['>", []),
        ("<link rel=alternate type=application/json href=/wp-json/wp/v2/posts/1>", []),
        ("<link rel=feed href=x><link rel=feed href=x>", ["https://e.example/a/x"]),
        ("", []),
    ],
)  # fmt: skip
def test_the_feeds_that_a_page_names(page: str, urls: list[str]) -> None:
    assert links(page) == urls


def test_a_page_of_ten_thousand_links_names_ten() -> None:
    assert len(links("".join(f"<link rel=feed href=/{n}>" for n in range(10_000)))) == FEED_LINKS_MAX


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (RSS, "RSS 2.0"),
        (b"<?xml version='1.0'?>\n<feed xmlns='http://www.w3.org/2005/Atom'>", "Atom"),
        (b"<rdf:RDF xmlns:rdf='x'>", "RSS 1.0"),
        (b'{"version": "https://jsonfeed.org/version/1.1"}', "JSON Feed"),
        (b"<!doctype html><html>", "HTML"),
        (b"<urlset xmlns='x'>", "news sitemap"),
        (b"a text", ""),
        (b"", ""),
    ],
)
def test_the_format_that_a_document_declares(body: bytes, form: str) -> None:
    assert form_of(body) == form
