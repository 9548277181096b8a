"""A new configuration is adopted as a whole or not at all."""

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


class ConfigFiles:
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
def files(tmp_path: Path) -> ConfigFiles:
    return ConfigFiles(tmp_path)


def value(metric: str) -> float | None:
    return tm.REGISTRY.get_sample_value(f"watchpost_{metric}")


def nothing() -> None:
    """A tick at which nothing happens."""


async def test_a_good_configuration_is_adopted_once(files: ConfigFiles) -> None:
    files.config.write_text(CONFIG.replace("{mali: mali}", "{mali: bamako, gao: gao}"))
    reload = await files.reloader.reload("SIGHUP")
    assert (reload.ok, reload.changes, reload.restart, reload.by) == (True, 2, (), "SIGHUP")
    config = files.reloader.take()
    assert config is not None
    assert [topic.name for topic in config.topics] == ["mali", "gao"]
    assert files.reloader.take() is None
    assert files.adopted == 1
    assert value("config_last_reload_success_timestamp_seconds") == files.reloader.since.timestamp()


async def test_a_configuration_with_mistakes_changes_nothing_and_is_reported(files: ConfigFiles) -> None:
    since = files.reloader.since
    files.config.write_text(CONFIG.replace("to: [out", "to: [oat").replace("topics", "topcis"))
    reload = await files.reloader.reload("SIGHUP")
    assert not reload.ok
    assert len(reload.complaints) == 1, "only the misspelt section; the names in it are not reported as unknown"
    assert files.refused == [reload] == [files.reloader.last]
    assert files.reloader.take() is None
    assert (files.adopted, files.reloader.since) == (0, since)
    assert value("config_last_reload_successful") == 0
    files.config.write_text(CONFIG)
    assert (await files.reloader.reload("HTTP")).ok
    assert value("config_last_reload_successful") == 1


async def test_changes_that_need_a_restart_are_reported(files: ConfigFiles) -> None:
    files.config.write_text(CONFIG + "redis: {prefix: desk}\nlog: {level: debug}\n")
    reload = await files.reloader.reload("SIGHUP")
    assert (reload.changes, reload.restart) == (2, ("redis.prefix",))


async def test_a_request_during_a_reading_causes_another_reading(tmp_path: Path) -> None:
    files, gate, entered = ConfigFiles(tmp_path), threading.Event(), threading.Event()

    def slowly() -> Config:
        config = files.read()
        entered.set()
        gate.wait(10)
        return config

    reloader = Reloader(files.read(), slowly, files.clock)
    first = asyncio.ensure_future(reloader.reload("SIGHUP"))
    await asyncio.to_thread(entered.wait, 10)
    files.config.write_text(CONFIG.replace("{mali: mali}", "{gao: gao}"))
    second = asyncio.ensure_future(reloader.reload("SIGHUP"))
    gate.set()
    await asyncio.gather(first, second)
    config = reloader.take()
    assert config is not None
    assert [topic.name for topic in config.topics] == ["gao"]


async def test_the_watcher_waits_until_the_files_stay_unchanged(files: ConfigFiles) -> None:
    reads = files.reads
    await files.watch(
        nothing,
        lambda: files.write("watchpost.yaml", CONFIG.replace("mali: mali", "mali: b")),
        lambda: files.write("watchpost.yaml", CONFIG.replace("mali: mali", "mali: bamako")),
        nothing,
        nothing,
        nothing,
    )
    assert files.reads == reads + 1
    config = files.reloader.take()
    assert config is not None
    assert str(config.topics[0].query) == "bamako"


@pytest.mark.parametrize(
    ("name", "text"),
    [("conf.d/gao.yaml", "topics: {gao: gao}"), ("secret", "https://hooks.slack.com/services/T/B/two")],
)
async def test_new_includes_and_changed_secrets_count(files: ConfigFiles, name: str, text: str) -> None:
    await files.watch(lambda: files.write(name, text), nothing, nothing, nothing)
    assert files.adopted == 1


async def test_a_change_without_effect_restarts_nothing(files: ConfigFiles) -> None:
    reads = files.reads
    await files.watch(lambda: files.write("watchpost.yaml", CONFIG + "# a remark\n"), nothing, nothing, nothing)
    assert (files.reads, files.adopted, len(files.same), files.started) == (reads + 1, 0, 1, 1)
    await files.reloader.reload("SIGHUP")
    assert files.adopted == 1, "who asks gets a fresh start"


async def test_a_broken_include_is_watched_until_it_is_mended(files: ConfigFiles) -> None:
    await files.watch(
        lambda: files.write("conf.d/gao.yaml", "topics: {gao: gao"),
        nothing,
        nothing,
        lambda: files.write("conf.d/gao.yaml", "topics: {gao: gao}"),
        nothing,
        nothing,
    )
    assert len(files.refused) == 1
    assert files.adopted == 1
    config = files.reloader.take()
    assert config is not None
    assert len(config.topics) == 2


async def test_a_missing_configuration_changes_nothing_until_it_is_back(files: ConfigFiles) -> None:
    await files.watch(files.config.unlink, nothing, nothing)
    assert "no such file" in files.refused[0].complaints[0]
    await files.watch(lambda: files.write("watchpost.yaml", CONFIG), nothing, nothing)
    assert files.reloader.last.ok
