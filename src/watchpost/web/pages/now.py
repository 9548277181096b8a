"""Still: the page Now: does it work, what waits where, who is in trouble, what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from watchpost.web.pages.editions import Upcoming
from watchpost.wire.status import Depths, ReceiverState, SourceStatus

_SHOWN = 20


def view(
    document: Mapping[str, Any],
    depths: Depths | None,
    ages: Mapping[str, float],
    sources: tuple[SourceStatus, ...],
    receivers: Mapping[str, ReceiverState],
    upcoming: tuple[Upcoming, ...],
    day: Mapping[str, int],
    now: datetime,
) -> dict[str, Any]:
    """What the template shows. `document` is that of /status.json, `day` today's page of the ledger."""
    failing = [status for status in sources if status.failures]
    stages: list[dict[str, Any]] = []
    if depths is not None:
        waiting = sum(depths.outbox.values())
        oldest = max((age for name, age in ages.items() if name.startswith("outbox:")), default=0.0)
        pushed = {"name": "pushed, to read", "count": depths.pushed, "age": ages.get("pushed", 0.0), "bad": False}
        stages = [
            *([pushed] if depths.pushed else ()),  # most have no hubs
            {"name": "to match", "count": depths.articles, "age": ages.get("articles", 0.0), "bad": False},
            {"name": "for an edition", "count": depths.parked, "age": ages.get("parked", 0.0), "bad": False},
            {"name": "to send", "count": waiting, "age": oldest, "bad": False},
            {"name": "to try again", "count": depths.retry, "age": ages.get("retry", 0.0), "bad": depths.retry > 0},
            {"name": "dead letters", "count": depths.dead, "age": 0.0, "bad": depths.dead > 0},
        ]
    return {
        "active": "now",
        "document": document,
        "stages": stages,
        "today": [
            ("articles new", day.get("new", 0)),
            ("known already", day.get("known", 0)),
            ("hits", day.get("hits", 0)),
            ("messages sent", day.get("sent", 0)),
        ],
        "failing": failing[:_SHOWN],
        "failing_count": len(failing),
        "total": len(sources),
        "receivers": [(name, state, state.word(now)) for name, state in receivers.items()],
        "upcoming": upcoming,
    }
