"""Quiet hours over midnight and both nights of the clock change; what a silence covers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest

from tests.making import article, hit
from watchpost.model import Snippet
from watchpost.notify.rules import covers, quiet_until, silence_of
from watchpost.schedules import QuietHours, Silence

NIGHT = QuietHours(("phone",), time(22), time(7), tuple(range(7)), "Europe/Paris", ("high",))
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-23T21:59:59+01:00", None),
        ("2026-11-23T22:00:00+01:00", "2026-11-24T07:00:00+01:00"),
        ("2026-11-24T03:00:00+01:00", "2026-11-24T07:00:00+01:00"),
        ("2026-11-24T07:00:00+01:00", None),
        ("2026-10-24T23:00:00+02:00", "2026-10-25T07:00:00+01:00"),  # the night that has an hour more
        ("2026-10-25T02:30:00+01:00", "2026-10-25T07:00:00+01:00"),
        ("2027-03-27T23:00:00+01:00", "2027-03-28T07:00:00+02:00"),  # and the one that has an hour less
        ("2027-03-28T03:30:00+02:00", "2027-03-28T07:00:00+02:00"),
    ],
)
def test_quiet_over_midnight(now: str, until: str | None) -> None:
    assert quiet_until([NIGHT], "phone", "normal", at(now)) == (None if until is None else at(until))


@pytest.mark.parametrize("evening", ["2026-10-24T18:00:00Z", "2027-03-27T18:00:00Z", "2026-11-23T18:00:00Z"])
def test_each_night_is_held_once_and_released_once(evening: str) -> None:
    states = [quiet_until([NIGHT], "phone", "normal", at(evening) + timedelta(minutes=n)) for n in range(16 * 60)]
    changes = sum((one is None) != (other is None) for one, other in pairwise(states))
    assert changes == 2
    assert len({state for state in states if state}) == 1, "and everything is released at one moment"


def test_quiet_hours_name_receivers_days_and_exceptions() -> None:
    midnight = at("2026-11-24T00:30:00+01:00")  # a Tuesday
    assert quiet_until([NIGHT], "team", "normal", midnight) is None
    assert quiet_until([NIGHT], "phone", "high", midnight) is None
    assert quiet_until([NIGHT], "phone", "", midnight) is not None, "a digest is no exception"
    mondays, tuesdays = replace(NIGHT, days=(0,)), replace(NIGHT, days=(1,))
    assert quiet_until([mondays], "phone", "low", midnight) is not None, "the night of Monday goes on"
    assert quiet_until([tuesdays], "phone", "low", midnight) is None
    longer = replace(NIGHT, end=time(9))
    assert quiet_until([NIGHT, longer], "phone", "low", midnight) == at("2026-11-24T09:00:00+01:00")


def test_quiet_in_the_middle_of_a_day() -> None:
    noon = QuietHours(("phone",), time(12), time(14), tuple(range(7)), "UTC")
    assert quiet_until([noon], "phone", "high", NOW) is None
    assert quiet_until([noon], "phone", "high", NOW + timedelta(hours=5)) == NOW + timedelta(hours=6)


def silence(**conditions: str) -> Silence:
    return replace(Silence("s1", NOW + timedelta(hours=1), "replays 2019", "anna"), **conditions)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("conditions", "covered"),
    [
        ({"topic": "mali"}, True),
        ({"topic": "wagner"}, False),
        ({"source": "ria"}, True),
        ({"topic": "mali", "source": "rfi"}, False),
        ({"severity": "normal"}, True),
        ({"severity": "high"}, False),
        ({"text": "ARCHIVES"}, True),
        ({"text": "gao"}, True),
        ({"text": "kidal"}, False),
        ({"topic": "mali", "source": "ria", "severity": "normal", "text": "archives"}, True),
        ({}, False),
    ],
)
def test_what_a_silence_covers(conditions: dict[str, str], covered: bool) -> None:
    about = article("From the archives", source="ria")
    one = hit(article=about, topic="mali", snippet=Snippet("…an attack on Gao…"))
    assert covers(silence(**conditions), one) is covered


def test_a_silence_ends() -> None:
    one, short = hit("a"), silence(topic="mali")
    longer = replace(short, id="s2", until=NOW + timedelta(hours=2))
    assert silence_of([short, longer], one, NOW) is short
    assert silence_of([short, longer], one, NOW + timedelta(hours=1)) is longer
    assert silence_of([short], one, NOW + timedelta(hours=1)) is None
