"""A whole service under a service manager: READY when it works, RELOADING and READY around a reload, STOPPING."""

from __future__ import annotations

import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.rig import Rig


@pytest.fixture
def plug() -> Iterator[socket.socket]:
    with tempfile.TemporaryDirectory(prefix="wp-") as place, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(Path(place) / "notify"))
        made.setblocking(False)
        yield made


def heard(plug: socket.socket, before: list[str]) -> list[str]:
    """Everything that came so far, without what it comes again and again."""
    while True:
        try:
            before += plug.recv(4096).decode().splitlines()
        except BlockingIOError:
            return before


def turns(lines: list[str]) -> list[str]:
    return [line for line in lines if line in ("READY=1", "RELOADING=1", "STOPPING=1")]


def test_ready_reloading_and_stopping_come_in_their_turn_and_the_watchdog_is_fed(rig: Rig, plug: socket.socket) -> None:
    lines: list[str] = []
    process = rig.start(env={"NOTIFY_SOCKET": plug.getsockname(), "WATCHDOG_USEC": "3000000"})
    rig.until(lambda: turns(heard(plug, lines)) == ["READY=1"] and "WATCHDOG=1" in lines)
    rig.until(lambda: any(line.startswith("STATUS=2 sources") for line in heard(plug, lines)))
    process.send_signal(signal.SIGHUP)
    rig.until(lambda: turns(heard(plug, lines)) == ["READY=1", "RELOADING=1", "READY=1"])
    rig.config.write_text(rig.config.read_text().replace("topics:", "topcis:"))
    process.send_signal(signal.SIGHUP)
    rig.until(lambda: turns(heard(plug, lines))[3:] == ["RELOADING=1", "READY=1"])
    assert "STATUS=the new configuration has mistakes and is not used" in lines
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert turns(heard(plug, lines))[5:] == ["STOPPING=1"]


def test_a_service_whose_store_is_away_is_never_ready(rig: Rig, plug: socket.socket) -> None:
    env = {"NOTIFY_SOCKET": plug.getsockname(), "WATCHPOST_REDIS_URL": "redis://127.0.0.1:1/0"}
    assert rig.start(env=env).wait(30) == 4
    assert turns(heard(plug, [])) == []
