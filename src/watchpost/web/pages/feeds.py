"""The pages of feeds: every source, its state and when it is read next; and one source beside the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchpost.operations.source_profile import SourceProfile
from watchpost.store.sources import SourceStatus
from watchpost.web.context import ConfigSummary
from watchpost.web.formatting import page_of

PAGE = 80
DAYS = 30
"""So many days are looked at for the profile of a source."""


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
        rows.append(_row(summary, status, due, today))
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


def page_of_feed(summary: ConfigSummary, status: SourceStatus, profile: SourceProfile, *, more: bool) -> dict[str, Any]:
    """What the template shows of one source. `more`: there were too many hits to read them all."""
    row = _row(summary, status, {}, {})
    return {"active": "feeds", "row": row, "profile": profile, "days": DAYS, "more": more}


def _row(
    summary: ConfigSummary, status: SourceStatus, due: Mapping[str, datetime], today: Mapping[str, Mapping[str, int]]
) -> Row:
    name = status.name
    place, pace = summary.places.get(name, ""), summary.paces.get(name, "")
    new = today.get(name, {}).get("new", 0)
    return Row(status, status.state, place, pace, due.get(name), name in summary.folders, new)
