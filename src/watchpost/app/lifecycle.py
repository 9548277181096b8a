"""A process's life: start, run until a signal, read the configuration again on SIGHUP, end.

Order of ending: no new work, then what is under way within a few seconds, then the doors, then the server.
Whatever is cut short is still queued: nothing needs a clean end.
"""

from __future__ import annotations

import asyncio
import os
import platform
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from watchpost import __version__
from watchpost import telemetry as tm
from watchpost.app import doors
from watchpost.app.clock import utc_now
from watchpost.app.service import Role, Service
from watchpost.app.systemd import Systemd
from watchpost.errors import StoreError, WatchpostError
from watchpost.match.matcher import Topics
from watchpost.plan.plan import Plan
from watchpost.plan.settings import Settings
from watchpost.vitals import VITALS, Reload
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
    on_web: Callable[[Service], Coroutine[Any, Any, None]],
    reread: Callable[[], Plan],
) -> int:
    """Run until a signal. Returns the exit code: 0, or 130 after Ctrl-C. Raises StoreError if it cannot start.

    On SIGHUP `reread` gives the new plan and the loops begin again with it, over the same store; if it raises
    WatchpostError the mistakes are said and everything goes on as before.
    """
    async with AsyncExitStack() as store:
        housing = await open_housing(plan, settings, env, store)
        install = await housing.store.prepare(doors.new_install_id())
        await Books(housing.store).open()
        systemd, board = Systemd(env), Board(housing.store)
        watching = asyncio.ensure_future(systemd.watch(VITALS, lambda: _status(board, plan)))
        pulse = asyncio.ensure_future(VITALS.run())
        supervisor = asyncio.ensure_future(housing.server.supervise()) if housing.server is not None else None
        signals = _Signals(reread, systemd)
        _tell_configuration(plan)
        topics = Topics([])  # kept from round to round: an edited topic is live at once among thousands
        try:
            while True:
                async with AsyncExitStack() as round_:
                    service = Service(plan, settings, housing, install, round_, topics)
                    signals.steer(service)
                    tm.log().info("run.starting", **doors.describe(plan, service.groups))
                    loops = [*service.loops(role), on_web(service)]
                    service.clock.start()
                    systemd.ready("started")
                    await _run_until_stopped(loops, service, signals)
                if signals.ending is not None:
                    tm.log().info("run.stopped")
                    return _INTERRUPTED if signals.ending == signal.SIGINT else 0
                plan = signals.take_plan() or plan
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


def _tell_configuration(plan: Plan) -> None:
    """For the metrics: this plan is taken over now."""
    VITALS.reload = Reload(True, utc_now())
    tm.config_good.set(1)
    tm.config_time.set_to_current_time()
    tm.config_hash.set(int(plan.fingerprint[:12], 16))  # 48 bits: what a float holds exactly


async def _status(board: Board, plan: Plan) -> str:
    """How things stand, in a few words for `systemctl status`."""
    try:
        depths = await board.depths([part.name for part in plan.receivers])
    except StoreError as error:
        return str(error)
    waiting = depths.articles + depths.retry + sum(depths.outbox.values())
    return f"{len(plan.sources)} sources, {waiting} in the queues, {depths.parked} hits for the next editions"


class _Signals:
    """What the operator wants: SIGINT and SIGTERM end, a second one at once; SIGHUP reads the configuration again."""

    def __init__(self, reread: Callable[[], Plan], systemd: Systemd) -> None:
        self.ending: signal.Signals | None = None
        self._reread = reread
        self._systemd = systemd
        self._service: Service | None = None
        self._plan: Plan | None = None
        self._reading: asyncio.Task[None] | None = None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end, number)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    def steer(self, service: Service) -> None:
        """These loops are the ones to stop from now on."""
        self._service = service
        if self.ending is not None:
            service.stop.set()

    def take_plan(self) -> Plan | None:
        """The plan to go on with, once."""
        plan, self._plan = self._plan, None
        return plan

    def _end(self, number: signal.Signals) -> None:
        if self.ending is not None:
            os._exit(_INTERRUPTED)  # asked twice: the queue is on disk, nothing is lost
        self.ending = number
        self._systemd.stopping()
        if self._service is not None:
            self._service.stop.set()

    def _hang_up(self) -> None:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        self._systemd.reloading()
        try:
            self._plan = await asyncio.to_thread(self._reread)
        except WatchpostError as error:
            tm.config_good.set(0)
            VITALS.reload = Reload(False, utc_now(), str(error))
            self._systemd.ready("the new configuration has mistakes and is not used")
            for line in str(error).splitlines():
                tm.log().error("config.refused", text=line)
            return
        _tell_configuration(self._plan)
        tm.log().info("config.read")
        if self._service is not None:
            self._service.stop.set()


async def _run_until_stopped(loops: Sequence[Coroutine[Any, Any, None]], service: Service, signals: _Signals) -> None:
    """Run the loops. If one fails all are stopped and the error is raised: a half-running service is worse."""
    tasks = [asyncio.ensure_future(loop) for loop in loops]
    halt = asyncio.ensure_future(service.stop.wait())
    running = {*tasks, halt}
    while not halt.done() and not any(task.done() and task.exception() for task in tasks):
        _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    tm.log().info("run.stopping")
    service.stop.set()
    service.clock.stop()
    halt.cancel()
    # Only an end is in a hurry: for a new configuration, what is being sent may take its time.
    grace = GRACE_SECONDS if signals.ending is not None else RELOAD_GRACE_SECONDS
    done, late = await asyncio.wait(tasks, timeout=grace)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    for task in done:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
