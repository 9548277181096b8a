"""What grows with what: feeds, waiting hits, files of a folder and receivers, each at three sizes, with the exponent.

An exponent of 1 means that twice as many cost twice as much. Time is that of the processor, where it says nothing else.
`PARTS=feeds SIZES=1000,10000,50000 python -m benchmarks scale` measures one part at these sizes.
"""

from __future__ import annotations

import asyncio
import math
import os
import re
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.making import hit
from tests.store.embedding import BINARY, Telling

from benchmarks.polling_site import site
from benchmarks.polling_systems import cpu_of, ours
from benchmarks.queue import articles
from benchmarks.service import place, service
from benchmarks.table import Figure, publish
from watchpost import log
from watchpost.store.client import Store
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.matching import Match, MatchStore, RoutedHit
from watchpost.store.server.embedded import EmbeddedServer

FEEDS, HITS, FILES, RECEIVERS = (500, 1_500, 5_000), (3_000, 10_000, 30_000), (1_000, 4_000, 16_000), (2, 20, 200)
_POLLED_SECONDS = 600.0
_QUIET_SECONDS = 20.0
_WAIT_SECONDS = 600.0
_GROUP = "team|now"

Row = dict[str, float]
UNITS = {"CPU": "ms", "memory": "MB", "lag": "ms", "time": "s", "disk": "MB"}


def run() -> None:
    """Measure, and publish the table."""
    log.set_up_log("json", "error")
    wanted = os.environ.get("PARTS", "feeds,hits,files,receivers").split(",")
    parts: dict[str, tuple[Sequence[int], Callable[[int], Row]]] = {
        "feeds": (FEEDS, _feeds),
        "hits": (HITS, lambda count: asyncio.run(_hits(count))),
        "files": (FILES, _files),
        "receivers": (RECEIVERS, _receivers),
    }
    figures: list[Figure] = []
    for name in wanted:
        sizes, measure = parts[name]
        sizes = [int(size) for size in os.environ["SIZES"].split(",")] if "SIZES" in os.environ else sizes
        rows = []
        for size in sizes:
            rows.append(measure(size))
            print(f"{size:,} {name}: {rows[-1]}", flush=True)  # a long run that ends early has said something
        for what in rows[0]:
            unit = UNITS[what.split(" ")[0]]
            values = [row[what] for row in rows]
            grows = _exponent(sizes, values)
            for size, value in zip(sizes, values, strict=True):
                note = f"exponent {grows:.2f}" if size == sizes[-1] else ""
                figures.append(Figure(f"{size:,} {name}: {what}", value, unit, note=note))
    load = f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores at the end"
    publish("scale", "What grows with what", figures, [load, "the exponent is that from the first size to the last"])


def _exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    if min(values[0], values[-1]) <= 0 or sizes[0] == sizes[-1]:
        return 0.0
    return math.log(values[-1] / values[0]) / math.log(sizes[-1] / sizes[0])


def _feeds(count: int) -> Row:
    """Feeds of as many hosts, and one poll role: all are new to it, it polls for ten minutes, then it is killed.

    In the ten minutes each is visited once; a fifth of the documents has changed, and their entries are known.
    """
    beside = Path(__file__).parents[2] / "shared" / "feeds" / "real"
    documents = sorted(Path(os.environ.get("WATCHPOST_FEEDS", beside)).iterdir())
    with site(documents, count) as served, ours(served.urls(count), on_new="24h") as running:
        cold = running.cold()
        served.change(every=5)
        steady = running.steady(_POLLED_SECONDS)
        recovered = running.killed()
    return {
        "CPU of a first visit": 1e3 * (cold.cpu + cold.server) / count,
        "CPU of a later visit": 1e3 * (steady.cpu + steady.server) / count,
        "memory of poller and parser": max(cold.rss, steady.rss),
        "lag of the loop at first visits": cold.lag_ms,
        "lag of the loop in ten minutes": steady.lag_ms,
        "time of all first visits": cold.wall,
        "time of one visit of each": steady.wall,
        "time until a feed is visited after a kill": recovered,
    }


async def _hits(count: int) -> Row:
    """Hits that wait in one group; the server is started again with them."""
    with place() as root:
        data = root / "data"
        server = EmbeddedServer(data, binary=BINARY, log=Telling(), maxmemory=4 << 30)
        await server.start()
        store = Store(server.url)
        await store.prepare("bench")
        empty, spent = await _memory(store), cpu_of([server.pid])
        await _wait_in_group(store, count)
        spent = cpu_of([server.pid]) - spent
        memory = await _memory(store) - empty
        begun = time.process_time()
        await DeliveryStore(store, kept_ms=1).peek(_GROUP)
        peeked = time.process_time() - begun
        await store.close()
        await server.stop()
        disk = sum(file.stat().st_size for file in (data / "appendonlydir").iterdir())
        again = EmbeddedServer(data, binary=BINARY, log=Telling(), maxmemory=4 << 30)
        started = time.monotonic()
        await again.start()
        recovered = time.monotonic() - started
        await again.stop()
    return {
        "CPU of the server, a hit": 1e3 * spent / count,
        "CPU of reading what one digest may have": 1e3 * peeked,
        "memory of the server": memory / 1e6,
        "disk of the server": disk / 1e6,
        "time until the server has loaded them": recovered,
    }


async def _memory(store: Store) -> int:
    return int((await store.redis.info("memory"))["used_memory"])


async def _wait_in_group(store: Store, count: int) -> None:
    end = MatchStore(store, "bench", lease_ms=60_000, hits_ttl_ms=86_400_000)
    left, part = count, 0
    while left > 0:
        size = min(left, 2_000)
        await _queue(store, f"p{part}", size)
        part, left = part + 1, left - size
        while entries := await end.claims.take(32, block=False):
            found = [(entry, end.read(entry)) for entry in entries]
            await end.matched(
                [Match(entry, one, (RoutedHit(hit(one.title, article=one), (_GROUP,)),)) for entry, one in found]
            )


async def _queue(store: Store, run: str, count: int) -> None:
    from watchpost.store.codec import ARTICLE

    pipe = store.redis.pipeline(transaction=False)
    for one in articles(count, run):
        pipe.xadd(store.keys.articles, {"a": ARTICLE.encode(one)})
    await pipe.execute()


class _Receiver(BaseHTTPRequestHandler):
    arrived = 0
    lock = threading.Lock()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        with _Receiver.lock:
            _Receiver.arrived += 1
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


class _Site(ThreadingHTTPServer):
    request_queue_size = 1024  # all may connect at once
    daemon_threads = True


def _files(count: int) -> Row:
    """A folder with so many small files: all are read, then nothing happens."""
    with place() as root:
        folder = root / "drop"
        folder.mkdir()
        for number in range(count):
            (folder / f"{number:06}.txt").write_text(
                f"Report {number}\n\nNothing happened in place {number}.\n", "utf-8"
            )
        config = "folders: {drop: {path: drop}}\ntopics: {mali: mali}\nreceivers: {out: {type: console}}\n"
        with service(root, f"{config}routes: [{{to: out, digest: '08:00'}}]\n") as running:
            begun = time.monotonic()
            lag = _until(root, lambda metrics: _sum(metrics, "folder_files_total", 'outcome="new"') >= count)
            read = time.monotonic() - begun
            time.sleep(5)
            quiet = _quiet(running.pid)
            running.kill()
        (folder / "late.txt").write_text("Report of later\n\nNothing happened.\n", "utf-8")
        begun = time.monotonic()
        with service(root, f"{config}routes: [{{to: out, digest: '08:00'}}]\n"):
            _until(root, lambda metrics: _sum(metrics, "folder_files_total", 'outcome="new"') >= 1)
            recovered = time.monotonic() - begun
    return {
        "lag of the loop": 1e3 * lag,
        "time of the first reading": read,
        "time until a file is read after a kill": recovered,
        **quiet,
    }


def _receivers(count: int) -> Row:
    """So many webhooks, each with a route of its own for alerts: one article is sent to all."""
    target = _Site(("127.0.0.1", 0), _Receiver)
    threading.Thread(target=target.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{target.server_port}/hook"
    hooks = "".join(
        f"  hook-{n}: {{type: webhook, url: '{address}', allow_private: [127.0.0.0/8]}}\n" for n in range(count)
    )
    routes = "".join(f"  - {{to: hook-{n}, mode: immediate, group_wait: 0ms, continue: true}}\n" for n in range(count))
    with place() as root:
        (root / "drop").mkdir()
        config = f"folders: {{drop: {{path: drop}}}}\ntopics: {{mali: mali}}\nreceivers:\n{hooks}routes:\n{routes}"
        with service(root, config) as running:
            time.sleep(5)
            quiet = _quiet(running.pid)
            _Receiver.arrived = 0
            (root / "new.txt").write_text("Mali\n\nMali opens a market.\n", "utf-8")
            begun = time.monotonic()
            (root / "new.txt").rename(root / "drop" / "new.txt")
            while _Receiver.arrived < count and time.monotonic() - begun < _WAIT_SECONDS:
                time.sleep(0.01)
            sent = time.monotonic() - begun
    target.shutdown()
    return {"time until all have an alert": sent, **quiet}


def _quiet(pid: int) -> Row:
    """A minute in which nothing happens, and what the process and its children hold."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    pids = [pid, *map(int, children)]
    before, begun = cpu_of(pids), time.monotonic()
    time.sleep(_QUIET_SECONDS)
    spent = (cpu_of(pids) - before) / (time.monotonic() - begun)
    held = sum(_resident(one) for one in pids)
    return {"CPU of a quiet second": 1e3 * spent, "memory of service and server": held}


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * 4096 / 1e6


def _until(root: Path, done: Callable[[str], bool]) -> float:
    """The longest lag of the loop, in seconds, until the metrics are so."""
    listen = re.search(r'listen: "([^"]+)"', (root / "watchpost.yaml").read_text("utf-8"))
    address = f"http://{listen[1] if listen else ''}/metrics"
    lag, deadline = 0.0, time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        with urllib.request.urlopen(address, timeout=60) as answer:
            metrics = answer.read().decode()
        lag = max(lag, _sum(metrics, "event_loop_lag_seconds", ""))
        if done(metrics):
            return lag
        time.sleep(1)
    raise RuntimeError(f"not done within {_WAIT_SECONDS:.0f} s")


def _sum(metrics: str, name: str, label: str) -> float:
    lines = (line for line in metrics.splitlines() if line.startswith(f"watchpost_{name}") and label in line)
    return sum(float(line.rpartition(" ")[2]) for line in lines)
