"""The recipe of deploy/ works on an empty machine, and every command of the manual works there from a shell of root."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "operations.md").read_text("utf-8")
# The machine as it is, with a layer above it that takes every change and is thrown away.
LAYER = """
mount -t tmpfs none {place} && mkdir {place}/up {place}/scratch {place}/whole
mount -t overlay none -o lowerdir=/,upperdir={place}/up,workdir={place}/scratch {place}/whole
for name in dev proc sys; do mount --rbind /$name {place}/whole/$name; done
for name in run tmp; do mount -t tmpfs none {place}/whole/$name; done
rm -rf {place}/whole/opt/watchpost {place}/whole/etc/watchpost {place}/whole/var/lib/watchpost
chmod a+x {place}/whole/*
mkdir {place}/whole/run/project && cp -r {project}/. {place}/whole/run/project
exec chroot {place}/whole python3 /run/project/tests/manual/installation.py /run/project '{commands}'
"""
COPIED = (
    "src",
    "config",
    "deploy",
    "docs",
    "tests/manual",
    "pyproject.toml",
    "constraints.txt",
    "README.md",
    "LICENSE",
)


def may_mount() -> bool:
    """Whether this machine lets us make a layer above its file system."""
    try:
        return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def commands() -> list[str]:
    """Every command in docs/operations.md, and one for each further noun that shows a running service."""
    shown: list[str] = re.findall(r"^\$ watchpost (.+)$", MANUAL, re.MULTILINE)
    dangerous = [command for command in shown if "drop" in command]
    kept = [command.replace("hit show ID", "hit show HIT") for command in shown if command not in dangerous]
    more = [
        "check",
        "feed list",
        "topic list",
        "route test --topic example",
        "silence list",
        "config show",
        "config diff",
    ]
    return [*kept, *more, *dangerous]


@pytest.mark.timeout(900)
def test_the_recipe_gives_a_service_that_writes_only_in_its_state_and_every_command_works_beside_it(
    tmp_path: Path,
) -> None:
    if "CI" not in os.environ:
        pytest.skip("it installs everything once more: CI=true")
    if not may_mount():
        pytest.skip("this machine lets nobody make a layer above its file system")
    project, place = tmp_path / "project", tmp_path / "layer"
    project.mkdir()
    place.mkdir()
    for name in COPIED:
        source, target = ROOT / name, project / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    text = LAYER.format(place=place, project=project, commands=json.dumps(commands()))
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if "/usr" in part or part == "/bin")
    env = {key: value for key, value in os.environ.items() if not key.startswith(("WATCHPOST_", "PYTHON"))}
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-eu", "-c", text],
        env={**env, "PATH": f"{path}:/usr/sbin:/sbin"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-4000:])
    installed: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert installed["ended"] == 0, installed["log"]
    assert "Permission denied" not in installed["log"]
    assert {"identity.json", "appendonlydir"} <= set(installed["files"])
    levels = [json.loads(line).get("level") for line in installed["log"].splitlines() if line.startswith("{")]
    assert "error" not in levels, installed["log"]
    for line in installed["lines"]:
        assert line["code"] not in (2, 4), line
        assert "Traceback" not in line["err"], line
