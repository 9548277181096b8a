"""Hostile texts and a thousand hostile connections beside honest ones: nothing is lost, late or large."""

from __future__ import annotations

import json
import re
import resource
import socket
import time
import urllib.request
from pathlib import Path

from tests.flow.rig import Rig

_CONNECTIONS = 1_000
_MEGABYTE = 1_000_000
_HOSTILE = {
    "dots": "The talks in Mali go on, said the minister" + "." * 400_000 + "x and more.",
    "marks": "Mali a" + "\u0301\u0327" * 60_000 + " and more.",
    "report": "Mali wagner bamako. " * 1_000 + "x y. " * 190_000,
    "honest": "The army of Mali said on Monday that its talks in Bamako go on, as the minister told us. " * 10_000,
    "seams": "Mali 中" + "\u00ad\u200d" * 100_000 + "中",
    "letters": "Mali " + "a." * 400_000,
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def memory_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def ask(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


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


def test_hostile_texts_and_connections_stop_nothing(rig: Rig) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4_096), hard))
    pages, probes = free_port(), free_port()
    listen = f'http: {{listen: "127.0.0.1:{pages}", probes: "127.0.0.1:{probes}"}}'
    rig.config.write_text(rig.config.read_text().replace('http: {listen: "127.0.0.1:0"}', listen))
    process = rig.start()
    rig.publish("first")
    rig.until(lambda: rig.world.told() == ["first"], 60)
    held = hold(pages)
    try:
        for name, text in _HOSTILE.items():
            scratch = rig.folder / f".{name}"
            scratch.write_text(json.dumps({"id": name, "title": f"hostile {name}", "body": text[:_MEGABYTE]}) + "\n")
            scratch.rename(rig.folder / f"{name}.jsonl")
        waits = []
        for number in range(8):
            begun = time.monotonic()
            rig.publish(f"honest {number}")
            rig.until(lambda number=number: f"honest {number}" in rig.world.told(), 30)  # type: ignore[misc]
            waits.append(time.monotonic() - begun)
            assert ask(probes, "/healthz") == "ok\n"
        expected = {"first", *(f"hostile {name}" for name in _HOSTILE), *(f"honest {number}" for number in range(8))}
        rig.until(lambda: set(rig.world.told()) >= expected, 60)
        metrics = ask(pages, "/metrics")
        lag = re.search(r"^watchpost_event_loop_lag_seconds (\S+)", metrics, re.MULTILINE)
        assert lag is not None
        assert float(lag[1]) < 5.0, "of the last minute, with the start, on a busy machine; hostile texts took minutes"
        assert "watchpost_http_connections_refused_total" in metrics
        assert sorted(waits)[len(waits) // 2] < 5  # the feed is read each second
        assert memory_bytes(process.pid) < 300 << 20
        assert process.poll() is None
        assert sorted(rig.world.told()) == sorted(expected), "each once"
        assert rig.log().count("http.connections_refused") <= 3
    finally:
        for one in held:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
