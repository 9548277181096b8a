"""What is to be sent again, out of what a person wrote on a page: the same choice that `delivery replay` makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchpost.app.spans import span_of
from watchpost.errors import FormError, WatchpostError
from watchpost.plan.complaints import suggest
from watchpost.plan.plan import Plan
from watchpost.web.pages.replay import FAILED, WAITING, Backlog
from watchpost.wire.desk import failed_since
from watchpost.wire.records import Case, Letter


@dataclass(frozen=True, slots=True)
class Replay:
    """What was written: a receiver ("" for all), how far back ("6h", "" for ever), `what`: FAILED, or WAITING too."""

    receiver: str = ""
    since: str = ""
    what: str = FAILED


def backlog_of(wish: Replay, plan: Plan, letters: Sequence[Letter], cases: Sequence[Case], now: datetime) -> Backlog:
    """What it means, of these dead letters and deliveries. Raises FormError."""
    wrong: dict[str, str] = {}
    span: timedelta | None = None
    names = [part.name for part in plan.receivers]
    if wish.receiver and wish.receiver not in names:
        wrong["receiver"] = f"no receiver '{wish.receiver}'{suggest(wish.receiver, names)}"
    try:
        span = span_of(wish.since)
    except WatchpostError as error:
        wrong["since"] = str(error)
    if wish.what not in (FAILED, WAITING):
        wrong["what"] = f"either {FAILED} or {WAITING}"
    if wrong:
        raise FormError(wrong)
    after = None if span is None else now - span
    return Backlog(
        tuple(one for one in failed_since(letters, after) if wish.receiver in ("", one.receiver)),
        tuple(one for one in cases if wish.what == WAITING and _waits(one, wish.receiver, after)),
    )


def _waits(case: Case, receiver: str, after: datetime | None) -> bool:
    if case.due is None or case.state == "dead" or receiver not in ("", case.receiver):
        return False
    return after is None or (case.created is not None and case.created >= after)
