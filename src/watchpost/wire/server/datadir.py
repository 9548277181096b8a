"""A door to the data directory of the embedded server: its two locks, its socket, the end of its log.

`redis.lock` is held by the server itself, through a descriptor that it inherits: the lock is free exactly when
no server runs, however anybody died. `owner.lock` is held by the one process that supervises the server.
Both are flock(2) locks, which the kernel drops with the last descriptor.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import tempfile
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
