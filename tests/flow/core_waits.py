"""How long a process waits for a core: `python -m tests.flow.core_waits PID`.

Ten times a second, one line on standard output: the monotonic moment, the nanoseconds for which the main thread of the
process had a core and waited for one (Linux, /proc/PID/schedstat), and how much later than it asked for this program
itself woke, in seconds. Ends when its standard input does.
"""

from __future__ import annotations

import select
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_EVERY_SECONDS = 0.1


@dataclass
class CoreWaits:
    """What was seen so far; complete once `watched` has ended. Moments are monotonic, in seconds."""

    moments: list[float] = field(default_factory=list)
    worked_seconds: list[float] = field(default_factory=list)
    waited_seconds: list[float] = field(default_factory=list)
    late_seconds: list[float] = field(default_factory=list)

    def between(self, begin: float, end: float) -> str:
        """In words: for how much of this time the process worked, waited for a core, and waited for something else."""
        first, last = bisect_left(self.moments, begin), bisect_left(self.moments, end)
        first, last = max(0, first - 1), min(last, len(self.moments) - 1)
        if last <= first:
            return "not watched"
        worked = self.worked_seconds[last] - self.worked_seconds[first]
        waited = self.waited_seconds[last] - self.waited_seconds[first]
        return (
            f"worked {worked:.2f} s, waited {waited:.2f} s for a core, "
            f"any program up to {max(self.late_seconds[first : last + 1]):.2f} s"
        )


@contextmanager
def watched(pid: int) -> Iterator[CoreWaits]:
    """Watch this process meanwhile."""
    waits = CoreWaits()
    words = [sys.executable, "-m", "tests.flow.core_waits", str(pid)]
    with tempfile.TemporaryFile("w+") as said:
        watcher = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=said)
        try:
            yield waits
        finally:
            watcher.communicate(timeout=60)
            said.seek(0)
            for line in said:
                moment, worked, waited, late = line.split()
                waits.moments.append(float(moment))
                waits.worked_seconds.append(int(worked) / 1e9)
                waits.waited_seconds.append(int(waited) / 1e9)
                waits.late_seconds.append(float(late))


def main() -> None:
    """The command."""
    stat = Path(f"/proc/{sys.argv[1]}/schedstat")
    while True:
        asked = time.monotonic() + _EVERY_SECONDS
        if select.select([sys.stdin], [], [], _EVERY_SECONDS)[0]:
            return
        now = time.monotonic()
        try:
            worked, waited = stat.read_text().split()[:2]
        except OSError:
            return
        sys.stdout.write(f"{now:.3f} {worked} {waited} {max(0.0, now - asked):.3f}\n")


if __name__ == "__main__":
    main()
