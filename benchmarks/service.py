"""`watchpost run` as its user starts it: a process of its own, on a configuration and a data directory of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WATCHPOST = (sys.executable, "-m", "watchpost")


@dataclass(frozen=True, slots=True)
class Running:
    """A service that is ready. `ready_seconds` is from the start of the process to the first 200 of /readyz."""

    root: Path
    ready_seconds: float
    pid: int

    def kill(self) -> None:
        """End it with SIGKILL, as a machine that fails would."""
        os.kill(self.pid, signal.SIGKILL)


@contextmanager
def place() -> Iterator[Path]:
    """An empty directory with a short path: a socket lives below it."""
    with tempfile.TemporaryDirectory(prefix="wp-") as name:
        yield Path(name)


@contextmanager
def service(root: Path, config: str, env: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Start all roles with the embedded server, wait until ready; SIGTERM at the end, and an exit code of 0
    unless it was killed."""
    port = _free_port()
    path = root / "watchpost.yaml"
    path.write_text(f'version: 1\nhttp: {{listen: "127.0.0.1:{port}"}}\n{config}', "utf-8")
    words = [*WATCHPOST, "run", "--config", str(path), "--data", str(root / "data")]
    with (root / "log.txt").open("wb") as log:
        begun = time.monotonic()
        process = subprocess.Popen(words, stdout=log, stderr=log, env=clean_env() | dict(env or {}))
        try:
            yield Running(root, _wait(process, port, root) - begun, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(30)
    if code not in (0, -signal.SIGKILL):
        raise RuntimeError(f"watchpost ended with {code}:\n{said(root)}")


def said(root: Path) -> str:
    """The end of what the service logged."""
    return (root / "log.txt").read_text("utf-8", "replace")[-3000:]


def clean_env() -> dict[str, str]:
    """This process's environment without settings for watchpost."""
    return {key: value for key, value in os.environ.items() if not key.startswith("WATCHPOST_")}


def _wait(process: subprocess.Popen[bytes], port: int, root: Path) -> float:
    """The moment of the first 200 of /readyz, asked each 5 ms."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return time.monotonic()
        except OSError:  # nobody listens yet, or 503: the workers have not said that they are there
            time.sleep(0.005)
    raise RuntimeError(f"watchpost is not ready:\n{said(root)}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
