"""Edge cases of fetching, with their numbers in findings on feeds, section 8: places."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.http_server import Answer, HttpServer
from tests.poll.reader import DAY, HOUR, NOW, Reader, document


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        yield server


async def test_37_a_permanent_redirect_is_believed_after_three_visits_and_a_day(server: HttpServer) -> None:
    server.on("/old", Answer(301, {"Location": "/new"}))
    server.on("/new", *(Answer(200, {}, document("a", str(n))) for n in range(9)))
    reader = Reader(server.url("/old"))
    for hours in (0, 1, 2):
        await reader.visit(NOW + hours * HOUR)
        assert "moved_to" not in reader.memory, "three visits, but within two hours"
    await reader.visit(NOW + 25 * HOUR)
    assert reader.memory["moved_to"] == server.url("/new")
    before = len(server.requests)
    await reader.visit(NOW + 26 * HOUR)
    assert [request.target for request in server.requests[before:]] == ["/new"]
    assert reader.memory["url"] == server.url("/old")
    assert reader.told.count("a") == 5, "the very same entries: one name, one history"


async def test_37_one_redirect_that_goes_away_changes_nothing(server: HttpServer) -> None:
    server.on("/old", Answer(301, {"Location": "/new"}), Answer(200, {}, document("a")))
    server.on("/new", Answer(200, {}, document("a", "b")))
    reader = Reader(server.url("/old"))
    for hours in (0, 30, 60, 90):
        await reader.visit(NOW + hours * HOUR)
    assert not {"moved", "moved_to"} & set(reader.memory)
    assert server.requests[-1].target == "/old"


async def test_37_a_new_place_that_fails_sends_us_back_to_the_old_one(server: HttpServer) -> None:
    server.on("/old", Answer(301, {"Location": "/new"}))
    server.on("/new", Answer(200, {}, document("a")))
    reader = Reader(server.url("/old"))
    for hours in (0, 12, 24):
        await reader.visit(NOW + hours * HOUR)
    assert "moved_to" in reader.memory
    server.on("/old", Answer(200, {}, document("a", "b")))
    server.on("/new", Answer(404))
    failed = await reader.visit(NOW + 25 * HOUR)
    assert failed.detail == "HTTP 404; next time at the configured url"
    assert (await reader.visit(NOW + 26 * HOUR)).outcome == "read"
    assert reader.told[-1] == "b"


async def test_37_another_url_in_the_configuration_forgets_where_the_old_one_went(server: HttpServer) -> None:
    server.on("*", Answer(200, {}, document("a")))
    reader = Reader(server.url("/other"))
    reader.memory = {"url": server.url("/old"), "moved_to": server.url("/new"), "read": "2026-11-23T11:00:00+00:00"}
    for _ in range(2):
        await reader.visit()
    assert [request.target for request in server.requests] == ["/other", "/other"]


async def test_38_a_redirect_to_a_login_page_is_never_believed(server: HttpServer) -> None:
    server.on("/f", Answer(301, {"Location": "/login"}))
    server.on("/login", Answer(200, {}, b"<!DOCTYPE html><html><body>Log in"))
    reader = Reader(server.url("/f"))
    for days in range(6):
        failed = await reader.visit(NOW + days * DAY)
        assert failed.reason == "not_a_feed"
    assert not {"moved", "moved_to", "etag"} & set(reader.memory)


async def test_39_validators_of_another_address_are_not_carried_over(server: HttpServer) -> None:
    async with HttpServer() as other:
        server.on("/f", Answer(302, {"Location": other.url("/g")}))
        other.on("/g", Answer(200, {"ETag": '"g"'}, document("a")))
        reader = Reader(server.url("/f"), headers={"Authorization": "Bearer token"})
        await reader.visit()
        await reader.visit()
        assert "if-none-match" not in server.requests[1].headers
        assert other.requests[1].headers["if-none-match"] == '"g"'
        assert "authorization" not in other.requests[1].headers


async def test_40_after_410_there_is_no_request_ever_and_it_is_said_once(server: HttpServer) -> None:
    server.on("/f", Answer(410))
    reader = Reader(server.url("/f"))
    for days in range(4):
        visit = await reader.visit(NOW + days * DAY)
        assert (visit.outcome, visit.reason) == ("failed", "gone")
        assert reader.delay == DAY
    assert (len(server.requests), reader.turns) == (1, ["gone"])
    assert reader.status.next_why.endswith("gone for good: not asked again until its url is changed")
    server.on("/g", Answer(200, {}, document("a")))
    elsewhere = Reader(server.url("/g"))
    elsewhere.memory, elsewhere.status = reader.memory, reader.status
    assert (await elsewhere.visit(NOW + 5 * DAY)).outcome == "read"
    assert elsewhere.turns == ["recovered"]


async def test_40_a_feed_that_is_not_there_for_two_weeks_is_said_to_be_dead_once(server: HttpServer) -> None:
    reader, now = Reader(server.url("/missing")), NOW
    while now < NOW + 30 * DAY:
        await reader.visit(now)
        now += reader.delay
    assert reader.turns == ["dead"]
    assert reader.status.next_why.endswith("dead for 14 days: tried once a day")
