"""Probes for machines: `/healthz`, `/readyz`, `/status.json` and `/metrics`.

The document of /status.json has the shape `watchpost/status/1`, described in docs/operations.md: keys may be added,
none changes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from watchpost.operations.problem import Problem, notes, problems
from watchpost.operations.service_state import Seen, look
from watchpost.store.client import Server
from watchpost.store.overview import Depths, Overview
from watchpost.store.receivers import ReceiverState
from watchpost.store.sources import SourceState, SourceStatus
from watchpost.web.context import ConfigSummary, WebContext, summary_of

SHAPE = "watchpost/status/1"
_SHOWN = 100  # failing sources that are named; all are counted
_PING_SECONDS = 3.0
_RESTART = "systemctl restart watchpost, or docker compose restart; nothing that waits is lost"


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
        seen = await look_at(self._overview, self._summary)
        last = self._context.reloader.last
        document = report(self._summary, self._context.health, last, seen, now=datetime.now(UTC))
        return JSONResponse(document, 503 if document["status"] == "down" else 200)

    async def _metrics(self, _: Request) -> Response:
        await self._gauges.measure()
        tm.loop_lag.set(self._context.health.lag)
        return Response(generate_latest(tm.REGISTRY), media_type=CONTENT_TYPE_LATEST)


async def look_at(overview: Overview, summary: ConfigSummary, topics: Sequence[str] = ()) -> Seen:
    """What the store shows of the sources and receivers of the summary."""
    return await look(overview, summary.feeds, summary.folders, summary.receivers, topics)


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
    if not seen.problem and seen.depths is not None:
        document |= _facts(seen, seen.depths, now)
    found = problems_of(health, last, seen, now)
    document["reasons"] = [problem.text for problem in found]
    document["problems"] = [problem.facts() for problem in found]
    document["notes"] = [note.facts() for note in notes(seen)]
    down = health.trouble() or seen.problem
    document["status"] = "down" if down else "degraded" if found else "ok"
    return document


def problems_of(health: Health, last: Reload, seen: Seen, now: datetime) -> tuple[Problem, ...]:
    """What is wrong with this process, then with the service as the store shows it."""
    failing = health.store_failing_since
    seen = replace(seen, problem_since=failing, refused=health.refused, refused_since=failing)
    own = health.trouble()
    since = now - timedelta(seconds=max((*health.silences.values(), 0.0)))
    hung = [Problem("process", own, _RESTART, since, stops=True)] if own else []
    return (*hung, *problems(seen, now, last=last))


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
            {"name": one.name, "role": one.role, "version": one.version, "paused": one.paused}
            | ({"linking": one.linking.reason, "linking_since": _time(one.linking.since)} if one.linking else {})
            for one in seen.workers
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
            seen = await look_at(self._overview, self._summary, [topic.name for topic in self._summary.topics])
            for gauge in _FROM_STORE:
                gauge.clear()
            if seen.depths is not None:
                self._set(seen, seen.depths)
            self._measured = monotonic()

    def _set(self, seen: Seen, depths: Depths) -> None:
        _count_feeds(seen.sources[: len(self._summary.feeds)])
        _count_receivers(seen.receivers or {}, datetime.now(UTC))
        _count_dead(depths, self._summary.receivers)
        tm.store_lost_at.set(seen.loss.at.timestamp() if seen.loss is not None else 0)
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
