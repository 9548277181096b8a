"""How much of one core the system gives this thread while it wants one: all on an idle machine, less on a busy one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

_SPAN_SECONDS = 0.1
_LEAST = 0.02


def read_times() -> tuple[float, float]:
    """For how many seconds this thread has had a core, and has waited for one; (0, 0) where the system does not say.

    Linux: https://docs.kernel.org/scheduler/sched-stats.html
    """
    try:
        ran, waited = Path("/proc/thread-self/schedstat").read_text().split()[:2]
    except (OSError, ValueError):
        return 0.0, 0.0
    return int(ran) / 1e9, int(waited) / 1e9


class CoreShare:
    """The share, from 0.02 to 1, while this thread last wanted a core for 0.1 s. Call it in one thread."""

    def __init__(self, times: Callable[[], tuple[float, float]] = read_times) -> None:
        self._times = times
        self._ran, self._waited = times()
        self._share = 1.0

    def __call__(self) -> float:
        """The latest share; 1 where the system does not say."""
        ran, waited = self._times()
        wanted = ran - self._ran + waited - self._waited
        if wanted >= _SPAN_SECONDS:
            self._share = max(_LEAST, (ran - self._ran) / wanted)
            self._ran, self._waited = ran, waited
        return self._share
