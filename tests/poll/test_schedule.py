from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from watchpost.durations import in_words
from watchpost.poll.schedule import Interval, MinimumWait, adaptive, is_dead, next_visit

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def asked(*spans: timedelta) -> Interval:
    return Interval(floors=tuple(MinimumWait(span, f"asked for {in_words(span)}") for span in spans))


def test_the_interval_is_spread_by_a_tenth_the_same_way_for_one_name() -> None:
    moments = {next_visit(10 * MINUTE, f"feed {i}", NOW)[0] - NOW for i in range(200)}
    assert 9 * MINUTE <= min(moments) < 9.2 * MINUTE
    assert 10.8 * MINUTE < max(moments) <= 11 * MINUTE
    assert next_visit(10 * MINUTE, "a", NOW) == next_visit(10 * MINUTE, "a", NOW)


def test_a_second_means_a_second() -> None:
    assert next_visit(SECOND, "a", NOW) == (NOW + SECOND, "every 1 second")


@pytest.mark.parametrize(("failures", "minutes"), [(2, 20), (3, 40), (4, 80), (6, 320)])
def test_failures_double_the_pause(failures: int, minutes: int) -> None:
    moment, reason = next_visit(10 * MINUTE, "a", NOW, failures=failures)
    assert 0.9 * minutes <= (moment - NOW) / MINUTE <= 1.1 * minutes
    assert reason.endswith("instead of 10 minutes")


def test_one_failure_is_a_hiccup_but_nothing_is_tried_sooner() -> None:
    for i in range(50):
        moment, reason = next_visit(10 * MINUTE, f"feed {i}", NOW, failures=1)
        assert 10 * MINUTE <= moment - NOW <= 11 * MINUTE
        assert reason == "after 1 failure in a row: still every 10 minutes"


@pytest.mark.parametrize("every", [SECOND, 10 * MINUTE, 3 * DAY])
def test_patience_ends_at_a_day_and_is_never_faster_than_the_interval(every: timedelta) -> None:
    moment, _ = next_visit(every, "a", NOW, failures=10**9)
    assert max(every, 0.9 * DAY) <= moment - NOW <= max(1.1 * DAY, 1.1 * every)


def test_the_longest_of_what_is_asked_wins_and_is_named() -> None:
    moment, reason = next_visit(10 * MINUTE, "a", NOW, interval=asked(HOUR, 30 * MINUTE))
    assert (moment, reason) == (NOW + HOUR, "asked for 1 hour")
    assert next_visit(10 * MINUTE, "a", NOW, interval=asked(5 * SECOND)) == next_visit(10 * MINUTE, "a", NOW)
    assert next_visit(10 * MINUTE, "a", NOW, failures=2, interval=asked(HOUR))[0] == NOW + HOUR
    assert next_visit(SECOND, "a", NOW, interval=asked(HOUR))[0] == NOW + HOUR


def test_an_absurd_wish_is_a_day() -> None:
    moment, reason = next_visit(10 * MINUTE, "a", NOW, interval=asked(365 * DAY))
    assert (moment, reason) == (NOW + DAY, "asked for 365 days; 1 day is the most")


def test_a_pace_that_was_learnt_stands_in_for_the_interval() -> None:
    moment, reason = next_visit(10 * MINUTE, "a", NOW, interval=Interval(every=2 * HOUR))
    assert 1.8 * HOUR <= moment - NOW <= 2.2 * HOUR
    assert reason == "every 2 hours, by how often it brings something"


def test_hours_that_the_feed_wants_skipped_are_skipped() -> None:
    moment, reason = next_visit(10 * MINUTE, "a", NOW, interval=Interval(skip_hours=(12, 13)))
    assert NOW + 2 * HOUR <= moment <= NOW + 2 * HOUR + 6 * MINUTE
    assert reason == "every 10 minutes; the feed wants no visits at 12h GMT"
    moment, reason = next_visit(10 * MINUTE, "a", NOW, interval=Interval(skip_days=(0, 1)))
    assert (moment.weekday(), moment.hour, moment - NOW > 36 * HOUR) == (2, 0, True)
    assert reason.endswith("on Mondays")
    assert next_visit(10 * MINUTE, "a", NOW, interval=Interval(skip_hours=(3,))) == next_visit(10 * MINUTE, "a", NOW)


@pytest.mark.parametrize("pace", [Interval(skip_hours=tuple(range(24))), Interval(skip_days=tuple(range(7)))])
def test_a_feed_that_wants_everything_skipped_is_mistaken(pace: Interval) -> None:
    assert next_visit(10 * MINUTE, "a", NOW, interval=pace) == next_visit(10 * MINUTE, "a", NOW)


def test_who_is_not_there_for_two_weeks_is_dead_and_tried_once_a_day() -> None:
    assert is_dead("dns", NOW - 14 * DAY, NOW)
    assert is_dead("not_found", NOW - 15 * DAY, NOW)
    assert not is_dead("dns", NOW - 13 * DAY, NOW)
    assert not is_dead("dns", None, NOW)
    assert not is_dead("timeout", NOW - 99 * DAY, NOW)
    moment, reason = next_visit(10 * MINUTE, "a", NOW, failures=99, dead=True)
    assert 0.9 * DAY <= moment - NOW <= 1.1 * DAY
    assert reason == "dead for 14 days: tried once a day"


def test_the_pace_is_half_the_distance_of_a_weeks_entries() -> None:
    daily = [NOW - n * DAY for n in range(30)]
    assert adaptive(daily, NOW) == 6 * HOUR
    hourly = [NOW - n * HOUR for n in range(20)]  # all that it shows: 19 hours
    assert adaptive(hourly, NOW) == timedelta(minutes=28)
    assert adaptive([NOW - n * MINUTE for n in range(60)], NOW) == 10 * MINUTE
    assert adaptive([NOW - 40 * DAY, None], NOW) == 6 * HOUR
    assert adaptive([None, NOW + HOUR], NOW) is None
    assert adaptive([], NOW) is None
