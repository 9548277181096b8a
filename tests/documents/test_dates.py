from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from babel import Locale
from hypothesis import given, settings
from hypothesis import strategies as st

from watchpost.documents.date_names import month_of, zone_offset
from watchpost.documents.dates import parse_date, slashed_order

LANGUAGES = [
    *("en", "fr", "de", "es", "it", "pt", "nl", "sv", "da", "nb", "fi", "et", "lv", "lt", "pl", "cs", "sk", "hu", "ro"),
    *("bg", "ru", "uk", "be", "sr", "sr_Latn", "sl", "bs", "mk", "sq", "el", "tr", "id", "ms", "sw", "ha", "ar"),
    *("ar_MA", "ar_DZ", "ar_SY", "fa", "he", "hi", "gl", "so", "am", "bm", "bn", "eu", "fil", "gu", "hy", "ka", "kk"),
    *("km", "kn", "lo", "ml", "pa", "ps", "rw", "ta", "te", "th", "tk", "ur", "wo"),
]
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
        ("Mon, 09 Jan 2023 20:21:00 America/Los_Angeles", "2023-01-10T04:21:00"),
        ("Sun, 09 Jul 2023 20:21:00 America/Los_Angeles", "2023-07-10T03:21:00"),
        ("2023-07-09T20:21:00+02:00[Europe/Paris]", "2023-07-09T18:21:00"),
        ("Mon, 09 Jan 2023 20:21:00 Mars/Olympus", "2023-01-09T20:21:00"),
        ("Tue, 24 May 2016 14:17:57 XYZT", "2016-05-24T14:17:57"),
        ("Tue, 24 May 2016 14:17:57 Pacific Standard Time", "2016-05-24T14:17:57"),
        ("Tue, 24 May 2016 24:00:00 GMT", "2016-05-25T00:00:00"),
        ("2016-05-24T24:00:00Z", "2016-05-25T00:00:00"),
        ("Tue, 24 May 2016 14:17 ET", "2016-05-24T18:17:00"),
        ("Tue, 12 Jan 2016 14:17 PT", "2016-01-12T22:17:00"),
        ("Tue, 24 May 2016 14:17:57 CLT", "2016-05-24T18:17:57"),
        ("Tue, 24 May 2016 14:17:57 COT", "2016-05-24T19:17:57"),
        ("Tue, 24 May 2016 14:17:57 WITA", "2016-05-24T06:17:57"),
        ("Tue, 24 May 2016 14:17:57 МСК", "2016-05-24T11:17:57"),
        ("Tue, 24 May 2016 13:00 PM", "2016-05-24T13:00:00"),
        ("Tue, 24 May 2016 0:30 AM", "2016-05-24T00:30:00"),
        ("Thu,26 Nov 2020 10:00:00 +0000", "2020-11-26T10:00:00"),
        ("2020-11-26 10:00:00 +0000 UTC", "2020-11-26T10:00:00"),
        ("2020-11-26 10:00:00.123 +0300 MSK", "2020-11-26T07:00:00"),
        ("Thu, 26 Nov 2020 10:00:00 - 10:00", "2020-11-26T20:00:00"),
        ("Thu Nov 26 2020 10:00:00 GMT+0300 (Moscow Standard Time)", "2020-11-26T07:00:00"),
        ("٢٦ نوفمبر ٢٠٢٠ ١٠:٠٠", "2020-11-26T10:00:00"),
        ("الخميس، 26 تشرين الثاني 2020", "2020-11-26T00:00:00"),
        ("26 Kasım 2020 Perşembe", "2020-11-26T00:00:00"),
        ("26 Ağu 2020 10:00", "2020-08-26T10:00:00"),
        ("czwartek, 26 listopada 2020 10:00", "2020-11-26T10:00:00"),
        ("2020. november 26.", "2020-11-26T00:00:00"),
        ("26 tháng 11, 2020", "2020-11-26T00:00:00"),
        ("2020년 11월 26일", "2020-11-26T00:00:00"),
        ("26/Nov/2020:10:00:00 +0200", "2020-11-26T08:00:00"),
        ("26 de noviembre del 2020", "2020-11-26T00:00:00"),
        ("Sat, 14 Jan 2023 20:21:00 PST8PDT", "2023-01-15T04:21:00"),
        ("Sat, 14 Jan 2023 20:21:00 Etc/GMT+8", "2023-01-15T04:21:00"),
        ("Sat, 14 Jan 2023 20:21:00 GMT -8", "2023-01-15T04:21:00"),
        ("Sat, 14 Jan 2023 20:21:00 Singapore", "2023-01-14T12:21:00"),
        ("Sat, 14 Jan 2023 20:21:00 Japan", "2023-01-14T11:21:00"),
        ("Sat, 14 Jan 2023 20:21:00 +01:00:00", "2023-01-14T19:21:00"),
        ("Sat, 14 Jan 2023 20:21:00 +0000.", "2023-01-14T20:21:00"),
        ("Sat,14Jan2023 20:05:00 GMT", "2023-01-14T20:05:00"),
        ("8:05 PM, January 14, 2023", "2023-01-14T20:05:00"),
        ("14 Jan 2023, 8 pm", "2023-01-14T20:00:00"),
        ("20:05, 14 January 2023", "2023-01-14T20:05:00"),
        ("20:05 14.01.2023", "2023-01-14T20:05:00"),
        ("14.01.2023 | 20:05", "2023-01-14T20:05:00"),
        ("le 14 janvier 2023 à 20 h 05", "2023-01-14T20:05:00"),
        ("Published: 2023-01-14", "2023-01-14T00:00:00"),
        ("14 Ocak 2023 Cumartesi 20:05", "2023-01-14T20:05:00"),
        ("14 stycznia 2023 r., 20:05", "2023-01-14T20:05:00"),
        ("14 gennaio 2023 ore 20:05", "2023-01-14T20:05:00"),
        ("14. januar 2023 kl. 20.05", "2023-01-14T20:05:00"),
        ("Sabtu, 14 Januari 2023 | 20:05 WIB", "2023-01-14T13:05:00"),
        ("Thứ bảy, 14/1/2023, 20:05 (GMT+7)", "2023-01-14T13:05:00"),
        ("2023-01-14 20:05:00.123456 +0100 CET m=+0.0001", "2023-01-14T19:05:00"),
        ("2023. 1. 14. 오후 8:05", "2023-01-14T20:05:00"),
        ("2023年1月14日(土) 20时05分", "2023-01-14T20:05:00"),
        ("2023年01月14日20:05", "2023-01-14T20:05:00"),
        ("2023年1月14日 下午8:05", "2023-01-14T20:05:00"),
        ("14 มกราคม 2566", "2023-01-14T00:00:00"),
        ("๑๔ ม.ค. ๒๕๖๖ 20:05", "2023-01-14T20:05:00"),
        ("১৪ জানুয়ারি ২০২৩", "2023-01-14T00:00:00"),
        ("2023 ж. 14 қаңтар", "2023-01-14T00:00:00"),
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
        "Tue, 24 May 2016 25:17:57 GMT",
        "Tue, 24 May 2016 14:17:57 +9900",
        "2021-09",
        "September 2021",
        "13 PM 2021-09-15",
        "14 January 2023 and 15 January 2024",
        "the army said on 14 January 2023 that it would not leave the town of Gao",
        "chapter 3 of 14 January 2023",
        "11/12/2026",
        "9" * 200_000,
        "1" * 90,
        "\u0665/\u0665/\u0665",
    ],
)
def test_no_date_is_invented(text: str) -> None:
    assert parse_date(text, NOW) is None


def test_a_date_that_has_to_be_alone_has_no_other_words() -> None:
    assert parse_date("Attack on Gao of 14 January 2023", NOW, alone=True) is None
    assert parse_date("14 January 2023", NOW, alone=True) == datetime(2023, 1, 14, tzinfo=UTC)


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_months_of_the_languages_of_feeds_are_known(language: str) -> None:
    months = Locale.parse(language).months
    names = [
        (name, number)
        for use in months.values()
        for width in ("wide", "abbreviated")
        for number, name in use[width].items()
    ]
    assert [(name, number) for name, number in names if month_of(name) != number] == []


def test_a_region_of_the_time_zone_database_is_its_offset() -> None:
    local = datetime(2024, 7, 1, 12, 0)  # noqa: DTZ001 - the time of a clock on the wall
    for name in available_timezones():
        if "/" in name and not name.startswith("Etc/"):
            assert zone_offset(name, local) == ZoneInfo(name).utcoffset(local)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Nd", "Cs"]), max_size=20))
def test_whatever_is_in_the_place_of_the_zone_the_day_stays(zone: str) -> None:
    found = parse_date(f"Mon, 09 Jan 2023 12:00:00 {zone}", NOW)
    assert found is not None
    assert abs(found - datetime(2023, 1, 9, 12, 0, tzinfo=UTC)) <= timedelta(hours=14)
