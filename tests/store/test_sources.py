"""What the store keeps of a source, today and before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from watchpost.store.sources import SourceState, SourceStatus

NOW = datetime(2026, 11, 25, 20, 39, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (SourceStatus("a"), SourceState.NEW),
        (SourceStatus("a", last_visit=NOW, last_read=NOW), SourceState.OK),
        (SourceStatus("a", failures=1, reason="timeout", last_read=NOW), SourceState.FAILING),
        (SourceStatus("a", failures=30, reason="dns", ended="dead"), SourceState.DEAD),
        (SourceStatus("a", failures=1, reason="gone", ended="gone"), SourceState.GONE),
    ],
)
def test_a_source_has_one_state(status: SourceStatus, state: SourceState) -> None:
    assert status.state is state


def test_the_next_visit_is_kept_as_fields_and_those_of_version_0_1_0_are_read() -> None:
    old = {"next_visit": "2026-11-25 20:39:21 UTC, after 1 failure in a row: still every 10 minutes", "failures": "1"}
    status = SourceStatus.decode("a", old)
    assert (status.next_at, status.next_why) == (NOW, "after 1 failure in a row: still every 10 minutes")
    assert SourceStatus("a", next_at=NOW, next_why="every 10 minutes").changes_since(SourceStatus("a")) == {
        "next_at": "2026-11-25T20:39:21+00:00",
        "next_why": "every 10 minutes",
        "next_visit": "",
    }
    assert SourceStatus.decode("a", {"next_visit": "every 10 minutes"}).next_why == "every 10 minutes"
