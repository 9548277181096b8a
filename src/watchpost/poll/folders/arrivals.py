"""When a file of a folder is complete: the system's file events, and files that have come to rest.

Events are hints, a scan is the truth: inotify sees no writes over NFS or SMB, loses events when its queue overflows and
has few instances to give. A hint only makes the scan come sooner.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import warnings
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver

from watchpost.poll.folders.scan import ScannedFile

_WANTED: list[type[FileSystemEvent]] = [
    FileCreatedEvent, FileClosedEvent, FileMovedEvent, DirCreatedEvent, DirMovedEvent,
]  # fmt: skip


class DirectoryWatch(Protocol):
    """Sets `event` at each hint, and knows what was renamed into place."""

    event: asyncio.Event

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def arrived(self) -> frozenset[str]: ...


class FileEvents(FileSystemEventHandler):
    """A DirectoryWatch by watchdog, in a thread; `event` belongs to the loop in which this object was made."""

    def __init__(self, root: Path) -> None:
        self.event = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._root = os.fspath(root.resolve())
        self._arrived: set[str] = set()
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

    def arrived(self) -> frozenset[str]:
        """The relative paths that files were renamed to since the last call; such a file is complete."""
        with self._lock:
            arrived, self._arrived = frozenset(self._arrived), set()
        return arrived

    def dispatch(self, event: FileSystemEvent) -> None:
        """Called by watchdog's thread."""
        if isinstance(event, FileMovedEvent) and event.dest_path:
            path = os.path.relpath(os.fsdecode(event.dest_path), self._root).replace(os.sep, "/")
            with self._lock:
                self._arrived.add(path)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.event.set)


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
        self, files: Iterable[ScannedFile], arrived: Collection[str], now: datetime
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
            settled = settled or file.path in arrived or (stamp == file.stamp and now - since >= self._settle)
            seen[file.path] = (file.stamp, since, settled)
            if settled:
                ready.append(file)
            else:
                left = self._settle - (now - since)
                soonest = left if soonest is None else min(soonest, left)
        self._seen = seen  # files that are not in this scan are forgotten
        return ready, soonest
