"""A moment as people read it: in one zone, with its name, also in the night of a clock change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from watchpost.moments import with_zone

NIGHT = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "hour", "said"),
    [
        ("UTC", 0, "2026-10-25 00:30 UTC"),
        ("Europe/Paris", 0, "2026-10-25 02:30 CEST"),
        ("Europe/Paris", 1, "2026-10-25 02:30 CET"),
        ("Africa/Bamako", 0, "2026-10-25 00:30 GMT"),
        ("Asia/Tehran", 0, "2026-10-25 04:00 UTC+0330"),
        ("America/Sao_Paulo", 0, "2026-10-24 21:30 UTC-0300"),
    ],
)
def test_a_moment_names_its_zone(zone: str, hour: int, said: str) -> None:
    assert with_zone(NIGHT.replace(hour=hour), ZoneInfo(zone)) == said


def test_seconds_are_shown_where_they_are_wanted_and_nothing_for_no_moment() -> None:
    assert with_zone(NIGHT.replace(second=7), UTC, seconds=True) == "2026-10-25 00:30:07 UTC"
    assert with_zone(None, UTC) == ""
