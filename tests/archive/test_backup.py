"""`watchpost backup` copies the archive as it is at one moment, and what is unpacked is an archive."""

from __future__ import annotations

import json
import sqlite3
import tarfile
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.command import watchpost
from tests.making import WHEN, article
from watchpost.archive.packing import FiledArticle, filed, unpack
from watchpost.archive.sqlite import SqliteArchive, copy_of
from watchpost.errors import ArchiveError


def numbered(count: int, first: int = 0, months: int = 1) -> list[FiledArticle]:
    made = []
    for number in range(first, first + count):
        when = WHEN - timedelta(days=31 * (number % months))
        url = f"https://n.example/{number}"
        made.append(filed(article(f"Report {number}", url=url, body="x " * 200, fetched=when)))
    return made


def titles(archive: SqliteArchive) -> list[str]:
    return [unpack(record.packed).title for record in archive.newest_first(None)]


def restored(tar: Path, folder: Path) -> SqliteArchive:
    with tarfile.open(tar) as file:
        file.extractall(folder, filter="data")
    for month in (folder / "archive").glob("*.db"):
        with sqlite3.connect(month) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return SqliteArchive(folder / "archive")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "watchpost.yaml").write_text("version: 1\ntopics: {mali: mali}\n")
    return tmp_path


def test_what_is_restored_is_what_was_there(here: Path) -> None:
    archive = SqliteArchive(here / "var" / "archive")
    archive.add(numbered(60, months=3))
    done = watchpost(here, "backup", "saved.tar", "--json")
    assert done.returncode == 0, done.stderr
    assert [name for name in json.loads(done.stdout)["files"] if "archive/" in name] == sorted(
        f"archive/{month.name}" for month in (here / "var" / "archive").glob("*.db")
    )
    again = restored(here / "saved.tar", here / "new")
    assert titles(again) == titles(archive)
    assert again.state().articles == 60
    assert again.add(numbered(61, months=3)) == 1, "it is continued, and holds nothing twice"
    assert not [*(here / "var" / "archive").glob(".*")], "no copy is left"
    archive.close()
    again.close()


def test_a_copy_is_of_one_moment_while_articles_are_written(here: Path) -> None:
    """Each transaction adds ten articles, so whole transactions are in each copy, the oldest ones."""
    folder, stop = here / "var" / "archive", threading.Event()
    SqliteArchive(folder).add(numbered(10))
    written: list[int] = [10]

    def write() -> None:
        archive = SqliteArchive(folder)
        while not stop.is_set():
            archive.add(numbered(10, written[0]))
            written[0] += 10
        archive.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(5):
            least = written[0]
            assert watchpost(here, "backup", f"{turn}.tar").returncode == 0
            copy = restored(here / f"{turn}.tar", here / f"new{turn}")
            count = copy.state().articles
            assert count % 10 == 0
            assert count >= least
            assert sorted(titles(copy)) == sorted(f"Report {number}" for number in range(count))
            copy.close()
    finally:
        stop.set()
        writer.join()


def test_a_month_that_is_damaged_is_named_and_the_others_are_copied(here: Path) -> None:
    archive = SqliteArchive(here / "var" / "archive")
    archive.add(numbered(20, months=2))
    archive.close()
    first, second = sorted((here / "var" / "archive").glob("*.db"))
    first.write_bytes(b"this is no database" * 500)
    done = watchpost(here, "backup", "saved.tar")
    assert done.returncode == 5
    assert f"{first.name} cannot be copied: file is not a database; this month is not in the backup" in done.stderr
    with tarfile.open(here / "saved.tar") as file:
        assert file.getnames() == [f"archive/{second.name}"]
    with pytest.raises(ArchiveError), copy_of(first):
        pass
    assert not [*(here / "var" / "archive").glob(".*")]


def test_the_archive_can_be_left_out(here: Path) -> None:
    archive = SqliteArchive(here / "var" / "archive")
    archive.add(numbered(3))
    archive.close()
    (here / "var" / "identity.json").write_text("{}")
    assert watchpost(here, "backup", "saved.tar", "--without-archive").returncode == 0
    with tarfile.open(here / "saved.tar") as file:
        assert file.getnames() == ["identity.json"]


def test_an_archive_in_postgresql_is_named(here: Path) -> None:
    (here / "var").mkdir()
    (here / "var" / "identity.json").write_text("{}")
    done = watchpost(here, "backup", "saved.tar", WATCHPOST_ARCHIVE_URL="postgresql://u:p@db.example/x")
    assert "archive in PostgreSQL is not in it: copy it with pg_dump" in done.stderr
