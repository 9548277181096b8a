"""Commands use a running service; they never start one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.test_loader import plan_of
from tests.store.embedding import make
from watchpost.config.config import Config
from watchpost.config.settings import read_settings
from watchpost.errors import StoreUnreachable
from watchpost.operations.factory import look


@pytest.fixture
def data() -> Iterator[Path]:
    """A data directory that does not exist yet; its path is short enough for a socket."""
    place = Path(tempfile.mkdtemp(prefix="wp-")).resolve()
    yield place / "data"
    shutil.rmtree(place)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return plan_of(tmp_path, "version: 1\nfeeds: {rfi: https://www.rfi.fr/rss}\nredis: {prefix: desk}\n")


async def test_commands_use_the_embedded_server_of_a_running_service(data: Path, config: Config) -> None:
    server = make(data)
    await server.start()
    async with look(read_settings(data=data), config) as store:
        assert await store.redis.ping()
        assert store.keys.prefix == "{desk}:"
    await server.stop()


async def test_no_server_is_started(data: Path, config: Config) -> None:
    with pytest.raises(StoreUnreachable, match="watchpost run"):
        async with look(read_settings(data=data), config):
            pass
    assert not data.exists()


async def test_a_configured_server_that_does_not_answer_is_not_replaced_by_the_embedded_one(
    data: Path, config: Config
) -> None:
    server = make(data)
    await server.start()
    settings = read_settings(data=data, redis_url="redis://127.0.0.1:1/0")
    with pytest.raises(StoreUnreachable, match=r"127\.0\.0\.1:1"):
        async with look(settings, config):
            pass
    await server.stop()
