"""Edge cases of fetching, each a test that bears its number in findings on feeds, section 8."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from itertools import pairwise
from typing import Any

import pytest

from tests.http_server import Answer, HttpServer, Request
from watchpost.errors import FetchError
from watchpost.model import Article
from watchpost.poll import record
from watchpost.poll.documents.read import Reading
from watchpost.poll.due import Asks
from watchpost.poll.fetcher import HttpFetcher
from watchpost.poll.parser import InlineParser
from watchpost.poll.role import Poller
from watchpost.poll.source import Visit, Workshop
from watchpost.poll.sources import feed
from watchpost.wire.intake import Intake
from watchpost.wire.store import Store

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOUR_MS = 3_600_000


def document(*titles: str) -> bytes:
    items = "".join(f"<item><title>{title}</title><guid>{title}</guid></item>" for title in titles)
    return f"<rss version='2.0'><channel><title>D</title>{items}</channel></rss>".encode()


class Says:
    """A parser for which each document asks the same."""

    def __init__(self, asks: Asks) -> None:
        self._asks = asks

    async def run(self, work: Callable[..., Any], *args: object, **kwargs: object) -> Any:
        return Reading(asks=self._asks)

    async def close(self) -> None:
        pass


class Reader:
    """Visits one feed as the poller does: it keeps its memory and its status, and what was news."""

    def __init__(self, url: str, asks: Asks | None = None, **options: object) -> None:
        given = {"url": url, "every": "10m", "allow_private": ["127.0.0.0/8"], "on_new": "all", **options}
        checked = feed.KIND.options.model_validate({key: value for key, value in given.items() if value is not None})
        parser = Says(asks) if asks is not None else InlineParser()
        self.source = feed.KIND.build("desk", checked, Workshop(parser, "watchpost/test"))
        self.memory: dict[str, str] = {}
        self.status: dict[str, str] = {}
        self.told: list[str] = []
        self.turns: list[str] = []
        self.delay = timedelta(0)

    async def visit(self, now: datetime = NOW) -> Visit:
        visit = await self.source.visit(self.memory, now)
        entry = record.entry("desk", self.source.every, visit, self.status, now)
        self.memory = record.merged(self.memory, visit.memory)
        self.status = record.merged(self.status, entry.status)
        self.told += [article.title for article in visit.articles]
        self.turns += [entry.turn] if entry.turn else []
        self.delay = entry.delay
        return visit


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        yield server


def intake(store: Store, *, gap: int = 1000, lease: int = 30_000) -> Intake:
    return Intake(store, seen_ttl_ms=24 * HOUR_MS, queue_max=100_000, lease_ms=lease, host_gap_ms=gap)


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
    assert reader.status["next_visit"].endswith("UTC, the server says max-age 2 hours")


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
        assert "the server asked for" in reader.status["next_visit"]


async def test_36_one_limited_feed_waits_and_its_neighbours_go_on_at_half_the_rate(store: Store) -> None:
    end, names = intake(store), [f"feed{n:02}" for n in range(20)]
    await end.sync(names, dict.fromkeys(names, "reddit.example"))
    claimed = await end.claim(32)
    assert len(claimed.feeds) == 1
    assert sorted(claimed.put_off.values()) == [1000 * n for n in range(1, 20)]
    (limited,) = claimed.feeds
    await end.commit(limited, [], memory={}, status={}, delay_ms=HOUR_MS, limited=True)
    await end.hasten([name for name in names if name != limited.name])
    claimed = await end.claim(32)
    waits = sorted(claimed.put_off.values())
    assert (claimed.feeds, len(waits)) == ((), 19)
    assert {later - sooner for sooner, later in pairwise(waits)} == {2000}


async def test_36_a_host_that_limits_two_of_its_feeds_rests(store: Store) -> None:
    end, names = intake(store, gap=1), ["a", "b", "c"]
    await end.sync(names, dict.fromkeys(names, "reddit.example"))
    for _ in range(2):
        await asyncio.sleep(0.02)
        (limited,) = (await end.claim(32)).feeds
        await end.commit(limited, [], memory={}, status={}, delay_ms=HOUR_MS, limited=True)
    await asyncio.sleep(0.02)
    claimed = await end.claim(32)
    assert (claimed.feeds, list(claimed.put_off)) == ((), ["c"])
    assert claimed.put_off["c"] > HOUR_MS / 2


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
    assert reader.status["next_visit"].endswith("gone for good: not asked again until its url is changed")
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
    assert reader.status["next_visit"].endswith("dead for 14 days: tried once a day")


async def test_41_a_ttl_is_waited_for_and_then_the_hours_that_are_to_be_skipped(server: HttpServer) -> None:
    server.on("/f", Answer(200, {"ETag": '"1"'}, document("a")), Answer(304))
    reader = Reader(server.url("/f"), Asks(ttl=HOUR, skip_hours=(13, 14)))
    for _ in range(2):  # a 304 says nothing of it: it is remembered
        await reader.visit()
        assert 3 * HOUR <= reader.delay <= 3 * HOUR + 6 * MINUTE
        assert reader.status["next_visit"].endswith("the feed says ttl 1 hour; the feed wants no visits at 13h GMT")


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


async def test_43_a_restart_asks_nobody_again(store: Store) -> None:
    names = [f"feed{n}" for n in range(1000)]
    hosts = {name: f"{name}.example" for name in names}
    await intake(store).sync(names, hosts)
    while claimed := (await intake(store).claim(50)).feeds:
        await asyncio.gather(
            *(intake(store).commit(one, [], memory={}, status={}, delay_ms=HOUR_MS) for one in claimed)
        )
    started_again = intake(store)
    await started_again.sync(names, hosts)
    assert (await started_again.claim(200)).feeds == ()
    nearest = (await store.redis.zrange(store.keys.feeds, 0, 0, withscores=True))[0][1]
    seconds, micros = await store.redis.time()
    assert nearest - (seconds * 1000 + micros / 1000) > 5 * 60_000


async def test_44_a_clock_that_goes_back_an_hour_makes_nothing_early(store: Store) -> None:
    end = intake(store)
    await end.sync(["a", "b"], {"a": "h", "b": "h"})
    (claim,) = (await end.claim(10)).feeds
    await end.commit(claim, [], memory={}, status={}, delay_ms=HOUR_MS)
    for name in ("a", "b"):  # the clock went back: every time that was written lies an hour further ahead
        await store.redis.zincrby(store.keys.feeds, HOUR_MS, name)
    for field in ("next", "slot"):
        await store.redis.hincrby(store.keys.host("h"), field, HOUR_MS)
    assert (await end.claim(10)).feeds == ()


async def test_44_after_eight_hours_of_sleep_no_host_is_stormed(store: Store) -> None:
    end, names = intake(store), [f"feed{n:03}" for n in range(100)]
    await end.sync(names, {name: f"host{n % 5}" for n, name in enumerate(names)})
    await store.redis.zadd(store.keys.feeds, dict.fromkeys(names, 1.0))  # due for long
    claimed = await end.claim(32)
    assert len({int(claim.name[4:]) % 5 for claim in claimed.feeds}) == len(claimed.feeds) == 5
    assert sorted(claimed.put_off.values()) == [1000 * n for n in range(1, 20) for _ in range(5)]


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
    async with asyncio.timeout(5):
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


# ── several pollers ──


def poller(store: Store, server: HttpServer, stop: asyncio.Event, *, feeds: int, lease: int = 30_000) -> Poller:
    checked = [
        feed.KIND.options.model_validate(
            {"url": server.url(f"/{n}"), "every": "1h", "allow_private": ["127.0.0.0/8"], "on_new": "all"}
        )
        for n in range(feeds)
    ]
    workshop = Workshop(InlineParser(), "watchpost/test")
    sources = [feed.KIND.build(f"feed{n}", options, workshop) for n, options in enumerate(checked)]

    async def tick() -> None:
        await asyncio.sleep(0.02)

    return Poller(sources, intake(store, gap=0, lease=lease), tick=tick, stop=stop, clock=lambda: datetime.now(UTC))


async def test_52_two_workers_fetch_each_feed_once(store: Store, server: HttpServer) -> None:
    server.on("*", Answer(200, {}, document("a")))
    stop = asyncio.Event()
    pollers = [asyncio.create_task(poller(store, server, stop, feeds=60).run()) for _ in range(2)]
    async with asyncio.timeout(20):
        await server.received(60)
    await asyncio.sleep(0.3)
    stop.set()
    await asyncio.gather(*pollers)
    assert sorted(request.target for request in server.requests) == sorted(f"/{n}" for n in range(60))


async def test_52_what_a_killed_worker_was_at_is_fetched_once_after_its_lease(store: Store, server: HttpServer) -> None:
    server.on("*", Answer(200, {}, document("a")))
    dying = intake(store, gap=0, lease=300)
    await dying.sync(["feed0"])
    assert len((await dying.claim(1)).feeds) == 1  # and never a word again
    stop = asyncio.Event()
    living = asyncio.create_task(poller(store, server, stop, feeds=1, lease=300).run())
    async with asyncio.timeout(20):
        await server.received(1)
    await asyncio.sleep(0.5)
    stop.set()
    await living
    assert len(server.requests) == 1


# ── the first reading of a feed ──


def dated(*ages: timedelta) -> bytes:
    items = "".join(
        f"<item><title>{age}</title><guid>{age}</guid><pubDate>{NOW - age:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
        for age in ages
    )
    return f"<rss version='2.0'><channel><title>D</title>{items}</channel></rss>".encode()


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


async def test_what_is_known_from_the_start_is_never_queued(store: Store) -> None:
    end = intake(store)
    await end.sync(["a"])
    (claim,) = (await end.claim(1)).feeds
    old = Article("0" * 32, "a", "old", "text", NOW)
    done = await end.commit(claim, [], known=[old.id], memory={}, status={}, delay_ms=0, stamp="now")
    assert (done.new, await store.redis.xlen(store.keys.articles)) == (0, 0)
    assert "last_new" not in (await end.recall("a")).status
    new = Article("1" * 32, "a", "new", "text", NOW)
    done = await end.commit(claim, [old, new], memory={}, status={}, delay_ms=0, stamp="now")
    assert (done.new, done.known) == (1, 1)
    assert (await end.recall("a")).status["last_new"] == "now"


# ── pace ──


async def test_without_every_the_pace_follows_the_entries_and_is_remembered(server: HttpServer) -> None:
    server.on("/f", Answer(200, {"ETag": '"1"'}, dated(*(n * DAY for n in range(1, 12)))), Answer(304))
    reader = Reader(server.url("/f"), every=None)
    for _ in range(2):
        await reader.visit()
        assert 5.4 * HOUR <= reader.delay <= 6.6 * HOUR
        assert reader.status["next_visit"].endswith("every 6 hours, by how often it brings something")
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
    await feed.KIND.build("desk", options, Workshop(InlineParser(), "watchpost/test")).visit({}, NOW)
    assert server.requests[0].headers["authorization"] == "Basic bWU6aHVzaA=="
