"""Pure: a receiver's state after an attempt: pauses, the circuit breaker, and when the receiver is disabled.

A wish to wait pauses the whole receiver. Five failures in a row open the breaker; so does the first one that only
people can cure, such as a login that is refused. A receiver that is gone, or that only
fails for days, is disabled until an operator enables it, as the Standard Webhooks specification recommends:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#operational-considerations
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from watchpost.durations import in_words
from watchpost.model import Delivered, Outcome, Refused, TryLater, Unknown
from watchpost.notify.retry import RECEIVER_ASKS, Hold, Step
from watchpost.store.receivers import ReceiverState

BREAKER_AFTER = 5  # failures in a row
BREAKER_FIRST = timedelta(seconds=30)
BREAKER_LONGEST = timedelta(minutes=30)
DISABLE_AFTER = timedelta(days=5)
FIRST_DAY = timedelta(hours=24)
EARLY_FAILURES = 3  # fewer within the first day are a hiccup, not the beginning of an outage

Event = Literal["", "paused", "opened", "disabled", "recovered"]


@dataclass(frozen=True, slots=True)
class BreakerVerdict:
    """A receiver's new state, and what happened to it ("" for nothing to report)."""

    state: ReceiverState
    event: Event = ""


def after_attempt(
    state: ReceiverState, outcome: Outcome, step: Step, now: datetime, disable_after: timedelta = DISABLE_AFTER
) -> BreakerVerdict:
    """The verdict on a receiver in `state` after an attempt with this outcome, which leads to `step`.

    A message that is held pauses the receiver until its next attempt. `now` is the store's time.
    """
    match outcome:
        case Delivered():
            event: Event = "recovered" if state.trips or state.disabled else ""
            return BreakerVerdict(ReceiverState(version=state.version), event)
        case Refused("gone", detail):
            return _disabled(state, now, detail)
        case Refused():
            return BreakerVerdict(state)  # the fault is the message's, and says nothing about the receiver
        case TryLater(alone=True):
            return BreakerVerdict(state)  # as above: a full mailbox or greylisting delays one recipient
        case TryLater(reason, detail) | Unknown(reason, detail):
            asked = isinstance(outcome, TryLater) and outcome.after is not None and reason in RECEIVER_ASKS
            pause = step.delay if isinstance(step, Hold) else None
            event = "paused" if asked else "opened" if reason == "auth" else ""
            return _failed(state, now, f"{reason}: {detail}", pause, disable_after, event)


def _failed(
    state: ReceiverState,
    now: datetime,
    why: str,
    pause: timedelta | None,
    disable_after: timedelta,
    event: Event = "",
) -> BreakerVerdict:
    """`event` is "opened" if the first failure opens the breaker, because only people can cure it."""
    failing, early = state.failing or now, state.early
    if now - failing >= FIRST_DAY and early < EARLY_FAILURES:
        failing, early = now, 0
    early += now - failing < FIRST_DAY
    after = replace(state, failures=state.failures + 1, failing=failing, early=early, why=why)
    if now - failing >= disable_after:
        return _disabled(after, now, f"only failures for {in_words(now - failing)}; the last: {why}")
    till = None if pause is None else now + pause
    if after.failures >= BREAKER_AFTER or event == "opened":
        if till is None:
            till = now + min(BREAKER_FIRST * 2 ** min(after.trips, 10), BREAKER_LONGEST)
        after = replace(after, trips=after.trips + 1)
        event = event if event == "paused" else "" if state.trips else "opened"
    return BreakerVerdict(replace(after, till=till), event)


def _disabled(state: ReceiverState, now: datetime, why: str) -> BreakerVerdict:
    return BreakerVerdict(replace(state, disabled=now, till=None, why=why), "disabled")
