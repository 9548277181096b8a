"""The data directory of the embedded server: its two locks, its socket, its log, its append-only files.

`redis.lock` is held by the server itself, through a descriptor that it inherits: the lock is free exactly when no
server is running, even after a crash. `owner.lock` is held by the one process that supervises the server. Both are
flock(2) locks, which the kernel releases with the last descriptor.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import hashlib
import os
import re
import shutil
import stat
import tempfile
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from watchpost.errors import StoreUnfit

LONGEST_SOCKET = 100  # bytes; sun_path holds 104 on macOS and 108 on Linux (unix(4), unix(7))
_LARGEST_LOG = 4 * 1024 * 1024  # bytes
_MOST_COPIES = 3
_OURS = ("owner.lock", "identity.json")  # one of which each run of watchpost leaves


def make_private(path: Path) -> str:
    """Create the data directory for its owner alone, or close to others the one that was used before.

    Returns the mode that it had, such as "0755"; "" if nothing had to be changed. A directory in which watchpost has
    written nothing yet, or which belongs to another user, stays as it is. Raises StoreUnfit.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = path.stat()
        mode = stat.S_IMODE(facts.st_mode)
        is_ours = facts.st_uid == os.geteuid() and any(path.joinpath(name).exists() for name in _OURS)
        if not mode & 0o077 or not is_ours:
            return ""
        path.chmod(mode & 0o7700)
    except OSError as error:
        raise StoreUnfit(
            f"the data directory {path} cannot be created or read ({error.strerror}): "
            "let this user write there, or choose another one with --data"
        ) from error
    return f"{mode:04o}"


class DataDirectory:
    """One data directory. `path` is absolute and contains no symbolic links.

    `runtime` is the user's own directory for sockets (else $XDG_RUNTIME_DIR), for a `path` that is too long for one.
    """

    def __init__(self, path: Path, runtime: Path | None) -> None:
        self.path = path.resolve()
        if runtime is None and (named := os.environ.get("XDG_RUNTIME_DIR")):
            runtime = Path(named)
        self._runtime = runtime
        self._record = self.path / "redis.sock.path"

    def is_locked(self, name: str) -> bool:
        """Whether a process holds the lock `<name>.lock`. Creates nothing; False if it cannot be known."""
        try:
            descriptor = os.open(self.path / f"{name}.lock", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def lock(self, name: str) -> int | None:
        """Take the lock `<name>.lock`: return its descriptor, or None if another process holds it.

        It creates the directory if it is missing (mode 0700). Raises StoreUnfit if it cannot be written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:  # ENOLCK: some network file systems have no locks
            os.close(descriptor)
            raise StoreUnfit(
                f"{self.path} cannot be locked ({error.strerror}): keep the data on a local disk"
            ) from error
        return descriptor

    def socket(self, *, make: bool) -> Path | None:
        """Return the server's socket. If its path would be too long, it is elsewhere, and a file here names it.

        With `make` such a place is chosen if there is none; without, None says that there is none yet.
        """
        near = self.path / "redis.sock"
        if _fits(near):
            return near
        try:
            recorded = Path(self._record.read_text("utf-8").rstrip("\n"))
        except (OSError, UnicodeDecodeError):
            recorded = None
        if recorded is not None and _fits(recorded) and _is_private(recorded.parent):
            return recorded
        if not make:
            return None
        try:
            far = self._far_socket()
            self._record.write_text(f"{far}\n", "utf-8")
        except OSError as error:
            raise self._unwritable(error) from error
        return far

    def open_log(self) -> tuple[int, int]:
        """Return a descriptor to append to the server's log, and the log's size now. A long log is rotated first."""
        log = self.path / "redis.log"
        try:
            self.rotate_log()
            descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error
        return descriptor, os.fstat(descriptor).st_size

    def rotate_log(self) -> None:
        """Rename a server's log of more than 4 MiB; a running server opens it again for each line. Raises OSError."""
        log = self.path / "redis.log"
        if log.exists() and log.stat().st_size > _LARGEST_LOG:
            log.replace(self.path / "redis.log.1")

    def read_log(self, start: int) -> str:
        """Return the log from byte `start` on, or from its beginning if it was rotated; at most its last 64 KiB."""
        try:
            with (self.path / "redis.log").open("rb") as log:
                end = log.seek(0, os.SEEK_END)
                log.seek(max(start if start <= end else 0, end - 65536))
                return log.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def _far_socket(self) -> Path:
        if self._runtime is not None and _is_private(self._runtime):
            name = hashlib.blake2b(os.fsencode(self.path), digest_size=8).hexdigest()
            if _fits(far := self._runtime / f"watchpost-{name}.sock"):
                return far
        temporary = tempfile.gettempdir()
        parent = temporary if _fits(Path(temporary) / "watchpost-12345678" / "redis.sock") else "/tmp"  # noqa: S108
        return Path(tempfile.mkdtemp(prefix="watchpost-", dir=parent)) / "redis.sock"

    def _unwritable(self, error: OSError) -> StoreUnfit:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StoreUnfit(f"the disk of {self.path} is full: make room and start again")
        return StoreUnfit(
            f"the data directory {self.path} cannot be written ({error.strerror}): "
            "let this user write there, or choose another one with --data"
        )


def _fits(socket: Path) -> bool:
    return len(os.fsencode(socket)) <= LONGEST_SOCKET


def _is_private(directory: Path) -> bool:
    """Whether this is a real directory of this user and closed to all others: nobody else can put a socket there."""
    try:
        facts = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid() and not facts.st_mode & 0o077


# After a power loss a file system may leave zeros, or bytes of another file, at the end of the last append-only file.
# The server then refuses to start (https://github.com/redis/redis/issues/5177). Its own checker cuts such a file at the
# last whole command: what is lost is the end, never a part in the middle, so that articles and visits stay consistent.
#
# A full disk leaves zeros between two commands. The server undoes a write that had room for a part only (ftruncate),
# but writes the whole of it again where that part ended, if it opened the file for a rewrite: then without O_APPEND
# (openNewIncrAofForAppend in https://github.com/valkey-io/valkey/blob/unstable/src/aof.c). Nothing is missing there.
_INCREMENT = re.compile(r"^file (\S+) seq (\d+) type i\b", re.MULTILINE)
_FILE = re.compile(r"^file (\S+) seq \d+ type [bi]\b", re.MULTILINE)
_REFUSAL = re.compile(r"Bad file format reading the append only file (\S+\.incr\.aof)\b")
# The server program acts as its checker if argv[0] contains one of these names.
_CHECKER = "valkey-check-aof or redis-check-aof"
_WHOLE_UP_TO = re.compile(r"\bok_up_to=(\d+)")
_COMMAND = re.compile(rb"\*\d+\r\n\$\d+\r\n")
_MOST_GAPS = 100
_BLOCK = 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Repair:
    """The result of a repair: `copy` holds all files as they were before; the other figures are bytes.

    `gaps` were zeros between two commands of `file`, which are removed; `lost` were cut off its end; `kept` is left.
    """

    file: Path
    kept: int
    gaps: int
    lost: int
    copy: Path


def folder(data: Path) -> Path:
    """Return the directory of the server's append-only files (its default `appenddirname`)."""
    return data / "appendonlydir"


def size(data: Path) -> int:
    """Return the size of the append-only files in bytes; 0 if there are none."""
    total = 0
    try:
        with os.scandir(folder(data)) as entries:
            for entry in entries:
                try:
                    total += entry.stat(follow_symlinks=False).st_size
                except FileNotFoundError:  # a rewrite has just ended
                    continue
    except FileNotFoundError:
        return 0
    return total


def written(data: Path) -> tuple[str, int] | None:
    """Return the server's list of its append-only files, and their size in bytes; None while it changes them."""
    try:
        manifest = _manifest(data)
        return manifest, sum((folder(data) / name).stat().st_size for name in _FILE.findall(manifest))
    except OSError:
        return None


def damaged_file(log: str) -> str | None:
    """Return the name of the append-only file that the server refused, by its log; None if it ended otherwise."""
    match = _REFUSAL.search(log)
    return match[1] if match else None


async def repair(data: Path, name: str, *, binary: Path, free_bytes: Callable[[Path], int]) -> Repair:
    """Copy the append-only files aside, then cut the damaged one at its last whole command.

    No server may run on `data`. Raises StoreUnfit if the damage is not in the last file, if there is no room for the
    copy, or if the checker fails; then nothing has changed, or the error names the copy.
    """
    file = _last_increment(data)
    if file is None or file.name != name:
        # A cut in an earlier file would remove commands from the middle: the later ones would be wrong.
        raise StoreUnfit(f"{folder(data) / name} is damaged and is not the last of its files. {_cure(data)}")
    before = file.stat().st_size
    copy = await asyncio.to_thread(_set_aside, data, free_bytes)
    gaps = await _close_gaps(file, binary)
    # --fix on the manifest fails on Valkey 9.1 ("base.rdb format error"); on the file itself it works.
    code, output = await _check(file, binary, "--fix")
    if code != 0:
        words = " ".join(output.split())[-300:]
        raise StoreUnfit(f"{file} is damaged and could not be repaired ({words}); a copy is in {copy}. {_cure(data)}")
    kept = file.stat().st_size
    return Repair(file, kept=kept, gaps=gaps, lost=before - gaps - kept, copy=copy)


async def _check(file: Path, binary: Path, *options: str) -> tuple[int | None, str]:
    """Run the server's checker on one file; return its exit code and what it printed."""
    checker = await asyncio.create_subprocess_exec(
        _CHECKER,
        *options,
        str(file),
        executable=binary,
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await checker.communicate(b"y\n")
    finally:
        if checker.returncode is None:
            checker.kill()
    return checker.returncode, output.decode(errors="replace")


async def _close_gaps(file: Path, binary: Path) -> int:
    """Remove the zeros that stand between two whole commands; return how many there were. Raises StoreUnfit."""
    removed = 0
    for _ in range(_MOST_GAPS):
        _, output = await _check(file, binary)
        found = _WHOLE_UP_TO.search(output)
        try:
            closed = await asyncio.to_thread(_close_gap, file, int(found[1])) if found else 0
        except OSError as error:
            raise StoreUnfit(
                f"{file} is damaged and could not be written again ({error}): make room and start again"
            ) from error
        if not closed:
            break
        removed += closed
    return removed


def _close_gap(file: Path, start: int) -> int:
    """Remove the zeros at `start` if a command follows them; return how many. The file is replaced by a new one."""
    with file.open("rb") as old:
        end = old.seek(start)
        while block := old.read(_BLOCK):
            zeros = len(block) - len(block.lstrip(b"\0"))
            end += zeros
            if zeros < len(block):
                break
        old.seek(end)
        if end == start or not _COMMAND.match(old.read(64)):
            return 0
        new = file.with_suffix(".closed")
        shutil.copy(file, new)
        with new.open("r+b") as target:
            target.truncate(start)
            target.seek(start)
            old.seek(end)
            shutil.copyfileobj(old, target, _BLOCK)
            target.flush()
            os.fsync(target.fileno())
    new.replace(file)
    _flush(file.parent)
    return end - start


def unreadable(data: Path, words: str) -> StoreUnfit:
    """Return the error for data that the server refuses and no repair helps; `words` come from the server's log."""
    return StoreUnfit(f"the server cannot read its data ({words}). {_cure(data)}")


def _cure(data: Path) -> str:
    return (
        f"Nothing was deleted. Restore a backup of {folder(data)}, or move that directory away to start empty: "
        "the sources are then read again, but alerts that waited to be sent are lost"
    )


def _manifest(data: Path) -> str:
    """The server's list of its files. Raises OSError."""
    return (folder(data) / "appendonly.aof.manifest").read_text("utf-8", "replace")


def _last_increment(data: Path) -> Path | None:
    """The file that the server wrote to last, by the manifest.

    See https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/ ("Multi Part AOF").
    """
    try:
        manifest = _manifest(data)
    except OSError:
        return None
    increments = [(int(sequence), name) for name, sequence in _INCREMENT.findall(manifest) if "/" not in name]
    if not increments:
        return None
    last = folder(data) / max(increments)[1]
    return last if last.is_file() else None


def _set_aside(data: Path, free_bytes: Callable[[Path], int]) -> Path:
    """Copy all files before anything is cut. The copy gets its final name when it is complete and on disk."""
    needed, free = size(data), free_bytes(data)
    if free < needed:
        raise StoreUnfit(
            f"the append-only file in {data} is damaged; a repair first needs a copy of {needed} bytes, "
            f"and only {free} are free: make room and start again"
        )
    copy = data / f"appendonlydir.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    partial = copy.with_name(copy.name + ".partial")
    try:
        shutil.copytree(folder(data), partial)
        for path in (*partial.iterdir(), partial):
            _flush(path)
        partial.rename(copy)
        _flush(data)
        for old in sorted(data.glob("appendonlydir.damaged-*Z"))[:-_MOST_COPIES]:
            shutil.rmtree(old, ignore_errors=True)
    except (OSError, shutil.Error) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StoreUnfit(f"the append-only file in {data} is damaged and could not be copied ({error})") from error
    return copy


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
