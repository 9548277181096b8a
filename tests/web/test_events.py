"""The event of a story on its page, in the API and in feeds, and how a person corrects it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from xml.etree import ElementTree as ET

import httpx

from tests.making import WHEN, article
from tests.web.test_pages import HOSTILE
from tests.web.web_app import TEXT, config_of, found, pages
from watchpost.store.client import Store
from watchpost.store.events import Decided, EventStore

ATOM = "{http://www.w3.org/2005/Atom}"
REPORTS = (
    ("Eleven soldiers dead near Kidal", "en", "Courier", 11),
    ("Quatorze militaires tués près de Kidal", "fr", "Le Fleuve", 14),
    ("Под Кидалем погибли 11 военных", "ru", "Листок", 11),
)


@dataclass(frozen=True, slots=True)
class Site:
    client: httpx.AsyncClient
    stories: Sequence[str]

    async def page(self, number: int = 0) -> str:
        return (await self.client.get(f"/stories/{self.stories[number]}")).text

    async def post(self, path: str, **form: str) -> httpx.Response:
        return await self.client.post(path, data=form, headers={"origin": str(self.client.base_url)})


async def told(store: Store, reports: Sequence[tuple[str, str, str, int]] = REPORTS) -> list[str]:
    """These reports in the history, each a story of its own and all of one event."""
    stories: list[str] = []
    for title, lang, outlet, dead in reports:
        url = f"https://example.org/{len(stories)}"
        at = WHEN + timedelta(minutes=len(stories))
        made = await found(store, article(title, lang=lang, outlet=outlet, url=url, fetched=at))
        stories.append(made.story)
        await decided(store, stories[-1], stories[0], dead)
    return stories


async def decided(store: Store, story: str, event: str, dead: int) -> None:
    events = EventStore(store)
    last = next((one.mark for one in reversed(await events.decided())), "")
    reasons = ["same place Kidal", HOSTILE] if story != event else []
    assert await events.join(Decided(last, story, event), reasons=reasons, harm=[("killed", dead)]) == "OK"


@asynccontextmanager
async def site(store: Store, text: str = TEXT) -> AsyncIterator[Site]:
    stories = await told(store)
    async with (
        pages(store, config=config_of(text)) as address,
        httpx.AsyncClient(base_url=address, follow_redirects=True) as client,
    ):
        yield Site(client, stories)


async def test_a_story_shows_the_voices_of_its_event_and_where_they_differ(store: Store) -> None:
    async with site(store) as shown:
        for number in range(3):
            text = await shown.page(number)
            places = [text.index(title) for title, *_ in REPORTS if title in text]
            assert len(places) == 3
            said = re.sub("</?bdi>", "", text)
            assert "11 dead: Courier, Листок; 14 dead: Le Fleuve" in said
            assert "same place Kidal" in text
            assert "<script>alert" not in text
        first = (await shown.page()).partition("Stories of the event")[2]
        assert [first.index(title) for title, *_ in REPORTS] == sorted(first.index(title) for title, *_ in REPORTS)


async def test_a_story_that_is_alone_has_no_voices_and_may_be_joined(store: Store) -> None:
    alone = (await found(store, article("Market opens in Kidal"))).story
    await decided(store, alone, alone, 0)
    async with site(store) as shown:
        text = (await shown.client.get(f"/stories/{alone}")).text
        assert "No other story of this event is known." in text
        answer = await shown.post(f"/stories/{alone}/event/join", other=f"https://w.example/stories/{shown.stories[1]}")
        assert "was put into the event" in answer.text
        assert "4 stories of one event" in answer.text


async def test_a_story_is_cut_from_any_page_of_its_event(store: Store) -> None:
    async with site(store) as shown:
        answer = await shown.post(f"/stories/{shown.stories[1]}/event/cut", story=shown.stories[0])
        assert answer.url.path == f"/stories/{shown.stories[0]}"
        assert "was taken out of the event" in answer.text
        assert "2 stories of one event" in answer.text
        assert "Figures differ" not in answer.text
        assert "No other story of this event" in await shown.page(1)


async def test_a_story_that_nobody_knows_is_a_mistake_of_the_form(store: Store) -> None:
    async with site(store) as shown:
        answer = await shown.post(f"/stories/{shown.stories[0]}/event/join", other="nonsense")
        assert answer.status_code == 422
        assert "no event is known of a story nonsense" in answer.text
        assert 'value="nonsense"' in answer.text
        again = await shown.client.get(f"/stories/{shown.stories[0]}/event/join")
        assert again.url.path == f"/stories/{shown.stories[0]}"


async def test_where_events_are_switched_off_pages_and_api_have_none(store: Store) -> None:
    async with site(store, f"{TEXT}events: false\n") as shown:
        assert "one event" not in await shown.page()
        assert "event/join" not in await shown.page()
        answer = await shown.client.get(f"/api/v1/stories/{shown.stories[0]}")
        assert answer.json()["event"] is None


async def test_the_api_has_the_event_and_corrects_it(store: Store) -> None:
    async with site(store) as shown:
        path, stories = f"/api/v1/stories/{shown.stories[0]}", shown.stories
        event = (await shown.client.get(path)).json()["event"]
        assert event["id"] == f"ev_{stories[0]}"
        assert [(one["story"], one["lang"], one["outlet"]) for one in event["voices"]] == [
            (story, lang, outlet) for story, (_, lang, outlet, _) in zip(stories, REPORTS, strict=True)
        ]
        numbers = [{"number": 11, "voices": ["Courier", "Листок"]}, {"number": 14, "voices": ["Le Fleuve"]}]
        assert event["differences"] == [{"role": "killed", "numbers": numbers}]
        listed = (await shown.client.get("/api/v1/stories")).json()["stories"]
        assert {one["event"]["id"] for one in listed} == {event["id"]}
        cut = await shown.post(f"/api/v1/stories/{stories[2]}/event/cut")
        assert cut.json()["event"] is None
        joined = await shown.client.post(
            f"/api/v1/stories/{stories[2]}/event/join",
            json={"other": f"st_{stories[0]}"},
            headers={"origin": str(shown.client.base_url)},
        )
        assert len(joined.json()["event"]["voices"]) == 3
        unknown = await shown.post("/api/v1/stories/nonsense/event/cut")
        assert unknown.status_code == 404


async def test_feeds_link_the_other_voices(store: Store) -> None:
    async with site(store) as shown:
        feed = ET.fromstring((await shown.client.get("/feeds/mali.atom")).content)
        entry = next(one for one in feed.iter(f"{ATOM}entry") if REPORTS[0][0] == one.findtext(f"{ATOM}title"))
        via = [(one.get("hreflang"), one.get("title")) for one in entry.iter(f"{ATOM}link") if one.get("rel") == "via"]
        assert via == [(lang, f"{outlet}: {title}") for title, lang, outlet, _ in REPORTS[1:]]
        terms = {one.get("term") for one in feed.iter(f"{ATOM}category") if one.get("scheme") == "urn:watchpost:event"}
        assert terms == {f"ev_{shown.stories[0]}"}
        items = (await shown.client.get("/feeds/mali.json")).json()["items"]
        assert [len(one["_watchpost"]["event"]["voices"]) for one in items] == [2, 2, 2]
