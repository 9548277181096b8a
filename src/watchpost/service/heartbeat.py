"""The heartbeat: while every role works, a dead man's switch elsewhere is asked (GET) every few minutes.

Nothing on a machine can report that the machine itself is gone. When the requests stop, the switch raises the alarm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from watchpost import log as tm
from watchpost import redaction
from watchpost.config.schema import Heartbeat
from watchpost.errors import StoreError
from watchpost.health import Health
from watchpost.net import check_literal, why_failed
from watchpost.store.client import pause
from watchpost.store.overview import Overview

if TYPE_CHECKING:
    import httpx

ROLES = frozenset({"poll", "match", "notify"})
_DEADLINE_SECONDS = 10.0


async def missing(overview: Overview, health: Health) -> str:
    """Why the service as a whole does not work, in a sentence; "" if it does."""
    trouble = health.trouble() or health.refused
    if trouble:
        return trouble
    try:
        workers = await overview.workers()
    except StoreError as error:
        return str(error)
    there = {role for worker in workers for role in (ROLES if worker.role == "all" else {worker.role})}
    return f"no process runs {', '.join(sorted(ROLES - there))}" if ROLES - there else ""


async def run(
    options: Heartbeat,
    user_agent: str,
    why_not: Callable[[], Awaitable[str]],
    tick: Callable[[], Awaitable[None]],
    stop: asyncio.Event,
) -> None:
    """Ask the address every `options.every` while `why_not` returns "". `tick` returns about once a second.

    A failure is logged once, and again after a success; it never raises.
    """
    shown, logged, last = redaction.short_url(options.url.reveal()), "", -options.every.total_seconds()
    while not stop.is_set():
        await tick()
        if stop.is_set() or monotonic() - last < options.every.total_seconds():
            continue
        trouble = await why_not()
        event, facts = "heartbeat.withheld", {"detail": trouble}
        if not trouble:
            last = monotonic()
            trouble = await _ask(options, user_agent)
            event, facts = "heartbeat.failed", {"to": shown, "detail": trouble}
        if trouble and event != logged:
            tm.log().warning(event, **facts)
        logged = event if trouble else ""
        if trouble:
            await pause(1.0, stop)


async def _ask(options: Heartbeat, user_agent: str) -> str:
    """One GET; "" if the answer is a success, else what went wrong, without the address."""
    url = options.url.reveal()
    try:
        async with (
            asyncio.timeout(_DEADLINE_SECONDS),
            _client(options, user_agent) as client,
            client.stream("GET", url) as answer,
        ):
            return "" if answer.status_code < 300 else f"HTTP {answer.status_code}"
    except TimeoutError:
        return f"no answer within {_DEADLINE_SECONDS:.0f} s"
    except Exception as error:  # whatever fails on the other side must not stop the service
        return why_failed(error)


def _client(options: Heartbeat, user_agent: str) -> httpx.AsyncClient:
    """For one request. Raises BlockedAddress: a proxy resolves names, and a bare private address is judged here."""
    from watchpost.guarded_http import guarded_client, proxied_client

    if options.proxy is None:
        return guarded_client(user_agent=user_agent, allow_private=options.allow_private)
    check_literal(urlsplit(options.url.reveal()).hostname or "", options.allow_private)
    return proxied_client(options.proxy.address.reveal(), user_agent=user_agent)
