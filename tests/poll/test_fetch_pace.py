"""Edge cases of fetching, with their numbers in findings on feeds, section 8: pace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.http_server import Answer, HttpServer
from tests.poll.reader import DAY, HOUR, MINUTE, NOW, Reader, dated, document
from watchpost.documents.parser_process import InlineParser
from watchpost.documents.results import FeedHints
from watchpost.poll.source import SourceContext
from watchpost.poll.sources import feed


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        yield server


async def test_41_a_ttl_is_waited_for_and_then_the_hours_that_are_to_be_skipped(server: HttpServer) -> None:
    server.on("/f", Answer(200, {"ETag": '"1"'}, document("a")), Answer(304))
    reader = Reader(server.url("/f"), FeedHints(ttl=HOUR, skip_hours=(13, 14)))
    for _ in range(2):  # a 304 says nothing of it: it is remembered
        await reader.visit()
        assert 3 * HOUR <= reader.delay <= 3 * HOUR + 6 * MINUTE
        assert reader.status.next_why.endswith("the feed says ttl 1 hour; the feed wants no visits at 13h GMT")


async def test_42_a_year_of_max_age_is_a_day(server: HttpServer) -> None:
    server.on("/f", Answer(200, {"Cache-Control": "public, max-age=31536000"}, document("a")))
    reader = Reader(server.url("/f"))
    await reader.visit()
    assert reader.delay == DAY


@pytest.mark.parametrize(
    ("headers", "delay"),
    [
        ({"Cache-Control": "max-age=7200", "Age": "3600"}, HOUR),
        ({"Cache-Control": "max-age=60", "Age": "600"}, None),
        ({"Cache-Control": "s-maxage=9, Max-Age=7200"}, 2 * HOUR),
        ({"Cache-Control": "no-store, max-age=7200"}, None),
        ({"Cache-Control": "max-age=soon"}, None),
        ({"Expires": "Mon, 23 Nov 2026 13:30:00 GMT", "Date": "Mon, 23 Nov 2026 12:00:00 GMT"}, 90 * MINUTE),
        ({"Expires": "Thu, 19 Nov 1981 08:52:00 GMT", "Date": "Mon, 23 Nov 2026 12:00:00 GMT"}, None),
        ({"Expires": "0"}, None),
    ],
)
async def test_42_freshness_is_a_floor(server: HttpServer, headers: dict[str, str], delay: timedelta | None) -> None:
    server.on("/f", Answer(200, headers, document("a")))
    reader = Reader(server.url("/f"))
    await reader.visit()
    assert reader.delay == delay if delay else 9 * MINUTE <= reader.delay <= 11 * MINUTE


@pytest.mark.parametrize(
    ("on_new", "told"),
    [(None, [HOUR, 23 * HOUR]), ("2h", [HOUR]), ("all", [HOUR, 23 * HOUR, 3 * DAY]), ("baseline", [])],
)
async def test_a_new_feed_tells_only_what_is_recent(
    server: HttpServer, on_new: str | None, told: list[timedelta]
) -> None:
    ages = [HOUR, 23 * HOUR, 3 * DAY]
    server.on("/f", Answer(200, {}, dated(*ages)), Answer(200, {}, dated(9 * DAY, *ages)))
    reader = Reader(server.url("/f"), on_new=on_new)
    first = await reader.visit()
    assert reader.told == [str(age) for age in told]
    assert len(first.articles) + len(first.known) == 3
    second = await reader.visit()
    assert (len(second.articles), second.known) == (4, ()), "later everything counts, whatever its date"


async def test_of_entries_without_a_date_the_ten_at_the_top_are_new(server: HttpServer) -> None:
    server.on("/f", Answer(200, {}, document(*(f"n{n}" for n in range(30)))))
    reader = Reader(server.url("/f"), on_new="24h")
    await reader.visit()
    assert reader.told == [f"n{n}" for n in range(10)]


async def test_a_feed_that_is_empty_at_first_tells_what_comes_later(server: HttpServer) -> None:
    server.on("/f", Answer(200, {}, dated()), Answer(200, {}, dated(30 * DAY)))
    reader = Reader(server.url("/f"), on_new="24h")
    for _ in range(2):
        await reader.visit()
    assert reader.told == [str(30 * DAY)]


async def test_without_every_the_pace_follows_the_entries_and_is_remembered(server: HttpServer) -> None:
    server.on("/f", Answer(200, {"ETag": '"1"'}, dated(*(n * DAY for n in range(1, 12)))), Answer(304))
    reader = Reader(server.url("/f"), every=None)
    for _ in range(2):
        await reader.visit()
        assert 5.4 * HOUR <= reader.delay <= 6.6 * HOUR
        assert reader.status.next_why.endswith("every 6 hours, by how often it brings something")
    asked = Reader(server.url("/f"), every="10m")
    asked.memory = reader.memory
    await asked.visit()
    assert asked.delay <= 11 * MINUTE, "what the operator writes counts"


async def test_basic_authorization_goes_to_the_feeds_own_server(server: HttpServer) -> None:
    server.on("/f", Answer(200, {}, document("a")))
    options = feed.KIND.options.model_validate(
        {
            "url": server.url("/f"),
            "allow_private": ["127.0.0.0/8"],
            "auth": {"username": "me", "password": {"env": "PASS"}},
        },
        context={"env": {"PASS": "hush"}},
    )
    assert "hush" not in repr(options) + options.model_dump_json()
    await feed.KIND.build("desk", options, SourceContext(InlineParser(), "watchpost/test")).visit({}, NOW)
    assert server.requests[0].headers["authorization"] == "Basic bWU6aHVzaA=="
