"""What next, for every outcome."""

from __future__ import annotations

from datetime import timedelta

import pytest

from watchpost.model import Delivered, Outcome, Refused, TryLater, Unknown
from watchpost.notify.retry import (
    JITTER,
    LONGEST_PAUSE,
    LONGEST_RETRY_AFTER,
    SCHEDULE,
    Done,
    Fail,
    Hold,
    Retry,
    next_step,
)

LATER = TryLater("server_error", "HTTP 503", alone=True)
DOWN = TryLater("unreachable", "connection refused")


def test_what_arrived_is_done_and_what_is_refused_fails() -> None:
    assert next_step(Delivered(), 1, "d") == Done()
    assert next_step(Refused("client_error", "HTTP 400"), 1, "d") == Fail("client_error", "HTTP 400")


@pytest.mark.parametrize("attempt", range(1, len(SCHEDULE) + 1))
def test_each_wait_follows_the_schedule_within_its_jitter(attempt: int) -> None:
    planned = SCHEDULE[attempt - 1]
    step = next_step(LATER, attempt, "d")
    assert isinstance(step, Retry)
    assert planned * (1 - JITTER) <= step.delay <= planned * (1 + JITTER)
    assert step == next_step(LATER, attempt, "d"), "a decision is the same whoever makes it"


def test_deliveries_do_not_come_back_in_step() -> None:
    delays = {step.delay for n in range(50) if isinstance(step := next_step(LATER, 1, f"d{n}"), Retry)}
    assert len(delays) > 40


def test_after_the_last_wait_it_fails_with_its_last_error() -> None:
    step = next_step(LATER, len(SCHEDULE) + 1, "d")
    assert isinstance(step, Fail)
    assert "HTTP 503" in step.detail
    assert sum(SCHEDULE, timedelta()) > timedelta(days=3)


@pytest.mark.parametrize("attempt", range(1, len(SCHEDULE) + 1))
def test_while_a_receiver_accepts_nothing_its_oldest_message_stays_first(attempt: int) -> None:
    step = next_step(DOWN, attempt, "d", age=timedelta(days=4))
    assert isinstance(step, Hold)
    assert step.counts
    assert step.delay is not None
    assert step.delay <= LONGEST_PAUSE, "its return is noticed"
    assert isinstance(next_step(DOWN, len(SCHEDULE) + 1, "d", age=timedelta(days=4)), Fail)


def test_an_operator_who_tries_again_costs_no_attempt() -> None:
    step = next_step(DOWN, 4, "d", age=timedelta(seconds=40))
    assert isinstance(step, Hold)
    assert not step.counts
    due = next_step(DOWN, 4, "d", age=sum(SCHEDULE[:3], timedelta()))
    assert isinstance(due, Hold)
    assert due.counts


@pytest.mark.parametrize("attempt", range(2, len(SCHEDULE) + 1))
def test_an_operator_who_tries_again_makes_no_wait_longer(attempt: int) -> None:
    """The receiver is back a moment later, and everything for it would wait as long as after a regular attempt."""
    early = next_step(DOWN, attempt, "d", age=sum(SCHEDULE[: attempt - 1], timedelta()) / 2)
    before = next_step(DOWN, attempt - 1, "d", age=timedelta(days=4))
    assert isinstance(early, Hold)
    assert isinstance(before, Hold)
    assert early.delay is not None
    assert before.delay is not None
    assert early.delay <= before.delay


def test_a_message_that_alone_may_be_refused_moves_aside_after_an_hour() -> None:
    perhaps = TryLater("server_error", "HTTP 500")
    assert isinstance(next_step(perhaps, 7, "d", age=timedelta(minutes=59)), Hold)
    assert isinstance(next_step(perhaps, 6, "d", age=timedelta(hours=2)), Hold)
    assert isinstance(next_step(perhaps, 7, "d", age=timedelta(hours=2)), Retry)


@pytest.mark.parametrize(
    ("wish", "least", "most"),
    [
        (timedelta(minutes=7), timedelta(minutes=7), timedelta(minutes=7)),
        (timedelta(days=365), LONGEST_RETRY_AFTER, LONGEST_RETRY_AFTER),
        (timedelta(0), timedelta(seconds=4), timedelta(seconds=6)),
    ],
)
def test_a_retry_after_is_obeyed_up_to_an_hour(wish: timedelta, least: timedelta, most: timedelta) -> None:
    step = next_step(TryLater("rate_limited", "HTTP 429", wish), 1, "d")
    assert isinstance(step, Hold)
    assert step.delay is not None
    assert least <= step.delay <= most


@pytest.mark.parametrize(
    ("outcome", "attempt", "kind"),
    [
        (Unknown("timeout", "no answer", repeatable=True), 1, Hold),
        (Unknown("timeout", "no answer", repeatable=True), len(SCHEDULE) + 1, Fail),
        (Unknown("timeout", "no answer", repeatable=False), 1, Hold),
        (Unknown("timeout", "no answer", repeatable=False), 2, Fail),
    ],
)
def test_an_unknown_outcome_is_repeated_as_far_as_it_does_no_harm(outcome: Outcome, attempt: int, kind: type) -> None:
    assert isinstance(next_step(outcome, attempt, "d"), kind)
