"""Is this process alive? Each role beats as it goes round; who looks learns who fell silent, and how the loop lags.

Nothing here touches the store or the network: a service whose store is away is alive, and must not be restarted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

LAG_LIMIT_SECONDS = 10.0
SILENCE_LIMIT_SECONDS = 60.0
_PULSES = 60  # one a second: the lag that is told is the longest of the last minute


@dataclass(frozen=True, slots=True)
class Reload:
    """How the last reading of the configuration ended; `problem` says what was wrong, one mistake a line."""

    good: bool
    when: datetime
    problem: str = ""


class Health:
    """The signs of life of one process. Roles call `beat`; probes and the watchdog ask `trouble`."""

    def __init__(self) -> None:
        self._beats: dict[str, float] = {}
        self._pulse = monotonic()
        self._lags: deque[float] = deque(maxlen=_PULSES)
        self.started = datetime.now(UTC)
        self.registered = False  # whether this process stands among the workers in the store
        self.refused = ""  # why the store takes no writes, in a sentence; "" while it does, and while it is away
        self.paused = ""  # why this process reads no sources for now, in a word; "" while it does
        self.reload = Reload(True, self.started)

    def expect(self, roles: Sequence[str]) -> None:
        """From now on these roles are to beat, and no others."""
        self._beats = dict.fromkeys(roles, monotonic())

    def beat(self, role: str) -> None:
        """The role's loop has come round once more. A role that nobody expects beats for nothing."""
        if role in self._beats:
            self._beats[role] = monotonic()

    async def run(self) -> None:
        """Feel the loop's pulse each second, until cancelled."""
        self._pulse = monotonic()
        while True:
            await asyncio.sleep(1)
            now = monotonic()
            self._lags.append(max(0.0, now - self._pulse - 1))
            self._pulse = now

    @property
    def lag(self) -> float:
        """The longest that the event loop was held up within the last minute, in seconds."""
        return max((*self._lags, monotonic() - self._pulse - 1, 0.0))

    @property
    def silences(self) -> Mapping[str, float]:
        """How long ago each expected role last beat, in seconds."""
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
"""Those of this process."""
