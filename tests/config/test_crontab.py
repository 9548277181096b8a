"""Crontab rules as they are written."""

from __future__ import annotations

from typing import Any

import pytest

from watchpost.config.fields import is_crontab, read_crontab

ALL = {
    "minutes": tuple(range(60)),
    "hours": tuple(range(24)),
    "months": tuple(range(1, 13)),
    "days": (),
    "weekdays": (),
}


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("* * * * *", {}),
        ("0 8 * * 1-5", {"minutes": (0,), "hours": (8,), "weekdays": (0, 1, 2, 3, 4)}),
        ("0 8 * * 0", {"minutes": (0,), "hours": (8,), "weekdays": (6,)}),
        ("0 8 * * 7", {"minutes": (0,), "hours": (8,), "weekdays": (6,)}),
        ("0 8 * * 5-7", {"minutes": (0,), "hours": (8,), "weekdays": (4, 5, 6)}),
        ("0 8 * * Sat-Sun", {"minutes": (0,), "hours": (8,), "weekdays": (5, 6)}),
        ("0 8 * * */2", {"minutes": (0,), "hours": (8,), "weekdays": (1, 3, 5, 6)}),
        ("*/20  6-8,18 * JAN,jul *", {"minutes": (0, 20, 40), "hours": (6, 7, 8, 18), "months": (1, 7)}),
        ("5/20 8 1,15 * mon", {"minutes": (5, 25, 45), "hours": (8,), "days": (1, 15), "weekdays": (0,)}),
        ("0 0 */10 * *", {"minutes": (0,), "hours": (0,), "days": (1, 11, 21, 31)}),
        ("0 0 29 2 *", {"minutes": (0,), "hours": (0,), "days": (29,), "months": (2,)}),
        ("@daily", {"minutes": (0,), "hours": (0,)}),
        ("@weekly", {"minutes": (0,), "hours": (0,), "weekdays": (6,)}),
        ("@Yearly", {"minutes": (0,), "hours": (0,), "days": (1,), "months": (1,)}),
    ],
)
def test_a_rule(text: str, fields: dict[str, Any]) -> None:
    found = read_crontab(text)
    assert {name: getattr(found, name) for name in ALL} == ALL | fields


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0 8 * *", "a crontab is written like"),
        ("60 8 * * *", "the minute is a number from 0 to 59"),
        ("0 24 * * *", "the hour is a number from 0 to 23"),
        ("0 8 0 * *", "the day of the month is a number from 1 to 31"),
        ("0 8 * 13 *", "the month is a number from 1 to 12 or a name"),
        ("0 8 * * 8", "the day of the week is a number from 0 to 7 or a name"),
        ("0 8 * * mon-fry", "the day of the week is a number from 0 to 7 or a name"),
        ("0 18-8 * * *", "the hour runs backwards"),
        ("*/0 8 * * *", "a step of 0"),
        ("0 8 * * 1,,2", "the day of the week cannot be read"),
        ("0 8 L * *", "the day of the month cannot be read"),
        ("0 ٨ * * *", "the hour cannot be read"),
        ("0 8 31 2 *", "this never comes: there is no day 31"),
        ("0 8 31 4,6 *", "this never comes: there is no day 31"),
        ("@reboot", "of the short forms there are @hourly"),
        (8, "a crontab is written like"),
    ],
)
def test_what_is_no_rule(text: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_crontab(text)


def test_a_day_that_never_comes_may_stand_beside_a_weekday() -> None:
    assert read_crontab("0 8 31 2 mon").weekdays == (0,)


def test_what_is_meant_as_a_rule() -> None:
    assert is_crontab("0 8 * * *")
    assert is_crontab("@daily")
    assert not is_crontab("08:00")
    assert not is_crontab("0 8 * *")
