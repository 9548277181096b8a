"""The notifier's other loop: one receiver's deliveries, one after the other, oldest first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from time import perf_counter
from typing import assert_never

from watchpost import crash, redaction, tracing
from watchpost import telemetry as tm
from watchpost.errors import CodecError, StoreError
from watchpost.model import Delivered, Delivery, Outcome, TryLater
from watchpost.notify.admission import Admission
from watchpost.notify.journal import Journal
from watchpost.notify.receiver import Receiver
from watchpost.notify.retry import Again, Bury, Finish, Keep, Step, next_step
from watchpost.wire.outbox import Outbox
from watchpost.wire.store import patiently
from watchpost.wire.stream import Claims, Entry

_WAIT_SECONDS = 1.0
_LOOK_SECONDS = 2.0  # a receiver that is held is looked at so often: somebody may enable it


class Sender:
    """Sends to one receiver until `stop` is set.

    `tick` and `tick_renew` return three times a lease: to look for abandoned work, and to renew what is held.
    `kind` is the receiver's, for the metrics.

    `journal` may be None where there is no disk to write to; a crash between "yes" and DONE is then a repeat.
    """

    def __init__(
        self,
        receiver: Receiver,
        outbox: Outbox,
        claims: Claims,
        admission: Admission,
        journal: Journal | None,
        *,
        tick: Callable[[], Awaitable[None]],
        tick_renew: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        clock: Callable[[], datetime],
        kind: str = "unknown",
    ) -> None:
        self._receiver = receiver
        self._outbox = outbox
        self._claims = claims
        self._admission = admission
        self._journal = journal
        self._tick = tick
        self._tick_renew = tick_renew
        self._stop = stop
        self._clock = clock
        self._kind = kind
        self._one_at_a_time = asyncio.Lock()
        tm.attempts.labels(receiver.name, kind, "delivered", "")  # from 0: the first one shows, too
        self._following: Entry | None = None  # what DONE handed out along with its answer

    async def run(self) -> None:
        """The daemon: deliveries as they come, and those that a silent notifier left."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._new())
                tasks.create_task(self._abandoned())
                tasks.create_task(self._renew())
        finally:
            with suppress(StoreError):
                await self._claims.leave()

    async def once(self) -> int:
        """Send what waits right now, abandoned work included; returns how many entries were dealt with.

        Nothing is sent while the receiver is held; `held` says so.
        """
        entries = self._held_over()
        if not entries and await self._admission.open():
            entries = await self._claims.reclaim(1, oldest=True) or await self._claims.take(1, block=False)
            self._admission.held = False
        await self._work(entries, go_on=True)
        return len(entries)

    @property
    def name(self) -> str:
        """The receiver's."""
        return self._receiver.name

    @property
    def held(self) -> bool:
        """Nothing goes to the receiver for now: it is paused, its breaker is open, or it is disabled."""
        return self._admission.held

    async def _new(self) -> None:
        opened = False
        while not self._stop.is_set() or self._following:
            try:
                if not opened:
                    await self._outbox.open_box(self._receiver.name)
                    opened = True
                await self._work(self._held_over() or await self._next(), go_on=True)
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()
                await patiently(_WAIT_SECONDS, self._stop)

    async def _abandoned(self) -> None:
        while not self._stop.is_set():
            await self._tick()
            try:
                if not self._one_at_a_time.locked() and await self._admission.open():
                    entries = await self._claims.reclaim(1)
                    tm.taken_over.labels("outbox").inc(len(entries))
                    await self._work(entries)
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()

    async def _renew(self) -> None:
        """What is being sent stays ours, however long the other side takes."""
        while not self._stop.is_set():
            await self._tick_renew()
            try:
                await self._claims.renew()
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()

    async def _next(self) -> tuple[Entry, ...]:
        """The next message: while the receiver is held none; afterwards first what was kept in its place."""
        if not await self._admission.open():
            await patiently(_LOOK_SECONDS, self._stop)
            return ()
        if self._admission.held and (kept := await self._claims.reclaim(1, oldest=True)):
            return kept
        self._admission.held = False
        return await self._claims.take(1)

    def _held_over(self) -> tuple[Entry, ...]:
        following, self._following = self._following, None
        return (following,) if following else ()

    async def _work(self, entries: Sequence[Entry], *, go_on: bool = False) -> None:
        """Deal with these entries. `go_on`: with the last DONE, take the next delivery along."""
        for entry in entries:
            async with self._one_at_a_time:
                try:
                    following = await self._one(entry, self._claims if go_on and not self._stop.is_set() else None)
                except asyncio.CancelledError:
                    # We end while the other side still thinks. That is no crash, and must not count as one.
                    with suppress(StoreError):
                        await self._outbox.give_back(self._receiver.name, entry)
                    raise
                finally:
                    self._claims.let_go(entry)
                if following is not None:
                    self._following = following

    async def _one(self, entry: Entry, then: Claims | None) -> Entry | None:
        name = self._receiver.name
        if entry.poisonous:
            tm.log().error("queue.poison", queue=f"outbox of {name}")
            await self._bury(entry, "poison", f"taken {entry.taken_before} times without a result", "a message")
            return None
        try:
            delivery = await self._outbox.delivery(entry)
        except CodecError as error:
            await self._bury(entry, "codec", str(error), "a message")
            return None
        if delivery is None or (self._journal and self._journal.knows(delivery.id, self._clock())):
            return await self._until_done(entry, then)
        crash.point("notify.claimed")
        state = await self._admission.enter()
        if state is None:
            await self._outbox.keep(name, entry, self._claims.consumer, "", burns=False)
            return None
        outcome = await self._send(delivery)
        if isinstance(outcome, Delivered):
            crash.point("notify.sent")
            await self._write_down(delivery)
            crash.point("notify.journaled")
            following = await self._carry_out(Finish(outcome.remember), entry, delivery, then)
            with suppress(StoreError):  # the next success says it again; what DONE handed out must not be lost
                await self._admission.note(state, outcome)
            return following
        verdict = await self._admission.note(state, outcome)
        step = next_step(
            outcome,
            delivery.attempt - delivery.spent,
            delivery.id,
            self._admission.policy.schedule,
            self._admission.policy.jitter,
            held=verdict.held,
            disabled=verdict.state.disabled is not None,
        )
        return await self._carry_out(step, entry, delivery, then)

    async def _send(self, delivery: Delivery) -> Outcome:
        begun = perf_counter()
        try:
            with tracing.span("notify.send", [delivery.message.trace], receiver=self._receiver.name, kind=self._kind):
                outcome = await self._receiver.send(delivery)
        except Exception as error:  # a receiver promises not to raise; if it does, the message must not be lost
            tm.log().exception("receiver.raised", receiver=self._receiver.name)
            outcome = TryLater("unknown", f"{type(error).__name__} in the receiver")
        outcome = replace(outcome, detail=redaction.clean(outcome.detail))  # it is kept, and shown
        kind, reason = type(outcome).__name__.lower(), getattr(outcome, "reason", "")
        tm.attempts.labels(self._receiver.name, self._kind, kind, tm.delivery_reason(reason)).inc()
        tm.delivery_seconds.labels(self._kind).observe(perf_counter() - begun)
        return outcome

    async def _write_down(self, delivery: Delivery) -> None:
        if self._journal is not None:
            try:
                await asyncio.to_thread(self._journal.write, delivery.id, self._clock())  # it waits for the disk
            except OSError as error:  # a full disk: DONE in Redis is still ahead
                tm.log().warning("warning", text=f"the journal of deliveries cannot be written: {error}")

    async def _carry_out(self, step: Step, entry: Entry, delivery: Delivery, then: Claims | None) -> Entry | None:
        name, what = self._receiver.name, delivery.message.subject
        match step:
            case Finish(remember):
                following = await self._until_done(entry, then, delivery.message.thread, remember)
                if delivery.message.oldest is not None:
                    way = (self._clock() - delivery.message.oldest).total_seconds()
                    tm.end_to_end.labels(delivery.message.severity).observe(max(0.0, way))
                tm.log().info(
                    "delivery.done", receiver=name, what=what, digest=delivery.digest, attempt=delivery.attempt
                )
                return following
            case Again(delay, state, error):
                await self._outbox.retry(name, entry, delay, state, error)
                tm.log().warning(
                    "delivery.waits",
                    receiver=name,
                    what=what,
                    error=error,
                    delay=f"{delay.total_seconds():.0f} s",
                )
            case Keep(error, burns):
                self._admission.held = True
                await self._outbox.keep(name, entry, self._claims.consumer, error, burns=burns)
                tm.log().warning("delivery.kept", receiver=name, what=what, error=error)
            case Bury(reason, detail):
                await self._bury(entry, reason, detail, what)
            case _ as never:
                assert_never(never)
        return None

    async def _until_done(
        self, entry: Entry, then: Claims | None, thread: str = "", remember: str = ""
    ) -> Entry | None:
        """It arrived; only Redis must still be told. While it cannot be, keep trying: sending again would be worse."""
        while True:
            try:
                following = await self._outbox.done(
                    self._receiver.name, entry, then=then, thread=thread, remember=remember
                )
                crash.point("notify.done")
                return following
            except StoreError:
                if self._stop.is_set():
                    return None  # the journal knows; the next start says DONE
                await patiently(_WAIT_SECONDS, self._stop)

    async def _bury(self, entry: Entry, reason: str, detail: str, what: str) -> None:
        tm.dead_letters.labels("outbox", reason).inc()
        tm.log().error("delivery.dead", receiver=self._receiver.name, what=what, reason=reason, detail=detail)
        await self._outbox.bury(self._receiver.name, entry, reason, detail)
