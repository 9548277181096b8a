"""The task queues that others wrote, measured by peers_worker.py in a venv of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LIBRARIES = ("arq", "saq", "dramatiq")
BATCHED = ("streaq", "bullmq")  # they enqueue several jobs in one call
NODE = Path(sys.prefix) / "node-peers"
PYTHON = Path(sys.prefix) / "peers" / "bin" / "python"
_WORKER = Path(__file__).with_name("peers_worker.py")
_BULLMQ = Path(__file__).with_name("peers_bullmq.js")
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


# One at a time, as most code does it; side by side, which is the best that the first three offer; and in batches.
ENQUEUE = (
    Peer("arq", 1, "one at a time"),
    Peer("arq", 16, "16 coroutines"),
    Peer("saq", 1, "one at a time"),
    Peer("saq", 16, "16 coroutines"),
    Peer("dramatiq", 1, "one at a time"),
    Peer("streaq", 100, "enqueue_many, 100 a call"),
    Peer("bullmq", 100, "addBulk, 100 a call"),
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


def bullmq_there() -> bool:
    """Are node and bullmq there? `make bench` installs bullmq where there is npm."""
    return shutil.which("node") is not None and (NODE / "node_modules" / "bullmq").is_dir()


def enqueuing() -> tuple[Peer, ...]:
    """What can be measured here."""
    return tuple(peer for peer in ENQUEUE if (bullmq_there() if peer.library == "bullmq" else there()))


def versions() -> str:
    """What is installed there, as one line."""
    python = _run([PYTHON, "-c", _VERSIONS, *LIBRARIES, "streaq", "redis", "hiredis", "coredis"]).strip()
    package = NODE / "node_modules" / "bullmq" / "package.json"
    return f"{python}, bullmq {json.loads(package.read_text('utf-8'))['version']}" if bullmq_there() else python


def rate(peer: Peer, what: str, url: str, jobs: int, payload: str) -> float:
    """Jobs a second. Raises RuntimeError with what the library said if it fails."""
    if peer.library == "bullmq":
        words: list[str | Path] = [shutil.which("node") or "node", _BULLMQ, url, str(jobs), str(peer.at_once), payload]
    else:
        words = [PYTHON, "-I", _WORKER, peer.library, what, url, str(jobs), str(peer.at_once), payload]
    return float(json.loads(_run(words))["rate"])


def _run(words: Sequence[str | Path]) -> str:
    env = os.environ | {"NODE_PATH": str(NODE / "node_modules")}
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False, env=env)
    if done.returncode:
        raise RuntimeError(f"{Path(words[0]).name} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
