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

LONGEST_PAUSE = timedelta(minutes=30)
"""A receiver that accepts nothing is tried at least this often, so that its return is noticed."""

MOVE_ASIDE_AFTER = timedelta(hours=1)
MOVE_ASIDE_ATTEMPTS = 6
"""A message that fails for so long may be the only one that does: the next one is tried then."""

_PERHAPS_THE_MESSAGE = frozenset({"server_error", "client_error", "unknown"})

RECEIVER_ASKS = frozenset({"rate_limited", "server_error", "timeout"})
"""For these reasons a wait is the receiver's own wish; the other waits are ours."""

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
    """The receiver accepts nothing for now: the message stays in its place and goes first afterwards.

    `counts`: it is one of the attempts after which a message fails. Between two waits of the schedule only one counts,
    so that an operator who tries again costs nothing. `delay` is the time until the next attempt, None if it is open.
    `state` is for people, as in Retry.
    """

    error: str
    counts: bool
    delay: timedelta | None = None
    state: str = "held"


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
    age: timedelta = timedelta(0),
    disabled: bool = False,
) -> Step:
    """The step after attempt number `attempt` (from 1) of the delivery with this id, `age` after it was made.

    What one receiver is sent arrives in order: while it accepts nothing, the oldest message stays first. `disabled`:
    nothing is sent until an operator acts. Neither makes a message fail.

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
        case TryLater(reason, detail, after, alone):
            if attempt > len(schedule):
                return Fail(reason, f"{detail} (after {attempt} attempts)")
            counts = age >= sum(schedule[: attempt - 1], timedelta(0)) * (1 - jitter)
            delay = _delay(attempt if counts or alone else attempt - 1, after, delivery, schedule, jitter)
            if alone or _moves_aside(reason, attempt, age):
                return Retry(delay, "retrying", f"{reason}: {detail}")
            if after is None or reason not in RECEIVER_ASKS:
                delay = min(delay, LONGEST_PAUSE)
            return Hold(f"{reason}: {detail}", counts, delay, "retrying")
        case Unknown(reason, detail, repeatable):
            if attempt > (len(schedule) if repeatable else 1):
                return Fail(reason, f"{detail} (it may have arrived; {attempt} attempts)")
            delay = _jittered(schedule[min(attempt, len(schedule)) - 1], delivery, attempt, jitter)
            return Hold(f"{reason}: {detail}", True, min(delay, LONGEST_PAUSE), "unknown")
        case _ as never:
            assert_never(never)


def _delay(
    place: int, after: timedelta | None, delivery: str, schedule: Sequence[timedelta], jitter: float
) -> timedelta:
    """How long to wait: what the schedule has at this place (from 1), or longer if the receiver asks for that.

    An attempt that somebody asked for before its time has the place of the one before it: no wait gets longer by that.
    """
    delay = _jittered(schedule[place - 1], delivery, place, jitter)
    return delay if after is None else max(delay, min(after, LONGEST_RETRY_AFTER))


def _moves_aside(reason: str, attempt: int, age: timedelta) -> bool:
    return reason in _PERHAPS_THE_MESSAGE and attempt > MOVE_ASIDE_ATTEMPTS and age >= MOVE_ASIDE_AFTER


def _jittered(delay: timedelta, delivery: str, attempt: int, jitter: float) -> timedelta:
    """The delay ± `jitter` of itself: the same for each attempt of a delivery, different between deliveries."""
    fraction = int(derive_id("jitter", delivery, str(attempt))[:8], 16) / 0xFFFFFFFF
    return delay * (1 + jitter * (2 * fraction - 1))
