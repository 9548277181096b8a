"""The page Configuration shows what a reload would change, like `config diff`, and never a secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.web.web_app import pages
from watchpost.config.config import Config
from watchpost.config.diff import effective
from watchpost.operations.factory import read_config
from watchpost.operations.reloading import Reloader
from watchpost.store.client import Store
from watchpost.store.running_config import RunningConfig, RunningConfigs, pack

TEXT = """version: 1
feeds: {rfi: {url: "https://feeds.example.org/rfi", every: 10m}}
topics: {mali: Mali}
receivers: {team: {type: slack, url: {env: HOOK}}}
routes: [{to: team, mode: immediate}]
"""
HOOK = "https://hooks.slack.com/services/T0/B0/s3cr3tS3cr3t77"


@dataclass
class ConfigFiles:
    """A configuration on the disk, the one that was read of it, and how often it was read."""

    file: Path
    env: dict[str, str] = field(default_factory=lambda: {"HOOK": HOOK})
    read: int = 0

    def __post_init__(self) -> None:
        self.file.write_text(TEXT)
        self.reloader = Reloader(read_config(self.file, self.env), self.reread, lambda: datetime.now(UTC))

    def reread(self) -> Config:
        self.read += 1
        return read_config(self.file, self.env)

    async def page(self, store: Store) -> str:
        config = self.reloader.config
        async with pages(store, config=config, reloader=self.reloader) as address, httpx.AsyncClient() as client:
            answer = await client.get(f"{address}/config")
            assert answer.status_code == 200
            return answer.text


@pytest.fixture
def files(tmp_path: Path) -> ConfigFiles:
    return ConfigFiles(tmp_path / "watchpost.yaml")


async def test_nothing_has_changed(store: Store, files: ConfigFiles) -> None:
    assert "The running configuration matches the files." in await files.page(store)
    assert "The running configuration matches the files." in await files.page(store)
    assert files.read == 1, "files that are as they were are not read for each page"


async def test_what_a_reload_would_change_and_what_needs_a_restart(store: Store, files: ConfigFiles) -> None:
    files.file.write_text(TEXT.replace("10m", "15m").replace("{mali: Mali}", "{gao: Gao}") + "redis: {prefix: other}\n")
    page = await files.page(store)
    assert "a reload would apply 4 changes." in page
    for path in ("feeds.rfi.every", "topics.gao", "topics.mali", "redis.prefix"):
        assert f"<code>{path}</code>" in page
    assert page.index("feeds.rfi.every") < page.index("redis.prefix"), "what is live comes first"
    assert page.count("needs a restart") == 1
    assert page.count("by a reload") == 3
    assert "<code>10m</code>" in page
    assert "<code>15m</code>" in page
    taken = await files.reloader.reload("anna")
    assert taken.changes == 4
    assert "The running configuration matches the files." in await files.page(store)


async def test_mistakes_are_shown_with_their_place_and_nothing_is_compared(store: Store, files: ConfigFiles) -> None:
    files.file.write_text(TEXT.replace("topics:", "topcis:"))
    page = await files.page(store)
    assert "have mistakes and are not used" in page
    assert "watchpost.yaml:3:1" in page
    assert "did you mean &#39;topics&#39;?" in page
    assert "a reload would" not in page
    await files.reloader.reload("anna")
    files.file.write_text(TEXT)
    mended = await files.page(store)
    assert "The running configuration matches the files." in mended
    assert "They have been corrected since" in mended
    files.file.unlink()
    assert "no such file" in await files.page(store)


async def test_no_secret_is_shown_whatever_changes(store: Store, files: ConfigFiles) -> None:
    other = HOOK.replace("77", "78")
    files.env["HOOK"] = other
    page = await files.page(store)
    assert "not shown, such as the value of a secret" in page
    files.env["OTHER"] = other
    files.file.write_text(
        TEXT.replace("HOOK", "OTHER").replace("org/rfi", "org/rfi?token=abcdef1234567890abcdef")
        + "http: {auth: {users: {anna: {env: HOOK}}}}\n"
    )
    page += await files.page(store)
    assert "not a hash of a password" in page
    files.file.write_text(TEXT.replace("HOOK", "OTHER").replace("org/rfi", "org/rfi?token=abcdef1234567890abcdef"))
    page += await files.page(store)
    assert "receivers.team.url" in page
    assert "feeds.rfi.url" in page
    for secret in ("s3cr3t", "abcdef1234"):
        assert secret not in page


async def test_each_process_is_compared_and_this_one_with_what_it_runs_now(store: Store, files: ConfigFiles) -> None:
    old = files.reloader.config
    files.file.write_text(TEXT.replace("10m", "15m"))
    await files.reloader.reload("anna")
    said = RunningConfig("poll", old.fingerprint, "2026-11-23T07:30:00+00:00", effective(old))
    await RunningConfigs(store).publish("poll", pack(said))
    stale = RunningConfig("all", old.fingerprint, "2026-11-23T07:30:00+00:00", effective(old))
    await RunningConfigs(store).publish("all", pack(stale))
    page = await files.page(store)
    assert "a reload would apply 1 change." in page
    assert "What a reload would change for poll" in page
    await RunningConfigs(store).publish("poll", b"of another version")
    assert "cannot be compared: the configuration of poll was not written by this version" in await files.page(store)


async def test_the_configuration_page_works_without_the_store(files: ConfigFiles) -> None:
    away = Store("redis://127.0.0.1:1/0")
    files.file.write_text(TEXT.replace("10m", "15m"))
    page = await files.page(away)
    assert "feeds.rfi.every" in page
    assert "The store is not available" in page
    await away.close()
