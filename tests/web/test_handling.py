"""Claim, acknowledge, star, note and mute a story, on its page and by the API."""

from __future__ import annotations

import httpx
import pytest

from tests.making import article
from tests.web.test_pages import HOSTILE
from tests.web.web_app import found, pages
from watchpost.operations.handling import NOTE_LENGTH
from watchpost.store.client import Store
from watchpost.store.silences import Silences
from watchpost.store.verdicts import Verdicts
from watchpost.web.api import ROOT


async def test_what_people_did_is_on_every_page_that_shows_the_story(store: Store) -> None:
    made = await found(store, article("Kidal"))
    path = f"/stories/{made.story}"
    async with pages(store) as address, httpx.AsyncClient(headers={"origin": "http://x"}) as client:
        client.headers["origin"] = address
        for deed, words in (
            ("claim", "claimed"),
            ("acknowledge", "acknowledged"),
            ("star", "starred"),
        ):
            done = await client.post(f"{address}{path}/{deed}")
            assert (done.status_code, done.headers["location"]) == (303, f"{path}?done={deed}")
            assert f"</span> {words}</span> by local user" in (await client.get(address + path)).text
        done = await client.post(f"{address}{path}/note", data={"text": HOSTILE})
        assert done.headers["location"] == f"{path}?done=note"
        for place in ("/", "/stories"):
            page = (await client.get(address + place)).text
            assert "acknowledged by local user" in page
            assert "1 note" in page
        page = (await client.get(address + path)).text
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page
        for undo, words in (("reopen", "acknowledged"), ("release", "claimed"), ("unstar", "starred")):
            await client.post(f"{address}{path}/{undo}")
            assert f"</span> {words}</span> by" not in (await client.get(address + path)).text


@pytest.mark.parametrize("text", ["", "  \n ", "x" * (NOTE_LENGTH + 1)], ids=["empty", "blank", "long"])
async def test_a_wrong_note_comes_back_with_a_sentence(store: Store, text: str) -> None:
    made = await found(store, article("Kidal"))
    async with pages(store) as address, httpx.AsyncClient() as client:
        answer = await client.post(
            f"{address}/stories/{made.story}/note", data={"text": text}, headers={"origin": address}
        )
        assert answer.status_code == 422
        assert "Please correct the form" in answer.text
        assert (await client.post(f"{address}{ROOT}/stories/{made.story}/note", json={"text": text})).status_code == 422


async def test_a_story_that_does_not_exist_cannot_be_claimed(store: Store) -> None:
    async with pages(store) as address, httpx.AsyncClient(headers={}) as client:
        client.headers["origin"] = address
        for deed in ("claim", "fly", "mute"):
            done = await client.post(f"{address}/stories/nothing/{deed}")
            assert done.headers["location"] == "/stories?done=none"
        del client.headers["origin"]
        assert (await client.post(f"{address}{ROOT}/stories/nothing/claim")).status_code == 404
    assert [key async for key in store.redis.scan_iter(match="*handling*")] == []


@pytest.mark.parametrize(
    ("what", "condition"), [("story", "story"), ("topic mali", "topic"), ("source rfi", "source")], ids=str
)
async def test_a_story_its_topic_or_its_source_is_muted_with_the_headline_as_reason(
    store: Store, what: str, condition: str
) -> None:
    made = await found(store, article("Kidal talks go on", source="rfi"))
    path = f"/stories/{made.story}"
    async with pages(store) as address, httpx.AsyncClient() as client:
        client.headers["origin"] = address
        done = await client.post(f"{address}{path}/mute", data={"what": what, "lasting": "2h"})
        assert done.headers["location"] == f"{path}?done=hushed"
        (silence,) = await Silences(store).all()
        assert getattr(silence, condition) in (made.story, "mali", "rfi")
        assert silence.reason == "muted: Kidal talks go on"
        assert "muted: Kidal talks go on" in (await client.get(f"{address}/config")).text
        assert "Unmute" in (await client.get(address + path)).text
        done = await client.post(f"{address}/silences/{silence.id}/end", data={"story": made.story})
        assert done.headers["location"] == f"{path}?done=unhushed"
        assert "Unmute" not in (await client.get(address + path)).text


@pytest.mark.parametrize(("what", "lasting"), [("author x", "2h"), ("topic none", "2h"), ("story", "for ever")])
async def test_a_wrong_mute_comes_back(store: Store, what: str, lasting: str) -> None:
    made = await found(store, article("Kidal"))
    async with pages(store) as address, httpx.AsyncClient() as client:
        answer = await client.post(
            f"{address}/stories/{made.story}/mute",
            data={"what": what, "lasting": lasting},
            headers={"origin": address},
        )
        assert (answer.status_code, "Please correct the form" in answer.text) == (422, True)


async def test_the_api_does_the_same_and_says_who(store: Store) -> None:
    made = await found(store, article("Kidal"))
    async with pages(store) as address, httpx.AsyncClient(base_url=address + ROOT) as client:
        for deed in ("claim", "acknowledge", "star"):
            handling = (await client.post(f"/stories/st_{made.story}/{deed}")).json()
        assert handling["acknowledged"]["by"] == "local user"
        handling = (await client.post(f"/stories/{made.story}/note", json={"text": "look"})).json()
        assert [note["text"] for note in handling["notes"]] == ["look"]
        assert (await client.get(f"/stories/{made.story}")).json()["handling"] == handling
        (listed,) = (await client.get("/stories")).json()["stories"]
        assert listed["handling"] == handling
        note = handling["notes"][0]["id"]
        assert (await client.post(f"/stories/{made.story}/notes/{note}/delete")).status_code == 200
        assert (await client.post(f"/stories/{made.story}/notes/{note}/delete")).status_code == 404
        for deed in ("release", "reopen", "unstar"):
            handling = (await client.post(f"/stories/{made.story}/{deed}")).json()
        assert handling == {"claimed": None, "acknowledged": None, "stars": [], "notes": []}


@pytest.mark.parametrize(
    ("body", "condition", "value"),
    [
        ({}, "story", ""),
        ({"what": "topic mali", "lasting": "2h"}, "topic", "mali"),
        ({"what": "source rfi"}, "source", "rfi"),
    ],
    ids=["story", "topic", "source"],
)
async def test_the_api_mutes(store: Store, body: dict[str, str], condition: str, value: str) -> None:
    made = await found(store, article("Kidal talks go on", source="rfi"))
    async with pages(store) as address, httpx.AsyncClient(base_url=address + ROOT) as client:
        answer = await client.post(f"/stories/{made.story}/mute", json=body)
        assert (answer.status_code, answer.json()["done"]) == (200, "muted")
        (silence,) = await Silences(store).all()
        assert getattr(silence, condition) == (value or made.story)
        assert silence.reason == "muted: Kidal talks go on"
        assert (await client.post(f"/stories/{made.story}/mute", json={"what": "x"})).status_code == 422
        assert (await client.post("/stories/none/mute")).status_code == 404


async def test_the_api_takes_verdicts(store: Store) -> None:
    made = await found(store, article("Kidal"))
    async with pages(store) as address, httpx.AsyncClient(base_url=address + ROOT) as client:
        for word, kept in (("relevant", [True]), ("not-relevant", [False]), ("none", [])):
            assert (await client.post(f"/hits/{made.id}/{word}")).status_code == 200
            assert [one.relevant for one in await Verdicts(store).of("mali")] == kept
        for path in (f"/hits/{made.id}/maybe", "/hits/none/relevant"):
            assert (await client.post(path)).status_code == 404
