"""What `/status.json` says: one look at the store, and the document that follows from it.

The shape is `watchpost/status/1`, described in docs/operations.md: keys may be added to it, none change.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from prometheus_client import Gauge
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchpost import log as tm
from watchpost.errors import StoreError
from watchpost.health import Health
from watchpost.plurals import count
from watchpost.store.overview import Depths, Overview, Worker
from watchpost.store.receivers import ReceiverState
from watchpost.store.sources import SourceState, SourceStatus
from watchpost.web.context import ConfigSummary

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


async def look(overview: Overview, summary: ConfigSummary) -> Seen:
    """Read everything that the document tells of. A store that hangs is said to hang, and nobody waits for it."""
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            sources: list[SourceStatus] = []
            for at in range(0, len(summary.sources), _PART):
                sources += await overview.sources(summary.sources[at : at + _PART])
            depths, ages = await overview.depths(summary.receivers), await overview.ages(summary.receivers)
            workers, receivers = await overview.workers(), await overview.receivers(summary.receivers)
            return Seen("", tuple(sources), depths, ages, workers, receivers)
    except StoreError as error:
        return Seen(str(error))
    except TimeoutError:
        return Seen(f"the store does not answer within {_DEADLINE_SECONDS:.0f} s")


def report(summary: ConfigSummary, health: Health, seen: Seen, now: datetime, version: str) -> dict[str, Any]:
    """The document. `status` is "down", "degraded" or "ok", and `reasons` says in sentences why."""
    document: dict[str, Any] = {
        "type": SHAPE,
        "status": "down",
        "reasons": [],
        "version": version,
        "time": _time(now),
        "started": _time(health.started),
        "loop_lag_seconds": round(health.lag, 3),
        "configuration": {
            "fingerprint": summary.fingerprint,
            "last_reload": _time(health.reload.when),
            "last_reload_ok": health.reload.good,
            "problem": health.reload.problem,
        },
        "store": {"reachable": not seen.problem, "takes_writes": not seen.problem and not health.refused},
    }
    trouble = [one for one in (health.trouble(), seen.problem) if one]
    if not seen.problem and seen.depths is not None:
        document |= _facts(seen, seen.depths, now)
    reasons = _reasons(health, seen, now)
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
                    "state": status.state,
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
            name: {"state": state.status(now), "failures": state.failures, "why": state.why, "until": _time(state.till)}
            for name, state in (seen.receivers or {}).items()
        },
    }


def _reasons(health: Health, seen: Seen, now: datetime) -> list[str]:
    reasons = []
    if not health.reload.good:
        reasons.append("the configuration on disk has mistakes and is not used")
    if seen.problem or seen.depths is None:
        return reasons
    if health.refused:
        reasons.append(health.refused)  # then nobody can say that he works
    there = {role for worker in seen.workers for role in (_ROLES if worker.role == "all" else (worker.role,))}
    reasons += [f"nobody runs {role}" for role in _ROLES if role not in there and not health.refused]
    reasons += [
        f"{worker.name} reads nothing for now: {_PAUSED.get(worker.paused, worker.paused)}"
        for worker in seen.workers
        if worker.paused
    ]
    failing = sum(bool(status.failures) for status in seen.sources)
    if failing:
        reasons.append(f"{failing} of {len(seen.sources)} sources cannot be read")
    states = {name: state.status(now) for name, state in (seen.receivers or {}).items()}
    words = {
        "open": "is left alone for a while: its breaker is open",
        "trial": "has taken nothing since its breaker opened; the next message tries it",
    }
    reasons += [f"{name} {words.get(word, f'is {word}')}" for name, word in states.items() if word != "ok"]
    if seen.depths.dead:
        reasons.append(count(seen.depths.dead, "dead letter"))
    return reasons


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


# The gauges that the store knows: read when somebody asks for the metrics, and gone when the store is.
#
# Every process that has a door measures them for itself. A service of four processes shows each of them four times,
# on purpose: the process that would say it may be the one that died. Alerts take the maximum.


_KEPT_SECONDS = 5.0  # what was measured serves everybody who asks within that time

_RECEIVER_STATES = ("ok", "failing", "paused", "open", "trial", "disabled")
_FROM_STORE: tuple[Gauge, ...] = (
    tm.feed_last_read, tm.feed_failures, tm.feeds, tm.queue_depth, tm.queue_age, tm.queue_dead,
    tm.receiver_state, tm.receiver_till, tm.stories_open,
)  # fmt: skip


class Gauges:
    """Measures what stands in the store. One at a time, and not more often than each five seconds."""

    def __init__(self, overview: Overview, summary: ConfigSummary) -> None:
        self._overview = overview
        self._summary = summary
        self._lock = asyncio.Lock()
        self._measured = -_KEPT_SECONDS

    async def measure(self) -> None:
        """Set the gauges. If the store is away they are taken away: an old number must not look like a new one."""
        async with self._lock:
            if monotonic() - self._measured < _KEPT_SECONDS:
                return
            try:
                async with asyncio.timeout(_DEADLINE_SECONDS):
                    statuses: list[SourceStatus] = []
                    for at in range(0, len(self._summary.feeds), _PART):
                        statuses += await self._overview.sources(self._summary.feeds[at : at + _PART])
                    depths = await self._overview.depths(self._summary.receivers)
                    ages = await self._overview.ages(self._summary.receivers)
                    receivers = await self._overview.receivers(self._summary.receivers)
                    stories = await self._overview.open_stories([topic.name for topic in self._summary.topics])
            except (StoreError, TimeoutError):
                for gauge in _FROM_STORE:
                    gauge.clear()
                self._measured = monotonic()
                return
            for gauge in _FROM_STORE:
                gauge.clear()
            _tell_feeds(statuses)
            _tell_receivers(receivers, datetime.now(UTC))
            for queue, depth in depths.by_queue().items():
                tm.queue_depth.labels(queue).set(depth)
            for queue, age in ages.items():
                tm.queue_age.labels(queue).set(age)
            _tell_dead(depths, self._summary.receivers)
            for topic, count in stories.items():
                tm.stories_open.labels(topic).set(count)
            self._measured = monotonic()


def _tell_dead(depths: Depths, receivers: Sequence[str]) -> None:
    """Each queue in which something may die; what died of receivers that are no longer configured is one sum."""
    numbers = dict.fromkeys(("articles", "parked", *(f"outbox:{name}" for name in receivers)), 0)
    for queue, number in depths.dead_of.items():
        name = queue if queue in numbers else tm.OTHER_QUEUES
        numbers[name] = numbers.get(name, 0) + number
    for queue, number in numbers.items():
        tm.queue_dead.labels(queue).set(number)


def _tell_receivers(receivers: Mapping[str, ReceiverState], now: datetime) -> None:
    for name, state in receivers.items():
        for word in _RECEIVER_STATES:
            tm.receiver_state.labels(name, word).set(word == state.status(now))
        if state.till is not None:
            tm.receiver_till.labels(name).set(state.till.timestamp())


def _tell_feeds(statuses: Sequence[SourceStatus]) -> None:
    states = Counter(status.state for status in statuses)
    for state in SourceState:
        if state is not SourceState.UNKNOWN:
            tm.feeds.labels(state).set(states[state])
    for status in statuses[: tm.FEEDS_BY_NAME]:
        tm.feed_failures.labels(status.name).set(status.failures)
        if status.last_read is not None:
            tm.feed_last_read.labels(status.name).set(status.last_read.timestamp())
    others = statuses[tm.FEEDS_BY_NAME :]
    if others:
        tm.feed_failures.labels(tm.OTHER_FEEDS).set(max(status.failures for status in others))
        read = [status.last_read.timestamp() for status in others if status.last_read is not None]
        if read:
            tm.feed_last_read.labels(tm.OTHER_FEEDS).set(min(read))


# Counts the requests that come in: by route, never by path, so that a stranger cannot make series.


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestCounter:
    """The outermost layer of the application: `http_requests_total{route, method, code}`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through and note how it was answered; what is never answered counts as 500."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        code = 500

        async def noting(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            tm.requests.labels(_route(scope), method, str(code)).inc()


def _route(scope: Scope) -> str:
    routes: list[BaseRoute] = getattr(scope.get("app"), "routes", [])
    for route in routes:
        if route.matches(scope)[0] is not Match.NONE:
            return str(getattr(route, "path", "other"))
    return "other"
