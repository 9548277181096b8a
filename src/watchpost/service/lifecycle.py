"""One process from start to end: set up, run until a signal, reload on request, end.

The end: no new work, a few seconds for work in progress, then connections close, then the embedded server stops.
Whatever is cut short is still in the queue; nothing depends on a clean end.
"""

from __future__ import annotations

import asyncio
import gc
import os
import platform
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from watchpost import __version__
from watchpost import log as tm
from watchpost.config.config import Config, Reload
from watchpost.config.settings import Settings
from watchpost.errors import StoreError, WatchpostError
from watchpost.exit_codes import OK, PARTIAL
from watchpost.health import HEALTH
from watchpost.match.matcher import Topics
from watchpost.match.worker import Matcher
from watchpost.model import Digest
from watchpost.notify.digest_builder import deliveries_of
from watchpost.notify.notices import lost_notice, refused_notice
from watchpost.operations import factory
from watchpost.operations.previews import DigestPreviews
from watchpost.operations.reloading import Reloader
from watchpost.poll.poller import Poller, Progress, silent
from watchpost.scheduler import utc_now
from watchpost.service import descriptors
from watchpost.service.housekeeping import Housekeeping, leave
from watchpost.service.recovery import Loss, Recovery
from watchpost.service.service import Role, Service
from watchpost.service.systemd import Systemd
from watchpost.store.client import Store, pause
from watchpost.store.ledger import Ledger
from watchpost.store.local_copy import LocalCopy
from watchpost.store.overview import Overview
from watchpost.web import server
from watchpost.web.context import WebContext

GRACE_SECONDS = 3.0
RELOAD_GRACE_SECONDS = 20.0
_INTERRUPTED = 130
_TURN_SECONDS = 0.0005
_TRIES = 5


async def serve(
    config: Config,
    settings: Settings,
    env: Mapping[str, str],
    role: Role,
    *,
    reread: Callable[[], Config],
    adopt: Callable[[Config], None] = lambda config: None,
    progress: Progress = silent,
) -> int:
    """Run until a signal. Returns the exit code: 0, or 130 after Ctrl-C. Raises StoreError if it cannot start.

    A reload calls `reread` for the new configuration, `adopt` with it, and starts the loops again over the same store.
    If `reread` raises WatchpostError, the mistakes are reported and the loops go on.
    """
    take_short_turns()
    limit = descriptors.ask()
    if limit < descriptors.WANTED:
        tm.log().info("files.few", limit=limit, wanted=descriptors.WANTED)
    async with AsyncExitStack() as process:
        # The store comes first: everything else needs it, and it is closed last.
        backend = await open_backend(config, settings, env, process)
        store = backend.store
        process.push_async_callback(leave, store, role)
        install = await store.prepare(backend.identity.install)
        await Ledger(store).open()
        knows = role in ("match", "notify", "all")
        copy = LocalCopy(store, hits_ttl_ms=int(config.retention.dedup.total_seconds() * 1000)) if knows else None
        recovery = Recovery(store, backend.identity, backend.identity_file, copy)

        # What lives as long as the process: signals, systemd, the pulse, the address of the pages.
        systemd, overview = Systemd(env), Overview(store)
        notices = _Notices(store, install) if role in ("notify", "all") else None  # one of several processes reports
        control = _Control(config, reread, systemd, notices, recovery)
        if backend.emptied:
            loss = Loss(running=False)
            tm.log().error("redis.emptied", detail=str(loss))
            await control.lost(loss)
        listener = server.Listener()
        process.callback(listener.close)
        beside = [HEALTH.run(), systemd.watch(HEALTH, lambda: _status(overview, config))]
        if backend.server is not None:
            beside.append(backend.server.supervise())
        process.push_async_callback(_cancel, [asyncio.ensure_future(one) for one in beside])

        # One round for each configuration.
        topics = Topics([])  # kept between rounds, so that a reload compiles only the topics that changed
        while True:
            async with AsyncExitStack() as round_:
                service = Service(config, settings, backend, install, round_, topics=topics, progress=progress)
                control.steer(service)
                tm.log().info("run.starting", **factory.describe(config, service.groups))
                loops = service.loops(role)
                if role in ("all", "web") or settings.http_listen:
                    loops.append(_pages(service, control.reloader, role, listener))
                if config.watch:
                    loops.append(control.reloader.watch(service.clock.ticker(1), service.stop))
                service.clock.start()
                gc.freeze()  # thousands of feeds and topics stay: scanning them again would hold up the loop
                systemd.ready("started")
                await _run_until_stopped(loops, service, role, control)
            if control.ending is not None:
                tm.log().info("run.stopped")
                return _INTERRUPTED if control.ending == signal.SIGINT else OK
            gc.unfreeze()
            gc.collect()  # what the old configuration leaves must not be frozen with the new one
            config = control.reloader.take() or config
            adopt(config)


def take_short_turns() -> None:
    """Let a thread that computes keep the loop waiting for half a millisecond, each time that the loop comes back.

    Python's default is ten times as long, and a step of the loop comes back often: after each message to the store.
    """
    sys.setswitchinterval(_TURN_SECONDS)


async def open_backend(
    config: Config, settings: Settings, env: Mapping[str, str], stack: AsyncExitStack
) -> factory.Backend:
    """The store, checked; it is closed with `stack`, and the embedded server stopped if there is one."""
    backend = await factory.open_store(settings, config, env)
    if backend.server is not None:
        stack.push_async_callback(backend.server.stop)
    stack.push_async_callback(backend.store.close)
    tm.build_info.labels(__version__, platform.python_version()).set(1)
    return backend


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _status(overview: Overview, config: Config) -> str:
    """The state in a few words, for `systemctl status`."""
    if HEALTH.refused:
        return HEALTH.refused
    try:
        depths = await overview.depths([part.name for part in config.receivers])
    except StoreError as error:
        return str(error)
    waiting = depths.pushed + depths.articles + depths.retry + sum(depths.outbox.values())
    return f"{len(config.sources)} sources, {waiting} in the queues, {depths.parked} hits waiting for a digest"


async def _pages(service: Service, reloader: Reloader, role: Role, listener: server.Listener) -> None:
    """Serve pages, API and probes until the service stops. Raises WatchpostError if nothing else runs here."""
    config, store = service.config, service.store

    async def bound(address: str) -> None:
        tm.log().info("http.listening", listen=address)

    archive = factory.build_archive(service.settings, config)
    previews = DigestPreviews(config, store)
    context = WebContext(config, store, HEALTH, reloader, previews, service.stop, role, archive)
    try:
        await server.serve(context, listener, bound)
    except OSError as error:
        # asyncio puts the address into strerror as well
        why = os.strerror(error.errno) if error.errno else str(error)
        if role == "web":
            raise WatchpostError(f"cannot listen on {config.listen}: {why}") from error
        # The roles must not end because the port of the pages is taken.
        tm.log().warning("http.not_listening", detail=f"{config.listen}: {why}")


class _Control:
    """What ends or restarts the loops: SIGINT and SIGTERM end them, SIGHUP and the reloader restart them."""

    def __init__(
        self,
        config: Config,
        reread: Callable[[], Config],
        systemd: Systemd,
        notices: _Notices | None,
        recovery: Recovery,
    ) -> None:
        self.recovery = recovery
        self.ending: signal.Signals | None = None
        self.reloader = Reloader(
            config, reread, utc_now, started=systemd.reloading, adopted=self._stop_loops, kept=self._kept
        )
        self._systemd = systemd
        self._notices = notices
        self._service: Service | None = None
        self._reloads: set[asyncio.Task[Any]] = set()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end, number)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    def steer(self, service: Service) -> None:
        """From now on these loops are the ones to stop."""
        self._service = service
        if self.ending is not None:
            service.stop.set()

    def _end(self, number: signal.Signals) -> None:
        if self.ending is not None:
            os._exit(_INTERRUPTED)  # the second signal: the queue is on disk, nothing is lost
        self.ending = number
        self._systemd.stopping()
        self._stop_loops()

    def _hang_up(self) -> None:
        reload = asyncio.ensure_future(self.reloader.reload("SIGHUP"))
        self._reloads.add(reload)
        reload.add_done_callback(self._reloads.discard)

    async def lost(self, loss: Loss) -> None:
        """The store lost its data: report it to the receiver `ops`."""
        if self._notices is not None:
            await self._notices.lost(self.reloader.config, loss)

    def _stop_loops(self) -> None:
        if self._service is not None:
            self._service.stop.set()

    async def _kept(self, reload: Reload) -> None:
        """The running configuration stays."""
        self._systemd.ready("running" if reload.ok else "the new configuration has mistakes and is not used")
        if not reload.ok and self._notices is not None:
            await self._notices.refused(self.reloader.config, reload)


class _Notices:
    """Messages to the receiver `ops` about mistakes in the configuration, each once. Without `ops` it does nothing."""

    def __init__(self, store: Store, install: str) -> None:
        self._store = store
        self._install = install
        self._sent: set[tuple[str, ...]] = set()

    async def refused(self, config: Config, reload: Reload) -> None:
        """`config` goes on running because a newer one has mistakes. A failing store is only counted."""
        if reload.complaints in self._sent:
            return
        installation = factory.installation_of(config, self._install)
        digest = refused_notice(config.ops, reload.complaints, reload.at, installation)
        if await self._send(config, digest):
            self._sent.add(reload.complaints)

    async def lost(self, config: Config, loss: Loss) -> None:
        """The store lost its data. Of several processes that notice it one reports it."""
        try:
            async with self._store.errors():
                first = await self._store.redis.sadd(self._store.keys.restored, "notice")
                await self._store.redis.expire(self._store.keys.restored, 3600)
        except StoreError as error:
            tm.store_errors.labels(type(error).__name__).inc()
            return
        if first:
            installation = factory.installation_of(config, self._install)
            await self._send(config, lost_notice(config.ops, str(loss), utc_now(), installation))

    async def _send(self, config: Config, digest: Digest) -> bool:
        part = next((one for one in config.receivers if one.name == config.ops), None)
        if part is None:
            return False
        receiver = factory.build_receivers(config, self._install, factory.terminal())[part.name]
        try:
            deliveries = deliveries_of(digest, receiver.render(digest))
            breaker = factory.build_breaker(self._store, part)
            for _ in range(_TRIES):  # another process may change the receiver's state at the same moment
                if await breaker.save((await breaker.check()).state, deliveries):
                    return True
        except StoreError as error:
            tm.store_errors.labels(type(error).__name__).inc()
        return False


async def _run_until_stopped(
    loops: Sequence[Coroutine[Any, Any, None]], service: Service, role: Role, control: _Control
) -> None:
    """Run the loops until the service stops, and the housekeeping until the last loop has ended.

    If one loop fails, all are stopped and its error is raised: a half-running service is worse than none.
    """
    over = asyncio.Event()
    keeping = asyncio.ensure_future(
        Housekeeping(role, service, control.reloader, over, control.recovery, control.lost).run()
    )
    tasks = [asyncio.ensure_future(loop) for loop in loops]
    halt = asyncio.ensure_future(service.stop.wait())
    running = {*tasks, keeping, halt}
    while not halt.done() and not any(task.done() and task.exception() for task in (*tasks, keeping)):
        _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    tm.log().info("run.stopping")
    service.stop.set()
    service.clock.stop()
    halt.cancel()
    # Only an end is urgent: a reload lets what is being sent take its time.
    grace = GRACE_SECONDS if control.ending is not None else RELOAD_GRACE_SECONDS
    done, late = await asyncio.wait(tasks, timeout=grace)
    over.set()
    for task in (*late, keeping):
        task.cancel()
    await asyncio.gather(*late, keeping, return_exceptions=True)
    for task in (*done, keeping):
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


async def run(
    config: Config, settings: Settings, env: Mapping[str, str], role: Role, progress: Progress = silent
) -> int:
    """`run --once`: read every source, match, close every digest now, deliver, end.

    Returns 0, or 5 if something remains; what remains stays queued. `progress` is called with how many of how many
    feeds have been read. Raises StoreError if the store is not available.
    """
    async with AsyncExitStack() as stack:
        backend = await open_backend(config, settings, env, stack)
        install = await backend.store.prepare(backend.identity.install)
        await Ledger(backend.store).open()
        service = Service(config, settings, backend, install, stack, progress=progress)
        tm.log().info("run.starting", **factory.describe(config, service.groups))
        poller = service.poller() if role in ("poll", "all") else None
        matcher = service.matcher() if role in ("match", "all") else None
        writer = service.archive_writer() if role in ("match", "all") else None
        linker = service.linker() if role in ("match", "all") else None
        complete = await _read_and_match(poller, matcher)
        if writer is not None:
            await writer.once()
        if linker is not None:
            await linker.once()
        code = await _notify(service) if role in ("notify", "all") else OK
        return code if complete else PARTIAL


async def _read_and_match(poller: Poller | None, matcher: Matcher | None) -> bool:
    """Read and match everything. Both at the same time: a small queue does not hold all articles at once."""
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
    await outbox.escalate_due()
    while True:
        done = sum([await sender.once() for sender in senders])
        # What is meant for a receiver that is held stays queued.
        if not (await outbox.unsent([sender.name for sender in senders if not sender.held]))[0]:
            break
        if not done:
            # Another notifier holds an entry: it sends it, or its lease ends and we do.
            await pause(0.2, service.stop)
    stranded = await outbox.stranded(names)
    for receiver, count in stranded.items():
        tm.log().warning("delivery.stranded", receiver=receiver, count=count)
    waiting, parked = await outbox.unsent(names)
    unsent = waiting or parked or stranded or await outbox.waiting_groups() or await outbox.dead() > dead
    return PARTIAL if unsent else OK
