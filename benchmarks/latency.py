"""From the outside to the outside: a file dropped, or a feed answered, until the signed webhook has arrived.

One `watchpost run` with its embedded server. This process drops the files, serves the feeds and receives the
webhooks, so that one monotonic clock takes both ends of every measurement.
"""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import ClassVar

from standardwebhooks import Webhook

from benchmarks.service import place, said, service
from benchmarks.table import Figure, at_most, publish

DROPS, WARM_UP, PAUSE_SECONDS = 200, 20, 0.05
FEEDS, FETCHES = 4, 30  # of each feed; the first answers of each are its warm-up
FEED_WARM_UP = 3
SECRET = "whsec_" + "d2F0Y2hwb3N0LWJlbmNobWFyay1zZWNyZXQtMDEyMzQ1"

_COMMON = """
topics: {mali: mali}
receivers:
  inbox:
    type: webhook
    url: SITE/hook
    secrets: [{env: HOOK_SECRET}]
    allow_private: [127.0.0.0/8]
routes: [{to: inbox, mode: immediate, group_wait: 0ms}]
"""


@dataclass
class World:
    """The other side: feeds that hold something new at every visit, and an inbox. Times are monotonic seconds."""

    site: str = ""
    left: dict[str, float] = field(default_factory=dict)  # title → dropped, or its feed's answer was out
    arrived: dict[str, float] = field(default_factory=dict)  # title → its webhook had been read whole
    numbers: Iterator[int] = field(default_factory=count)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def seconds(self, titles: Sequence[str]) -> list[float]:
        """How long each took."""
        return [self.arrived[title] - self.left[title] for title in titles]

    def wait(self, titles: Sequence[str], log: Path) -> None:
        """Until each of these has arrived."""
        deadline = time.monotonic() + 30
        while not all(title in self.arrived for title in titles):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{sum(title not in self.arrived for title in titles)} never arrived:\n{said(log)}")
            time.sleep(0.02)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    world: ClassVar[World]

    def do_GET(self) -> None:
        with self.world.lock:
            title = f"{self.path.strip('/')}-{next(self.world.numbers)}"
        item = (
            f"<item><guid>{title}</guid><title>{title}</title><link>https://example.org/{title}</link>"
            f"<description>{title}: talks in Mali go on</description></item>"
        )
        self._answer(f'<rss version="2.0"><channel><title>World</title>{item}</channel></rss>'.encode())
        self.world.left[title] = time.monotonic()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        now = time.monotonic()
        Webhook(SECRET).verify(body, {key.lower(): value for key, value in self.headers.items()})
        self._answer(b"")
        with self.world.lock:
            for story in json.loads(body)["data"]["stories"]:
                self.world.arrived.setdefault(story["title"].split()[0], now)

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def run() -> None:
    """Measure, and publish the table."""
    drops = _drops()
    feeds = _feeds()
    figures = [
        *_figures(f"file dropped → webhook ({DROPS} at {1 / PAUSE_SECONDS:.0f}/s)", drops),
        *_figures(f"feed answered → webhook ({len(feeds)}, every: 1s)", feeds),
    ]
    publish(
        "latency",
        "Latency: one process, embedded server, immediate route with group_wait 0ms, signed webhook on loopback",
        figures,
    )


def _drops() -> list[float]:
    with _world() as world, place() as root:
        folder = root / "drop"
        folder.mkdir()
        config = "folders: {drop: {path: drop}}" + _COMMON.replace("SITE", world.site)
        with service(root, config, {"HOOK_SECRET": SECRET}):
            warm = [_drop(world, folder, f"warm-{n}") for n in range(WARM_UP)]
            world.wait(warm, root)
            titles = [_drop(world, folder, f"drop-{n}") for n in range(DROPS)]
            world.wait(titles, root)
        return world.seconds(titles)


def _drop(world: World, folder: Path, title: str) -> str:
    """As a careful program drops a file: written aside, then renamed into place. Then the pause to the next."""
    scratch = folder / f".{title}.tmp"
    scratch.write_text(f"{title}\n\n{title} is about Mali and nothing else, it says in this sample text.\n", "utf-8")
    world.left[title] = time.monotonic()
    scratch.rename(folder / f"{title}.txt")
    time.sleep(PAUSE_SECONDS)
    return title


def _feeds() -> list[float]:
    with _world() as world, place() as root:
        names = [f"feed{n}" for n in range(FEEDS)]
        listed = "".join(
            f"  {name}: {{url: {world.site}/{name}, every: 1s, on_new: all, allow_private: [127.0.0.0/8]}}\n"
            for name in names
        )
        with service(root, f"feeds:\n{listed}{_COMMON.replace('SITE', world.site)}", {"HOOK_SECRET": SECRET}):
            deadline = time.monotonic() + 3 * FETCHES
            while len(world.left) < FEEDS * FETCHES and time.monotonic() < deadline:
                time.sleep(0.05)
            titles = list(world.left)[FEEDS * FEED_WARM_UP :]
            world.wait(titles, root)
        return world.seconds(titles)


@contextmanager
def _world() -> Iterator[World]:
    world = World()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"world": world}))
    server.daemon_threads = True
    world.site = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield world
    finally:
        server.shutdown()
        server.server_close()


def _figures(name: str, seconds: Sequence[float]) -> list[Figure]:
    percentiles = statistics.quantiles([1000 * each for each in seconds], n=100, method="inclusive")
    spread = (1000 * min(seconds), 1000 * max(seconds))
    middle = at_most(f"{name}, p50", percentiles[49], 100, "ms")
    return [replace(middle, spread=spread), at_most(f"{name}, p99", percentiles[98], 500, "ms")]
