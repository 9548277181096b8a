"""The page Search and its Atom feed: found, continued, saved by its address, mistakes named, foreign text is text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.making import article
from tests.web.test_pages import HOSTILE
from tests.web.web_app import pages
from watchpost.archive.packing import filed
from watchpost.archive.sqlite import SqliteArchive
from watchpost.scheduler import utc_now
from watchpost.store.client import Store
from watchpost.web.pages.search import PAGE

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SqliteArchive]:
    archive, now = SqliteArchive(tmp_path / "archive"), utc_now()
    archive.add(
        [
            filed(article("Kidal, Mali", url="https://example.org/a", lang="fr", fetched=now - timedelta(days=3))),
            filed(article("Talks in Gao", source="rfi", fetched=now)),
            filed(article(HOSTILE, source=HOSTILE, outlet=HOSTILE, url=f"https://example.org/{HOSTILE}", fetched=now)),
        ]
    )
    yield archive
    archive.close()


async def test_what_is_found(store: Store, archive: SqliteArchive) -> None:
    async with pages(store, archive=archive) as site, httpx.AsyncClient(base_url=site, timeout=60) as client:
        first = (await client.get("/search")).text
        assert "No articles match" not in first
        assert "Talks in" not in first
        found = (await client.get("/search", params={"q": "kidal OR gao", "lang": "", "topic": ""})).text
        assert found.index("Talks in ") < found.index("<mark>Kidal</mark>")
        by_topic = (await client.get("/search?topic=mali")).text
        assert "<mark>Kidal</mark>" in by_topic
        assert "Talks in" not in by_topic
        assert "No articles match" in (await client.get("/search?q=zanzibar")).text
        assert "No articles match" in (await client.get("/search?q=gao&until=1d")).text


async def test_mistakes_are_named_beside_what_was_typed(store: Store, archive: SqliteArchive) -> None:
    wrong = {"q": "mali AND (", "since": "soon", "until": "tomorrow", "topic": "x", "severity": "x", "muted": "x"}
    async with pages(store, archive=archive) as site, httpx.AsyncClient(base_url=site, timeout=60) as client:
        answer = await client.get("/search", params=wrong)
        assert answer.status_code == 422
        for name in wrong:
            assert f'<a href="#{name}">' in answer.text
        assert "mali AND (" in answer.text
        feed = await client.get("/search.atom", params=wrong)
        assert feed.status_code == 422
        assert "not a time" in feed.text


async def test_a_query_that_is_too_long_is_a_mistake_and_not_cut(store: Store, archive: SqliteArchive) -> None:
    long = {"q": "(" + " OR ".join(["kidal"] * 600) + ") AND zanzibar"}
    async with pages(store, archive=archive) as site, httpx.AsyncClient(base_url=site, timeout=60) as client:
        for path in ("/search", "/search.atom", "/api/v1/search"):
            answer = await client.get(path, params=long)
            assert answer.status_code == 422, path
            assert "more than 2,000 characters" in answer.text


async def test_foreign_text_stays_text(store: Store, archive: SqliteArchive) -> None:
    async with pages(store, archive=archive) as site, httpx.AsyncClient(base_url=site, timeout=60) as client:
        for query in ({"q": "alert"}, {"q": HOSTILE}, {"source": HOSTILE}):
            text = (await client.get("/search", params=query)).text
            assert "<script>alert" not in text
            assert "<svg/onload" not in text
            assert "49000049" not in text


async def test_a_search_is_saved_by_its_address_and_has_a_feed(store: Store, archive: SqliteArchive) -> None:
    async with pages(store, archive=archive) as site, httpx.AsyncClient(base_url=site, timeout=60) as client:
        query = {"q": "kidal OR alert"}
        assert "/search.atom?q=kidal+OR+alert" in (await client.get("/search", params=query)).text
        answer = await client.get("/search.atom", params=query)
        assert answer.headers["content-type"].startswith("application/atom+xml")
        feed = ET.fromstring(answer.content)
        assert feed.findtext(f"{ATOM}title") == "Search: kidal OR alert"
        entries = feed.findall(f"{ATOM}entry")
        assert len(entries) == 2
        assert entries[1].findtext(f"{ATOM}title") == "Kidal, Mali"
        assert [one.get("term") for one in entries[1].findall(f"{ATOM}category")] == ["mali"]
        again = ET.fromstring((await client.get("/search.atom", params=query)).content)
        ids = [one.findtext(f"{ATOM}id") for one in entries]
        assert ids == [one.findtext(f"{ATOM}id") for one in again.findall(f"{ATOM}entry")]


async def test_older_articles_are_a_page_further(store: Store, archive: SqliteArchive) -> None:
    archive.add([filed(article(f"Report {number}", fetched=utc_now())) for number in range(2 * PAGE)])
    async with pages(store, archive=archive) as site, httpx.AsyncClient(base_url=site, timeout=60) as client:
        first = (await client.get("/search?q=report")).text
        assert len(first.encode()) < 100_000
        assert first.count("<article") == PAGE
        more = first.partition('class="button" href="')[2].partition('"')[0].replace("&amp;", "&")
        assert (await client.get(more)).text.count("<article") == PAGE


async def test_without_an_archive_there_is_no_page_and_no_link(store: Store) -> None:
    async with pages(store) as site, httpx.AsyncClient(base_url=site, timeout=60) as client:
        assert (await client.get("/search")).status_code == 404
        assert (await client.get("/search.atom")).status_code == 404
        assert 'href="/search' not in (await client.get("/stories")).text
