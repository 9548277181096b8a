"""The environment becomes settings, and a bad variable is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from watchpost.config.settings import PREFIX, read_settings
from watchpost.errors import ConfigError


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


def test_without_variables() -> None:
    settings = read_settings()
    assert (settings.redis_url, settings.redis_bin, settings.redis_fsync) == (None, None, "everysec")
    assert (settings.data, settings.config) == (Path("var"), Path("config/watchpost.yaml"))
    assert (settings.log_format, settings.log_level, settings.http_listen) == (None, None, None)


def test_every_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "REDIS_URL": "rediss://user:hunter2@redis.example:6379/1",
        "REDIS_BIN": "/usr/bin/valkey-server",
        "REDIS_FSYNC": "always",
        "DATA": "/var/lib/watchpost",
        "CONFIG": "/etc/watchpost.yaml",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "DEBUG",
        "HTTP_LISTEN": "[::1]:9000",
    }
    for name, value in given.items():
        monkeypatch.setenv(PREFIX + name, value)
    settings = read_settings()
    assert settings.redis_url is not None
    assert settings.redis_url.reveal() == given["REDIS_URL"]
    assert settings.redis_bin == Path(given["REDIS_BIN"])
    assert settings.redis_fsync == "always"
    assert (settings.data, settings.config) == (Path(given["DATA"]), Path(given["CONFIG"]))
    assert (settings.log_format, settings.log_level, settings.http_listen) == ("json", "debug", "[::1]:9000")
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


def test_what_the_command_line_says_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHPOST_CONFIG", "from-environment.yaml")
    assert read_settings(config=Path("given.yaml"), data=None).config == Path("given.yaml")
    assert read_settings(config=None).config == Path("from-environment.yaml")


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REDIS_URL", "LOG_LEVEL", "DATA"):
        monkeypatch.setenv(PREFIX + name, "")
    assert read_settings() == read_settings(data=Path("var"))
    assert read_settings().redis_url is None


def test_all_bad_variables_are_named_and_their_values_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = {
        "REDIS_URL": "http://:hunter2@redis",
        "REDIS_FSYNC": "hunter2",
        "LOG_FORMAT": "hunter2",
        "LOG_LEVEL": "hunter2",
        "HTTP_LISTEN": "hunter2",
    }
    for name, value in bad.items():
        monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(ConfigError) as caught:
        read_settings()
    assert [one.path for one in caught.value.complaints] == [PREFIX + name for name in bad]
    assert "hunter2" not in str(caught.value)
    assert "environment WATCHPOST_REDIS_FSYNC: must be 'everysec' or 'always'" in str(caught.value)
