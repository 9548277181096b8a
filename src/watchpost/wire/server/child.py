"""A door to the operating system: the server as a child process, and what it says when it ends."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from watchpost.errors import StoreError, StoreUnfit, StoreUnreachable
from watchpost.wire.server import aof
from watchpost.wire.server.datadir import DataDirectory

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
    """One started server program. It outlives this process: nothing here stops it but `end`.

    It inherits `lock`, the descriptor of its data directory's lock, and appends what it says to redis.log.
    Raises StoreUnreachable when the program cannot be run at all.
    """

    def __init__(self, binary: Path, words: tuple[str, ...], *, lock: int, directory: DataDirectory) -> None:
        self._binary = binary
        self._directory = directory
        output, self._log_start = directory.open_log()
        try:
            # Not asyncio's subprocess: that one kills its child when the loop closes.
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
    def lives(self) -> bool:
        """True until the program has ended; buries it when it has."""
        return self._process.poll() is None

    @property
    def damaged_file(self) -> str | None:
        """The append-only file that the server refused to read, by its own words."""
        return aof.damaged(self._said())

    def last_words(self) -> str:
        """The last five lines that it wrote to its log, as one line."""
        lines = [line.strip() for line in self._said().splitlines() if line.strip()]
        return " | ".join(lines[-5:])[-800:]

    def why_it_ended(self) -> StoreError:
        """Its end as an error that says what to do."""
        said, words, data = self._said(), self.last_words() or "it said nothing", self._directory.path
        if "No space left on device" in said or shutil.disk_usage(data).free < _NO_ROOM:  # the log may not fit either
            return StoreUnfit(f"there is no room left on the disk of {data}: make room and start again ({words})")
        if any(sign in said for sign in _BAD_DATA):
            return aof.unreadable(data, words)
        if "Permission denied" in said or "Read-only file system" in said:
            return StoreUnfit(f"the server may not read or write its files in {data}: give them to this user ({words})")
        return StoreUnreachable(
            f"the server {self._binary} ended at once (exit code {self._process.returncode}); "
            f"the end of {data / 'redis.log'}: {words}"
        )

    def end(self, timeout_seconds: float) -> None:
        """Ask it to end (SIGTERM) and wait. Blocks."""
        if self.lives:
            self._process.terminate()
            try:
                self._process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                return  # it holds its lock, so that the next start adopts it

    def _said(self) -> str:
        return self._directory.read_log(self._log_start)
