"""The help of every command: what it shows, how a user gets it, and that it is quick."""

from __future__ import annotations

import inspect
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import commands, watchpost
from watchpost.cli.command import summary
from watchpost.cli.main import COMMANDS, MOST_USED

ALL = dict(commands())
NOUNS = [f"watchpost {noun}" for noun in sorted({path.split()[1] for path in ALL if path.count(" ") == 2})]
HEAVY = ["redis", "httpx", "lxml", "structlog", "ruamel.yaml", "watchpost.operations", "rich"]


@pytest.mark.parametrize("path", ["watchpost", *NOUNS, *ALL])
def test_a_help_begins_with_examples_and_ends_with_its_manual(path: str, tmp_path: Path) -> None:
    _, examples, rest = watchpost(tmp_path, *path.split()[1:], "--help").stdout.split("\n\n", 2)
    heading, *lines = examples.splitlines()
    assert heading == "Examples:"
    assert 1 <= len(lines) <= 3
    assert all(line.startswith(f"  {path.replace('config check', 'check')}") for line in lines)
    assert re.search(r"\n\nManual: docs/commands\.md\S*( docs/[a-z-]+\.md,?)*\n$", rest)
    assert "<" not in rest, "there is no column of types"
    assert ("--no-color" in rest) == (path == "watchpost"), "options of every command are listed once"


@pytest.mark.parametrize("path", ALL)
def test_the_examples_of_a_command_can_be_typed(path: str) -> None:
    for line in inspect.cleandoc(ALL[path].help).split("\n\n")[1].splitlines():
        words = shlex.split(re.split(r" [<>|] ", line)[0])
        ALL[path].make_context(path, words[path.count(" ") + 1 :])


def test_the_help_shows_first_what_most_people_need(tmp_path: Path) -> None:
    text = watchpost(tmp_path, "--help").stdout
    most_used = text.partition("Most used:\n")[2].partition("\n\n")[0]
    assert re.findall(r"^  (\w+(?: \w+)?)  ", most_used, re.MULTILINE) == list(MOST_USED)
    assert len(MOST_USED) == 8
    for name, (_, about) in (pair for section in COMMANDS.values() for pair in section.items()):
        assert f"  {name} " in text
        assert about[:30] in text


def test_the_summaries_that_are_known_before_a_module_is_imported_are_those_of_its_commands() -> None:
    known = {name: about for section in COMMANDS.values() for name, (_, about) in section.items()} | MOST_USED
    for name, about in known.items():
        if (command := ALL.get(f"watchpost {name}")) is not None:
            assert summary(command) == about


def test_the_help_comes_without_arguments_and_by_the_word_help(tmp_path: Path) -> None:
    text = watchpost(tmp_path, "--help")
    assert text.returncode == 0
    assert watchpost(tmp_path) == watchpost(tmp_path, "help") == watchpost(tmp_path, "-h") == text
    noun = watchpost(tmp_path, "feed", "--help")
    assert watchpost(tmp_path, "feed") == watchpost(tmp_path, "help", "feed") == noun
    command = watchpost(tmp_path, "feed", "list", "--help")
    for words in (("help", "feed", "list"), ("feed", "help", "list"), ("-q", "help", "feed", "list")):
        assert watchpost(tmp_path, *words) == command
    unknown = watchpost(tmp_path, "help", "fed")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "Did you mean 'feed'?" in unknown.stderr


def test_no_help_and_no_completion_of_a_command_waits_for_libraries() -> None:
    script = f"""
import os, sys
from watchpost.cli.main import app
from typer.testing import CliRunner
os.environ["_WATCHPOST_COMPLETE"] = "complete_bash"
os.environ["COMP_WORDS"], os.environ["COMP_CWORD"] = "watchpost qu", "1"
assert CliRunner().invoke(app, prog_name="watchpost").stdout.split() == ["queue"]
del os.environ["_WATCHPOST_COMPLETE"]
assert CliRunner().invoke(app, ["--help"]).exit_code == 0
print([name for name in sorted(sys.modules) if name.startswith("watchpost.cli.")])
for path in {[*NOUNS, *ALL]}:
    assert CliRunner().invoke(app, [*path.split()[1:], "--help"]).exit_code == 0
print([name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    nouns, heavy = done.stdout.splitlines()
    assert nouns == str([f"watchpost.cli.{name}" for name in ("command", "main", "output", "session")])
    assert heavy == "[]"
