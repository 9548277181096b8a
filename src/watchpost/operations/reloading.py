"""A new configuration for a running service: asked for by signal, by HTTP, or by a change of its files.

It is read and resolved whole beside the running one. Only then does it take that one's place, in one step; with any
mistake the running one stays, and the mistake is told in the log, the metrics, the pages and to `ops`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from watchpost import health
from watchpost import log as tm
from watchpost.config.config import Config, Reload
from watchpost.config.diff import Change, differences, effective
from watchpost.errors import ConfigError, WatchpostError
from watchpost.health import HEALTH

Stamp = tuple[int, int, int]


class Reloader:
    """Reads the configuration again when asked, one reading at a time, and hands over what is good.

    `reread` reads it in a thread. `begun` hears of each reading; after it either `adopted` hears that there is a plan
    to go on with, or `stayed` that the running one stays: because of mistakes, or because nothing is different.
    """

    def __init__(self, config: Config, reread: Callable[[], Config], now: Callable[[], datetime]) -> None:
        self.begun: Callable[[], None] = lambda: None
        self.adopted: Callable[[], None] = lambda: None
        self.stayed: Callable[[Reload], Awaitable[None]] = _nobody
        self.since = now()
        self.last = Reload(self.since, "start", True)
        self._reread = reread
        self._now = now
        self._config = config
        self._next: Config | None = None
        self._reading = asyncio.Lock()
        self._looking = asyncio.Lock()
        self._looked: tuple[Mapping[Path, Stamp], Config] | None = None
        self._files = config.written.files
        self._stamps = stamps(self._files)
        self._moved = False
        self._tell_good()

    @property
    def config(self) -> Config:
        """What runs, or begins to in this moment."""
        return self._config

    async def look(self) -> Config:
        """What lies on the disk; it is not taken over. Raises WatchpostError for what would be refused.

        It is read again only if a file has changed since the last look.
        """
        async with self._looking:
            if self._looked is None or await asyncio.to_thread(stamps, tuple(self._looked[0])) != self._looked[0]:
                self._looked = None
                config = await asyncio.to_thread(self._reread)
                self._looked = await asyncio.to_thread(stamps, config.written.files), config
            return self._looked[1]

    def take(self) -> Config | None:
        """The plan to go on with, once; None if there is no other than before."""
        config, self._next = self._next, None
        return config

    async def ask(self, by: str, *, if_changed: bool = False) -> Reload:
        """Read the configuration again. With `if_changed` nothing begins anew if it says the same as before.

        Returns what became of it. A wish that comes while a reading is under way is a reading of its own after it:
        the file may have changed since.
        """
        async with self._reading:
            self.begun()
            begun, self._stamps = self._now(), stamps(self._files)
            try:
                config = await asyncio.to_thread(self._reread)
                changes = await asyncio.to_thread(_changes, self._config, config)
            except WatchpostError as error:
                self._watch(error.files if isinstance(error, ConfigError) else (), begun)
                return await self._refuse(by, error)
            self._watch(config.written.files, begun)
            restart = tuple(change.path for change in changes if not change.live)
            self.last = Reload(self._now(), by, True, (), len(changes), restart)
            if if_changed and not changes and same(self._config, config):
                HEALTH.reload = health.Reload(True, self.last.at)
                tm.config_good.set(1)
                await self.stayed(self.last)
                return self.last
            self.since, self._config, self._next = self.last.at, config, config
            self._tell_good()
            tm.log().info("config.read", changes=len(changes))
            if restart:
                tm.log().warning("config.needs_restart", what=", ".join(restart))
            self.adopted()
            return self.last

    async def watch(self, tick: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
        """At each tick: have the files changed, and been at rest since the tick before? Then they are read again."""
        while not stop.is_set():
            await tick()
            seen = await asyncio.to_thread(stamps, self._files)
            if seen != self._stamps:
                self._stamps, self._moved = seen, True
            elif self._moved:
                self._moved = False
                await self.ask("a change of its files", if_changed=True)

    async def _refuse(self, by: str, error: WatchpostError) -> Reload:
        lines = tuple(str(error).splitlines())
        self.last = Reload(self._now(), by, False, lines)
        HEALTH.reload = health.Reload(False, self.last.at, "\n".join(lines))
        tm.config_good.set(0)
        for line in lines:
            tm.log().error("config.refused", text=line)
        await self.stayed(self.last)
        return self.last

    def _tell_good(self) -> None:
        HEALTH.reload = health.Reload(True, self.since)
        tm.config_good.set(1)
        tm.config_time.set(self.since.timestamp())
        tm.config_hash.set(int(self._config.fingerprint[:12], 16))  # 48 bits: what a float holds exactly

    def _watch(self, files: Sequence[Path], begun: datetime) -> None:
        """Watch what was read, and what was watched before if that failed to be found. A file that was written while
        it was being read counts as changed."""
        self._files = tuple(dict.fromkeys((*files, *(() if files else self._files))))
        after, start_ns = stamps(self._files), int(begun.timestamp() * 1e9)
        self._moved = any(path not in self._stamps and stamp[0] >= start_ns for path, stamp in after.items())
        self._stamps = {path: self._stamps.get(path, stamp) for path, stamp in after.items()}


def stamps(files: Sequence[Path]) -> Mapping[Path, Stamp]:
    """When each file was last written, its size, and which file it is. A missing one is all zeros."""
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
    """Whether nothing is different, the values of secrets included, which are told nowhere."""
    return (old.sources, old.receivers, old.topics, old.access) == (
        new.sources,
        new.receivers,
        new.topics,
        new.access,
    )


async def _nobody(_: Reload) -> None:
    """Nobody wants to hear of it."""
