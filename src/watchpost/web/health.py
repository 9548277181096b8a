"""Probes for machines: `/healthz`, `/readyz`, `/status.json` and `/metrics`.

The document of /status.json has the shape `watchpost/status/1`, described in docs/operations.md: keys may be added,
none changes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchpost import __version__
from watchpost import log as tm
from watchpost.config.config import Reload
from watchpost.errors import StoreError
from watchpost.health import Health
from watchpost.plurals import count
from watchpost.store.client import Server
from watchpost.store.overview import Depths, Overview, StoreLoss, Worker
from watchpost.store.receivers import ReceiverState
from watchpost.store.sources import SourceState, SourceStatus
from watchpost.web.context import ConfigSummary, WebContext, summary_of

SHAPE = "watchpost/status/1"
_BATCH = 500  # sources that are read at once
_SHOWN = 100  # failing sources that are named; all are counted
_ROLES = ("poll", "match", "notify")
_DEADLINE_SECONDS = 5.0  # of a look at the store: probes usually wait ten seconds at most
_PING_SECONDS = 3.0
_PAUSED = {
    "disk": "the disk with its data is nearly full",
    "backlog": "too many articles wait to be matched",
    "store": "the store did not accept what was found",
}


_LOSS_SHOWN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store showed; `problem` is why it showed nothing."""

    problem: str = ""
    sources: tuple[SourceStatus, ...] = ()
    depths: Depths | None = None
    ages: Mapping[str, float] | None = None
    workers: tuple[Worker, ...] = ()
    receivers: Mapping[str, ReceiverState] | None = None
    stories: Mapping[str, int] | None = None
    server: Server | None = None
    loss: StoreLoss | None = None


class Probes:
    """What load balancers, Prometheus and scripts ask."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._summary = summary_of(context.config)
        self._overview = Overview(context.store)
        self._gauges = Gauges(self._overview, self._summary)

    def routes(self) -> list[Route]:
        """All of them; /metrics only if the configuration has it."""
        metrics = [Route("/metrics", self._metrics)] if self._context.config.access.metrics else []
        return [
            *self.open_routes(),
            Route("/status.json", self._status),
            *metrics,
        ]

    def open_routes(self) -> list[Route]:
        """Those that need no login."""
        return [Route("/healthz", self._healthz), Route("/readyz", self._readyz)]

    async def _healthz(self, _: Request) -> Response:
        """Is the process alive? Never asks the store: a restart would not mend that."""
        trouble = self._context.health.trouble()
        return PlainTextResponse(f"{trouble or 'ok'}\n", 503 if trouble else 200)

    async def _readyz(self, _: Request) -> Response:
        """May the process be sent work?"""
        health = self._context.health
        reason = health.trouble()
        try:
            async with asyncio.timeout(_PING_SECONDS):
                await self._overview.ping()
            reason = reason or health.refused
        except StoreError as error:
            reason = str(error)
        except TimeoutError:
            reason = f"the store does not answer within {_PING_SECONDS:.0f} s"
        if not reason and not health.registered:
            reason = "this process has not registered in the store yet"
        return JSONResponse({"ready": False, "reason": reason}, 503) if reason else JSONResponse({"ready": True})

    async def _status(self, _: Request) -> Response:
        seen = await look(self._overview, self._summary)
        last = self._context.reloader.last
        document = report(self._summary, self._context.health, last, seen, now=datetime.now(UTC))
        return JSONResponse(document, 503 if document["status"] == "down" else 200)

    async def _metrics(self, _: Request) -> Response:
        await self._gauges.measure()
        tm.loop_lag.set(self._context.health.lag)
        return Response(generate_latest(tm.REGISTRY), media_type=CONTENT_TYPE_LATEST)


async def look(overview: Overview, summary: ConfigSummary, topics: Sequence[str] = ()) -> Seen:
    """Read everything that the document needs, and the open stories of `topics`; a store that hangs is reported."""
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            sources: list[SourceStatus] = []
            for at in range(0, len(summary.sources), _BATCH):
                sources += await overview.sources(summary.sources[at : at + _BATCH])
            return Seen(
                sources=tuple(sources),
                depths=await overview.depths(summary.receivers),
                ages=await overview.ages(summary.receivers),
                workers=await overview.workers(),
                receivers=await overview.receivers(summary.receivers),
                stories=await overview.open_stories(topics) if topics else {},
                server=overview.server,
                loss=await overview.loss(),
            )
    except StoreError as error:
        return Seen(str(error), server=overview.server)
    except TimeoutError:
        return Seen(f"the store does not answer within {_DEADLINE_SECONDS:.0f} s", server=overview.server)


def report(
    summary: ConfigSummary, health: Health, last: Reload, seen: Seen, *, now: datetime, version: str = __version__
) -> dict[str, Any]:
    """The document of /status.json. `status` is "down", "degraded" or "ok"; `reasons` says why, in sentences."""
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
            "last_reload": _time(last.at),
            "last_reload_ok": last.ok,
            "problem": "\n".join(last.complaints),
        },
        "store": {"reachable": not seen.problem, "takes_writes": not seen.problem and not health.refused},
        "server": _server(seen.server),
    }
    trouble = [one for one in (health.trouble(), seen.problem) if one]
    if not seen.problem and seen.depths is not None:
        document |= _facts(seen, seen.depths, now)
    reasons = _reasons(health, last, seen, now)
    document["reasons"] = [*trouble, *reasons]
    document["status"] = "down" if trouble else "degraded" if reasons else "ok"
    return document


def _server(server: Server | None) -> dict[str, str] | None:
    """The store's server that the latest new connection led to; None if this process has not looked yet."""
    if server is None:
        return None
    return {
        "version": f"{server.brand} {server.version}",
        "role": server.role,
        "address": server.address,
        "run_id": server.run_id,
    }


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


def _reasons(health: Health, last: Reload, seen: Seen, now: datetime) -> list[str]:
    reasons = [] if last.ok else ["the configuration on disk has mistakes and is not used"]
    if seen.problem or seen.depths is None:
        return reasons
    if health.refused:
        reasons.append(health.refused)  # then no process can register either
    if seen.loss is not None and now - seen.loss.at < _LOSS_SHOWN:
        reasons.append(str(seen.loss))
    there = {role for worker in seen.workers for role in (_ROLES if worker.role == "all" else (worker.role,))}
    reasons += [f"no process runs {role}" for role in _ROLES if role not in there and not health.refused]
    reasons += [
        f"{worker.name} has paused polling: {_PAUSED.get(worker.paused, worker.paused)}"
        for worker in seen.workers
        if worker.paused
    ]
    failing = sum(bool(status.failures) for status in seen.sources)
    if failing:
        reasons.append(f"{failing} of {len(seen.sources)} sources cannot be read")
    states = {name: state.status(now) for name, state in (seen.receivers or {}).items()}
    words = {
        "open": "is paused after repeated failures",
        "trial": "was paused after repeated failures; the next message tries it again",
    }
    reasons += [f"{name} {words.get(word, f'is {word}')}" for name, word in states.items() if word != "ok"]
    if seen.depths.dead:
        reasons.append(count(seen.depths.dead, "dead letter"))
    return reasons


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


_KEPT_SECONDS = 5.0  # how long a measurement of the gauges is used
_RECEIVER_STATES = ("ok", "failing", "paused", "open", "trial", "disabled")
_FROM_STORE: tuple[Gauge, ...] = (
    tm.feed_last_read, tm.feed_failures, tm.feeds, tm.queue_depth, tm.queue_age, tm.queue_dead,
    tm.receiver_state, tm.receiver_till, tm.stories_open,
)  # fmt: skip


class Gauges:
    """The gauges that are read from the store: when metrics are requested, every five seconds at most.

    Every process with a web server measures them for itself, on purpose: the one process that would report a value may
    be the one that died. Alerts use the maximum.
    """

    def __init__(self, overview: Overview, summary: ConfigSummary) -> None:
        self._overview = overview
        self._summary = summary
        self._lock = asyncio.Lock()
        self._measured = -_KEPT_SECONDS

    async def measure(self) -> None:
        """Set the gauges; without the store they disappear: an old value must not look current."""
        async with self._lock:
            if monotonic() - self._measured < _KEPT_SECONDS:
                return
            seen = await look(self._overview, self._summary, [topic.name for topic in self._summary.topics])
            for gauge in _FROM_STORE:
                gauge.clear()
            if seen.depths is not None:
                self._set(seen, seen.depths)
            self._measured = monotonic()

    def _set(self, seen: Seen, depths: Depths) -> None:
        _count_feeds(seen.sources[: len(self._summary.feeds)])
        _count_receivers(seen.receivers or {}, datetime.now(UTC))
        _count_dead(depths, self._summary.receivers)
        for queue, depth in depths.by_queue().items():
            tm.queue_depth.labels(queue).set(depth)
        for queue, age in (seen.ages or {}).items():
            tm.queue_age.labels(queue).set(age)
        for topic, number in (seen.stories or {}).items():
            tm.stories_open.labels(topic).set(number)


def _count_dead(depths: Depths, receivers: Sequence[str]) -> None:
    """Dead letters by queue; those of receivers that are no longer configured are one sum."""
    numbers = dict.fromkeys(("articles", "parked", *(f"outbox:{name}" for name in receivers)), 0)
    for queue, number in depths.dead_of.items():
        name = queue if queue in numbers else tm.OTHER_QUEUES
        numbers[name] = numbers.get(name, 0) + number
    for queue, number in numbers.items():
        tm.queue_dead.labels(queue).set(number)


def _count_receivers(receivers: Mapping[str, ReceiverState], now: datetime) -> None:
    for name, state in receivers.items():
        for word in _RECEIVER_STATES:
            tm.receiver_state.labels(name, word).set(word == state.status(now))
        if state.till is not None:
            tm.receiver_till.labels(name).set(state.till.timestamp())


def _count_feeds(statuses: Sequence[SourceStatus]) -> None:
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


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestCounter:
    """The outermost layer of the application: counts requests by route, never by path, which strangers choose."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count its answer; without an answer it counts as 500."""
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
