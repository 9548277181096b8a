"""What the shell completes at the tab key."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import ENV, watchpost
from tests.cli.test_cli import CONFIG


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["qu"], ["queue"]),
        (["feed", "show", "r"], ["rfi"]),
        (["feed", "read", "r"], ["rfi"]),
        (["feed", "test", ""], ["rfi", "bbc"]),
        (["topic", "test", "m"], ["mali"]),
        (["explain", "w"], ["wagner"]),
        (["digest", "preview", "t"], ["terminal"]),
        (["receiver", "test", "t"], ["terminal"]),
        (["route", "test", "--topic", "m"], ["mali"]),
        (["silence", "add", "--source", ""], ["rfi", "bbc", "drop"]),
        (["route", "test", "--severity", "h"], ["high"]),
        (["run", "n"], ["notify"]),
        (["feed", "show", "zanzibar"], []),
    ],
)
def test_names_are_completed(tmp_path: Path, words: list[str], offered: list[str]) -> None:
    (tmp_path / "watchpost.yaml").write_text(
        CONFIG + "feeds: {rfi: https://a.example/rss, bbc: https://b.example/rss}\n"
    )
    env = {"_WATCHPOST_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(["watchpost", *words])}
    done = watchpost(tmp_path, COMP_CWORD=str(len(words)), **env)
    assert done.stdout.split() == offered
    assert done.stderr == ""


def test_a_configuration_with_mistakes_completes_what_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "watchpost.yaml").write_text(CONFIG.replace("title", "titel"))
    env = {"_WATCHPOST_COMPLETE": "complete_bash", "COMP_WORDS": "watchpost topic test m", "COMP_CWORD": "3"}
    assert watchpost(tmp_path, **env).stdout.split() == ["mali"]
    (tmp_path / "watchpost.yaml").unlink()
    done = watchpost(tmp_path, **env)
    assert (done.stdout.split(), done.stderr) == ([], "")


def test_the_installed_program_completes(tmp_path: Path) -> None:
    env = {"_WATCHPOST_COMPLETE": "complete_bash", "COMP_WORDS": "watchpost conf", "COMP_CWORD": "1"}
    program = Path(sys.executable).with_name("watchpost")
    done = subprocess.run(
        [program], cwd=tmp_path, env=ENV | env, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr) == ("config\n", "")
