"""Folders: files that people or programs drop into a directory. A scan is the truth, file events are hints."""

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
from watchpost.documents.results import Failure
from watchpost.poll.folders.files import (
    DirectoryWatch,
    FileEvents,
    FileReader,
    FolderVisit,
    digests_in,
    grows,
    vanished,
)
from watchpost.poll.folders.removals import FileRemovals
from watchpost.poll.folders.scan import Look, ScannedFile, Settling, compile_glob, scan
from watchpost.poll.source import Parser, SourceContext, SourceKind
from watchpost.poll.visit import Visit

_PATIENCE = timedelta(seconds=10)  # a visit that takes longer hands on what it has
_FORGOTTEN_PER_VISIT = 1000  # keys in one script: nobody else is served meanwhile
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
    """What an operator may say about a folder. Relative paths count from the configuration file."""

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
            raise PydanticCustomError("move_to", "move_to is the folder itself: files would never leave it")
        return self


@dataclass(slots=True)
class _LeftOver:
    """What a scan found and no visit has read yet: a burst of files is scanned once, not once in each visit."""

    looks: list[Look]  # the next one last
    digests: dict[str, bool]
    changes: Mapping[str, str]  # what the last visit asked to be remembered

    def follows(self, memory: Mapping[str, str]) -> bool:
        """Whether the last visit was committed; otherwise nothing that it concluded counts."""
        return all(memory.get(name, "") == text for name, text in self.changes.items())


class Folder:
    """One folder. Its memory: `f:<path>` → what was read of that file. Failures are kept in this object only,
    so that a restart tries them again. `watch` makes what gives hints."""

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
        self._leaving = FileRemovals(options.path, options.after, options.move_to)
        self._move_to = options.move_to
        self._settling = Settling(options.settle)
        self._given_up: dict[str, str] = {}  # path → the look (with change time) at which reading it failed
        self._doubted: dict[str, datetime] = {}  # path → when to read it again, whatever its time says
        self._told: set[tuple[str, str]] = set()
        self._watch = watch
        self._hints: DirectoryWatch | None = None
        self._hints_work = True
        self._left: _LeftOver | None = None
        self._next_look: timedelta | None = None
        self._scan_seconds = 0.0

    async def visit(self, memory: Mapping[str, str], now: datetime) -> Visit:
        """Scan, and read what is new and complete, oldest first; at most 100 articles at a time.

        What an earlier visit read, and COMMIT keeps, leaves the folder if it is to.
        """
        started = asyncio.get_running_loop().time()
        left, self._left = self._left, None
        if left is not None and left.follows(memory):
            folder_visit = FolderVisit(memory, now, left.digests)
        else:
            try:
                arrived = await self._hear()
                found = await asyncio.to_thread(scan, self._path, self._pattern, self._move_to)
            except OSError as error:
                await self.close()  # the watch went with the folder
                said = (error.strerror or type(error).__name__).lower()
                return Visit("failed", reason="unreadable", detail=f"{self._path}: {said}")
            self._scan_seconds = asyncio.get_running_loop().time() - started
            folder_visit = FolderVisit(memory, now, digests_in(memory))
            left = _LeftOver(
                await self._sort_out(found, arrived, folder_visit), folder_visit.digests, folder_visit.changes
            )
        await self._read(left, folder_visit, started)
        brought = folder_visit.articles or folder_visit.changes or folder_visit.failures
        return Visit(
            "read" if brought else "unchanged",
            tuple(folder_visit.articles),
            memory=folder_visit.changes,
            failures=tuple(folder_visit.failures),
            more=folder_visit.more,
        )

    async def _sort_out(self, found: ScannedFile, arrived: frozenset[str], folder_visit: FolderVisit) -> list[Look]:
        """What of it is to be read now, the oldest last; what was read before leaves, what is gone is forgotten."""
        folder_visit.failures += self._first_time(found.problems)
        if all(problem.reason in ("outside", "not_a_file") for problem in found.problems):
            gone = vanished(folder_visit.memory, found.looks)
            folder_visit.changes |= dict.fromkeys(gone[:_FORGOTTEN_PER_VISIT], "")
            folder_visit.more = len(gone) > _FORGOTTEN_PER_VISIT
            self._given_up = {look.path: s for look in found.looks if (s := self._given_up.get(look.path))}
            self._doubted = {look.path: d for look in found.looks if (d := self._doubted.get(look.path))}
        for path in await self._leaving.see_off((look for look in found.looks if not grows(look)), folder_visit):
            self._doubted[path] = folder_visit.now
        new = [look for look in found.looks if self._is_new(look, folder_visit)]
        grown = [look for look in new if grows(look)]
        ready, soonest = self._settling.ready((look for look in new if not grows(look)), arrived, folder_visit.now)
        waits = [wait for wait in (soonest, self._leaving.wait) if wait is not None]
        self._next_look = min(waits, default=None)
        return sorted(ready + grown, key=lambda look: (look.mtime_ns, look.path), reverse=True)

    async def _read(self, left: _LeftOver, folder_visit: FolderVisit, started: float) -> None:
        loop = asyncio.get_running_loop()
        while left.looks and folder_visit.room > 0 and loop.time() - started <= _PATIENCE.total_seconds():
            look = left.looks.pop()
            failures = await self._try(look, folder_visit)
            if failures is not None:  # say it once, and try again when the file or its permissions change
                self._given_up[look.path] = _failed_stamp(look)
                folder_visit.failures += failures
            self._doubt(look, folder_visit.now)
        left.looks += reversed(folder_visit.unfinished)
        if left.looks:
            self._left = _LeftOver(left.looks, folder_visit.digests, folder_visit.changes)
        folder_visit.more = (
            folder_visit.more or bool(left.looks) or (self._leaving.concerns_us and bool(folder_visit.articles))
        )

    async def _try(self, look: Look, folder_visit: FolderVisit) -> tuple[Failure, ...] | None:
        try:
            return await self._reader.read(look, folder_visit)
        except FileNotFoundError:
            return None
        except PermissionError:
            return (Failure(look.shown, "unreadable", "permission denied"),)
        except OSError as error:
            return (Failure(look.shown, "unreadable", str(error.strerror).lower()),)

    async def rest(self) -> None:
        """Return at a file event, when a waiting file may have settled, or after `every`."""
        pause = self.every if self._next_look is None else min(self.every, self._next_look)
        event = self._hints.event if self._hints else asyncio.Event()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause.total_seconds() + 0.002):
                await event.wait()
                await asyncio.sleep(5 * self._scan_seconds)  # a storm of events must not become a storm of scans

    async def close(self) -> None:
        """Stop watching."""
        hints, self._hints = self._hints, None
        if hints is not None:
            await asyncio.to_thread(hints.stop)

    async def _hear(self) -> frozenset[str]:
        """Start watching at the first visit; what was renamed into place since the last one."""
        if self._hints is None and self._hints_work:
            hints = self._watch(self._path)
            try:
                await asyncio.to_thread(hints.start)
            except FileNotFoundError:
                raise
            except (OSError, RuntimeError, ImportError):  # no watches left, or none on this system: scans suffice
                self._hints_work = False
            else:
                self._hints = hints
        if self._hints is None:
            return frozenset()
        self._hints.event.clear()
        return self._hints.arrived()

    def _is_new(self, look: Look, folder_visit: FolderVisit) -> bool:
        if self._given_up.get(look.path) == _failed_stamp(look):
            return False
        record = folder_visit.before(look)
        if record is None or record.stamp != look.stamp or folder_visit.now >= self._doubted.get(look.path, _NEVER):
            return True
        return record.offset is not None and (not grows(look) or record.offset < look.size)

    def _doubt(self, look: Look, now: datetime) -> None:
        """Read a file again that may change without our seeing it: its time is young, and in whole seconds."""
        self._doubted.pop(look.path, None)
        age = timedelta(seconds=max(-9, min(9, now.timestamp() - look.mtime_ns / 1e9)))
        if look.mtime_ns % 1_000_000_000 == 0 and abs(age) < _COARSE and not grows(look):
            self._doubted[look.path] = now + _COARSE - age

    def _first_time(self, problems: tuple[Failure, ...]) -> list[Failure]:
        now_told = {(problem.item, problem.reason) for problem in problems}
        new = [problem for problem in problems if (problem.item, problem.reason) not in self._told]
        self._told = now_told
        return new


def _failed_stamp(look: Look) -> str:
    return f"{look.stamp}:{look.ctime_ns}"


def build(name: str, options: FolderOptions, context: SourceContext) -> Folder:
    """A folder source; nothing is opened before the first visit."""
    return Folder(name, options, context.parser)


KIND = SourceKind("folder", FolderOptions, build)
