"""Hostile outlets, receivers and connections beside forty honest outlets: `python -m tests.flow.hostile [SECONDS]`.

For the first quarter of the time all are honest. Then three outlets drip, send bombs, or write crafted texts under new
ids; two receivers answer without end; and a thousand connections to the pages say half of what they want. Readers must
have received everything that the honest outlets published, as soon as before, from a process that stays small.

`--no-events` leaves out the sentence encoder, an optional part that takes about 100 MB.
"""

from __future__ import annotations

import asyncio
import bz2
import gzip
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import brotli
from backports import zstd

from tests.flow.core_waits import watched
from tests.flow.newsroom import Newsroom, Readers, Site, configuration, findings, plain
from tests.flow.rig import Rig
from watchpost.store.client import Store
from watchpost.store.ledger import Ledger, gaps

CONNECTIONS = 1_000
LATER_SECONDS = 1.0
"""How much later than before an alert may arrive."""

MEMORY_BYTES = 300 << 20
ENCODER_BYTES = 125 << 20  # the sentence encoder, and what it is run by
_MEGABYTE = 1_000_000
_QUIET_SECONDS = 300
_LOOK_SECONDS = 2.0
_SHOWN = 40
CRAFTED = {  # by headline: one of another story each
    "dots upon dots": "The talks in Mali go on, said the minister" + "." * 400_000 + "x and more.",
    "a word with many accents": "Mali a" + "\u0301\u0327" * 60_000 + " and more.",
    "crafted sentences": "Mali wagner bamako. " * 1_000 + "x y. " * 190_000,
    "statement of the army": "The army of Mali said on Monday that its talks in Bamako go on, as the minister told us. "
    * 10_000,
    "one Chinese sign": "Mali 中" + "\u00ad\u200d" * 100_000 + "中",
    "initials without end": "Mali " + "a." * 400_000,
}
_DENSE = "Niger, Wagner group, Niamey and Agadez, Zinder; Africa Corps. " * 300
_EMPTY = bytes(50 << 20)
BOMBS = {
    "gzip": gzip.compress(_EMPTY, 9),
    "deflate": zlib.compress(_EMPTY, 9),
    "gzip, gzip": gzip.compress(gzip.compress(_EMPTY, 9), 9),
    "br": brotli.compress(_EMPTY, quality=5),
    "zstd": zstd.compress(_EMPTY),
    "zstd, br": brotli.compress(zstd.compress(_EMPTY)),
    "": bz2.compress(_EMPTY),
}
_HTTP = 'http: {listen: "127.0.0.1:%d", probes: "127.0.0.1:%d", auth: {tokens: {metrics: {token: {env: TOKEN}}}}}'
_TOKEN = "of the program that reads the metrics"
_QUIET = b"<rss version='2.0'><channel><title>E</title></channel></rss>"


class Enemy(BaseHTTPRequestHandler):
    """Feeds that drip, that are bombs or that never repeat an id; receivers that drip and that never end."""

    number: ClassVar[int] = 0
    awake: ClassVar[bool] = True

    def do_GET(self) -> None:
        Enemy.number += 1
        if not self.awake:
            self._answer({}, _QUIET)
        elif self.path == "/drip":
            self._drip(b"<")
        elif self.path == "/bomb":
            encoding = list(BOMBS)[Enemy.number % len(BOMBS)]
            self._answer({"content-encoding": encoding} if encoding else {}, BOMBS[encoding])
        else:
            self._answer({}, f"<rss version='2.0'><channel><title>E</title>{self._items()}</channel></rss>".encode())

    def _items(self) -> str:
        """Many new ids, one dense text and one long one."""
        number = Enemy.number
        texts = [text.replace("Mali", "Niger") for text in CRAFTED.values()]
        long = texts[number % len(texts)][:_MEGABYTE]
        crafted = (
            f"<item><guid>d{number}</guid><title>Niger {number} dense</title><description>{_DENSE}</description></item>"
        )
        crafted += (
            f"<item><guid>l{number}</guid><title>Niger {number} long</title><description>{long}</description></item>"
        )
        return crafted + "".join(
            f"<item><guid>{number}-{each}</guid><title>Chad {each}</title></item>" for each in range(100)
        )

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        if self.awake:
            self._drip(b"x" * (1 if self.path == "/drip" else 65_536))
        else:
            self._answer({}, b"")

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


class Clocked(Site):
    """An outlet that notes when it first served an entry."""

    served: ClassVar[dict[str, tuple[float, str]]]

    def do_GET(self) -> None:  # noqa: N802 - the base class's name
        outlet = next(each for each in self.room.outlets if self.path == f"/{each.name}")
        if outlet.habit is plain:  # the others withhold entries, or give them new headlines
            with self.room.lock:
                for entry in outlet.entries[-20:]:
                    self.served.setdefault(entry.title, (time.monotonic(), outlet.name))
        super().do_GET()


@dataclass
class Seen:
    """What was seen of a run. Times are seconds from the first serving of an entry to its alert."""

    wrong: list[str] = field(default_factory=list)
    published: int = 0
    calm: list[float] = field(default_factory=list)
    attacked: list[float] = field(default_factory=list)
    calm_bytes: int = 0
    memory_bytes: int = 0
    children_bytes: int = 0
    lags: list[float] = field(default_factory=list)  # the longest of a minute each, in seconds
    refused: float = 0.0
    slow: list[str] = field(default_factory=list)  # the alerts of the attack that took longest, each with what is known

    def __str__(self) -> str:
        return (
            f"{self.published} entries published\n"
            f"alerts, while all were honest: {_spread(self.calm)}; during the attack: {_spread(self.attacked)}\n"
            f"memory {self.calm_bytes >> 20} MB, then {self.memory_bytes >> 20} MB, "
            f"its children {self.children_bytes >> 20} MB; {self.refused:.0f} connections closed\n"
            f"longest lags of the loop: {_spread(self.lags)}" + "".join(f"\n{each}" for each in self.slow)
        )


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "none"
    ordered = sorted(values)
    parts = (("50 %", 0.5), ("99 %", 0.99), ("all", 1.0))
    found = (f"{name} {ordered[min(len(ordered) - 1, int(share * len(ordered)))]:.2f} s" for name, share in parts)
    return f"{len(values)} ({', '.join(found)})"


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], address: str = "127.0.0.1") -> Iterator[int]:
    """Serve so, with a thread for each request; gives the port."""
    server = ThreadingHTTPServer((address, 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def attacked(text: str, enemy: str, pages: int, probes: int) -> str:
    """A newsroom's configuration with the enemy's feeds, topic and receivers."""
    private = "allow_private: [127.0.0.0/8]"
    feeds = "".join(
        f"  {name}: {{url: {enemy}/{name}, every: 2s, timeout: 5s, on_new: all, max_items: 20, {private}}}\n"
        for name in ("drip", "bomb", "new")
    )
    hook = f"type: webhook, secrets: [{{env: HOOK_SECRET}}], timeout: 2s, {private}"
    receivers = "".join(f"  {name}: {{url: {enemy}/{name}, {hook}}}\n" for name in ("drop", "flood"))
    routes = "  - {to: [drop, flood], mode: immediate, group_wait: 200ms, continue: true}\n"
    text = (
        text.replace("every: 2s", "every: 5s")
        .replace("feeds:\n", f"feeds:\n{feeds}")
        .replace("receivers:\n", f"receivers:\n{receivers}")
    )
    text = text.replace("topics: {mali: Mali}", 'topics: {mali: Mali, enemy: "country:NE OR entity:wagner-group"}')
    text = text.replace("routes:\n", f"routes:\n{routes}")
    text = text.replace("group_wait: 500ms, group_interval: 2s", "group_wait: 200ms, group_interval: 500ms")
    text = re.sub(r"\{to: (alerts|digests), ", r"{to: \1, when: {topic: mali}, ", text)
    return text.replace(
        'http: {listen: "127.0.0.1:0"}', f'http: {{listen: "127.0.0.1:{pages}", probes: "127.0.0.1:{probes}"}}'
    )


def hostile(rig: Rig, seconds: float, seed: int, pages: int, probes: int, *, events: bool = True) -> Seen:
    """Let the honest ones publish for so long, and the others attack for three quarters of it."""
    room, readers, seen = Newsroom(seed), Readers(), Seen()
    served: dict[str, tuple[float, str]] = {}
    Enemy.awake = False
    site = type("Handler", (Clocked,), {"room": room, "readers": readers, "served": served})
    with serving(site, "0.0.0.0") as port, serving(Enemy) as enemy:
        text = attacked(configuration(room, port), f"http://127.0.0.1:{enemy}", pages, probes)
        rig.config.write_text(f"{text}events: {str(events).lower()}\n")
        rig.env["TOKEN"] = _TOKEN
        process = rig.start()
        rig.until(lambda: "http.listening" in rig.log(), 120)
        rig.until(lambda: asked(probes, "/healthz") == "ok\n", 120)
        begun = time.monotonic()
        with watched(process.pid) as waits:
            _publish(room, begun + seconds / 4, seen, process, pages)
            calm_until, seen.calm_bytes = time.monotonic(), seen.memory_bytes
            Enemy.awake = True
            words = [sys.executable, "-m", "tests.flow.hostile_connections", str(pages), str(CONNECTIONS)]
            strangers = subprocess.Popen(words, stdin=subprocess.PIPE)
            try:
                _publish(room, begun + seconds, seen, process, pages)
                _until_named(room, readers)
            finally:
                Enemy.awake = False
                strangers.communicate(timeout=60)
        with readers.lock:
            got = {receiver: list(messages) for receiver, messages in readers.got.items()}
        seen.wrong += findings(room, got)
        seen.wrong += [f"not accounted for: {gap}" for gap in asyncio.run(_gaps(rig.url()))]
        if process.poll() is not None:
            seen.wrong.append(f"the service ended with {process.returncode}")
        seen.published = len(room.published)
        arrived: dict[str, float] = {}
        for message in got.get("/alerts", []):
            for story in message.document["data"]["stories"]:
                for title in (story["title"], *(report["title"] for report in story["sources"])):
                    arrived.setdefault(title, message.moment)
        times = [(arrived[title], at, outlet, title) for title, (at, outlet) in served.items() if title in arrived]
        for came, at, *_ in times:
            (seen.calm if at < calm_until - _LOOK_SECONDS else seen.attacked).append(came - at)
        clock = datetime.now(UTC) - timedelta(seconds=time.monotonic())  # when the monotonic clock was 0
        seen.slow = [
            f"{came - at:.2f} s, served {clock + timedelta(seconds=at):%H:%M:%S.%f} by {outlet}: "
            f"{waits.between(at, came)} ({title})"
            for came, at, outlet, title in sorted(times, key=lambda each: each[1] - each[0])[:_SHOWN]
            if came - at > LATER_SECONDS
        ]
        return seen


def _publish(room: Newsroom, end: float, seen: Seen, process: subprocess.Popen[bytes], pages: int) -> None:
    look = 0.0
    while time.monotonic() < end:
        room.tick()
        time.sleep(room.chance.uniform(0.3, 1.2))
        if time.monotonic() > look:
            look = time.monotonic() + _LOOK_SECONDS
            seen.memory_bytes = max(seen.memory_bytes, memory_bytes(process.pid))
            seen.children_bytes = max(seen.children_bytes, sum(map(memory_bytes, _children(process.pid))))
            metrics = asked(pages, "/metrics")
            if metrics:
                seen.lags.append(_metric(metrics, "watchpost_event_loop_lag_seconds"))
                seen.refused = _metric(metrics, "watchpost_http_connections_refused_total")


def _until_named(room: Newsroom, readers: Readers) -> None:
    end = time.monotonic() + _QUIET_SECONDS
    while time.monotonic() < end:
        with readers.lock:
            got = {receiver: list(messages) for receiver, messages in readers.got.items()}
        if not any("not named" in finding for finding in findings(room, got)):
            return
        time.sleep(2)


def asked(port: int, path: str) -> str:
    """The answer; "" if there is none within 10 s."""
    try:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {_TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def _metric(text: str, name: str) -> float:
    return sum(float(value) for value in re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE))


async def _gaps(url: str) -> list[str]:
    store = Store(url)
    try:
        return [str(gap) for gap in gaps(await Ledger(store).audit())]
    finally:
        await store.close()


def memory_bytes(pid: int) -> int:
    """What the process holds in memory (VmRSS); 0 if it has ended."""
    try:
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [
            int(one) for path in Path(f"/proc/{pid}/task").iterdir() for one in (path / "children").read_text().split()
        ]
    return []


def late(seen: Seen) -> str:
    """Whether alerts arrived later than before, in a sentence; "" if not."""
    if not seen.calm or not seen.attacked:
        return "no alert was timed"
    limit = max(seen.calm) + LATER_SECONDS
    later = sum(each > limit for each in seen.attacked)
    return f"{later} of {len(seen.attacked)} alerts arrived after more than {limit:.1f} s" if later else ""


def main() -> None:
    """The command."""
    words = [word for word in sys.argv[1:] if word != "--no-events"]
    events = "--no-events" not in sys.argv
    seconds = float(words[0]) if words else 600.0
    with tempfile.TemporaryDirectory(prefix="wp-hostile-") as folder:
        rig = Rig(Path(folder))
        try:
            seen = hostile(rig, seconds, 1, free_port(), free_port(), events=events)
        finally:
            if kept := os.environ.get("KEEP_LOGS"):
                (Path(kept) / "hostile.log").write_bytes((Path(folder) / "log.txt").read_bytes())
            rig.close()
    limit = MEMORY_BYTES + (ENCODER_BYTES if events else 0)
    if seen.memory_bytes > limit:
        seen.wrong.append(f"{seen.memory_bytes >> 20} MB of memory, more than {limit >> 20} MB")
    seen.wrong += filter(None, [late(seen)])
    sys.stdout.write(f"{seen}\n" + "".join(f"{finding}\n" for finding in seen.wrong[:40]))
    sys.exit(bool(seen.wrong))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


if __name__ == "__main__":
    main()
