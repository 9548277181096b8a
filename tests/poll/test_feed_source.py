"""A feed over real HTTP: what is asked, what is remembered, what is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from tests.http_server import Answer, HttpServer
from watchpost.config.fields import Secret
from watchpost.documents.parser_process import InlineParser
from watchpost.model import Publisher
from watchpost.poll import feed_options
from watchpost.poll.source import SourceContext
from watchpost.poll.sources import feed
from watchpost.poll.visit import Visit

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BODY = b"<rss version='2.0'><channel><title>D</title><item><title>Mali</title><guid>1</guid></item></channel></rss>"


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        yield server


async def visit(url: str, memory: dict[str, str] | None = None, **options: object) -> Visit:
    checked = feed.KIND.options.model_validate({"url": url, "allow_private": ["127.0.0.0/8"], **options})
    source = feed.KIND.build("desk", checked, SourceContext(InlineParser(), "watchpost/test"))
    try:
        return await source.visit(memory or {}, NOW)
    finally:
        await source.close()


def kept(visit: Visit) -> dict[str, str]:
    return {key: value for key, value in visit.memory.items() if value}


async def test_the_second_visit_is_conditional(server: HttpServer) -> None:
    server.on("/f", Answer(200, {"ETag": 'W/"1"', "Last-Modified": "then"}, BODY), Answer(304, {"ETag": 'W/"2"'}))
    first = await visit(server.url("/f"))
    assert [article.title for article in first.articles] == ["Mali"]
    assert first.articles[0].source == "desk"
    second = await visit(server.url("/f"), kept(first))
    assert (second.outcome, second.articles) == ("unchanged", ())
    assert second.memory == {"etag": 'W/"2"'}, "what did not change is not written"
    assert "if-none-match" not in server.requests[0].headers
    assert server.requests[1].headers["if-none-match"] == 'W/"1"'
    assert server.requests[1].headers["if-modified-since"] == "then"


async def test_the_same_body_is_not_read_again_but_its_new_validator_is_kept(server: HttpServer) -> None:
    server.on("/f", Answer(200, {"ETag": '"1"'}, BODY), Answer(200, {"ETag": '"2"'}, BODY))
    first = await visit(server.url("/f"))
    second = await visit(server.url("/f"), kept(first))
    assert (second.outcome, second.articles, second.memory["etag"]) == ("unchanged", (), '"2"')


async def test_a_validator_that_is_gone_is_forgotten(server: HttpServer) -> None:
    server.on("/f", Answer(200, {"ETag": '"1"'}, BODY), Answer(200, {}, BODY + b"\n"))
    second = await visit(server.url("/f"), kept(await visit(server.url("/f"))))
    assert second.outcome == "read"
    assert second.memory["etag"] == ""


@pytest.mark.parametrize(
    ("body", "reason"), [(b"<html><p>Login", "not_a_feed"), (b"", "empty"), (b"<rss><item", "malformed")]
)
async def test_the_validators_of_what_could_not_be_read_are_not_kept(
    server: HttpServer, body: bytes, reason: str
) -> None:
    server.on("/f", Answer(200, {"ETag": '"bad"'}, body))
    failed = await visit(server.url("/f"))
    assert (failed.outcome, failed.reason, dict(failed.memory)) == ("failed", reason, {})


async def test_another_url_starts_from_nothing(server: HttpServer) -> None:
    server.on("*", Answer(200, {"ETag": '"1"'}, BODY))
    first = await visit(server.url("/old"))
    second = await visit(server.url("/new"), kept(first))
    assert second.outcome == "read"
    assert "if-none-match" not in server.requests[1].headers


async def test_the_validators_of_a_redirected_feed_go_to_where_they_came_from(server: HttpServer) -> None:
    server.on("/f", Answer(301, {"Location": "/g", "ETag": '"f"'}))
    server.on("/g", Answer(200, {"ETag": '"g"'}, BODY), Answer(304))
    first = await visit(server.url("/f"))
    assert first.detail == f"moved for good to {server.url('/g')}, the server says"
    assert (await visit(server.url("/f"), kept(first))).outcome == "unchanged"
    assert [request.headers.get("if-none-match") for request in server.requests] == [None, None, None, '"g"']


@pytest.mark.parametrize(
    ("status", "after", "reason", "wait"),
    [
        (429, "90", "rate_limited", timedelta(seconds=90)),
        (503, "9999999999", "http_error", timedelta(seconds=10**9)),
        (503, "soon", "http_error", None),
        (503, "0", "http_error", None),
        (404, "", "not_found", None),
    ],
)
async def test_a_failed_visit_has_a_reason_and_keeps_its_memory(
    server: HttpServer, status: int, after: str, reason: str, wait: timedelta | None
) -> None:
    server.on("/f", Answer(status, {"Retry-After": after}))
    failed = await visit(server.url("/f"), {"url": server.url("/f"), "etag": '"1"'})
    assert (failed.outcome, failed.reason, dict(failed.memory)) == ("failed", reason, {})
    assert [floor.pause for floor in failed.interval.floors] == ([] if wait is None else [wait])


async def test_headers_are_sent_and_secrets_are_not_shown(server: HttpServer) -> None:
    server.on("/f", Answer(200, {}, BODY))
    options = feed.KIND.options.model_validate(
        {"url": server.url("/f"), "headers": {"Authorization": {"env": "TOKEN"}, "X-Plain": "yes", "User-Agent": "me"}},
        context={"env": {"TOKEN": "Bearer hush"}},
    )
    assert "hush" not in repr(options)
    assert "hush" not in options.model_dump_json()
    headers = {"Authorization": Secret("Bearer hush"), "X-Plain": "yes", "User-Agent": "me"}
    await visit(server.url("/f"), headers=headers)
    sent = server.requests[0].headers
    assert (sent["authorization"], sent["x-plain"], sent["user-agent"]) == ("Bearer hush", "yes", "me")


async def test_charset_and_language_reach_the_reader(server: HttpServer) -> None:
    body = BODY.replace(b"Mali", "Мали".encode("koi8-r"))
    server.on("/f", Answer(200, {"Content-Type": "text/xml; charset=koi8-r"}, body))
    (article,) = (await visit(server.url("/f"), lang="ru")).articles
    assert (article.title, article.lang) == ("Мали", "ru")


async def test_no_more_entries_than_asked_for(server: HttpServer) -> None:
    item = b"<item><title>Other</title><guid>2</guid></item></channel>"
    server.on("/f", Answer(200, {}, BODY.replace(b"</channel>", item)))
    read = await visit(server.url("/f"), max_items=1)
    assert [article.title for article in read.articles] == ["Mali"]
    assert (read.waiting, read.detail) == (1, "1 new entry waits for the next visit: max_items is 1")


@pytest.mark.parametrize(
    "options",
    [
        {"url": "ftp://e.org/f"},
        {"url": "e.org/f"},
        {"url": "file:///etc/passwd"},
        {"url": "http://"},
        {"url": "http://e.org:x/"},
        {"url": "http://e.org/ a"},
        {"url": "http://me:pass@e.org/"},
        {"url": "http://e.org/", "every": 10},
        {"url": "http://e.org/", "every": "0s"},
        {"url": "http://e.org/", "max_items": 0},
        {"url": "http://e.org/", "headers": {"Host": "x"}},
        {"url": "http://e.org/", "headers": {"X-A": "a\r\nX-B: b"}},
        {"url": "http://e.org/", "headers": {"a b": "c"}},
        {"url": "http://e.org/", "tags": ["sahel, africa"]},
        {"url": "http://e.org/", "tags": [" "]},
        {"url": "http://e.org/", "tags": []},
        {"url": "http://e.org/", "weight": 0},
        {"url": "http://e.org/", "owner": " "},
        {"url": "http://e.org/", "owner": "x" * 101},
        {"url": "http://e.org/", "owner": "a\nb"},
        {"url": "http://e.org/", "country": "Mali"},
        {"url": "http://e.org/", "country": "XX"},
        {"url": "http://e.org/", "colour": "red"},
        {},
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        feed.KIND.options.model_validate(options)


def test_one_tag_needs_no_brackets() -> None:
    options = feed.KIND.options.model_validate({"url": "http://e.org/", "tags": "sahel"})
    assert isinstance(options, feed_options.FeedOptions)
    assert (options.tags, options.weight) == (("sahel",), 1.0)


def test_who_is_behind_a_feed() -> None:
    options = feed.KIND.options.model_validate(
        {"url": "http://e.org/", "owner": " Rossiya ", "country": "ru", "state_media": True}
    )
    assert isinstance(options, feed_options.FeedOptions)
    assert options.publisher == Publisher("Rossiya", "RU", state_media=True)
    bare = feed.KIND.options.model_validate({"url": "http://e.org/"})
    assert isinstance(bare, feed_options.FeedOptions)
    assert bare.publisher == Publisher()
