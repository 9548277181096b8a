"""The first page is the news: what is new for a reader, the most important first, and what is unusual."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.making import WHEN, article
from tests.web import demo
from tests.web.test_events import told
from tests.web.test_pages import HOSTILE
from tests.web.web_app import TEXT, config_of, failing, found, pages
from watchpost.model import Snippet
from watchpost.operations.events import cut
from watchpost.store.client import Store
from watchpost.store.codec import HIT
from watchpost.web import visits
from watchpost.web.pages.news import by_event
from watchpost.web.visits import COOKIE, Visit


def headlines(page: str) -> list[str]:
    """The headlines in the list, in their order."""
    return [re.sub(r"<[^>]*>", "", text) for text in re.findall(r"<h3 id=\"n\d+\">(.*?)</h3>", page, re.DOTALL)]


async def test_what_is_new_comes_first_the_most_important_before_the_rest(store: Store) -> None:
    await found(store, article("Market day in Gao", outlet="A"), severity="low")
    await found(store, article("Army leaves Kidal", outlet="A"), severity="high")
    for outlet in "ABC":
        await found(store, article(f"Three say so, {outlet}", outlet=outlet), story="3" * 32)
    await found(store, article("One says so", outlet="A"))
    async with pages(store) as address, httpx.AsyncClient() as client:
        page = (await client.get(address)).text
    shown = headlines(page)
    assert shown[0] == "Army leaves Kidal"
    assert shown[1].startswith("Three say so")
    assert shown[2:] == ["One says so", "Market day in Gao"]
    assert "4 new stories" in page
    assert "3 independent sources" in page
    assert f'href="/stories/{"3" * 32}"' in page
    assert page.index("Army leaves Kidal") < page.index("Topics, 14 days") < page.index("Next digest")


async def test_an_event_stands_once_with_the_headlines_of_its_other_stories(store: Store) -> None:
    stories = await told(store, [(f"Report {number} {HOSTILE}", "fr", f"Outlet {number}", 11) for number in range(7)])
    await found(store, article("Something else", fetched=WHEN))
    async with pages(store) as address, httpx.AsyncClient() as client:
        page = (await client.get(f"{address}/?since=2020-01-01")).text
        assert "8 new stories" in page
        assert len(headlines(page)) == 2
        (voices,) = re.findall(r"<ul class=\"voices\".*?</ul>", page, re.DOTALL)
        assert len(set(re.findall(r"Report \d", voices))) == 4
        assert "2 more stories</a> of this event" in re.sub(r"\s+", " ", voices)
        assert HOSTILE not in page
        await cut(store, stories[6], "ana")
        page = (await client.get(f"{address}/?since=2020-01-01")).text
        assert len(headlines(page)) == 3
    async with pages(store, config=config_of(f"{TEXT}events: false\n")) as address, httpx.AsyncClient() as client:
        assert len(headlines((await client.get(f"{address}/?since=2020-01-01")).text)) == 8


async def test_a_span_that_cannot_be_read_is_said_and_the_news_is_shown(store: Store) -> None:
    await found(store, article("Army leaves Kidal"))
    async with pages(store) as address, httpx.AsyncClient() as client:
        page = (await client.get(address, params={"since": "<b>soon"})).text
        assert re.search(r'<p class="wrong" role="status">Since: .*&lt;b&gt;soon', page)
        assert headlines(page) == ["Army leaves Kidal"]
        assert 'class="wrong"' not in (await client.get(address, params={"since": "7d"})).text


@pytest.mark.parametrize(
    ("stories", "events", "expected"),
    [
        ("", {}, {}),
        ("abc", {}, {"a": "", "b": "", "c": ""}),
        ("abcd", {"a": "e", "c": "e", "d": "f"}, {"a": "c", "b": "", "d": ""}),
        ("cba", {"a": "a", "b": "a", "c": "a"}, {"c": "ba"}),
    ],
)
def test_the_first_story_of_an_event_stands_for_it(
    stories: str, events: dict[str, str], expected: dict[str, str]
) -> None:
    assert list(by_event(stories, events).items()) == [(first, tuple(others)) for first, others in expected.items()]


async def test_the_next_visit_shows_what_came_since_the_last(store: Store) -> None:
    now = datetime.now(UTC)
    async with pages(store) as address, httpx.AsyncClient() as client:
        answer = await client.get(address)
        assert "Nothing new" in answer.text
        assert "No stories yet" in answer.text
        assert "HttpOnly" in answer.headers["set-cookie"]
        cookie = answer.cookies[COOKIE]
        await found(store, article("Breaking"))
        client.cookies.clear()
        client.cookies.set(COOKIE, Visit(now - timedelta(hours=3), now).cookie())
        page = (await client.get(address)).text
        assert headlines(page) == ["Breaking"]
        assert "your last visit" in page
        client.cookies.clear()
        client.cookies.set(COOKIE, cookie)
        live = await client.get(address, headers={"x-watchpost-live": "1"})
        assert "set-cookie" not in live.headers
        done = await client.post(f"{address}/seen", headers={"origin": address})
        assert (done.status_code, done.headers["location"]) == (303, "/")
        page = (await client.get(address)).text
        assert "Nothing new" in page
        assert "Before that" in page
        assert headlines(page) == ["Breaking"], "what is known stays in reach"


@pytest.mark.parametrize(("asked", "count"), [("24h", 1), ("7d", 1), ("nonsense", 1), ("2020-01-01", 1), ("", 1)])
async def test_a_reader_may_ask_for_another_time(store: Store, asked: str, count: int) -> None:
    await found(store, article("Kidal"))
    async with pages(store) as address, httpx.AsyncClient() as client:
        answer = await client.get(address, params={"since": asked})
        assert (answer.status_code, len(headlines(answer.text))) == (200, count)


async def test_health_is_one_line_that_opens_and_the_status_has_the_rest(store: Store) -> None:
    await failing(store, "rfi", "HTTP 503")
    async with pages(store) as address, httpx.AsyncClient() as client:
        page = (await client.get(address)).text
        (line,) = re.findall(r"<summary>(.*?)</summary>", page, re.DOTALL)
        assert "Running, with problems: no process runs poll" in re.sub(r"<[^>]*>|\s+", " ", line).replace("  ", " ")
        assert "HTTP 503" not in page
        assert "HTTP 503" in (await client.get(f"{address}/status")).text


async def test_unusual_topics_come_first(store: Store) -> None:
    now = datetime.now(UTC)
    hour, today = int(now.timestamp() // 3600), int(now.timestamp() // 86_400)
    for back in range(36):
        day = today - back
        for topic in ("mali", "barkhane"):
            await store.redis.hset(store.keys.count(topic, day), mapping={str(at): 1 for at in range(0, 24, 8)})
        await store.redis.hset(f"{store.keys.ledger}{day}", mapping={"topic:mali:hits": 3, "topic:barkhane:hits": 3})
    await store.redis.hset(store.keys.count("barkhane", hour // 24), str(hour % 24), 60)
    async with pages(store, config=demo.config()) as address, httpx.AsyncClient() as client:
        page = (await client.get(address)).text
    beside = page[page.index("Topics, 14 days") :]
    assert beside.index("Barkhane") < beside.index("Mali security")
    (words,) = re.findall(r"unusual: ([^<]*)<", beside)
    assert words.startswith("6"), words


async def test_five_thousand_hits_and_hostile_headlines_are_a_page_below_100_kb(store: Store) -> None:
    hit = await found(store, article(HOSTILE * 20, outlet=HOSTILE * 5), snippet=Snippet(HOSTILE * 20, ()))
    pipe = store.redis.pipeline(transaction=False)
    for number in range(5000):
        story = f"{number:032x}"
        mark = f"{int(datetime.now(UTC).timestamp() * 1000)}-{number + 1}"
        data = HIT.encode(replace(hit, story=story))
        pipe.xadd(store.keys.history, {"t": "mali", "h": data, "i": story}, id=mark)
        pipe.zadd(store.keys.reports(story), {mark: number})
    await pipe.execute()
    async with pages(store) as address, httpx.AsyncClient(timeout=60) as client:
        for path in ("/", "/?page=7", "/stories", f"/stories/{7:032x}"):
            answer = await client.get(address + path)
            assert answer.status_code == 200
            assert len(answer.content) < 100_000, (path, len(answer.content))
        page = (await client.get(address)).text
        assert "5001 new stories" in page
        assert "page 1 of 201" in page
        assert len(headlines(page)) == 25


async def test_a_muted_story_says_so(store: Store) -> None:
    hit = await found(store, article("Kidal"))
    async with pages(store) as address, httpx.AsyncClient() as client:
        form = {"story": hit.story, "lasting": "7d", "reason": "enough", "back": "news"}
        done = await client.post(f"{address}/silences", data=form, headers={"origin": address})
        assert done.status_code == 303
        assert "muted until" in (await client.get(address)).text


def test_the_name_of_the_cookie_does_not_change() -> None:
    assert visits.COOKIE == "watchpost_visit"
