"""Feeds listed, tried and discovered from the command line, against a real web server and a real store."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.cli.command import Done, watchpost
from tests.documents import list_pages
from tests.http_server import Answer, HttpServer
from tests.store.embedding import make
from tests.store.ends import poll_store
from watchpost.operations.factory import read_config
from watchpost.store.client import Store
from watchpost.store.polling import Claim

RSS = (
    b"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>Sahel Sample Wire</title>"
    b"<language>fr</language><item><title>Talks in Bamako</title><guid>1</guid><link>https://e.example/1</link>"
    b"<pubDate>Mon, 23 Nov 2026 10:00:00 GMT</pubDate></item></channel></rss>"
)
PAGE = (
    b"<html><head><title>Sahel</title><base href='/deep/'>"
    b"<link rel='alternate' type='application/rss+xml' title='All &amp; everything' href='rss'>"
    b"<link rel='alternate' type='application/atom+xml' href='/broken'>"
    b"<link rel='alternate' type='text/css' href='/x'><link rel='feed' href='/third'></head><body>Hi</body></html>"
)
HERE = ("--allow-private", "127.0.0.0/8")


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        yield server


@pytest.fixture
def data() -> Iterator[Path]:
    """A data directory that does not exist yet; its path is short enough for a socket."""
    place = Path(tempfile.mkdtemp(prefix="wp-")).resolve()
    yield place / "data"
    shutil.rmtree(place)


async def command(here: Path, *args: str, **env: str) -> Done:
    """A command, while the servers of this test go on."""
    return await asyncio.to_thread(lambda: watchpost(here, *args, **env))


def configure(here: Path, *feeds: str) -> None:
    lines = "".join(f"  {feed}\n" for feed in feeds)
    (here / "watchpost.yaml").write_text(
        "version: 1\ntimezone: Europe/Paris\ndefaults: {feed: {allow_private: [127.0.0.0/8]}}\n"
        f"feeds:\n{lines}"
        "topics: {mali: Mali}\nreceivers: {terminal: {type: console}}\n"
        "routes: [{to: terminal, digest: {every: 1m}}]\n"
    )


async def test_feeds_of_a_running_service_are_listed_and_shown(server: HttpServer, tmp_path: Path, data: Path) -> None:
    server.on("/rss", Answer(200, {"ETag": '"e1"', "Cache-Control": "max-age=3600"}, RSS))
    server.on("/gone", Answer(404))
    rest = "every: 10m, headers: {X-Key: {env: KEY}, X-Plain: pl4in}, tags: [sahel]"
    configure(tmp_path, f"rfi: {{url: '{server.url('/rss')}', {rest}}}", f"lost: {server.url('/gone')}")
    env = {"KEY": "s3cr3t", "WATCHPOST_DATA": str(data)}
    assert (await command(tmp_path, "run", "--once", **env)).returncode == 0
    embedded = make(data)
    await embedded.start()
    asked = len(server.requests)

    table = await command(tmp_path, "feed", "list", **env)
    rows = {row.split("\t")[0]: row.split("\t")[1:] for row in table.stdout.splitlines()[1:]}
    assert rows["rfi"][0] == "ok"
    assert rows["rfi"][4] == "the server says max-age 1 hour"
    assert rows["lost"][0] == "failing 1×: not_found"
    failing = json.loads((await command(tmp_path, "feed", "list", "--failing", "--json", **env)).stdout)
    assert failing["service"] is True
    (lost,) = failing["feeds"]
    assert (lost["name"], lost["state"], lost["failures"], lost["detail"]) == ("lost", "failing", 1, "HTTP 404")
    assert lost["due"] > lost["last_visit"]
    assert lost["last_read"] is None

    shown = await command(tmp_path, "feed", "show", "rfi", **env)
    assert shown.returncode == 0
    for part in ('"e1"', "the server says max-age 1 hour", "X-Key: Secret(env KEY)", "X-Plain: ***", "sahel"):
        assert part in shown.stdout
    assert "entries:           1 entry, 0 new and 1 known" in shown.stdout
    assert "  every 10 minutes, as configured\n" in shown.stdout
    assert shown.stdout.index("as configured") < shown.stdout.index("  the server says max-age 1 hour\n")
    lost_one = (await command(tmp_path, "feed", "show", "lost", **env)).stdout
    assert "failures:          1 in a row since 20" in lost_one
    assert "cure:              check the path" in lost_one
    facts = json.loads((await command(tmp_path, "feed", "show", "rfi", "--json", **env)).stdout)
    assert facts["interval"][0] == "every 10 minutes, as configured"
    assert facts["memory"]["etag"] == '"e1"'
    assert (facts["state"], facts["options"]["every"]) == ("ok", "10 minutes")
    for told in (table, shown):
        assert not [word for word in ("s3cr3t", "pl4in") if word in told.stdout + told.stderr]
    assert len(server.requests) == asked, "looking asks no feed"
    await embedded.stop()


async def test_a_dead_or_gone_feed_is_shown_with_since_when_and_how_it_comes_back(tmp_path: Path, data: Path) -> None:
    configure(tmp_path, *(f"{name}: https://{name}.example/rss" for name in ("rfi", "old", "ended")))
    since = {"failing_since": "2026-11-01T08:00:00+00:00", "failures": "21", "last_visit": "2026-11-23T08:00:00+00:00"}
    embedded = make(data)
    await embedded.start()
    store = Store(embedded.url)
    for name, reason, state in (("old", "dns", "dead"), ("ended", "gone", "gone")):
        facts = since | {"reason": reason, "state": state, "detail": "no such name", "outcome": "failed"}
        await poll_store(store).commit(Claim(name, "", {}, {}), (), memory={}, status=facts, delay_ms=0)
    await store.close()
    env = {"WATCHPOST_DATA": str(data)}
    table = await command(tmp_path, "feed", "list", **env)
    states = {row.split("\t")[0]: row.split("\t")[1] for row in table.stdout.splitlines()[1:]}
    assert states == {
        "rfi": "never read",
        "old": "dead since 2026-11-01: dns",
        "ended": "gone since 2026-11-01",
    }
    assert "1 feed dead: tried once a day" in table.stderr
    assert "1 feed gone: no longer read: change the url" in table.stderr
    failing = json.loads((await command(tmp_path, "feed", "list", "--failing", "--json", **env)).stdout)["feeds"]
    assert [(one["state"], one["failing_since"]) for one in failing] == [
        ("dead", "2026-11-01T08:00:00+00:00"),
        ("gone", "2026-11-01T08:00:00+00:00"),
    ]
    shown = (await command(tmp_path, "feed", "show", "old", **env)).stdout
    assert shown.startswith("old: dead since 2026-11-01: dns\n")
    assert "21 in a row since 2026-11-01 09:00" in shown, "in the zone of the configuration"
    assert "`watchpost feed read` tries at once" in shown
    await embedded.stop()


def test_without_a_running_service_the_configuration_is_shown_and_nothing_is_started(
    tmp_path: Path, data: Path
) -> None:
    configure(tmp_path, "rfi: https://a.example/rss")
    done = watchpost(tmp_path, "feed", "list", "--data", str(data))
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].startswith("rfi\tunknown\t10 minutes\t")
    assert "`watchpost run`" in done.stderr
    assert watchpost(tmp_path, "feed", "show", "rfi", "--data", str(data)).returncode == 0
    failing = watchpost(tmp_path, "feed", "list", "--failing", "--data", str(data))
    assert (failing.returncode, failing.stdout) == (4, "")
    assert not data.exists()


def test_a_feed_that_is_not_configured_is_a_mistake(tmp_path: Path) -> None:
    configure(tmp_path, "rfi: https://a.example/rss")
    for verb in ("show", "test"):
        done = watchpost(tmp_path, "feed", verb, "rif")
        assert (done.returncode, done.stdout) == (2, "")
        assert "no feed 'rif'; did you mean 'rfi'?" in done.stderr


async def test_a_feed_is_tried_once_and_shown_whole(server: HttpServer, tmp_path: Path) -> None:
    server.on("/rss", Answer(200, {"ETag": '"e1"', "Content-Type": "application/rss+xml"}, RSS))
    server.on("/old", Answer(301, {"Location": "/rss"}))
    configure(tmp_path, f"rfi: {server.url('/old')}")
    done = await command(tmp_path, "feed", "test", "rfi")
    assert done.returncode == 0, done.stderr
    assert len(server.requests) == 2, "one visit, with its redirect"
    assert server.requests[0].headers["user-agent"].startswith("watchpost/")
    for part in ("HTTP 200", '"e1"', "RSS 2.0, utf-8", server.url("/rss"), "1 entry\n", "2026-11-23 11:00"):
        assert part in done.stdout
    assert "(every 6 hours, by how often it brings something)" in done.stdout
    facts = json.loads((await command(tmp_path, "feed", "test", server.url("/old"), "--json", *HERE)).stdout)
    assert (facts["ok"], facts["status"], facts["moved_to"]) == (True, 200, server.url("/rss"))
    (entry,) = facts["entries"]
    assert (entry["title"], entry["lang"], entry["published"]) == (
        "Talks in Bamako", "fr", "2026-11-23T10:00:00+00:00"
    )  # fmt: skip


async def test_a_problem_of_a_feed_is_shown_with_a_cure(server: HttpServer, tmp_path: Path) -> None:
    server.on("/page", Answer(200, {}, PAGE))
    server.on("/slow", Answer(429, {"Retry-After": "7200"}))
    page = await command(tmp_path, "feed", "test", server.url("/page"), *HERE)
    assert page.returncode == 1
    assert f"the page names {server.url('/deep/rss')} (All & everything)" in page.stdout
    assert "watchpost feed discover" in page.stdout
    slow = await command(tmp_path, "feed", "test", server.url("/slow"), *HERE)
    assert slow.returncode == 1
    assert "the server asked for 2 hours" in slow.stdout
    blocked = await command(tmp_path, "feed", "test", server.url("/page"))
    assert blocked.returncode == 1
    assert "--allow-private" in blocked.stdout
    assert (await command(tmp_path, "feed", "test", "http://me:s3cr3t@e.example/")).returncode == 2
    assert (await command(tmp_path, "feed", "test", server.url("/page"), "--allow-private", "here")).returncode == 2


async def test_discover_prints_lines_to_paste(server: HttpServer, tmp_path: Path) -> None:
    server.on("/", Answer(200, {}, PAGE))
    server.on("/deep/rss", Answer(200, {}, RSS))
    server.on("/broken", Answer(200, {}, b"<html>no</html>"))
    done = await command(tmp_path, "feed", "discover", server.url("/"), *HERE)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f'feeds:\n  all-everything: {{url: "{server.url("/deep/rss")}", lang: fr}}\n'
    assert f"{server.url('/broken')} cannot be read" in done.stderr
    assert f"{server.url('/third')} cannot be read: HTTP 404" in done.stderr
    assert [request.target for request in server.requests] == ["/", "/deep/rss", "/broken", "/third"]


async def test_discover_reports_that_a_page_names_no_feed(server: HttpServer, tmp_path: Path) -> None:
    server.on("/", Answer(200, {}, b"<html><body>Hi</body></html>"))
    done = await command(tmp_path, "feed", "discover", server.url("/"), "--json", *HERE)
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"url": server.url("/"), "feeds": [], "page": None}
    assert "--guess" in (await command(tmp_path, "feed", "discover", server.url("/"), *HERE)).stderr
    assert (await command(tmp_path, "feed", "discover", server.url("/"))).returncode == 1, "loopback is not public"


async def test_discover_proposes_a_page_where_there_is_no_feed(server: HttpServer, tmp_path: Path) -> None:
    server.on("/press", Answer(200, {"Content-Type": "text/html"}, list_pages.ministry()))
    done = await command(tmp_path, "feed", "discover", server.url("/press"), *HERE)
    assert done.returncode == 1
    assert "lists 4 links like “Lancement de la campagne" in done.stderr
    assert done.stdout.startswith("pages:\n  minist")
    (tmp_path / "watchpost.yaml").write_text(f"version: 1\n{done.stdout}topics: {{mali: Mali}}\n", "utf-8")
    config = read_config(tmp_path / "watchpost.yaml", {})
    assert [(part.kind, getattr(part.options, "items", "")) for part in config.sources] == [("page", "div.views-row")]


async def test_discover_tries_the_address_of_a_known_site(server: HttpServer, tmp_path: Path) -> None:
    server.on("/@desk.rss", Answer(200, {}, RSS))
    done = await command(tmp_path, "feed", "discover", server.url("/@desk"), *HERE)
    assert done.returncode == 0, done.stderr
    assert server.url("/@desk.rss") in done.stdout
    assert [request.target for request in server.requests] == ["/@desk.rss"]


async def test_a_page_tried_shows_what_it_takes_and_why(server: HttpServer, tmp_path: Path) -> None:
    server.on("/press", Answer(200, {"Content-Type": "text/html"}, list_pages.ministry()))
    done = await command(tmp_path, "page", "test", server.url("/press"), *HERE)
    assert done.returncode == 0, done.stderr
    assert "why:    guessed: of" in done.stdout
    assert "items:  div.views-row" in done.stdout
    assert "2026-11-23 00:00  Lancement de la campagne de vaccination à Gao" in done.stdout
    assert "also on this page: 4 links like “Tout savoir" in done.stdout
    named = await command(tmp_path, "page", "test", server.url("/press"), "--items", "p.none", *HERE)
    assert named.returncode == 1
    assert "no_items: items: 'p.none' matches nothing" in named.stdout
    assert "cure: name the links with `items`" in named.stdout
    wrong = await command(tmp_path, "page", "test", server.url("/press"), "--items", "li[", *HERE)
    assert "items: 'li[' is not a CSS selector" in wrong.stderr
