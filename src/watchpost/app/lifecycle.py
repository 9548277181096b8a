"""A process's life: start, run until a signal, read the configuration again on SIGHUP, end.

Order of ending: no new work, then what is under way within a few seconds, then the doors, then the server.
Whatever is cut short is still queued: nothing needs a clean end.
"""

from __future__ import annotations

import asyncio
import gc
import os
import platform
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from watchpost import __version__
from watchpost import telemetry as tm
from watchpost.app import doors
from watchpost.app.clock import utc_now
from watchpost.app.housekeeping import leave
from watchpost.app.notices import Notices
from watchpost.app.reloading import Reloads
from watchpost.app.service import Role, Service
from watchpost.app.systemd import Systemd
from watchpost.errors import StoreError
from watchpost.match.matcher import Topics
from watchpost.plan.plan import Plan
from watchpost.plan.reload import Reload
from watchpost.plan.settings import Settings
from watchpost.poll.opening import Progress, silent
from watchpost.vitals import VITALS
from watchpost.wire.board import Board
from watchpost.wire.books import Books

GRACE_SECONDS = 3.0
RELOAD_GRACE_SECONDS = 20.0
_INTERRUPTED = 130


async def serve(
    plan: Plan,
    settings: Settings,
    env: Mapping[str, str],
    role: Role,
    *,
    on_web: Callable[[Service, Reloads], Coroutine[Any, Any, None]],
    reread: Callable[[], Plan],
    on_plan: Callable[[Plan], None] = lambda plan: None,
    progress: Progress = silent,
) -> int:
    """Run until a signal. Returns the exit code: 0, or 130 after Ctrl-C. Raises StoreError if it cannot start.

    On SIGHUP, and on the other occasions of reloading.py, `reread` gives the new plan and the loops begin again with
    it, over the same store; `on_plan` hears of it first. If it raises WatchpostError the mistakes are said and
    everything goes on as before.
    """
    async with AsyncExitStack() as store:
        housing = await open_housing(plan, settings, env, store)
        store.push_async_callback(leave, housing.store, role)
        install = await housing.store.prepare(doors.new_install_id())
        await Books(housing.store).open()
        systemd, board = Systemd(env), Board(housing.store)
        watching = asyncio.ensure_future(systemd.watch(VITALS, lambda: _status(board, plan)))
        pulse = asyncio.ensure_future(VITALS.run())
        supervisor = asyncio.ensure_future(housing.server.supervise()) if housing.server is not None else None
        reloads = Reloads(plan, reread, utc_now)
        signals = _Signals(reloads, systemd)
        notices = Notices(housing.store, install)
        topics = Topics([])  # kept from round to round: an edited topic is live at once among thousands
        try:
            while True:
                async with AsyncExitStack() as round_:
                    service = Service(plan, settings, housing, install, round_, topics, reloads, progress)
                    signals.steer(service)
                    if role in ("notify", "all"):  # of several processes one tells
                        signals.refused = partial(notices.refused, plan)
                    tm.log().info("run.starting", **doors.describe(plan, service.groups))
                    loops = [*service.loops(role), on_web(service, reloads)]
                    if plan.watch:
                        loops.append(reloads.watch(service.clock.ticker(1), service.stop))
                    service.clock.start()
                    gc.freeze()  # thousands of feeds and topics stay: looking at them again would hold up the loop
                    systemd.ready("started")
                    await _run_until_stopped(loops, service.housekeeping(role).run(), service, signals)
                if signals.ending is not None:
                    tm.log().info("run.stopped")
                    return _INTERRUPTED if signals.ending == signal.SIGINT else 0
                gc.unfreeze()
                gc.collect()  # what the old plan leaves must not be frozen with the new one
                plan = reloads.take() or plan
                on_plan(plan)
        finally:
            beside = [task for task in (pulse, watching, supervisor) if task is not None]
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


async def open_housing(plan: Plan, settings: Settings, env: Mapping[str, str], stack: AsyncExitStack) -> doors.Housing:
    """The store is there and fit; it is closed, and its server stopped if it is ours, with `stack`."""
    housing = await doors.open_store(settings, plan, env)
    if housing.server is not None:
        stack.push_async_callback(housing.server.stop)
    stack.push_async_callback(housing.store.close)
    tm.build_info.labels(__version__, platform.python_version()).set(1)
    return housing


async def _status(board: Board, plan: Plan) -> str:
    """How things stand, in a few words for `systemctl status`."""
    if VITALS.refused:
        return VITALS.refused
    try:
        depths = await board.depths([part.name for part in plan.receivers])
    except StoreError as error:
        return str(error)
    waiting = depths.pushed + depths.articles + depths.retry + sum(depths.outbox.values())
    return f"{len(plan.sources)} sources, {waiting} in the queues, {depths.parked} hits for the next editions"


class _Signals:
    """What the operator wants: SIGINT and SIGTERM end, a second one at once; SIGHUP reads the configuration again."""

    def __init__(self, reloads: Reloads, systemd: Systemd) -> None:
        self.ending: signal.Signals | None = None
        self._reloads = reloads
        self._systemd = systemd
        self._service: Service | None = None
        self._asking: set[asyncio.Task[Any]] = set()
        self.refused: Callable[[Reload], Awaitable[None]] | None = None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end, number)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        reloads.begun, reloads.adopted, reloads.stayed = systemd.reloading, self._stop, self._stay

    def steer(self, service: Service) -> None:
        """These loops are the ones to stop from now on."""
        self._service = service
        if self.ending is not None:
            service.stop.set()

    def _end(self, number: signal.Signals) -> None:
        if self.ending is not None:
            os._exit(_INTERRUPTED)  # asked twice: the queue is on disk, nothing is lost
        self.ending = number
        self._systemd.stopping()
        self._stop()

    def _hang_up(self) -> None:
        asking = asyncio.ensure_future(self._reloads.ask("SIGHUP"))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)

    def _stop(self) -> None:
        if self._service is not None:
            self._service.stop.set()

    async def _stay(self, reload: Reload) -> None:
        """The plan that runs goes on running."""
        self._systemd.ready("running" if reload.ok else "the new configuration has mistakes and is not used")
        if not reload.ok and self.refused is not None:
            await self.refused(reload)


async def _run_until_stopped(
    loops: Sequence[Coroutine[Any, Any, None]],
    housekeeping: Coroutine[Any, Any, None],
    service: Service,
    signals: _Signals,
) -> None:
    """Run the loops, and the housekeeping until the last of them has ended.

    If one fails all are stopped and the error is raised: a half-running service is worse.
    """
    keeping = asyncio.ensure_future(housekeeping)
    tasks = [asyncio.ensure_future(loop) for loop in loops]
    halt = asyncio.ensure_future(service.stop.wait())
    running = {*tasks, keeping, halt}
    while not halt.done() and not any(task.done() and task.exception() for task in (*tasks, keeping)):
        _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    tm.log().info("run.stopping")
    service.stop.set()
    service.clock.stop()
    halt.cancel()
    # Only an end is in a hurry: for a new configuration, what is being sent may take its time.
    grace = GRACE_SECONDS if signals.ending is not None else RELOAD_GRACE_SECONDS
    done, late = await asyncio.wait(tasks, timeout=grace)
    service.over.set()
    for task in (*late, keeping):
        task.cancel()
    await asyncio.gather(*late, keeping, return_exceptions=True)
    for task in (*done, keeping):
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
