"""The housekeeping of one process: does the store take what we say, are we among those who work, do the sums meet."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import suppress

from watchpost import __version__
from watchpost import log as tm
from watchpost.config.config import Config, Reload
from watchpost.config.diff import effective
from watchpost.errors import StoreBusy, StoreError
from watchpost.health import HEALTH
from watchpost.notify.sender import Journal
from watchpost.operations import factory
from watchpost.operations.reloading import Reloader
from watchpost.scheduler import Scheduler, utc_now
from watchpost.store.client import Store, until_available
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.ledger import Ledger, gaps
from watchpost.store.overview import Overview
from watchpost.store.running_config import RunningConfig, RunningConfigs, pack

_LOOK_SECONDS = 2.0
_ROUNDS = 30  # between two tidyings
_LEAVE_SECONDS = 1.0


class Housekeeping:
    """Looks each 2 s, tidies each minute, until `over` is set: while loops finish their work the process still works.

    `reloads` knows since when the plan runs, and whether a newer one was refused. `journal` is the notifier's.
    """

    def __init__(
        self,
        role: str,
        config: Config,
        store: Store,
        outbox: DeliveryStore,
        clock: Scheduler,
        stop: asyncio.Event,
        over: asyncio.Event,
        *,
        reloader: Reloader | None = None,
        journal: Journal | None = None,
    ) -> None:
        self._role = role
        self._config = config
        self._store = store
        self._outbox = outbox
        self._stop = stop
        self._over = over
        self._reloader = reloader
        self._journal = journal
        self._tick = clock.ticker(_LOOK_SECONDS)
        self._name = factory.consumer_name(role)
        self._overview, self._ledger = Overview(store), Ledger(store)
        self._configurations = RunningConfigs(store)
        self._told: tuple[Reload, bytes] | None = None
        self._trouble = ""  # what was said of the store last

    async def run(self) -> None:
        """The daemon. What the store refuses is said once, and again when it is something else."""
        rounds = looks = 0
        while not self._over.is_set():
            try:
                await self._look(tidy=rounds % _ROUNDS == 0)
                if self._trouble:
                    tm.log().info("redis.back")
                self._trouble = HEALTH.refused = ""
                rounds += 1
            except StoreError as error:
                self._failed(error)
                rounds = 0  # when it is back, the sums are looked at first
            tm.store_up.set(not self._trouble)
            looks += 1
            if self._stop.is_set():
                await until_available(_LOOK_SECONDS, self._over)
            elif not self._trouble and not HEALTH.registered and looks < 20:  # the roles have only just begun
                await until_available(0.1, self._stop)
            else:
                await self._tick()

    async def _look(self, *, tidy: bool) -> None:
        if tidy:
            await self._tidy()
            await self._audit()
        await self._overview.ping()
        await self._publish(again=tidy)
        HEALTH.registered = not HEALTH.trouble()
        if HEALTH.registered:  # who lives but does not work is not counted among the workers
            facts = {"role": self._role, "version": __version__, "pid": os.getpid(), "paused": HEALTH.paused}
            await self._store.heartbeat(self._name, json.dumps(facts))

    def _failed(self, error: StoreError) -> None:
        full = isinstance(error, StoreBusy)
        HEALTH.registered = False
        HEALTH.refused = str(error) if full else ""
        tm.ledger_gap.clear()  # nobody knows now
        event = "redis.full" if full else "redis.lost"
        if self._trouble != event:
            tm.log().error(event, detail=str(error))
        self._trouble = event

    async def _publish(self, *, again: bool) -> None:
        """Each minute, and at once after a reload: what configuration runs here."""
        if self._reloader is None:
            return
        last = self._reloader.last
        if self._told is None or self._told[0] is not last:
            since, refused = self._reloader.since.isoformat(timespec="seconds"), last.complaints
            packed = await asyncio.to_thread(
                lambda: pack(
                    RunningConfig(self._role, self._config.fingerprint, since, effective(self._config), refused)
                )
            )
            self._told, again = (last, packed), True
        if again:
            await self._configurations.publish(self._role, self._told[1])

    async def _tidy(self) -> None:
        """Forget what is old; say what waits for a receiver that nobody has configured."""
        await self._store.prune()
        if self._journal is not None:
            self._journal.tidy(utc_now())
        for receiver, count in (await self._outbox.stranded([part.name for part in self._config.receivers])).items():
            tm.log().warning("delivery.stranded", receiver=receiver, count=count)

    async def _audit(self) -> None:
        """Do the sums of the ledger meet? If not, something was lost, and that is said loudly."""
        found = {gap.hop: gap for gap in gaps(await self._ledger.audit())}
        for hop in ("articles", "hits", "deliveries"):
            tm.ledger_gap.labels(hop).set(abs(found[hop].came - found[hop].went) if hop in found else 0)
        for gap in found.values():
            tm.log().error("ledger.gap", hop=gap.hop, text=str(gap))


async def leave(store: Store, role: str) -> None:
    """We end: from now on we are not counted among those who work. A store that hangs holds up nobody."""
    with suppress(StoreError, TimeoutError):
        async with asyncio.timeout(_LEAVE_SECONDS):
            await store.end_heartbeat(factory.consumer_name(role))
