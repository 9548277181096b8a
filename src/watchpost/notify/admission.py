"""Whether anything may go to a receiver now, and how it stands after an attempt: standing.py's rules, carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchpost import telemetry as tm
from watchpost.model import Delivered, Delivery, Outcome
from watchpost.notify.retry import JITTER, SCHEDULE
from watchpost.notify.standing import DISABLE_AFTER, Verdict, weigh
from watchpost.wire.gate import Gate
from watchpost.wire.outbox import Outbox
from watchpost.wire.status import ReceiverState
from watchpost.wire.store import patiently

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

    def __init__(self, receiver: str, gate: Gate, outbox: Outbox, stop: asyncio.Event, policy: Policy) -> None:
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
            await patiently(passage.wait.total_seconds(), self._stop)

    async def note(self, state: ReceiverState, outcome: Outcome) -> Verdict:
        """Write down how the receiver stands after this; on the newest state, should another notifier have written."""
        while True:
            if state.well and isinstance(outcome, Delivered):
                return Verdict(state)
            now = await self._outbox.now()
            verdict = weigh(state, outcome, now, self.policy.disable_after)
            notices = self.policy.notices(verdict.state, now) if verdict.news == "disabled" else ()
            if await self._gate.note(verdict.state, notices):
                self._say(verdict)
                return verdict
            state = (await self._gate.look()).state

    def _say(self, verdict: Verdict) -> None:
        name, state = self._receiver, verdict.state
        match verdict.news:
            case "disabled":
                tm.log().error("receiver.disabled", receiver=name, why=state.why)
            case "opened" | "paused":
                till = f"{state.till:%H:%M:%S} UTC" if state.till else "now"
                tm.log().warning(f"receiver.{verdict.news}", receiver=name, why=state.why, till=till)
            case "recovered":
                tm.log().info("receiver.recovered", receiver=name)
