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
from watchpost import log as tm
from watchpost.config.config import Config, Reload
from watchpost.config.settings import Settings
from watchpost.errors import StoreError
from watchpost.exit_codes import OK, PARTIAL
from watchpost.health import HEALTH
from watchpost.match.matcher import Topics
from watchpost.match.worker import Matcher
from watchpost.notify.digest import deliveries_of
from watchpost.notify.notices import refused_notice
from watchpost.operations import factory
from watchpost.operations.reloading import Reloader
from watchpost.poll.poller import Poller, Progress, silent
from watchpost.scheduler import utc_now
from watchpost.service.housekeeping import leave
from watchpost.service.service import Role, Service
from watchpost.service.systemd import Systemd
from watchpost.store.client import Store, until_available
from watchpost.store.ledger import Ledger
from watchpost.store.overview import Overview

# Trouble with the configuration, told to the receiver that the operator named for trouble.


_TRIES = 5


class Notices:
    """Queues messages for `ops`, each mistake once. Without such a receiver it does nothing."""

    def __init__(self, store: Store, install: str) -> None:
        self._store = store
        self._install = install
        self._told: set[tuple[str, ...]] = set()

    async def refused(self, config: Config, reload: Reload) -> None:
        """The running `plan` goes on, because of these mistakes in a newer one. Never raises for the store."""
        part = next((one for one in config.receivers if one.name == config.ops), None)
        if part is None or reload.complaints in self._told:
            return
        receiver = factory.build_receivers(config, self._install, factory.terminal())[part.name]
        try:
            digest = refused_notice(
                part.name, reload.complaints, reload.at, factory.installation_of(config, self._install)
            )
            deliveries = deliveries_of(digest, receiver.render(digest))
            breaker = factory.build_breaker(self._store, part)
            for _ in range(_TRIES):  # somebody else may write of the receiver in the same moment
                if await breaker.save((await breaker.check()).state, deliveries):
                    self._told.add(reload.complaints)
                    return
        except StoreError as error:
            tm.store_errors.labels(type(error).__name__).inc()
        finally:
            await receiver.close()


GRACE_SECONDS = 3.0
RELOAD_GRACE_SECONDS = 20.0
_INTERRUPTED = 130


async def serve(
    config: Config,
    settings: Settings,
    env: Mapping[str, str],
    role: Role,
    *,
    on_web: Callable[[Service, Reloader], Coroutine[Any, Any, None]],
    reread: Callable[[], Config],
    on_plan: Callable[[Config], None] = lambda config: None,
    progress: Progress = silent,
) -> int:
    """Run until a signal. Returns the exit code: 0, or 130 after Ctrl-C. Raises StoreError if it cannot start.

    On SIGHUP, and on the other occasions of reloading.py, `reread` gives the new plan and the loops begin again with
    it, over the same store; `on_plan` hears of it first. If it raises WatchpostError the mistakes are said and
    everything goes on as before.
    """
    async with AsyncExitStack() as store:
        backend = await open_housing(config, settings, env, store)
        store.push_async_callback(leave, backend.store, role)
        install = await backend.store.prepare(factory.new_install_id())
        await Ledger(backend.store).open()
        systemd, overview = Systemd(env), Overview(backend.store)
        watching = asyncio.ensure_future(systemd.watch(HEALTH, lambda: _status(overview, config)))
        pulse = asyncio.ensure_future(HEALTH.run())
        supervisor = asyncio.ensure_future(backend.server.supervise()) if backend.server is not None else None
        reloader = Reloader(config, reread, utc_now)
        signals = _Signals(reloader, systemd)
        notices = Notices(backend.store, install)
        topics = Topics([])  # kept from round to round: an edited topic is live at once among thousands
        try:
            while True:
                async with AsyncExitStack() as round_:
                    service = Service(config, settings, backend, install, round_, topics, reloader, progress)
                    signals.steer(service)
                    if role in ("notify", "all"):  # of several processes one tells
                        signals.refused = partial(notices.refused, config)
                    tm.log().info("run.starting", **factory.describe(config, service.groups))
                    loops = [*service.loops(role), on_web(service, reloader)]
                    if config.watch:
                        loops.append(reloader.watch(service.clock.ticker(1), service.stop))
                    service.clock.start()
                    gc.freeze()  # thousands of feeds and topics stay: looking at them again would hold up the loop
                    systemd.ready("started")
                    await _run_until_stopped(loops, service.housekeeping(role).run(), service, signals)
                if signals.ending is not None:
                    tm.log().info("run.stopped")
                    return _INTERRUPTED if signals.ending == signal.SIGINT else 0
                gc.unfreeze()
                gc.collect()  # what the old plan leaves must not be frozen with the new one
                config = reloader.take() or config
                on_plan(config)
        finally:
            beside = [task for task in (pulse, watching, supervisor) if task is not None]
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


async def open_housing(
    config: Config, settings: Settings, env: Mapping[str, str], stack: AsyncExitStack
) -> factory.Backend:
    """The store is there and fit; it is closed, and its server stopped if it is ours, with `stack`."""
    backend = await factory.open_store(settings, config, env)
    if backend.server is not None:
        stack.push_async_callback(backend.server.stop)
    stack.push_async_callback(backend.store.close)
    tm.build_info.labels(__version__, platform.python_version()).set(1)
    return backend


async def _status(overview: Overview, config: Config) -> str:
    """How things stand, in a few words for `systemctl status`."""
    if HEALTH.refused:
        return HEALTH.refused
    try:
        depths = await overview.depths([part.name for part in config.receivers])
    except StoreError as error:
        return str(error)
    waiting = depths.pushed + depths.articles + depths.retry + sum(depths.outbox.values())
    return f"{len(config.sources)} sources, {waiting} in the queues, {depths.parked} hits for the next editions"


class _Signals:
    """What the operator wants: SIGINT and SIGTERM end, a second one at once; SIGHUP reads the configuration again."""

    def __init__(self, reloader: Reloader, systemd: Systemd) -> None:
        self.ending: signal.Signals | None = None
        self._reloader = reloader
        self._systemd = systemd
        self._service: Service | None = None
        self._asking: set[asyncio.Task[Any]] = set()
        self.refused: Callable[[Reload], Awaitable[None]] | None = None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end, number)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        reloader.begun, reloader.adopted, reloader.stayed = systemd.reloading, self._stop, self._stay

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
        asking = asyncio.ensure_future(self._reloader.ask("SIGHUP"))
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


# `watchpost run --once`: read every source once, match, close every open digest now, deliver, end.


async def run(
    config: Config, settings: Settings, env: Mapping[str, str], role: Role, progress: Progress = silent
) -> int:
    """Do each role's work once, in the order of an article's way. Returns 0, or 5 if a delivery remains unsent.

    What remains stays queued. `progress` hears how many of how many feeds have been read. Raises StoreError if the
    store is not there.
    """
    async with AsyncExitStack() as stack:
        backend = await open_housing(config, settings, env, stack)
        install = await backend.store.prepare(factory.new_install_id())
        await Ledger(backend.store).open()
        service = Service(config, settings, backend, install, stack, progress=progress)
        tm.log().info("run.starting", **factory.describe(config, service.groups))
        poller = service.poller() if role in ("poll", "all") else None
        matcher = service.matcher() if role in ("match", "all") else None
        complete = await _read_and_match(poller, matcher)
        code = await _notify(service) if role in ("notify", "all") else OK
        return code if complete else PARTIAL


async def _read_and_match(poller: Poller | None, matcher: Matcher | None) -> bool:
    """Everything is read and matched; side by side, for a small queue has no room for all at once."""
    reading = asyncio.ensure_future(poller.once()) if poller is not None else None
    while matcher is not None and reading is not None and not reading.done():
        await matcher.once()
        await asyncio.wait({reading}, timeout=0.05)
    complete = await reading if reading is not None else True
    if matcher is not None:
        await matcher.once()
    return complete


async def _notify(service: Service) -> int:
    dispatcher, senders = service.notifier()
    outbox, names = service.outbox, [part.name for part in service.config.receivers]
    for name in names:
        await outbox.create_outbox(name)
    dead = await outbox.dead()
    await dispatcher.run_once()
    await outbox.queue_due_retries()
    while True:
        dealt_with = sum([await sender.once() for sender in senders])
        # What is meant for a receiver that is held stays queued.
        if not (await outbox.unsent([sender.name for sender in senders if not sender.held]))[0]:
            break
        if not dealt_with:
            # An entry that another notifier holds is either sent by it or, once its lease is over, by us.
            await until_available(0.2, service.stop)
    stranded = await outbox.stranded(names)
    for receiver, count in stranded.items():
        tm.log().warning("delivery.stranded", receiver=receiver, count=count)
    waiting, parked = await outbox.unsent(names)
    unsent = waiting or parked or stranded or await outbox.waiting_groups() or await outbox.dead() > dead
    return PARTIAL if unsent else OK
