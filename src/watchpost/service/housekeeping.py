"""Housekeeping of one process: is the store usable, is this process registered, do the sums of the ledger match."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress

from watchpost import __version__
from watchpost import log as tm
from watchpost.config.config import Reload
from watchpost.config.diff import effective
from watchpost.errors import StoreBusy, StoreError, StoreUnreachable
from watchpost.health import HEALTH
from watchpost.operations import factory
from watchpost.operations.reloading import Reloader
from watchpost.scheduler import utc_now
from watchpost.service.recovery import Loss, Recovery
from watchpost.service.service import Role, Service
from watchpost.store.client import Store, pause
from watchpost.store.ledger import Ledger, gaps
from watchpost.store.rights import require_rights
from watchpost.store.running_config import RunningConfig, RunningConfigs, pack
from watchpost.store.silences import Silences
from watchpost.store.stories import Stories

_LOOK_SECONDS = 2.0
_EMBEDDED_LOOK_SECONDS = 5.0
_EMBEDDED_SERVER_LOOKS = 12  # a new connection costs more than all else in a look
_ROUNDS = 30  # between two tidyings
_LEAVE_SECONDS = 1.0


class Housekeeping:
    """Checks the store every 2 s and tidies every minute until `over` is set.

    It goes on while the loops finish their work, so that the process still counts as working.
    """

    def __init__(
        self,
        role: Role,
        service: Service,
        reloader: Reloader,
        over: asyncio.Event,
        recovery: Recovery,
        report: Callable[[Loss], Awaitable[None]],
    ) -> None:
        """`report` is called after a loss of data, for the receiver `ops`."""
        self._role = role
        self._service = service
        self._store = service.store
        self._reloader = reloader
        self._over = over
        self._recovery = recovery
        self._report = report
        self._external = service.settings.redis_url is not None
        # The embedded server is a child of ours, which restarts it: nobody puts another one in its place.
        self._tick = service.clock.ticker(_LOOK_SECONDS if self._external else _EMBEDDED_LOOK_SECONDS)
        self._name = factory.consumer_name(role)
        self._ledger = Ledger(service.store)
        self._configurations = RunningConfigs(service.store)
        self._stories, self._unindexed = Stories(service.store), "+"
        self._published: tuple[Reload, bytes] | None = None
        self._trouble = ""  # the event logged last about the store
        self._to_server = 0  # looks until the next one at the server

    async def run(self) -> None:
        """The loop. A store that fails is logged once, and again when it fails differently."""
        rounds = looks = 0
        while not self._over.is_set():
            try:
                await self._look(tidy=rounds % _ROUNDS == 0)
                if self._trouble:
                    tm.log().info("redis.back")
                self._trouble = HEALTH.refused = ""
                HEALTH.store_failing_since = None
                rounds += 1
            except StoreError as error:
                self._failed(error)
                rounds = self._to_server = 0  # when the store is back, look at the server and check the sums first
            except OSError as error:
                tm.log().warning("housekeeping.failed", detail=error.strerror or str(error))
            tm.store_up.set(not self._trouble)
            looks += 1
            if self._service.stop.is_set():
                await pause(_LOOK_SECONDS, self._over)
            elif not self._trouble and not HEALTH.registered and looks < 20:  # the roles have only just started
                await pause(0.1, self._service.stop)
            else:
                await self._tick()

    async def _look_at_server(self) -> None:
        """What was true of the store at the start is looked at again: which server it is, its role, our rights."""
        before = self._store.server
        found = await self._store.look()
        if self._external and before is not None and before.run_id != found.run_id:
            tm.log().warning("redis.moved", server=str(found))

    async def _look(self, *, tidy: bool) -> None:
        if self._external or self._to_server == 0:
            await self._look_at_server()
        self._to_server = (self._to_server or _EMBEDDED_SERVER_LOOKS) - 1
        loss = await self._recovery.look()
        if loss is not None:
            groups = [group.key for group in self._service.groups]
            await self._service.outbox.register(groups, await self._service.outbox.now())
            await self._report(loss)
        if tidy or loss is not None:
            await self._tidy()
            await self._audit()
        await self._publish(again=tidy or loss is not None)
        if self._unindexed:
            kept = self._service.config.retention.hits
            self._unindexed = await self._stories.index_earlier(self._unindexed, kept)
        HEALTH.registered = not HEALTH.trouble()
        if HEALTH.registered:  # a process that lives but does not work is no worker
            pause = HEALTH.polling.last
            facts: dict[str, object] = {
                "role": self._role,
                "version": __version__,
                "pid": os.getpid(),
                "paused": HEALTH.polling.reason,
            }
            if pause is not None:
                until = pause.until.timestamp() if pause.until is not None else None
                facts["last_pause"] = [pause.reason, pause.since.timestamp(), until]
            if (linking := HEALTH.linking.last) is not None and HEALTH.linking.reason:
                facts["linking"] = [linking.reason, linking.since.timestamp(), None]
            roles = ("poll", "match", "notify", "web") if self._role == "all" else (self._role,)
            await self._store.heartbeat(self._name, json.dumps(facts), roles)

    def _failed(self, error: StoreError) -> None:
        full = isinstance(error, StoreBusy)
        HEALTH.registered = False
        HEALTH.store_failing_since = HEALTH.store_failing_since or utc_now()
        HEALTH.refused = "" if isinstance(error, StoreUnreachable) else str(error)
        tm.ledger_gap.clear()  # unknown for now
        event = "redis.full" if full else "redis.lost"
        if self._trouble != event:
            tm.log().error(event, detail=str(error))
        self._trouble = event

    async def _publish(self, *, again: bool) -> None:
        """Each minute, and right after a reload: which configuration runs here."""
        last = self._reloader.last
        if self._published is None or self._published[0] is not last:
            config, since = self._service.config, self._reloader.since.isoformat(timespec="seconds")
            packed = await asyncio.to_thread(
                lambda: pack(RunningConfig(self._role, config.fingerprint, since, effective(config), last.complaints))
            )
            self._published, again = (last, packed), True
        if again:
            await self._configurations.publish(self._role, self._published[1])

    async def _tidy(self) -> None:
        """Forget what is old, and warn of deliveries for receivers that are no longer configured."""
        if self._external:
            await require_rights(self._store)
        await self._store.prune()
        tm.silences_deleted.inc(await Silences(self._store).tidy(utc_now()))
        if self._service.journal is not None:
            try:
                self._service.journal.tidy(utc_now())
            except OSError as error:  # the next minute tries again; everything else goes on
                tm.log().warning("housekeeping.failed", detail=error.strerror or str(error))
        names = [part.name for part in self._service.config.receivers]
        for receiver, count in (await self._service.outbox.stranded(names)).items():
            tm.log().warning("delivery.stranded", receiver=receiver, count=count)

    async def _audit(self) -> None:
        """Check the sums of the ledger. If they do not match, something was lost or counted twice: log an error."""
        found = {gap.hop: gap for gap in gaps(await self._ledger.audit())}
        for hop in ("articles", "hits", "deliveries"):
            tm.ledger_gap.labels(hop).set(found[hop].missing if hop in found else 0)
        fates = sum(gap.missing for gap in found.values() if gap.receiver)
        tm.ledger_gap.labels("fates").set(fates)
        for gap in found.values():
            tm.log().error("ledger.gap", hop=gap.hop, text=str(gap))


async def leave(store: Store, role: Role) -> None:
    """Take this process off the list of workers. A store that hangs delays the end by one second at most."""
    with suppress(StoreError, TimeoutError):
        async with asyncio.timeout(_LEAVE_SECONDS):
            await store.end_heartbeat(factory.consumer_name(role))
