"""Times of day, days and listening addresses as they are written."""

from __future__ import annotations

from datetime import time

import pytest

from watchpost.config.fields import days_of_week, is_loopback, listen_address, time_of_day, times_of_day


@pytest.mark.parametrize(
    ("text", "expected"),
    [("08:00", time(8)), ("8:05", time(8, 5)), ("00:00", time(0)), ("23:59", time(23, 59))],
)
def test_a_time_of_day(text: str, expected: time) -> None:
    assert time_of_day(text) == expected


@pytest.mark.parametrize("text", ["24:00", "8", "8:5", "08:60", "08:00:00", " 08:00", "٠٨:٠٠", "", 8, None, 8.5])
def test_what_is_no_time_of_day(text: object) -> None:
    with pytest.raises(ValueError, match="time of day; write it like 08:00"):
        time_of_day(text)


def test_times_stand_in_the_order_of_the_day() -> None:
    assert times_of_day(["18:00", "8:00"]) == (time(8), time(18))
    with pytest.raises(ValueError, match="twice"):
        times_of_day(["08:00", "8:00"])
    with pytest.raises(ValueError, match="at least one"):
        times_of_day([])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("daily", (0, 1, 2, 3, 4, 5, 6)),
        ("mon", (0,)),
        ("mon-fri", (0, 1, 2, 3, 4)),
        ("Mon-Fri", (0, 1, 2, 3, 4)),
        ("fri-mon", (0, 4, 5, 6)),
        ("sat-sun", (5, 6)),
        (["wed", "mon", "wed"], (0, 2)),
        (["mon-tue", "sun"], (0, 1, 6)),
    ],
)
def test_days(text: object, expected: tuple[int, ...]) -> None:
    assert days_of_week(text) == expected


@pytest.mark.parametrize("text", ["", "monday", "mon-", "mon-tue-wed", "mon,wed", 1, ["daily"], [], [1], None])
def test_what_are_no_days(text: object) -> None:
    with pytest.raises(ValueError, match="day"):
        days_of_week(text)


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("127.9.9.9:0", "127.9.9.9", 0, True),
        ("localhost:80", "localhost", 80, True),
        ("[::1]:8080", "::1", 8080, True),
        ("[::]:8080", "::", 8080, False),
        ("0.0.0.0:8080", "0.0.0.0", 8080, False),
        ("localhost.example.org:80", "localhost.example.org", 80, False),
    ],
)
def test_listening(text: str, host: str, port: int, loopback: bool) -> None:
    assert listen_address(text) == (host, port)
    assert is_loopback(text) is loopback


@pytest.mark.parametrize(
    "text", ["8080", ":8080", "::1:8080", "127.0.0.1:65536", "[zz]:80", "http://a:80", "a b:1", 8080]
)
def test_what_cannot_be_listened_on(text: object) -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:8080"):
        listen_address(text)
