"""Pure: what next, after an attempt. One policy for all receivers; they only say what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, assert_never

from watchpost.model import Delivered, Outcome, Refused, TryLater, Unknown, derive_id
from watchpost.store.receivers import ReceiverState

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
class DeadLetterIt:
    """It will not go through: to the dead letters."""

    reason: str
    detail: str


Step = Finish | Again | Keep | DeadLetterIt


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
            return DeadLetterIt(reason, detail)
        case TryLater(reason, detail) if disabled:
            return Keep(f"{reason}: {detail}", burns=False)
        case TryLater(reason, detail, after):
            if attempt > len(schedule):
                return DeadLetterIt(reason, f"{detail} (after {attempt} attempts)")
            delay = _jittered(schedule[attempt - 1], delivery, attempt, jitter)
            if held and after is not None and after >= delay:
                return Keep(f"{reason}: {detail}", burns=True)
            if after is not None:
                delay = max(delay, min(after, LONGEST_WISH))
            return Again(delay, "retrying", f"{reason}: {detail}")
        case Unknown(reason, detail, repeatable):
            if attempt > (len(schedule) if repeatable else 1):
                return DeadLetterIt(reason, f"{detail} (it may have arrived; {attempt} attempts)")
            delay = _jittered(schedule[min(attempt, len(schedule)) - 1], delivery, attempt, jitter)
            return Again(delay, "unknown", f"{reason}: {detail}")
        case _ as never:
            assert_never(never)


def _jittered(delay: timedelta, delivery: str, attempt: int, jitter: float) -> timedelta:
    """The delay ± `jitter` of itself: always the same for the same attempt, different for different deliveries."""
    fraction = int(derive_id("jitter", delivery, str(attempt))[:8], 16) / 0xFFFFFFFF
    return delay * (1 + jitter * (2 * fraction - 1))


# how a receiver stands after an attempt. Pauses, the breaker, and when it is left alone until a person acts.
#
# The rules are those of the Standard Webhooks specification ("Operational considerations") and of what senders
# do in practice: a wish to wait holds the whole receiver; five failures in a row open the breaker; a receiver that
# is gone, or that failed for days without one success, is disabled.


BREAKER_AFTER = 5  # failures in a row
BREAKER_FIRST = timedelta(seconds=30)
BREAKER_LONGEST = timedelta(minutes=30)
LONGEST_PAUSE = timedelta(hours=1)  # a Retry-After beyond that is a mistake or a joke
DISABLE_AFTER = timedelta(days=5)
FIRST_DAY = timedelta(hours=24)
EARLY_FAILURES = 3  # so many within the first day, or the days are not counted: a lone hiccup is no outage

_THE_RECEIVER_ASKS = frozenset({"rate_limited", "server_error", "timeout"})  # other waits are ours: a wrong setting

News = Literal["", "paused", "opened", "disabled", "recovered"]


@dataclass(frozen=True, slots=True)
class BreakerVerdict:
    """How the receiver stands now, and what changed by it ("" if nothing that anybody would ask about).

    `held`: the other side asked that nothing be sent for a while.
    """

    state: ReceiverState
    news: News = ""
    held: bool = False


def weigh(
    state: ReceiverState, outcome: Outcome, now: datetime, disable_after: timedelta = DISABLE_AFTER
) -> BreakerVerdict:
    """What an attempt's outcome makes of `state`. `now` is the store's time."""
    match outcome:
        case Delivered():
            return BreakerVerdict(
                ReceiverState(version=state.version), "recovered" if state.trips or state.disabled else ""
            )
        case Refused("gone", detail):
            return _disabled(state, now, detail)
        case Refused():
            return BreakerVerdict(state)  # the message's own fault: it says nothing about the receiver
        case TryLater(reason, detail, after):
            wish = min(after, LONGEST_PAUSE) if after is not None and reason in _THE_RECEIVER_ASKS else None
            return _failed(state, now, f"{reason}: {detail}", wish, disable_after)
        case Unknown(reason, detail, _):
            return _failed(state, now, f"{reason}: {detail}", None, disable_after)


def _failed(
    state: ReceiverState, now: datetime, why: str, wish: timedelta | None, disable_after: timedelta
) -> BreakerVerdict:
    failing, early = state.failing or now, state.early
    if now - failing >= FIRST_DAY and early < EARLY_FAILURES:
        failing, early = now, 0
    early += now - failing < FIRST_DAY
    after = replace(state, failures=state.failures + 1, failing=failing, early=early, why=why)
    if now - failing >= disable_after:
        return _disabled(after, now, f"only failures since {failing:%Y-%m-%d %H:%M} UTC; the last: {why}")
    till: datetime | None = None
    news: News = ""
    if after.failures >= BREAKER_AFTER:
        till = now + min(BREAKER_FIRST * 2 ** min(after.trips, 10), BREAKER_LONGEST)
        after = replace(after, trips=after.trips + 1)
        news = "" if state.trips else "opened"
    if wish is not None and (till is None or now + wish > till):
        till, news = now + wish, news or "paused"
    return BreakerVerdict(replace(after, till=till), news, held=wish is not None)


def _disabled(state: ReceiverState, now: datetime, why: str) -> BreakerVerdict:
    return BreakerVerdict(replace(state, disabled=now, till=None, why=why), "disabled")
