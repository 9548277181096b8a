"""What is wrong with a feed's options is said where it stands, and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchpost.config.loader import load
from watchpost.errors import ConfigError
from watchpost.poll.feed_options import FeedOptions

MISTAKES = {
    "every: 8d": "every: must be longer than 0s, and at most 7d",
    "on_new: yesterday": "on_new: a duration like 24h, or all, or baseline",
    "fulltext: sometimes": "fulltext: true (pages of plausible articles), always, or false",
    "fulltext: 0": "fulltext: true (pages of plausible articles), always, or false",
    "auth: {username: me, password: hush}": (
        "auth.password: a secret is never written in this file; use {env: NAME} or {file: PATH}"
    ),
    "auth: {username: 'me:you', password: {env: PASS}}": (
        "auth.username: a username must not be empty or contain a colon"
    ),
    "auth: {username: me, password: {env: PASS}}, headers: {Authorization: x}": (
        "write either auth or a header Authorization, not both"
    ),
    "proxy: {url: 'socks5://proxy:1080'}": "proxy.url: a proxy's url begins with http:// or https:// and names a host",
    "proxy: {url: 'http://me:hush@proxy:3128'}": "proxy.url: a url must not contain a password: use url: {env: NAME}",
}


@pytest.mark.parametrize("options", MISTAKES)
def test_a_mistake_in_a_feed_is_said(tmp_path: Path, options: str) -> None:
    file = tmp_path / "w.yaml"
    file.write_text(f"version: 1\nfeeds: {{a: {{url: 'https://example.org/a', {options}}}}}\n")
    with pytest.raises(ConfigError) as caught:
        load(file, sources={"feed": FeedOptions, "folder": FeedOptions}, receivers={}, env={"PASS": "hush-hush"})
    (complaint,) = caught.value.complaints
    assert (
        f"{complaint.path}: {complaint.problem}".removeprefix("feeds.a.").removeprefix("feeds.a: ") == MISTAKES[options]
    )
    assert "hush-hush" not in str(complaint)


@pytest.mark.parametrize("on_new", ["24h", "all", "baseline", "0s"])
def test_on_new_is_a_time_or_a_word(tmp_path: Path, on_new: str) -> None:
    assert FeedOptions.model_validate({"url": "https://example.org/", "on_new": on_new}).paced is False


@pytest.mark.parametrize(
    ("written", "meant"), [(True, "plausible"), ("plausible", "plausible"), ("always", "always"), (False, False)]
)
def test_full_text_is_wanted_where_plausible_or_always(written: object, meant: object) -> None:
    assert FeedOptions.model_validate({"url": "https://example.org/", "fulltext": written}).fulltext == meant


def test_every_counts_as_written_when_it_stands_in_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.write_text("version: 1\ndefaults: {feed: {every: 10m}}\nfeeds: [https://example.org/a]\n")
    (part,) = load(file, sources={"feed": FeedOptions, "folder": FeedOptions}, receivers={}, env={}).sources
    assert isinstance(part.options, FeedOptions)
    assert part.options.paced
