"""A feed with a hub on loopback: what is asked, what is pushed, and that nobody hears of it twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from tests.http_server import Answer, HttpServer, hang
from tests.poll.push_desk import NOW, TOPIC, Desk, rss
from watchpost.net import BlockedAddress
from watchpost.store import keys
from watchpost.store.client import Store, ensure_group
from watchpost.store.websub import Push, Subscription, secret_of, token_of

HOUR = timedelta(hours=1)


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        server.on("/hub", Answer(202))
        yield server


Make = Callable[..., Desk]


@pytest.fixture
def make(store: Store, server: HttpServer) -> Make:
    def made(**options: object) -> Desk:
        return Desk(store, server, **options)  # type: ignore[arg-type]

    return made


def with_hub(server: HttpServer, *titles: str) -> Answer:
    link = f'<{server.url("/hub")}>; rel="hub", <{TOPIC}>; rel="self"'
    return Answer(200, {"Link": link, "ETag": '"1"'}, rss(*titles))


async def test_a_hub_is_asked_with_all_that_it_needs(server: HttpServer, make: Make) -> None:
    server.on("/f", with_hub(server, "a"))
    desk = make()
    await desk.visit()
    form = {key: value for key, (value,) in parse_qs(server.requests[1].body.decode()).items()}
    key = await desk.pushes.key()
    token = token_of(key, "desk", TOPIC)
    assert server.requests[1].method == "POST"
    assert server.requests[1].headers["content-type"] == "application/x-www-form-urlencoded"
    assert form == {
        "hub.mode": "subscribe",
        "hub.topic": TOPIC,
        "hub.callback": f"https://watch.example.org/websub/{token}",
        "hub.secret": secret_of(key, "desk", TOPIC),
        "hub.lease_seconds": "864000",
    }
    assert await desk.pushes.find(token) == Subscription("desk", TOPIC)
    kept = await desk.store.redis.hgetall(desk.store.keys.source("desk"))
    assert not [value for value in kept.values() if form["hub.secret"].encode() in value or token.encode() in value]
    await desk.visit()
    assert [request.target for request in server.requests] == ["/f", "/hub", "/f"], "asked once, not at each visit"


async def test_the_document_names_its_hub_where_no_header_does(server: HttpServer, make: Make) -> None:
    links = f"<link rel='hub' href='{server.url('/hub')}'/><link rel='self' href='{TOPIC}'/>"
    entry = "<entry><title>a</title><id>urn:a</id></entry>"
    atom = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>D</title>{links}{entry}</feed>"
    server.on("/f", Answer(200, {}, atom.encode()))
    visit, _, _ = await make().visit()
    assert (visit.memory["push_hub"], visit.memory["push_topic"]) == (server.url("/hub"), TOPIC)
    assert server.requests[1].target == "/hub"


async def test_without_a_hub_or_the_option_nobody_is_asked(server: HttpServer, make: Make) -> None:
    server.on("/f", Answer(200, {}, rss("a")))
    await make().visit()
    server.on("/f", with_hub(server, "a", "b"))
    await make(websub=False).visit()
    assert [request.target for request in server.requests] == ["/f", "/f"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [(Answer(400), "the hub answered HTTP 400"), (Answer(302, {"Location": "/f"}), "the hub answered HTTP 302")],
)
async def test_a_hub_that_will_not_is_noted_and_the_feed_polled(
    server: HttpServer, make: Make, answer: Answer, said: str
) -> None:
    server.on("/f", with_hub(server, "a"))
    server.on("/hub", answer)
    visit, delay, new = await make().visit()
    assert (visit.outcome, visit.memory["push_said"], new) == ("read", said, 1)
    assert delay < 12 * timedelta(minutes=1)


async def test_a_hub_in_a_private_network_is_not_asked(server: HttpServer, make: Make) -> None:
    link = f'<http://localhost:{server.port}/hub>; rel="hub"'
    server.on("/f", Answer(200, {"Link": link}, rss("a")))
    visit, _, _ = await make(allow_private=["127.0.0.0/8", "::1/128"]).visit()
    assert visit.memory["push_said"] == f"the hub cannot be reached: {BlockedAddress('')}"
    assert len(server.requests) == 1


async def test_51_push_and_poll_of_one_item_are_one_announcement(server: HttpServer, make: Make) -> None:
    server.on("/f", with_hub(server, "a"), with_hub(server, "a", "b", "c"))
    desk = make()
    await desk.visit()
    content = Push("content", "desk", note="application/rss+xml; charset=utf-8", body=rss("b", "a"))
    await desk.push(content, content)
    assert await desk.store.redis.xlen(desk.store.keys.articles) == 2
    assert (await desk.visit())[2] == 1, "only c is news to the poll"
    await desk.push(Push("content", "desk", body=rss("c")))
    assert await desk.store.redis.xlen(desk.store.keys.articles) == 3
    assert (await desk.memory())["push_heard"]


async def test_a_confirmed_feed_is_polled_daily_and_renewed(server: HttpServer, make: Make) -> None:
    server.on("/f", with_hub(server, "a"))
    desk = make()
    await desk.visit()
    await desk.push(Push("verified", "desk", 864_000, TOPIC))
    desk.now += HOUR
    _, delay, _ = await desk.visit()
    assert delay == timedelta(days=1)
    status = (await desk.poll_store.unshared("desk")).status
    assert status["next_why"].endswith("its hub pushes what is new; polled once a day all the same")
    desk.now += timedelta(days=8)
    await desk.visit()
    assert [request.target for request in server.requests] == ["/f", "/hub", "/f", "/f", "/hub"]


async def test_an_unchanged_feed_is_renewed_too(server: HttpServer, make: Make) -> None:
    server.on("/f", with_hub(server, "a"), Answer(304))
    desk = make()
    await desk.visit()
    await desk.push(Push("verified", "desk", 3600, TOPIC))
    desk.now += timedelta(minutes=50)
    visit, delay, _ = await desk.visit()
    assert visit.outcome == "unchanged"
    assert delay < timedelta(minutes=11)
    assert server.requests[-1].target == "/hub"


async def test_a_hub_that_misses_an_entry_is_polled_around(server: HttpServer, make: Make) -> None:
    titles = ["a"]
    desk = make()

    async def visit(*more: str) -> timedelta:
        titles.extend(more)
        server.on("/f", with_hub(server, *titles))
        desk.now += HOUR
        return (await desk.visit())[1]

    await visit()
    await desk.push(Push("verified", "desk", 864_000, TOPIC))
    assert await visit("b") == timedelta(days=1), "b may have come before the confirmation"
    await desk.push(Push("content", "desk", body=rss("c")))
    assert await visit("c") == timedelta(days=1), "c was pushed"
    assert await visit("d") < HOUR, "d was not"
    await desk.push(Push("content", "desk", body=rss("e")))
    assert await visit("e") == timedelta(days=1)


async def test_a_refusal_ends_it(server: HttpServer, make: Make) -> None:
    server.on("/f", with_hub(server, "a"))
    desk = make()
    await desk.visit()
    await desk.push(Push("verified", "desk", 864_000, TOPIC), Push("denied", "desk", note="enough"))
    memory = await desk.memory()
    assert memory["push_said"] == "the hub refuses: enough"
    assert (await desk.visit())[1] < HOUR


@pytest.mark.parametrize("body", [b"", b"<html><body>Login", b"\0\1\2" * 100, b"<rss><item"])
async def test_a_push_that_cannot_be_read_makes_the_feed_due(server: HttpServer, make: Make, body: bytes) -> None:
    server.on("/f", with_hub(server, "a"))
    desk = make()
    await desk.visit()
    assert (await desk.poll_store.claim(1)).feeds == ()
    await desk.push(Push("content", "desk", body=body))
    assert [claim.name for claim in (await desk.poll_store.claim(1)).feeds] == ["desk"]
    assert "push_heard" not in await desk.memory()


async def test_what_nobody_has_configured_is_thrown_away(server: HttpServer, make: Make) -> None:
    desk = make()
    await desk.push(Push("content", "gone", body=rss("x")), Push("verified", "gone", 60, TOPIC))
    assert await desk.store.redis.exists(desk.store.keys.source("gone"), desk.store.keys.articles) <= 1
    assert await desk.store.redis.xlen(desk.store.keys.articles) == 0


async def test_a_push_for_a_feed_that_was_never_read_tells_nothing(server: HttpServer, make: Make) -> None:
    desk = make()
    await desk.push(Push("content", "desk", body=rss("x")))
    assert await desk.store.redis.xlen(desk.store.keys.articles) == 0


async def test_what_a_dead_poller_left_is_taken_over(server: HttpServer, make: Make) -> None:
    server.on("/f", with_hub(server, "a"))
    desk = make(lease_ms=50)
    await desk.visit()
    await ensure_group(desk.store.redis, desk.store.keys.pushed, keys.POLL)
    await desk.pushes.append(Push("content", "desk", body=rss("b")))
    dead = desk.pushes.claims("dead", 50)
    assert len(await dead.take(1, block=False)) == 1
    await asyncio.sleep(0.1)
    await desk.push()
    assert await desk.store.redis.xlen(desk.store.keys.articles) == 2


async def test_the_pages_of_pushed_articles_are_read(server: HttpServer, make: Make) -> None:
    text = "Three lorries of the convoy were found empty on the road north of Gao early on Monday. " * 3
    server.on("/robots.txt", Answer(404))
    server.on("/page", Answer(200, {}, f"<html><body><article><p>{text}</p></article></body></html>".encode()))
    server.on("/f", with_hub(server, "a"))
    desk = make(fulltext="always")
    await desk.visit()
    item = f"<item><title>b</title><guid>b</guid><link>{server.url('/page')}</link></item>"
    visit = await desk.feed.pushed(  # type: ignore[attr-defined]
        f"<rss version='2.0'><channel>{item}</channel></rss>".encode(), "", await desk.memory(), NOW
    )
    assert visit.articles[0].body == text.strip()


async def test_a_hub_that_hangs_does_not_hold_the_visit_for_long(server: HttpServer, make: Make) -> None:
    server.on("/f", with_hub(server, "a"))
    server.on("/hub", hang)
    visit, _, new = await make(seconds=0.3).visit()
    assert (visit.memory["push_said"], new) == ("the hub did not answer within 0.3 s", 1)


async def test_a_push_that_kills_its_pollers_is_given_up_and_the_feed_polled(server: HttpServer, make: Make) -> None:
    server.on("/f", with_hub(server, "a"))
    desk = make(lease_ms=50)
    await desk.visit()
    await ensure_group(desk.store.redis, desk.store.keys.pushed, keys.POLL)
    await desk.pushes.append(Push("content", "desk", body=rss("b")))
    await desk.pushes.claims("dead0", 50).take(1, block=False)
    for number in (1, 2):
        await asyncio.sleep(0.1)
        assert len(await desk.pushes.claims(f"dead{number}", 50).reclaim(1)) == 1
    await asyncio.sleep(0.1)
    await desk.push()
    assert await desk.store.redis.xlen(desk.store.keys.articles) == 1, "only what was polled"
    assert [claim.name for claim in (await desk.poll_store.claim(1)).feeds] == ["desk"]
