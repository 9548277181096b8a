"""What a visit adds to metrics, traces and the log.

Feeds are counted together, by outcome; folders, which are few, by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from time import monotonic

from watchpost import telemetry as tm
from watchpost import tracing
from watchpost.poll import record
from watchpost.poll.source import Source
from watchpost.poll.visit import Visit

_BY_REASON = {
    reason: outcome
    for outcome, reasons in {
        "timeout": ("timeout",),
        "blocked": ("blocked",),
        "http_error": ("http_error", "gone", "not_found", "rate_limited", "redirect_loop"),
        "network_error": ("dns", "refused", "tls", "unreachable", "truncated"),
        "unknown": ("unknown",),
    }.items()
    for reason in reasons
}

_looked: dict[str, float] = {}


def watch(sources: Sequence[Source]) -> None:
    """These sources are visited from now on, and no others: a folder's lag counts from here."""
    tm.folder_lag.clear()
    _looked.clear()
    for what in ("new", "seen", "invalid"):  # a counter that begins at 0 shows its first event, too
        tm.feed_items.labels(what)
    for what in ("ok", "not_modified", *dict.fromkeys(_BY_REASON.values()), "parse_error"):
        tm.feed_fetches.labels(what)
    for source in sources:
        if not source.shared:
            _looked[source.name] = monotonic()
            tm.folder_lag.labels(source.name).set_function(_lag(source.name))


def visited(source: Source, visit: Visit, seconds: float) -> None:
    """A visit came back, whatever it brought; it took so long."""
    if not source.shared:
        if visit.outcome != "failed" and source.name in _looked:
            _looked[source.name] = monotonic()
        return
    tm.feed_fetches.labels(outcome(visit)).inc()
    tm.feed_seconds.observe(seconds)
    tm.feed_bytes.inc(visit.size)


def traced(source: Source, visit: Visit, since_ns: int) -> Visit:
    """The visit, whose articles carry its trace on if there is one. It began at `since_ns`."""
    if not visit.articles:
        return visit
    with tracing.span("poll.visit", since_ns=since_ns, source=source.name) as trace:
        return replace(visit, articles=tuple(replace(one, trace=trace) for one in visit.articles)) if trace else visit


def committed(source: Source, visit: Visit, new: int, known: int) -> None:
    """What the visit brought is in the store: so much of it is new, so much was known."""
    pages = sum(failure.reason == "fulltext_failed" for failure in visit.failures)
    counts = {"new": new, "seen": known, "invalid": len(visit.failures) - pages}
    if pages:  # these articles are told nonetheless
        counts["fulltext_failed"] = pages
    for what, count in counts.items():
        counter = tm.feed_items.labels(what) if source.shared else tm.folder_files.labels(source.name, what)
        counter.inc(count)


def said(source: Source, visit: Visit, entry: record.Entry, new: int) -> None:
    """The lines of a committed visit in the log; `new` of its articles are news."""
    facts = {"source": source.name, "outcome": visit.outcome, "new": new, "next": entry.status["next_visit"]}
    tm.log().debug("source.visited", **facts)
    for failure in visit.failures:
        tm.log().warning(
            "source.page_failed" if failure.reason == "fulltext_failed" else "source.item_failed",
            source=source.name,
            item=failure.item,
            reason=failure.reason,
            detail=failure.detail,
        )
    if visit.outcome == "failed":
        said = {"source": source.name, "reason": visit.reason, "detail": visit.detail}
        if entry.turn:
            tm.log().error(f"source.{entry.turn}", **said)
        elif not entry.status["state"]:  # who is gone or dead was said to be so
            tm.log().warning("source.failed", **said, next=f"in {_words(entry.delay)}")
        return
    if entry.turn == "recovered":
        tm.log().info("source.recovered", source=source.name)
    if visit.known:
        tm.log().info("source.first_read", source=source.name, new=new, known=len(visit.known))
    elif new:
        tm.log().info("source.read", source=source.name, new=new)


def outcome(visit: Visit) -> str:
    """ok, not_modified, http_error, network_error, timeout, parse_error, blocked or unknown."""
    if visit.outcome == "failed":
        return _BY_REASON.get(visit.reason, "parse_error")
    return "ok" if visit.outcome == "read" else "not_modified"


def _lag(name: str) -> Callable[[], float]:
    return lambda: monotonic() - _looked.get(name, monotonic())


def _words(delay: timedelta) -> str:
    seconds = int(delay.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
