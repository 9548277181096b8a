"""Folders: files that people or programs put into a directory. A scan is the truth, file events are hints."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from watchpost.config.fields import ADVANCED, Duration, Options, Size
from watchpost.documents.encoding import is_text_encoding
from watchpost.documents.parser_process import Parser
from watchpost.documents.results import Failure
from watchpost.poll.folders.arrivals import DirectoryWatch, FileEvents, Settling
from watchpost.poll.folders.files import FileReader, FileRecord, FolderMemory, FolderVisit
from watchpost.poll.folders.removals import FileRemovals
from watchpost.poll.folders.scan import FolderScan, ScannedFile, compile_glob, scan, words_of
from watchpost.poll.source import SourceContext, SourceKind
from watchpost.poll.visit import Visit

_VISIT_TIME = timedelta(seconds=10)  # a visit that takes longer ends with what it has
_FORGOTTEN_PER_VISIT = 1000  # keys in one script, which holds up every other client
_COARSE = timedelta(seconds=2)  # the roughest times that file systems keep
_NEVER = datetime.max.replace(tzinfo=UTC)


def _place(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, (str, Path)) or not str(value).strip() or "\0" in str(value):
        raise PydanticCustomError("folder_path", "a folder needs a path")
    base = (info.context or {}).get("base", ".")
    return Path(base) / Path(value).expanduser()


def _pattern(value: str) -> str:
    try:
        compile_glob(value)
    except ValueError as error:
        raise PydanticCustomError("glob", "{problem}", {"problem": str(error)}) from None
    return value


def _encoding(value: str) -> str:
    if value and not is_text_encoding(value):
        raise PydanticCustomError("encoding", "{name} is no encoding that is known here", {"name": repr(value)})
    return value


class FolderOptions(Options):
    """The configuration of a folder. Relative paths count from the configuration file."""

    path: Annotated[Path, BeforeValidator(_place)]
    glob: Annotated[str, AfterValidator(_pattern)] = "**/*.{txt,md,html,htm,eml,pdf,docx,jsonl,json,xml,rss,atom,rdf}"
    settle: Annotated[Duration, Field(ge=timedelta(0)), ADVANCED] = timedelta(seconds=1)
    every: Annotated[Duration, Field(gt=timedelta(0)), ADVANCED] = timedelta(seconds=1)
    after: Literal["keep", "move", "delete"] = "keep"
    move_to: Annotated[Path, BeforeValidator(_place)] | None = None
    lang: str = ""
    encoding: Annotated[str, AfterValidator(_encoding)] = ""
    max_bytes: Size = Field(20 * 1024**2, ge=1)

    @model_validator(mode="after")
    def _move_somewhere(self) -> FolderOptions:
        if self.move_to is not None and self.after != "move":
            raise PydanticCustomError("move_to", "move_to goes with after: move")
        if self.move_to is not None and self.move_to.resolve() == self.path.resolve():
            raise PydanticCustomError(
                "move_to", "move_to is the folder itself: files would never leave it; name another directory"
            )
        return self


@dataclass(slots=True)
class _LeftOver:
    """What a scan found and no visit has read yet: a burst of files is scanned once, not once in each visit."""

    files: list[ScannedFile]  # the next one last
    digests: dict[str, bool]
    changes: Mapping[str, FileRecord | None]  # what the last visit asked to be kept

    def follows(self, memory: FolderMemory) -> bool:
        """Whether the last visit was committed; otherwise nothing that it concluded counts."""
        return all(memory.record(path) == record for path, record in self.changes.items())


class Folder:
    """One folder. Failures are kept in this object only, so that a restart tries again. `watch` makes the watch."""

    shared, host = False, ""

    def __init__(
        self, name: str, options: FolderOptions, parser: Parser, watch: Callable[[Path], DirectoryWatch] = FileEvents
    ) -> None:
        self.name = name
        self.every = options.every
        self._path = options.path
        self._pattern = compile_glob(options.glob)
        self._reader = FileReader(
            options.path,
            parser,
            source=name,
            lang=options.lang,
            encoding=options.encoding,
            max_bytes=options.max_bytes,
        )
        self._removals = FileRemovals(options.path, options.after, options.move_to)
        self._move_to = options.move_to
        self._settling = Settling(options.settle)
        self._failed: dict[str, str] = {}  # path → its stamp (with change time) when reading it failed
        self._read_again: dict[str, datetime] = {}  # path → when to read it again, whatever its time says
        self._reported: set[tuple[str, str]] = set()  # problems of the last scan
        self._make_watch = watch
        self._watch: DirectoryWatch | None = None
        self._watch_works = True
        self._left_over: _LeftOver | None = None
        self._next_scan: timedelta | None = None
        self._scan_seconds = 0.0

    async def visit(self, memory: Mapping[str, str], now: datetime) -> Visit:
        """Scan, and read what is new and complete, oldest first; at most 100 articles at a time.

        Files that an earlier visit read, and COMMIT has stored, are moved or deleted if they are to be.
        """
        started = asyncio.get_running_loop().time()
        kept = FolderMemory(memory)
        left_over, self._left_over = self._left_over, None
        if left_over is not None and left_over.follows(kept):
            visit = FolderVisit(kept, now, left_over.digests)
        else:
            try:
                arrived = await self._arrived()
                found = await asyncio.to_thread(scan, self._path, self._pattern, self._move_to)
            except OSError as error:
                await self.close()  # the watch went with the folder
                return Visit("failed", reason="unreadable", detail=f"{self._path}: {words_of(error)}")
            self._scan_seconds = asyncio.get_running_loop().time() - started
            visit = FolderVisit(kept, now, kept.digests())
            left_over = _LeftOver(await self._sort(found, arrived, visit), visit.digests, visit.changes)
        await self._read(left_over, visit, started)
        return Visit(
            "read" if visit.articles or visit.changes or visit.failures else "unchanged",
            tuple(visit.articles),
            memory=visit.changes_as_text(),
            failures=tuple(visit.failures),
            more=visit.more,
        )

    async def rest(self) -> None:
        """Return at a file event, when a waiting file may have settled, or after `every`."""
        pause = self.every if self._next_scan is None else min(self.every, self._next_scan)
        event = self._watch.event if self._watch else asyncio.Event()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause.total_seconds() + 0.002):
                await event.wait()
                await asyncio.sleep(5 * self._scan_seconds)  # a storm of events must not become a storm of scans

    async def close(self) -> None:
        """Stop watching."""
        watch, self._watch = self._watch, None
        if watch is not None:
            await asyncio.to_thread(watch.stop)

    async def _arrived(self) -> frozenset[str]:
        """Start watching at the first visit; returns what was renamed into place since the last one."""
        if self._watch is None and self._watch_works:
            watch = self._make_watch(self._path)
            try:
                await asyncio.to_thread(watch.start)
            except FileNotFoundError:
                raise
            except (OSError, RuntimeError, ImportError):  # no watches left, or none on this system: scans suffice
                self._watch_works = False
            else:
                self._watch = watch
        if self._watch is None:
            return frozenset()
        self._watch.event.clear()
        return self._watch.arrived()

    async def _sort(self, found: FolderScan, arrived: frozenset[str], visit: FolderVisit) -> list[ScannedFile]:
        """The files to read now, the oldest last. Files read before are removed, files that are gone forgotten."""
        visit.failures += self._new_problems(found.problems)
        if all(problem.reason in ("outside", "not_a_file") for problem in found.problems):
            gone = visit.memory.vanished(found.files)
            visit.changes |= dict.fromkeys(gone[:_FORGOTTEN_PER_VISIT])
            visit.more = len(gone) > _FORGOTTEN_PER_VISIT
            paths = {file.path for file in found.files}
            self._failed = {path: stamp for path, stamp in self._failed.items() if path in paths}
            self._read_again = {path: moment for path, moment in self._read_again.items() if path in paths}
        for path in await self._removals.remove_read((file for file in found.files if not file.grows), visit):
            self._read_again[path] = visit.now
        new = [file for file in found.files if self._is_new(file, visit)]
        growing = [file for file in new if file.grows]
        ready, soonest = self._settling.ready((file for file in new if not file.grows), arrived, visit.now)
        waits = [wait for wait in (soonest, self._removals.wait) if wait is not None]
        self._next_scan = min(waits, default=None)
        return sorted(ready + growing, key=lambda file: (file.mtime_ns, file.path), reverse=True)

    async def _read(self, left_over: _LeftOver, visit: FolderVisit, started: float) -> None:
        loop = asyncio.get_running_loop()
        while left_over.files and visit.room > 0 and loop.time() - started <= _VISIT_TIME.total_seconds():
            file = left_over.files.pop()
            failures = await self._read_file(file, visit)
            if failures is not None:  # report it once, and try again when the file or its permissions change
                self._failed[file.path] = _failed_stamp(file)
                visit.failures += failures
            self._plan_second_reading(file, visit.now)
        left_over.files += reversed(visit.unfinished)
        if left_over.files:
            self._left_over = _LeftOver(left_over.files, visit.digests, visit.changes)
        visit.more = visit.more or bool(left_over.files) or (self._removals.enabled and bool(visit.articles))

    async def _read_file(self, file: ScannedFile, visit: FolderVisit) -> tuple[Failure, ...] | None:
        try:
            return await self._reader.read(file, visit)
        except FileNotFoundError:
            return None
        except OSError as error:
            return (Failure(file.shown, "unreadable", words_of(error)),)

    def _is_new(self, file: ScannedFile, visit: FolderVisit) -> bool:
        if self._failed.get(file.path) == _failed_stamp(file):
            return False
        record = visit.before(file)
        if record is None or record.stamp != file.stamp or visit.now >= self._read_again.get(file.path, _NEVER):
            return True
        return record.offset is not None and (not file.grows or record.offset < file.size)

    def _plan_second_reading(self, file: ScannedFile, now: datetime) -> None:
        """A file whose time is young, and in whole seconds, may change without a trace: it is read once more."""
        self._read_again.pop(file.path, None)
        age = timedelta(seconds=max(-9, min(9, now.timestamp() - file.mtime_ns / 1e9)))
        if file.mtime_ns % 1_000_000_000 == 0 and abs(age) < _COARSE and not file.grows:
            self._read_again[file.path] = now + _COARSE - age

    def _new_problems(self, problems: list[Failure]) -> list[Failure]:
        before, self._reported = self._reported, {(problem.item, problem.reason) for problem in problems}
        return [problem for problem in problems if (problem.item, problem.reason) not in before]


def _failed_stamp(file: ScannedFile) -> str:
    return f"{file.stamp}:{file.ctime_ns}"


def build(name: str, options: FolderOptions, context: SourceContext) -> Folder:
    """A folder source; nothing is opened before the first visit."""
    return Folder(name, options, context.parser)


KIND = SourceKind("folder", FolderOptions, build)
