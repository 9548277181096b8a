"""Files laid out in one way, and keys of earlier versions: comments and meaning stay."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchpost.config.format import Renamed, formatted, migrated, rename_keys
from watchpost.config.yaml_reader import MappingNode, plain, read_yaml
from watchpost.errors import ConfigError, WatchpostError

ROOT = Path(__file__).parents[2]
FILES = [*sorted((ROOT / "config").rglob("*.yaml")), ROOT / "tests" / "config" / "full.yaml"]
UNTIDY = """# on top
version:    1   # of the format

feeds:
    rfi:   {url: "https://a.example/rss",   every: 10m}  # a desk
    bbc:   https://b.example/rss
topics:
      mali: |
         Mali
           AND Gao
routes:
- to: team      # at once
  mode: immediate
# at the end
"""
TABLE = (
    Renamed(("limits",), "queue", "queue_max", "0.3"),
    Renamed(("receivers", "*"), "address", "url", "0.3"),
    Renamed((), "zone", "timezone", "0.3"),
)
OLD = """# ours
version: 1
zone: UTC   # as ever
limits:
  queue: 5000   # many
receivers:
  a: {type: slack, address: x}   # one
  b: {type: slack, url: y, address: z}
"""


def meaning(text: str) -> object:
    tree, complaints = read_yaml(text, "x")
    assert not complaints
    return None if tree is None else plain(tree)


def comments(text: str) -> list[str]:
    return re.findall(r"(?:^|\s)(#.*)", text, re.MULTILINE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_layout_keeps_meaning_and_comments_and_stays(path: Path) -> None:
    text = path.read_text("utf-8")
    laid_out = formatted(text, path.name)
    assert formatted(laid_out, path.name) == laid_out
    assert meaning(laid_out) == meaning(text)
    assert comments(laid_out) == comments(text)


def test_an_untidy_file_becomes_a_tidy_one() -> None:
    tidy = formatted(UNTIDY, "x")
    assert tidy == (
        "# on top\n"
        "version: 1      # of the format\n"
        "\n"
        "feeds:\n"
        '  rfi: {url: "https://a.example/rss", every: 10m}        # a desk\n'
        "  bbc: https://b.example/rss\n"
        "topics:\n"
        "  mali: |\n"
        "    Mali\n"
        "      AND Gao\n"
        "routes:\n"
        "  - to: team    # at once\n"
        "    mode: immediate\n"
        "# at the end\n"
    )


@pytest.mark.parametrize("text", ["", "# only a remark\n", "a: 1", "a: 1   \n\n\n"])
def test_small_files_have_a_layout_too(text: str) -> None:
    assert formatted(formatted(text, "x"), "x") == formatted(text, "x")
    assert meaning(formatted(text, "x")) == meaning(text)


def test_what_is_not_yaml_is_refused_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"x:1:4"):
        formatted("a: [1\n", "x")


_WORDS = st.sampled_from(
    ["a", "'b c'", '"d"', "8:00", "{e: f}", "[g, {h: i}]", "|\n      text\n       more\n", "~", "no"]
)
_LINES = st.tuples(st.sampled_from(["", "  # x", "   #y"]), _WORDS, st.sampled_from(["", "\n", "\n# z\n", "\n  # w\n"]))


@settings(max_examples=150, deadline=None)
@given(st.lists(_LINES, min_size=1, max_size=6))
def test_any_layout_stays_or_is_refused(lines: list[tuple[str, str, str]]) -> None:
    text = "root:\n"
    for number, (comment, word, after) in enumerate(lines):
        text += f"  k{number}: {word}{'' if word.startswith('|') else comment}\n{after}"
    if read_yaml(text, "x")[1]:
        return
    try:
        laid_out = formatted(text, "x")
    except WatchpostError:
        return  # left as it is
    assert formatted(laid_out, "x") == laid_out
    assert meaning(laid_out) == meaning(text)


def test_keys_of_earlier_versions_are_renamed_with_their_comments() -> None:
    text, done = migrated(OLD, "x", TABLE)
    assert done == (
        "limits.queue → limits.queue_max",
        "receivers.a.address → receivers.a.url",
        "zone → timezone",
    )
    assert comments(text) == comments(OLD)
    assert meaning(text) == {
        "version": 1,
        "timezone": "UTC",
        "limits": {"queue_max": 5000},
        "receivers": {"a": {"type": "slack", "url": "x"}, "b": {"type": "slack", "url": "y", "address": "z"}},
    }
    assert migrated(text, "x", TABLE) == (text, ())


def test_a_file_of_today_stays_byte_for_byte() -> None:
    assert migrated(UNTIDY, "x") == (UNTIDY, ())


def test_the_loader_takes_keys_of_earlier_versions_and_warns_with_the_line() -> None:
    tree, _ = read_yaml(OLD, "old.yaml")
    assert isinstance(tree, MappingNode)
    complaints = rename_keys(tree, TABLE)
    assert plain(tree) == meaning(migrated(OLD.replace(", address: z", ""), "x", TABLE)[0])
    assert [str(one).split(": ")[0] for one in complaints] == [
        "old.yaml:5:3 limits.queue",
        "old.yaml:7:20 receivers.a.address",
        "old.yaml:8:28 receivers.b.address",
        "old.yaml:3:1 zone",
    ]
    assert "'address' is the old name of 'url', which is there, too; remove it" in str(complaints[2])
    assert "warning: 'zone' is deprecated; write 'timezone', or run `watchpost config migrate`" in str(complaints[3])


ALIASES = """routes:
  - when: {topic: mali, feeds: [rfi]}   # at once
    to: team
  - {when: {"topics": mali, 'topic': [gao]}, to: desk}
silences:
  - match:
      feed: ria   # replays
"""


def test_aliases_of_keys_are_read_with_a_warning_and_rewritten_in_their_place() -> None:
    text, done = migrated(ALIASES, "x")
    assert text == ALIASES.replace("topic: mali, feeds", "topics: mali, sources").replace("feed: ria", "source: ria")
    assert done == (
        "routes[0].when.topic → routes[0].when.topics",
        "routes[0].when.feeds → routes[0].when.sources",
        "silences[0].match.feed → silences[0].match.source",
    )
    tree, _ = read_yaml(ALIASES, "x")
    assert isinstance(tree, MappingNode)
    assert [(one.line, one.severity) for one in rename_keys(tree)] == [*[(line, "warning") for line in (2, 4, 2, 7)]]
    assert plain(tree)["routes"][1]["when"] == {"topics": ["mali", "gao"]}
