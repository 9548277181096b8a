"""A variable that names a proxy and is not read is named, with what connects directly."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchpost.config.config import Config
from watchpost.operations.factory import read_config
from watchpost.operations.unread_proxy import unread_proxy

TEXT = """
version: 1
feeds: {a: 'http://a.example/f', b: {url: 'http://b.example/f', proxy: {url: 'http://p:1'}}}
topics: {mali: mali}
heartbeat: {url: 'http://switch.example/'}
receivers:
  near: {type: webhook, url: 'http://10.0.0.8/in', allow_private: [10.0.0.0/8]}
  far: {type: webhook, url: {env: FAR}}
  file: {type: file, path: out}
routes: [{to: [near, far, file], mode: immediate}]
"""
SECRET = "http://me:hush@p:1"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "watchpost.yaml"
    path.write_text(TEXT)
    return read_config(path, {"FAR": "https://far.example/hook"})


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"])
def test_it_names_what_connects_directly_and_not_the_value(config: Config, name: str) -> None:
    unread = unread_proxy(config, {name: SECRET})
    assert unread is not None
    assert unread.text == f"{name} is set and not read; these connect directly: a, far, heartbeat"
    assert f"proxy: {{url: {{env: {name}}}}}" in unread.cure
    assert "hush" not in repr(unread)


@pytest.mark.parametrize(
    ("excepted", "named"),
    [
        ("", "a, far, heartbeat"),
        ("a.example", "far, heartbeat"),
        (".example", ""),
        ("far.example,switch.example", "a"),
        ("*", ""),
    ],
)
def test_what_no_proxy_excepts_is_not_named(config: Config, excepted: str, named: str) -> None:
    unread = unread_proxy(config, {"HTTPS_PROXY": SECRET, "NO_PROXY": excepted})
    assert (unread.text.partition("directly: ")[2] if unread else "") == named


def test_without_a_variable_nothing_is_said(config: Config) -> None:
    assert unread_proxy(config, {}) is None
    assert unread_proxy(config, {"HTTPS_PROXY": "", "NO_PROXY": "*"}) is None


def test_an_address_that_this_process_has_not_got_is_named_as_well(tmp_path: Path) -> None:
    path = tmp_path / "watchpost.yaml"
    path.write_text(TEXT)
    unread = unread_proxy(read_config(path, {}, secrets_needed=False), {"HTTPS_PROXY": SECRET, "NO_PROXY": ".example"})
    assert unread is not None
    assert unread.text.endswith("directly: far")
