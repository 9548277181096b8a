"""One file of a folder becomes articles: whole, once it has settled; JSON Lines from where the last visit stopped."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
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

from watchpost.documents.parse import LINE_SUFFIXES, Reading, read_document, read_json_lines
from watchpost.documents.results import Failure
from watchpost.errors import FetchError
from watchpost.model import Article
from watchpost.poll.folders.scan import FileRecord, Look, read_part, recall
from watchpost.poll.source import Parser

# What one visit to a folder gathers, how much it may carry, and what of it is known already.


ARTICLES_PER_VISIT = 100
TEXT_PER_VISIT = 10_000_000
"""Code points in the articles of one visit, give or take one article: they all are in memory at once."""

_KEY = "f:"


@dataclass(slots=True)
class FolderVisit:
    """What a visit has gathered so far.

    `digests` are those of all files that were read to their end: was something in them cut, replaced or skipped?
    """

    memory: Mapping[str, str]
    now: datetime
    digests: dict[str, bool]
    articles: list[Article] = field(default_factory=list)
    changes: dict[str, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    unfinished: list[Look] = field(default_factory=list)  # files of which more is to be read in the next visit
    more: bool = False

    @property
    def room(self) -> int:
        """How many articles still fit in."""
        text = sum(len(article.body) + len(article.summary) for article in self.articles)
        return ARTICLES_PER_VISIT - len(self.articles) if text < TEXT_PER_VISIT else 0

    def before(self, look: Look) -> FileRecord | None:
        """What was remembered of this file when the visit began."""
        return recall(self.memory.get(key(look), ""))

    def note(self, look: Look, record: FileRecord) -> None:
        """Remember this of the file, once what was gathered is committed."""
        self.changes[key(look)] = record.encode()
        if record.offset is None:
            self.digests[record.digest] = record.flawed


def digests_in(memory: Mapping[str, str]) -> dict[str, bool]:
    """Haul.digests, from the memory: wherever a file lay, a moved one is no news."""
    return {record.digest: record.flawed for record in _records(memory) if record.offset is None}


def vanished(memory: Mapping[str, str], looks: tuple[Look, ...]) -> list[str]:
    """The keys of files that are gone; none if all are: then it is the disk that is gone."""
    here = {key(look) for look in looks}
    return [name for name in memory if name.startswith(_KEY) and name not in here] if here else []


def key(look: Look) -> str:
    """What a file is called in the memory of its folder."""
    return _KEY + look.shown


def _records(memory: Mapping[str, str]) -> Iterator[FileRecord]:
    for name, text in memory.items():
        if name.startswith(_KEY) and (record := recall(text)) is not None:
            yield record


_PART_BYTES = 8_000_000
_TAIL_BYTES = 1024


class FileReader:
    """Reads the files under `root` into hauls. `source` is the folder's name."""

    def __init__(
        self, root: Path, parser: Parser, *, source: str, lang: str = "", encoding: str = "", max_bytes: int
    ) -> None:
        self._root = root
        self._parser = parser
        self._source = source
        self._lang = lang
        self._encoding = encoding
        self._max_bytes = max_bytes

    async def read(self, look: Look, folder_visit: FolderVisit) -> tuple[Failure, ...] | None:
        """Add what is new in the file to `haul`. The failures of a file of which nothing could be read.

        None: it was read, or was not to be read now. Raises OSError.
        """
        try:
            return await (self._lines(look, folder_visit) if grows(look) else self._whole(look, folder_visit))
        except FetchError as error:
            return (Failure(look.shown, error.reason, error.detail),)

    async def _whole(self, look: Look, folder_visit: FolderVisit) -> tuple[Failure, ...] | None:
        if look.size > self._max_bytes:
            raise FetchError("too_large", f"{look.size:,} bytes; max_bytes is {self._max_bytes:,}")
        data = await asyncio.to_thread(read_part, self._root, look)
        if data is None:
            return None  # written to since the scan: the next look sees it
        digest = hashlib.sha256(data).hexdigest()[:32]
        before = folder_visit.before(look)
        if digest in folder_visit.digests:
            folder_visit.note(look, FileRecord(look.stamp, digest, flawed=folder_visit.digests[digest]))
            return None
        reading = await self._parser.run(
            read_document,
            look.shown,
            data,
            now=folder_visit.now,
            source=self._source,
            lang=self._lang,
            encoding=self._encoding,
            revised=before is not None and before.digest != digest,
        )
        if reading.failures and not reading.articles:
            return reading.failures
        start = (before.offset or 0) if before and before.digest == digest else 0
        part = reading.articles[start : start + folder_visit.room]
        end = start + len(part)
        unfinished = end < len(reading.articles)
        folder_visit.articles += part
        folder_visit.failures += reading.failures if not start else ()
        folder_visit.note(
            look, FileRecord(look.stamp, digest, end if unfinished else None, flawed=bool(reading.failures))
        )
        if unfinished:
            folder_visit.unfinished.append(look)
        return None

    async def _lines(self, look: Look, folder_visit: FolderVisit) -> tuple[Failure, ...] | None:
        """The complete lines after those already read; from the start if this is another file, or a shorter one."""
        before = folder_visit.before(look)
        offset = (before.offset or 0) if before and before.stamp.rpartition(":")[2] == str(look.inode) else 0
        if offset > look.size:
            offset = 0
        tail = min(offset, _TAIL_BYTES)
        data = await asyncio.to_thread(read_part, self._root, look, offset - tail, tail + _PART_BYTES)
        if data is None:
            return None
        if offset and before and _tail_digest(data[:tail]) != before.digest:  # rewritten in place
            offset, tail = 0, 0
            data = await asyncio.to_thread(read_part, self._root, look, 0, _PART_BYTES) or b""
        reading: Reading = await self._parser.run(
            read_json_lines,
            look.shown,
            data[tail:],
            folder_visit.now,
            source=self._source,
            lang=self._lang,
            limit=folder_visit.room,
            start=offset,
        )
        if not reading.consumed:
            return ()  # half a line: until the file changes
        end = tail + reading.consumed
        folder_visit.articles += reading.articles
        folder_visit.failures += reading.failures
        folder_visit.note(
            look, FileRecord(look.stamp, _tail_digest(data[:end][-_TAIL_BYTES:]), offset + reading.consumed)
        )
        if offset + reading.consumed < look.size:
            folder_visit.unfinished.append(look)
        return None


def grows(look: Look) -> bool:
    """JSON Lines are read while they grow: a complete line is complete."""
    return PurePosixPath(look.path).suffix.lower() in LINE_SUFFIXES


def _tail_digest(tail: bytes) -> str:
    return hashlib.sha256(tail).hexdigest()[:32]


# The door to the system's file events: hints that something may be new in a folder, never the truth about it.
#
# inotify sees no writes over NFS or SMB, loses events when its queue overflows and has few instances to give: a scan
# finds everything, a hint only makes it come sooner.


_WANTED: list[type[FileSystemEvent]] = [
    FileCreatedEvent, FileClosedEvent, FileMovedEvent, DirCreatedEvent, DirMovedEvent,
]  # fmt: skip


class DirectoryWatch(Protocol):
    """What a folder asks of whoever watches it: an event at each hint, and what was renamed into place."""

    event: asyncio.Event

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def arrived(self) -> frozenset[str]: ...


class FileEvents(FileSystemEventHandler):
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
