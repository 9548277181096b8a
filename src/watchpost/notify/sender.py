"""The sender: one receiver's deliveries, one after the other, oldest first.

The stages of a delivery: dedup (journal), wait (circuit breaker, pace), send, journal, record (the receiver's state),
and the next step: done, retry, hold or fail.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import assert_never

from watchpost import durations, failpoints, redaction, tracing
from watchpost import log as tm
from watchpost.errors import CodecError, StoreError
from watchpost.model import Delivered, Delivery, Outcome, TryLater
from watchpost.notify.circuit_breaker import BreakerVerdict, after_attempt
from watchpost.notify.receiver import Receiver, RetryOptions
from watchpost.notify.retry import Done, Fail, Hold, Retry, Step, next_step
from watchpost.store.client import pause
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.receivers import CircuitBreaker, ReceiverState
from watchpost.store.streams import Consumer, StreamClaims, StreamEntry

_PAUSE_SECONDS = 1.0
_HELD_PAUSE_SECONDS = 2.0  # how often a held receiver is looked at: an operator may enable it
_TURN_SECONDS = 0.2  # while another sender has an older message of the receiver, or had it when it was killed
_LONGEST_TURN_SECONDS = 5.0  # a message that would wait longer for its turn goes back to its place

Notices = Callable[[ReceiverState, datetime], tuple[Delivery, ...]]
"""The alerts that report to another receiver that this one is disabled, or refuses; from its state and the time."""


class Sender:
    """Sends to one receiver until `stop` is set.

    `retry` is how the receiver is tried, `kind` names it in the metrics. `tick` and `tick_renew` return three times a
    lease: to look for abandoned deliveries, and to renew the claimed ones. `journal` may be None where there is no
    disk to write to: then a crash between the receiver's answer and the store's makes a repeat.
    """

    def __init__(
        self,
        receiver: Receiver,
        store: DeliveryStore,
        claims: StreamClaims,
        breaker: CircuitBreaker,
        journal: Journal | None,
        *,
        tick: Callable[[], Awaitable[None]],
        tick_renew: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        clock: Callable[[], datetime],
        retry: RetryOptions = RetryOptions(),  # noqa: B008 - frozen
        notices: Notices = lambda _state, _now: (),
        kind: str = "unknown",
    ) -> None:
        self._receiver = receiver
        self._store = store
        self._claims = claims
        self._breaker = _Breaker(
            receiver.name, breaker, store, stop, disable_after=retry.disable_after, notices=notices
        )
        self._journal = journal
        self._retry = retry
        self._stop = stop
        self._clock = clock
        self._kind = kind
        tm.attempts.labels(receiver.name, kind, "delivered", "")  # starts at 0, so that the first one counts in a rate
        self._opened = False
        self._consumer = Consumer(
            claims,
            "outbox",
            take=self._take,
            process=self._deal,
            dead_letter=self._fail_poison,
            may_take_over=self._may_take_over,
            tick=tick,
            tick_renew=tick_renew,
            stop=stop,
            label=f"outbox of {receiver.name}",
        )

    @property
    def name(self) -> str:
        """The receiver's name."""
        return self._receiver.name

    @property
    def held(self) -> bool:
        """Whether the receiver gets nothing for now: it is paused, its breaker is open, or it is disabled."""
        return self._breaker.held

    async def run(self) -> None:
        """Run until `stop` is set: new deliveries, and those that another sender abandoned."""
        await self._consumer.run()

    async def once(self) -> int:
        """Send one delivery that waits now, an abandoned one first; returns how many it dealt with.

        Sends nothing while the receiver is held.
        """
        entries = self._claims.accepted()
        if not entries and await self._breaker.may_send():
            entries = await self._claims.reclaim(1, oldest=True) or await self._claims.take(1, block=False)
            self._breaker.held = False
        await self._consumer.process(entries)
        return len(entries)

    async def _may_take_over(self) -> bool:
        """While the receiver is held, abandoned deliveries stay in their place; afterwards `_take` begins with them."""
        return not self._breaker.held

    async def _take(self) -> Sequence[StreamEntry]:
        """The next delivery: none while the receiver is held, and afterwards the one that was kept in its place."""
        if not self._opened:
            await self._store.create_outbox(self.name)
            self._opened = True
        if self._breaker.held:  # else it is asked as soon as there is something to send
            if not await self._breaker.may_send():
                await pause(min(_HELD_PAUSE_SECONDS, self._breaker.wait_seconds), self._stop)
                return ()
            if kept := await self._claims.reclaim(1, oldest=True):
                return kept
        self._breaker.held = False
        return await self._claims.take(1)

    async def _deal(self, entries: Sequence[StreamEntry]) -> None:
        for entry in entries:
            await self._deliver(entry)

    async def _deliver(self, entry: StreamEntry) -> None:
        try:
            delivery = await self._store.delivery(entry)
        except CodecError as error:
            await self._fail(entry, Fail("codec", str(error)), "a message")
            return
        if delivery is None or (self._journal and self._journal.knows(delivery.id, self._clock())):
            await self._record_done(entry)
            return
        if not entry.delivery and await self._claims.older_claimed(entry):  # what DONE claimed is the oldest
            self._breaker.held = True
            await self._claims.offer(entry)
            await pause(_TURN_SECONDS, self._stop)
            return
        failpoints.point("notify.claimed")
        state = await self._breaker.wait_for_turn()
        if state is None:
            await self._store.hold(self.name, entry, self._claims.consumer, "", counts=False)
            return
        outcome = await self._send(delivery)
        if isinstance(outcome, Delivered):
            failpoints.point("notify.sent")
            await self._write_journal(delivery)
            failpoints.point("notify.journaled")
            await self._take_step(Done(outcome.remember), entry, delivery)
            with suppress(StoreError):  # the next success records it again
                await self._breaker.record(state, outcome, Done())
                if not state.healthy:  # messages that were moved aside may be accepted now, too
                    await self._store.retry_now(self.name)
            return
        step = self._next_step(outcome, delivery)
        verdict = await self._breaker.record(state, outcome, step)
        if verdict.state.disabled is not None:
            step = self._next_step(outcome, delivery, disabled=True)
        await self._take_step(step, entry, delivery)

    def _next_step(self, outcome: Outcome, delivery: Delivery, *, disabled: bool = False) -> Step:
        attempt, age = delivery.attempt - delivery.spent, self._clock() - delivery.created
        schedule, jitter = self._retry.schedule, self._retry.jitter
        return next_step(outcome, attempt, delivery.id, schedule, jitter, age=age, disabled=disabled)

    async def _send(self, delivery: Delivery) -> Outcome:
        started = perf_counter()
        try:
            with tracing.span("notify.send", [delivery.message.trace], receiver=self.name, kind=self._kind):
                outcome = await self._receiver.send(delivery)
        except Exception as error:  # no receiver should raise; if one does, the message must not be lost
            tm.log().exception("receiver.raised", receiver=self.name)
            outcome = TryLater("unknown", f"{type(error).__name__} in the receiver")
        outcome = replace(outcome, detail=redaction.clean(outcome.detail))  # the detail is stored and shown
        name, reason = type(outcome).__name__.lower(), getattr(outcome, "reason", "")
        tm.attempts.labels(self.name, self._kind, name, tm.delivery_reason(reason)).inc()
        tm.delivery_seconds.labels(self._kind).observe(perf_counter() - started)
        return outcome

    async def _write_journal(self, delivery: Delivery) -> None:
        if self._journal is not None:
            try:
                await asyncio.to_thread(self._journal.write, delivery.id, self._clock())  # it waits for the disk
            except OSError as error:  # the disk is full, but the store can still record it
                tm.log().warning("warning", text=f"the delivery journal cannot be written: {error}")

    async def _take_step(self, step: Step, entry: StreamEntry, delivery: Delivery) -> None:
        facts = {"receiver": self.name, "what": delivery.message.subject}
        match step:
            case Done(remember):
                await self._record_done(entry, delivery.message.thread, remember)
                if delivery.message.oldest is not None:
                    seconds = (self._clock() - delivery.message.oldest).total_seconds()
                    tm.end_to_end.labels(delivery.message.severity).observe(max(0.0, seconds))
                tm.log().info("delivery.done", **facts, digest=delivery.digest, attempt=delivery.attempt)
            case Retry(delay, state, error):
                await self._store.retry(self.name, entry, delay, state, error)
                tm.log().warning("delivery.waits", **facts, error=error, delay=durations.short(delay))
            case Hold(error, counts, delay, state):
                self._breaker.held = True
                await self._store.hold(self.name, entry, self._claims.consumer, error, counts=counts, state=state)
                if delay is None:
                    tm.log().warning("delivery.kept", **facts, error=error)
                else:
                    tm.log().warning("delivery.waits", **facts, error=error, delay=durations.short(delay))
            case Fail():
                await self._fail(entry, step, delivery.message.subject)
            case _ as never:
                assert_never(never)

    async def _record_done(self, entry: StreamEntry, thread: str = "", remember: str = "") -> None:
        """Record that it arrived. While the store is away, keep trying: to send it again would be worse."""
        while True:
            then = None if self._stop.is_set() else self._claims  # the answer brings the next delivery along
            try:
                await self._store.done(self.name, entry, then=then, thread=thread, remember=remember)
                failpoints.point("notify.done")
                return
            except StoreError:
                if self._stop.is_set():
                    return  # the journal has it, so the next start records it
                await pause(_PAUSE_SECONDS, self._stop)

    async def _fail_poison(self, entry: StreamEntry) -> None:
        await self._fail(entry, Fail("poison", f"taken {entry.taken_before} times without a result"), "a message")

    async def _fail(self, entry: StreamEntry, step: Fail, what: str) -> None:
        tm.dead_letters.labels("outbox", step.reason).inc()
        tm.log().error("delivery.dead", receiver=self.name, what=what, reason=step.reason, detail=step.detail)
        await self._store.dead_letter(self.name, entry, step.reason, step.detail)


class _Breaker:
    """The receiver's circuit breaker: whether it may be sent to now, and its state after an attempt.

    circuit_breaker.py decides, the store keeps it (`stored`). `held`: nothing could be sent the last time; afterwards
    the delivery that was kept in its place goes first.
    """

    def __init__(
        self,
        receiver: str,
        stored: CircuitBreaker,
        store: DeliveryStore,
        stop: asyncio.Event,
        *,
        disable_after: timedelta,
        notices: Notices,
    ) -> None:
        self._receiver = receiver
        self._stored = stored
        self._store = store
        self._stop = stop
        self._disable_after = disable_after
        self._notices = notices
        self.wait_seconds = 0.0  # until the receiver may be sent to, as far as is known
        self.held = True  # at the start, what other senders kept in its place goes first

    async def may_send(self) -> bool:
        """Whether anything may be sent; if not, every message stays in its place."""
        permission = await self._stored.check()
        self.wait_seconds = _HELD_PAUSE_SECONDS if permission.wait is None else permission.wait.total_seconds()
        self.held = self.held or not permission.free
        return permission.free

    async def wait_for_turn(self) -> ReceiverState | None:
        """Wait for the turn to send; None if it does not come soon, and the message must go back to its place."""
        while True:
            permission = await self._stored.admit()
            if permission.free:
                return permission.state
            wait = permission.wait
            if wait is None or wait.total_seconds() > _LONGEST_TURN_SECONDS or self._stop.is_set():
                self.held = True
                return None
            await pause(wait.total_seconds(), self._stop)

    async def record(self, state: ReceiverState, outcome: Outcome, step: Step) -> BreakerVerdict:
        """Store the receiver's state after this outcome and its step.

        It is based on the newest state, if another sender wrote meanwhile.
        """
        while True:
            if state.healthy and isinstance(outcome, Delivered):
                return BreakerVerdict(state)
            now = await self._store.now()
            verdict = after_attempt(state, outcome, step, now, self._disable_after)
            refused = verdict.event == "opened" and isinstance(outcome, TryLater) and outcome.reason == "auth"
            notices = self._notices(verdict.state, now) if verdict.event == "disabled" or refused else ()
            if await self._stored.save(verdict.state, notices):
                self._log(verdict)
                return verdict
            state = (await self._stored.check()).state

    def _log(self, verdict: BreakerVerdict) -> None:
        name, state = self._receiver, verdict.state
        match verdict.event:
            case "disabled":
                tm.log().error("receiver.disabled", receiver=name, why=state.why)
            case "opened" | "paused":
                till = state.till or "now"
                tm.log().warning(f"receiver.{verdict.event}", receiver=name, why=state.why, till=till)
            case "recovered":
                tm.log().info("receiver.recovered", receiver=name)


class Journal:
    """The deliveries that arrived from this machine, on disk, for the day they arrived and the next.

    A process can die between the receiver's answer and the store's. The journal is flushed to disk in that gap, so
    that the next process records the delivery as done instead of sending it again. Each day has one file of delivery
    ids, one a line ("sent-20261123.journal"), to which several processes append. The directory must exist.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ids: dict[Path, set[str]] = {}
        self._read_to: dict[Path, int] = {}

    def knows(self, delivery: str, now: datetime) -> bool:
        """Whether the delivery arrived from this machine today or yesterday."""
        return any(delivery in self._read(self._file(now - timedelta(days=back))) for back in (0, 1))

    def write(self, delivery: str, now: datetime) -> None:
        """Note that it arrived; on return the line is on disk. Raises OSError if it cannot be written."""
        descriptor = os.open(self._file(now), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{delivery}\n".encode())
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def tidy(self, now: datetime) -> None:
        """Remove the files of days that `knows` no longer reads."""
        kept = {self._file(now - timedelta(days=back)) for back in (-1, 0, 1)}
        for path in self._directory.glob("sent-*.journal"):
            if path not in kept:
                path.unlink(missing_ok=True)
                self._ids.pop(path, None)
                self._read_to.pop(path, None)

    def _file(self, now: datetime) -> Path:
        return self._directory / f"sent-{now:%Y%m%d}.journal"

    def _read(self, path: Path) -> set[str]:
        """The file's ids; only what was appended since the last call is read."""
        ids = self._ids.setdefault(path, set())
        try:
            with path.open("rb") as file:
                file.seek(self._read_to.get(path, 0))
                appended = file.read()
        except OSError:  # not written yet, or no file can be opened: at worst a message is sent twice
            return ids
        lines, newline, _ = appended.rpartition(b"\n")  # another process may still be writing the last line
        if newline:
            self._read_to[path] = self._read_to.get(path, 0) + len(lines) + 1
            ids.update(line.decode("ascii", "replace") for line in lines.splitlines())
        return ids
