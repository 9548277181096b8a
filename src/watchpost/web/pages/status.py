"""The page Status: the state of the service, the queues, problems, and what is sent next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from watchpost.operations.problem import Problem, notes
from watchpost.operations.service_state import DEAD_WORDS, QUEUE_WORDS, RETRY_WORDS, Seen
from watchpost.web.pages.digests import Upcoming

SHOWN = 20
_ALWAYS_SHOWN = ("articles", "parked")  # most have no hubs, and the archive seldom waits


def page_of_status(
    document: Mapping[str, Any],
    seen: Seen,
    *,
    upcoming: tuple[Upcoming, ...],
    day: Mapping[str, int],
    due: Mapping[str, datetime],
    now: datetime,
    problems: Sequence[Problem],
) -> dict[str, Any]:
    """What the template shows. `document` is that of /status.json, `day` today's counts from the ledger.

    `due` says when each failing feed is read next.
    """
    failing, depths, ages = [status for status in seen.sources if status.failures], seen.depths, seen.ages or {}
    stages: list[dict[str, Any]] = []
    if depths is not None:
        waiting = sum(depths.outbox.values())
        oldest = max((age for name, age in ages.items() if name.startswith("outbox:")), default=0.0)
        counts = depths.by_queue()
        named = {queue: _stage(words, counts[queue], ages.get(queue, 0.0)) for queue, words in QUEUE_WORDS.items()}
        stages = [
            *(stage for queue, stage in named.items() if stage["count"] or queue in _ALWAYS_SHOWN),
            _stage("messages to send", waiting, oldest),
            _stage(RETRY_WORDS, depths.retry, ages.get("retry", 0.0), bad=True),
            _stage(DEAD_WORDS, depths.dead, 0.0, bad=True),
        ]
    return {
        "active": "status",
        "document": document,
        "stages": stages,
        "today": [
            ("new articles", day.get("new", 0)),
            ("already known", day.get("known", 0)),
            ("hits", day.get("hits", 0)),
            ("messages sent", day.get("sent", 0)),
        ],
        "problems": problems,
        "notes": notes(seen),
        "accounted": depths is not None and not seen.gaps,
        "failing": [(status, status.state, due.get(status.name), status.next_why) for status in failing[:SHOWN]],
        "failing_count": len(failing),
        "total": len(seen.sources),
        "receivers": [(name, state, state.status(now)) for name, state in (seen.receivers or {}).items()],
        "upcoming": upcoming,
    }


def _stage(name: str, count: int, seconds: float, *, bad: bool = False) -> dict[str, Any]:
    return {"name": name, "count": count, "age": timedelta(seconds=int(seconds)), "bad": bad and count > 0}
