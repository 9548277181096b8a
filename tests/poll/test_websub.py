"""When a hub is asked, and how far it is relied upon. The memory is what the poller would keep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from watchpost.http_headers import hub_links
from watchpost.poll.http import websub as s

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URL, HUB, TOPIC = "https://e.org/f", "https://hub.example/", "https://e.org/feed"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FOUND = {"hub": HUB, "self": TOPIC}
ASKED = FOUND | s.asked(HUB, TOPIC, "", NOW)
GRANTED = ASKED | s.confirmed(TOPIC, 10 * 86_400, NOW)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('<https://hub.example/>; rel="hub", <https://e.org/f>; rel="self"', {"hub": HUB, "self": URL}),
        ("<https://hub.example/>;rel=hub", {"hub": HUB}),
        ('<https://hub.example/>; title="x"; rel="alternate hub"', {"hub": HUB}),
        ('<https://hub.example/>; rel="hub", <https://two.example/>; rel="hub"', {"hub": HUB}),
        ("<ftp://hub.example/>; rel=hub, </f>; rel=self", {}),
        ('<https://e.org/x>; rel="next"; anchor="hub"', {}),
        (f"<https://e.org/{'x' * 600}>; rel=hub", {}),
        ("<" * 20_000, {}),
        ("", {}),
    ],
)
def test_a_link_header_names_hub_and_self(header: str, found: dict[str, str]) -> None:
    assert hub_links(header) == found


def test_a_feed_without_a_hub_asks_nobody() -> None:
    assert s.wanted({"self": TOPIC}, URL, NOW) is None


def test_the_topic_is_what_the_feed_calls_itself_else_where_it_lies() -> None:
    assert s.wanted(FOUND, URL, NOW) == (HUB, TOPIC)
    assert s.wanted({"hub": HUB, "final": "https://e.org/final"}, URL, NOW) == (HUB, "https://e.org/final")
    assert s.wanted({"hub": HUB}, URL, NOW) == (HUB, URL)


def test_a_silent_hub_is_asked_again_after_six_hours() -> None:
    assert [s.wanted(ASKED, URL, NOW + hours) is None for hours in (MINUTE, 5 * HOUR, 6 * HOUR)] == [True, True, False]


def test_another_hub_or_topic_is_asked_soon_but_not_at_each_visit() -> None:
    moved = ASKED | {"self": URL}
    assert s.wanted(moved, URL, NOW + MINUTE) is None
    assert s.wanted(moved, URL, NOW + 10 * MINUTE) == (HUB, URL)


def test_a_lease_is_renewed_when_four_fifths_are_over_and_that_patiently() -> None:
    assert s.wanted(GRANTED, URL, NOW + 8 * DAY - HOUR) is None
    at = NOW + 8 * DAY + HOUR
    assert s.wanted(GRANTED, URL, at) == (HUB, TOPIC)
    again = GRANTED | s.asked(HUB, TOPIC, "the hub answers HTTP 503", at)
    assert [s.wanted(again, URL, at + wait) is None for wait in (5 * HOUR, 6 * HOUR)] == [True, False]
    assert s.relied_upon(again, at), "the old lease still runs"
    renewed = again | s.confirmed(TOPIC, 10 * 86_400, at)
    assert s.wanted(renewed, URL, at + 7 * DAY) is None


def test_a_clock_that_was_wrong_does_not_stop_the_asking() -> None:
    assert s.wanted(FOUND | s.asked(HUB, TOPIC, "", NOW + 400 * DAY), URL, NOW) == (HUB, TOPIC)


@pytest.mark.parametrize(
    ("seconds", "lease"), [(0, DAY), (3600, HOUR), (10**11, timedelta(days=30)), (864_000, 10 * DAY)]
)
def test_a_lease_is_believed_within_reason(seconds: int, lease: timedelta) -> None:
    memory = ASKED | s.confirmed(TOPIC, seconds, NOW)
    assert s.relied_upon(memory, NOW + lease - MINUTE)
    assert not s.relied_upon(memory, NOW + lease)


def test_a_pushed_feed_is_polled_once_a_day_and_in_time_for_the_renewal() -> None:
    def pause(memory: dict[str, str], after: timedelta) -> timedelta | None:
        floor = s.floor(memory, NOW + after)
        return floor.pause if floor is not None else None

    assert pause(FOUND, HOUR) is pause(ASKED, HOUR) is None, "asking is not having"
    assert pause(GRANTED, HOUR) == DAY
    assert pause(GRANTED, 8 * DAY - HOUR) == HOUR
    assert pause(GRANTED, 8 * DAY + MINUTE) == 6 * HOUR, "the renewal is asked for again then"
    assert pause(GRANTED, 10 * DAY) is None, "the lease is over: polled as ever"
    assert pause(ASKED | s.confirmed(TOPIC, 60, NOW), timedelta(seconds=50)) == 10 * MINUTE


def test_a_confirmation_may_come_before_the_question_is_noted() -> None:
    early = FOUND | s.confirmed(TOPIC, 0, NOW)
    assert not s.relied_upon(early, NOW)
    assert s.relied_upon(early | s.asked(HUB, TOPIC, "", NOW), NOW)
    assert not s.relied_upon(early | s.asked(HUB, URL, "", NOW), NOW), "that was another topic"


def test_a_hub_that_refuses_is_not_relied_upon() -> None:
    memory = GRANTED | s.denied("no such topic")
    assert not s.relied_upon(memory, NOW)
    assert memory["push_said"] == "the hub refuses: no such topic"


def test_a_hub_that_missed_an_entry_is_polled_around_until_it_pushes_again() -> None:
    first = GRANTED | s.visited(GRANTED, True, NOW + HOUR)
    assert s.relied_upon(first, NOW + HOUR), "what came before the hub was relied upon is not its fault"
    missed = first | s.visited(first, True, NOW + DAY)
    assert not s.relied_upon(missed, NOW + DAY)
    assert s.floor(missed, NOW + DAY) is None
    heard = missed | s.heard(NOW + DAY + HOUR)
    assert s.relied_upon(heard, NOW + DAY + HOUR)
    assert s.relied_upon(first | s.visited(first, False, NOW + DAY), NOW + DAY)
    assert s.visited(ASKED, True, NOW) == {}
