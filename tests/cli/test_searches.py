"""`watchpost searches`: save a search, list, run and remove it, and what is said of mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.command import Done, watchpost
from tests.making import article
from watchpost.archive.packing import filed
from watchpost.archive.sqlite import SqliteArchive
from watchpost.scheduler import utc_now

CONFIG = """
version: 1
folders: {drop: {path: ., glob: "*.txt"}}
topics: {mali: {query: title:mali, severity: high}}
receivers: {terminal: {type: console}}
routes: [{to: terminal, digest: {every: 1m}}]
"""
Ask = Callable[..., Done]


@pytest.fixture
def ask(tmp_path: Path, empty_valkey_url: str) -> Ask:
    (tmp_path / "watchpost.yaml").write_text(CONFIG)
    archive = SqliteArchive(tmp_path / "data" / "archive")
    now = utc_now()
    archive.add([
        filed(article("Mali and Niger", source="rfi", lang="fr", fetched=now - timedelta(days=9))),
        filed(article("Mali votes", source="bbc", lang="en", fetched=now - timedelta(hours=30))),
    ])  # fmt: skip
    archive.close()

    def asked(*words: str) -> Done:
        return watchpost(tmp_path, "searches", *words, WATCHPOST_REDIS_URL=empty_valkey_url, WATCHPOST_DATA="data")

    return asked


def test_a_search_is_saved_listed_run_and_removed(ask: Ask) -> None:
    saved = ask("save", "The Sahel", "mali", "--since", "3d", "--not-muted", "--by", "anna", "--json")
    assert saved.returncode == 0, saved.stderr
    facts = json.loads(saved.stdout)["search"]
    assert facts["asked"] == {"q": "mali", "since": "3d", "muted": "no"}
    assert (facts["name"], facts["by"]) == ("The Sahel", "anna")
    assert json.loads(ask("list", "--json").stdout)["searches"] == [facts]
    listed = ask("list").stdout
    assert "The Sahel" in listed
    assert "mali; since: 3d; muted: no" in listed
    found = json.loads(ask("run", "The Sahel", "--json").stdout)
    assert [one["title"] for one in found["articles"]] == ["Mali votes"]
    assert "Mali votes" in ask("run", "The Sahel").stdout
    assert ask("remove", "The Sahel").returncode == 0
    assert ask("remove", "The Sahel").returncode == 1
    assert ask("run", "The Sahel").returncode == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("Sahel", "mali AND"), "Query:"),
        (("Sahel", "--since", "soon"), "Since:"),
        (("Sahel", "--topic", "nope"), "there is no topic 'nope'"),
        (("a/b", "mali"), "'a/b' is not a name of a search"),
        (("Sahel",), "this search asks for nothing"),
    ],
)
def test_a_wrong_search_is_not_saved(ask: Ask, words: tuple[str, ...], sentence: str) -> None:
    done = ask("save", *words)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert json.loads(ask("list", "--json").stdout) == {"searches": []}


def test_a_name_that_is_taken_is_not_replaced(ask: Ask) -> None:
    assert ask("save", "Sahel", "mali").returncode == 0
    done = ask("save", "Sahel", "niger")
    assert done.returncode == 2
    assert "there is another search 'Sahel'" in done.stderr
