"""Hostile outlets, texts, receivers and connections beside honest feeds: nothing is lost or large."""

from __future__ import annotations

import json
import re
import resource
import socket
from collections.abc import Iterator

import pytest

from tests.flow.hostile import (
    CRAFTED,
    ENCODER_BYTES,
    MEMORY_BYTES,
    Enemy,
    Seen,
    asked,
    free_port,
    hostile,
    late,
    memory_bytes,
    serving,
)
from tests.flow.rig import Rig

_CONNECTIONS = 5_000
_FILES = 6_000
_MEGABYTE = 1_000_000
_SECONDS = 40.0


@pytest.fixture
def enemy() -> Iterator[str]:
    """Where the enemy listens."""
    Enemy.awake = True
    with serving(Enemy) as port:
        yield f"http://127.0.0.1:{port}"


def hold(port: int) -> list[socket.socket]:
    """Connections that say nothing, half a head, or half a body."""
    halves = (
        b"",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n",
        b"POST /u/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
    )
    held = []
    for number in range(_CONNECTIONS):
        one = socket.create_connection(("127.0.0.1", port), 5)
        one.sendall(halves[number % len(halves)])
        held.append(one)
    return held


def attacked(rig: Rig, enemy: str, pages: int, probes: int) -> str:
    """The rig's configuration with the enemy's feeds and receivers."""
    private = "allow_private: [127.0.0.0/8]"
    feeds = "".join(f"  {name}: {{url: {enemy}/{name}, every: 1s, timeout: 5s, {private}}}\n" for name in _FEEDS)
    hook = "type: webhook, secrets: [{env: HOOK_SECRET}], timeout: 2s"
    receivers = "".join(f"  {name}: {{{hook}, url: {enemy}/{name}, {private}}}\n" for name in _RECEIVERS)
    routes = "".join(f"{{to: {name}, mode: immediate, group_wait: 100ms, continue: true}}, " for name in _RECEIVERS)
    text = rig.config.read_text()
    listen = f'http: {{listen: "127.0.0.1:{pages}", probes: "127.0.0.1:{probes}"}}'
    text = text.replace('http: {listen: "127.0.0.1:0"}', listen)
    text = re.sub(r"feeds: \{(world: .*)\}\n", rf"feeds:\n  \1\n{feeds}", text)
    return text.replace("receivers:\n", f"receivers:\n{receivers}").replace("routes: [", f"routes: [{routes}")


_FEEDS, _RECEIVERS = ("drip", "bomb", "new"), ("drop", "flood")


@pytest.mark.timeout(400)
def test_hostile_outlets_texts_receivers_and_connections_stop_nothing(rig: Rig, enemy: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < _FILES:
        pytest.skip(f"this process may open no more than {hard} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, hard))
    pages, probes = free_port(), free_port()
    rig.config.write_text(attacked(rig, enemy, pages, probes))
    process = rig.start()
    honest = [f"honest {number}" for number in range(5)]
    rig.until(lambda: "http.listening" in rig.log())
    rig.publish("first")
    rig.until(lambda: rig.world.told() == ["first"])
    held = hold(pages)
    try:
        for number, (title, text) in enumerate(CRAFTED.items()):
            scratch = rig.folder / f".{number}"
            scratch.write_text(json.dumps({"id": title, "title": title, "body": text[:_MEGABYTE]}) + "\n")
            scratch.rename(rig.folder / f"{number}.jsonl")
        for title in honest:  # one after the other, as fast as each is told
            rig.publish(title)
            rig.until(lambda title=title: title in rig.world.told(), 120)  # type: ignore[misc]  # bound at once
            assert asked(probes, "/healthz") == "ok\n"
        expected = {"first", *honest, *CRAFTED}
        rig.until(lambda: set(rig.world.told()) >= expected, 120)
        metrics = asked(pages, "/metrics")
        assert "watchpost_event_loop_lag_seconds" in metrics
        assert "watchpost_http_connections_refused_total" in metrics
        # About 180 MB, and 124 MB of the sentence encoder, an optional part that the tests install.
        assert memory_bytes(process.pid) < 400 << 20
        assert process.poll() is None
        assert sorted(rig.world.told()) == sorted(expected), "each once"
        assert rig.log().count("http.connections_refused") <= 3
    finally:
        for one in held:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.timeout(600)
def test_forty_honest_feeds_lose_nothing_beside_a_thousand_hostile_connections(rig: Rig) -> None:
    seen = hostile(rig, _SECONDS, 1, free_port(), free_port())
    assert not seen.wrong, "\n".join(seen.wrong[:40])
    assert seen.published > 20
    assert seen.refused > 0
    # `make hostile` judges the bound itself; here other tests run beside it, and what waits for a core waits in memory.
    assert seen.memory_bytes < 2 * MEMORY_BYTES + ENCODER_BYTES


def test_alerts_that_are_late_are_found() -> None:
    assert late(Seen(calm=[0.5, 2.0], attacked=[2.9])) == ""
    assert late(Seen(calm=[0.5, 2.0], attacked=[2.9, 3.1])) == "1 of 2 alerts arrived after more than 3.0 s"
    assert late(Seen()) == "no alert was timed"
