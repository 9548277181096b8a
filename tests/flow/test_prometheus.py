"""Debian's Prometheus scrapes a running service by the files in deploy/, with a token, with a password, and without."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.flow.hostile import free_port
from tests.flow.rig import Rig
from tests.promtool import program

DEPLOY = Path(__file__).parents[2] / "deploy"
_ALONE = DEPLOY / "prometheus" / "prometheus.yaml"
_CONTAINERS = DEPLOY / "compose" / "prometheus.yaml"
_PASSWORD = "correct horse battery\n"
_LOGIN = "    # authorization: {credentials_file: token.txt}"


class Prometheus:
    """A running Prometheus."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, path: str) -> Any:
        """The `data` of an answer of its API; {} while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://{self.address}/api/v1/{path}", timeout=10) as answer:
                return json.load(answer)["data"]
        except OSError:
            return {}

    def targets(self) -> dict[str, str]:
        """By address: "up", or the error of the last scrape, or "" before the first."""
        return {
            one["labels"]["instance"]: "up" if one["health"] == "up" else one["lastError"]
            for one in self.ask("targets").get("activeTargets", [])
        }

    def up(self) -> dict[tuple[str, str], str]:
        """The metric `up` by job and address."""
        found = self.ask("query?query=up").get("result", [])
        return {(one["metric"]["job"], one["metric"]["instance"]): one["value"][1] for one in found}


@contextmanager
def prometheus(place: Path, text: str) -> Iterator[Prometheus]:
    """Prometheus with this configuration, beside the alerts that are shipped."""
    place.mkdir(exist_ok=True)
    (place / "prometheus.yaml").write_text(text.replace("scrape_interval: 15s", "scrape_interval: 1s"))
    (place / "alerts.yaml").write_text((DEPLOY / "prometheus" / "alerts.yaml").read_text("utf-8"))
    address = f"127.0.0.1:{free_port()}"
    words = [
        program("prometheus"),
        f"--config.file={place / 'prometheus.yaml'}",
        f"--storage.tsdb.path={place / 'data'}",
        f"--web.listen-address={address}",
    ]
    with (place / "log.txt").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        yield Prometheus(address)
    finally:
        process.kill()
        process.wait()


def alone(port: int) -> str:
    """The shipped configuration for one process, at this port."""
    text = _ALONE.read_text("utf-8")
    assert "127.0.0.1:8080" in text
    return text.replace("127.0.0.1:8080", f"127.0.0.1:{port}")


def secret(*words: str, told: str = "") -> str:
    """What `watchpost secret …` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "watchpost", "secret", *words], input=told, capture_output=True, text=True, check=True
    )
    return done.stdout


def until_up(rig: Rig, server: Prometheus, targets: int) -> None:
    """Wait until so many targets, and no others, are up."""

    def all_up() -> bool:
        found = server.targets()
        return len(found) == targets and set(found.values()) == {"up"}

    try:
        rig.until(all_up)
    except AssertionError as error:
        raise AssertionError(server.targets()) from error
    rig.until(lambda: set(server.up().values()) == {"1"})


@pytest.mark.parametrize("login", [False, True])
def test_the_shipped_configuration_scrapes_a_service_without_and_with_a_login(rig: Rig, login: bool) -> None:
    port = free_port()
    listen = f'listen: "127.0.0.1:{port}"'
    text = alone(port)
    if login:
        (rig.root / "token.txt").write_text(secret("token"))
        rig.env["DESK_HASH"] = secret("hash", told=_PASSWORD).strip()
        listen += ", auth: {users: {desk: {env: DESK_HASH}}, tokens: {prometheus: {token: {file: token.txt}}}}"
        assert _LOGIN in text
    rig.config.write_text(rig.config.read_text().replace('listen: "127.0.0.1:0"', listen))
    rig.start()
    with prometheus(rig.root / "prometheus", text) as server:
        if login:
            rig.until(lambda: "401" in "".join(server.targets().values()))
        else:
            until_up(rig, server, 1)
        groups = server.ask("rules")["groups"]
        assert [rule["health"] for group in groups for rule in group["rules"] if rule["health"] == "err"] == []
        assert sum(len(group["rules"]) for group in groups) == 16
    if login:
        (rig.root / "prometheus" / "token.txt").write_text((rig.root / "token.txt").read_text())
        with prometheus(rig.root / "prometheus", text.replace(_LOGIN, _LOGIN.replace("# ", ""))) as server:
            until_up(rig, server, 1)


def test_the_configuration_for_containers_logs_in_to_every_role(rig: Rig) -> None:
    text = _CONTAINERS.read_text("utf-8")
    place = rig.root / "prometheus"
    place.mkdir()
    (place / "password.txt").write_text(_PASSWORD)
    text = text.replace("/etc/prometheus/password.txt", "password.txt")
    hashed = secret("hash", told=_PASSWORD).strip()
    rig.env |= {"WATCHPOST_HTTP_LOGIN": f"desk:{hashed}", "ANNA_HASH": hashed}
    config = rig.config.read_text()
    rig.config.write_text(config.replace('listen: "127.0.0.1:0"', "auth: {users: {anna: {env: ANNA_HASH}}}"))
    for role, port in {"web": 8080, "poll": 8081, "match": 8082, "notify": 8083}.items():
        address = f"127.0.0.1:{free_port()}"
        assert f"127.0.0.1:{port}" in text
        text = text.replace(f"127.0.0.1:{port}", address)
        rig.start(role, env={"WATCHPOST_HTTP_LISTEN": address})
    with prometheus(place, text) as server:
        until_up(rig, server, 4)
        assert {job for job, _ in server.up()} == {"watchpost"}
