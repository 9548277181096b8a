"""When a file of a folder is complete: the system's file events, and files that have come to rest.

Events are hints, a scan is the truth: inotify sees no writes over NFS or SMB, loses events when its queue overflows and
has few instances to give. A hint only makes the scan come sooner.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
import warnings
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver

from watchpost.documents.parse import LINE_SUFFIXES
from watchpost.poll.folders.scan import ScannedFile

_WANTED: list[type[FileSystemEvent]] = [
    FileCreatedEvent, FileModifiedEvent, FileClosedEvent, FileMovedEvent, DirCreatedEvent, DirMovedEvent,
]  # fmt: skip
_NAMED_MAX = 20_000  # paths that are remembered one by one; beyond, a scan of the whole folder is cheaper
_MOUNTS = Path("/proc/self/mountinfo")
_LOCAL = frozenset({
    "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "msdos", "ntfs3", "overlay", "ramfs",
    "reiserfs", "tmpfs", "vfat", "xfs", "zfs",
})  # fmt: skip
"""File systems that nobody but this machine writes to."""
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Changes:
    """What file events named, as paths relative to the folder, with `/`.

    `renamed`: files that were renamed into place, and so are complete. `touched`: these, and every file or directory
    that came or was written to. `unclear`: there were too many, and only a scan of the whole folder finds them.
    """

    renamed: frozenset[str] = frozenset()
    touched: frozenset[str] = frozenset()
    unclear: bool = False


class DirectoryWatch(Protocol):
    """Sets `event` at each hint; `changes()` returns what the hints since the last call named."""

    event: asyncio.Event

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def changes(self) -> Changes: ...


class FileEvents(FileSystemEventHandler):
    """A DirectoryWatch by watchdog, in a thread; `event` belongs to the loop in which this object was made."""

    def __init__(self, root: Path) -> None:
        self.event = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._root = os.fspath(root.resolve())
        self._renamed: set[str] = set()
        self._touched: set[str] = set()
        self._unclear = False
        self._lock = threading.Lock()
        self._observer: BaseObserver | None = None

    def start(self) -> None:
        """Begin to watch; blocks while it walks the folders. Raises OSError if the system has no watches left."""
        # Where a directory and its first file come at once, watchdog warns of its own race. A scan finds the file.
        warnings.filterwarnings("ignore", "Callback with id .* already exists", RuntimeWarning)
        observer = _observer()
        observer.schedule(self, self._root, recursive=True, event_filter=_WANTED)
        observer.start()
        self._observer = observer

    def stop(self) -> None:
        """Stop watching; blocks until the threads have ended."""
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            observer.join()

    def changes(self) -> Changes:
        """What file events named since the last call."""
        with self._lock:
            changes = Changes(frozenset(self._renamed), frozenset(self._touched), self._unclear)
            self._renamed, self._touched, self._unclear = set(), set(), False
        return changes

    def dispatch(self, event: FileSystemEvent) -> None:
        """Called by watchdog's thread."""
        moved = isinstance(event, (FileMovedEvent, DirMovedEvent))
        path = os.fsdecode(event.dest_path if moved else event.src_path)
        if isinstance(event, FileModifiedEvent) and not path.lower().endswith(tuple(LINE_SUFFIXES)):
            return  # a file that does not grow line by line is read once it is closed, or has come to rest
        if path:
            relative = os.path.relpath(path, self._root).replace(os.sep, "/")
            with self._lock:
                self._note(relative, renamed=isinstance(event, FileMovedEvent))
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.event.set)

    def _note(self, path: str, *, renamed: bool) -> None:
        if renamed:
            self._renamed.add(path)
        self._touched.add(path)
        if len(self._touched) > _NAMED_MAX:
            self._touched.clear()
            self._unclear = True


def are_complete(root: Path, mounts: Path = _MOUNTS) -> bool:
    """Whether inotify reports every change below this directory: no other machine writes to any file system there.

    `mounts` lists what is mounted, as Linux does: https://docs.kernel.org/filesystems/proc.html#proc-pid-mountinfo.
    False if that cannot be read. Raises OSError if there is no such directory.
    """
    place = f"{os.fspath(root.resolve(strict=True)).rstrip('/')}/"
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return False
    around, kind, below = "", "", {}  # what is mounted over the directory last counts
    for line in lines:
        words, _, rest = line.partition(" - ")
        name = _OCTAL.sub(lambda found: chr(int(found[1], 8)), words.split(" ")[4])
        point, file_system = f"{name.rstrip('/')}/", rest.partition(" ")[0]
        if place.startswith(point):
            if len(point) >= len(around):
                around, kind = point, file_system
        elif point.startswith(place):
            below[point] = file_system
    return {kind, *below.values()} <= _LOCAL


def _observer() -> BaseObserver:
    if sys.platform == "linux":
        from watchdog.observers.inotify import InotifyFullEmitter

        return BaseObserver(InotifyFullEmitter)  # it alone distinguishes a file moved in from elsewhere from a new one
    from watchdog.observers import Observer

    return Observer()


class Settling:
    """Distinguishes complete files from files that are still being written.

    A file is ready if two scans at least `settle` apart saw the same, if at the first scan nobody had written to it for
    twice that long, or if it was renamed into place. It stays ready until somebody writes to it.
    """

    def __init__(self, settle: timedelta) -> None:
        self._settle = settle
        self._seen: dict[str, tuple[str, datetime, bool]] = {}  # path → stamp, since when, ready

    def ready(
        self, files: Iterable[ScannedFile], renamed: Collection[str], now: datetime
    ) -> tuple[list[ScannedFile], timedelta | None]:
        """The files that are ready, and how long until the next of the others can be (None: there are none)."""
        ready: list[ScannedFile] = []
        seen: dict[str, tuple[str, datetime, bool]] = {}
        soonest: timedelta | None = None
        for file in files:
            stamp, since, settled = self._seen.get(file.path, ("", now, False))
            if stamp != file.stamp:
                age = timedelta(seconds=now.timestamp() - file.mtime_ns / 1e9)
                since, settled = now, age >= 2 * self._settle
            settled = settled or file.path in renamed or (stamp == file.stamp and now - since >= self._settle)
            seen[file.path] = (file.stamp, since, settled)
            if settled:
                ready.append(file)
            else:
                left = self._settle - (now - since)
                soonest = left if soonest is None else min(soonest, left)
        self._seen = seen  # files that are not in this scan are forgotten
        return ready, soonest

    def waiting(self) -> list[str]:
        """The paths of the files that are not ready yet."""
        return [path for path, (_, _, ready) in self._seen.items() if not ready]
