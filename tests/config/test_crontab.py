"""Crontab rules as they are written."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

import pytest

from watchpost.config.fields import crontab, is_crontab
from watchpost.schedules import cron_times

WEDNESDAY = datetime(2026, 11, 25, 12, 0)  # noqa: DTZ001  # rules are local times


@pytest.mark.parametrize(
    ("text", "moments"),
    [
        ("* * * * *", ["11-25 12:01", "11-25 12:02"]),
        ("0 8 * * 1-5", ["11-26 08:00", "11-27 08:00", "11-30 08:00"]),
        ("0 8 * * 0", ["11-29 08:00", "12-06 08:00"]),
        ("0 8 * * 7", ["11-29 08:00", "12-06 08:00"]),
        ("0 8 * * 5-7", ["11-27 08:00", "11-28 08:00", "11-29 08:00", "12-04 08:00"]),
        ("0 8 * * 5-0", ["11-27 08:00", "11-28 08:00", "11-29 08:00", "12-04 08:00"]),
        ("0 8 * * Sat-Sun", ["11-28 08:00", "11-29 08:00", "12-05 08:00"]),
        ("0 8 * * wed,sat-sun", ["11-28 08:00", "11-29 08:00", "12-02 08:00"]),
        ("0 8 * * */2", ["11-26 08:00", "11-28 08:00", "11-29 08:00", "12-01 08:00"]),
        ("*/20  6-8,18 * JAN,jul *", ["01-01 06:00", "01-01 06:20", "01-01 06:40", "01-01 07:00"]),
        ("5/20 8 1,15 * mon", ["11-30 08:05", "11-30 08:25", "11-30 08:45", "12-01 08:05"]),
        ("0 0 */10 * *", ["12-01 00:00", "12-11 00:00", "12-21 00:00", "12-31 00:00", "01-01 00:00"]),
        ("0 0 29 2 *", ["02-29 00:00"]),
        ("0 8 31 2 mon", ["02-01 08:00"]),
        ("@daily", ["11-26 00:00", "11-27 00:00"]),
        ("@weekly", ["11-29 00:00", "12-06 00:00"]),
        ("@Yearly", ["01-01 00:00"]),
    ],
)
def test_a_rule(text: str, moments: list[str]) -> None:
    found = islice(cron_times(crontab(text), WEDNESDAY), len(moments))
    assert [f"{moment:%m-%d %H:%M}" for moment in found] == moments


@pytest.mark.parametrize(("text", "spelling"), [(" 0  8 * * MON ", "0 8 * * mon"), ("@weekly", "0 0 * * 0")])
def test_a_rule_has_one_spelling(text: str, spelling: str) -> None:
    assert crontab(text) == spelling


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0 8 * *", "a crontab rule is written like"),
        ("0 " * 300, "a crontab rule is written like"),
        ("60 8 * * *", "the minute is 0 to 59"),
        (f"{'9' * 450} 8 * * *", "the minute is 0 to 59"),
        ("0 24 * * *", "the hour is 0 to 23"),
        ("0 8 0 * *", "the day of the month is 1 to 31"),
        ("0 8 * 13 *", "the month is 1 to 12 or jan to dec"),
        ("0 8 * * 8", "the day of the week is 0 to 7 or sun to sat"),
        ("0 8 * * mon-fry", "the day of the week is 0 to 7 or sun to sat"),
        ("0 18-8 * * *", "the hour is 0 to 23"),
        ("*/0 8 * * *", "the minute is 0 to 59"),
        ("0 8 * * 1,,2", "the day of the week is 0 to 7"),
        ("0 8 X * *", "the day of the month is 1 to 31"),
        ("0 ٨ * * *", "the hour is 0 to 23"),
        ("0 8 31 2 *", "this never comes: none of these months has such a day"),
        ("0 8 31 4,6 *", "this never comes"),
        ("@reboot", "of the short forms there are @hourly"),
        (8, "a crontab rule is written like"),
    ],
)
def test_what_is_no_rule(text: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        crontab(text)


def test_what_is_meant_as_a_rule() -> None:
    assert is_crontab("0 8 * * *")
    assert is_crontab("@daily")
    assert not is_crontab("08:00")
    assert not is_crontab("0 8 * *")
