"""The delivery journal: known here, known to the next process, forgotten after two days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from watchpost.notify.sender import Journal

NOW = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
MIDNIGHT = timedelta(minutes=2)


def test_what_one_process_wrote_the_next_one_knows(tmp_path: Path) -> None:
    one, two = Journal(tmp_path), Journal(tmp_path)
    assert not two.knows("d1", NOW)
    one.write("d1", NOW)
    assert two.knows("d1", NOW)
    assert two.knows("d1", NOW + MIDNIGHT), "midnight must not make it forget"
    assert not two.knows("d1", NOW + timedelta(days=3))


def test_a_line_without_its_end_is_not_believed_and_comes_whole_later(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write("d1", NOW)
    (path,) = tmp_path.iterdir()
    with path.open("ab") as file:
        file.write(b"d2")
    assert journal.knows("d1", NOW)
    assert not journal.knows("d2", NOW)
    with path.open("ab") as file:
        file.write(b"\n")
    assert journal.knows("d2", NOW)


def test_old_days_are_removed(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write("old", NOW - timedelta(days=3))
    journal.write("new", NOW)
    journal.tidy(NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["sent-20261123.journal"]
