"""`watchpost init`, `watchpost doctor`, and what the shell completes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import watchpost
from tests.cli.test_cli import CONFIG


def test_init_then_check_then_run(tmp_path: Path) -> None:
    done = watchpost(tmp_path, "init")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "config/watchpost.yaml"
    env = {"WATCHPOST_CONFIG": "config/watchpost.yaml"}
    assert watchpost(tmp_path, "check", **env).returncode == 0
    run = watchpost(tmp_path, "run", "--once", **env)
    assert (run.returncode, "A **truce**, to try watchpost with" in run.stdout) == (0, True)
    again = watchpost(tmp_path, "init")
    assert (again.returncode, again.stdout) == (1, "")
    assert "already exists" in again.stderr
    other = watchpost(tmp_path, "init", "--json", "other")
    assert json.loads(other.stdout)["written"][0] == "other/watchpost.yaml"


def test_doctor_prints_each_finding_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "watchpost.yaml").write_text(CONFIG)
    done = watchpost(tmp_path, "doctor")
    assert done.returncode == 1
    assert "FAIL  folder drop:" in done.stdout
    assert "      → mkdir -p" in done.stdout
    (tmp_path / "drop").mkdir()
    assert watchpost(tmp_path, "doctor").returncode == 0


def test_doctor_as_json_is_one_object(tmp_path: Path) -> None:
    (tmp_path / "watchpost.yaml").write_text(CONFIG)
    (tmp_path / "drop").mkdir()
    done = watchpost(tmp_path, "doctor", "--json", WATCHPOST_REDIS_URL="redis://u:hunter2@127.0.0.1:1/0")
    assert done.returncode == 4
    said = json.loads(done.stdout)
    assert said["ok"] is False
    (failed,) = [one for one in said["findings"] if one["level"] == "fail"]
    assert set(failed) == {"subject", "level", "text", "cure", "outside"}
    assert failed["subject"] == "redis"
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("watchpost explain ", {"mali", "wagner"}),
        ("watchpost topic test w", {"wagner"}),
        ("watchpost feed show ", {"bbc", "rfi"}),
        ("watchpost receiver test ", {"terminal"}),
        ("watchpost conf", {"config"}),
    ],
)
def test_the_shell_completes_names_of_the_configuration(tmp_path: Path, words: str, offered: set[str]) -> None:
    feeds = "feeds: {rfi: https://www.rfi.fr/rss, bbc: 5}\n"  # a mistake does not keep it from completing
    (tmp_path / "watchpost.yaml").write_text(CONFIG + feeds)
    asked = {"_WATCHPOST_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    assert set(watchpost(tmp_path, **asked).stdout.split()) == offered
