"""The page Feeds: every source, its state and when it is read next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchpost.store.sources import SourceStatus
from watchpost.web.context import ConfigSummary
from watchpost.web.formatting import page_of

PAGE = 80


@dataclass(frozen=True, slots=True)
class Row:
    """One source. `new`: how many new articles it had today."""

    status: SourceStatus
    state: str
    place: str
    pace: str
    due: datetime | None
    folder: bool
    new: int


def page_of_feeds(
    summary: ConfigSummary,
    statuses: Sequence[SourceStatus],
    due: Mapping[str, datetime],
    today: Mapping[str, Mapping[str, int]],
    query: Mapping[str, str],
) -> dict[str, Any]:
    """What the template shows: sources with problems first, a page at a time. `today` counts by source."""
    text, wanted = query.get("q", "")[:200].strip().casefold(), query.get("state", "")[:20]
    counts: dict[str, int] = {}
    rows = []
    for status in statuses:
        state, place = status.state, summary.places.get(status.name, "")
        counts[state] = counts.get(state, 0) + 1
        if (wanted and state != wanted) or (text and text not in f"{status.name} {place}".casefold()):
            continue
        new = today.get(status.name, {}).get("new", 0)
        folder = status.name in summary.folders
        pace = summary.paces.get(status.name, "")
        rows.append(Row(status, state, place, pace, due.get(status.name), folder, new))
    rows.sort(key=lambda row: (row.state == "ok", row.state == "new", row.status.name.casefold()))
    number, pages = page_of(query, len(rows), PAGE)
    return {
        "active": "feeds",
        "rows": rows[(number - 1) * PAGE : number * PAGE],
        "counts": counts,
        "found": len(rows),
        "total": len(statuses),
        "q": query.get("q", "")[:200],
        "state": wanted,
        "page": number,
        "pages": pages,
    }
