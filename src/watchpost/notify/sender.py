"""The notifier's other loop: one receiver's deliveries, one after the other, oldest first."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import assert_never

from watchpost import failpoints, redaction, tracing
from watchpost import log as tm
from watchpost.errors import CodecError, StoreError
from watchpost.model import Delivered, Delivery, Outcome, TryLater
from watchpost.notify.receiver import Receiver
from watchpost.notify.retry import (
    DISABLE_AFTER,
    JITTER,
    SCHEDULE,
    Again,
    BreakerVerdict,
    DeadLetterIt,
    Finish,
    Keep,
    Step,
    next_step,
    weigh,
)
from watchpost.store.client import until_available
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.receivers import CircuitBreaker, ReceiverState
from watchpost.store.streams import Consumer, StreamClaims, StreamEntry

# Whether anything may go to a receiver now, and how it stands after an attempt: standing.py's rules, carried out.


_IN_HAND_SECONDS = 5.0  # a message in hand waits so long for its turn; beyond, it is put back in its place


@dataclass(frozen=True, slots=True)
class Policy:
    """How a receiver is tried: the waits between attempts, ± `jitter` of themselves; when it is left alone.

    `notices(state, now)` are the messages that tell somebody else that it was disabled.
    """

    schedule: Sequence[timedelta] = SCHEDULE
    jitter: float = JITTER
    disable_after: timedelta = DISABLE_AFTER
    notices: Callable[[ReceiverState, datetime], tuple[Delivery, ...]] = lambda _state, _now: ()


class Admission:
    """One receiver's gate and policy. `held`: was the gate closed the last time; what was kept goes first then."""

    def __init__(
        self, receiver: str, gate: CircuitBreaker, outbox: DeliveryStore, stop: asyncio.Event, policy: Policy
    ) -> None:
        self._receiver = receiver
        self._gate = gate
        self._outbox = outbox
        self._stop = stop
        self.policy = policy
        self.held = True  # at the start, what others left in its place goes first

    async def open(self) -> bool:
        """May anything go at all? A closed gate leaves every message where it is."""
        passage = await self._gate.look()
        self.held = self.held or not passage.free
        return passage.free

    async def enter(self) -> ReceiverState | None:
        """The turn to send, waited for if it comes soon; None if the message must go back to its place."""
        while True:
            passage = await self._gate.enter()
            if passage.free:
                return passage.state
            if passage.wait is None or passage.wait.total_seconds() > _IN_HAND_SECONDS or self._stop.is_set():
                self.held = True
                return None
            await until_available(passage.wait.total_seconds(), self._stop)

    async def note(self, state: ReceiverState, outcome: Outcome) -> BreakerVerdict:
        """Write down how the receiver stands after this; on the newest state, should another notifier have written."""
        while True:
            if state.well and isinstance(outcome, Delivered):
                return BreakerVerdict(state)
            now = await self._outbox.now()
            verdict = weigh(state, outcome, now, self.policy.disable_after)
            notices = self.policy.notices(verdict.state, now) if verdict.news == "disabled" else ()
            if await self._gate.note(verdict.state, notices):
                self._say(verdict)
                return verdict
            state = (await self._gate.look()).state

    def _say(self, verdict: BreakerVerdict) -> None:
        name, state = self._receiver, verdict.state
        match verdict.news:
            case "disabled":
                tm.log().error("receiver.disabled", receiver=name, why=state.why)
            case "opened" | "paused":
                till = f"{state.till:%H:%M:%S} UTC" if state.till else "now"
                tm.log().warning(f"receiver.{verdict.news}", receiver=name, why=state.why, till=till)
            case "recovered":
                tm.log().info("receiver.recovered", receiver=name)


# The door to a few small files: the deliveries that this machine has seen arrive.
#
# Between the other side's "yes" and DONE in Redis a process can die. The journal is written and flushed to disk
# in that gap, so that whoever comes next on this machine says DONE instead of sending again. One file a day,
# "sent-20261123.journal", one delivery id a line; several processes append to it; two days are kept.


class Journal:
    """Remembers delivery ids on disk, for the day they arrived and the next. The directory must exist."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: dict[Path, set[str]] = {}
        self._read_to: dict[Path, int] = {}

    def knows(self, delivery: str, now: datetime) -> bool:
        """Did this machine see the delivery arrive, today or yesterday?"""
        return any(delivery in self._read(self._file(now - timedelta(days=back))) for back in (0, 1))

    def write(self, delivery: str, now: datetime) -> None:
        """Note that it arrived; on return the line is on disk. Raises OSError if it cannot be."""
        path = self._file(now)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{delivery}\n".encode())
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def tidy(self, now: datetime) -> None:
        """Remove the files of days that nobody asks about any more."""
        kept = {self._file(now - timedelta(days=back)) for back in (-1, 0, 1)}
        for path in self._directory.glob("sent-*.journal"):
            if path not in kept:
                path.unlink(missing_ok=True)
                self._known.pop(path, None)
                self._read_to.pop(path, None)

    def _file(self, now: datetime) -> Path:
        return self._directory / f"sent-{now:%Y%m%d}.journal"

    def _read(self, path: Path) -> set[str]:
        """The file's ids; only what was appended since the last look is read."""
        known = self._known.setdefault(path, set())
        try:
            with path.open("rb") as file:
                file.seek(self._read_to.get(path, 0))
                fresh = file.read()
        except FileNotFoundError:
            return known
        whole, newline, _ = fresh.rpartition(b"\n")  # a line without its end is still being written
        if newline:
            self._read_to[path] = self._read_to.get(path, 0) + len(whole) + 1
            known.update(line.decode("ascii", "replace") for line in whole.splitlines())
        return known


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
        outbox: DeliveryStore,
        claims: StreamClaims,
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
        self._stop = stop
        self._clock = clock
        self._kind = kind
        tm.attempts.labels(receiver.name, kind, "delivered", "")  # from 0: the first one shows, too
        self._opened = False
        self._consumer = Consumer(
            claims,
            "outbox",
            take=self._take,
            deal=self._deal,
            give_up=self._give_up,
            may_take_over=self._may_take_over,
            tick=tick,
            tick_renew=tick_renew,
            stop=stop,
            shown=f"outbox of {receiver.name}",
        )

    async def run(self) -> None:
        """The daemon: deliveries as they come, and those that a silent notifier left."""
        await self._consumer.run()

    async def once(self) -> int:
        """Send what waits right now, abandoned work included; returns how many entries were dealt with.

        Nothing is sent while the receiver is held; `held` says so.
        """
        entries = self._claims.handed()
        if not entries and await self._admission.open():
            entries = await self._claims.reclaim(1, oldest=True) or await self._claims.take(1, block=False)
            self._admission.held = False
        await self._consumer.deal(entries)
        return len(entries)

    @property
    def name(self) -> str:
        """The receiver's."""
        return self._receiver.name

    @property
    def held(self) -> bool:
        """Nothing goes to the receiver for now: it is paused, its breaker is open, or it is disabled."""
        return self._admission.held

    async def _may_take_over(self) -> bool:
        """While the receiver is held, what is left waits in its place; afterwards `_take` begins with it."""
        return not self._admission.held and await self._admission.open()

    async def _take(self) -> Sequence[StreamEntry]:
        """The next message: while the receiver is held none; afterwards first what was kept in its place."""
        if not self._opened:
            await self._outbox.open_box(self._receiver.name)
            self._opened = True
        if not await self._admission.open():
            await until_available(_LOOK_SECONDS, self._stop)
            return ()
        if self._admission.held and (kept := await self._claims.reclaim(1, oldest=True)):
            return kept
        self._admission.held = False
        return await self._claims.take(1)

    async def _deal(self, entries: Sequence[StreamEntry]) -> None:
        for entry in entries:
            await self._one(entry)

    async def _give_up(self, entry: StreamEntry) -> None:
        await self._bury(entry, "poison", f"taken {entry.taken_before} times without a result", "a message")

    async def _one(self, entry: StreamEntry) -> None:
        name = self._receiver.name
        try:
            delivery = await self._outbox.delivery(entry)
        except CodecError as error:
            await self._bury(entry, "codec", str(error), "a message")
            return
        if delivery is None or (self._journal and self._journal.knows(delivery.id, self._clock())):
            await self._until_done(entry)
            return
        failpoints.point("notify.claimed")
        state = await self._admission.enter()
        if state is None:
            await self._outbox.keep(name, entry, self._claims.consumer, "", burns=False)
            return
        outcome = await self._send(delivery)
        if isinstance(outcome, Delivered):
            failpoints.point("notify.sent")
            await self._write_down(delivery)
            failpoints.point("notify.journaled")
            await self._carry_out(Finish(outcome.remember), entry, delivery)
            with suppress(StoreError):  # the next success says it again
                await self._admission.note(state, outcome)
            return
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
        await self._carry_out(step, entry, delivery)

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

    async def _carry_out(self, step: Step, entry: StreamEntry, delivery: Delivery) -> None:
        name, what = self._receiver.name, delivery.message.subject
        match step:
            case Finish(remember):
                await self._until_done(entry, delivery.message.thread, remember)
                if delivery.message.oldest is not None:
                    way = (self._clock() - delivery.message.oldest).total_seconds()
                    tm.end_to_end.labels(delivery.message.severity).observe(max(0.0, way))
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
            case Keep(error, burns):
                self._admission.held = True
                await self._outbox.keep(name, entry, self._claims.consumer, error, burns=burns)
                tm.log().warning("delivery.kept", receiver=name, what=what, error=error)
            case DeadLetterIt(reason, detail):
                await self._bury(entry, reason, detail, what)
            case _ as never:
                assert_never(never)

    async def _until_done(self, entry: StreamEntry, thread: str = "", remember: str = "") -> None:
        """It arrived; only Redis must still be told. While it cannot be, keep trying: sending again would be worse."""
        while True:
            then = None if self._stop.is_set() else self._claims  # the next delivery comes along with the answer
            try:
                await self._outbox.done(self._receiver.name, entry, then=then, thread=thread, remember=remember)
                failpoints.point("notify.done")
                return
            except StoreError:
                if self._stop.is_set():
                    return  # the journal knows; the next start says DONE
                await until_available(_WAIT_SECONDS, self._stop)

    async def _bury(self, entry: StreamEntry, reason: str, detail: str, what: str) -> None:
        tm.dead_letters.labels("outbox", reason).inc()
        tm.log().error("delivery.dead", receiver=self._receiver.name, what=what, reason=reason, detail=detail)
        await self._outbox.bury(self._receiver.name, entry, reason, detail)
