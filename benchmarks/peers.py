"""The task queues that others wrote, measured by peers_worker.py in a venv of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LIBRARIES = ("arq", "saq", "dramatiq")
PYTHON = Path(sys.prefix) / "peers" / "bin" / "python"
_WORKER = Path(__file__).with_name("peers_worker.py")
_VERSIONS = "import importlib.metadata as m, sys; print(*(f'{n} {m.version(n)}' for n in sys.argv[1:]), sep=', ')"


@dataclass(frozen=True, slots=True)
class Peer:
    """A library in one of its settings: `at_once` jobs, coroutines or threads at a time."""

    library: str
    at_once: int
    words: str

    @property
    def label(self) -> str:
        return f"{self.library}, {self.words}"


# One at a time, as most code does it; and side by side, which is the best these libraries offer: none has a batch.
ENQUEUE = (
    Peer("arq", 1, "one at a time"),
    Peer("arq", 16, "16 coroutines"),
    Peer("saq", 1, "one at a time"),
    Peer("saq", 16, "16 coroutines"),
    Peer("dramatiq", 1, "one at a time"),
)
PROCESS = (
    Peer("arq", 100, "max_jobs 100, poll 10 ms, no results"),
    Peer("arq", 20, "max_jobs 20, poll 10 ms, no results"),
    Peer("saq", 10, "concurrency 10, no results"),
    Peer("saq", 5, "concurrency 5, no results"),
    Peer("dramatiq", 8, "8 threads"),
    Peer("dramatiq", 32, "32 threads"),
)


def there() -> bool:
    """Is the peers' venv there? `make bench` builds it."""
    return PYTHON.exists()


def versions() -> str:
    """What is installed there, as one line."""
    return _run(["-c", _VERSIONS, *LIBRARIES, "redis", "hiredis"]).strip()


def rate(peer: Peer, what: str, url: str, jobs: int, payload: str) -> float:
    """Jobs a second. Raises RuntimeError with what the library said if it fails."""
    words = ["-I", str(_WORKER), peer.library, what, url, str(jobs), str(peer.at_once), payload]
    return float(json.loads(_run(words))["rate"])


def _run(words: Sequence[str]) -> str:
    done = subprocess.run([PYTHON, *words], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(f"the peers' Python ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
