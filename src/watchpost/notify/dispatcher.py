"""The notifier's loops: windows that are due → frozen digests → send → DONE, RETRY or DEAD.

One loop closes windows; one loop per receiver sends, so that a slow receiver holds up nobody else. The
decisions are schedule.py's (when), alerting.py's and digest.py's (what) and retry.py's (what next).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from watchpost import failpoints, tracing
from watchpost import log as tm
from watchpost.errors import StoreError
from watchpost.health import HEALTH
from watchpost.model import Group
from watchpost.notify.composer import Composer, tally
from watchpost.notify.schedule import Window, due, next_look
from watchpost.schedules import Immediate
from watchpost.store.client import until_available
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.windows import HELD, GroupState, base_of

_WAIT_SECONDS = 1.0
_LINKS = 100  # hits of an edition whose traces it is joined to


class Dispatcher:
    """Closes windows until `stop` is set. `tick` returns each second; a parked hit wakes it earlier."""

    def __init__(
        self,
        groups: Sequence[Group],
        receivers: Collection[str],
        outbox: DeliveryStore,
        composer: Composer,
        *,
        tick: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        clock: Callable[[], datetime],
    ) -> None:
        self._groups = {group.key: group for group in groups}
        self._receivers = receivers
        self._outbox = outbox
        self._composer = composer
        self._tick = tick
        self._stop = stop
        self._clock = clock
        self._wake = asyncio.Event()
        self._stranded: set[str] = set()
        self._failed: set[str] = set()

    async def run(self) -> None:
        """The daemon."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._close())
            tasks.create_task(self._hear())
            tasks.create_task(self._pulse())

    async def close_due(self, *, everything: bool = False) -> datetime | None:
        """Close each window that is due (`everything`: each that holds hits). Returns when the next one may be."""
        now = await self._outbox.now()  # hits were parked by the store's clock: windows close by it, too
        soonest: datetime | None = None
        for key, standing in (await self._outbox.standing(list(self._groups))).items():
            group = self._group(key)
            if group is None:
                continue
            window = self._window(group, standing, now, everything or base_of(key) not in self._groups)
            if window is not None:
                await self._close_safely(group, standing, window, now)
            look = None
            if window is None:
                held = key.endswith(HELD)
                look = standing.until if held else next_look(group.schedule, standing.opened, now)
            soonest = min(filter(None, (soonest, look)), default=None)
        return soonest

    def _group(self, key: str) -> Group | None:
        """The group of that key; what is held for a group is one of its own, and closes as that one does."""
        base = self._groups.get(base_of(key))
        return replace(base, key=key) if base is not None else self._orphan(key)

    def _window(self, group: Group, standing: GroupState, now: datetime, at_once: bool) -> Window | None:
        if group.key.endswith(HELD) and standing.opened and base_of(group.key) in self._groups:
            return Window(standing.opened, now) if standing.until is None or standing.until <= now else None
        if at_once:
            return Window(standing.closed or standing.opened or now, now) if standing.opened else None
        if isinstance(group.schedule, Immediate):
            return due(group.schedule, standing.opened, standing.closed, now, standing.flooded)
        if self._composer.quiet_until(group.receiver, "", now) is not None:
            return None  # a digest waits as it is
        window = due(group.schedule, standing.opened, standing.closed, now)
        if window is not None and self._composer.quiet_until(group.receiver, "", window.end) is not None:
            return replace(window, late=timedelta(0))  # nobody was late
        return window

    async def _close_safely(self, group: Group, standing: GroupState, window: Window, now: datetime) -> None:
        try:
            await self._close_one(group, standing, window, now)
        except StoreError:
            raise
        except Exception as error:  # one edition that cannot be laid out must not hold up the others
            if group.key not in self._failed:
                self._failed.add(group.key)
                tm.log().exception("group.failed", group=group.key, error=type(error).__name__)
            tm.digests.labels(group.receiver, "failed").inc()

    async def _close_one(self, group: Group, standing: GroupState, window: Window, now: datetime) -> None:
        parked = await self._outbox.peek(group.key)
        parents = [hit.article.trace for hit in parked.hits][:_LINKS]
        with tracing.span("notify.close", parents, receiver=group.receiver) as trace:
            edition = await self._composer.edition(group, parked, window, now, flooded=standing.flooded)
            deliveries = edition.deliveries
            if trace:
                deliveries = tuple(replace(one, message=replace(one.message, trace=trace)) for one in deliveries)
            closed = await self._outbox.close(
                parked, window.end, deliveries, edition.notes, edition.rest, fingerprint=self._composer.fingerprint
            )
        if closed:
            told = edition.digest is not None and (edition.digest.stories or edition.digest.flooded)
            outcome = "empty" if edition.digest is None else "sent" if told else "heartbeat"
            tm.digests.labels(group.receiver, outcome).inc()
            if edition.digest is not None:
                tm.digest_stories.labels(group.receiver).observe(len(edition.digest.stories))
            tm.digest_lateness.observe(max(0.0, (now - window.end).total_seconds()))
            tally(edition, group.receiver)
            if parked.damaged:
                tm.dead_letters.labels("parked", "codec").inc(len(parked.damaged))
                facts = {"count": len(parked.damaged), "detail": parked.damaged[0][0]}
                tm.log().error("hits.dead", receiver=group.receiver, **facts)
            failpoints.point("notify.closed")

    def _orphan(self, key: str) -> Group | None:
        """Hits parked under a schedule that is no longer configured: they go out at once, if anybody is there."""
        receiver, _, _ = key.partition("|")
        if receiver in self._receivers:
            tm.log().warning("group.orphaned", group=key)
            schedule = next(iter(self._groups.values())).schedule if self._groups else None
            return None if schedule is None else Group(key, receiver, schedule)
        if key not in self._stranded:
            self._stranded.add(key)
            tm.log().warning("group.stranded", receiver=receiver, count="some")
        return None

    async def _close(self) -> None:
        enrolled = False
        while not self._stop.is_set():
            HEALTH.beat("notify")
            self._wake.clear()
            soonest = None
            try:
                if not enrolled:
                    await self._outbox.enrol(list(self._groups), self._clock())
                    enrolled = True
                soonest = await self.close_due()
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()
            wait = (soonest - self._clock()).total_seconds() if soonest else 60.0
            await until_available(max(0.0, wait), self._wake)

    async def _pulse(self) -> None:
        while not self._stop.is_set():
            await self._tick()
            self._wake.set()
        self._wake.set()

    async def _hear(self) -> None:
        while not self._stop.is_set():
            try:
                async for _ in self._outbox.hints(self._stop):
                    self._wake.set()
            except StoreError:
                await until_available(_WAIT_SECONDS, self._stop)


async def run_once(closer: Dispatcher, outbox: DeliveryStore, groups: Sequence[Group], now: datetime) -> None:
    """Close every window that holds anything, now (`run --once`): as often as it takes to empty the buckets.

    What is held back until a later hour stays held.
    """
    await outbox.enrol([group.key for group in groups], now - timedelta(seconds=1))
    await closer.close_due(everything=True)
    left = -1
    while (parked := await outbox.parked()) and parked != left:
        await closer.close_due(everything=True)
        left = -1 if parked > await outbox.parked() else parked
