"""The door to a folder on disk: what is in it, and the bytes of one file. Never opens what is not a regular file."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from watchpost.poll.folders.settling import Look, shown
from watchpost.poll.source import Failure

_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".download", "~")
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a folder whose path fits the pattern, and what could not be looked at."""

    looks: tuple[Look, ...]
    problems: tuple[Failure, ...]


class Entry(Protocol):
    """What a scan asks of an os.DirEntry."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...
    def is_symlink(self) -> bool: ...
    def is_dir(self) -> bool: ...
    def stat(self) -> os.stat_result: ...


def scan(root: Path, pattern: re.Pattern[str], leave: Path | None = None) -> Found:
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
    return Found(tuple(looks), tuple(problems))


def _look(
    root: Path,
    path: str,
    entry: Entry,
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
