"""What `/status.json` says: one look at the store, and the document that follows from it.

The shape is `watchpost/status/1`, described in docs/operations.md: keys may be added to it, none change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchpost.errors import StoreError
from watchpost.vitals import Vitals
from watchpost.web.watched import Watched
from watchpost.wire.board import Board
from watchpost.wire.status import Depths, ReceiverState, SourceStatus, Worker

SHAPE = "watchpost/status/1"
_PART = 500  # sources that are read at once
_SHOWN = 100  # failing sources that are named; all are counted
_ROLES = ("poll", "match", "notify")
_DEADLINE_SECONDS = 5.0  # of a look: who asks waits ten seconds at most, and often less
_PAUSED = {
    "disk": "the disk under its data is nearly full",
    "backlog": "too many articles wait to be matched",
    "store": "the store did not take what it found",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store showed; `problem` is why it showed nothing."""

    problem: str = ""
    sources: tuple[SourceStatus, ...] = ()
    depths: Depths | None = None
    ages: Mapping[str, float] | None = None
    workers: tuple[Worker, ...] = ()
    receivers: Mapping[str, ReceiverState] | None = None


async def look(board: Board, watched: Watched) -> Seen:
    """Read everything that the document tells of. A store that hangs is said to hang, and nobody waits for it."""
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            sources: list[SourceStatus] = []
            for at in range(0, len(watched.sources), _PART):
                sources += await board.sources(watched.sources[at : at + _PART])
            depths, ages = await board.depths(watched.receivers), await board.ages(watched.receivers)
            workers, receivers = await board.workers(), await board.receivers(watched.receivers)
            return Seen("", tuple(sources), depths, ages, workers, receivers)
    except StoreError as error:
        return Seen(str(error))
    except TimeoutError:
        return Seen(f"the store does not answer within {_DEADLINE_SECONDS:.0f} s")


def report(watched: Watched, vitals: Vitals, seen: Seen, now: datetime, version: str) -> dict[str, Any]:
    """The document. `status` is "down", "degraded" or "ok", and `reasons` says in sentences why."""
    document: dict[str, Any] = {
        "type": SHAPE,
        "status": "down",
        "reasons": [],
        "version": version,
        "time": _time(now),
        "started": _time(vitals.started),
        "loop_lag_seconds": round(vitals.lag, 3),
        "configuration": {
            "fingerprint": watched.fingerprint,
            "last_reload": _time(vitals.reload.when),
            "last_reload_ok": vitals.reload.good,
            "problem": vitals.reload.problem,
        },
        "store": {"reachable": not seen.problem, "takes_writes": not seen.problem and not vitals.refused},
    }
    trouble = [one for one in (vitals.trouble(), seen.problem) if one]
    if not seen.problem and seen.depths is not None:
        document |= _facts(seen, seen.depths, now)
    reasons = _reasons(vitals, seen, now)
    document["reasons"] = [*trouble, *reasons]
    document["status"] = "down" if trouble else "degraded" if reasons else "ok"
    return document


def _facts(seen: Seen, depths: Depths, now: datetime) -> dict[str, Any]:
    failing = [status for status in seen.sources if status.failures]
    ages = seen.ages or {}
    return {
        "workers": [
            {"name": one.name, "role": one.role, "version": one.version, "paused": one.paused} for one in seen.workers
        ],
        "sources": {
            "total": len(seen.sources),
            "never_read": sum(status.last_read is None for status in seen.sources),
            "failing": len(failing),
            "failing_named": [
                {
                    "name": status.name,
                    "failures": status.failures,
                    "reason": status.reason,
                    "detail": status.detail,
                    "last_read": _time(status.last_read),
                    "state": status.state or "failing",
                }
                for status in failing[:_SHOWN]
            ],
        },
        "queues": {
            name: {"depth": depth, "oldest_seconds": round(ages.get(name, 0.0), 1)}
            for name, depth in depths.by_queue().items()
        },
        "dead_letters": depths.dead,
        "receivers": {
            name: {"state": state.word(now), "failures": state.failures, "why": state.why, "until": _time(state.till)}
            for name, state in (seen.receivers or {}).items()
        },
    }


def _reasons(vitals: Vitals, seen: Seen, now: datetime) -> list[str]:
    reasons = []
    if not vitals.reload.good:
        reasons.append("the configuration on disk has mistakes and is not used")
    if seen.problem or seen.depths is None:
        return reasons
    if vitals.refused:
        reasons.append(vitals.refused)  # then nobody can say that he works
    there = {role for worker in seen.workers for role in (_ROLES if worker.role == "all" else (worker.role,))}
    reasons += [f"nobody runs {role}" for role in _ROLES if role not in there and not vitals.refused]
    reasons += [
        f"{worker.name} reads nothing for now: {_PAUSED.get(worker.paused, worker.paused)}"
        for worker in seen.workers
        if worker.paused
    ]
    failing = sum(bool(status.failures) for status in seen.sources)
    if failing:
        reasons.append(f"{failing} of {len(seen.sources)} sources cannot be read")
    states = {name: state.word(now) for name, state in (seen.receivers or {}).items()}
    words = {
        "open": "is left alone for a while: its breaker is open",
        "trial": "has taken nothing since its breaker opened; the next message tries it",
    }
    reasons += [f"{name} {words.get(word, f'is {word}')}" for name, word in states.items() if word != "ok"]
    if seen.depths.dead:
        reasons.append("1 dead letter" if seen.depths.dead == 1 else f"{seen.depths.dead} dead letters")
    return reasons


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
