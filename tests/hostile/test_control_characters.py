"""What strangers wrote neither controls the terminal nor reorders a line, in any command, page or answer."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.command import commands, watchpost
from watchpost.control_characters import in_json, on_lines, on_one_line
from watchpost.web.rendering import Rendering

HOSTILE = "x\x1b]0;owned\x07\x1b[2J\u202egnp\u2066\x9b31m\r\nsecond\u200f\ufeff"
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
CONFIG = """version: 1
feeds: {rfi: {url: "https://feeds.example.org/rfi"}}
topics: {mali: {query: mali}}
receivers: {team: {type: console}}
routes: [{to: team, mode: immediate}]
"""
TEXTS = st.text(st.characters(), max_size=40) | st.sampled_from([HOSTILE, "\ud800", "\U000e0041", "\n\r"])


@given(TEXTS)
def test_nothing_is_left_that_controls(text: str) -> None:
    assert not CONTROL.search(on_one_line(text) + on_lines(text))
    assert "\n" not in on_one_line(text)
    if text.isprintable():
        assert on_one_line(text) == text


@given(st.dictionaries(TEXTS, TEXTS))
def test_json_means_the_same(value: dict[str, str]) -> None:
    document = in_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(document) == value
    assert not CONTROL.search(document)


def arguments(command: object) -> list[str]:
    """A hostile value for each argument."""
    given = [each for each in getattr(command, "params", []) if each.param_type_name == "argument"]
    return [HOSTILE for _ in given]


COMMANDS = {path: command for path, command in commands() if path.split()[1] not in ("run", "init", "version")}


@pytest.mark.parametrize("path", COMMANDS)
def test_no_command_prints_what_it_was_given_as_it_is(path: str, tmp_path: Path) -> None:
    (tmp_path / "watchpost.yaml").write_text(CONFIG)
    words = path.split()[1:] + arguments(COMMANDS[path])
    done = watchpost(tmp_path, *words, stdin=json.dumps({"title": f"Mali {HOSTILE}", "body": "Mali"}), REDIS_URL="x")
    assert not CONTROL.search(done.stdout + done.stderr), path


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_titles_and_names_of_files_are_written_out(how: tuple[str, ...], tmp_path: Path) -> None:
    name = tmp_path / "a\x1b[2J\nb.jsonl"
    name.write_text(json.dumps({"id": HOSTILE, "title": f"Mali {HOSTILE}", "body": f"Mali {HOSTILE}"}) + "\n{x\n")
    done = watchpost(tmp_path, "match", "-q", "mali", *how, str(name))
    assert "Mali" in done.stdout
    assert not CONTROL.search(done.stdout + done.stderr)
    assert len(done.stderr.strip().splitlines()) == 1


def test_pages_write_them_out() -> None:
    environment = Rendering("UTC")._environment
    page = environment.from_string("<p title='{{ text }}'>{{ text }}</p>").render(text=HOSTILE)
    assert not CONTROL.search(page)
    assert "\\u202e" in page
