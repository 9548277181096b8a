"""`watchpost search`: what an analyst asks, and what she is answered when she mistypes."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.command import watchpost
from tests.making import article
from watchpost.archive.packing import filed
from watchpost.archive.sqlite import SqliteArchive
from watchpost.scheduler import utc_now

CONFIG = """
version: 1
folders: {drop: {path: ., glob: "*.txt"}}
queries: {sahel: mali OR niger}
entities: {depot: {kind: place, names: [Red Depot]}}
topics:
  mali: {query: title:mali, severity: high}
  niger: niger
receivers: {terminal: {type: console}}
routes: [{to: terminal, digest: {every: 1m}}]
silences: [{match: {topic: niger}, until: 2099-01-01, reason: known, by: anna}]
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "watchpost.yaml").write_text(CONFIG)
    archive = SqliteArchive(tmp_path / "var" / "archive")
    now = utc_now()
    archive.add(
        [
            filed(article("Mali and Niger", source="rfi", lang="fr", fetched=now - timedelta(days=9))),
            filed(article("Niger votes", source="bbc", lang="en", fetched=now - timedelta(hours=30))),
            filed(article("A fire at the Red Depot", source="bbc", lang="en", fetched=now - timedelta(minutes=3))),
        ]
    )
    archive.close()
    return tmp_path


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([], ["A fire at the Red Depot", "Niger votes", "Mali and Niger"]),
        (["mali OR depot"], ["A fire at the Red Depot", "Mali and Niger"]),
        (["@sahel"], ["Niger votes", "Mali and Niger"]),
        (["@mali"], ["Mali and Niger"]),
        (["entity:depot"], ["A fire at the Red Depot"]),
        (["--since", "2d"], ["A fire at the Red Depot", "Niger votes"]),
        (["--until", "1d"], ["Niger votes", "Mali and Niger"]),
        (["--since", "3d", "--until", "1d"], ["Niger votes"]),
        (["--source", "rfi"], ["Mali and Niger"]),
        (["--lang", "EN"], ["A fire at the Red Depot", "Niger votes"]),
        (["--topic", "niger"], ["Niger votes", "Mali and Niger"]),
        (["--severity", "high"], ["Mali and Niger"]),
        (["--muted"], ["Niger votes", "Mali and Niger"]),
        (["--not-muted"], ["A fire at the Red Depot"]),
        (["-n", "1"], ["A fire at the Red Depot"]),
    ],
)
def test_what_is_found(desk: Path, asked: list[str], expected: list[str]) -> None:
    done = watchpost(desk, "search", *asked, "--json")
    assert done.returncode == 0, done.stderr
    assert [one["title"] for one in json.loads(done.stdout)["articles"]] == expected
    shown = watchpost(desk, "search", *asked).stdout
    assert all(title in shown for title in expected)


def test_a_search_continues(desk: Path) -> None:
    first = json.loads(watchpost(desk, "search", "-n", "2", "--json").stdout)
    rest = json.loads(watchpost(desk, "search", "--before", first["more"], "--json").stdout)
    assert [one["title"] for one in rest["articles"]] == ["Mali and Niger"]
    assert rest["more"] == ""
    assert f"--before {first['more']}" in watchpost(desk, "search", "-n", "2").stderr


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["mali AND"], "QUERY: column"),
        (["entity:nobody"], "there is no entity nobody"),
        (["--topic", "malo"], "malo"),
        (["--severity", "hihg"], "hihg"),
        (["--since", "tomorrow"], "--since 'tomorrow' is not a time"),
        (["--until", "soon"], "--until 'soon' is not a time"),
        (["--before", "here"], "'here' is not a mark"),
    ],
)
def test_mistakes_are_named(desk: Path, asked: list[str], said: str) -> None:
    done = watchpost(desk, "search", *asked)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_nothing_found_ends_with_3(desk: Path) -> None:
    nothing = watchpost(desk, "search", "zanzibar")
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (3, "", "watchpost: nothing found\n")


def test_an_archive_that_is_switched_off_or_damaged(desk: Path) -> None:
    (file,) = (desk / "var" / "archive").glob(f"{utc_now():%Y-%m}.db")
    file.write_bytes(b"this is no database" * 500)
    damaged = watchpost(desk, "search", "mali")
    assert damaged.returncode == 4
    assert f"{file.name}: file is not a database; it is damaged; move it away" in damaged.stderr
    (desk / "watchpost.yaml").write_text(CONFIG + "archive: false\n")
    assert "switched off" in watchpost(desk, "search", "mali").stderr


def test_a_topic_is_tried_on_the_archive_while_no_service_runs(desk: Path) -> None:
    done = watchpost(desk, "topic", "test", "niger", "--since", "60d")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "2 of 3 articles match")
    assert watchpost(desk, "topic", "test", "niger", "--since", "1d").stdout == "0 of 1 article match\n"


def test_a_changed_topic_is_compared_on_the_archive(desk: Path) -> None:
    (desk / "old.yaml").write_text(CONFIG.replace("niger: niger\n", "niger: depot\n"))
    done = watchpost(desk, "topic", "diff", "--against", "old.yaml", "--since", "60d", "--json")
    (effect,) = json.loads(done.stdout)["topics"]
    assert (effect["before"], effect["now"]) == (1, 2)
    assert [hit["title"] for hit in effect["gained"]] == ["Niger votes", "Mali and Niger"]
    assert [hit["title"] for hit in effect["lost"]] == ["A fire at the Red Depot"]
