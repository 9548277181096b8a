"""The dispatcher: closes each group's window when it is due. The composer says what the window sends and keeps.

What it closes waits in the queue of its receiver, from where a sender takes it (sender.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from watchpost import failpoints, tracing
from watchpost import log as tm
from watchpost.errors import StoreError
from watchpost.garbage import uncollected
from watchpost.health import HEALTH
from watchpost.model import Group
from watchpost.notify.composer import ComposedDigest, Composer
from watchpost.notify.schedule import Window, due, wait_ends
from watchpost.pauses import Pauses
from watchpost.schedules import Immediate
from watchpost.store.client import pause
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.windows import HELD, Bucket, GroupState, base_of

_PAUSE_SECONDS = 1.0
_ALERTS_AT_ONCE = 4
_MOST_LINKS = 100  # traces of hits that the trace of a window links to


class Dispatcher:
    """Closes windows until `stop` is set. `tick` returns each second; a new hit wakes the loop earlier."""

    def __init__(
        self,
        groups: Sequence[Group],
        receivers: Collection[str],
        store: DeliveryStore,
        composer: Composer,
        *,
        tick: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        clock: Callable[[], datetime],
    ) -> None:
        self._groups = {group.key: group for group in groups}
        self._receivers = receivers
        self._store = store
        self._composer = composer
        self._tick = tick
        self._stop = stop
        self._clock = clock
        self._wake = asyncio.Event()
        self._stranded: set[str] = set()
        self._failed: set[str] = set()
        self._outages = Pauses()
        self._closing: dict[tuple[str, bool], asyncio.Task[None]] = {}  # by receiver, and whether they are alerts
        # Each holds the hits of a window in memory; those of a digest may be thousands.
        self._alerts_at_once, self._digests_at_once = asyncio.Semaphore(_ALERTS_AT_ONCE), asyncio.Semaphore(1)

    async def run(self) -> None:
        """Run until `stop` is set."""
        try:
            async with asyncio.TaskGroup() as tasks:
                listener = tasks.create_task(self._wake_on_hits())
                tasks.create_task(self._wake_on_ticks())
                await self._close_windows()
                listener.cancel()
            await asyncio.gather(*self._closing.values(), return_exceptions=True)
        finally:
            for task in self._closing.values():
                task.cancel()

    async def run_once(self) -> None:
        """Close every window that holds hits, until no bucket has any (`run --once`). What is held stays held."""
        await self._store.register([*self._groups], self._clock() - timedelta(seconds=1))
        await self.close_due(everything=True)
        before = -1
        while (buckets := await self._store.waiting_groups()) and buckets != before:
            await self.close_due(everything=True)
            before = -1 if buckets > await self._store.waiting_groups() else buckets

    async def _close_windows(self) -> None:
        enrolled = False
        while not self._stop.is_set():
            HEALTH.beat("notify")
            self._wake.clear()
            soonest = None
            try:
                if not enrolled:
                    await self._store.register([*self._groups], self._clock())
                    enrolled = True
                soonest = await self._begin_due()
            except StoreError as error:
                self._note_outage(error)
            wait = (soonest - self._clock()).total_seconds() if soonest else 60.0
            await pause(max(0.0, wait), self._wake)

    async def _wake_on_ticks(self) -> None:
        while not self._stop.is_set():
            await self._tick()
            self._wake.set()
        self._wake.set()

    async def _wake_on_hits(self) -> None:
        while not self._stop.is_set():
            try:
                async for _ in self._store.new_hits(self._stop):
                    self._wake.set()
            except StoreError:
                await pause(_PAUSE_SECONDS, self._stop)

    async def close_due(self, *, everything: bool = False) -> datetime | None:
        """Close each window that is due; with `everything`, each that holds hits. Returns when the next may be due."""
        soonest = await self._begin_due(everything=everything)
        await asyncio.gather(*self._closing.values())
        return soonest

    async def _begin_due(self, *, everything: bool = False) -> datetime | None:
        """Begin to close what is due: no receiver delays another, and no digest delays an alert.

        What is due for a receiver while others of its windows are being closed is left for the next time.
        """
        # The store's clock dates the hits, so it closes their windows, too.
        now, states = await self._store.look([*self._groups])
        self._outages.note("", self._clock())
        soonest: datetime | None = None
        due_of: dict[tuple[str, bool], list[tuple[Group, GroupState, Window]]] = {}
        for key, state in states.items():
            group = self._group(key)
            if group is None:
                continue
            window = self._due_window(group, state, now, everything or base_of(key) not in self._groups)
            if window is not None:
                is_alert = isinstance(group.schedule, Immediate)
                due_of.setdefault((group.receiver, is_alert), []).append((group, state, window))
                continue
            waits_until = state.until if key.endswith(HELD) else wait_ends(group.schedule, state.opened, now)
            soonest = min(filter(None, (soonest, waits_until)), default=None)
        for kind, windows in due_of.items():
            if kind not in self._closing:
                at_once = self._alerts_at_once if kind[1] else self._digests_at_once
                task = self._closing[kind] = asyncio.ensure_future(self._close_all(windows, now, at_once))
                task.add_done_callback(partial(self._has_closed, kind))
        return soonest

    async def _close_all(
        self, windows: Sequence[tuple[Group, GroupState, Window]], now: datetime, at_once: asyncio.Semaphore
    ) -> None:
        """Close these windows of one receiver, one after the other: its messages keep their order."""
        for group, state, window in windows:
            async with at_once:
                if await self._close_safely(group, state, window, now):
                    self._wake.set()  # more hits may have come meanwhile

    def _has_closed(self, kind: tuple[str, bool], task: asyncio.Task[None]) -> None:
        del self._closing[kind]
        error = None if task.cancelled() else task.exception()
        if isinstance(error, StoreError):
            self._note_outage(error)
        elif error is not None:
            raise error

    def _note_outage(self, error: StoreError) -> None:
        tm.store_errors.labels(type(error).__name__).inc()
        self._outages.note("store", self._clock())

    def _group(self, key: str) -> Group | None:
        """The group of that key. Held hits form a group of their own, which closes like the one they come from."""
        base = self._groups.get(base_of(key))
        return replace(base, key=key) if base is not None else self._orphan(key)

    def _orphan(self, key: str) -> Group | None:
        """A group whose schedule is no longer configured: its hits are sent at once, if its receiver still exists."""
        receiver, _, _ = key.partition("|")
        if receiver in self._receivers:
            tm.log().warning("group.orphaned", group=key)
            schedule = next(iter(self._groups.values())).schedule if self._groups else None
            return None if schedule is None else Group(key, receiver, replace(schedule, voices=1))
        if key not in self._stranded:
            self._stranded.add(key)
            tm.log().warning("group.stranded", receiver=receiver, count="some")
        return None

    def _due_window(self, group: Group, state: GroupState, now: datetime, at_once: bool) -> Window | None:
        if group.key.endswith(HELD) and state.opened and base_of(group.key) in self._groups:
            return Window(state.opened, now) if state.until is None or state.until <= now else None
        if at_once:
            return Window(state.closed or state.opened or now, now) if state.opened else None
        if isinstance(group.schedule, Immediate):
            return due(group.schedule, state.opened, state.closed, now, state.flooded)
        if self._composer.quiet_until(group.receiver, "", now) is not None:
            return None  # quiet hours hold a digest as a whole
        window = due(group.schedule, state.opened, state.closed, now)
        if window is not None and self._composer.quiet_until(group.receiver, "", window.end) is not None:
            return replace(window, late=timedelta(0))  # quiet hours made it late, not a service that was down
        return window

    async def _close_safely(self, group: Group, state: GroupState, window: Window, now: datetime) -> bool:
        """Whether it is closed. What is wrong with one digest is logged once, and counted."""
        try:
            with uncollected():
                return await self._close(group, state, window, now)
        except StoreError:
            raise
        except Exception as error:  # a digest that cannot be composed must not hold up the others
            if group.key not in self._failed:
                self._failed.add(group.key)
                tm.log().exception("group.failed", group=group.key, error=type(error).__name__)
            tm.digests.labels(group.receiver, "failed").inc()
            return False

    async def _close(self, group: Group, state: GroupState, window: Window, now: datetime) -> bool:
        bucket = await self._store.peek(group.key)
        parents = [hit.article.trace for hit in bucket.hits][:_MOST_LINKS]
        with tracing.span("notify.close", parents, receiver=group.receiver) as trace:
            composed = await self._composer.compose(
                group, bucket, window, now, flooded=state.flooded, outage=self._outages.last
            )
            deliveries = composed.deliveries
            if trace:
                deliveries = tuple(replace(each, message=replace(each.message, trace=trace)) for each in deliveries)
            closed = await self._store.close(
                bucket,
                window.end,
                deliveries,
                composed.notes,
                composed.withheld,
                fingerprint=self._composer.fingerprint,
                fates=composed.fates,
                escalations=composed.escalations,
            )
        if closed:
            _count(composed, bucket, group.receiver)
            tm.digest_lateness.observe(max(0.0, (now - window.end).total_seconds()))
            failpoints.point("notify.closed")
        return closed


def _count(composed: ComposedDigest, bucket: Bucket, receiver: str) -> None:
    """Metrics and log of a window that was closed."""
    digest = composed.digest
    if digest is None:
        tm.digests.labels(receiver, "empty").inc()
    else:
        tm.digests.labels(receiver, "sent" if digest.stories or digest.flooded else "heartbeat").inc()
        tm.digest_stories.labels(receiver).observe(len(digest.stories))
        if digest.flooded:
            tm.limits_applied.labels("hits_per_topic_per_hour").inc()
    for decision in composed.decisions:
        tm.alert_hits.labels(receiver, decision.reason).inc(len(decision.hits))
        if decision.reason == "limit":
            tm.limits_applied.labels("digests_per_receiver_per_hour").inc()
    for (silence, topic), count in composed.silenced.items():
        tm.hits_silenced.labels(topic).inc(count)
        tm.log().info("hits.silenced", receiver=receiver, silence=silence, count=count)
    if bucket.damaged:
        tm.dead_letters.labels("parked", "codec").inc(len(bucket.damaged))
        tm.log().error("hits.dead", receiver=receiver, count=len(bucket.damaged), detail=bucket.damaged[0][0])
