"""The notifier's other loop: one receiver's deliveries, one after the other, oldest first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from time import perf_counter
from typing import assert_never

from watchpost import crash
from watchpost import telemetry as tm
from watchpost.errors import CodecError, StoreError
from watchpost.model import Delivered, Delivery, Outcome, TryLater
from watchpost.notify.journal import Journal
from watchpost.notify.receiver import Receiver
from watchpost.notify.retry import SCHEDULE, Again, Bury, Finish, Step, next_step
from watchpost.wire.outbox import Outbox
from watchpost.wire.store import patiently
from watchpost.wire.stream import Claims, Entry

_WAIT_SECONDS = 1.0


class Sender:
    """Sends to one receiver until `stop` is set. `tick` returns each few seconds: renew, look for abandoned work.

    `journal` may be None where there is no disk to write to; a crash between "yes" and DONE is then a repeat.
    """

    def __init__(
        self,
        receiver: Receiver,
        outbox: Outbox,
        claims: Claims,
        journal: Journal | None,
        *,
        tick: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        clock: Callable[[], datetime],
        schedule: Sequence[timedelta] = SCHEDULE,
    ) -> None:
        self._receiver = receiver
        self._outbox = outbox
        self._claims = claims
        self._journal = journal
        self._tick = tick
        self._stop = stop
        self._clock = clock
        self._schedule = schedule
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        """The daemon: deliveries as they come, and those that a silent notifier left."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._new())
            tasks.create_task(self._abandoned())

    async def once(self) -> int:
        """Send what waits right now, abandoned work included; returns how many entries were dealt with."""
        entries = await self._claims.take(1, block=False) or await self._claims.reclaim(1)
        await self._work(entries)
        return len(entries)

    async def _new(self) -> None:
        opened = False
        while not self._stop.is_set():
            try:
                if not opened:
                    await self._outbox.open_box(self._receiver.name)
                    opened = True
                await self._work(await self._claims.take(1))
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()
                await patiently(_WAIT_SECONDS, self._stop)

    async def _abandoned(self) -> None:
        while not self._stop.is_set():
            await self._tick()
            try:
                await self._claims.renew()
                if not self._one_at_a_time.locked():
                    entries = await self._claims.reclaim(1)
                    tm.taken_over.labels("outbox").inc(len(entries))
                    await self._work(entries)
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()

    async def _work(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            async with self._one_at_a_time:
                try:
                    await self._one(entry)
                finally:
                    self._claims.let_go(entry)

    async def _one(self, entry: Entry) -> None:
        name = self._receiver.name
        if entry.poisonous:
            tm.log().error("queue.poison", queue=f"outbox of {name}")
            await self._bury(entry, "poison", f"taken {entry.taken_before} times without a result", "a message")
            return
        try:
            delivery = await self._outbox.delivery(entry)
        except CodecError as error:
            await self._bury(entry, "codec", str(error), "a message")
            return
        if delivery is None or (self._journal and self._journal.knows(delivery.id, self._clock())):
            await self._until_done(entry)
            return
        crash.point("notify.claimed")
        outcome = await self._send(delivery)
        if isinstance(outcome, Delivered):
            crash.point("notify.sent")
            self._note(delivery)
            crash.point("notify.journaled")
        await self._carry_out(next_step(outcome, delivery.attempt, delivery.id, self._schedule), entry, delivery)

    async def _send(self, delivery: Delivery) -> Outcome:
        begun = perf_counter()
        try:
            outcome = await self._receiver.send(delivery)
        except Exception as error:  # a receiver promises not to raise; if it does, the message must not be lost
            tm.log().exception("receiver.raised", receiver=self._receiver.name)
            outcome = TryLater("unknown", f"{type(error).__name__} in the receiver")
        kind, reason = type(outcome).__name__.lower(), getattr(outcome, "reason", "")
        tm.attempts.labels(self._receiver.name, kind, reason).inc()
        tm.delivery_seconds.labels(self._receiver.name).observe(perf_counter() - begun)
        return outcome

    def _note(self, delivery: Delivery) -> None:
        if self._journal is not None:
            try:
                self._journal.write(delivery.id, self._clock())
            except OSError as error:  # a full disk: DONE in Redis is still ahead
                tm.log().warning("warning", text=f"the journal of deliveries cannot be written: {error}")

    async def _carry_out(self, step: Step, entry: Entry, delivery: Delivery) -> None:
        name, what = self._receiver.name, delivery.message.subject
        match step:
            case Finish():
                await self._until_done(entry)
                tm.end_to_end.labels(name).observe((self._clock() - delivery.created).total_seconds())
                tm.log().info(
                    "delivery.done", receiver=name, what=what, digest=delivery.digest, attempt=delivery.attempt
                )
            case Again(delay, state, error):
                await self._outbox.retry(name, entry, delay, state, error)
                tm.log().warning(
                    "delivery.waits",
                    receiver=name,
                    what=what,
                    error=error,
                    delay=f"{delay.total_seconds():.0f} s",
                )
            case Bury(reason, detail):
                await self._bury(entry, reason, detail, what)
            case _ as never:
                assert_never(never)

    async def _until_done(self, entry: Entry) -> None:
        """It arrived; only Redis must still be told. While it cannot be, keep trying: sending again would be worse."""
        while True:
            try:
                await self._outbox.done(self._receiver.name, entry)
                crash.point("notify.done")
                return
            except StoreError:
                if self._stop.is_set():
                    return  # the journal knows; the next start says DONE
                await patiently(_WAIT_SECONDS, self._stop)

    async def _bury(self, entry: Entry, reason: str, detail: str, what: str) -> None:
        tm.dead_letters.labels("outbox", reason).inc()
        tm.log().error("delivery.dead", receiver=self._receiver.name, what=what, reason=reason, detail=detail)
        await self._outbox.bury(self._receiver.name, entry, reason, detail)
