"""docs/digests.md is true: its example passes `check`, its commands exist with those options."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from watchpost.cli.main import app
from watchpost.config.schema import Limits
from watchpost.log import set_up_log
from watchpost.notify import digest_builder
from watchpost.operations.factory import read_config

MANUAL = (Path(__file__).parents[2] / "docs" / "digests.md").read_text("utf-8")
COMMANDS = re.findall(r"^\$ watchpost (.+)$", MANUAL, re.MULTILINE)
(EXAMPLE,) = re.findall(r"```yaml\n(.*?)```", MANUAL, re.DOTALL)


@pytest.fixture(autouse=True)
def _log_where_it_was() -> Iterator[None]:
    """The runner lends the commands a stderr that is closed afterwards; nobody must go on logging there."""
    yield
    set_up_log("json", "info", sys.__stderr__)


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    """The manual's example as a file."""
    file = tmp_path / "watchpost.yaml"
    file.write_text(EXAMPLE, "utf-8")
    return file


def test_the_example_is_read_with_the_warning_that_the_manual_names(config_path: Path) -> None:
    config = read_config(config_path, {})
    assert ["no hit gets here" in str(warning) for warning in config.warnings if "routes[2]" in str(warning)] == [True]
    assert (len(config.quiet_hours), len(config.silences)) == (1, 1)


@pytest.mark.parametrize("row", re.findall(r"^\| (`digest: .*?)\s\|", MANUAL, re.MULTILINE))
def test_each_way_to_write_a_time_is_one(row: str, tmp_path: Path) -> None:
    for written in re.findall(r"`(digest: [^`]+)`", row):
        file = tmp_path / "watchpost.yaml"
        file.write_text(f"version: 1\nreceivers: {{term: {{type: console}}}}\nroutes:\n  - to: term\n    {written}\n")
        assert len(read_config(file, {}).routes) == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_exists_with_its_options(command: str, config_path: Path, tmp_path: Path) -> None:
    words = re.findall(r'"[^"]*"|\S+', command)
    words = ["desk" if word == "NAME" else word.strip('"') for word in words]
    where = [] if words[:2] == ["route", "test"] else ["--data", str(tmp_path / "data")]
    result = CliRunner().invoke(app, [*words, "--config", str(config_path), *where])
    assert result.exit_code == (4 if where else 0), result.output


def test_its_numbers_are_ours() -> None:
    assert f"{Limits().hits_per_topic_per_hour:,}" in MANUAL
    assert f"({Limits().digests_per_receiver_per_hour})" in MANUAL
    assert f"at least {digest_builder.STALE}" in MANUAL
