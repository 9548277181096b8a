"""Pages as sources, on a real server: each link once, as polite as a feed, and clear about a page that has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from tests.documents import list_pages
from tests.http_server import Answer, HttpServer
from watchpost.documents.parser_process import InlineParser
from watchpost.poll.source import SourceContext
from watchpost.poll.sources import page
from watchpost.poll.visit import Visit, merged

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HTML = {"Content-Type": "text/html; charset=utf-8"}


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        yield server


class Reader:
    """A poller of one page that keeps the memory of its visits."""

    def __init__(self, server: HttpServer, **options: object) -> None:
        given = {"url": server.url("/list"), "allow_private": ["127.0.0.0/8"], "on_new": "all", **options}
        self.options = page.PageOptions.model_validate(given)
        self.memory: dict[str, str] = {}

    async def visit(self) -> Visit:
        source = page.build("desk", self.options, SourceContext(InlineParser(), "watchpost/test"))
        visit = await source.visit(dict(self.memory), NOW)
        self.memory = merged(self.memory, visit.memory)
        return visit


async def test_a_page_is_asked_for_as_a_page_and_not_read_again_unless_it_changes(server: HttpServer) -> None:
    server.on("/list", Answer(200, {**HTML, "ETag": '"1"'}, list_pages.ministry()), Answer(304))
    reader = Reader(server)
    visit = await reader.visit()
    assert [article.title for article in visit.articles] == [title for _, title, _, _ in list_pages.RELEASES]
    assert visit.articles[0].url == server.url("/actu/4")
    assert visit.articles[0].outlet == "Ministère de la Santé"
    assert (await reader.visit()).outcome == "unchanged"
    assert server.requests[0].headers["accept"].startswith("text/html")
    assert server.requests[1].headers["if-none-match"] == '"1"'


async def test_the_last_day_is_new_at_first(server: HttpServer) -> None:
    server.on("/list", Answer(200, HTML, list_pages.ministry()))
    visit = await Reader(server, on_new="24h").visit()
    assert ([article.title for article in visit.articles], len(visit.known)) == ([list_pages.RELEASES[0][1]], 3)


async def test_a_link_has_the_same_id_wherever_it_is_in_the_list(server: HttpServer) -> None:
    newer = (5, "Une nouvelle annonce du ministre à Tombouctou", "23/11/2026", "Ce jour.")
    server.on(
        "/list",
        Answer(200, HTML, list_pages.ministry()),
        Answer(200, HTML, list_pages.ministry(newer, *reversed(list_pages.RELEASES))),
    )
    reader = Reader(server)
    first, second = await reader.visit(), await reader.visit()
    assert len(second.articles) == 5
    assert {article.id for article in first.articles} == {article.id for article in second.articles[1:]}


async def test_a_page_that_was_redesigned_fails_and_says_what_is_missing(server: HttpServer) -> None:
    server.on(
        "/list",
        Answer(200, HTML, list_pages.ministry()),
        Answer(200, HTML, list_pages.ministry().replace(b"views-row", b"card")),
        Answer(200, HTML, b"<html><body>Please enable scripts to use this site.</body></html>"),
    )
    reader = Reader(server, items="div.views-row")
    assert len((await reader.visit()).articles) == 4
    for _ in range(2):
        failed = await reader.visit()
        assert (failed.outcome, failed.reason) == ("failed", "no_items")
        assert "'div.views-row' matches nothing" in failed.detail


async def test_a_feed_among_the_pages_says_where_it_belongs(server: HttpServer) -> None:
    server.on(
        "/list", Answer(200, {"Content-Type": "application/rss+xml"}, b"<?xml version='1.0'?><rss><channel/></rss>")
    )
    visit = await Reader(server).visit()
    assert (visit.reason, visit.detail) == ("no_items", "this is not a page but a feed: write it under feeds")


async def test_the_pages_of_its_articles_are_read_as_those_of_a_feed(server: HttpServer) -> None:
    text = "<p>" + "The whole text of the release about Gao and its people is here. " * 12 + "</p>"
    server.on("/robots.txt", Answer(200, {}, b"User-agent: *\nDisallow: /actu/3\n"))
    server.on("/list", Answer(200, HTML, list_pages.ministry()))
    for number in (1, 2, 3, 4):
        article = f"<html><body><article><h1>Release {number}</h1>{text}</article></body></html>"
        server.on(f"/actu/{number}", Answer(200, HTML, article.encode()))
    visit = await Reader(server, fulltext="always").visit()
    bodies = {article.url: article.body for article in visit.articles}
    assert "whole text of the release" in bodies[server.url("/actu/4")]
    assert "whole text of the release" not in bodies[server.url("/actu/3")]
    assert [failure.reason for failure in visit.failures] == ["fulltext_failed"]
