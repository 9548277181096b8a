"""Export from the page and the API: everything that fits, with the same filters; unknown parameters are errors."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import httpx
import pytest

from tests.making import article
from tests.web.web_app import found, pages
from watchpost.archive.sqlite import SqliteArchive
from watchpost.store.client import Store
from watchpost.web.api import CALLS, ROOT


async def furnish(store: Store) -> None:
    """Two hundred and fifty stories, one of which has two reports."""
    for number in range(249):
        await found(store, article(f"Report {number}", lang="fr" if number % 5 else "en"))
    for outlet in "AB":
        await found(store, article(f"Twice {outlet}", outlet=outlet), story="5" * 32, severity="high")


@pytest.mark.timeout(120)
async def test_an_export_has_everything_that_fits_once(store: Store) -> None:
    await furnish(store)
    async with pages(store) as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.get(f"{ROOT}/stories.csv")
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.headers["content-disposition"] == 'attachment; filename="stories.csv"'
        rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))
        assert (len(rows), len({row["id"] for row in rows})) == (250, 250)
        (twice,) = (row for row in rows if row["id"] == "5" * 32)
        assert (twice["report_count"], twice["severity"]) == ("2", "high")
        lines = (await client.get(f"{ROOT}/hits.ndjson?lang=en")).text.splitlines()
        assert len({json.loads(line)["id"] for line in lines}) == 50
        assert len((await client.get(f"{ROOT}/stories.ndjson?severity=high&since=1h")).text.splitlines()) == 1
        page = (await client.get("/stories?severity=high")).text
        (link,) = re.findall(r'href="(/api/v1/hits.ndjson[^"]*)"', page)
        assert len((await client.get(link.replace("&amp;", "&"))).text.splitlines()) == 2


@pytest.mark.parametrize(
    "query", ["since=soon", "severity=urgent", "topics=mali", "since=2999-01-01", "q=" + "gao+" * 600]
)
async def test_a_wrong_search_is_an_error_before_anything_is_sent(store: Store, query: str) -> None:
    await found(store, article("Kidal"))
    async with pages(store) as address, httpx.AsyncClient(base_url=address) as client:
        for path in ("stories.csv", "hits.ndjson", "stories", "hits"):
            answer = await client.get(f"{ROOT}/{path}?{query}")
            assert (answer.status_code, set(answer.json())) == (422, {"problem"}), path
        shown = await client.get(f"/stories?{query}")
        assert shown.status_code == (200 if query.startswith("topics") else 422)


@pytest.mark.parametrize("path", ["stories.csv", "hits.ndjson", "stories", "hits"])
async def test_a_wrong_mark_is_an_error_and_not_the_first_page_again(store: Store, path: str) -> None:
    await found(store, article("Kidal"))
    async with pages(store) as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.get(f"{ROOT}/{path}?before=zzz")
        assert (answer.status_code, answer.json()["problem"]) == (422, "'zzz' is not a value of `more`")


async def test_no_call_ignores_a_parameter(store: Store, tmp_path: Path) -> None:
    archive = SqliteArchive(tmp_path / "archive")
    async with pages(store, archive=archive) as address, httpx.AsyncClient(base_url=address) as client:
        for call in CALLS:
            path = ROOT + re.sub(r"{\w+}", "x", call.path)
            answer = await client.request(call.method, f"{path}?colour=red", json={})
            assert answer.status_code == 422, call.path
            assert "there is no parameter 'colour'" in answer.json()["problem"]
        answer = await client.get(f"{ROOT}/hits?topics=mali")
        assert "did you mean 'topic'" in answer.json()["problem"]
