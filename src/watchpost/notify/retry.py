"""Still: what next, after an attempt. One policy for all receivers; they only say what happened."""

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
"""Waits between attempts, some 3.5 days together (after the example of the Standard Webhooks specification)."""

JITTER = 0.2
LONGEST_WISH = timedelta(hours=1)  # a Retry-After beyond that is a mistake or a joke


@dataclass(frozen=True, slots=True)
class Finish:
    """It arrived: acknowledge, and keep what is to be remembered of its thread."""

    remember: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """Try again after `delay`. `state` is for people: "retrying", or "unknown" if it may have arrived."""

    delay: timedelta
    state: str
    error: str


@dataclass(frozen=True, slots=True)
class Keep:
    """The receiver as a whole is held: the message stays in its place and goes first afterwards.

    `burns`: the attempt counts, because the message was really tried.
    """

    error: str
    burns: bool


@dataclass(frozen=True, slots=True)
class Bury:
    """It will not go through: to the dead letters."""

    reason: str
    detail: str


Step = Finish | Again | Keep | Bury


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
    """What follows attempt number `attempt` (from 1) of `delivery`. Jitter comes from the delivery's id.

    `held`: the receiver asked to be left alone for a while; `disabled`: until a person acts. Then no message is
    given up or moved behind younger ones because of it.

    An unknown outcome is repeated when a repeat does no harm; else it is repeated once, because a lost alert
    is worse than a double one, and then left.
    """
    match outcome:
        case Delivered(_, remember):
            return Finish(remember)
        case Refused("gone", detail) if disabled:
            return Keep(f"gone: {detail}", burns=False)
        case Refused(reason, detail):
            return Bury(reason, detail)
        case TryLater(reason, detail) if disabled:
            return Keep(f"{reason}: {detail}", burns=False)
        case TryLater(reason, detail, after):
            if attempt > len(schedule):
                return Bury(reason, f"{detail} (after {attempt} attempts)")
            delay = _jittered(schedule[attempt - 1], delivery, attempt, jitter)
            if held and after is not None and after >= delay:
                return Keep(f"{reason}: {detail}", burns=True)
            if after is not None:
                delay = max(delay, min(after, LONGEST_WISH))
            return Again(delay, "retrying", f"{reason}: {detail}")
        case Unknown(reason, detail, repeatable):
            if attempt > (len(schedule) if repeatable else 1):
                return Bury(reason, f"{detail} (it may have arrived; {attempt} attempts)")
            delay = _jittered(schedule[min(attempt, len(schedule)) - 1], delivery, attempt, jitter)
            return Again(delay, "unknown", f"{reason}: {detail}")
        case _ as never:
            assert_never(never)


def _jittered(delay: timedelta, delivery: str, attempt: int, jitter: float) -> timedelta:
    """The delay ± `jitter` of itself: always the same for the same attempt, different for different deliveries."""
    fraction = int(derive_id("jitter", delivery, str(attempt))[:8], 16) / 0xFFFFFFFF
    return delay * (1 + jitter * (2 * fraction - 1))
