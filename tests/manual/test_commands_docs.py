"""The manual of the commands names every command, and each `--json` that it shows has that shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from tests.cli.test_cli import ARTICLE, CONFIG, watchpost
from tests.flow.rig import Rig
from watchpost.cli.main import app

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text("utf-8")
SHAPES = dict(re.findall(r"### `watchpost ([a-z ]+)`\n.*?```json\n(.*?)```", PAGE, re.DOTALL))
OFFLINE = {
    "check": ["check", "--json", "broken.yaml"],
    "init": ["init", "--json", "new"],
    "doctor": ["doctor", "--json"],
    "config diff": ["config", "diff", "--json", "old.yaml", "watchpost.yaml"],
    "match": ["match", "--json", "drop/talks.txt"],
    "explain": ["explain", "--json", "mali", "drop/talks.txt"],
    "topic list": ["topic", "list", "--json"],
    "topic test": ["topic", "test", "--json", "mali", "--text", "Bamako"],
    "topic lint": ["topic", "lint", "--json"],
    "topic diff": ["topic", "diff", "--json", "--against", "old.yaml"],
    "feed list": ["feed", "list", "--json"],
}
RUNNING = {
    "queue status": ["queue", "status", "--json"],
    "queue peek": ["queue", "peek", "--json"],
    "receiver list": ["receiver", "list", "--json"],
}


def commands(group: Any, path: str = "watchpost") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(getattr(command, "commands", None), dict):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}"


def fits(shown: Any, said: Any) -> bool:
    """Has `said` the keys of `shown`? `NAME` stands for any key; of a list the first one is looked at."""
    if isinstance(shown, dict):
        if not isinstance(said, dict):
            return False
        if set(shown) == {"NAME"}:
            return all(fits(shown["NAME"], value) for value in said.values())
        return shown.keys() == said.keys() and all(fits(shown[key], said[key]) for key in shown)
    if isinstance(shown, list):
        return isinstance(said, list) and (not shown or all(fits(shown[0], one) for one in said))
    return not isinstance(said, dict | list) or shown is None


def test_every_command_stands_in_the_table() -> None:
    told = re.findall(r"^\| `(watchpost [a-z ]+)` \|", PAGE, re.MULTILINE)
    assert set(commands(typer.main.get_command(app))) <= set(told)


def test_every_shape_is_tried() -> None:
    assert set(SHAPES) == {*OFFLINE, *RUNNING}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    text = CONFIG + "feeds: {rfi: https://www.rfi.fr/rss}\n"
    (tmp_path / "watchpost.yaml").write_text(text)
    (tmp_path / "old.yaml").write_text(text.replace("bamako", "gao"))
    (tmp_path / "broken.yaml").write_text(CONFIG.replace("title", "titel"))
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "talks.txt").write_text(ARTICLE)
    return tmp_path


@pytest.mark.parametrize("name", OFFLINE)
def test_a_command_says_what_the_manual_shows(here: Path, name: str) -> None:
    lines = watchpost(here, *OFFLINE[name]).stdout.splitlines()
    assert lines
    for line in lines:
        assert fits(json.loads(SHAPES[name]), json.loads(line)), line


def test_beside_a_running_service_too(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    try:
        rig.world.status = 503
        rig.start()
        rig.publish("talks")
        rig.until(lambda: "delivery.waits" in rig.log())
        for name, words in RUNNING.items():
            done = watchpost(rig.root, *words, "--data", "data", HOOK_SECRET=rig.env["HOOK_SECRET"])
            assert fits(json.loads(SHAPES[name]), json.loads(done.stdout)), done
    finally:
        rig.close()
