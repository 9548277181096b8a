"""The door through which a file that was read leaves its folder: moved or deleted, if it still is what was read.

Every directory on the way is opened without following links, and the last step is taken inside the open one:
whoever may write to the folder cannot lead it elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Literal

from watchpost.documents.results import Failure
from watchpost.poll.folders.files import FolderVisit, key
from watchpost.poll.folders.scan import Look

DONE = ".done"
"""Where files are moved to within their folder, unless the operator names a place."""

_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_FILE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_LINK = (errno.ELOOP, errno.ENOTDIR, errno.EMLINK)  # how systems refuse to follow one
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


Fate = Literal["done", "changed", "link"]
"""How it ended: the file is gone; it is not what was read any more, or not there; it was reached through a link."""


def delete(root: Path, look: Look, digest: str) -> Fate:
    """Delete the file if its content has this digest (SHA-256, or its beginning).

    Raises OSError: not allowed, a read-only disk.
    """
    with _opened(root, look, digest) as (directory, name, file):
        if isinstance(file, str):
            return file
        os.unlink(name, dir_fd=directory)
    return "done"


def move(root: Path, look: Look, digest: str, target: Path | None) -> Fate:
    """Move the file, with the directories it lies in, to `target` (default: `.done` in the folder).

    A file of the same name and other content that lies there is kept: the digest goes into the new one's name.
    Another disk will do. Result and OSError as for `delete`.
    """
    with _opened(root, look, digest) as (directory, name, file), contextlib.ExitStack() as open_now:
        if isinstance(file, str):
            return file
        if target is not None:
            target.mkdir(parents=True, exist_ok=True)
            place = os.open(target, _DIRECTORY)
        else:
            top = os.open(root.resolve(), _DIRECTORY)
            open_now.callback(os.close, top)
            place = _inside(top, DONE)
        open_now.callback(os.close, place)
        for part in PurePosixPath(look.path).parts[:-1]:
            place = _inside(place, part)
            open_now.callback(os.close, place)
        free = _free_name(place, name, digest)
        try:
            os.rename(name, free, src_dir_fd=directory, dst_dir_fd=place)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(file, place, free)
            os.unlink(name, dir_fd=directory)
    return "done"


@contextmanager
def _opened(root: Path, look: Look, digest: str) -> Iterator[tuple[int, str, int | Literal["changed", "link"]]]:
    """Its open directory, its name in there, and its descriptor; or why it is not to be touched."""
    *inside, name = PurePosixPath(look.path).parts
    with contextlib.ExitStack() as open_now:
        directory = os.open(root.resolve(), _DIRECTORY)
        open_now.callback(os.close, directory)
        found: int | Literal["changed", "link"]
        try:
            for part in inside:
                directory = os.open(part, _DIRECTORY | _NO_LINK, dir_fd=directory)
                open_now.callback(os.close, directory)
            file = os.open(name, _FILE | _NO_LINK, dir_fd=directory)
            open_now.callback(os.close, file)
            found = file if _is_what_was_read(file, look, digest) else "changed"
        except FileNotFoundError:
            found = "changed"
        except OSError as error:
            if error.errno not in _LINK:
                raise
            found = "link"
        yield directory, name, found


def _is_what_was_read(file: int, look: Look, digest: str) -> bool:
    """The content is compared, too: some file systems keep times in whole seconds."""
    if not _same(os.fstat(file), look):
        return False
    with os.fdopen(os.dup(file), "rb") as copy:
        found = hashlib.file_digest(copy, "sha256").hexdigest()
    os.lseek(file, 0, os.SEEK_SET)
    return found.startswith(digest) and _same(os.fstat(file), look)


def _same(facts: os.stat_result, look: Look) -> bool:
    regular = stat.S_ISREG(facts.st_mode) and (facts.st_dev, facts.st_ino) == (look.device, look.inode)
    return regular and (facts.st_size, facts.st_mtime_ns) == (look.size, look.mtime_ns)


def _inside(directory: int, name: str) -> int:
    """The directory `name` in another one, made if it is not there. A link of that name is an OSError."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, dir_fd=directory)
    return os.open(name, _DIRECTORY | _NO_LINK, dir_fd=directory)


def _free_name(directory: int, name: str, digest: str) -> str:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return name
    path = PurePosixPath(name)
    longest = 255 - len(os.fsencode(path.suffix)) - 10
    stem = os.fsdecode(os.fsencode(path.stem)[: max(longest, 1)])
    return f"{stem}.{digest[:8]}{path.suffix}"


def _copy(file: int, directory: int, name: str) -> None:
    """Onto another disk: written aside, on the disk before it gets its name."""
    aside = f".{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0) | _NO_LINK
    copy = os.open(aside, flags, 0o666, dir_fd=directory)
    with os.fdopen(copy, "wb") as target, os.fdopen(os.dup(file), "rb") as source:
        shutil.copyfileobj(source, target)
        target.flush()
        os.fsync(target.fileno())
    facts = os.fstat(file)
    os.utime(aside, ns=(facts.st_atime_ns, facts.st_mtime_ns), dir_fd=directory)
    os.rename(aside, name, src_dir_fd=directory, dst_dir_fd=directory)


# Which files of a folder leave it, and when: those that COMMIT keeps, whole and without a flaw.


ON_DISK = timedelta(seconds=3)
"""By default the store is on its disk a second after a COMMIT; a file must not go before the article is there."""

_AGAIN = timedelta(minutes=10)
_PER_VISIT = 1000


class FileRemovals:
    """Moves or deletes files of the folder `root`.

    The memory that a visit is given is what COMMIT has stored: a file that it calls read to its end may go. After
    a crash in between, the next start finds the same memory and the same file, and goes on. What was in the
    memory when this object first saw it is on the disk already.
    """

    def __init__(self, root: Path, after: Literal["keep", "move", "delete"], target: Path | None) -> None:
        self._root = root
        self._after = after
        self._target = target
        self._first_visit = True
        self._since: dict[str, tuple[str, datetime]] = {}  # path → stamp, since when the memory has it
        self._stays: dict[str, tuple[str, datetime]] = {}  # path → stamp, when to try again
        self.wait: timedelta | None = None  # until the next file may go

    @property
    def concerns_us(self) -> bool:
        """Whether any file ever leaves."""
        return self._after != "keep"

    async def see_off(self, looks: Iterable[Look], folder_visit: FolderVisit) -> list[str]:
        """Let go what may go, at most 1,000 files; failures go into `haul`, and what is gone out of the memory.

        Returns the paths of files that hold another text than the one that was read.
        """
        self.wait = None
        if not self.concerns_us:
            return []
        due = self._due(looks, folder_visit)
        folder_visit.more = folder_visit.more or len(due) > _PER_VISIT
        fates = await asyncio.to_thread(self._go, due[:_PER_VISIT])
        changed = []
        for (look, _), fate in zip(due, fates, strict=False):
            if fate == "done":
                folder_visit.changes[key(look)] = ""
            elif fate == "changed":
                changed.append(look.path)
            else:
                self._stay(look, fate, folder_visit)
        return changed

    def _due(self, looks: Iterable[Look], folder_visit: FolderVisit) -> list[tuple[Look, str]]:
        """The files that may go, with the digest of what was read."""
        since: dict[str, tuple[str, datetime]] = {}
        stays: dict[str, tuple[str, datetime]] = {}
        due = []
        for look in looks:
            record = folder_visit.before(look)
            if record is None or record.offset is not None or record.flawed or record.stamp != look.stamp:
                continue
            known = folder_visit.now - ON_DISK if self._first_visit else folder_visit.now
            stamp, moment = self._since.get(look.path, (look.stamp, known))
            since[look.path] = (look.stamp, moment if stamp == look.stamp else folder_visit.now)
            stayed, again = self._stays.get(look.path, ("", folder_visit.now))
            left = since[look.path][1] + ON_DISK - folder_visit.now
            if stayed == look.stamp:
                stays[look.path] = (stayed, again)
            if stayed == look.stamp and folder_visit.now < again:
                continue
            if left <= timedelta(0):
                due.append((look, record.digest))
            else:
                self.wait = left if self.wait is None else min(self.wait, left)
        self._first_visit, self._since, self._stays = False, since, stays
        return due

    def _go(self, due: list[tuple[Look, str]]) -> list[Fate | OSError]:
        fates: list[Fate | OSError] = []
        for look, digest in due:
            try:
                if self._after == "delete":
                    fates.append(delete(self._root, look, digest))
                else:
                    fates.append(move(self._root, look, digest, self._target))
            except OSError as error:
                fates.append(error)
        return fates

    def _stay(self, look: Look, fate: Fate | OSError, folder_visit: FolderVisit) -> None:
        """Say it once for each file; links stay for good, the others are tried again."""
        told = look.path in self._stays
        self._stays[look.path] = (look.stamp, folder_visit.now + _AGAIN)
        if isinstance(fate, OSError) and not told:
            said = (fate.strerror or type(fate).__name__).lower()
            reason = "not_deleted" if self._after == "delete" else "not_moved"
            again = f"tried again every {_AGAIN.total_seconds() / 60:g} min"
            folder_visit.failures.append(
                Failure(look.shown, reason, f"it was read, but stays where it is: {said}; {again}")
            )
