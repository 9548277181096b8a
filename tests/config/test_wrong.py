"""Every broken file in tests/wrong gives exactly the text that stands beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.kinds import ENV, RECEIVERS, SOURCES
from watchpost.config.loader import load
from watchpost.errors import ConfigError

WRONG = Path(__file__).parent.parent / "wrong"
FILES = sorted(path.name for path in WRONG.glob("*.yaml"))
SECRETS = ("s3cr3t", "hunter2")


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_gives_the_text_beside_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(WRONG)
    with pytest.raises(ConfigError) as caught:
        load(Path(name), sources=SOURCES, receivers=RECEIVERS, env=ENV)
    assert f"{caught.value}\n" == Path(name).with_suffix(".txt").read_text(encoding="utf-8")
    assert not [secret for secret in SECRETS if secret in str(caught.value)]


def test_every_broken_file_has_its_text_and_every_text_its_file() -> None:
    assert len(FILES) >= 40
    assert {path.stem for path in WRONG.glob("*.txt")} == {Path(name).stem for name in FILES}


def test_all_mistakes_of_a_file_come_at_once_and_in_its_order(tmp_path: Path) -> None:
    file = tmp_path / "watchpost.yaml"
    file.write_text(
        "version: 1\n"
        "timezone: Mars/Olympus\n"  # 1
        "feeds:\n"
        "  maliweb: {url: https://www.maliweb.net/feed, every: 5}\n"  # 2
        "topics:\n"
        "  wagner: Wagner opera\n"  # 3
        "receivers:\n"
        "  team: {type: slack, url: {env: SLACK_UNSET}}\n"  # 4
        "routes:\n"
        '  - {to: taem, digest: "08:00"}\n'  # 5
    )
    with pytest.raises(ConfigError) as caught:
        load(file, sources=SOURCES, receivers=RECEIVERS, env=ENV)
    places = [(complaint.line, complaint.path) for complaint in caught.value.complaints]
    assert places == [
        (2, "timezone"),
        (4, "feeds.maliweb.every"),
        (6, "topics.wagner"),
        (8, "receivers.team.url"),
        (10, "routes[0].to"),
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "no such file"),
        ("directory", "this is a directory; name a YAML file"),
        (b"version: 1\ntopics: {caf\xe9: x}\n", "2:13: not UTF-8"),
        (b"\xff\xfev\x00e\x00r\x00", "1:1: not UTF-8"),
        (b"version: 1\n#" + b"x" * 1024 * 1024, "larger than 1 MiB"),
        (b"version: 1\ntopics: {a: \x07}\n", "2:13: this control character"),
        (b'version: 1\ntopics: {a: "\\ud800"}\n', "2:13: half of a surrogate pair"),
        (b"version: 1\ntopics: &t {a: *t}\n", "2:16: this alias is inside its own anchor"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes | str | None, expected: str) -> None:
    file = tmp_path / "watchpost.yaml"
    if content == "directory":
        file.mkdir()
    elif isinstance(content, bytes):
        file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(file, sources=SOURCES, receivers=RECEIVERS, env=ENV)
    (complaint,) = caught.value.complaints
    assert str(complaint).startswith(str(file))
    assert expected in str(complaint)
