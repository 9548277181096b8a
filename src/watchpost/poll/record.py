"""Still: what a visit changes in what is kept of a source and shown to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from watchpost.poll.due import is_dead, next_visit
from watchpost.poll.visit import Visit

_ABANDONED_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is written of a visit. `status` "" takes a field away; `turn` is what happened that has to be said once.

    `delay` is the time from now to the next visit.
    """

    status: Mapping[str, str]
    delay: timedelta
    turn: Literal["", "gone", "dead", "recovered"]


def entry(name: str, every: timedelta, visit: Visit, before: Mapping[str, str], now: datetime) -> Entry:
    """The record of a visit to the source `name`, configured to be read `every` so often; `before` was its status."""
    failed = visit.outcome == "failed"
    failures = _count(before) + 1 if failed else 0
    since = (moment(before.get("failing_since", "")) or now) if failed else None
    dead = is_dead(visit.reason, since, now)
    at, why = next_visit(every, name, now, failures=failures, pace=visit.pace, dead=dead)
    state = ("gone" if visit.reason == "gone" else "dead" if dead else "") if failed else ""
    turn: Literal["", "gone", "dead", "recovered"] = ""
    if state != before.get("state", "") and state in ("gone", "dead"):
        turn = "gone" if state == "gone" else "dead"
    elif not failed and _count(before):
        turn = "recovered"
    status = {
        "outcome": visit.outcome,
        "failures": str(failures) if failures else "",
        "failing_since": stamp(since) if since is not None else "",
        "state": state,
        "reason": visit.reason,
        "detail": visit.detail,
        "last_visit": stamp(now),
        "next_visit": f"{at:%Y-%m-%d %H:%M:%S} UTC, {why}",
    }
    return Entry(status if failed else status | {"last_read": stamp(now)}, at - now, turn)


def same_as_before(visit: Visit, before: Mapping[str, str]) -> bool:
    """Nothing read and nothing newly failed: there is nothing to write."""
    if visit.outcome == "failed":
        return before.get("detail") == visit.detail
    return visit.outcome == "unchanged" and not visit.failures and not before.get("failures")


def merged(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Memory or status as the store has it after a COMMIT: "" took a key away."""
    return {key: value for key, value in {**old, **new}.items() if value}


def abandoned(status: Mapping[str, str], now: datetime) -> bool:
    """Nobody has visited it for a month, though it was due again and again: nobody has it configured."""
    last = moment(status.get("last_visit", ""))
    return last is not None and now - last > _ABANDONED_AFTER


def stamp(at: datetime) -> str:
    """A time as it stands in a status."""
    return at.isoformat(timespec="seconds")


def moment(text: str) -> datetime | None:
    """The time of a stamp, None if it is none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _count(status: Mapping[str, str]) -> int:
    text = status.get("failures", "")
    return int(text) if text.isascii() and text.isdigit() else 0
