"""Since when news are new: a cookie of two moments, whatever a browser makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchpost.web.visits import LONGEST, PAUSE, Visit, begin_of_news, seen, visit_of, yesterday_evening

NOW = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")


def test_the_first_visit_begins_yesterday_evening_in_the_zone_of_the_pages() -> None:
    visit = visit_of("", NOW)
    assert visit == Visit(None, NOW)
    assert begin_of_news(visit, NOW, PARIS) == datetime(2026, 11, 26, 17, tzinfo=UTC)
    assert yesterday_evening(datetime(2026, 11, 26, 23, 30, tzinfo=UTC), PARIS) == datetime(
        2026, 11, 26, 17, tzinfo=UTC
    )


def test_a_visit_lasts_until_half_an_hour_after_its_last_page() -> None:
    visit = visit_of(visit_of("", NOW).cookie(), NOW + timedelta(minutes=29))
    assert visit.since is None, "the first visit goes on"
    for minutes in (20, 45, 70):
        visit = visit_of(visit.cookie(), NOW + timedelta(minutes=29 + minutes))
        assert visit.since is None
    later = visit.last + timedelta(hours=14)
    following = visit_of(visit.cookie(), later)
    assert following == Visit(visit.last, later)
    assert visit_of(following.cookie(), later + timedelta(minutes=5)).since == visit.last


def test_a_page_that_updates_itself_shows_the_same_news_for_hours() -> None:
    opened = visit_of(visit_of("", NOW).cookie(), NOW + timedelta(hours=12))
    for hours in (1, 9, 30):
        again = visit_of(opened.cookie(), opened.last + timedelta(hours=hours), updates_itself=True)
        assert again == opened


def test_a_reader_who_was_away_for_long_is_shown_a_week() -> None:
    visit = Visit(NOW - timedelta(days=40), NOW)
    assert begin_of_news(visit, NOW, PARIS) == NOW - LONGEST
    assert begin_of_news(seen(NOW), NOW, PARIS) == NOW


_TEXTS = st.one_of(
    st.text(max_size=40), st.from_regex(r"[0-9٣]{0,14}\.[0-9]{0,14}", fullmatch=True), st.just(f"1.{10**13}")
)


@given(_TEXTS, st.booleans())
def test_any_cookie_is_a_visit_that_begins_in_the_past(cookie: str, live: bool) -> None:
    visit = visit_of(cookie, NOW, updates_itself=live)
    assert NOW - LONGEST <= begin_of_news(visit, NOW, PARIS) <= NOW
    assert visit.last <= NOW + PAUSE
    assert visit_of(visit.cookie(), NOW).last == NOW


@pytest.mark.parametrize("cookie", ["", "1", "1.", ".1", "-1.2", "1.2.3", "1e3.4", "x.y", f"0.{10**15}"])
def test_what_is_no_cookie_of_ours_is_a_first_visit(cookie: str) -> None:
    assert visit_of(cookie, NOW).since is None
