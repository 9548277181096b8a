"""What other programs make of the schema: check-jsonschema, and the language server that editors ask."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.language_server import LanguageServer

CONFIG = Path(__file__).parents[2] / "config"
SHIPPED = [CONFIG / "watchpost.yaml", CONFIG / "minimal.yaml"]
MODELINE = "# yaml-language-server: $schema=./watchpost.schema.json\n"
SLACK = MODELINE + "version: 1\nreceivers:\n  team:\n    type: slack\n    \n"


def check(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_schema_is_a_schema() -> None:
    done = check("--check-metaschema", CONFIG / "watchpost.schema.json")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_another_validator_takes_the_shipped_files(path: Path) -> None:
    done = check("--schemafile", CONFIG / "watchpost.schema.json", path)
    assert done.returncode == 0, done.stdout


def test_another_validator_refuses_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("version: 1\nreceivers: {team: {type: slakc, url: {env: X}}}\n")
    done = check("--schemafile", CONFIG / "watchpost.schema.json", tmp_path / "wrong.yaml")
    assert done.returncode == 1
    assert "slakc" in done.stdout


@pytest.fixture(scope="module")
def composer() -> Iterator[LanguageServer]:
    with LanguageServer() as server:
        yield server


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_an_editor_underlines_nothing_in_the_shipped_files(composer: LanguageServer, path: Path) -> None:
    assert composer.diagnostics(path) == []


def test_an_editor_underlines_a_mistake(composer: LanguageServer) -> None:
    text = MODELINE + "version: 1\ntopics: {mali: {query: Mali, severity: hihg}}\n"
    (found,) = composer.diagnostics(CONFIG / "wrong.yaml", text)
    assert found.startswith("3: ")
    assert "high" in found


def test_inside_a_slack_receiver_an_editor_offers_the_keys_of_slack(composer: LanguageServer) -> None:
    offered = composer.completions(CONFIG / "slack.yaml", SLACK, 5, 4)
    assert {"url", "max_stories"} <= offered
    assert not {"smtp", "secrets", "path", "type", "topics"} & offered
