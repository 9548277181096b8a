"""What a command works with: the settings, the configuration, and the store of a running service."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
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


_CONFIG: ContextVar[Path | None] = ContextVar("config", default=None)
_DATA: ContextVar[Path | None] = ContextVar("data", default=None)


def set_config(path: Path | None) -> None:
    """Note the file of --config; None means that of the environment."""
    _CONFIG.set(path)


def set_data(path: Path | None) -> None:
    """Note the directory of --data; None means that of the environment."""
    _DATA.set(path)


def config_option() -> Path | None:
    """The file of --config."""
    return _CONFIG.get()


def read_settings(config: Path | None = None) -> Settings:
    """The settings, with this configuration file, that of --config or that of the environment. Raises ConfigError."""
    from watchpost.config import settings

    return settings.read_settings(config=config or _CONFIG.get(), data=_DATA.get())


def open_settings(config: Path | None = None) -> Settings:
    """The settings, and a log on stderr that reports only what is wrong. Raises ConfigError."""
    from watchpost import log

    settings = read_settings(config)
    log.set_up_log(settings.log_format or "auto", output.log_level(settings.log_level or "warning"))
    log.log().debug("command.where", config=str(settings.config), data=str(settings.data))
    return settings


def open_config(path: Path | None = None) -> tuple[Settings, Config]:
    """The settings, and the configuration in this file or that they name. Raises ConfigError with every mistake.

    A secret that this process has not got is named in a warning, and is an error only where a command needs it.
    """
    settings, config = _read(path, secrets_needed=False)
    for warning in config.absent_secrets:
        output.note(str(warning))
    return settings, config


def load_config(path: Path | None = None) -> Config:
    """As open_config, the configuration alone."""
    return open_config(path)[1]


def check_config(path: Path | None, *, secrets_needed: bool) -> Config:
    """The configuration, with its warnings unsaid. Raises ConfigError with every mistake."""
    return _read(path, secrets_needed=secrets_needed)[1]


def _read(path: Path | None, *, secrets_needed: bool) -> tuple[Settings, Config]:
    from watchpost.operations import factory

    settings = open_settings(path)
    with output.ProgressBar("reading the configuration") as bar:
        config = factory.read_config(settings.config, os.environ, bar, secrets_needed=secrets_needed)
    output.set_zone(zone_of(config))
    return settings, config


@asynccontextmanager
async def running_service() -> AsyncIterator[tuple[Config, Store]]:
    """The configuration, and the store of the service that runs with it. Starts no server.

    Raises ConfigError, or StoreError with what to do if no service runs.
    """
    from watchpost.operations import factory

    settings, config = open_config()
    async with factory.look(settings, config) as store:
        yield config, store


def zone_of(config: Config) -> ZoneInfo:
    """The time zone in which a command shows times: that of the pages and messages."""
    return ZoneInfo(config.timezone)


def since_moment(since: str, config: Config, option: str = "--since") -> datetime | None:
    """The moment that an option names in the configured time zone, None for "". Raises CommandError."""
    if not since:
        return None
    try:
        return durations.since(since, datetime.now(UTC), ZoneInfo(config.timezone))
    except ValueError as error:
        raise output.CommandError(f"{option} {error}") from None


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """The networks of --allow-private. Raises CommandError."""
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError:
        raise output.CommandError("--allow-private takes an address or network: 10.0.0.8 or 10.0.0.0/8") from None
