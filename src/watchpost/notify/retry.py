"""Pure: what happens to a delivery after an attempt. One policy for all receivers; they only report the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from watchpost.model import Delivered, Outcome, Refused, TryLater, Unknown, derive_id

SCHEDULE = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 18000, 36000, 36000, 50400, 72000, 86400)
)
"""Waits between attempts, 3.5 days in all, like the example in the Standard Webhooks specification.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#deliverability-and-reliability
"""

JITTER = 0.2
LONGEST_RETRY_AFTER = timedelta(hours=1)  # a longer Retry-After is a mistake


@dataclass(frozen=True, slots=True)
class Done:
    """It arrived: acknowledge it, and keep `remember` for the next message of its thread."""

    remember: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after `delay`. `state` is for people: "retrying", or "unknown" if the message may have arrived."""

    delay: timedelta
    state: str
    error: str


@dataclass(frozen=True, slots=True)
class Hold:
    """The receiver as a whole is held: the message stays in its place and goes first afterwards.

    `counts`: the attempt counts, because the message was really tried.
    """

    error: str
    counts: bool


@dataclass(frozen=True, slots=True)
class Fail:
    """It failed for good: it becomes a dead letter."""

    reason: str
    detail: str


Step = Done | Retry | Hold | Fail


def next_step(
    outcome: Outcome,
    attempt: int,
    delivery: str,
    schedule: Sequence[timedelta] = SCHEDULE,
    jitter: float = JITTER,
    *,
    held: bool = False,
    disabled: bool = False,
) -> Step:
    """The step after attempt number `attempt` (from 1) of the delivery with this id.

    `held`: the receiver asked for a pause; `disabled`: nothing is sent until an operator acts. Neither makes a message
    fail, nor puts it behind younger ones.

    An unknown outcome is repeated as often as the schedule says if a repeat does no harm, else once: a lost alert is
    worse than a double one.
    """
    match outcome:
        case Delivered(_, remember):
            return Done(remember)
        case Refused("gone", detail) if disabled:
            return Hold(f"gone: {detail}", counts=False)
        case Refused(reason, detail):
            return Fail(reason, detail)
        case TryLater(reason, detail) if disabled:
            return Hold(f"{reason}: {detail}", counts=False)
        case TryLater(reason, detail, after):
            if attempt > len(schedule):
                return Fail(reason, f"{detail} (after {attempt} attempts)")
            delay = _jittered(schedule[attempt - 1], delivery, attempt, jitter)
            if held and after is not None and after >= delay:
                return Hold(f"{reason}: {detail}", counts=True)
            if after is not None:
                delay = max(delay, min(after, LONGEST_RETRY_AFTER))
            return Retry(delay, "retrying", f"{reason}: {detail}")
        case Unknown(reason, detail, repeatable):
            if attempt > (len(schedule) if repeatable else 1):
                return Fail(reason, f"{detail} (it may have arrived; {attempt} attempts)")
            delay = _jittered(schedule[min(attempt, len(schedule)) - 1], delivery, attempt, jitter)
            return Retry(delay, "unknown", f"{reason}: {detail}")
        case _ as never:
            assert_never(never)


def _jittered(delay: timedelta, delivery: str, attempt: int, jitter: float) -> timedelta:
    """The delay ± `jitter` of itself: the same for each attempt of a delivery, different between deliveries."""
    fraction = int(derive_id("jitter", delivery, str(attempt))[:8], 16) / 0xFFFFFFFF
    return delay * (1 + jitter * (2 * fraction - 1))
