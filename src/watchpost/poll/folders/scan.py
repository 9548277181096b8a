"""The door to a folder on disk: what is in it, and the bytes of one file. Never opens what is not a regular file."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from watchpost.documents.results import Failure

# which files have come to rest, from looks at their size, time and inode; and what is remembered of a file.


_FLAWED = "flawed"


@dataclass(frozen=True, slots=True)
class Look:
    """A regular file as one scan saw it. `path` is relative to the folder, with `/`; times are in ns of the epoch."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    @property
    def shown(self) -> str:
        """Its path as it may be stored and shown."""
        return shown(self.path)

    @property
    def stamp(self) -> str:
        """Equal stamps: nobody wrote to the file in between."""
        return f"{self.size}:{self.mtime_ns}:{self.inode}"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What is remembered of a file: its stamp, a digest, and an offset while it is not read to its end.

    For JSON Lines the digest is of the last bytes before the offset, and the offset counts bytes; for other files
    it is of the whole, and the offset counts articles already handed on (None: all). `flawed` says that something
    in a file read to its end was cut, replaced or skipped.
    """

    stamp: str
    digest: str
    offset: int | None = None
    flawed: bool = False

    def encode(self) -> str:
        """`size:mtime:inode:digest[:offset]`, or `…:flawed` in the place of the offset."""
        return ":".join([self.stamp, self.digest, *self._end()])

    def _end(self) -> list[str]:
        if self.offset is not None:
            return [str(self.offset)]
        return [_FLAWED] if self.flawed else []


def shown(path: str) -> str:
    """A file name as it may be stored and shown: what is no letter, mark or space is escaped."""
    if path.isprintable() and "\\" not in path:
        return path
    return "".join(c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode() for c in path)


def recall(text: str) -> FileRecord | None:
    """The record in `text`; None for "" and for what no version of ours wrote."""
    parts = text.split(":")
    flawed = parts[4:] == [_FLAWED]
    numbers = parts[:3] if flawed else [*parts[:3], *parts[4:]]
    if len(parts) not in (4, 5) or not all(number.isdecimal() for number in numbers):
        return None
    return FileRecord(":".join(parts[:3]), parts[3], int(parts[4]) if len(numbers) == 4 else None, flawed)


class Settling:
    """Tells files that are complete from files that somebody still writes.

    A file is ready if two looks at least `settle` apart saw the same, if at the first look nobody had written to
    it for twice that long, or if it was renamed into place. It stays ready until somebody writes to it.
    """

    def __init__(self, settle: timedelta) -> None:
        self._settle = settle
        self._first: dict[str, tuple[str, datetime, bool]] = {}  # stamp, since when, ready

    def ready(
        self, looks: Iterable[Look], arrived: Collection[str], now: datetime
    ) -> tuple[list[Look], timedelta | None]:
        """The files that are ready, and how long until the next of the others can be (None: there are none)."""
        ready: list[Look] = []
        seen: dict[str, tuple[str, datetime, bool]] = {}
        soonest: timedelta | None = None
        for look in looks:
            stamp, since, settled = self._first.get(look.path, ("", now, False))
            if stamp != look.stamp:
                age = timedelta(seconds=now.timestamp() - look.mtime_ns / 1e9)
                since, settled = now, age >= 2 * self._settle
            settled = settled or look.path in arrived or (stamp == look.stamp and now - since >= self._settle)
            seen[look.path] = (look.stamp, since, settled)
            if settled:
                ready.append(look)
            else:
                left = self._settle - (now - since)
                soonest = left if soonest is None else min(soonest, left)
        self._first = seen  # files that were not among the looks are forgotten
        return ready, soonest


_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".download", "~")
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """The files of a folder whose path fits the pattern, and what could not be looked at."""

    looks: tuple[Look, ...]
    problems: tuple[Failure, ...]


class DirectoryEntry(Protocol):
    """What a scan asks of an os.DirEntry."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...
    def is_symlink(self) -> bool: ...
    def is_dir(self) -> bool: ...
    def stat(self) -> os.stat_result: ...


def scan(root: Path, pattern: re.Pattern[str], leave: Path | None = None) -> ScannedFile:
    """Look at every file under `root`, without opening any. Raises OSError if `root` itself cannot be read.

    Left out: names that begin with a dot or mark an unfinished download, symbolic links that lead out of the
    folder, devices, pipes and sockets, and the directory `leave`.
    """
    root = root.resolve()
    looks: list[Look] = []
    problems: list[Failure] = []
    entered = {_identity(root.stat())}
    if leave is not None:
        with contextlib.suppress(OSError):
            entered.add(_identity(leave.stat()))
    todo: list[tuple[str, int]] = [("", 0)]
    while todo:
        inside, depth = todo.pop()
        try:
            with os.scandir(root / inside) as entries:
                for entry in entries:
                    path = f"{inside}{entry.name}"
                    if not entry.name.startswith(".") and not entry.name.lower().endswith(_UNFINISHED):
                        _look(root, path, entry, pattern, looks, problems, todo, depth, entered)
        except OSError as error:
            if not inside:
                raise
            problems.append(Failure(shown(inside), "unreadable", _said(error)))
    return ScannedFile(tuple(looks), tuple(problems))


def _look(
    root: Path,
    path: str,
    entry: DirectoryEntry,
    pattern: re.Pattern[str],
    looks: list[Look],
    problems: list[Failure],
    todo: list[tuple[str, int]],
    depth: int,
    entered: set[tuple[int, int]],
) -> None:
    wanted = pattern.fullmatch(path) is not None
    try:
        if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(root):
            if wanted or entry.is_dir():
                problems.append(Failure(shown(path), "outside", "a symbolic link that leads out of the folder"))
            return
        facts = entry.stat()
    except (FileNotFoundError, RuntimeError):  # gone again, a dangling link, or links in a circle
        return
    except OSError as error:
        if error.errno != errno.ELOOP:  # a stale handle, a disk that fails: not gone, only out of reach
            problems.append(Failure(shown(path), "unreadable", _said(error)))
        return
    if stat.S_ISDIR(facts.st_mode):
        if _identity(facts) in entered:  # links may make circles
            return
        if depth >= _DEEPEST:
            problems.append(Failure(shown(path), "too_deep", f"deeper than {_DEEPEST} directories; not looked into"))
            return
        entered.add(_identity(facts))
        todo.append((f"{path}/", depth + 1))
    elif stat.S_ISREG(facts.st_mode):
        if wanted:
            looks.append(Look(path, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino, facts.st_dev))
    elif wanted:
        problems.append(Failure(shown(path), "not_a_file", "a pipe, socket or device is not read"))


def read_part(root: Path, look: Look, start: int = 0, count: int = -1) -> bytes | None:
    """`count` bytes of the file from `start` (all of it by default); None if it is not as `look` saw it any more.

    Raises OSError. Growing is no change when a part is asked for: only the inode must be the same.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)
    handle = os.open(root.resolve() / look.path, flags)
    with os.fdopen(handle, "rb") as file:
        if not _same(os.fstat(handle), look, whole=count < 0):
            return None
        file.seek(start)
        data = file.read(look.size + 1 if count < 0 else count)
        return data if _same(os.fstat(handle), look, whole=count < 0) else None


def _same(facts: os.stat_result, look: Look, *, whole: bool) -> bool:
    if not stat.S_ISREG(facts.st_mode) or (facts.st_dev, facts.st_ino) != (look.device, look.inode):
        return False
    return not whole or (facts.st_size, facts.st_mtime_ns) == (look.size, look.mtime_ns)


def _identity(facts: os.stat_result) -> tuple[int, int]:
    return facts.st_dev, facts.st_ino


def _said(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


# file name patterns with `**`, `*`, `?`, `[…]` and `{a,b}`, as regular expressions.


_MOST = 1000


def expand_braces(pattern: str) -> tuple[str, ...]:
    """Every pattern that the brace sets in `pattern` stand for; ValueError for an unclosed brace or over 1,000."""
    done: list[str] = []
    todo = [pattern]
    while todo:
        current = todo.pop()
        match = re.search(r"\{([^{}]*)\}", current)
        if match is None:
            if "{" in current or "}" in current:
                raise ValueError(f"a brace is not closed in {pattern!r}")
            done.append(current)
        else:
            todo += [current[: match.start()] + one + current[match.end() :] for one in match[1].split(",")]
        if len(done) + len(todo) > _MOST:
            raise ValueError(f"the braces in {pattern!r} stand for more than {_MOST} patterns")
    return tuple(reversed(done))


def compile_glob(pattern: str) -> re.Pattern[str]:
    """A regular expression for whole relative paths with `/`; letters match in either case.

    `**/` stands for any number of directories, none included; `*` and `?` do not cross a `/`.
    """
    return re.compile("|".join(f"(?:{_translate(one)})" for one in expand_braces(pattern)), re.IGNORECASE | re.DOTALL)


def _translate(pattern: str) -> str:
    out, i = [], 0
    while i < len(pattern):
        if pattern.startswith("**/", i):
            out.append("(?:[^/]+/)*")
            i += 3
        elif pattern.startswith("**", i):
            out.append(".*")
            i += 2
        elif pattern[i] == "*":
            out.append("[^/]*")
            i += 1
        elif pattern[i] == "?":
            out.append("[^/]")
            i += 1
        elif pattern[i] == "[" and (end := pattern.find("]", i + 2)) > 0:
            inside = pattern[i + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            out.append(f"(?!/)[{'^' + inside[1:] if inside.startswith('!') else inside}]")
            i = end + 1
        else:
            out.append(re.escape(pattern[i]))
            i += 1
    return "".join(out)
