"""Durations and counts: what can be written, and how people read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchpost import durations, plurals

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
DAY, HOUR, MINUTE, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0s", timedelta(0)),
        ("500ms", SECOND / 2),
        ("90s", 90 * SECOND),
        ("1h30m", 90 * MINUTE),
        ("1h 30m", 90 * MINUTE),
        ("1.5h", 90 * MINUTE),
        ("2d", 2 * DAY),
        ("1w", 7 * DAY),
    ],
)
def test_a_duration_is_read(text: str, expected: timedelta) -> None:
    assert durations.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", "2026-11-25T06:30:00+00:00"),
        ("7d", "2026-11-18T08:00:00+00:00"),
        ("today", "2026-11-25T00:00:00+01:00"),
        ("yesterday", "2026-11-24T00:00:00+01:00"),
        ("2026-07-01", "2026-07-01T00:00:00+02:00"),
        ("2026-11-20T08:00", "2026-11-20T08:00:00+01:00"),
        ("2026-11-20T08:00Z", "2026-11-20T08:00:00+00:00"),
        ("2026-11-20 08:00:30-05:00", "2026-11-20T08:00:30-05:00"),
    ],
)
def test_since_takes_a_span_a_day_or_a_time(text: str, expected: str) -> None:
    assert durations.since(text, NOW, ZoneInfo("Europe/Paris")).isoformat() == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        *((text, "is not a time; write it like 12h, 7d, yesterday") for text in ("", "6", "soon", "-1h", "9999999d")),
        *((text, "is not a time") for text in ("2026-13-01", "2026-11-20T25:00", "20261120", "11:00")),
        *((text, "is not in the past") for text in ("0s", "2026-11-26", "2026-11-25T09:00+01:00")),
    ],
)
def test_what_is_not_in_the_past_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"'{re.escape(text)}' {problem}"):
        durations.since(text, NOW, UTC)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "not a duration; write it like 30s, 10m, 1h30m or 2d"),
        ("10", "not a duration"),
        ("10 m", "not a duration"),
        ("10 minutes", "not a duration"),
        ("-1h", "not a duration"),
        (None, "not a duration"),
        (True, "not a duration"),
        (10, "10 needs a unit; write it like 10m"),
        ("9999999999d", "too long"),
    ],
)
def test_what_is_no_duration_is_refused_with_the_cure(value: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        durations.parse(value)


@pytest.mark.parametrize(
    ("span", "written", "in_words", "short"),
    [
        (timedelta(0), "0s", "0 seconds", "0 s"),
        (SECOND / 2, "500ms", "0.5 seconds", "0 s"),
        (SECOND, "1s", "1 second", "1 s"),
        (MINUTE, "1m", "1 minute", "1 min"),
        (90 * SECOND, "1m30s", "1 minute 30 seconds", "90 s"),
        (25 * MINUTE, "25m", "25 minutes", "25 min"),
        (80 * MINUTE, "1h20m", "1 hour 20 minutes", "1 h 20 min"),
        (200 * MINUTE, "3h20m", "3 hours 20 minutes", "3 h 20 min"),
        (DAY + 2 * HOUR + 3 * MINUTE, "1d2h3m", "1 day 2 hours", "1 d 2 h"),
        (2 * DAY + 36 * MINUTE, "2d36m", "2 days 36 minutes", "2 d"),
        (12 * DAY + HOUR, "12d1h", "12 days 1 hour", "12 d"),
    ],
)
def test_one_duration_in_three_forms(span: timedelta, written: str, in_words: str, short: str) -> None:
    assert (durations.written(span), durations.in_words(span), durations.short(span)) == (written, in_words, short)


@given(st.integers(0, 10**12))
def test_what_is_written_is_read_as_the_same(milliseconds: int) -> None:
    span = timedelta(milliseconds=milliseconds)
    assert durations.parse(durations.written(span)) == span


@pytest.mark.parametrize(
    ("minutes", "short"),
    [(0, "0 min"), (0.4, "0 min"), (1.5, "2 min"), (200, "3 h 20 min"), (3120, "2 j 4 h"), (1000 * 1440, "1000 j")],
)
def test_a_language_without_a_word_for_seconds_has_full_minutes(minutes: float, short: str) -> None:
    assert durations.short(timedelta(minutes=minutes), ("j", "h", "min")) == short


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(0), "just now"),
        (59 * SECOND, "just now"),
        (5 * MINUTE, "5 min ago"),
        (119 * MINUTE, "119 min ago"),
        (47 * HOUR, "47 h ago"),
        (700 * DAY, "700 days ago"),
        (1100 * DAY, "3 years ago"),
        (26_334 * DAY, "72 years ago"),
        (-30 * SECOND, "in 30 s"),
        (-2 * HOUR, "in 2 h"),
        (-3 * DAY, "in 3 days"),
    ],
)
def test_a_moment_seen_from_now(before: timedelta, text: str) -> None:
    assert durations.ago(NOW - before, NOW) == text


@pytest.mark.parametrize(
    ("number", "plural", "text"), [(0, "", "0 hits"), (1, "", "1 hit"), (3, "", "3 hits"), (2, "more", "2 more")]
)
def test_a_number_has_its_noun(number: int, plural: str, text: str) -> None:
    assert plurals.count(number, "hit", plural) == text
