"""The API returns what the pages show, does what they do, and matches its description."""

from __future__ import annotations

import io
import json
from pathlib import Path

import feedparser
import httpx
import pytest

from tests.making import article, digest_delivery
from tests.operations.test_deliveries import acted, in_trouble
from tests.store.ends import poll_store
from tests.web.test_auth import USERS, basic
from tests.web.test_pages import HOSTILE, UPCOMING, hostile_previews
from tests.web.web_app import closed, failing, found, pages, sent
from watchpost import log as tm
from watchpost.model import Snippet
from watchpost.store.client import Store
from watchpost.store.dead_letters import DeadLetters
from watchpost.store.silences import Silences
from watchpost.web.api import CALLS, ROOT, text

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
LOOKS = [call for call in CALLS if call.method == "GET" and not call.archived]  # test_saved_searches.py has those


def test_the_committed_description_is_up_to_date() -> None:
    """If this fails: make schema."""
    assert COMMITTED.read_text("utf-8") == text()


async def test_every_get_call_answers_in_its_shape(store: Store) -> None:
    made = await found(store, article("Gao", url="javascript:alert(1)", lang="fr", source="rfi"))
    await failing(store, "rfi", "HTTP 503")
    await sent(store, "d1", "1 story")
    await closed(store, digest_delivery("d2"))
    async with pages(store, previews=hostile_previews()) as address, httpx.AsyncClient() as client:
        for call in LOOKS:
            answer = await client.get(
                address
                + ROOT
                + call.path.replace("/editions/{id}", UPCOMING).replace("{id}", made.story).replace("{name}", "rfi")
            )
            assert answer.status_code == 200, call.path
            if call.gives is not None:
                call.gives.model_validate(answer.json())
        (hit,) = (await client.get(f"{address}{ROOT}/hits?q=gao&lang=fr")).json()["hits"]
        assert (hit["title"], hit["url"]) == ("Gao", None)
        assert (await client.get(f"{address}{ROOT}/hits?lang=ru")).json() == {"hits": [], "more": None}
        assert (await client.get(f"{address}{ROOT}/feeds?state=failing")).json()["feeds"][0]["detail"] == "HTTP 503"
        states = {
            one["id"]: one["state"] for one in (await client.get(f"{address}{ROOT}/deliveries")).json()["deliveries"]
        }
        assert states == {"d1": "delivered", "d2": "queued"}
        assert (await client.get(f"{address}/openapi.json")).json() == json.loads(text())
        assert (await client.get(f"{address}{ROOT}/editions/none")).status_code == 404
        assert (await client.get(f"{address}{ROOT}/nothing")).json() == {"problem": "there is no such call"}


async def test_every_action_is_logged_with_the_users_name(store: Store) -> None:
    await poll_store(store).sync(["rfi"])
    (claim,) = (await poll_store(store).claim(1)).feeds
    await poll_store(store).commit(claim, [], memory={}, status={}, delay_ms=3_600_000)
    await in_trouble(store)
    (letter,) = await DeadLetters(store).all()
    log = io.StringIO()
    tm.set_up_log("json", "warning", log)
    good = {**basic("anna", "correct horse: battery"), "sec-fetch-site": "same-origin"}
    previews = hostile_previews()
    async with (
        pages(store, access=USERS, previews=previews) as address,
        httpx.AsyncClient(headers=good) as client,
    ):
        for path, body, code in (
            ("/receivers/team/enable", None, 200),
            ("/receivers/none/enable", None, 404),
            ("/deliveries/retry", None, 200),
            ("/deliveries/replay", {"receiver": "team", "since": "6h", "dry_run": True}, 200),
            ("/deliveries/replay", {"since": "6"}, 422),
            ("/editions/none/send", None, 404),
            (f"{UPCOMING}/send", None, 200),
            (f"/deliveries/{letter.id}/retry", None, 200),
            (f"/deliveries/{letter.id}/retry", None, 404),
            ("/deliveries/replay", {"receiver": "team", "since": "6h"}, 200),
            ("/feeds/rfi/read", None, 200),
            ("/feeds/bbc/read", None, 404),
            ("/silences", {"topic": "mali", "lasting": "2h", "reason": "replay"}, 200),
            ("/silences", {"topic": "mali"}, 422),
            ("/silences", ["no"], 422),
            ("/silences/abd/end", None, 404),
        ):
            answer = await client.post(address + ROOT + path, json=body)
            assert answer.status_code == code, path
            assert ("problem" in answer.json()) is (code != 200)
        (silence,) = await Silences(store).all()
        assert (await client.post(f"{address}{ROOT}/silences/{silence.id}/end")).json() == {"done": "ended", "count": 1}
        done = acted(log)
        looks = basic("bob", "correct horse: battery")
        for call in CALLS:
            if call.method == "POST":
                assert (await client.post(f"{address}{ROOT}{call.path}", headers=looks)).status_code == 403
    assert acted(log) == done, "a viewer did nothing"
    assert {by for *_, by in done + previews.sent} == {"anna"}
    assert len(previews.sent) == 1
    assert {deed for deed, *_ in done} == {"enable", "retry", "replay", "read", "silence add", "silence expire"}


@pytest.mark.parametrize(
    "call",
    [call for call in LOOKS if call.path not in ("/configuration", "/editions/{id}")],  # these need more than the store
    ids=lambda call: call.path,
)
async def test_a_call_says_that_the_store_is_away(call: object) -> None:
    store = Store("redis://127.0.0.1:1/0")
    path = getattr(call, "path", "")
    async with pages(store) as address, httpx.AsyncClient() as client:
        answer = await client.get(address + ROOT + path)
        assert answer.status_code == (200 if path == "/status" else 503)
        assert "127.0.0.1:1" in answer.text
    await store.close()


async def test_a_story_is_one_entry_of_a_feed_and_one_answer(store: Store) -> None:
    story = "5" * 32
    for number in range(3):
        await found(
            store, article(f"Report {number}", url=f"https://n.example/{number}", outlet=f"O{number}"), story=story
        )
    await found(store, article("Gao"))
    async with pages(store) as address, httpx.AsyncClient() as client:
        parsed = feedparser.parse((await client.get(f"{address}/feeds/mali.atom")).content)
        assert [entry.id[-32:] for entry in parsed.entries].count(story) == 1
        (entry,) = (one for one in parsed.entries if one.id.endswith(story))
        assert [link.href for link in entry.links if link.rel == "via"] == [
            "https://n.example/2",
            "https://n.example/1",
        ]
        items = (await client.get(f"{address}/feeds/mali.json")).json()["items"]
        assert [item["_watchpost"]["story"] for item in items].count(story) == 1
        whole = (await client.get(f"{address}{ROOT}/stories/{story}")).json()
        listed = (await client.get(f"{address}{ROOT}/stories")).json()["stories"]
        assert [one for one in listed if one["id"] == story] == [whole]
        assert (whole["voices"], len(whole["others"]), whole["page"]) == (3, 2, f"/stories/{story}")
        assert (await client.get(f"{address}{ROOT}/stories/nothing")).status_code == 404


async def test_a_topic_is_a_feed_for_other_readers(store: Store) -> None:
    await found(store, article("Gao", url="https://news.example.org/gao", outlet="Radio", lang="fr"))
    await found(
        store,
        article(f"\x00\x1b{HOSTILE}", url="javascript:alert(1)", lang='"><x'),
        snippet=Snippet(f"{HOSTILE}\ufffe]]>", ()),
    )
    async with pages(store) as address, httpx.AsyncClient() as client:
        answer = await client.get(f"{address}/feeds/mali.atom")
        assert answer.headers["content-type"].startswith("application/atom+xml")
        parsed = feedparser.parse(answer.content)
        assert not parsed.bozo
        assert parsed.version == "atom10"
        hostile, good = parsed.entries
        assert (good.title, good.link, good.author) == ("Gao", "https://news.example.org/gao", "Radio")
        assert [link.rel for link in hostile.links] == ["related"]
        assert all(entry.id == f"urn:watchpost:story:{entry.links[-1].href[-32:]}" for entry in parsed.entries)
        assert [entry.links[-1].href.startswith(f"{address}/stories/") for entry in parsed.entries] == [True, True]
        items = (await client.get(f"{address}/feeds/mali.json")).json()["items"]
        assert [item.get("url") for item in items] == [None, "https://news.example.org/gao"]
        assert [item["_watchpost"]["page"] for item in items] == [entry.links[-1].href for entry in parsed.entries]
        assert (await client.get(f"{address}/feeds/none.atom")).status_code == 404
        assert (await client.get(f"{address}/feeds")).status_code == 200
