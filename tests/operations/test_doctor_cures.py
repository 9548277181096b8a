"""Every finding of doctor that is no "ok" names a command to type or a setting to change."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from watchpost.operations import doctor
from watchpost.operations.doctor.finding import FeedTrouble, findings
from watchpost.operations.feeds.cures import CURES, SERVER_AT_FAULT

SOURCES = sorted(Path(next(iter(doctor.__path__))).glob("*.py"))
A_COMMAND_OR_SETTING = re.compile(r"watchpost|`|systemctl|df -h|getent|curl|openssl|\bset |allow_private|smtp\.")


def calls(path: Path) -> list[ast.Call]:
    """Where a finding with a problem is made."""
    tree = ast.parse(path.read_text("utf-8"))
    made = [each for each in ast.walk(tree) if isinstance(each, ast.Call) and getattr(each.func, "id", "") == "Finding"]
    return [each for each in made if "'ok'" not in ast.dump(each.args[1])]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_finding_with_a_problem_is_made_without_a_cure(path: Path) -> None:
    for call in calls(path):
        cure = call.args[3] if len(call.args) > 3 else next((k.value for k in call.keywords if k.arg == "cure"), None)
        assert cure is not None, f"{path.name}:{call.lineno}"
        assert not (isinstance(cure, ast.Constant) and not cure.value), f"{path.name}:{call.lineno}"


@pytest.mark.parametrize("cure", [*CURES.values(), SERVER_AT_FAULT, ""])
def test_each_cure_of_a_feed_names_a_command_or_a_setting(cure: str) -> None:
    (found,) = findings([FeedTrouble("rfi", "http_error", "HTTP 500", cure)])
    assert A_COMMAND_OR_SETTING.search(found.cure), found.cure
    assert found.cure.startswith(cure)
