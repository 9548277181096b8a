"""What loads, but is probably not what the operator meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.test_loader import plan_of
from watchpost.errors import ConfigError

FRAME = """version: 1
feeds: {rfi: https://www.rfi.fr/rss, ria: https://ria.ru/rss}
topics:
  mali: {query: Mali, severity: low}
  wagner: {query: Wagner, severity: high}
receivers: {term: {type: console}, desk: {type: console}}
routes:
"""


def warnings_of(directory: Path, text: str) -> list[tuple[str, str]]:
    """Path and first words of each warning."""
    config = plan_of(directory, text)
    assert all(one.severity == "warning" for one in config.warnings)
    return [(one.path, " ".join(one.problem.split()[:3])) for one in config.warnings]


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (["to: [term, desk]"], []),
        (["to: term", "to: desk"], [("receivers.desk", "no route leads"), ("routes[1]", "no hit gets")]),
        (["to: term, continue: true", "to: desk"], []),
        (["to: term, when: {topics: mali}", "to: desk"], []),
        (
            ["to: term, when: {topics: [mali, wagner]}", "to: desk, when: {topics: mali, severity: high}"],
            [("receivers.desk", "no route leads"), ("routes[1]", "no hit gets")],
        ),
        (["to: term, when: {severity: high}", "to: desk, when: {severity: [high, low]}"], []),
        (['to: term, when: {voices: ">=2"}', "to: desk"], []),
        (["to: term, when: {sources: rfi}", "to: desk, when: {sources: [rfi, ria]}"], []),
        (["to: [term, desk], when: {severity: high}"], [("topics.mali", "no route takes")]),
        (["to: [term, desk], when: {topics: wagner}"], [("topics.mali", "no route takes")]),
        (
            ["to: [term, desk], when: {topics: wagner, severity: low}"],
            [("topics.mali", "no route takes"), ("topics.wagner", "no route takes")],
        ),
    ],
)
def test_routes_that_make_no_sense(tmp_path: Path, routes: list[str], expected: list[tuple[str, str]]) -> None:
    text = FRAME + "".join(f"  - {{mode: immediate, {route}}}\n" for route in routes)
    assert warnings_of(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (["to: term, mode: immediate, when: {severity: high}", 'to: term, digest: "08:00"'], ["routes[0]"]),
        (["to: [desk, term], mode: immediate, when: {topics: mali}", "to: term, digest: {every: 1h}"], ["routes[0]"]),
        (["to: term, mode: immediate, when: {sources: rfi}", 'to: term, digest: "08:00"'], ["routes[0]"]),
        (["to: term, mode: immediate, when: {severity: high}, continue: true", 'to: term, digest: "08:00"'], []),
        (["to: term, mode: immediate, when: {severity: high}, continue: false", 'to: term, digest: "08:00"'], []),
        (["to: desk, mode: immediate, when: {severity: high}", 'to: term, digest: "08:00"'], []),
        (["to: term, mode: immediate, when: {severity: high}", 'to: term, digest: "08:00", when: {topics: mali}'], []),
        (
            [
                "to: term, mode: immediate, when: {sources: rfi}",
                'to: term, digest: "08:00", when: {sources: ria}',
            ],
            [],
        ),
        (["to: term, when: {severity: high}, digest: {every: 1h}", 'to: term, digest: "08:00"'], []),
        (["to: term, mode: immediate, when: {severity: high}", "to: term, mode: immediate"], []),
    ],
)
def test_alerts_that_a_digest_to_the_same_reader_lacks(tmp_path: Path, routes: list[str], expected: list[str]) -> None:
    text = FRAME + "".join(f"  - {{{route}}}\n" for route in routes)
    problems = [one for one in plan_of(tmp_path, text).warnings if "missing from its digest" in one.problem]
    assert [one.path for one in problems] == expected
    assert all("add continue: true here" in one.problem for one in problems)


def test_a_feed_polled_more_often_than_once_a_minute(tmp_path: Path) -> None:
    text = "version: 1\nfeeds:\n  a: {url: https://a.example, every: 59s}\n  b: {url: https://b.example, every: 1m}\n"
    assert warnings_of(tmp_path, text) == [("feeds.a.every", "more often than")]


def test_hasty_defaults_are_told_once(tmp_path: Path) -> None:
    text = "version: 1\ndefaults: {feed: {every: 1s}}\nfeeds: [https://a.example, https://b.example]\n"
    assert warnings_of(tmp_path, text) == [("defaults.feed.every", "more often than")]


def test_a_warning_shows_that_it_is_one(tmp_path: Path) -> None:
    (warning,) = plan_of(tmp_path, "version: 1\n").warnings
    assert str(warning).endswith(":1:1: warning: nothing is watched: add feeds or other sources")


@pytest.mark.parametrize(
    ("written", "present", "said"),
    [
        ("topics/*.yaml", "topics/mali.yml", "no file matches this pattern; mali.yml ends in .yml"),
        ("topics/*.yml", "topics/mali.yaml", "no file matches this pattern; mali.yaml ends in .yaml"),
        ("topics/*.yaml", "topics/Mali.YAML", "no file matches this pattern; Mali.YAML ends in .YAML"),
        ("topics/*.yaml", "topics/readme.txt", "no file matches this pattern"),
        ("topcis/*.yaml", "topics/mali.yaml", "no file matches this pattern"),
        ("**/x-*.yaml", "topics/mali.yaml", "no file matches this pattern"),
    ],
)
def test_an_include_that_finds_nothing_is_a_warning(written: str, present: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "topics").mkdir()
    (tmp_path / present).write_text("topics: {mopti: Mopti}\n")
    config = plan_of(tmp_path, f'include: ["{written}"]\n' + FRAME + "  - {to: term, mode: immediate}\n")
    found = [one for one in config.warnings if one.path == "include"]
    assert [(one.line, one.column, one.problem) for one in found] == [(1, 11, said)]


@pytest.mark.parametrize(
    ("route", "problem"),
    [
        ('mode: immediate, when: {voices: ">=10"}', "how many voices a story waits for"),
        ("mode: immediate, when: {voices: 2}", "put it in quotes"),
        ("mode: immediate, when: {voices: '<3'}", "how many voices a story waits for"),
        ('digest: "08:00", when: {voices: ">=0"}', "how many voices a story waits for"),
    ],
)
def test_voices_that_no_story_can_wait_for(tmp_path: Path, route: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        plan_of(tmp_path, f"{FRAME}  - {{to: term, {route}}}\n")
