"""The page Status: the state of the service, the queues, problems, and what is sent next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from watchpost.store.ledger import Gap
from watchpost.web.health import Seen
from watchpost.web.pages.digests import Upcoming

SHOWN = 20


def page_of_status(
    document: Mapping[str, Any],
    seen: Seen,
    *,
    upcoming: tuple[Upcoming, ...],
    day: Mapping[str, int],
    due: Mapping[str, datetime],
    now: datetime,
    gaps: Sequence[Gap] | None = None,
) -> dict[str, Any]:
    """What the template shows. `document` is that of /status.json, `day` today's counts from the ledger.

    `due` says when each failing feed is read next. `gaps` are the ledger's, None while they are unknown.
    """
    failing, depths, ages = [status for status in seen.sources if status.failures], seen.depths, seen.ages or {}
    stages: list[dict[str, Any]] = []
    if depths is not None:
        waiting = sum(depths.outbox.values())
        oldest = max((age for name, age in ages.items() if name.startswith("outbox:")), default=0.0)
        pushed = {"name": "pushes to read", "count": depths.pushed, "age": ages.get("pushed", 0.0), "bad": False}
        stages = [
            *([pushed] if depths.pushed else ()),  # most have no hubs
            _stage("articles to match", depths.articles, ages.get("articles", 0.0)),
            _stage("hits waiting for a digest", depths.parked, ages.get("parked", 0.0)),
            _stage("messages to send", waiting, oldest),
            _stage("messages to retry", depths.retry, ages.get("retry", 0.0), bad=True),
            _stage("failed for good", depths.dead, 0.0, bad=True),
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
        "gaps": None if gaps is None else [(str(gap), gap.missing, gap.command) for gap in gaps],
        "failing": [(status, status.state, due.get(status.name), status.next_why) for status in failing[:SHOWN]],
        "failing_count": len(failing),
        "total": len(seen.sources),
        "receivers": [(name, state, state.status(now)) for name, state in (seen.receivers or {}).items()],
        "upcoming": upcoming,
    }


def _stage(name: str, count: int, seconds: float, *, bad: bool = False) -> dict[str, Any]:
    return {"name": name, "count": count, "age": timedelta(seconds=int(seconds)), "bad": bad and count > 0}
