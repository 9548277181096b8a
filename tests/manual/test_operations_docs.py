"""docs/operations.md is true: its commands have these options, and the log events and metrics that it names exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram

from tests.cli.command import watchpost
from tests.making import WHEN
from tests.manual.metrics_table import documented
from watchpost import log as tm
from watchpost.config.config import Reload
from watchpost.health import Health
from watchpost.log import REGISTRY, SENTENCES
from watchpost.operations.service_state import Seen
from watchpost.store.overview import Depths
from watchpost.web.context import ConfigSummary
from watchpost.web.health import report

MANUAL = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
CODE = Path(tm.__file__).parent
METRICS = (Counter, Gauge, Histogram)
COMMANDS = re.findall(r"^\$ watchpost (.+)$", MANUAL, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_exists_with_its_options(command: str, tmp_path: Path) -> None:
    words = ["inbox" if word in ("NAME", "ID") else word for word in command.split()]
    (tmp_path / "watchpost.yaml").write_text(
        "version: 1\nreceivers: {inbox: {type: file, path: out}}\nroutes: [{to: inbox, digest: '08:00'}]\n"
    )
    done = watchpost(tmp_path, *words, "--data", "data")
    needs_no_service = words[:2] == ["receiver", "test"]
    assert done.returncode == (0 if needs_no_service else 4), done.stderr


def test_what_it_names_of_log_and_metrics_is_there() -> None:
    assert {"operator.acted", "ledger.gap"} <= set(SENTENCES)
    assert "watchpost_ledger_gap" in {metric.name for metric in REGISTRY.collect()}


def test_the_table_of_metrics_names_each_one_that_there_is_and_no_other() -> None:
    table = MANUAL.partition("## Metrics")[2].partition("## Health")[0]
    named = {name for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    there = {family.name + ("_total" if family.type == "counter" else "") for family in REGISTRY.collect()}
    assert {f"watchpost_{name}" for name in named} == there


def test_the_table_names_the_labels_of_each_metric_and_every_word_that_the_code_puts_there() -> None:
    labels = {attribute: metric._labelnames for attribute, metric in vars(tm).items() if isinstance(metric, METRICS)}
    names = {
        attribute: metric._name.removeprefix("watchpost_") + ("_total" if isinstance(metric, Counter) else "")
        for attribute, metric in vars(tm).items()
        if isinstance(metric, METRICS)
    }
    table = documented()
    assert {names[attribute]: set(own) for attribute, own in labels.items()} == {
        name: set(told) for name, told in table.items()
    }
    words = 0
    for path in CODE.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            match call:
                case ast.Call(ast.Attribute(ast.Attribute(ast.Name("tm"), metric), "labels"), args):
                    for label, value in zip(labels[metric], args, strict=True):
                        for word in _words(value):
                            words += 1
                            told = table[names[metric]][label]
                            assert not told or word in told, f"{names[metric]}: {label}={word} in {path.name}"
    assert words > 10


def _words(value: ast.expr) -> Iterator[str]:
    """The words that an argument may be, as far as they stand there."""
    match value:
        case ast.Constant(str(word)) if word:
            yield word
        case ast.IfExp(_, one, other):
            yield from (*_words(one), *_words(other))


def test_the_shape_of_the_status_is_the_one_that_is_described() -> None:
    table = MANUAL.partition("## Health")[2].partition("## systemd")[0]
    seen = Seen("", (), Depths(0, 0, {}, 0, 0), {}, (), {})
    document = report(ConfigSummary(), Health(), Reload(WHEN, "start", True), seen, now=WHEN)
    rows = re.findall(r"^\| (`.+?) \|", table.partition("watchpost/status/1")[2], re.MULTILINE)
    described = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    assert described == document.keys() - {"type"}
