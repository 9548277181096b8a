"""The embedded server: starts it, adopts a running one, restarts it when it dies, repairs its files.

Two servers on one data directory would lose acknowledged writes. So the server holds `redis.lock` while it is running,
and a process that finds the lock taken uses the server that is there. A crash of watchpost does not affect the server;
the next start adopts it.
"""

from __future__ import annotations

import asyncio
import math
import os
import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from watchpost import log as tm
from watchpost.errors import StoreBusy, StoreError, StoreUnfit, StoreUnreachable
from watchpost.store.server import control, datadir
from watchpost.store.server.binary import Child, Fsync, arguments, memory_share
from watchpost.store.server.datadir import DataDirectory

PING_SECONDS = 10.0  # the end of the server's process is noticed at once
_SILENT_PING_SECONDS = 2.0
_SHORT_PING_SECONDS = 1.0  # while the disk is nearly full: its file is written again before the disk is full once more
START_SECONDS = 60.0  # 300,000 queued hits load in 2.5 s; a slow disk needs its time
STOP_SECONDS = 10.0
BACK_OFF_SECONDS = (0.2, 10.0)
STEADY_SECONDS = 60.0  # a server that ran for so long is restarted without back-off
REWRITE_SECONDS = 600.0  # after a rewrite that failed
ROOM_BYTES = 256 * 1024 * 1024
ROOM_FACTOR = 3  # times the append-only file: a rewrite and a repair each need room for another one


class EmbeddedServer:
    """A Valkey or Redis server on the directory `data`, shared by every watchpost process of this machine.

    `log` is a structlog logger. `maxmemory` is in bytes; None uses a quarter of the machine's memory, at most 512 MiB.
    `free_bytes` returns the free space of a directory's disk. `runtime_dir` (else $XDG_RUNTIME_DIR) holds the socket if
    the path `data` is too long for one. After `start`, `adopted` says whether the server was already running, and `pid`
    is its process id; `disk_short` is true while the disk has too little room for polling.
    """

    def __init__(
        self,
        data: Path,
        *,
        binary: Path,
        log: Any,
        fsync: Fsync = "everysec",
        maxmemory: int | None = None,
        free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
        runtime_dir: Path | None = None,
        ping_seconds: float = PING_SECONDS,
    ) -> None:
        self.adopted = False
        self.disk_short = False
        self.pid = 0
        self._directory = DataDirectory(data, runtime_dir)
        self._socket = self._directory.socket(make=False)
        self._binary = binary
        self._log = log
        self._fsync: Fsync = fsync
        self._maxmemory = memory_share() if maxmemory is None else maxmemory
        self._free_bytes = free_bytes
        self._ping_seconds = ping_seconds
        self._ownership: int | None = None
        self._child: Child | None = None
        self._expected_surplus = 0  # bytes
        self._rewritten_at = -math.inf  # by the loop's clock
        self._unreadable = ""  # why the data directory cannot be read, as the system says it
        self._unsettled = False  # the server could not write its file, writes it again, or should

    @property
    def owner(self) -> bool:
        """Whether this process supervises the server and stops it at the end."""
        return self._ownership is not None

    @property
    def socket(self) -> Path:
        """The server's Unix socket. Raises StoreUnreachable before `start`."""
        if self._socket is None:
            raise StoreUnreachable(f"no server has been started on {self._directory.path}")
        return self._socket

    @property
    def url(self) -> str:
        """The URL for clients: unix:///path/of/the.sock."""
        return f"unix://{self.socket}"

    async def start(self) -> None:
        """Return when a server on this directory is ready: a new one, or one that is already running.

        Raises StoreUnfit (directory, disk, damaged data), StoreBusy (still loading after a minute; it continues) or
        StoreUnreachable (the program cannot be run, or does not answer); this process then owns nothing.
        """
        try:
            await self._start_or_adopt()
        except BaseException as error:
            # A server that is still loading is left alone: the next start adopts it.
            if self._child is not None and not isinstance(error, StoreBusy):
                await asyncio.to_thread(self._child.end, STOP_SECONDS)
            self._disown()
            raise
        self.check_disk()

    async def supervise(self) -> None:
        """Ping the server every `ping_seconds`, and when its process ends; restart a dead one, with back-off; watch the
        disk. Run until cancelled.

        A running server is never restarted, even if it does not answer. A process that does not own the server takes
        over when the server is dead and its owner gone.
        """
        clock = asyncio.get_running_loop().time
        wait, started, silent = BACK_OFF_SECONDS[0], clock(), False
        while True:
            self.check_disk()
            with suppress(OSError):  # the next round tries again
                self._directory.rotate_log()
                await self._rewrite_after_full_disk()
            await self._rest(silent)
            answer = await self._ping()
            dead = answer == "silent" and self._is_dead()
            if (answer == "silent") != silent and not dead:
                silent = not silent
                log = self._log.error if silent else self._log.info
                log("redis.silent" if silent else "redis.answers", pid=self.pid, socket=str(self.socket))
            if dead:
                self._log.error("redis.died", pid=self.pid, said=self._child.last_words() if self._child else "")
                wait = await self._revive(BACK_OFF_SECONDS[0] if clock() - started >= STEADY_SECONDS else wait)
                started, silent = clock(), False

    async def stop(self) -> None:
        """Shut the server down and wait for its end, at most 10 s, if this process owns it."""
        if not self.owner:
            return
        clock = asyncio.get_running_loop().time
        deadline = clock() + STOP_SECONDS
        try:
            # Neither SIGKILL nor NOSAVE: a shutdown writes and syncs the append-only file.
            if not await control.shut_down(self.socket) and not self._is_dead():
                with suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGTERM)
            while not self._is_dead():
                if clock() > deadline:
                    self._log.warning("redis.lingers", pid=self.pid, then="the next start adopts it")
                    return
                await asyncio.sleep(0.02)
            self._log.info("redis.stopped", pid=self.pid)
        finally:
            self._disown()

    def disk_is_short(self) -> bool:
        """Return whether less is free than 256 MB or three times the append-only file. Raises OSError."""
        data = self._directory.path
        return self._free_bytes(data) < max(ROOM_BYTES, ROOM_FACTOR * datadir.size(data))

    def check_disk(self) -> None:
        """Update `disk_short`, and log a change. What cannot be read counts as short."""
        data, before = str(self._directory.path), self._unreadable
        try:
            short, self._unreadable = self.disk_is_short(), ""
        except OSError as error:
            self.disk_short, self._unreadable = True, error.strerror or str(error)
            if not before:
                self._log.error("data.unreadable", data=data, detail=self._unreadable)
            return
        if before:
            self._log.info("data.readable", data=data)
        if short and (before or not self.disk_short):
            self._log.error("disk.short", data=data)
        elif self.disk_short and not short and not before:
            self._log.info("disk.ample", data=data)
        self.disk_short = short

    async def _rewrite_after_full_disk(self) -> None:
        """Have the server write its files again if they hold more than it wrote, as they do after a full disk.

        A server that was started on them again would not read them (`datadir.repair`), and the next full disk would cut
        off what it wrote since.
        """
        if not self.owner or self._socket is None:
            return
        found = await self._measure()
        self._unsettled = found is None or found[0][0] > self._expected_surplus
        if found is None:
            return
        surplus, size, state = found
        if not self._unsettled:
            self._expected_surplus = min(self._expected_surplus, surplus[1])
            return
        now = asyncio.get_running_loop().time()
        too_soon = state.rewrite_failed and now < self._rewritten_at + REWRITE_SECONDS
        if not too_soon and self._free_bytes(self._directory.path) > size:
            self._rewritten_at = now
            self._log.warning("redis.rewriting", gap_bytes=surplus[0] - self._expected_surplus)
            await control.rewrite(self.socket)

    async def _measure(self) -> tuple[tuple[int, int], int, control.FileState] | None:
        """By how many bytes the files are larger than what the server wrote, their size, and what the server says.

        The first is at least and at most so much, because the server goes on writing. None while it writes them again,
        cannot write, or does not answer.
        """
        before = datadir.written(self._directory.path)
        state = await control.look_at_file(self.socket)
        after = datadir.written(self._directory.path)
        if before is None or after is None or state is None or not state.is_settled or before[0] != after[0]:
            return None
        return (max(0, before[1] - state.written), max(0, after[1] - state.written)), after[1], state

    async def _start_or_adopt(self) -> None:
        """Start a server or adopt the running one, whichever is possible first."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + START_SECONDS
        while True:
            self._own()
            self._socket = self._directory.socket(make=self.owner)
            if self.owner and (lock := self._directory.lock("redis")) is not None:
                await self._boot(lock)
                self._log.info("redis.started", pid=self.pid, socket=str(self.socket), binary=str(self._binary))
                return
            answer = await self._ping()
            if answer == "ready":
                self.pid = await control.identify(self.socket, self._directory.path)
                self.adopted = True
                if self.owner:
                    await control.adjust(self.socket, fsync=self._fsync, maxmemory=self._maxmemory)
                self._log.info("redis.adopted" if self.owner else "redis.joined", pid=self.pid)
                return
            if clock() > deadline:
                raise self._late(answer)
            await asyncio.sleep(0.05)

    async def _boot(self, lock: int) -> None:
        """Start the server, and once more after a repair. It closes `lock`, which the server inherits."""
        try:
            if await self._ping() != "silent":
                raise StoreUnfit(
                    f"a server not started by watchpost answers at {self.socket}: stop it, or choose another --data"
                )
            data = self._directory.path
            if file := await self._spawn(lock):
                self._log.error("redis.damaged", file=file, data=str(data))
                repair = await datadir.repair(data, file, binary=self._binary, free_bytes=self._free_bytes)
                facts = {"file": repair.file.name, "lost_bytes": repair.lost, "kept_bytes": repair.kept}
                self._log.error("redis.repaired", **facts, gap_bytes=repair.gaps, copy=str(repair.copy))
                if await self._spawn(lock):
                    raise datadir.unreadable(data, f"{file} is refused even after a repair; a copy is in {repair.copy}")
        finally:
            os.close(lock)  # the server's own descriptor keeps the lock
        self.pid = await control.identify(self.socket, self._directory.path)
        self.adopted = False
        found = await self._measure()
        self._expected_surplus = 0 if found is None else found[0][1]  # a new server does not count its first file

    async def _spawn(self, lock: int) -> str | None:
        """Start the program and wait until it answers. Return None, or the name of the damaged file that it refused."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + START_SECONDS
        words = arguments(self._directory.path, self.socket, fsync=self._fsync, maxmemory=self._maxmemory)
        self._child = Child(self._binary, words, lock=lock, directory=self._directory)
        self.pid = self._child.pid
        while (answer := await self._ping()) != "ready":
            if not self._child.is_running:
                if file := self._child.damaged_file:
                    return file
                raise self._child.why_it_ended()
            if clock() > deadline:
                raise self._late(answer)
            await asyncio.sleep(0.02)
        return None

    async def _revive(self, wait: float) -> float:
        """Start the dead server until it is running; return the next wait in seconds."""
        while True:
            await asyncio.sleep(wait)
            wait = min(2 * wait, BACK_OFF_SECONDS[1])
            self.check_disk()
            try:
                if self._is_dead() and (lock := self._directory.lock("redis")) is not None:
                    self._socket = self._directory.socket(make=True)
                    await self._boot(lock)
                    self._log.warning("redis.restarted", pid=self.pid)
                    tm.restarts.labels("redis").inc()
            except StoreBusy as error:
                self._log.warning("redis.loading", problem=str(error))
            except StoreError as error:
                self._log.error("redis.down", problem=str(error), next_try_seconds=wait)
                continue
            return wait

    async def _rest(self, silent: bool) -> None:
        """Return after `ping_seconds`, or as soon as the server's process ends.

        A silent one is asked more often, and one whose disk is nearly full or was full.
        Linux reports the end of a process that is no child, too: https://man7.org/linux/man-pages/man2/pidfd_open.2.html
        """
        try:
            process = -1 if silent else os.pidfd_open(self.pid)
        except (AttributeError, OSError, ValueError):  # not Linux, or it has ended
            process = -1
        if process < 0:
            await asyncio.sleep(min(self._ping_seconds, _SILENT_PING_SECONDS))
            return
        is_urgent = self.disk_short or self._unsettled
        seconds = min(self._ping_seconds, _SHORT_PING_SECONDS) if is_urgent else self._ping_seconds
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_reader(process, ended.set)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await ended.wait()
        finally:
            loop.remove_reader(process)
            os.close(process)

    async def _ping(self) -> control.Answer:
        return "silent" if self._socket is None else await control.ping(self._socket)

    def _is_dead(self) -> bool:
        """Whether no server is running here and this process may restart it. The proof is that the lock is free."""
        if self._child is not None and self._child.is_running:
            return False
        try:
            if not self._own() or (lock := self._directory.lock("redis")) is None:
                return False
        except StoreUnfit:
            return True  # the attempt to start it reports what is wrong with the directory
        os.close(lock)
        return True

    def _own(self) -> bool:
        if self._ownership is None:
            self._ownership = self._directory.lock("owner")
        return self.owner

    def _disown(self) -> None:
        if self._ownership is not None:
            os.close(self._ownership)
            self._ownership = None

    def _late(self, answer: control.Answer) -> StoreError:
        data = self._directory.path
        if answer == "loading":
            return StoreBusy(
                f"the server is still loading {datadir.size(data)} bytes from {datadir.folder(data)} after "
                f"{START_SECONDS:.0f} s; it continues by itself: start again in a few minutes"
            )
        return StoreUnreachable(
            f"{data / 'redis.lock'} is held, but no server answers at {self._socket} after {START_SECONDS:.0f} s: "
            f"read {data / 'redis.log'}, and end that process if it hangs"
        )
