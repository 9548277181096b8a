"""Folders: files that people or programs put into a directory. A scan is the truth, file events are hints."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import thread_time
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from watchpost.config.fields import ADVANCED, Duration, Options, Size
from watchpost.documents.encoding import is_text_encoding
from watchpost.documents.parser_process import Parser
from watchpost.documents.results import Failure
from watchpost.poll.folders.arrivals import Changes, DirectoryWatch, FileEvents, Settling, are_complete
from watchpost.poll.folders.files import FileReader, FileRecord, FolderMemory, FolderVisit
from watchpost.poll.folders.removals import FileRemovals
from watchpost.poll.folders.scan import FolderScan, ScannedFile, compile_glob, scan, scan_at, words_of
from watchpost.poll.source import SourceContext, SourceKind
from watchpost.poll.visit import Visit

_EVERY_FORMAT = "**/*.{txt,md,html,htm,mht,mhtml,eml,mbox,pdf,docx,odt,rtf,jsonl,json,xml,rss,atom,rdf}"
_VISIT_TIME = timedelta(seconds=10)  # a visit that takes longer ends with what it has
_FORGOTTEN_PER_VISIT = 1000  # keys in one script, which holds up every other client
_COARSE = timedelta(seconds=2)  # the roughest times that file systems keep
_SHARE = 50  # a scan of the whole folder costs at most this part of a core: one in fifty
_CHEAP_SECONDS = 0.005  # a scan that costs no more, of a few hundred files, is repeated at every event
_QUIET_SECONDS = 30.0  # between two scans of the whole while no event comes, where the system reports every change
_LIVELY_SECONDS = 10.0  # after an event: a directory that has just been made may get files before it is watched
_GATHER = 5  # after an event, times what the last look cost: a storm of events must not become a storm of scans
_GATHER_MIN_SECONDS, _GATHER_MAX_SECONDS = 0.005, 0.5
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
    glob: Annotated[str, AfterValidator(_pattern)] = _EVERY_FORMAT
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
    """What the last visit left: files that it found and did not read yet, so that a burst is scanned once."""

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
        self._passed_over = ""  # how many files are not read, by their endings
        self._endings = self._said = frozenset[str]()  # these endings, and those that were logged
        self._make_watch = watch
        self._watch: DirectoryWatch | None = None
        self._watch_works = True
        self._complete = False  # whether file events report every change, as far as is known
        self._lively_until = 0.0  # until when scans come as often as they may, in seconds of the loop's clock
        self._watched: tuple[int, int] | None = None  # device and inode of the directory that is watched
        self._replaced = False  # whether another directory has its name by now
        self._left_over: _LeftOver | None = None
        self._next_look: timedelta | None = None  # until a file may have settled, or may go
        self._cost_seconds = 0.0  # CPU time of the last look
        self._share_at = 0.0  # when a scan of the whole folder costs no more than its share of a core again
        self._whole_at = 0.0  # when the whole folder is to be scanned again, in seconds of the loop's clock

    async def visit(self, memory: Mapping[str, str], now: datetime) -> Visit:
        """Scan, and read what is new and complete, oldest first; at most 100 articles at a time.

        Files that an earlier visit read, and COMMIT has stored, are moved or deleted if they are to be. Between two
        scans of the whole folder, only what file events named is looked at.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        kept = FolderMemory(memory)
        last, self._left_over = self._left_over, None
        if last is not None and not last.follows(kept):
            last, self._whole_at = None, started
        if last is not None and last.files:
            visit = FolderVisit(kept, now, last.digests)
        else:
            visit = FolderVisit(kept, now, {})
            try:
                changes = await self._changes()
                quiet = started >= self._lively_until
                if changes.touched or changes.unclear:
                    self._lively_until, quiet = started + _LIVELY_SECONDS, False
                    self._whole_at = min(self._whole_at, self._share_at)
                quiet = quiet and not (self._settling.waiting() or self._read_again or self._failed)
                whole = self._watch is None or self._removals.enabled or changes.unclear or started >= self._whole_at
                files, self._cost_seconds = await asyncio.to_thread(self._look, visit, changes, whole=whole)
                if self._replaced:
                    await self.close()  # the next visit watches the directory that is there now
            except OSError as error:
                await self.close()  # the watch went with the folder
                return Visit("failed", reason="unreadable", detail=f"{self._path}: {words_of(error)}")
            if whole:
                self._plan_whole(loop.time(), found=bool(files), quiet=quiet)
            last = _LeftOver(files, visit.digests, visit.changes)
        await self._read(last, visit, started)
        news = self._passed_over if self._endings - self._said else ""
        self._said |= self._endings
        return Visit(
            "read" if visit.articles or visit.changes or visit.failures or news else "unchanged",
            tuple(visit.articles),
            memory=visit.changes_as_text(),
            failures=tuple(visit.failures),
            more=visit.more,
            detail=f"not read, for their names do not fit `glob`: {self._passed_over}" if self._passed_over else "",
            passed_over=news,
        )

    def _plan_whole(self, now: float, *, found: bool, quiet: bool) -> None:
        """Set when the whole folder is scanned again, after a scan that ended `now` and `found` files to read."""
        pause = (_SHARE - 1) * self._cost_seconds
        self._share_at = now + (pause if self._cost_seconds > _CHEAP_SECONDS else 0.0)
        if found and quiet:  # no event named them: events are not complete here
            self._complete = False
        rests = self._complete and self._watch is not None and not self._failed and now >= self._lively_until
        self._whole_at = max(self._share_at, now + _QUIET_SECONDS) if rests else self._share_at

    async def rest(self) -> None:
        """Return at a file event, when a waiting file may have settled, or when the whole folder is to be scanned.

        That is after `every`, or later: looking at a folder in which nothing changes must cost little.
        """
        loop = asyncio.get_running_loop()
        seconds = max(self.every.total_seconds(), self._whole_at - loop.time())
        if self._next_look is not None:
            seconds = min(seconds, self._next_look.total_seconds())
        event = self._watch.event if self._watch else asyncio.Event()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds + 0.002):
                await event.wait()
                await asyncio.sleep(min(max(_GATHER * self._cost_seconds, _GATHER_MIN_SECONDS), _GATHER_MAX_SECONDS))

    async def close(self) -> None:
        """Stop watching."""
        watch, self._watch = self._watch, None
        if watch is not None:
            await asyncio.to_thread(watch.stop)

    async def _changes(self) -> Changes:
        """Start watching at the first visit; returns what events named since the last one."""
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
                self._watched = await asyncio.to_thread(_identity, self._path)
                self._complete = isinstance(watch, FileEvents) and await asyncio.to_thread(are_complete, self._path)
                self._lively_until = asyncio.get_running_loop().time() + _LIVELY_SECONDS
        if self._watch is None:
            return Changes()
        self._watch.event.clear()
        return self._watch.changes()

    def _look(self, visit: FolderVisit, changes: Changes, *, whole: bool) -> tuple[list[ScannedFile], float]:
        """The files to read now, the oldest last, and the CPU seconds that it took to find them. Runs in a thread.

        Files read before are removed, files that are gone forgotten. Raises OSError if the folder cannot be read.
        """
        begun = thread_time()
        if whole:
            self._replaced = self._watch is not None and _identity(self._path) != self._watched
            found = scan(self._path, self._pattern, self._move_to)
            self._forget_vanished(found, visit)
            self._passed_over, self._endings = found.passed_over, frozenset(found.others)
        else:
            again = [path for path, moment in self._read_again.items() if visit.now >= moment]
            found = scan_at(self._path, self._pattern, {*changes.touched, *self._settling.waiting(), *again})
        visit.failures += self._new_problems(found.problems, whole=whole)
        for path in self._removals.remove_read((file for file in found.files if not file.grows), visit):
            self._read_again[path] = visit.now
        new = [file for file in found.files if self._is_new(file, visit)]
        growing = [file for file in new if file.grows]
        ready, soonest = self._settling.ready((file for file in new if not file.grows), changes.renamed, visit.now)
        waits = [wait for wait in (soonest, self._removals.wait) if wait is not None]
        waits += [max(moment - visit.now, timedelta(0)) for moment in self._read_again.values()]
        self._next_look = min(waits, default=None)
        if ready or growing:
            visit.digests = visit.memory.digests()
        files = sorted(ready + growing, key=lambda file: (file.mtime_ns, file.path), reverse=True)
        return files, thread_time() - begun

    def _forget_vanished(self, found: FolderScan, visit: FolderVisit) -> None:
        if all(problem.reason in ("outside", "not_a_file") for problem in found.problems):
            gone = visit.memory.vanished(found.files)
            visit.changes |= dict.fromkeys(gone[:_FORGOTTEN_PER_VISIT])
            visit.more = len(gone) > _FORGOTTEN_PER_VISIT
            paths = {file.path for file in found.files}
            self._failed = {path: stamp for path, stamp in self._failed.items() if path in paths}
            self._read_again = {path: moment for path, moment in self._read_again.items() if path in paths}

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

    def _new_problems(self, problems: list[Failure], *, whole: bool) -> list[Failure]:
        before, seen = self._reported, {(problem.item, problem.reason) for problem in problems}
        self._reported = seen if whole else before | seen
        return [problem for problem in problems if (problem.item, problem.reason) not in before]


def _identity(directory: Path) -> tuple[int, int]:
    facts = directory.stat()
    return facts.st_dev, facts.st_ino


def _failed_stamp(file: ScannedFile) -> str:
    return f"{file.stamp}:{file.ctime_ns}"


def build(name: str, options: FolderOptions, context: SourceContext) -> Folder:
    """A folder source; nothing is opened before the first visit."""
    return Folder(name, options, context.parser)


KIND = SourceKind("folder", FolderOptions, build)
