"""The door to the system's file events: hints that something may be new in a folder, never the truth about it.

inotify sees no writes over NFS or SMB, loses events when its queue overflows and has few instances to give: a scan
finds everything, a hint only makes it come sooner.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import warnings
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

_WANTED: list[type[FileSystemEvent]] = [
    FileCreatedEvent, FileClosedEvent, FileMovedEvent, DirCreatedEvent, DirMovedEvent,
]  # fmt: skip


class Watch(Protocol):
    """What a folder asks of whoever watches it: an event at each hint, and what was renamed into place."""

    event: asyncio.Event

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def arrived(self) -> frozenset[str]: ...


class Hints(FileSystemEventHandler):
    """Watches a folder from a thread; `event` is set in the loop that made this object at each hint."""

    def __init__(self, root: Path) -> None:
        self.event = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._root = os.fspath(root.resolve())
        self._arrived: set[str] = set()
        self._lock = threading.Lock()
        self._observer: BaseObserver | None = None

    def start(self) -> None:
        """Begin to watch; blocks while it walks the folders. Raises OSError if the system has no watches to give."""
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

        return BaseObserver(InotifyFullEmitter)  # the one that tells a file moved in from elsewhere from a new one
    from watchdog.observers import Observer

    return Observer()
