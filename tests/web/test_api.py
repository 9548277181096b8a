"""The API says what the pages say, does what they do, and its description is made from what it is."""

from __future__ import annotations

import json
from pathlib import Path

import feedparser
import httpx
import pytest

from tests.making import article, digest_delivery
from tests.web.recorder import Recorder
from tests.web.test_auth import USERS, basic
from tests.web.test_pages import COMING, HOSTILE, hostile_edition
from tests.web.web_app import closed, failing, found, pages, sent
from watchpost.model import Snippet
from watchpost.store.client import Store
from watchpost.web.api import CALLS, ROOT, text

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
LOOKS = [call for call in CALLS if call.method == "GET"]


def test_the_committed_description_is_fresh() -> None:
    """If this fails: make schema."""
    assert COMMITTED.read_text("utf-8") == text()


async def test_every_call_that_looks_answers_in_its_shape(store: Store) -> None:
    await found(store, article("Gao", url="javascript:alert(1)", lang="fr", source="rfi"))
    await failing(store, "rfi", "HTTP 503")
    await sent(store, "d1", "1 story")
    await closed(store, digest_delivery("d2"))
    async with pages(store, coming=hostile_edition()) as address, httpx.AsyncClient() as client:
        for call in LOOKS:
            answer = await client.get(address + ROOT + call.path.replace("/editions/{id}", COMING))
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


async def test_every_deed_is_done_with_the_users_name(store: Store) -> None:
    actions = Recorder()
    good = {**basic("anna", "correct horse: battery"), "sec-fetch-site": "same-origin"}
    shelf = hostile_edition()
    async with (
        pages(store, access=USERS, actions=actions, coming=shelf) as address,
        httpx.AsyncClient(headers=good) as client,
    ):
        for path, body, code in (
            ("/receivers/team/enable", None, 200),
            ("/receivers/none/enable", None, 404),
            ("/deliveries/retry", None, 200),
            ("/deliveries/replay", {"receiver": "team", "since": "6h", "dry_run": True}, 200),
            ("/deliveries/replay", {"receiver": "team", "since": "6h"}, 200),
            ("/deliveries/replay", {"since": "6"}, 422),
            ("/editions/none/send", None, 404),
            (f"{COMING}/send", None, 200),
            ("/deliveries/1-0/retry", None, 200),
            ("/deliveries/2-0/retry", None, 404),
            ("/feeds/rfi/read", None, 200),
            ("/feeds/bbc/read", None, 404),
            ("/silences", {"topic": "mali", "lasting": "2h", "reason": "replay"}, 200),
            ("/silences", {"topic": "mali"}, 422),
            ("/silences", ["no"], 422),
            ("/silences/abc/end", None, 200),
            ("/silences/abd/end", None, 404),
        ):
            answer = await client.post(address + ROOT + path, json=body)
            assert answer.status_code == code, path
            assert ("problem" in answer.json()) is (code != 200)
        count = len(actions.done)
        looks = basic("bob", "correct horse: battery")
        for call in CALLS:
            if call.method == "POST":
                assert (await client.post(f"{address}{ROOT}{call.path}", headers=looks)).status_code == 403
    assert len(actions.done) == count
    assert {by for *_, by in actions.done + shelf.sent} == {"anna"}
    assert len(shelf.sent) == 1
    assert {deed for deed, *_ in actions.done} == {"enable", "hurry", "replay", "resend", "read", "hush", "unhush"}


@pytest.mark.parametrize(
    "call",
    [call for call in LOOKS if call.path not in ("/configuration", "/editions/{id}")],  # others than the store know
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
        assert "links" not in hostile or hostile.links == []
        items = (await client.get(f"{address}/feeds/mali.json")).json()["items"]
        assert [item.get("url") for item in items] == [None, "https://news.example.org/gao"]
        assert (await client.get(f"{address}/feeds/none.atom")).status_code == 404
        assert (await client.get(f"{address}/feeds")).status_code == 200
