from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from watchpost.documents.dates import parse_date, slashed_order

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Wed, 02 Oct 2002 13:00:00 GMT", "2002-10-02T13:00:00"),
        ("Wed, 2 Oct 02 15:00 +0200", "2002-10-02T13:00:00"),
        ("Mon, 23 Nov 2026 08:00:00 CEST", "2026-11-23T06:00:00"),
        ("Tue, 24 May 2016 2:17:57 PM CEST", "2016-05-24T12:17:57"),
        ("Sat, Dec 16 2023 02:02:33 PM", "2023-12-16T14:02:33"),
        ("Mon, 25 Jun 2018 12:00:00 AM EST", "2018-06-25T05:00:00"),
        ("Mo, 25 Jun 2018 10:00:00 +0000", "2018-06-25T10:00:00"),
        ("mar., 14 janv. 2020 10:00:00 +0100", "2020-01-14T09:00:00"),
        ("Вт, 03 мар 2020 10:00:00 +0300", "2020-03-03T07:00:00"),
        ("5 mai 2021 10:00 GMT", "2021-05-05T10:00:00"),
        ("3. März 2021", "2021-03-03T00:00:00"),
        ("12 de setembro de 2021", "2021-09-12T00:00:00"),
        ("September 15, 2021 2:30 PM EDT", "2021-09-15T18:30:00"),
        ("Mon Nov 23 08:00:00 2020", "2020-11-23T08:00:00"),
        ("2021-09-15T06:30:00+02:00", "2021-09-15T04:30:00"),
        ("2021-09-15T06:30:00.123456789Z", "2021-09-15T06:30:00"),
        ("2016-05-24 14:17:57 CEST", "2016-05-24T12:17:57"),
        ("2021-09-15", "2021-09-15T00:00:00"),
        ("2020/1/10 14:33:00", "2020-01-10T14:33:00"),
        ("2023年5月30日 08:00", "2023-05-30T08:00:00"),
        ("15/12/2021 16:00", "2021-12-15T16:00:00"),
        ("12/15/2021", "2021-12-15T00:00:00"),
        ("07.03.2021 10:15", "2021-03-07T10:15:00"),
        ("1700000000", "2023-11-14T22:13:20"),
        ("1700000000123", "2023-11-14T22:13:20"),
        ("Thu, 31 Dec 2015 23:59:60 GMT", "2015-12-31T23:59:59"),
        ("Tue, 24 May 2016 14:17:57 GMT+02:00", "2016-05-24T12:17:57"),
        ("Tue, 24 May 2016 14:17:57 +0000 (UTC)", "2016-05-24T14:17:57"),
    ],
)
def test_dates_of_the_wild_are_read(text: str, moment: str) -> None:
    found = parse_date(text, NOW)
    assert found is not None
    assert found.replace(microsecond=0) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "Mon, 31 Feb 2026 08:00:00 GMT",
        "2026-02-30T00:00:00Z",
        "Mon, 01 Jan 0001 00:00:00 +0000",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Tue, 24 May 2016 14:17:57 XYZT",
        "Tue, 24 May 2016 25:17:57 GMT",
        "Tue, 24 May 2016 14:17:57 +9900",
        "2021-09",
        "September 2021",
        "13 PM 2021-09-15",
        "11/12/2026",
        "9" * 200_000,
        "1" * 90,
        "\u0665/\u0665/\u0665",
    ],
)
def test_no_date_is_invented(text: str) -> None:
    assert parse_date(text, NOW) is None


def test_a_date_more_than_two_days_ahead_is_unknown() -> None:
    assert parse_date((NOW + timedelta(hours=47)).isoformat(), NOW) == NOW + timedelta(hours=47)
    assert parse_date((NOW + timedelta(hours=49)).isoformat(), NOW) is None


def test_the_order_of_day_and_month_is_taken_from_the_dates_that_tell() -> None:
    assert slashed_order(["11/12/2021", "15/12/2021"]) is True
    assert slashed_order(["11/12/2021", "12/15/2021 10:00"]) is False
    assert slashed_order(["11/12/2021"]) is None
    assert slashed_order(["15/12/2021", "12/15/2021"]) is None
    assert parse_date("11/12/2021", NOW, day_first=True) == datetime(2021, 12, 11, tzinfo=UTC)
    assert parse_date("11/12/2021", NOW, day_first=False) == datetime(2021, 11, 12, tzinfo=UTC)
