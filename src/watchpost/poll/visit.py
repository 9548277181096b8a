"""Pure: what one visit to a source brings, and what it changes in the status of the source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from watchpost.documents.results import Failure
from watchpost.model import Article
from watchpost.poll.schedule import AS_CONFIGURED, Interval, is_dead, next_visit
from watchpost.store.sources import SourceStatus

_ABANDONED_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit brought.

    `outcome` "failed" means that the source as a whole could not be read, for the `reason`. `known` are ids of
    articles that are only remembered, so that they are never sent; `seen` are those that a look-up found remembered,
    so that nobody made articles of them. `marks` are the marks of headlines by article: under another one the article
    is sent again. `memory` are the changes to what the source keeps for its next visit, "" deletes a key; it is stored
    in the same step as the articles, or not at all. `interval` is what the server and the feed ask before the next
    visit. `more` says that there is more to read right now. `size` is how many bytes were read, unpacked, and
    `waiting` how many new entries are left to the next visit.
    """

    outcome: Literal["read", "unchanged", "failed"]
    articles: tuple[Article, ...] = ()
    known: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    marks: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    detail: str = ""
    interval: Interval = AS_CONFIGURED
    failures: tuple[Failure, ...] = ()
    more: bool = False
    size: int = 0
    passed_over: str = ""
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """What is written of a visit. `delay` is the time to the next one; `event` has to be logged once."""

    status: SourceStatus
    delay: timedelta
    event: Literal["", "gone", "dead", "recovered"]


def record_visit(before: SourceStatus, every: timedelta, visit: Visit, now: datetime) -> VisitRecord:
    """The record of a visit to a source with this status, configured to be read `every` so often."""
    failed = visit.outcome == "failed"
    failures = before.failures + 1 if failed else 0
    failing_since = (before.failing_since or now) if failed else None
    dead = is_dead(visit.reason, failing_since, now)
    next_at, next_why = next_visit(every, before.name, now, failures=failures, interval=visit.interval, dead=dead)
    ended: Literal["", "gone", "dead"] = ""
    if failed:
        ended = "gone" if visit.reason == "gone" else "dead" if dead else ""
    event: Literal["", "gone", "dead", "recovered"] = ended if ended != before.ended else ""
    if not failed and before.failures:
        event = "recovered"
    status = replace(
        before,
        outcome=visit.outcome,
        failures=failures,
        failing_since=failing_since,
        ended=ended,
        reason=visit.reason,
        detail=visit.detail,
        last_visit=now,
        last_read=before.last_read if failed else now,
        next_at=next_at,
        next_why=next_why,
    )
    return VisitRecord(status, next_at - now, event)


def changes_nothing(visit: Visit, before: SourceStatus) -> bool:
    """Whether there is nothing to write: nothing was read, and nothing failed that had not failed before."""
    if visit.outcome == "failed":
        return before.detail == visit.detail
    return visit.outcome == "unchanged" and not visit.failures and not before.failures


def is_abandoned(status: SourceStatus, now: datetime) -> bool:
    """Whether nobody has visited the source for a month, though it was due again and again: no configuration has it."""
    return status.last_visit is not None and now - status.last_visit > _ABANDONED_AFTER


def merged(old: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    """What the store has after these changes: "" deletes a key."""
    return {key: value for key, value in {**old, **changes}.items() if value}
