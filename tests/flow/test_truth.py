"""What a service says of itself while something is wrong with it: the truth, and within the times that are promised."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flow.rig import Rig
from tests.servers import ValkeyServer, valkey_server

PATIENT_SECONDS = 8.0  # whoever asks is answered within ten, whatever the store does
FORGOTTEN_SECONDS = 18.0  # a process that says nothing for 15 s is not counted any more


@pytest.fixture
def server(rig: Rig) -> Iterator[ValkeyServer]:
    with valkey_server() as made:
        rig.env["WATCHPOST_REDIS_URL"] = made.url
        yield made
        os.kill(made.pid, signal.SIGCONT)


class Asked:
    """The addresses for machines of one process."""

    def __init__(self, rig: Rig, *args: str) -> None:
        self.rig, self.process = rig, rig.start(*args)
        rig.until(lambda: "http.listening" in rig.log())
        (listen,) = [json.loads(line)["listen"] for line in rig.log().splitlines() if "http.listening" in line]
        self._root = f"http://{listen}"
        rig.until(lambda: self.ask("/readyz")[0] == 200)

    def ask(self, path: str) -> tuple[int, str]:
        """Status and body; an answer that takes too long is a lie, too."""
        begun = time.monotonic()
        try:
            with urllib.request.urlopen(self._root + path, timeout=30) as answer:
                code, body = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            code, body = error.code, error.read().decode()
        assert time.monotonic() - begun < PATIENT_SECONDS, path
        return code, body

    @property
    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.ask("/status.json")[1]))

    def metrics(self, name: str) -> dict[str, float]:
        lines = [line for line in self.ask("/metrics")[1].splitlines() if line.startswith(f"watchpost_{name}")]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


@pytest.mark.timeout(400)
def test_a_store_that_hangs_is_said_to_hang_and_the_process_to_live(rig: Rig, server: ValkeyServer) -> None:
    asked = Asked(rig)
    assert asked.status["status"] == "ok"
    rig.until(lambda: bool(asked.metrics("ledger_gap")))
    os.kill(server.pid, signal.SIGSTOP)
    code, body = asked.ask("/readyz")
    assert (code, "does not answer" in body) == (503, True), body
    assert asked.ask("/status.json")[0] == 503
    told = asked.status
    assert (told["status"], told["store"]) == ("down", {"reachable": False, "takes_writes": False})
    rig.until(lambda: asked.metrics("redis_up") == {"watchpost_redis_up": 0.0})
    assert asked.metrics("queue_") == asked.metrics("ledger_gap") == asked.metrics("feeds{") == {}
    assert asked.metrics("poll_paused") == {'watchpost_poll_paused{reason="store"}': 1.0}
    assert asked.ask("/healthz") == (200, "ok\n"), "it must not be started again for that"
    assert "redis.lost" in rig.log()
    os.kill(server.pid, signal.SIGCONT)
    rig.until(lambda: asked.status["status"] == "ok" and asked.ask("/readyz")[0] == 200)
    rig.until(lambda: asked.metrics("redis_up") == {"watchpost_redis_up": 1.0} and bool(asked.metrics("queue_depth")))
    assert asked.metrics("poll_paused") == {}
    assert set(asked.metrics("ledger_gap").values()) == {0.0}


@pytest.mark.timeout(400)
def test_a_store_that_is_full_is_said_to_be_full_and_nobody_to_be_missing(rig: Rig, server: ValkeyServer) -> None:
    asked = Asked(rig)
    with rig.client(server.url) as client:
        client.config_set("maxmemory", "1mb")
        rig.publish("news")
        full = "takes no writes"
        rig.until(lambda: any(full in reason for reason in asked.status["reasons"]))
        end = time.monotonic() + FORGOTTEN_SECONDS
        while time.monotonic() < end:
            told = asked.status
            assert told["status"] == "degraded"
            assert [full in reason for reason in told["reasons"]] == [True], told["reasons"]
            assert told["store"] == {"reachable": True, "takes_writes": False}
            code, body = asked.ask("/readyz")
            assert (code, full in body) == (503, True)
            time.sleep(1)
        assert asked.metrics("redis_up") == {"watchpost_redis_up": 0.0}
        assert asked.metrics("poll_paused") == {'watchpost_poll_paused{reason="store"}': 1.0}
        assert rig.log().count("redis.full") == 1
        client.config_set("maxmemory", "256mb")
    rig.until(lambda: asked.status["status"] == "ok" and asked.ask("/readyz")[0] == 200)
    rig.until(lambda: rig.world.told() == ["news"])


@pytest.mark.timeout(400)
@pytest.mark.parametrize("role", ["poll", "match", "notify"])
def test_a_role_that_is_killed_or_stopped_is_missed_within_15_s_and_one_that_ends_at_once(
    rig: Rig, server: ValkeyServer, role: str
) -> None:
    started = {name: rig.start(name) for name in ("poll", "match", "notify")}
    asked = Asked(rig, "web")
    rig.until(lambda: asked.status["status"] == "ok")

    def missed(within: float) -> None:
        # Who is stopped in the middle of a parse finds its time over: the feed may have failed once, too.
        rig.until(lambda: f"no process runs {role}" in asked.status["reasons"], within)

    started[role].send_signal(signal.SIGSTOP)
    missed(FORGOTTEN_SECONDS)
    started[role].send_signal(signal.SIGCONT)
    rig.until(lambda: asked.status["status"] == "ok")
    started[role].send_signal(signal.SIGTERM)
    started[role].wait(10)
    missed(1)
    again = rig.start(role)
    rig.until(lambda: asked.status["status"] == "ok")
    again.kill()
    missed(FORGOTTEN_SECONDS)
    assert server.pid


@pytest.mark.timeout(400)
def test_while_a_reload_waits_for_a_slow_receiver_nobody_is_said_to_be_missing(rig: Rig, server: ValkeyServer) -> None:
    rig.config.write_text(rig.config.read_text().replace("timeout: 10s", "timeout: 30s"))
    asked = Asked(rig, "web")
    process = rig.start()
    rig.until(lambda: asked.status["status"] == "ok")
    rig.world.hook_delays = [19.0]
    rig.publish("slowly")
    rig.until(lambda: len(rig.world.posts) == 1)
    rig.config.write_text(rig.config.read_text().replace("topics: {mali: mali}", "topics: {mali: mali, gao: gao}"))
    process.send_signal(signal.SIGHUP)
    begun = time.monotonic()
    while "config.read" not in rig.log() or time.monotonic() - begun < 19:
        assert asked.status["reasons"] == [], f"after {time.monotonic() - begun:.1f} s"
        assert time.monotonic() - begun < 40
        time.sleep(0.5)
    rig.until(lambda: rig.quiet(server.url))
    assert asked.status["reasons"] == []


@pytest.mark.timeout(400)
@pytest.mark.parametrize("roles", [("all",), ("poll", "notify")])
def test_a_digest_after_a_store_that_hung_does_not_call_the_time_quiet(
    rig: Rig, server: ValkeyServer, roles: tuple[str, ...]
) -> None:
    sent = rig.root / "sent"
    config = rig.config.read_text()
    rig.config.write_text(
        config.replace("receivers:", "receivers:\n  desk: {type: file, path: sent}").replace(
            "routes: [", "routes: [{to: desk, digest: {every: 10s, empty: always}, continue: true}, "
        )
    )
    for role in roles:
        rig.start(*(() if role == "all" else (role,)))

    def first_lines() -> list[str]:
        return [path.read_text() for path in sorted(sent.glob("**/*.txt"), key=lambda path: path.stat().st_mtime_ns)]

    rig.until(lambda: any("sources were read" in text for text in first_lines()))
    os.kill(server.pid, signal.SIGSTOP)
    rig.until(lambda: "redis.lost" in rig.log())
    time.sleep(21)  # whole windows
    before = len(first_lines())
    os.kill(server.pid, signal.SIGCONT)
    rig.until(lambda: len(first_lines()) > before)
    assert "read since" in first_lines()[before] or "Nothing was read" in first_lines()[before], first_lines()[before]
    said = " ".join(first_lines()[before].split())  # its lines are wrapped
    assert "the store of the service does not accept data" in said
    rig.until(lambda: "sources were read" in first_lines()[-1])
