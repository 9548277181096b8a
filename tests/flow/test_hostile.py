"""Hostile outlets, texts, receivers and five thousand connections beside an honest feed: nothing is lost or large."""

from __future__ import annotations

import gzip
import json
import re
import resource
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.flow.rig import Rig

_CONNECTIONS = 5_000
_FILES = 6_000
_MEGABYTE = 1_000_000
_HOSTILE = {  # by headline: one of another story each
    "dots upon dots": "The talks in Mali go on, said the minister" + "." * 400_000 + "x and more.",
    "a word with many accents": "Mali a" + "\u0301\u0327" * 60_000 + " and more.",
    "crafted sentences": "Mali wagner bamako. " * 1_000 + "x y. " * 190_000,
    "statement of the army": "The army of Mali said on Monday that its talks in Bamako go on, as the minister told us. "
    * 10_000,
    "one Chinese sign": "Mali 中" + "\u00ad\u200d" * 100_000 + "中",
    "initials without end": "Mali " + "a." * 400_000,
}
_BOMB = gzip.compress(bytes(50 << 20), 9)


class Enemy(BaseHTTPRequestHandler):
    """Feeds that drip, that are bombs or that never repeat an id; receivers that drip and that never end."""

    number = 0

    def do_GET(self) -> None:
        if self.path == "/drip":
            self._drip(b"<")
        elif self.path == "/bomb":
            self._answer({"content-encoding": "gzip"}, _BOMB)
        else:
            Enemy.number += 1
            items = "".join(f"<item><guid>{Enemy.number}-{n}</guid><title>Niger {n}</title></item>" for n in range(300))
            self._answer({}, f"<rss version='2.0'><channel><title>E</title>{items}</channel></rss>".encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._drip(b"x" * (1 if self.path == "/drip" else 65_536))

    def _answer(self, headers: dict[str, str], body: bytes) -> None:
        self.send_response(200)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def _drip(self, drop: bytes) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(drop)
                time.sleep(0.05)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def enemy() -> Iterator[str]:
    """Where the enemy listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Enemy)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


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
    rig.until(lambda: "http.listening" in rig.log(), 60)
    rig.publish("first")
    rig.until(lambda: rig.world.told() == ["first"], 60)
    held = hold(pages)
    try:
        for number, (title, text) in enumerate(_HOSTILE.items()):
            scratch = rig.folder / f".{number}"
            scratch.write_text(json.dumps({"id": title, "title": title, "body": text[:_MEGABYTE]}) + "\n")
            scratch.rename(rig.folder / f"{number}.jsonl")
        for title in honest:  # one after the other, as fast as each is told
            rig.publish(title)
            rig.until(lambda title=title: title in rig.world.told(), 120)  # type: ignore[misc]  # bound at once
            assert ask(probes, "/healthz") == "ok\n"
        expected = {"first", *honest, *_HOSTILE}
        rig.until(lambda: set(rig.world.told()) >= expected, 120)
        metrics = ask(pages, "/metrics")
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
