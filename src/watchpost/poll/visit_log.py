"""What a visit adds to metrics, traces and the log. Feeds are counted together by outcome, folders by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic

from watchpost import log as tm
from watchpost import tracing
from watchpost.durations import short
from watchpost.poll.source import Source
from watchpost.poll.visit import Visit, VisitRecord

_OUTCOMES = {
    "timeout": ("timeout",),
    "blocked": ("blocked",),
    "http_error": ("http_error", "gone", "not_found", "rate_limited", "redirect_loop"),
    "network_error": ("dns", "refused", "tls", "unreachable", "truncated"),
    "unknown": ("unknown",),
}
_OUTCOME_OF_REASON = {reason: outcome for outcome, reasons in _OUTCOMES.items() for reason in reasons}

_folders_read_at: dict[str, float] = {}


def watch(sources: Sequence[Source]) -> None:
    """Start the series of these sources: from now on they are visited, and no others."""
    tm.folder_lag.clear()
    _folders_read_at.clear()
    for what in ("new", "seen", "invalid"):  # a counter that begins at 0 shows its first event, too
        tm.feed_items.labels(what)
    for label in ("ok", "not_modified", *_OUTCOMES, "parse_error"):
        tm.feed_fetches.labels(label)
    for source in sources:
        if not source.shared:
            _folders_read_at[source.name] = monotonic()
            tm.folder_lag.labels(source.name).set_function(_lag(source.name))


def count_visit(source: Source, visit: Visit, seconds: float) -> None:
    """Count a visit that took so long, whatever it brought."""
    if not source.shared:
        if visit.outcome != "failed" and source.name in _folders_read_at:
            _folders_read_at[source.name] = monotonic()
        return
    tm.feed_fetches.labels(outcome(visit)).inc()
    tm.feed_seconds.observe(seconds)
    tm.feed_bytes.inc(visit.size)


def outcome(visit: Visit) -> str:
    """The metric's label: ok, not_modified, http_error, network_error, timeout, parse_error, blocked or unknown."""
    if visit.outcome == "failed":
        return _OUTCOME_OF_REASON.get(visit.reason, "parse_error")
    return "ok" if visit.outcome == "read" else "not_modified"


def traced(source: Source, visit: Visit, since_ns: int) -> Visit:
    """The visit that began at `since_ns`; its articles carry its trace on if there is one."""
    if not visit.articles:
        return visit
    with tracing.span("poll.visit", since_ns=since_ns, source=source.name) as trace:
        if not trace:
            return visit
        return replace(visit, articles=tuple(replace(article, trace=trace) for article in visit.articles))


def count_entries(source: Source, visit: Visit, new: int, known: int) -> None:
    """Count what a committed visit brought: so many articles are new, so many were known."""
    pages = sum(failure.reason == "fulltext_failed" for failure in visit.failures)
    counts = {"new": new, "seen": known, "invalid": len(visit.failures) - pages}
    if pages:  # the articles of these pages are sent nonetheless
        counts["fulltext_failed"] = pages
    for what, count in counts.items():
        counter = tm.feed_items.labels(what) if source.shared else tm.folder_files.labels(source.name, what)
        counter.inc(count)


def log_visit(source: Source, visit: Visit, record: VisitRecord, new: int) -> None:
    """Log a committed visit, of whose articles so many are new."""
    next_visit = f"{record.status.next_at:%Y-%m-%d %H:%M:%S} UTC, {record.status.next_why}"
    tm.log().debug("source.visited", source=source.name, outcome=visit.outcome, new=new, next=next_visit)
    for failure in visit.failures:
        tm.log().warning(
            "source.page_failed" if failure.reason == "fulltext_failed" else "source.item_failed",
            source=source.name,
            item=failure.item,
            reason=failure.reason,
            detail=failure.detail,
        )
    if visit.outcome == "failed":
        facts = {"source": source.name, "reason": visit.reason, "detail": visit.detail}
        if record.event:
            tm.log().error(f"source.{record.event}", **facts)
        elif not record.status.ended:  # that a feed is gone or dead was logged once
            tm.log().warning("source.failed", **facts, next=f"in {short(record.delay)}")
        return
    if record.event == "recovered":
        tm.log().info("source.recovered", source=source.name)
    if visit.known:
        tm.log().info("source.first_read", source=source.name, new=new, known=len(visit.known))
    elif new:
        tm.log().info("source.read", source=source.name, new=new)


def _lag(name: str) -> Callable[[], float]:
    return lambda: monotonic() - _folders_read_at.get(name, monotonic())
