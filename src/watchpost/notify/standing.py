"""Still: how a receiver stands after an attempt. Pauses, the breaker, and when it is left alone until a person acts.

The rules are those of the Standard Webhooks specification ("Operational considerations") and of what senders
do in practice: a wish to wait holds the whole receiver; five failures in a row open the breaker; a receiver that
is gone, or that failed for days without one success, is disabled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from watchpost.model import Delivered, Outcome, Refused, TryLater, Unknown
from watchpost.wire.status import ReceiverState

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
class Verdict:
    """How the receiver stands now, and what changed by it ("" if nothing that anybody would ask about).

    `held`: the other side asked that nothing be sent for a while.
    """

    state: ReceiverState
    news: News = ""
    held: bool = False


def weigh(state: ReceiverState, outcome: Outcome, now: datetime, disable_after: timedelta = DISABLE_AFTER) -> Verdict:
    """What an attempt's outcome makes of `state`. `now` is the store's time."""
    match outcome:
        case Delivered():
            return Verdict(ReceiverState(version=state.version), "recovered" if state.trips or state.disabled else "")
        case Refused("gone", detail):
            return _disabled(state, now, detail)
        case Refused():
            return Verdict(state)  # the message's own fault: it says nothing about the receiver
        case TryLater(reason, detail, after):
            wish = min(after, LONGEST_PAUSE) if after is not None and reason in _THE_RECEIVER_ASKS else None
            return _failed(state, now, f"{reason}: {detail}", wish, disable_after)
        case Unknown(reason, detail, _):
            return _failed(state, now, f"{reason}: {detail}", None, disable_after)


def _failed(state: ReceiverState, now: datetime, why: str, wish: timedelta | None, disable_after: timedelta) -> Verdict:
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
    return Verdict(replace(after, till=till), news, held=wish is not None)


def _disabled(state: ReceiverState, now: datetime, why: str) -> Verdict:
    return Verdict(replace(state, disabled=now, till=None, why=why), "disabled")
