"""The image and the compose file say what the manual says of them."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]


def test_compose_runs_one_container_a_role_against_a_store_that_loses_nothing() -> None:
    services = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
    assert set(services) == {"store", "poll", "match", "notify", "web"}
    command = " ".join(services["store"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    assert "healthcheck" in services["store"]
    for role in ("poll", "match", "notify", "web"):
        service = services[role]
        assert service["command"] == ["run", role]
        assert service["environment"]["WATCHPOST_REDIS_URL"].startswith("redis://store:")
        assert service["depends_on"] == {"store": {"condition": "service_healthy"}}
        assert service["volumes"]


def test_the_image_runs_without_rights_and_without_build_tools() -> None:
    stages = (ROOT / "Dockerfile").read_text("utf-8").split("\nFROM ")
    last = stages[-1]
    assert "\nUSER watchpost\n" in last
    assert "HEALTHCHECK" in last
    assert "pip install" not in last
    assert "apt-get" not in last
    assert "slim" in last.splitlines()[0]


def test_the_wheel_brings_what_the_code_reads_beside_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    source = ROOT / "src"
    suffixes = {".lua", ".html", ".css", ".js", ".svg", ".j2", ".po"}
    beside = [path for path in (source / "watchpost").rglob("*") if path.suffix in suffixes]
    assert {path.parent.name for path in beside} >= {"scripts", "templates", "static", "render", "LC_MESSAGES"}
    assert names >= {path.relative_to(source).as_posix() for path in beside}
