"""Pages of articles: which are read, how politely, and that no entry is lost for its page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.http_server import Answer, HttpServer, hang
from tests.poll.reader import poll_store
from watchpost.documents.parser_process import InlineParser
from watchpost.model import Article
from watchpost.poll.fulltext import PAGES_MAX
from watchpost.poll.poller import Poller
from watchpost.poll.source import Source, SourceContext
from watchpost.poll.sources import feed
from watchpost.poll.visit import Visit, record_visit
from watchpost.store.client import Store
from watchpost.store.sources import SourceStatus

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TEXT = [
    "Three lorries of the convoy were found empty on the road north of Gao early on Monday, two drivers said by phone.",
    "Nobody has claimed the attack so far, and the governor's office would not say who had been guarding the convoy.",
    "Traders in the town said that rice had doubled in price since the summer, and that they expected worse to come.",
]


def page(*paragraphs: str, extra: str = "") -> bytes:
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs or TEXT)
    return f"""<!doctype html><html lang="en"><head><title>Convoy - Desk</title>
<meta property="article:published_time" content="2026-11-23T09:00:00Z"><meta name="author" content="A. Diallo"></head>
<body><nav><ul><li><a href="/">Home</a></li><li><a href="/mali">Mali</a></li><li><a href="/w">Wagner Group</a></li></ul>
</nav><main><article><h1>Convoy</h1>{body}</article></main>{extra}
<footer><p>More on Wagner Group and the Sahel</p></footer></body></html>""".encode()


def rss(*items: tuple[str, str, str]) -> bytes:
    entries = "".join(
        f"<item><title>{title}</title><guid>{title}</guid><link>{link}</link><description>{text}</description></item>"
        for title, link, text in items
    )
    return f"<rss version='2.0'><channel><title>D</title>{entries}</channel></rss>".encode()


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        server.on("/robots.txt", Answer(404))
        yield server


def about_convoys(article: Article) -> bool:
    return "onvoy" in f"{article.title} {article.body} {article.url}"


def made(
    server: HttpServer,
    store: Store | None = None,
    *,
    gap: int = 0,
    name: str = "desk",
    seconds: float = 18,
    **options: object,
) -> Source:
    given = {"url": server.url("/f"), "allow_private": ["127.0.0.0/8"], "on_new": "all", "fulltext": True, **options}
    checked = feed.KIND.options.model_validate(given)
    registry = poll_store(store, gap=gap) if store is not None else None
    context = SourceContext(InlineParser(), "watchpost/test", about_convoys, registry, seconds)
    return feed.KIND.build(name, checked, context)


async def visited(server: HttpServer, *items: tuple[str, str, str], **options: object) -> Visit:
    server.on("/f", Answer(200, {"ETag": '"1"'}, rss(*items)))
    return await made(server, **options).visit({}, NOW)  # type: ignore[arg-type]


def asked(server: HttpServer) -> list[str]:
    return [request.target for request in server.requests]


async def test_the_page_of_a_plausible_article_becomes_its_text(server: HttpServer) -> None:
    server.on("/a", Answer(200, {"Content-Type": "text/html"}, page()))
    visit = await visited(
        server, ("Convoy", server.url("/a"), "An attack."), ("Football", server.url("/b"), "One goal.")
    )
    convoy, football = visit.articles
    assert convoy.body == "\n\n".join(TEXT)
    assert (convoy.summary, convoy.author, convoy.lang) == ("An attack.", "A. Diallo", "en")
    assert convoy.published == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert len(convoy.fingerprints) == 2, "its address and its text"
    assert football.body == "One goal."
    assert asked(server) == ["/f", "/robots.txt", "/a"], "one page, asked for after the site's rules"
    assert server.requests[2].headers["accept"].startswith("text/html")
    assert visit.detail == "1 page of articles read"


async def test_menus_and_what_stands_around_the_article_are_not_its_text(server: HttpServer) -> None:
    server.on("/a", Answer(200, {}, page()))
    (article,) = (await visited(server, ("Convoy", server.url("/a"), ""))).articles
    assert "Wagner" not in f"{article.summary} {article.body}"


async def test_without_the_option_no_page_is_asked_for(server: HttpServer) -> None:
    await visited(server, ("Convoy", server.url("/a"), ""), fulltext=False)
    assert asked(server) == ["/f"]


async def test_always_means_every_article(server: HttpServer) -> None:
    server.on("/b", Answer(200, {}, page()))
    (article,) = (await visited(server, ("Football", server.url("/b"), "A goal."), fulltext="always")).articles
    assert article.body == "\n\n".join(TEXT)


async def test_what_robots_forbid_is_not_asked_for_and_the_article_goes_on(server: HttpServer) -> None:
    server.on("/robots.txt", Answer(200, {}, b"User-agent: watchpost\nDisallow: /a\n"))
    visit = await visited(server, ("Convoy", server.url("/a"), "An attack."))
    assert [article.body for article in visit.articles] == ["An attack."]
    assert asked(server) == ["/f", "/robots.txt"]
    (failure,) = visit.failures
    assert (failure.item, failure.reason) == (server.url("/a"), "fulltext_failed")
    assert failure.detail == "robots: the site's robots.txt does not allow it"
    assert visit.detail == "0 pages of articles read, 1 not (robots 1)"
    assert visit.outcome == "read"


@pytest.mark.parametrize(("status", "allowed"), [(401, True), (404, True), (429, False), (500, False), (503, False)])
async def test_without_rules_a_site_is_open_and_a_site_in_trouble_is_left_alone(
    server: HttpServer, status: int, allowed: bool
) -> None:
    server.on("/robots.txt", Answer(status))
    server.on("/a", Answer(200, {}, page()))
    visit = await visited(server, ("Convoy", server.url("/a"), ""))
    assert ("/a" in asked(server)) is allowed
    assert bool(visit.failures) is not allowed


async def test_a_redirected_robots_file_is_followed_and_asked_for_once(server: HttpServer) -> None:
    server.on("/robots.txt", Answer(301, {"Location": "/rules"}))
    server.on("/rules", Answer(200, {}, b"User-agent: *\nDisallow: /b\n"))
    server.on("/a", Answer(200, {}, page()))
    await visited(server, ("Convoy", server.url("/a"), ""), ("Convoy 2", server.url("/b"), ""))
    assert asked(server) == ["/f", "/robots.txt", "/rules", "/a"]


async def test_a_redirect_is_looked_up_in_robots_too(server: HttpServer) -> None:
    server.on("/robots.txt", Answer(200, {}, b"User-agent: *\nDisallow: /hidden\n"))
    server.on("/a", Answer(302, {"Location": "/hidden"}))
    visit = await visited(server, ("Convoy", server.url("/a"), ""))
    assert "/hidden" not in asked(server)
    assert visit.failures[0].detail.startswith("robots")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(404), "not_found"),
        (Answer(500), "http_error"),
        (Answer(200, {"Content-Type": "application/pdf"}, b"%PDF-1.7"), "not_a_page"),
        (Answer(200, {"Content-Type": "text/html"}, b"\0\1\2" * 500), "binary"),
        (Answer(200, {}, b""), "no_text"),
        (Answer(200, {}, b"<html><body><nav><a href='/'>Home</a></nav></body></html>"), "no_text"),
        (Answer(200, {}, b"x" * 3_100_000), "too_large"),
        (Answer(302, {"Location": "/a"}), "redirect_loop"),
        (Answer(302, {"Location": "file:///etc/passwd"}), "blocked"),
        (Answer(302, {"Location": "http://10.0.0.1/"}), "robots"),
    ],
)
async def test_a_page_that_cannot_be_read_is_counted_and_its_article_told(
    server: HttpServer, answer: Answer, reason: str
) -> None:
    server.on("/a", answer)
    server.on("/b", Answer(200, {}, page()))
    visit = await visited(server, ("Convoy", server.url("/a"), "An attack."), ("Convoy 2", server.url("/b"), "More."))
    assert [article.body for article in visit.articles] == ["An attack.", "\n\n".join(TEXT)]
    assert [failure.detail.partition(":")[0] for failure in visit.failures] == [reason]
    assert visit.memory["etag"] == '"1"', "it is not tried again"


async def test_a_private_address_is_not_asked_because_the_feed_may_be(server: HttpServer) -> None:
    visit = await visited(
        server, ("Convoy", f"http://localhost:{server.port}/a", ""), allow_private=["127.0.0.0/8", "::1/128"]
    )
    assert asked(server) == ["/f"]
    assert visit.failures[0].detail.startswith("robots"), "a site whose rules cannot be read allows nothing"


async def test_secrets_go_to_the_feeds_own_origin_alone(server: HttpServer) -> None:
    async with HttpServer() as other:
        server.on("/a", Answer(302, {"Location": other.url("/b")}))
        other.on("/b", Answer(200, {}, page()))
        (article,) = (await visited(server, ("Convoy", server.url("/a"), ""), headers={"X-Key": "hush"})).articles
        assert article.body
        assert [r.headers.get("x-key") for r in server.requests if r.target == "/a"] == ["hush"]
        assert {r.headers.get("x-key") for r in other.requests} == {None}


async def test_a_teaser_page_does_not_replace_a_longer_text(server: HttpServer) -> None:
    server.on("/a", Answer(200, {}, page(TEXT[0])))
    whole = " ".join(TEXT) + " Convoy."
    visit = await visited(server, ("Convoy", server.url("/a"), whole))
    assert (visit.articles[0].body, visit.failures) == (whole, ())


# ── bounds, and what waits for the next visit ──


def many(server: HttpServer, count: int) -> list[tuple[str, str, str]]:
    server.on("*", Answer(200, {}, page()))
    return [(f"Convoy {n}", server.url(f"/{n}"), "An attack.") for n in range(count)]


async def test_the_entries_behind_the_bound_follow_at_the_next_visits_and_none_twice(
    server: HttpServer, store: Store
) -> None:
    items = many(server, PAGES_MAX + 5)
    server.on("/f", Answer(200, {"ETag": '"1"', "Cache-Control": "max-age=7200"}, rss(*items)))
    source, end = made(server, store), poll_store(store)
    await end.sync(["desk"])
    told: list[str] = []
    for _ in range(3):
        await end.make_due(["desk"])
        (claim,) = (await end.claim(1)).feeds
        visit = await source.visit(claim.memory, NOW)
        delay = record_visit(SourceStatus("desk"), source.every, visit, NOW).delay
        done = await end.commit(claim, visit.articles, memory=visit.memory, status={}, delay_ms=0)
        told.append(f"{done.new} {delay <= timedelta(seconds=66)}")
    assert told == ["20 True", "5 False", "0 False"]
    pages = [target for target in asked(server) if target not in ("/f", "/robots.txt")]
    assert pages == [f"/{n}" for n in range(PAGES_MAX + 5)], "each page once, whatever was seen"
    assert [r.headers.get("if-none-match") for r in server.requests if r.target == "/f"] == [None, None, '"1"']


async def test_whoever_reads_once_reads_the_pages_of_all(server: HttpServer, store: Store) -> None:
    items = many(server, PAGES_MAX + 5)
    server.on("/f", Answer(200, {}, rss(*items)))

    async def tick() -> None:
        await asyncio.sleep(0.05)

    reads = poll_store(store, gap=0)
    poller = Poller([made(server, store)], reads, tick=tick, stop=asyncio.Event(), clock=lambda: NOW)
    assert await poller.once()
    assert await store.redis.xlen(store.keys.articles) == PAGES_MAX + 5


async def test_pages_of_one_host_keep_their_distance_and_time_ends_the_visit(server: HttpServer, store: Store) -> None:
    items = many(server, 9)
    server.on("/f", Answer(200, {}, rss(*items)))
    visit = await made(server, store, gap=200, seconds=1.1).visit({}, NOW)
    assert 1 <= len(visit.articles) < 9
    assert visit.detail.endswith("at the next visit")
    assert not {"etag", "body"} & set(visit.memory)
    assert len(visit.articles) + 2 == len(server.requests) <= 8


async def test_with_no_time_for_a_single_page_the_feeds_text_has_to_do(server: HttpServer, store: Store) -> None:
    server.on("/f", Answer(200, {}, rss(("Convoy", server.url("/a"), "An attack."))))
    await poll_store(store).claim_host(f"127.0.0.1:{server.port}", "page:other", "other", 60_000)
    visit = await made(server, store, gap=60_000, seconds=1).visit({}, NOW)
    assert [article.body for article in visit.articles] == ["An attack."]
    assert visit.failures[0].detail == "no_time: its host is busy"


async def test_a_page_that_hangs_costs_its_time_and_no_more(server: HttpServer) -> None:
    server.on("/a", hang)
    visit = await visited(server, ("Convoy", server.url("/a"), "An attack."), seconds=1)
    assert visit.failures[0].detail.startswith("timeout")
    assert len(visit.articles) == 1
