"""What `make audit` says: vulnerabilities fail it, a network that is not there does not."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
verdict: Callable[[int, str, str, int], tuple[int, str]] = runpy.run_path(str(ROOT / "tools/audit.py"))["verdict"]


def answer(*vulnerabilities: str) -> str:
    found = [{"id": one, "fix_versions": ["1.1"], "aliases": [], "description": ""} for one in vulnerabilities]
    skipped = {"name": "gone", "skip_reason": "not found"}
    return json.dumps({"dependencies": [{"name": "x", "version": "1.0", "vulns": found}, skipped], "fixes": []})


def test_a_vulnerability_fails_with_its_cure() -> None:
    assert verdict(1, answer("GHSA-1"), "", 2) == (
        1,
        "x 1.0: GHSA-1, fixed in 1.1\n1 of 2 packages were checked, 1 vulnerabilities are known",
    )


def test_without_one_it_says_how_many_packages_were_checked() -> None:
    assert verdict(0, answer(), "", 2) == (0, "1 of 2 packages were checked, 0 vulnerabilities are known")


def test_without_a_network_nothing_fails_and_it_says_so() -> None:
    code, said = verdict(1, "", "requests.exceptions.ConnectionError: Max retries", 126)
    assert code == 0
    assert "none of 126 packages was checked" in said


def test_any_other_failure_fails() -> None:
    assert verdict(2, "", "usage: pip-audit\nerror: no such option", 1)[0] == 1
