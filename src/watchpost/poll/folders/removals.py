"""Files that were read leave their folder: moved or deleted, if they still are what was read.

Every directory on the way is opened without following links, and the last step is taken inside the open one, so that
nobody who may write to the folder can lead it elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Literal

from watchpost.documents.results import Failure
from watchpost.poll.folders.files import FolderVisit
from watchpost.poll.folders.scan import ScannedFile, words_of

DONE = ".done"
"""Where files are moved to within their folder, unless `move_to` names a place."""

ON_DISK = timedelta(seconds=3)
"""By default the store is on its disk a second after a COMMIT; a file must not go before the article is there."""

_AGAIN = timedelta(minutes=10)
_PER_VISIT = 1000
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_FILE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_LINK_ERRORS = (errno.ELOOP, errno.ENOTDIR, errno.EMLINK)  # how systems refuse to follow one
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)

Outcome = Literal["done", "changed", "link"]
"""The file is gone; it is not what was read any more, or not there; it was reached through a link."""


class FileRemovals:
    """Moves or deletes files of the folder `root`.

    The memory of a visit is what COMMIT has stored: a file that was read to its end and without a flaw may go. After a
    crash in between, the next start finds the same memory and the same file, and goes on. What was in the memory when
    this object first saw it is on the disk already.
    """

    def __init__(self, root: Path, after: Literal["keep", "move", "delete"], target: Path | None) -> None:
        self.enabled = after != "keep"
        self.wait: timedelta | None = None  # until the next file may go
        self._root = root
        self._after = after
        self._target = target
        self._first_visit = True
        self._since: dict[str, tuple[str, datetime]] = {}  # path → stamp, since when the memory has it
        self._staying: dict[str, tuple[str, datetime]] = {}  # path → stamp, when to try again

    def remove_read(self, files: Iterable[ScannedFile], visit: FolderVisit) -> list[str]:
        """Remove the files that may go, at most 1,000, from the folder and from its memory. Failures go into `visit`.

        Blocks. Returns the paths of files whose content is not what was read.
        """
        self.wait = None
        if not self.enabled:
            return []
        due = self._due(files, visit)
        visit.more = visit.more or len(due) > _PER_VISIT
        outcomes = self._remove(due[:_PER_VISIT])
        changed = []
        for (file, _), outcome in zip(due, outcomes, strict=False):
            if outcome == "done":
                visit.changes[file.shown] = None
            elif outcome == "changed":
                changed.append(file.path)
            else:
                self._note_staying(file, outcome, visit)
        return changed

    def _due(self, files: Iterable[ScannedFile], visit: FolderVisit) -> list[tuple[ScannedFile, str]]:
        """The files that may go, with the digest of what was read."""
        since: dict[str, tuple[str, datetime]] = {}
        staying: dict[str, tuple[str, datetime]] = {}
        due = []
        for file in files:
            record = visit.before(file)
            if record is None or record.offset is not None or record.flawed or record.stamp != file.stamp:
                continue
            known = visit.now - ON_DISK if self._first_visit else visit.now
            stamp, moment = self._since.get(file.path, (file.stamp, known))
            since[file.path] = (file.stamp, moment if stamp == file.stamp else visit.now)
            stamp, again = self._staying.get(file.path, ("", visit.now))
            left = since[file.path][1] + ON_DISK - visit.now
            if stamp == file.stamp:
                staying[file.path] = (stamp, again)
            if stamp == file.stamp and visit.now < again:
                continue
            if left <= timedelta(0):
                due.append((file, record.digest))
            else:
                self.wait = left if self.wait is None else min(self.wait, left)
        self._first_visit, self._since, self._staying = False, since, staying
        return due

    def _remove(self, due: list[tuple[ScannedFile, str]]) -> list[Outcome | OSError]:
        outcomes: list[Outcome | OSError] = []
        for file, digest in due:
            try:
                if self._after == "delete":
                    outcomes.append(delete(self._root, file, digest))
                else:
                    outcomes.append(move(self._root, file, digest, self._target))
            except OSError as error:
                outcomes.append(error)
        return outcomes

    def _note_staying(self, file: ScannedFile, outcome: Outcome | OSError, visit: FolderVisit) -> None:
        """Report it once for each file. Links stay for good, the others are tried again."""
        reported = file.path in self._staying
        self._staying[file.path] = (file.stamp, visit.now + _AGAIN)
        if isinstance(outcome, OSError) and not reported:
            reason = "not_deleted" if self._after == "delete" else "not_moved"
            again = f"tried again every {_AGAIN.total_seconds() / 60:g} min"
            detail = f"it was read, but stays where it is: {words_of(outcome)}; {again}"
            visit.failures.append(Failure(file.shown, reason, detail))


def delete(root: Path, file: ScannedFile, digest: str) -> Outcome:
    """Delete the file if its content has this digest (SHA-256, or its beginning).

    Raises OSError: not allowed, a read-only disk.
    """
    with _opened(root, file, digest) as (directory, name, handle):
        if isinstance(handle, str):
            return handle
        os.unlink(name, dir_fd=directory)
    return "done"


def move(root: Path, file: ScannedFile, digest: str, target: Path | None) -> Outcome:
    """Move the file, with the directories it lies in, to `target` (default: `.done` in the folder).

    A file of the same name and other content there is kept: the digest goes into the new one's name. The target may be
    on another disk. Result and OSError as for `delete`.
    """
    with _opened(root, file, digest) as (directory, name, handle), contextlib.ExitStack() as open_handles:
        if isinstance(handle, str):
            return handle
        if target is not None:
            target.mkdir(parents=True, exist_ok=True)
            place = os.open(target, _DIRECTORY)
        else:
            top = os.open(root.resolve(), _DIRECTORY)
            open_handles.callback(os.close, top)
            place = _subdirectory(top, DONE)
        open_handles.callback(os.close, place)
        for part in PurePosixPath(file.path).parts[:-1]:
            place = _subdirectory(place, part)
            open_handles.callback(os.close, place)
        free = _free_name(place, name, digest)
        try:
            os.rename(name, free, src_dir_fd=directory, dst_dir_fd=place)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(handle, place, free)
            os.unlink(name, dir_fd=directory)
    return "done"


@contextmanager
def _opened(root: Path, file: ScannedFile, digest: str) -> Iterator[tuple[int, str, int | Outcome]]:
    """The file's open directory, its name in there, and its descriptor; or why it must not be touched."""
    *directories, name = PurePosixPath(file.path).parts
    with contextlib.ExitStack() as open_handles:
        directory = os.open(root.resolve(), _DIRECTORY)
        open_handles.callback(os.close, directory)
        result: int | Outcome
        try:
            for part in directories:
                directory = os.open(part, _DIRECTORY | _NO_LINK, dir_fd=directory)
                open_handles.callback(os.close, directory)
            handle = os.open(name, _FILE | _NO_LINK, dir_fd=directory)
            open_handles.callback(os.close, handle)
            result = handle if _is_what_was_read(handle, file, digest) else "changed"
        except FileNotFoundError:
            result = "changed"
        except OSError as error:
            if error.errno not in _LINK_ERRORS:
                raise
            result = "link"
        yield directory, name, result


def _is_what_was_read(handle: int, file: ScannedFile, digest: str) -> bool:
    """The content is compared, too: some file systems keep times in whole seconds."""
    if not file.is_as_seen(os.fstat(handle)):
        return False
    with os.fdopen(os.dup(handle), "rb") as copy:
        content = hashlib.file_digest(copy, "sha256").hexdigest()
    os.lseek(handle, 0, os.SEEK_SET)
    return content.startswith(digest) and file.is_as_seen(os.fstat(handle))


def _subdirectory(directory: int, name: str) -> int:
    """The directory `name` in an open one, made if it is not there. A link of that name is an OSError."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, dir_fd=directory)
    return os.open(name, _DIRECTORY | _NO_LINK, dir_fd=directory)


def _free_name(directory: int, name: str, digest: str) -> str:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return name
    path = PurePosixPath(name)
    stem_bytes = max(255 - len(os.fsencode(path.suffix)) - 10, 1)
    return f"{os.fsdecode(os.fsencode(path.stem)[:stem_bytes])}.{digest[:8]}{path.suffix}"


def _copy(handle: int, directory: int, name: str) -> None:
    """Copy to another disk, under another name: it gets its own once it is on the disk."""
    temporary = f".{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0) | _NO_LINK
    copy = os.open(temporary, flags, 0o666, dir_fd=directory)
    with os.fdopen(copy, "wb") as target, os.fdopen(os.dup(handle), "rb") as source:
        shutil.copyfileobj(source, target)
        target.flush()
        os.fsync(target.fileno())
    facts = os.fstat(handle)
    os.utime(temporary, ns=(facts.st_atime_ns, facts.st_mtime_ns), dir_fd=directory)
    os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
