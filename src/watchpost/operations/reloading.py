"""A new configuration for a running service: on SIGHUP, over HTTP, or because its files changed.

The new configuration is read and checked as a whole beside the running one. Only then does it replace it, in one step;
with any mistake the running one stays, and the mistake appears in the log, the metrics, the pages and at `ops`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from watchpost import log as tm
from watchpost.config.config import Config, Reload
from watchpost.config.diff import Change, differences, effective
from watchpost.errors import ConfigError, WatchpostError

Stamp = tuple[int, int, int]


async def _ignore(_: Reload) -> None:
    """For callers that need no notice."""


class Reloader:
    """Reads the configuration again on request, one reading at a time, and hands over a good one.

    `reread` reads it, in a thread. `started` is called before each reading; after it either `adopted` (there is a new
    configuration to go on with: `take` it) or `kept` (the running one stays, because of mistakes or because the new
    one is the same).
    """

    def __init__(
        self,
        config: Config,
        reread: Callable[[], Config],
        now: Callable[[], datetime],
        *,
        started: Callable[[], None] = lambda: None,
        adopted: Callable[[], None] = lambda: None,
        kept: Callable[[Reload], Awaitable[None]] = _ignore,
    ) -> None:
        self.since = now()
        self.last = Reload(self.since, "start", True)
        self._config = config
        self._reread = reread
        self._now = now
        self._started = started
        self._adopted = adopted
        self._kept = kept
        self._next: Config | None = None
        self._reading = asyncio.Lock()
        self._on_disk_lock = asyncio.Lock()
        self._on_disk: tuple[Mapping[Path, Stamp], Config] | None = None
        self._files = config.written.files
        self._stamps = stamps(self._files)
        self._moved = False
        self._count_good()

    @property
    def config(self) -> Config:
        """The configuration that runs, or is just starting to."""
        return self._config

    async def on_disk(self) -> Config:
        """The configuration in the files; the running one stays. Raises WatchpostError for what would be refused.

        The files are read again only if one has changed since the last call.
        """
        async with self._on_disk_lock:
            if self._on_disk is None or await asyncio.to_thread(stamps, tuple(self._on_disk[0])) != self._on_disk[0]:
                self._on_disk = None
                config = await asyncio.to_thread(self._reread)
                self._on_disk = await asyncio.to_thread(stamps, config.written.files), config
            return self._on_disk[1]

    def take(self) -> Config | None:
        """The configuration to go on with, once; None if nothing new was adopted."""
        config, self._next = self._next, None
        return config

    async def reload(self, by: str, *, if_changed: bool = False) -> Reload:
        """Read the configuration again and adopt it. With `if_changed` only if it differs from the running one.

        A request during a reading causes another reading after it: the files may have changed in between.
        """
        async with self._reading:
            self._started()
            begun, self._stamps = self._now(), stamps(self._files)
            try:
                config = await asyncio.to_thread(self._reread)
                changes = await asyncio.to_thread(_changes, self._config, config)
            except WatchpostError as error:
                self._watch_files(error.files if isinstance(error, ConfigError) else (), begun)
                return await self._refuse(by, error)
            self._watch_files(config.written.files, begun)
            restart = tuple(change.path for change in changes if not change.live)
            self.last = Reload(self._now(), by, True, (), len(changes), restart)
            if if_changed and not changes and same(self._config, config):
                tm.config_good.set(1)
                await self._kept(self.last)
                return self.last
            before = set(map(str, self._config.warnings))
            self.since, self._config, self._next = self.last.at, config, config
            self._count_good()
            tm.log().info("config.read", changes=len(changes))
            for warning in config.warnings:  # a file that was half written may be valid, and have no receivers
                if str(warning) not in before:
                    tm.log().warning("warning", text=str(warning))
            if restart:
                tm.log().warning("config.needs_restart", what=", ".join(restart))
            self._adopted()
            return self.last

    async def watch(self, tick: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
        """At each tick: if the files have changed and then stayed the same for one tick, read them again."""
        while not stop.is_set():
            await tick()
            seen = await asyncio.to_thread(stamps, self._files)
            if seen != self._stamps:
                self._stamps, self._moved = seen, True
            elif self._moved:
                self._moved = False
                await self.reload("a change of its files", if_changed=True)

    async def _refuse(self, by: str, error: WatchpostError) -> Reload:
        lines = tuple(str(error).splitlines())
        self.last = Reload(self._now(), by, False, lines)
        tm.config_good.set(0)
        for line in lines:
            tm.log().error("config.refused", text=line)
        await self._kept(self.last)
        return self.last

    def _count_good(self) -> None:
        tm.config_good.set(1)
        tm.config_time.set(self.since.timestamp())
        tm.config_hash.set(int(self._config.fingerprint[:12], 16))  # 48 bits: a float holds them exactly

    def _watch_files(self, files: Sequence[Path], begun: datetime) -> None:
        """Watch the files that were read; if that failed, those watched before as well.

        A file written while it was being read counts as changed.
        """
        self._files = tuple(dict.fromkeys((*files, *(() if files else self._files))))
        after, start_ns = stamps(self._files), int(begun.timestamp() * 1e9)
        self._moved = any(path not in self._stamps and stamp[0] >= start_ns for path, stamp in after.items())
        self._stamps = {path: self._stamps.get(path, stamp) for path, stamp in after.items()}


def stamps(files: Sequence[Path]) -> Mapping[Path, Stamp]:
    """When each file was last written, its size and its inode; all zero for a missing one."""
    return {path: _stamp(path) for path in files}


def _stamp(path: Path) -> Stamp:
    try:
        facts = path.stat()
    except OSError:
        return 0, 0, 0
    return facts.st_mtime_ns, facts.st_size, facts.st_ino


def _changes(old: Config, new: Config) -> tuple[Change, ...]:
    return differences(effective(old), effective(new))


def same(old: Config, new: Config) -> bool:
    """Whether nothing differs, the values of secrets included, which `differences` never sees."""
    return (old.sources, old.receivers, old.topics, old.access) == (
        new.sources,
        new.receivers,
        new.topics,
        new.access,
    )
