"""A door to the data directory of the embedded server: its two locks, its socket, the end of its log.

`redis.lock` is held by the server itself, through a descriptor that it inherits: the lock is free exactly when
no server runs, however anybody died. `owner.lock` is held by the one process that supervises the server.
Both are flock(2) locks, which the kernel drops with the last descriptor.
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
_LARGEST_LOG = 4 * 1024 * 1024


class DataDirectory:
    """Where the embedded server lives. `path` is absolute and has no symbolic links in it.

    `runtime` is the user's own directory for sockets ($XDG_RUNTIME_DIR), used when `path` is too long for one.
    """

    def __init__(self, path: Path, runtime: Path | None) -> None:
        self.path = path.resolve()
        self._runtime = runtime
        self._record = self.path / "redis.sock.path"

    def lock(self, name: str) -> int | None:
        """Take the lock `<name>.lock`: its descriptor, or None when somebody holds it.

        Makes the directory when it is missing (mode 0700). Raises StoreUnfit when it cannot be written.
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
        except OSError as error:  # ENOLCK: some network filesystems have no locks
            os.close(descriptor)
            raise StoreUnfit(
                f"{self.path} cannot be locked ({error.strerror}): keep the data on a local disk"
            ) from error
        return descriptor

    def socket(self, *, make: bool) -> Path | None:
        """The server's socket. A path too long for a socket is replaced by one that everybody here can find.

        `make` allows to choose such a place; without it None says that nobody has chosen one yet.
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
        """A descriptor to append to the server's log, and the size the log has now. A long log is turned over."""
        log = self.path / "redis.log"
        try:
            if log.exists() and log.stat().st_size > _LARGEST_LOG:
                log.replace(self.path / "redis.log.1")
            descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error
        return descriptor, os.fstat(descriptor).st_size

    def read_log(self, start: int) -> str:
        """What the log has from byte `start` on, at most its last 64 KiB."""
        try:
            with (self.path / "redis.log").open("rb") as log:
                end = log.seek(0, os.SEEK_END)
                log.seek(max(start, end - 65536))
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
            return StoreUnfit(f"there is no room left on the disk of {self.path}: make room and start again")
        return StoreUnfit(
            f"the data directory {self.path} cannot be written ({error.strerror}): "
            "give this user the right to write there, or choose another one with --data"
        )


def _fits(socket: Path) -> bool:
    return len(os.fsencode(socket)) <= LONGEST_SOCKET


def _is_private(directory: Path) -> bool:
    """True for a real directory that is ours and closed to everybody else: nobody can put a socket there."""
    try:
        facts = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid() and not facts.st_mode & 0o077


# A door to the server's append-only files: how large they are, and how a damaged tail is cut off.
#
# After a power loss a filesystem may leave zeros, or bytes of something else, at the end of the last file. The
# server then refuses to start (redis/redis #5177). Its own checker cuts such a file at the last whole command:
# what is lost is a suffix, never a hole, and cursors roll back together with the articles.


_INCREMENT = re.compile(r"^file (\S+) seq (\d+) type i\b", re.MULTILINE)
_REFUSAL = re.compile(r"Bad file format reading the append only file (\S+\.incr\.aof)\b")
# The server program becomes its checker by name; it looks for one of these two inside argv[0].
_CHECKER = "valkey-check-aof or redis-check-aof"


@dataclass(frozen=True, slots=True)
class Repair:
    """What was done: `file` was cut by `lost` bytes to `kept`; everything as it was before lies in `copy`."""

    file: Path
    kept: int
    lost: int
    copy: Path


def folder(data: Path) -> Path:
    """Where the server keeps its append-only files (its default `appenddirname`)."""
    return data / "appendonlydir"


def size(data: Path) -> int:
    """How many bytes the append-only files take; 0 before there are any."""
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


def damaged(log: str) -> str | None:
    """The name of the file of commands that the server refused, by what it wrote to its log; None for other ends."""
    found = _REFUSAL.search(log)
    return found[1] if found else None


async def repair(data: Path, name: str, *, binary: Path, free_bytes: Callable[[Path], int]) -> Repair:
    """Copy the append-only files aside, then cut the damaged one at its last whole command.

    No server may run on `data`. Raises StoreUnfit, with nothing changed or with the copy named, when the
    damage is not in the last file, when there is no room for the copy, or when the checker gives up.
    """
    file = _last_increment(data)
    if file is None or file.name != name:
        # A cut in an earlier file would leave a hole, and what follows a hole cannot be trusted.
        raise StoreUnfit(f"{folder(data) / name} is damaged, and it is not the last file of its kind. {_cure(data)}")
    before = file.stat().st_size
    copy = await asyncio.to_thread(_set_aside, data, free_bytes)
    # --fix on the manifest fails on Valkey 9.1 ("base.rdb format error"); on the file itself it works.
    checker = await asyncio.create_subprocess_exec(
        _CHECKER,
        "--fix",
        str(file),
        executable=binary,
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
    )
    try:
        said, _ = await checker.communicate(b"y\n")
    finally:
        if checker.returncode is None:
            checker.kill()
    if checker.returncode != 0:
        words = " ".join(said.decode(errors="replace").split())[-300:]
        raise StoreUnfit(f"{file} is damaged and could not be repaired ({words}); a copy is in {copy}. {_cure(data)}")
    kept = file.stat().st_size
    return Repair(file, kept=kept, lost=before - kept, copy=copy)


def unreadable(data: Path, words: str) -> StoreUnfit:
    """The error for data that the server refuses and that no repair helps; `words` is what the server said."""
    return StoreUnfit(f"the server cannot read its data ({words}). {_cure(data)}")


def _cure(data: Path) -> str:
    return (
        f"Nothing was deleted. Put back a backup of {folder(data)}, or move that directory away to start empty: "
        "the sources are then read anew, but alerts that waited to be sent are gone"
    )


def _last_increment(data: Path) -> Path | None:
    """The file that the server was writing to, by the manifest (Redis 7.0 "Multi Part AOF")."""
    try:
        manifest = (folder(data) / "appendonly.aof.manifest").read_text("utf-8", "replace")
    except OSError:
        return None
    increments = [(int(sequence), name) for name, sequence in _INCREMENT.findall(manifest) if "/" not in name]
    if not increments:
        return None
    last = folder(data) / max(increments)[1]
    return last if last.is_file() else None


def _set_aside(data: Path, free_bytes: Callable[[Path], int]) -> Path:
    """A full copy, on disk before anything is cut. It carries its final name only when it is whole."""
    needed, free = size(data), free_bytes(data)
    if free < needed:
        raise StoreUnfit(
            f"the append-only file in {data} is damaged; to repair it watchpost first copies it aside, "
            f"and {needed} bytes do not fit into the {free} that are free: make room and start again"
        )
    copy = data / f"appendonlydir.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    partial = copy.with_name(copy.name + ".partial")
    try:
        shutil.copytree(folder(data), partial)
        for path in (*partial.iterdir(), partial):
            _flush(path)
        partial.rename(copy)
        _flush(data)
    except (OSError, shutil.Error) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StoreUnfit(
            f"the append-only file in {data} is damaged and could not be copied aside ({error})"
        ) from error
    return copy


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
