"""When a window closes: slots, zones, both nights of the clock change, downtime, quiet days."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from watchpost.config.fields import crontab
from watchpost.notify.schedule import due, last_slot, next_slot, sends_empty, wait_ends
from watchpost.schedules import Cron, Daily, Every, Immediate, Schedule

EVERY_DAY = tuple(range(7))
PARIS = "Europe/Paris"
MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def daily(*times: str, days: tuple[int, ...] = EVERY_DAY, timezone: str = PARIS) -> Daily:
    return Daily(tuple(time.fromisoformat(each) for each in times), days, timezone)


def cron(text: str, timezone: str = PARIS) -> Cron:
    return Cron(crontab(text), timezone)


@pytest.mark.parametrize(
    ("schedule", "now", "slot"),
    [
        (daily("08:00"), "2026-11-23T08:00:00+01:00", "2026-11-23T08:00:00+01:00"),
        (daily("08:00"), "2026-11-23T07:59:59+01:00", "2026-11-22T08:00:00+01:00"),
        (daily("08:00", "18:00"), "2026-11-23T12:00:00+01:00", "2026-11-23T08:00:00+01:00"),
        (daily("18:00", "08:00"), "2026-11-23T19:00:00+01:00", "2026-11-23T18:00:00+01:00"),
        # Monday to Friday: on a Sunday the last slot was Friday's
        (daily("08:00", days=(0, 1, 2, 3, 4)), "2026-11-22T12:00:00+01:00", "2026-11-20T08:00:00+01:00"),
        # 08:00 stays 08:00 local over the change of 29 March 2026
        (daily("08:00"), "2026-03-28T09:00:00+01:00", "2026-03-28T08:00:00+01:00"),
        (daily("08:00"), "2026-03-29T09:00:00+02:00", "2026-03-29T08:00:00+02:00"),
        # a day ahead of UTC
        (daily("00:30", timezone="Pacific/Kiritimati"), "2026-11-22T10:31:00Z", "2026-11-22T10:30:00Z"),
        (cron("0 8 * * 1-5"), "2026-11-22T12:00:00+01:00", "2026-11-20T08:00:00+01:00"),
        (cron("0 8 * * 7"), "2026-11-23T12:00:00+01:00", "2026-11-22T08:00:00+01:00"),
        (cron("0 8 1 * mon"), "2026-12-05T12:00:00+01:00", "2026-12-01T08:00:00+01:00"),
        (cron("0 8 1 * mon"), "2026-11-30T12:00:00+01:00", "2026-11-30T08:00:00+01:00"),
        (cron("0 8 29 2 *"), "2026-11-23T12:00:00+01:00", "2024-02-29T08:00:00+01:00"),
        (cron("0 8 29 2 *"), "2104-02-28T12:00:00+01:00", "2096-02-29T08:00:00+01:00"),
        # the gap of 28 March 2027: 02:30 is read as 03:30 and comes after 03:15
        (daily("02:30", "03:15"), "2027-03-28T03:40:00+02:00", "2027-03-28T03:30:00+02:00"),
        (Every(timedelta(minutes=15), "UTC"), "2026-11-23T08:14:59Z", "2026-11-23T08:00:00Z"),
        (Every(timedelta(minutes=15), "UTC"), "2026-11-23T08:15:00Z", "2026-11-23T08:15:00Z"),
    ],
)
def test_the_last_slot(schedule: Daily | Every | Cron, now: str, slot: str) -> None:
    assert last_slot(schedule, at(now)) == at(slot)


@pytest.mark.parametrize(
    ("schedule", "now", "slot"),
    [
        (daily("08:00", "18:00"), "2026-11-23T08:00:00+01:00", "2026-11-23T18:00:00+01:00"),
        (daily("08:00"), "2026-03-28T09:00:00+01:00", "2026-03-29T08:00:00+02:00"),
        (cron("0 8 * * 1-5"), "2026-11-20T12:00:00+01:00", "2026-11-23T08:00:00+01:00"),
        (cron("0 8 29 2 *"), "2096-11-23T12:00:00+01:00", "2104-02-29T08:00:00+01:00"),
        (Every(timedelta(minutes=15), "UTC"), "2026-11-23T08:15:00Z", "2026-11-23T08:30:00Z"),
    ],
)
def test_the_next_slot(schedule: Daily | Every | Cron, now: str, slot: str) -> None:
    assert next_slot(schedule, at(now)) == at(slot)


def slots_closed(schedule: Schedule, start: datetime, end: datetime) -> list[datetime]:
    """Every slot that is closed when somebody looks each minute."""
    closed, found, now = start, [], start
    while now <= end:
        window = due(schedule, None, closed, now)
        if window is not None:
            found.append(window.end)
            closed = window.end
        now += MINUTE
    return found


@pytest.mark.parametrize("moment", ["02:00", "02:30", "02:59", "03:00"])
@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-10-24T12:00:00Z", "2026-10-25T11:00:00Z"),  # 02:30 comes twice
        ("2027-03-27T12:00:00Z", "2027-03-28T11:00:00Z"),  # 02:30 does not come
    ],
)
def test_one_digest_on_both_nights_of_the_clock_change(moment: str, start: str, end: str) -> None:
    assert len(slots_closed(daily(moment), at(start), at(end))) == 1
    hour, minute = moment.split(":")
    assert len(slots_closed(cron(f"{minute} {hour} * * *"), at(start), at(end))) == 1


@pytest.mark.parametrize(
    ("text", "days"),
    [
        # A day field that begins with a star makes both of them count, as in Debian's cron: the Mondays on odd days.
        ("0 8 */2 * 1", ["12-07", "12-21", "01-11"]),
        ("0 8 1-7 * */7", ["12-06", "01-03", "02-07"]),
        ("0 9 */100,1-7 * mon", ["12-07", "01-04", "02-01"]),
        # Otherwise one that fits is enough.
        ("0 8 1,15 * 5", ["12-01", "12-04", "12-11"]),
        ("0 8 l * *", ["12-31", "01-31", "02-28"]),
    ],
)
def test_days_of_the_month_and_of_the_week_count_as_in_debians_cron(text: str, days: list[str]) -> None:
    schedule, moment, found = cron(text, "UTC"), at("2026-12-01T00:00:00Z"), []
    for _ in days:
        moment = next_slot(schedule, moment)
        found.append(f"{moment:%m-%d}")
    assert found == days
    assert last_slot(schedule, moment) == moment


def test_a_rule_for_weekdays_comes_on_weekdays() -> None:
    found = slots_closed(cron("0 8 * * 1-5"), at("2026-11-22T00:00:00Z"), at("2026-11-29T23:00:00Z"))
    assert [slot.isoweekday() for slot in found] == [1, 2, 3, 4, 5]


def test_after_downtime_one_digest_says_how_late_it_is() -> None:
    closed = at("2026-11-20T08:00:00+01:00")
    now = at("2026-11-23T11:00:00+01:00")
    window = due(daily("08:00"), None, closed, now)
    assert window is not None
    assert (window.start, window.end) == (closed, at("2026-11-23T08:00:00+01:00"))
    assert window.late == timedelta(hours=3)
    assert due(daily("08:00"), None, window.end, now) is None


def test_a_digest_on_time_is_not_late() -> None:
    window = due(daily("08:00"), None, at("2026-11-22T08:00:00+01:00"), at("2026-11-23T08:00:01+01:00"))
    assert window is not None
    assert window.late == timedelta(0)


def test_an_immediate_group_waits_from_its_first_hit() -> None:
    opened = at("2026-11-23T08:00:00Z")
    schedule = Immediate(timedelta(seconds=60))
    assert due(schedule, None, None, opened) is None
    assert due(schedule, opened, None, opened + timedelta(seconds=59)) is None
    window = due(schedule, opened, None, opened + timedelta(seconds=60))
    assert window is not None
    assert window.start == opened
    assert wait_ends(schedule, opened, opened) == opened + timedelta(seconds=60)
    assert wait_ends(daily("08:00"), opened, opened) == next_slot(daily("08:00"), opened)


@pytest.mark.parametrize(
    ("empty", "silent_days", "sent"),
    [("never", 30, False), ("always", 1, True), ("weekly", 6, False), ("weekly", 7, True)],
)
def test_quiet_days(empty: str, silent_days: int, sent: bool) -> None:
    schedule = Daily((time(8),), EVERY_DAY, "UTC", empty)  # type: ignore[arg-type]  # the table's words
    now = at("2026-11-23T08:00:00Z")
    window = due(schedule, None, now - timedelta(days=1), now)
    assert window is not None
    assert sends_empty(schedule, now - timedelta(days=silent_days), None, window) is sent


def test_an_alert_is_never_empty() -> None:
    opened = at("2026-11-23T08:00:00Z")
    window = due(Immediate(timedelta(0)), opened, None, opened)
    assert window is not None
    assert not sends_empty(Immediate(timedelta(0)), None, None, window)


def test_a_window_closed_by_a_clock_that_ran_ahead_does_not_silence_its_group() -> None:
    now = at("2026-11-23T08:30:00Z")
    window = due(Every(timedelta(hours=1), "UTC"), now, now + timedelta(days=400), now)
    assert window is not None
    assert window.end == at("2026-11-23T08:00:00Z")
    assert due(Every(timedelta(hours=1), "UTC"), now, now + timedelta(seconds=1), now) is None, "clocks differ a little"
