from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from watchpost.poll.due import next_visit, words

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_the_interval_is_spread_by_a_tenth_the_same_way_for_one_name() -> None:
    moments = {next_visit(10 * MINUTE, 0, None, f"feed {i}", NOW)[0] - NOW for i in range(200)}
    assert 9 * MINUTE <= min(moments) < 9.2 * MINUTE
    assert 10.8 * MINUTE < max(moments) <= 11 * MINUTE
    assert next_visit(10 * MINUTE, 0, None, "a", NOW) == next_visit(10 * MINUTE, 0, None, "a", NOW)


def test_a_second_means_a_second() -> None:
    assert next_visit(timedelta(seconds=1), 0, None, "a", NOW) == (NOW + timedelta(seconds=1), "every 1 second")


@pytest.mark.parametrize(("failures", "minutes"), [(2, 20), (3, 40), (4, 80), (6, 320)])
def test_failures_double_the_pause(failures: int, minutes: int) -> None:
    moment, reason = next_visit(10 * MINUTE, failures, None, "a", NOW)
    assert 0.9 * minutes <= (moment - NOW) / MINUTE <= 1.1 * minutes
    assert reason.endswith("instead of 10 minutes")


def test_one_failure_is_a_hiccup_but_nothing_is_tried_sooner() -> None:
    for i in range(50):
        moment, reason = next_visit(10 * MINUTE, 1, None, f"feed {i}", NOW)
        assert 10 * MINUTE <= moment - NOW <= 11 * MINUTE
        assert reason == "after 1 failure in a row: still every 10 minutes"


@pytest.mark.parametrize("every", [timedelta(seconds=1), 10 * MINUTE, 3 * DAY])
def test_patience_ends_at_a_day_and_is_never_faster_than_the_interval(every: timedelta) -> None:
    moment, _ = next_visit(every, 10**9, None, "a", NOW)
    assert max(every, 0.9 * DAY) <= moment - NOW <= max(1.1 * DAY, 1.1 * every)


def test_the_server_may_ask_for_more_but_not_for_less_and_not_for_ever() -> None:
    moment, reason = next_visit(10 * MINUTE, 0, HOUR, "a", NOW)
    assert (moment, reason) == (NOW + HOUR, "the server asked for 1 hour")
    assert next_visit(10 * MINUTE, 0, timedelta(seconds=5), "a", NOW) == next_visit(10 * MINUTE, 0, None, "a", NOW)
    assert next_visit(10 * MINUTE, 0, timedelta(days=365), "a", NOW)[0] == NOW + DAY
    assert next_visit(10 * MINUTE, 2, HOUR, "a", NOW)[0] == NOW + HOUR


def test_spans_are_said_in_words() -> None:
    assert words(timedelta(minutes=80)) == "1 hour 20 minutes"
    assert words(timedelta(days=1, hours=2, minutes=3)) == "1 day 2 hours"
    assert words(timedelta(milliseconds=500)) == "0.5 seconds"
