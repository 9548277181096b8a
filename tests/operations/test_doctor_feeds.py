"""The feeds that the doctor tries, and what it reports about them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
import redis

from tests.http_server import Answer, HttpServer, Request, hang
from tests.servers import valkey_server
from watchpost.config.fields import Secret
from watchpost.config.settings import Settings
from watchpost.operations.doctor import feeds, finding
from watchpost.operations.doctor.examine import examine
from watchpost.operations.doctor.finding import SAMPLE, FeedTrouble, Finding, findings, sample, summary
from watchpost.store.keys import Keys

CONFIG = """version: 1
limits: {host_gap: 0s}
defaults: {feed: {allow_private: [127.0.0.0/8], timeout: 2s}}
topics: {mali: mali}
receivers: {terminal: {type: console}}
routes: [{to: terminal, digest: "08:00"}]
http: {listen: "127.0.0.1:0"}
feeds:
"""
RSS = b"<rss version='2.0'><channel><title>Wire</title><item><title>Mali</title><guid>1</guid></item></channel></rss>"


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        server.on("*", Answer(200, {"ETag": '"1"'}, RSS))
        yield server


async def found(here: Path, lines: str, *, all_feeds: bool = False, url: str = "") -> list[Finding]:
    """The findings about feeds."""
    config = here / "watchpost.yaml"
    config.write_text(CONFIG + lines)
    facts = {"config": config, "data": here / "data"} | ({"redis_url": Secret(url)} if url else {})
    findings = [one async for one in examine(Settings.model_validate(facts), {}, all_feeds)]
    return [one for one in findings if "feed" in one.subject or one.subject == "sources"]


async def test_each_bad_feed_has_its_own_cure_and_hides_no_other(tmp_path: Path, server: HttpServer) -> None:
    server.on("/page", Answer(200, {}, b"<html><body>Hello</body></html>"))
    server.on("/broken", Answer(200, {}, b"\x00\x01\x02\x03" * 99))
    server.on("/absent", Answer(404))
    server.on("/moved", Answer(301, {"Location": server.url("/good")}))
    server.on("/silent", hang)
    paths = ("good", "page", "broken", "absent", "moved", "silent")
    findings = await found(tmp_path, "".join(f"  {path}: {server.url(f'/{path}')}\n" for path in paths))
    by_subject = {one.subject: one for one in findings}
    assert by_subject["feeds"].level == "warn"
    assert by_subject["feeds"].text.startswith("2 of 6 ")
    assert set(by_subject) == {"feeds", *(f"feed {path}" for path in paths[1:])}
    assert all(one.level == "warn" and one.cure for one in findings)
    assert "feed discover" in by_subject["feed page"].cure
    assert "404" in by_subject["feed absent"].text
    assert by_subject["feed moved"].cure == f"set url: {server.url('/good')}"
    assert "no complete answer within 2 s" in by_subject["feed silent"].text
    assert Counter(request.target for request in server.requests) == Counter(
        ["/good", "/page", "/broken", "/absent", "/moved", "/good", "/silent"]
    )


async def test_a_running_service_keeps_its_validators_and_schedule(tmp_path: Path, server: HttpServer) -> None:
    lines = f"  wire: {server.url('/wire')}\n  resting: {server.url('/resting')}\n"
    with valkey_server() as valkey, redis.Redis.from_url(valkey.url) as client:
        keys = Keys()
        client.config_set("appendonly", "yes")
        client.hset(keys.source("wire"), mapping={"m:url": server.url("/wire"), "m:etag": '"0"', "fence": "7"})
        client.hset(keys.source("resting"), mapping={"failures": "1", "reason": "rate_limited", "detail": "HTTP 429"})
        client.zadd(keys.feeds, {"wire": 4e12, "resting": 4e12})
        before = {key: client.dump(key) for key in client.scan_iter()}
        findings = await found(tmp_path, lines, url=valkey.url)
        assert {key: client.dump(key) for key in client.scan_iter()} == before
    (request,) = server.requests
    assert request.target == "/wire"
    assert "if-none-match" not in request.headers
    assert [one.subject for one in findings] == ["sources", "feeds", "feed resting"]
    assert "has asked for a pause until 2096-10-02" in findings[2].text


async def test_one_host_gets_one_request_at_a_time(tmp_path: Path, server: HttpServer) -> None:
    under_way: list[int] = []
    now = 0

    async def answer(request: Request, writer: object) -> None:
        nonlocal now
        now += 1
        under_way.append(now)
        await asyncio.sleep(0.02)
        now -= 1

    server.on("*", answer)
    await found(tmp_path, "".join(f"  f{n}: {server.url(f'/{n}')}\n" for n in range(5)))
    assert under_way == [1] * 5


async def test_of_a_long_list_a_sample_is_tried_or_all(tmp_path: Path, server: HttpServer) -> None:
    lines = "".join(f"  f{n}: {server.url(f'/{n}')}\n" for n in range(SAMPLE + 30))
    (one,) = await found(tmp_path, lines)
    assert (one.level, one.text) == (
        "ok",
        "50 of 50 tried feeds can be read, out of 80 configured; --all-feeds tries all",
    )
    assert len(server.requests) == SAMPLE
    (one,) = await found(tmp_path, lines, all_feeds=True)
    assert (one.level, one.text) == ("ok", "80 of 80 can be read")


async def test_without_a_network_it_is_two_lines_and_no_request(tmp_path: Path) -> None:
    findings = await found(tmp_path, "".join(f"  f{n}: https://n{n}.invalid/rss\n" for n in range(40)))
    assert [(one.subject, one.level, one.outside) for one in findings] == [
        ("feeds", "fail", True),
        ("40 feeds", "warn", False),
    ]
    assert findings[1].text == "the host name cannot be resolved: f0, f1, f2, f3, f4 and 35 more"


async def test_if_nothing_answers_the_doctor_stops_early(
    tmp_path: Path, server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("*", hang)
    many = 3 * feeds.AT_ONCE
    text = "".join(f"  f{n}: {{url: {server.url(f'/{n}')}, timeout: 20ms}}\n" for n in range(many))
    findings = await found(tmp_path, text)
    assert findings[0].text == f"0 of {many} can be read; {many - 2 * feeds.AT_ONCE} were not tried"
    assert findings[0].outside


def test_a_sample_is_spread_over_hosts_and_takes_what_fails() -> None:
    hosts = {f"big{n}": "big.example" for n in range(500)} | {f"small{n}": f"small{n}.example" for n in range(20)}
    chosen = sample(hosts, ["big499", "gone"])
    assert len(chosen) == SAMPLE == len(set(chosen))
    assert {f"small{n}" for n in range(20)} <= set(chosen)
    assert "big499" in chosen
    assert chosen == [name for name in hosts if name in chosen]
    every = {f"f{n}": f"h{n}" for n in range(1000)}
    numbers = [int(name[1:]) for name in sample(every, [])]
    assert max(later - sooner for sooner, later in pairwise(numbers)) <= 20
    assert sample(dict.fromkeys("abc", "one"), ["b"]) == ["a", "b", "c"]


def test_many_of_one_kind_are_one_line() -> None:
    rows = [FeedTrouble(f"f{n}", "http_error", f"HTTP {500 + n}", "") for n in range(4)]
    (one,) = findings(rows)
    assert one == Finding("4 feeds", "warn", "HTTP 500; HTTP 501; …: f0, f1, f2, f3", one.cure)
    assert "feed test" in one.cure
    assert findings([FeedTrouble(f"f{n}", "dns", "no name", "spell it") for n in range(4)])[0].cure == "spell it"
    moved = findings([FeedTrouble(f"f{n}", "moved", f"to {n}", f"write {n}") for n in range(4)])
    assert "feed test" in moved[0].cure, "one feed's new address helps no other"
    assert [one.subject for one in findings(rows[:3])] == ["feed f0", "feed f1", "feed f2"]


def test_a_feed_that_is_not_there_is_no_failure_of_the_network() -> None:
    bad = [FeedTrouble("a", "not_found", "HTTP 404", "")]
    assert summary({"a": "h"}, 1, 0, bad).level == "fail", "nothing can be read"
    assert summary({"a": "h"}, 1, 0, [FeedTrouble("a", "timeout", "", "")]).level == "fail"
    assert summary({"a": "h", "b": "h"}, 2, 1, ()).level == "warn", "one was not asked in time"
    assert not finding.hopeless(bad)


async def test_a_host_that_is_asked_too_often_is_a_warning_with_the_gap_to_write(
    tmp_path: Path, server: HttpServer
) -> None:
    config = tmp_path / "watchpost.yaml"
    lines = "".join(f"  f{n}: {{url: '{server.url(f'/{n}')}', every: 1s}}\n" for n in range(4))
    config.write_text(CONFIG.replace("host_gap: 0s", "host_gap: 500ms") + lines)
    settings = Settings.model_validate({"config": config, "data": tmp_path / "data"})
    (busy,) = [one async for one in examine(settings, {}, False) if one.subject == "hosts"]
    assert (busy.level, "due 2.0 times as often" in busy.text, "gap: 250ms" in busy.cure) == ("warn", True, True)
