"""Equal configurations have equal fingerprints; a changed one has another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.kinds import RECEIVERS, SOURCES
from watchpost.config.loader import load

PLAIN = """version: 1
feeds: {rfi: {url: https://www.rfi.fr/rss, every: 10m}, ria: https://ria.ru/rss}
topics: {mali: Mali AND Gao}
receivers: {team: {type: slack, url: {env: SLACK}}}
routes: [{to: team, digest: "08:00"}]
"""
SAME = """# The same, written otherwise.
routes:
  - to: [team]
    digest: {at: 8:00, days: daily}
receivers:
  team:
    url: {env: SLACK}
    type: slack
topics: {mali: {query: Mali AND Gao}}
defaults: {feed: {every: 600s}}
feeds:
  ria: {url: https://ria.ru/rss}
  rfi: https://www.rfi.fr/rss
version: 1
"""


def fingerprint_of(directory: Path, text: str, slack: str = "https://chat.example/a") -> str:
    """The fingerprint of a configuration with this text, where SLACK has this value."""
    file = directory / "watchpost.yaml"
    file.write_text(text)
    return load(file, sources=SOURCES, receivers=RECEIVERS, env={"SLACK": slack, "OTHER": slack}).fingerprint


def test_layout_and_shorthands_do_not_count(tmp_path: Path) -> None:
    assert fingerprint_of(tmp_path, PLAIN) == fingerprint_of(tmp_path, SAME)


def test_the_value_of_a_secret_does_not_count(tmp_path: Path) -> None:
    assert fingerprint_of(tmp_path, PLAIN, "a") == fingerprint_of(tmp_path, PLAIN, "b")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("10m", "11m"),
        ("Mali AND Gao", "Mali OR Gao"),
        ("env: SLACK", "env: OTHER"),
        ("08:00", "09:00"),
        ('digest: "08:00"', "mode: immediate"),
        ("version: 1", "version: 1\nlanguage: fr"),
    ],
)
def test_everything_else_counts(tmp_path: Path, old: str, new: str) -> None:
    assert fingerprint_of(tmp_path, PLAIN) != fingerprint_of(tmp_path, PLAIN.replace(old, new))
