"""Folders: files that people or programs drop into a directory. A scan is the truth, file events are hints."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from watchpost.errors import FetchError
from watchpost.model import Article
from watchpost.plan.fields import Duration, Options, Size
from watchpost.poll.documents.read import LINE_SUFFIXES, Reading, read_document, read_json_lines
from watchpost.poll.globs import compile_glob
from watchpost.poll.hints import Hints
from watchpost.poll.scan import read_part, scan, shown
from watchpost.poll.settling import Look, Record, Settling, recall
from watchpost.poll.source import Failure, Kind, Parser, Visit, Workshop

ARTICLES_PER_VISIT = 100
_PATIENCE = timedelta(seconds=10)  # a visit that takes longer hands on what it has
_PART_BYTES = 8_000_000
_TAIL_BYTES = 1024
_KEY = "f:"


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


class FolderOptions(Options):
    """What an operator may say about a folder. A relative `path` counts from the configuration file."""

    path: Annotated[Path, BeforeValidator(_place)]
    glob: Annotated[str, AfterValidator(_pattern)] = "**/*.{txt,md,html,htm,eml,pdf,jsonl,json,xml,rss,atom,rdf}"
    settle: Duration = Field(timedelta(seconds=1), ge=timedelta(0))
    every: Duration = Field(timedelta(seconds=1), gt=timedelta(0))
    lang: str = ""
    max_bytes: Size = Field(20 * 1024**2, ge=1)


@dataclass(slots=True)
class _Haul:
    """What a visit has gathered so far."""

    memory: Mapping[str, str]
    now: datetime
    articles: list[Article] = field(default_factory=list)
    changes: dict[str, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    more: bool = False
    digests: set[str] | None = None  # of the files read whole

    @property
    def room(self) -> int:
        return ARTICLES_PER_VISIT - len(self.articles)

    def knows(self, digest: str) -> bool:
        """Whether some file of this content was read to its end, wherever it lay: a moved file is no news."""
        if self.digests is None:
            self.digests = {
                record.digest
                for key, text in self.memory.items()
                if key.startswith(_KEY) and (record := recall(text)) is not None and record.offset is None
            }
        return digest in self.digests


class Folder:
    """One folder. Its memory: `f:<path>` → what was read of that file. Failures are kept in this object only,
    so that a restart tries them again."""

    shared = False

    def __init__(self, name: str, options: FolderOptions, parser: Parser) -> None:
        self.name = name
        self.every = options.every
        self._options = options
        self._parser = parser
        self._pattern = compile_glob(options.glob)
        self._settling = Settling(options.settle)
        self._given_up: dict[str, str] = {}  # path → the look (with change time) at which reading it failed
        self._told: set[tuple[str, str]] = set()
        self._hints: Hints | None = None
        self._hints_work = True
        self._next_look: timedelta | None = None
        self._scan_seconds = 0.0

    async def visit(self, memory: Mapping[str, str], now: datetime) -> Visit:
        """Scan, and read what is new and complete, oldest first; at most 100 articles at a time."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            arrived = await self._hear()
            found = await asyncio.to_thread(scan, self._options.path, self._pattern)
        except OSError as error:
            await self.close()  # the watch went with the folder
            said = (error.strerror or type(error).__name__).lower()
            return Visit("failed", reason="unreadable", detail=f"{self._options.path}: {said}")
        self._scan_seconds = loop.time() - started
        haul = _Haul(memory, now)
        haul.failures += self._first_time(found.problems)
        if not found.problems:
            self._forget_vanished(found.looks, haul)
        new = [look for look in found.looks if self._is_new(look, memory)]
        grows = [look for look in new if _grows(look)]
        ready, self._next_look = self._settling.ready((look for look in new if not _grows(look)), arrived, now)
        for look in sorted(ready + grows, key=lambda look: (look.mtime_ns, look.path)):
            if haul.room <= 0 or loop.time() - started > _PATIENCE.total_seconds():
                haul.more = True
                break
            await self._take(look, haul)
        brought = haul.articles or haul.changes or haul.failures
        return Visit(
            "read" if brought else "unchanged",
            tuple(haul.articles),
            haul.changes,
            failures=tuple(haul.failures),
            more=haul.more,
        )

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
            hints = Hints(self._options.path)
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

    def _is_new(self, look: Look, memory: Mapping[str, str]) -> bool:
        if self._given_up.get(look.path) == _failed_stamp(look):
            return False
        text = memory.get(_key(look), "")
        if not text.startswith(f"{look.stamp}:") or (record := recall(text)) is None:
            return True
        return record.offset is not None and (not _grows(look) or record.offset < look.size)

    async def _take(self, look: Look, haul: _Haul) -> None:
        try:
            if _grows(look):
                await self._take_lines(look, haul)
            else:
                await self._take_file(look, haul)
        except FileNotFoundError:
            pass
        except PermissionError:
            self._give_up(look, haul, (Failure(shown(look.path), "unreadable", "permission denied"),))
        except OSError as error:
            self._give_up(look, haul, (Failure(shown(look.path), "unreadable", str(error.strerror).lower()),))
        except FetchError as error:
            self._give_up(look, haul, (Failure(shown(look.path), error.reason, error.detail),))

    async def _take_file(self, look: Look, haul: _Haul) -> None:
        if look.size > self._options.max_bytes:
            raise FetchError("too_large", f"{look.size:,} bytes; max_bytes is {self._options.max_bytes:,}")
        data = await asyncio.to_thread(read_part, self._options.path, look)
        if data is None:
            return  # written to since the scan: the next look sees it
        digest = hashlib.sha256(data).hexdigest()[:32]
        before = recall(haul.memory.get(_key(look), ""))
        if haul.knows(digest):
            haul.changes[_key(look)] = Record(look.stamp, digest).encode()
            return
        reading = await self._parser.run(
            read_document, shown(look.path), data, now=haul.now, source=self.name, lang=self._options.lang
        )
        if reading.failures and not reading.articles:
            self._give_up(look, haul, reading.failures)
            return
        start = (before.offset or 0) if before and before.digest == digest else 0
        part = reading.articles[start : start + haul.room]
        end = start + len(part)
        unfinished = end < len(reading.articles)
        haul.articles += part
        haul.failures += reading.failures if not start else ()
        haul.changes[_key(look)] = Record(look.stamp, digest, end if unfinished else None).encode()
        haul.more = haul.more or unfinished
        if haul.digests is not None and not unfinished:
            haul.digests.add(digest)

    async def _take_lines(self, look: Look, haul: _Haul) -> None:
        """The complete lines after those already read; from the start if this is another file, or a shorter one."""
        before = recall(haul.memory.get(_key(look), ""))
        offset = (before.offset or 0) if before and before.stamp.rpartition(":")[2] == str(look.inode) else 0
        if offset > look.size:
            offset = 0
        tail = min(offset, _TAIL_BYTES)
        data = await asyncio.to_thread(read_part, self._options.path, look, offset - tail, tail + _PART_BYTES)
        if data is None:
            return
        if offset and before and _tail_digest(data[:tail]) != before.digest:  # rewritten in place
            offset, tail = 0, 0
            data = await asyncio.to_thread(read_part, self._options.path, look, 0, _PART_BYTES) or b""
        reading: Reading = await self._parser.run(
            read_json_lines,
            shown(look.path),
            data[tail:],
            haul.now,
            source=self.name,
            lang=self._options.lang,
            limit=haul.room,
            start=offset,
        )
        if not reading.consumed:
            self._given_up[look.path] = _failed_stamp(look)  # half a line: until the file changes
            return
        end = tail + reading.consumed
        haul.articles += reading.articles
        haul.failures += reading.failures
        haul.changes[_key(look)] = Record(
            look.stamp, _tail_digest(data[:end][-_TAIL_BYTES:]), offset + reading.consumed
        ).encode()
        haul.more = haul.more or offset + reading.consumed < look.size

    def _give_up(self, look: Look, haul: _Haul, failures: tuple[Failure, ...]) -> None:
        """Say it once, and try again when the file or its permissions change."""
        self._given_up[look.path] = _failed_stamp(look)
        haul.failures += failures

    def _first_time(self, problems: tuple[Failure, ...]) -> list[Failure]:
        now_told = {(problem.item, problem.reason) for problem in problems}
        new = [problem for problem in problems if (problem.item, problem.reason) not in self._told]
        self._told = now_told
        return new

    def _forget_vanished(self, looks: tuple[Look, ...], haul: _Haul) -> None:
        """Drop what is remembered of files that are gone; not if all are: then it is the disk that is gone."""
        here = {_key(look) for look in looks}
        gone = [key for key in haul.memory if key.startswith(_KEY) and key not in here]
        if here:
            haul.changes.update(dict.fromkeys(gone, ""))
        self._given_up = {look.path: s for look in looks if (s := self._given_up.get(look.path))}


def _grows(look: Look) -> bool:
    """JSON Lines are read while they grow: a complete line is complete."""
    return Path(look.path).suffix.lower() in LINE_SUFFIXES


def _key(look: Look) -> str:
    return _KEY + shown(look.path)


def _failed_stamp(look: Look) -> str:
    return f"{look.stamp}:{look.ctime_ns}"


def _tail_digest(tail: bytes) -> str:
    return hashlib.sha256(tail).hexdigest()[:32]


def build(name: str, options: FolderOptions, workshop: Workshop) -> Folder:
    """A folder source; nothing is opened before the first visit."""
    return Folder(name, options, workshop.parser)


KIND = Kind("folder", FolderOptions, build)
