"""The door to a dead man's switch: it hears from us while we work, and somebody else notices when it does not.

Nothing on a machine can tell that the machine is gone. So an address elsewhere is asked each few minutes, but only
while every role works, here or on another machine of this service: silence is the alarm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from watchpost import telemetry as tm
from watchpost.errors import StoreError
from watchpost.plan.heartbeat import Heartbeat
from watchpost.vitals import Vitals
from watchpost.wire.board import Board
from watchpost.wire.store import patiently

ROLES = frozenset({"poll", "match", "notify"})
_DEADLINE_SECONDS = 10.0


async def missing(board: Board, vitals: Vitals) -> str:
    """Why the service as a whole does not work, in a sentence; "" if it does."""
    trouble = vitals.trouble() or vitals.refused
    if trouble:
        return trouble
    try:
        workers = await board.workers()
    except StoreError as error:
        return str(error)
    there = {role for worker in workers for role in (ROLES if worker.role == "all" else {worker.role})}
    return f"nobody runs {', '.join(sorted(ROLES - there))}" if ROLES - there else ""


async def run(
    options: Heartbeat,
    user_agent: str,
    why_not: Callable[[], Awaitable[str]],
    tick: Callable[[], Awaitable[None]],
    stop: asyncio.Event,
) -> None:
    """Ask the address `every` so often while `why_not` answers "". `tick` returns each second or so.

    What goes wrong is said once, and again when it has been well in between; it stops nobody.
    """
    from watchpost.net import guarded_client, redact

    shown, said, last = redact(options.url.reveal()), "", -options.every.total_seconds()
    client = guarded_client(user_agent=user_agent, allow_private=options.allow_private, connections=1)
    async with client:
        while not stop.is_set():
            await tick()
            if stop.is_set() or monotonic() - last < options.every.total_seconds():
                continue
            trouble = await why_not()
            event, facts = "heartbeat.withheld", {"detail": trouble}
            if not trouble:
                last = monotonic()
                trouble = await _ask(client, options.url.reveal())
                event, facts = "heartbeat.failed", {"to": shown, "detail": trouble}
            if trouble and event != said:
                tm.log().warning(event, **facts)
            said = event if trouble else ""
            if trouble:
                await patiently(1.0, stop)


async def _ask(client: object, url: str) -> str:
    """One GET; "" if the answer is a success, else what went wrong, without the address."""
    import httpx

    assert isinstance(client, httpx.AsyncClient)  # noqa: S101 - httpx is imported when it is needed, not before
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS), client.stream("GET", url) as answer:
            return "" if answer.status_code < 300 else f"HTTP {answer.status_code}"
    except TimeoutError:
        return f"no answer within {_DEADLINE_SECONDS:.0f} s"
    except Exception as error:  # the other side, the resolver, the guard: whatever it is, it must not stop the service
        return type(error).__name__
