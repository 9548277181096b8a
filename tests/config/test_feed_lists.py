"""`feeds_from`: lists of feeds beside the feeds of the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.config.kinds import ENV, RECEIVERS, SOURCES, Feed
from tests.config.test_loader import plan_of
from watchpost.config.config import Config
from watchpost.config.loader import load
from watchpost.config.opml import MAX_NOTICES, NAME
from watchpost.errors import ConfigError


def listed(directory: Path, name: str, *feeds: tuple[str, str], folder: str = "") -> None:
    """An OPML file with these titles and addresses, each on a line of its own from the second on."""
    lines = "".join(f'<outline text="{title}" xmlUrl="{url}"/>\n' for title, url in feeds)
    inner = f'<outline text="{folder}">{lines}</outline>' if folder else lines
    (directory / name).write_text(f'<opml version="2.0"><body>\n{inner}</body></opml>\n', encoding="utf-8")


def options(config: Config) -> dict[str, Feed]:
    return {part.name: part.options for part in config.sources if isinstance(part.options, Feed)}


def warnings(config: Config) -> list[str]:
    return [str(replace(one, file=Path(one.file).name)) for one in config.warnings]


HEAD = "version: 1\nfeeds_from: {opml: list.opml}\n"


def test_a_list_gives_feeds_with_the_defaults_of_the_file_and_of_the_list(tmp_path: Path) -> None:
    listed(tmp_path, "list.opml", ("Studio Tamani", "https://a.example/"), ("RFI", "https://b.example/"), folder="Mali")
    config = plan_of(
        tmp_path,
        "version: 1\ndefaults: {feed: {timeout: 7s, every: 20m}}\n"
        "feeds_from: {opml: list.opml, prefix: ml-, tags: sahel, every: 1h}\n",
    )
    assert config.warnings == ()
    assert options(config) == {
        name: Feed(url=url, every=timedelta(hours=1), timeout=timedelta(seconds=7), tags=("sahel", "Mali"))
        for name, url in [("ml-studio-tamani", "https://a.example/"), ("ml-RFI", "https://b.example/")]
    }


def test_several_lists_and_patterns_and_a_list_counts_once(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    listed(tmp_path / "lists", "a.opml", ("A", "https://a.example/"))
    listed(tmp_path / "lists", "b.opml", ("B", "https://b.example/"))
    config = plan_of(tmp_path, "version: 1\nfeeds_from: [{opml: lists/b.opml, tags: b}, {opml: 'lists/*.opml'}]\n")
    assert {name: one.tags for name, one in options(config).items()} == {"B": ("b",), "A": ()}


def test_what_the_configuration_names_itself_counts_and_the_twin_is_told(tmp_path: Path) -> None:
    listed(tmp_path, "list.opml", ("RFI again", "HTTPS://A.example:443/rss#top"), ("mine", "https://b.example/"))
    config = plan_of(tmp_path, HEAD + "feeds: {mine: 'https://a.example/rss'}\n")
    assert list(options(config)) == ["mine", "mine-2450"]
    assert warnings(config) == ["list.opml:2:1: warning: left out: 'RFI again' is already configured as mine"]


def test_a_feed_in_two_folders_is_one_feed_with_both_tags(tmp_path: Path) -> None:
    listed(tmp_path, "list.opml", ("A", "https://a.example/"), folder="one")
    listed(tmp_path, "more.opml", ("A, too", "https://a.example"), folder="two")
    config = plan_of(tmp_path, "version: 1\nfeeds_from: [{opml: list.opml}, {opml: more.opml}]\n")
    assert {name: one.tags for name, one in options(config).items()} == {"A": ("one", "two")}
    assert config.warnings == ()


def test_names_stay_when_feeds_are_added_and_are_names(tmp_path: Path) -> None:
    feeds = [
        ("News", "https://a.example/"), ("News", "https://b.example/"), ("Новости Сахеля!", "https://c.example/"),
        ("", "https://www.d.example/"), ("***", "https://[2001:db8::1]/"), ("x" * 300, "https://f.example/"),
    ]  # fmt: skip
    listed(tmp_path, "list.opml", *feeds)
    before = list(options(plan_of(tmp_path, HEAD)))
    assert before[2:5] == ["новости-сахеля", "d-example", "2001-db8-1"]
    assert all(NAME.fullmatch(name) for name in before)
    listed(tmp_path, "list.opml", *feeds, ("News", "https://g.example/"), ("x" * 300, "https://h.example/"))
    after = list(options(plan_of(tmp_path, HEAD)))
    assert after[: len(before)] == before
    assert len(set(after)) == len(after) == 8


def test_a_bad_address_is_a_warning_at_its_line_without_the_address(tmp_path: Path) -> None:
    listed(tmp_path, "list.opml", ("Good", "https://a.example/"), ("Bad", "ftp://s3cr3t.example/"))
    config = plan_of(tmp_path, HEAD)
    assert list(options(config)) == ["Good"]
    assert warnings(config) == ["list.opml:3:1 'Bad': warning: left out: must look like ^https?://"]


def test_routes_may_name_feeds_of_lists(tmp_path: Path) -> None:
    listed(tmp_path, "list.opml", ("RFI", "https://a.example/"))
    rest = "topics: {mali: Mali}\nreceivers: {term: {type: console}}\n"
    route = "routes: [{to: term, mode: immediate, when: {sources: [RFI]}}]\n"
    assert plan_of(tmp_path, HEAD + rest + route).routes[0].sources == ("RFI",)
    with pytest.raises(ConfigError, match="did you mean 'RFI'"):
        plan_of(tmp_path, HEAD + rest + route.replace("RFI", "RFII"))


def test_a_list_that_changed_gives_another_fingerprint_and_one_that_moved_the_same(tmp_path: Path) -> None:
    listed(tmp_path, "list.opml", ("A", "https://a.example/"))
    first = plan_of(tmp_path, HEAD).fingerprint
    (tmp_path / "list.opml").rename(tmp_path / "moved.opml")
    assert plan_of(tmp_path, HEAD.replace("list.opml", "moved.opml")).fingerprint == first
    listed(tmp_path, "list.opml", ("A", "https://a.example/"), ("B", "https://b.example/"))
    assert plan_of(tmp_path, HEAD).fingerprint != first


def test_a_hasty_list_is_warned_of_once(tmp_path: Path) -> None:
    listed(tmp_path, "list.opml", ("A", "https://a.example/"), ("B", "https://b.example/"))
    (warning,) = warnings(plan_of(tmp_path, "version: 1\nfeeds_from: {opml: list.opml, every: 10s}\n"))
    assert warning.startswith("watchpost.yaml:2:38 feeds_from.every: warning: more often than once a minute")


def test_ten_thousand_feeds_are_read_and_their_number_is_told(tmp_path: Path) -> None:
    listed(tmp_path, "list.opml", *((f"Feed {n}", f"https://host{n}.example/rss") for n in range(10_000)))
    (tmp_path / "watchpost.yaml").write_text(HEAD)
    told: list[Sequence[int]] = []
    config = load(
        tmp_path / "watchpost.yaml",
        sources=SOURCES,
        receivers=RECEIVERS,
        env=ENV,
        progress=lambda done, total: told.append((done, total)),
    )
    assert len(config.sources) == 10_000
    assert config.sources[-1].name == "feed-9999"
    assert told[0] == (0, 10_000)
    assert len(told) == 100


def test_of_very_many_warnings_some_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    bad = "".join(f'<outline text="Bad" xmlUrl="ftp://e.example/{n}"/><outline text="Empty"/>\n' for n in range(500))
    (tmp_path / "list.opml").write_text(f"<opml><body>{bad}</body></opml>")
    told = warnings(plan_of(tmp_path, HEAD + "feeds: {a: 'https://a.example/'}\n"))
    assert len(told) == MAX_NOTICES + 1
    assert "list.opml: warning: and 950 more warnings like these" in told
