"""A new configuration is taken whole or not at all, whoever asked for it."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from watchpost import log as tm
from watchpost.config.config import Config, Reload
from watchpost.operations.factory import read_config
from watchpost.operations.reloading import Reloader

CONFIG = """version: 1
include: [conf.d/*.yaml]
folders: {inbox: inbox}
topics: {mali: mali}
receivers: {out: {type: file, path: out}, hook: {type: slack, url: {file: secret}}}
routes: [{to: [out, hook], digest: "08:00"}]
"""


class Desk:
    """A configuration in a directory, and what was heard of its reloads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "watchpost.yaml"
        (root / "conf.d").mkdir()
        (root / "secret").write_text("https://hooks.slack.com/services/T/B/one")
        self.config.write_text(CONFIG)
        self.now = datetime.now(UTC)
        self.reads = 0
        self.reloader = Reloader(
            self.read(), self.read, self.clock, started=self.on_started, adopted=self.on_adopted, kept=self.on_kept
        )
        self.adopted = 0
        self.refused: list[Reload] = []
        self.same: list[Reload] = []
        self.started = 0

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def read(self) -> Config:
        self.reads += 1
        return read_config(self.config, {})

    def on_adopted(self) -> None:
        self.adopted += 1

    def on_started(self) -> None:
        self.started += 1

    async def on_kept(self, reload: Reload) -> None:
        (self.same if reload.ok else self.refused).append(reload)

    def write(self, name: str, text: str) -> None:
        """Write a file so that its time differs, however coarse the clock of the file system is."""
        path = self.root / name
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.write_text(text)
        os.utime(path, ns=(before + 10**9, before + 10**9))

    async def watch(self, *steps: Callable[[], None]) -> None:
        """Let the watcher tick; before each tick comes a step."""
        stop, left = asyncio.Event(), list(steps)

        async def tick() -> None:
            if left:
                left.pop(0)()
            else:
                stop.set()

        await self.reloader.watch(tick, stop)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def value(metric: str) -> float | None:
    return tm.REGISTRY.get_sample_value(f"watchpost_{metric}")


def nothing() -> None:
    """A tick at which nothing happens."""


async def test_a_good_one_is_taken_over_once(desk: Desk) -> None:
    desk.config.write_text(CONFIG.replace("{mali: mali}", "{mali: bamako, gao: gao}"))
    told = await desk.reloader.reload("SIGHUP")
    assert (told.ok, told.changes, told.restart, told.by) == (True, 2, (), "SIGHUP")
    config = desk.reloader.take()
    assert config is not None
    assert [topic.name for topic in config.topics] == ["mali", "gao"]
    assert desk.reloader.take() is None
    assert desk.adopted == 1
    assert value("config_last_reload_success_timestamp_seconds") == desk.reloader.since.timestamp()


async def test_one_with_mistakes_changes_nothing_and_is_told(desk: Desk) -> None:
    since = desk.reloader.since
    desk.config.write_text(CONFIG.replace("to: [out", "to: [oat").replace("topics", "topcis"))
    told = await desk.reloader.reload("SIGHUP")
    assert not told.ok
    assert len(told.complaints) == 1, "the misspelt section; the names that are unknown because of it are not told"
    assert desk.refused == [told] == [desk.reloader.last]
    assert desk.reloader.take() is None
    assert (desk.adopted, desk.reloader.since) == (0, since)
    assert value("config_last_reload_successful") == 0
    desk.config.write_text(CONFIG)
    assert (await desk.reloader.reload("HTTP")).ok
    assert value("config_last_reload_successful") == 1


async def test_what_waits_for_a_restart_is_told(desk: Desk) -> None:
    desk.config.write_text(CONFIG + "redis: {prefix: desk}\nlog: {level: debug}\n")
    told = await desk.reloader.reload("SIGHUP")
    assert (told.changes, told.restart) == (2, ("redis.prefix",))


async def test_a_wish_during_a_reading_is_a_reading_of_its_own(tmp_path: Path) -> None:
    desk, gate, entered = Desk(tmp_path), threading.Event(), threading.Event()

    def slowly() -> Config:
        config = desk.read()
        entered.set()
        gate.wait(10)
        return config

    reloader = Reloader(desk.read(), slowly, desk.clock)
    first = asyncio.ensure_future(reloader.reload("SIGHUP"))
    await asyncio.to_thread(entered.wait, 10)
    desk.config.write_text(CONFIG.replace("{mali: mali}", "{gao: gao}"))
    second = asyncio.ensure_future(reloader.reload("SIGHUP"))
    gate.set()
    await asyncio.gather(first, second)
    config = reloader.take()
    assert config is not None
    assert [topic.name for topic in config.topics] == ["gao"]


async def test_the_watcher_waits_until_the_files_are_at_rest(desk: Desk) -> None:
    reads = desk.reads
    await desk.watch(
        nothing,
        lambda: desk.write("watchpost.yaml", CONFIG.replace("mali: mali", "mali: b")),
        lambda: desk.write("watchpost.yaml", CONFIG.replace("mali: mali", "mali: bamako")),
        nothing,
        nothing,
        nothing,
    )
    assert desk.reads == reads + 1
    config = desk.reloader.take()
    assert config is not None
    assert str(config.topics[0].query) == "bamako"


@pytest.mark.parametrize(
    ("name", "text"),
    [("conf.d/gao.yaml", "topics: {gao: gao}"), ("secret", "https://hooks.slack.com/services/T/B/two")],
)
async def test_new_includes_and_changed_secrets_count(desk: Desk, name: str, text: str) -> None:
    await desk.watch(lambda: desk.write(name, text), nothing, nothing, nothing)
    assert desk.adopted == 1


async def test_a_change_that_says_the_same_begins_nothing_anew(desk: Desk) -> None:
    reads = desk.reads
    await desk.watch(lambda: desk.write("watchpost.yaml", CONFIG + "# a remark\n"), nothing, nothing, nothing)
    assert (desk.reads, desk.adopted, len(desk.same), desk.started) == (reads + 1, 0, 1, 1)
    await desk.reloader.reload("SIGHUP")
    assert desk.adopted == 1, "who asks gets a fresh start"


async def test_a_broken_include_is_watched_until_it_is_mended(desk: Desk) -> None:
    await desk.watch(
        lambda: desk.write("conf.d/gao.yaml", "topics: {gao: gao"),
        nothing,
        nothing,
        lambda: desk.write("conf.d/gao.yaml", "topics: {gao: gao}"),
        nothing,
        nothing,
    )
    assert len(desk.refused) == 1
    assert desk.adopted == 1
    config = desk.reloader.take()
    assert config is not None
    assert len(config.topics) == 2


async def test_a_configuration_that_goes_away_changes_nothing_until_it_is_back(desk: Desk) -> None:
    await desk.watch(desk.config.unlink, nothing, nothing)
    assert "no such file" in desk.refused[0].complaints[0]
    await desk.watch(lambda: desk.write("watchpost.yaml", CONFIG), nothing, nothing)
    assert desk.reloader.last.ok
