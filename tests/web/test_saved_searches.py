"""Searches saved by name, with an address and a feed of their own, and searches by the API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.making import article
from tests.web.web_app import pages
from watchpost.archive.packing import filed
from watchpost.archive.sqlite import SqliteArchive
from watchpost.operations.saved_searches import MOST_SAVED
from watchpost.scheduler import utc_now
from watchpost.store.client import Store
from watchpost.store.saved_searches import SavedSearch, SavedSearches
from watchpost.web.api import ROOT

TITLE = "{http://www.w3.org/2005/Atom}title"


@asynccontextmanager
async def site(store: Store, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    archive, now = SqliteArchive(folder / "archive"), utc_now()
    archive.add(
        [
            filed(article("Kidal, Mali", url="https://example.org/a", lang="fr", fetched=now - timedelta(days=3))),
            filed(article("Talks in Gao", source="rfi", fetched=now)),
            *(
                filed(article(f"Fuel {number}", fetched=now - timedelta(days=9, minutes=number)))
                for number in range(30)
            ),
        ]
    )
    async with (
        pages(store, archive=archive) as address,
        httpx.AsyncClient(base_url=address, timeout=60, headers={"origin": address}) as client,
    ):
        yield client
    archive.close()


async def test_a_search_is_saved_under_a_name_with_an_address_and_a_feed(store: Store, tmp_path: Path) -> None:
    async with site(store, tmp_path) as client:
        shown = (await client.get("/search?q=kidal+OR+gao&since=7d")).text
        assert 'action="/searches"' in shown
        done = await client.post("/searches", data={"q": "kidal OR gao", "since": "7d", "name": " Gao  & Kidal "})
        assert done.status_code == 422, "an ampersand is not in a name"
        done = await client.post("/searches", data={"q": "kidal OR gao", "since": "7d", "name": " Gao  Kidal "})
        assert done.headers["location"] == "/searches/Gao%20Kidal?done=saved"
        page = (await client.get("/searches/Gao%20Kidal")).text
        assert "<h1>Gao Kidal</h1>" in page
        assert "Talks in <mark>Gao</mark>" in page
        assert "/searches/Gao%20Kidal.atom" in page
        feed = await client.get("/searches/Gao%20Kidal.atom")
        found = ET.fromstring(feed.content)
        assert [one.text for one in found.iter(TITLE)] == ["Search: Gao Kidal", "Talks in Gao", "Kidal, Mali"]
        assert "Gao Kidal" in (await client.get("/search")).text
        done = await client.post("/searches/Gao%20Kidal/delete")
        assert done.headers["location"] == "/search?done=unsaved"
        for gone in ("/searches/Gao%20Kidal", "/searches/Gao%20Kidal.atom"):
            assert (await client.get(gone)).status_code == 404
        assert "Gao Kidal" not in (await client.get("/search")).text


async def test_a_saved_search_continues_under_its_own_address(store: Store, tmp_path: Path) -> None:
    async with site(store, tmp_path) as client:
        await client.post("/searches", data={"q": "fuel", "name": "fuel"})
        first = (await client.get("/searches/fuel")).text
        more = first.partition('class="button" href="')[2].partition('"')[0]
        assert more.startswith("/searches/fuel?before=")
        second = (await client.get(more)).text
        assert ("Fuel</mark> 0" in second, "Fuel</mark> 0" in first) == (True, False)


@pytest.mark.parametrize(
    "name",
    ["", " ", "x" * 61, "a/b", "a?b", "<script>", "news.atom", "..", "a\nb/"],
    ids=["empty", "blank", "long", "slash", "question", "tag", "feed", "dots", "lines"],
)
async def test_a_wrong_name_comes_back_with_a_sentence(store: Store, tmp_path: Path, name: str) -> None:
    async with site(store, tmp_path) as client:
        answer = await client.post("/searches", data={"q": "fuel", "name": name})
        assert answer.status_code == 422
        assert '<a href="#name">' in answer.text
        assert "<script>" not in answer.text.replace("<script src=", "")
        answer = await client.post("/searches", data={"q": "fuel AND (", "name": "good"})
        assert '<a href="#q">' in answer.text
        assert await SavedSearches(store).all() == ()


async def test_a_name_that_is_taken_is_not_replaced(store: Store, tmp_path: Path) -> None:
    async with site(store, tmp_path) as client:
        for _ in range(2):  # the same search again is no mistake
            assert (await client.post("/searches", data={"q": "fuel", "name": "one"})).status_code == 303
        answer = await client.post("/searches", data={"q": "gao", "name": "one"})
        assert (answer.status_code, "there is another search" in answer.text) == (422, True)
        (kept,) = await SavedSearches(store).all()
        assert kept.asked == {"q": "fuel"}


async def test_the_number_of_saved_searches_is_bounded(store: Store, tmp_path: Path) -> None:
    saved = SavedSearches(store)
    for number in range(MOST_SAVED):
        await saved.add(SavedSearch(f"s{number}", {"q": "x"}, "anna", utc_now()))
    async with site(store, tmp_path) as client:
        answer = await client.post("/searches", data={"q": "gao", "name": "one more"})
        assert (answer.status_code, "delete one first" in answer.text) == (422, True)


async def test_what_cannot_be_read_is_left_out(store: Store) -> None:
    for text in (b"", b"[]", b"{}", b'{"asked": 7, "by": "x", "at": 1}', b'{"asked": {}, "by": "x", "at": "soon"}'):
        await store.redis.hset(store.keys.searches, "x", text)
        assert await SavedSearches(store).all() == ()


# ── the API ──


async def test_the_api_searches_with_the_same_fields(store: Store, tmp_path: Path) -> None:
    async with site(store, tmp_path) as client:
        found = (await client.get(f"{ROOT}/search", params={"q": "kidal OR gao"})).json()
        assert [one["title"] for one in found["articles"]] == ["Talks in Gao", "Kidal, Mali"]
        assert (found["articles"][1]["topics"], found["more"]) == (["mali"], None)
        assert found["articles"][1]["highlights"]
        found = (
            await client.get(f"{ROOT}/search", params={"topic": "mali", "lang": "fr", "severity": "normal"})
        ).json()
        assert [one["title"] for one in found["articles"]] == ["Kidal, Mali"]
        every: list[str] = []
        query = {"since": "30d"}
        while query:
            page = (await client.get(f"{ROOT}/search", params=query)).json()
            every += [one["title"] for one in page["articles"]]
            query = {"since": "30d", "before": page["more"]} if page["more"] else {}
        assert len(every) == len(set(every)) == 32


@pytest.mark.parametrize(
    "query",
    [
        {"query": "x"},
        {"q": "mali AND ("},
        {"since": "soon"},
        {"severity": "x"},
        {"topic": "x"},
        {"muted": "x"},
        {"before": "x"},
    ],
    ids=lambda query: next(iter(query)),
)
async def test_a_wrong_or_unknown_parameter_is_an_error(store: Store, tmp_path: Path, query: dict[str, str]) -> None:
    async with site(store, tmp_path) as client:
        answer = await client.get(f"{ROOT}/search", params=query)
        assert answer.status_code == 422
        assert answer.json()["problem"]


async def test_the_api_saves_searches(store: Store, tmp_path: Path) -> None:
    async with site(store, tmp_path) as client:
        made = await client.post(f"{ROOT}/searches", json={"name": "Sahel", "q": "kidal OR gao", "since": "7d"})
        assert made.status_code == 200, made.text
        (listed,) = (await client.get(f"{ROOT}/searches")).json()["searches"]
        assert listed == made.json()
        assert (listed["page"], listed["feed"]) == ("/searches/Sahel", "/searches/Sahel.atom")
        assert (listed["asked"]["q"], listed["asked"]["since"], listed["asked"]["lang"]) == ("kidal OR gao", "7d", "")
        found = (await client.get(f"{ROOT}/searches/Sahel")).json()
        assert len(found["articles"]) == 2
        for wrong in ({"name": "x"}, {"name": "x", "q": "("}, {"name": "x", "querry": "y"}, {"q": "x"}):
            assert (await client.post(f"{ROOT}/searches", json=wrong)).status_code == 422
        assert (await client.post(f"{ROOT}/searches/Sahel/delete")).status_code == 200
        for gone in (await client.post(f"{ROOT}/searches/Sahel/delete"), await client.get(f"{ROOT}/searches/Sahel")):
            assert gone.status_code == 404


async def test_without_an_archive_there_is_nothing_of_it(store: Store) -> None:
    async with pages(store) as address, httpx.AsyncClient(base_url=address, headers={"origin": address}) as client:
        for path in ("/searches/x", "/searches/x.atom", f"{ROOT}/search", f"{ROOT}/searches"):
            assert (await client.get(path)).status_code == 404
        assert (await client.post("/searches", data={"name": "x"})).status_code == 404
        assert json.loads((await client.get(f"{ROOT}/search")).text)["problem"] == "there is no such call"
