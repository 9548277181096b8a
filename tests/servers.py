"""Real servers for tests: the Valkey or Redis that watchpost itself would start."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import redis

from watchpost.store.server.binary import arguments, find_binary


@dataclass(frozen=True, slots=True)
class ValkeyServer:
    """A running server with an append-only file. `url` is unix://…, fit for every Redis client."""

    url: str
    directory: Path
    pid: int

    def flush(self) -> None:
        """Forget every key and every script, as a server that has just been installed."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()
            client.script_flush()


@contextmanager
def valkey_server(*settings: str) -> Iterator[ValkeyServer]:
    """Start a server on an empty directory of its own; killed and removed at the end. `settings` are further words."""
    directory = Path(tempfile.mkdtemp(prefix="wp-"))  # not tmp_path: a socket's path must stay short
    socket = directory / "redis.sock"
    words = arguments(directory, socket, fsync="everysec", maxmemory=256 * 1024 * 1024)
    process = subprocess.Popen(
        [find_binary(os.environ), *words, *settings], stdin=subprocess.DEVNULL, start_new_session=True
    )
    url = f"unix://{socket}"
    try:
        _wait(process, url)
        yield ValkeyServer(url, directory, process.pid)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(directory, ignore_errors=True)


def servers_on(data: Path) -> tuple[int, ...]:
    """The process ids of the servers that run on `data`: it is their working directory, and named in their title."""
    if not Path("/proc/self/cwd").exists():
        table = subprocess.run(["ps", "-axww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
        return tuple(int(line.split()[0]) for line in table.splitlines() if f"{data}/" in line)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            if (process / "cwd").readlink() == data:
                found.append(int(process.name))
    return tuple(found)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + 20
    with redis.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
            except redis.exceptions.ConnectionError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return
