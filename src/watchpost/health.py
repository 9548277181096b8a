"""Signs of life of this process: when each role last ran, and how far the event loop lags.

Nothing here touches the store or the network: a service without its store is alive, and a restart would not help.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic

from watchpost.pauses import Pauses

LAG_LIMIT_SECONDS = 10.0
SILENCE_LIMIT_SECONDS = 60.0
_PULSES = 60  # one a second: the reported lag is the longest of the last minute


class Health:
    """Roles call `beat`; probes, the heartbeat and the watchdog call `trouble`."""

    def __init__(self) -> None:
        self._beats: dict[str, float] = {}
        self._pulse = monotonic()
        self._lags: deque[float] = deque(maxlen=_PULSES)
        self.started = datetime.now(UTC)
        self.registered = False  # whether the store lists this process as a worker
        self.refused = ""  # why the store accepts no writes, in a sentence; "" if it does, or is not available
        self.store_failing_since: datetime | None = None  # the store does not answer, or accepts no writes
        self.linking = Pauses()  # when and why this process joins events without the embedding: "missing" or "broken"
        self.polling = Pauses()  # when and why this process paused polling, in a word

    def expect(self, roles: Sequence[str]) -> None:
        """From now on expect beats from these roles only."""
        self._beats = dict.fromkeys(roles, monotonic())

    def beat(self, role: str) -> None:
        """The loop of a role has run once more. Beats of other roles than those expected are ignored."""
        if role in self._beats:
            self._beats[role] = monotonic()

    async def run(self) -> None:
        """Measure the lag of the event loop every second, until cancelled."""
        self._pulse = monotonic()
        while True:
            await asyncio.sleep(1)
            now = monotonic()
            self._lags.append(max(0.0, now - self._pulse - 1))
            self._pulse = now

    @property
    def lag(self) -> float:
        """The longest delay of the event loop within the last minute, in seconds."""
        return max((*self._lags, monotonic() - self._pulse - 1, 0.0))

    @property
    def silences(self) -> Mapping[str, float]:
        """Seconds since the last beat of each expected role."""
        now = monotonic()
        return {role: now - last for role, last in self._beats.items()}

    def trouble(self, silence_seconds: float | None = None) -> str:
        """What is wrong, in a sentence; "" if the loop runs and every role beat within `silence_seconds` (60 s)."""
        limit = SILENCE_LIMIT_SECONDS if silence_seconds is None else silence_seconds
        if monotonic() - self._pulse > LAG_LIMIT_SECONDS:
            return "the event loop hangs"
        silent = [role for role, seconds in self.silences.items() if seconds > limit]
        return f"no sign of life from {', '.join(silent)}" if silent else ""


HEALTH = Health()
"""The one of this process."""
