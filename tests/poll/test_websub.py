"""When a hub is asked, and how far it is relied upon; what a Link header says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from watchpost.http_headers import hub_links
from watchpost.poll.feed_memory import FeedMemory, HubSubscription

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URL, HUB, TOPIC = "https://e.org/f", "https://hub.example/", "https://e.org/feed"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NEW = HubSubscription()
ASKED = NEW.after_request(HUB, TOPIC, "", NOW)
GRANTED = ASKED.after_confirmation(TOPIC, 10 * 86_400, NOW)


OF_FEED = FeedMemory(hub=HUB, self_url=TOPIC)


def to_ask(subscription: HubSubscription, now: datetime = NOW, memory: FeedMemory = OF_FEED) -> tuple[str, str] | None:
    return replace(memory, subscription=subscription).hub_to_ask(URL, now)


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
    assert to_ask(NEW, memory=FeedMemory(self_url=TOPIC)) is None


def test_the_topic_is_what_the_feed_calls_itself_else_where_it_lies() -> None:
    assert to_ask(NEW) == (HUB, TOPIC)
    assert to_ask(NEW, memory=FeedMemory(hub=HUB, final="https://e.org/final")) == (HUB, "https://e.org/final")
    assert to_ask(NEW, memory=FeedMemory(hub=HUB)) == (HUB, URL)


def test_a_silent_hub_is_asked_again_after_six_hours() -> None:
    assert [to_ask(ASKED, NOW + wait) is None for wait in (MINUTE, 5 * HOUR, 6 * HOUR)] == [True, True, False]


def test_another_hub_or_topic_is_asked_soon_but_not_at_each_visit() -> None:
    moved = FeedMemory(hub=HUB, self_url=URL)
    assert to_ask(ASKED, NOW + MINUTE, moved) is None
    assert to_ask(ASKED, NOW + 10 * MINUTE, moved) == (HUB, URL)


def test_a_lease_is_renewed_when_four_fifths_are_over_and_that_patiently() -> None:
    assert to_ask(GRANTED, NOW + 8 * DAY - HOUR) is None
    at = NOW + 8 * DAY + HOUR
    assert to_ask(GRANTED, at) == (HUB, TOPIC)
    again = GRANTED.after_request(HUB, TOPIC, "the hub answered HTTP 503", at)
    assert [to_ask(again, at + wait) is None for wait in (5 * HOUR, 6 * HOUR)] == [True, False]
    assert again.is_relied_upon(at), "the old lease still runs"
    renewed = again.after_confirmation(TOPIC, 10 * 86_400, at)
    assert to_ask(renewed, at + 7 * DAY) is None


def test_a_clock_that_was_wrong_does_not_stop_the_asking() -> None:
    assert to_ask(NEW.after_request(HUB, TOPIC, "", NOW + 400 * DAY)) == (HUB, TOPIC)


@pytest.mark.parametrize(
    ("seconds", "lease"), [(0, DAY), (3600, HOUR), (10**11, timedelta(days=30)), (864_000, 10 * DAY)]
)
def test_a_lease_is_believed_within_reason(seconds: int, lease: timedelta) -> None:
    granted = ASKED.after_confirmation(TOPIC, seconds, NOW)
    assert granted.is_relied_upon(NOW + lease - MINUTE)
    assert not granted.is_relied_upon(NOW + lease)


def test_a_pushed_feed_is_polled_once_a_day_and_in_time_for_the_renewal() -> None:
    def pause(subscription: HubSubscription, after: timedelta) -> timedelta | None:
        floor = subscription.minimum_wait(NOW + after)
        return floor.pause if floor is not None else None

    assert pause(NEW, HOUR) is pause(ASKED, HOUR) is None, "asking is not having"
    assert pause(GRANTED, HOUR) == DAY
    assert pause(GRANTED, 8 * DAY - HOUR) == HOUR
    assert pause(GRANTED, 8 * DAY + MINUTE) == 6 * HOUR, "the renewal is asked for again then"
    assert pause(GRANTED, 10 * DAY) is None, "the lease is over: polled as ever"
    assert pause(ASKED.after_confirmation(TOPIC, 60, NOW), timedelta(seconds=50)) == 10 * MINUTE


def test_a_confirmation_may_come_before_the_question_is_noted() -> None:
    early = NEW.after_confirmation(TOPIC, 0, NOW)
    assert not early.is_relied_upon(NOW)
    assert early.after_request(HUB, TOPIC, "", NOW).is_relied_upon(NOW)
    assert not early.after_request(HUB, URL, "", NOW).is_relied_upon(NOW), "that was another topic"


def test_a_hub_that_refuses_is_not_relied_upon() -> None:
    refused = GRANTED.after_refusal("no such topic")
    assert not refused.is_relied_upon(NOW)
    assert refused.problem == "the hub refuses: no such topic"


def test_a_hub_that_missed_an_entry_is_polled_around_until_it_pushes_again() -> None:
    first = GRANTED.after_visit(NOW + HOUR, missed=True)
    assert first.is_relied_upon(NOW + HOUR), "what came before the hub was relied upon is not its fault"
    missed = first.after_visit(NOW + DAY, missed=True)
    assert not missed.is_relied_upon(NOW + DAY)
    assert missed.minimum_wait(NOW + DAY) is None
    assert missed.after_push(NOW + DAY + HOUR).is_relied_upon(NOW + DAY + HOUR)
    assert first.after_visit(NOW + DAY, missed=False).is_relied_upon(NOW + DAY)
    assert ASKED.after_visit(NOW, missed=True) == ASKED


def test_what_is_kept_of_a_subscription_is_text_that_reads_as_it_was_written() -> None:
    memory = FeedMemory(hub=HUB, self_url=TOPIC, subscription=GRANTED.after_visit(NOW + HOUR, missed=False))
    texts = memory.changes_since(FeedMemory())
    assert texts == {
        "hub": HUB,
        "self": TOPIC,
        "push_hub": HUB,
        "push_topic": TOPIC,
        "push_asked": "2026-11-23T12:00:00+00:00",
        "push_granted": TOPIC,
        "push_from": "2026-11-23T12:00:00+00:00",
        "push_until": "2026-12-03T12:00:00+00:00",
        "push_polled": "1",
    }
    assert FeedMemory.decode(texts) == memory
    assert FeedMemory.decode(texts | {"of_another_version": "x"}).changes_since(memory) == {}
    assert replace(memory, subscription=NEW).changes_since(memory)["push_polled"] == ""
