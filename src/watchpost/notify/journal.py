"""The door to a few small files: the deliveries that this machine has seen arrive.

Between the other side's "yes" and DONE in Redis a process can die. The journal is written and flushed to disk
in that gap, so that whoever comes next on this machine says DONE instead of sending again. One file a day,
"sent-20261123.journal", one delivery id a line; several processes append to it; two days are kept.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path


class Journal:
    """Remembers delivery ids on disk, for the day they arrived and the next. The directory must exist."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: dict[Path, set[str]] = {}
        self._read_to: dict[Path, int] = {}

    def knows(self, delivery: str, now: datetime) -> bool:
        """Did this machine see the delivery arrive, today or yesterday?"""
        return any(delivery in self._read(self._file(now - timedelta(days=back))) for back in (0, 1))

    def write(self, delivery: str, now: datetime) -> None:
        """Note that it arrived; on return the line is on disk. Raises OSError if it cannot be."""
        path = self._file(now)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{delivery}\n".encode())
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def tidy(self, now: datetime) -> None:
        """Remove the files of days that nobody asks about any more."""
        kept = {self._file(now - timedelta(days=back)) for back in (-1, 0, 1)}
        for path in self._directory.glob("sent-*.journal"):
            if path not in kept:
                path.unlink(missing_ok=True)
                self._known.pop(path, None)
                self._read_to.pop(path, None)

    def _file(self, now: datetime) -> Path:
        return self._directory / f"sent-{now:%Y%m%d}.journal"

    def _read(self, path: Path) -> set[str]:
        """The file's ids; only what was appended since the last look is read."""
        known = self._known.setdefault(path, set())
        try:
            with path.open("rb") as file:
                file.seek(self._read_to.get(path, 0))
                fresh = file.read()
        except FileNotFoundError:
            return known
        whole, newline, _ = fresh.rpartition(b"\n")  # a line without its end is still being written
        if newline:
            self._read_to[path] = self._read_to.get(path, 0) + len(whole) + 1
            known.update(line.decode("ascii", "replace") for line in whole.splitlines())
        return known
