"""-q, -v and --no-color, before the command and after it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.cli.command import commands, watchpost
from tests.cli.terminal import on_terminal
from tests.cli.test_cli import ARTICLE, CONFIG
from watchpost.cli.main import app

FEED = "feeds: {nowhere: {url: https://nowhere.invalid/rss, every: 30s}}\n"  # so often is worth a warning


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "watchpost.yaml").write_text(CONFIG + FEED)
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "talks.txt").write_text(ARTICLE)
    return tmp_path


def test_every_command_takes_them() -> None:
    for path, command in commands():
        offered = [name for option in command.params for name in option.opts]
        assert {"--quiet", "--verbose", "-v", "--no-color"} <= set(offered), path
        assert len(offered) == len(set(offered)), path


@pytest.mark.parametrize("words", [("-q", "check"), ("check", "-q"), ("--quiet", "config", "check")])
def test_quiet_leaves_the_result_and_drops_the_warnings(here: Path, words: tuple[str, ...]) -> None:
    assert "every: " in watchpost(here, "check").stderr
    done = watchpost(here, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("no mistakes: ")


@pytest.mark.parametrize("words", [("-q", "topic", "list"), ("topic", "-q", "list"), ("topic", "list", "-q")])
def test_quiet_leaves_errors(here: Path, words: tuple[str, ...]) -> None:
    assert "mali" in watchpost(here, *words).stdout
    (here / "watchpost.yaml").write_text(CONFIG.replace("title", "titel"))
    done = watchpost(here, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'title'?" in done.stderr


def test_quiet_where_its_letter_is_taken(here: Path) -> None:
    done = watchpost(here, "-q", "match", "-q", "bamako", "drop")
    assert (done.returncode, done.stderr) == (0, "")
    assert "query: Bamako" in done.stdout


def test_a_quiet_run_prints_its_hits_and_nothing_else(here: Path) -> None:
    done = watchpost(here, "run", "--once", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Talks in **Bamako**" in done.stdout


def test_a_verbose_run_prints_each_visit(here: Path) -> None:
    done = watchpost(here, "-v", "run", "--once", WATCHPOST_LOG_FORMAT="console", WATCHPOST_LOG_LEVEL="error")
    assert done.returncode == 0, done.stderr
    assert "nowhere: failed, 0 new; next visit 20" in done.stderr
    assert "drop: read, 1 new" in done.stderr
    assert "Talks in **Bamako**" in done.stdout


def test_verbose_prints_which_files_are_read_and_the_last_one_counts(here: Path) -> None:
    said = "configuration watchpost.yaml, data var"
    words = {"WATCHPOST_LOG_FORMAT": "console"}
    assert said in watchpost(here, "topic", "list", "-v", **words).stderr
    assert said in watchpost(here, "-q", "topic", "list", "-v", **words).stderr
    assert said not in watchpost(here, "-v", "topic", "list", "-q", **words).stderr
    assert watchpost(here, "topic", "list", "-v", "--json").stdout == watchpost(here, "topic", "list", "--json").stdout


@pytest.mark.parametrize(
    ("words", "env", "coloured"),
    [
        (("run", "--once"), {}, True),
        (("--no-color", "run", "--once"), {}, False),
        (("run", "--once", "--no-color"), {}, False),
        (("run", "--once"), {"NO_COLOR": "1"}, False),
    ],
)
def test_a_run_without_colours(here: Path, words: tuple[str, ...], env: dict[str, str], coloured: bool) -> None:
    code, printed = on_terminal(here, *words, **env)
    assert code == 0
    assert "cannot be read" in printed
    assert "Bamako" in printed
    assert ("\x1b[3" in printed) == coloured, "a warning is yellow"
    assert ("\x1b[" in printed) == coloured


def test_the_headings_of_a_help_are_bold_unless_colours_are_unwanted(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    run = CliRunner().invoke
    assert "\x1b[1mMost used" in run(app, ["--help"], color=True).stdout
    assert "\x1b" not in run(app, ["--help"]).stdout, "in a pipe"
    assert "\x1b" not in run(app, ["--no-color", "--help"], color=True).stdout
    monkeypatch.delenv("NO_COLOR")
