"""The lines of the manual for containers, followed without an engine: each service is a process of this machine.

What an engine does is done here as the files say: the image's environment, healthcheck and entry point, and of
docker-compose.yml the commands, variables, volumes and published ports. Ports are free ones of this machine, and
`docker` is a script that knows the lines of the manual.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from watchpost.store.server.binary import find_binary

ROOT = Path(__file__).parents[2]
LINES = ROOT.joinpath("docs", "operations.md").read_text("utf-8").partition("## Containers")[2].partition("\n## ")[0]
INSIDE = "/srv/watchpost"
CONFIG = """
version: 1
folders: {inbox: {path: ../seeds, every: 1s}}
topics: {mali: Mali}
receivers: {files: {type: file, path: ../var/digests}}
routes: [{to: files, mode: immediate, group_wait: 0s}]
"""
DOCKER = """#!/bin/sh
case "$1 $2" in
"build -t") test -f Dockerfile ;;
"run --rm") while [ "$1" != watchpost:local ]; do shift; done; shift; exec {watchpost} "$@" ;;
"compose up") : ;;
*) echo "docker: not a line of the manual: $*" >&2; exit 1 ;;
esac
"""


def dockerfile(word: str) -> list[str]:
    """What follows this instruction of the last stage; lines that continue are joined."""
    last = ROOT.joinpath("Dockerfile").read_text("utf-8").replace("\\\n", " ").rpartition("\nFROM ")[2]
    return re.findall(rf"^\s*{word} (.+(?:\n  +.+)*)", last, re.MULTILINE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Composed:
    """The services of docker-compose.yml in the project directory `place`, as processes."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.services: dict[str, Any] = YAML(typ="safe").load(place / "docker-compose.yml")["services"]
        self.variables: dict[str, str] = {}
        self.store, self.processes = free_port(), {}  # type: int, dict[str, subprocess.Popen[bytes]]
        self.ports = {name: free_port() for name in self.services}
        image = " ".join(dockerfile("ENV")).split()
        self.image = dict(word.split("=", 1) for word in image if not word.startswith("PATH="))

    def read_env(self) -> None:
        """Read .env. Between single quotes, everything stands for itself."""
        for name, value in re.findall(r"^(\w+)='([^']*)'$", self.place.joinpath(".env").read_text(), re.MULTILINE):
            self.variables[name] = value

    def filled(self, value: str) -> str:
        """The value with its variables. Raises KeyError, with the message of the file, for one that is not set."""

        def put(match: re.Match[str]) -> str:
            if not self.variables.get(match[1]):
                raise KeyError(match[2])
            return self.variables[match[1]]

        return re.sub(r"\$\{(\w+):\?(.+?)\}", put, value)

    def environment(self, name: str) -> dict[str, str]:
        """The variables of a service; addresses inside its network are ports of this machine."""
        given = self.image | {key: self.filled(value) for key, value in self.services[name]["environment"].items()}
        given["WATCHPOST_REDIS_URL"] = given["WATCHPOST_REDIS_URL"].replace("store:6379", f"127.0.0.1:{self.store}")
        given["WATCHPOST_HTTP_LISTEN"] = given["WATCHPOST_HTTP_LISTEN"].replace(":8080", f":{self.ports[name]}")
        return {key: value.replace(INSIDE, str(self.place)) for key, value in given.items()}

    def start(self, name: str) -> None:
        if name == "store":
            words = [str(find_binary(os.environ)), *self.services["store"]["command"][1:], "--port", str(self.store)]
            process = subprocess.Popen(
                [*words, "--bind", "127.0.0.1", "--dir", str(self.place)], stdout=subprocess.DEVNULL
            )
        else:
            words = [sys.executable, "-m", "watchpost", *self.services[name]["command"]]
            with self.place.joinpath(f"{name}.log").open("wb") as output:
                process = subprocess.Popen(words, cwd=self.place, env=bare() | self.environment(name), stderr=output)
        self.processes[name] = process

    def is_healthy(self, name: str) -> bool:
        """Whether the healthcheck of the image succeeds in this container."""
        (check,) = dockerfile("HEALTHCHECK")
        words = json.loads(check.partition("CMD ")[2].replace(":8080", f":{self.ports[name]}"))
        assert words[0] == "python"
        return subprocess.run([sys.executable, *words[1:]], capture_output=True, check=False).returncode == 0

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()


def bare() -> dict[str, str]:
    """The environment of this process without settings of watchpost."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WATCHPOST_")}


@pytest.fixture
def composed(tmp_path: Path) -> Iterator[Composed]:
    place = tmp_path / "project"
    for name in ("config", "seeds", "var"):
        (place / name).mkdir(parents=True)
    for name in ("docker-compose.yml", "Dockerfile"):
        shutil.copy(ROOT / name, place)
    (place / "config" / "watchpost.yaml").write_text(CONFIG)
    made = Composed(place)
    try:
        yield made
    finally:
        made.end()


def follow_the_manual(place: Path) -> None:
    """Run the lines of the manual, with a script in place of `docker`."""
    (place / "bin").mkdir()
    docker = place / "bin" / "docker"
    docker.write_text(DOCKER.replace("{watchpost}", f"{shlex.quote(sys.executable)} -m watchpost"))
    docker.chmod(0o755)
    (lines,) = re.findall(r"```sh\n(.*?)```", LINES, re.DOTALL)
    env = bare() | {"PATH": f"{docker.parent}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-eu", "-c", lines], cwd=place, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def until(condition: Callable[[], bool], what: Callable[[], str], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.1)


def asked(port: int, login: str = "") -> int:
    """The status with which the first page answers."""
    headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"} if login else {}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(f"http://127.0.0.1:{port}/", headers=headers), timeout=60
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_lines_of_the_manual_open_the_pages_with_a_login_and_everything_works(composed: Composed) -> None:
    place = composed.place
    follow_the_manual(place)
    assert (place / "password.txt").stat().st_mode & 0o077 == 0
    password = (place / "password.txt").read_text().strip()
    assert password not in (place / ".env").read_text()
    composed.read_env()
    for name in composed.services:
        composed.start(name)

    def log() -> str:
        return "\n".join(path.read_text() for path in sorted(place.glob("*.log")))

    for name in ("poll", "match", "notify", "web"):
        until(lambda name=name: composed.is_healthy(name), log)  # type: ignore[misc]
    assert asked(composed.ports["web"]) == 401
    assert asked(composed.ports["web"], "desk:another password") == 401
    assert asked(composed.ports["web"], f"desk:{password}") == 200
    (place / "seeds" / "news.txt").write_text(
        "Mali: a truce near Gao\n\nThe two sides agreed on a truce in Mali on Monday.\n"
    )
    until(lambda: any((place / "var" / "digests").glob("*.txt")), log)
    assert password not in log()
    assert composed.variables["WATCHPOST_HTTP_LOGIN"].partition(":")[2] not in log()


def test_without_a_login_compose_says_what_to_do_and_starts_nothing(composed: Composed) -> None:
    with pytest.raises(KeyError, match=r"make a login first.*operations\.md"):
        composed.environment("web")


def test_the_pages_are_published_on_loopback_of_the_host_alone(composed: Composed) -> None:
    published = {name: service["ports"] for name, service in composed.services.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:8080:8080"]}
    listening = composed.services["web"]["environment"]["WATCHPOST_HTTP_LISTEN"]
    assert listening == "0.0.0.0:8080", "a container's own loopback cannot be published"
    assert dockerfile("ENTRYPOINT") == ['["watchpost"]']


def test_what_is_mounted_is_where_the_image_has_it(composed: Composed) -> None:
    for name in ("poll", "match", "notify", "web"):
        assert {volume.split(":")[1].removeprefix(INSIDE) for volume in composed.services[name]["volumes"]} == {
            "/config",
            "/seeds",
            "/var",
        }
    assert composed.image["WATCHPOST_CONFIG"] == f"{INSIDE}/config/watchpost.yaml"
    assert composed.image["WATCHPOST_DATA"] == f"{INSIDE}/var"
