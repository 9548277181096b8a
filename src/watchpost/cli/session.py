"""What a command works with: the settings, the configuration, and the store of a running service."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from watchpost import durations
from watchpost.cli import output

if TYPE_CHECKING:
    from watchpost.config.config import Config
    from watchpost.config.fields import Network
    from watchpost.config.settings import Settings
    from watchpost.store.client import Store


def open_settings(config_path: Path | None = None, data: Path | None = None) -> Settings:
    """The settings, with a log on stderr that reports only what is wrong. Raises ConfigError."""
    from watchpost import log
    from watchpost.config.settings import read_settings

    settings = read_settings(config=config_path, data=data)
    log.set_up_log(settings.log_format or "auto", output.log_level(settings.log_level or "warning"))
    log.log().debug("command.where", config=str(settings.config), data=str(settings.data))
    return settings


def load_config(config_path: Path | None = None) -> Config:
    """The configuration of this file, or of the environment. Raises ConfigError with every mistake."""
    return read_config(open_settings(config_path))


def read_config(settings: Settings) -> Config:
    """The configuration that the settings name. Raises ConfigError with every mistake."""
    from watchpost.operations import factory

    with output.ProgressBar("reading the configuration") as bar:
        return factory.read_config(settings.config, os.environ, bar)


@asynccontextmanager
async def running_service(config_path: Path | None, data: Path | None) -> AsyncIterator[tuple[Config, Store]]:
    """The configuration, and the store of the service that runs with it. Starts no server.

    Raises ConfigError, or StoreError with what to do if no service runs.
    """
    from watchpost.operations import factory

    settings = open_settings(config_path, data)
    config = read_config(settings)
    async with factory.look(settings, config) as store:
        yield config, store


def since_moment(since: str, config: Config) -> datetime | None:
    """The moment that --since names in the configured time zone, None for "". Raises CommandError."""
    if not since:
        return None
    try:
        return durations.since(since, datetime.now(UTC), ZoneInfo(config.timezone))
    except ValueError as error:
        raise output.CommandError(f"--since {error}") from None


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """The networks of --allow-private. Raises CommandError."""
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError:
        raise output.CommandError("--allow-private takes an address or network: 10.0.0.8 or 10.0.0.0/8") from None
