"""Who polls in benchmarks/polling.py: all feeds are new to it, then unchanged (304).

CPU is user and system time of the whole process tree. Ours is the real poll role with its embedded server, from the
start of the process on; the peers' is that of reading alone (reader) or of the process (newsboat).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from benchmarks.peers import PYTHON
from benchmarks.service import clean_env, place
from watchpost.store.keys import Keys

THREADS = 20
_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 300.0
_ROUND_SECONDS = 3_600.0
_FEEDS_OF_A_FILE = 10_000  # a file of configuration has at most 1 MiB
_LATER_MS = 20 * 60_000  # whoever is due later than this has been visited: `every` is an hour


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds of CPU (`server`: of our store, not in `cpu`) and of the wall, MB at the highest, articles kept."""

    cpu: float
    wall: float
    rss: float
    server: float = 0.0
    entries: int = 0
    lag_ms: float = 0.0


class Ours:
    """A running poll role."""

    def __init__(self, root: Path, feeds: int, source: str) -> None:
        self._root = root
        self._source = source
        self._feeds = feeds
        self._start()
        self._client = redis.Redis(unix_socket_path=str(root / "data" / "redis.sock"))
        self._keys = Keys()

    def _start(self) -> None:
        config, data = self._root / "watchpost.yaml", self._root / "data"
        words = [sys.executable, "-m", "benchmarks.polling_role", str(config), str(data), str(self._root / "lag")]
        self._begun = time.monotonic()
        env = clean_env()
        if self._source:
            env["PYTHONPATH"] = os.pathsep.join((self._source, str(Path(__file__).parents[1])))
        self.process = subprocess.Popen(words, env=env)
        self._before = (0.0, 0.0)

    def cold(self) -> Round:
        """From the start of the process until each feed has been visited."""
        return self._until_visited(self._begun)

    def warm(self) -> Round:
        """All feeds are due now, once more."""
        begun = time.monotonic()
        due = {f"f{n:05}": int(time.time() * 1000) for n in range(self._feeds)}
        self._client.zadd(self._keys.feeds, due, xx=True)
        return self._until_visited(begun)

    def steady(self, seconds: float) -> Round:
        """Each feed is visited once more, evenly spread over so many seconds."""
        begun, now = time.monotonic(), time.time()
        due = {f"f{n:05}": int(1000 * (now + seconds * n / self._feeds)) for n in range(self._feeds)}
        self._client.zadd(self._keys.feeds, due, xx=True)
        self.process.send_signal(signal.SIGUSR1)
        time.sleep(seconds)
        return self._until_visited(begun)

    def killed(self) -> float:
        """SIGKILL while all feeds are due; the seconds from the next start until a feed has been visited again."""
        self._client.zadd(self._keys.feeds, {f"f{n:05}": int(time.time() * 1000) for n in range(self._feeds)}, xx=True)
        self.process.kill()
        self.process.wait(60)
        before = self._visited()
        self._start()
        while self._visited() <= before:
            if time.monotonic() - self._begun > _START_SECONDS or self.process.poll() is not None:
                raise RuntimeError("nothing was visited after a kill")
            time.sleep(0.02)
        return time.monotonic() - self._begun

    def run_for(self, seconds: float) -> Round:
        """However far it comes in so long a time, from when all feeds are scheduled."""
        while self._count("-inf") < self._feeds:
            time.sleep(0.1)
        self._round(self._begun, 0.0)
        begun = time.monotonic()
        time.sleep(seconds)
        return self._round(begun, 0.0)

    def _until_visited(self, begun: float) -> Round:
        rss, deadline = 0.0, time.monotonic() + _ROUND_SECONDS
        while self._visited() < self._feeds:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"only {self._visited()} of {self._feeds} feeds were visited")
            rss = max(rss, _peak_mb(self._own()))
            time.sleep(0.1)
        return self._round(begun, rss)

    def _round(self, begun: float, rss: float) -> Round:
        own, server = cpu_of(self._own()), cpu_of([self._server()])
        before, self._before = self._before, (own, server)
        return Round(
            own - before[0],
            time.monotonic() - begun,
            max(rss, _peak_mb(self._own())),
            server - before[1],
            int(self._client.zcard(self._keys.seen)),
            float((self._root / "lag").read_text() or 0),
        )

    def _visited(self) -> int:
        return self._count(int(time.time() * 1000) + _LATER_MS)

    def _count(self, due: int | str) -> int:
        """How many feeds are due at this moment or later."""
        try:
            return int(self._client.zcount(self._keys.feeds, due, "+inf"))
        except redis.RedisError:
            return 0  # it is just starting

    def _server(self) -> int:
        return int(self._client.info("server")["process_id"])

    def _own(self) -> list[int]:
        """The poller, its parser and what else it started, without the server."""
        table = dict(_parents())
        mine = {self.process.pid}
        while more := {pid for pid, parent in table.items() if parent in mine} - mine:
            mine |= more
        try:
            return sorted(mine - {self._server()})
        except redis.RedisError:
            return sorted(mine)


@contextmanager
def ours(urls: Sequence[str], *, on_new: str = "all", host_gap: str = "1s", source: str = "") -> Iterator[Ours]:
    """Our poll role on these feeds, in an empty directory. `source`: the folder of another version, "" for this one."""
    with place() as root:
        lines = [f"  f{n:05}: {url}\n" for n, url in enumerate(urls)]
        for part, begin in enumerate(range(0, len(lines), _FEEDS_OF_A_FILE)):
            feeds = "".join(lines[begin : begin + _FEEDS_OF_A_FILE])
            (root / f"feeds-{part}.yaml").write_text(f"feeds:\n{feeds}")
        (root / "watchpost.yaml").write_text(
            f"version: 1\ninclude: [feeds-*.yaml]\nlimits: {{queue_max: 1000000, host_gap: {host_gap}}}\n"
            f"defaults: {{feed: {{every: 1h, on_new: {on_new}, allow_private: [127.0.0.0/8]}}}}\n"
            "topics: {mali: Mali}\nreceivers: {terminal: {type: console}}\n"
            'routes: [{to: terminal, digest: "08:00"}]\n'
        )
        (root / "lag").write_text("")
        running = Ours(root, len(urls), source)
        try:
            yield running
        finally:
            running.process.send_signal(signal.SIGTERM)
            running.process.wait(60)


def reader(urls: Sequence[str]) -> tuple[Round, Round, str]:
    """(cold, warm, version) of lemon24/reader."""
    with place() as root:
        words = [str(PYTHON), "-I", str(Path(__file__).with_name("polling_reader.py")), str(root / "reader.sqlite")]
        done = subprocess.run(words, input=json.dumps(urls), capture_output=True, text=True, timeout=900, check=False)
        if done.returncode:
            raise RuntimeError(f"reader ended with {done.returncode}:\n{done.stderr[-2000:]}")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
    cold, warm = (Round(line["cpu"], line["wall"], line["rss"], entries=line["entries"]) for line in lines)
    return cold, warm, f"reader {lines[0]['version']} ({lines[0]['refused']} feeds refused)"


def newsboat(urls: Sequence[str]) -> tuple[Round, Round, str]:
    """(cold, warm, version) of newsboat; raises FileNotFoundError without it."""
    said = subprocess.run(["newsboat", "-v"], capture_output=True, text=True, check=True).stdout
    with place() as root:
        (root / "urls").write_text("\n".join(urls) + "\n")
        (root / "config").write_text(f"reload-threads {THREADS}\nmax-items 0\n")
        # It notes validators only of feeds that it has in its cache: its second round asks unconditionally again.
        cold, _, warm = (_newsboat(root) for _ in range(3))
    return cold, warm, " ".join(said.split()[:2])


def _newsboat(root: Path) -> Round:
    words = ["newsboat", "-x", "reload", f"-u{root}/urls", f"-C{root}/config", f"-c{root}/cache.db"]
    begun = time.monotonic()
    env = clean_env() | {"HOME": str(root), "XDG_CONFIG_HOME": str(root), "XDG_DATA_HOME": str(root)}
    process = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"newsboat ended with {process.returncode}")
    return Round(used.ru_utime + used.ru_stime, time.monotonic() - begun, used.ru_maxrss / 1024)


def _parents() -> Iterator[tuple[int, int]]:
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            yield int(directory.name), int((directory / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has just ended


def cpu_of(pids: Sequence[int]) -> float:
    """User and system seconds of these processes, and of their children that have ended."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / _TICKS


def _peak_mb(pids: Sequence[int]) -> float:
    """The sum of what each of these held at its highest; without one that just begins or ends, and has no name."""
    total = 0
    for pid in pids:
        try:
            if not Path(f"/proc/{pid}/cmdline").read_bytes():
                continue
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return total / 1024
