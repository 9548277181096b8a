"""A receiver's state: pauses, the circuit breaker, and when it is disabled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from watchpost.model import Delivered, Outcome, Refused, TryLater, Unknown
from watchpost.notify.circuit_breaker import BREAKER_AFTER, DISABLE_AFTER, after_attempt
from watchpost.notify.retry import LONGEST_RETRY_AFTER, SCHEDULE, Done, Retry, Step, next_step
from watchpost.store.receivers import ReceiverState

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DOWN = TryLater("server_error", "HTTP 503")
WELL = ReceiverState()
ASIDE = Retry(timedelta(seconds=5), "retrying", "HTTP 503")


def step(outcome: Outcome) -> Step:
    """The step after the first attempt; a message that fails alone is moved aside."""
    return next_step(outcome, 1, "d", jitter=0)


def after(*outcomes: Outcome, every: timedelta = timedelta(seconds=1), state: ReceiverState = WELL) -> ReceiverState:
    now = NOW
    for outcome in outcomes:
        state, now = after_attempt(state, outcome, ASIDE, now).state, now + every
    return state


@pytest.mark.parametrize(
    ("wish", "pause"),
    [(timedelta(seconds=7), timedelta(seconds=7)), (timedelta(days=365), LONGEST_RETRY_AFTER)],
)
def test_a_wish_to_wait_pauses_the_whole_receiver_but_not_for_ever(wish: timedelta, pause: timedelta) -> None:
    outcome = TryLater("rate_limited", "HTTP 429", wish)
    verdict = after_attempt(WELL, outcome, step(outcome), NOW)
    assert verdict.event == "paused"
    assert verdict.state.till == NOW + pause
    assert verdict.state.status(NOW) == "paused"
    assert verdict.state.status(NOW + pause) == "failing"


def test_the_first_failure_holds_all_messages_until_the_next_attempt() -> None:
    verdict = after_attempt(WELL, DOWN, step(DOWN), NOW)
    assert (verdict.event, verdict.state.till) == ("", NOW + SCHEDULE[0])


def test_a_message_that_fails_alone_pauses_nobody() -> None:
    assert after_attempt(WELL, DOWN, ASIDE, NOW).state.till is None


def test_the_breaker_opens_at_the_fifth_failure_and_longer_each_time() -> None:
    state = after(*[DOWN] * (BREAKER_AFTER - 1))
    assert state.till is None
    verdict = after_attempt(state, Unknown("timeout", "no answer", repeatable=True), ASIDE, NOW)
    assert verdict.event == "opened"
    waits = []
    state = verdict.state
    for _ in range(9):
        assert state.till is not None
        waits.append((state.till - NOW).total_seconds())
        assert state.status(NOW) == "open"
        assert state.status(state.till) == "trial"
        verdict = after_attempt(state, DOWN, ASIDE, NOW)
        assert verdict.event == "", "reported once, not at each trial"
        state = verdict.state
    assert waits == [30, 60, 120, 240, 480, 960, 1800, 1800, 1800]


def test_one_success_and_all_is_well() -> None:
    verdict = after_attempt(after(*[DOWN] * 7), Delivered(), Done(), NOW)
    assert verdict.state.healthy
    assert verdict.state == WELL
    assert verdict.event == "recovered"


def test_a_message_that_is_refused_says_nothing_about_its_receiver() -> None:
    state = after(DOWN, DOWN)
    assert after_attempt(state, Refused("client_error", "HTTP 400"), ASIDE, NOW).state == state


def test_a_receiver_that_is_gone_is_disabled_at_once() -> None:
    verdict = after_attempt(WELL, Refused("gone", "HTTP 410"), ASIDE, NOW)
    assert verdict.event == "disabled"
    assert verdict.state.disabled == NOW
    assert verdict.state.status(NOW) == "disabled"
    assert "410" in verdict.state.why


def test_five_days_of_only_failures_disable() -> None:
    hours = timedelta(hours=6)
    count = int(DISABLE_AFTER / hours)
    state = after(*[DOWN] * count, every=hours)
    assert state.disabled is None
    verdict = after_attempt(state, DOWN, ASIDE, NOW + DISABLE_AFTER)
    assert verdict.event == "disabled"
    assert "only failures for 5 days" in verdict.state.why


def test_five_days_after_a_lone_failure_the_days_begin_anew() -> None:
    state = after(DOWN, DOWN)
    verdict = after_attempt(state, DOWN, ASIDE, NOW + DISABLE_AFTER)
    assert verdict.state.disabled is None
    assert verdict.state.failing == NOW + DISABLE_AFTER


def test_a_login_that_is_refused_opens_the_breaker_at_once_and_is_reported_once() -> None:
    refused = TryLater("auth", "535 no", timedelta(hours=1))
    verdict = after_attempt(WELL, refused, step(refused), NOW)
    assert (verdict.event, verdict.state.trips) == ("opened", 1)
    assert verdict.state.status(NOW) == "open"
    again = after_attempt(verdict.state, refused, step(refused), NOW + timedelta(minutes=30))
    assert again.event == ""


def test_any_number_of_messages_that_wait_alone_pause_nobody() -> None:
    greylisted = TryLater("server_error", "451 4.7.1 greylisted", alone=True)
    assert after(*[greylisted] * 50) == WELL
    failing = after(*[DOWN] * 7)
    assert after(*[greylisted] * 50, state=failing) == failing
