"""What the service costs while nothing happens: 12 feeds that bring nothing new, a folder, three webhook receivers.

CPU time and wakeups (voluntary context switches) of the service, of its parser children and of its server, out of
/proc (proc(5)), after everything that starts has settled. Processor time counts, so other work beside it changes
little. `SECONDS=60 python -m benchmarks idle` measures for a minute.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import redis

from benchmarks.service import place, service
from benchmarks.table import Figure, at_most, publish

FEEDS = 12
_SETTLED_SECONDS = 20.0
_FEED = (
    b'<rss version="2.0"><channel><title>Quiet</title>'
    b"<item><guid>1</guid><title>Nothing new</title></item></channel></rss>"
)


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(_FEED)))
        self.end_headers()
        self.wfile.write(_FEED)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def run() -> None:
    """Measure, and publish the table."""
    seconds = float(os.environ.get("SECONDS", "120"))
    site = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    with place() as root:
        (root / "drop").mkdir()
        with service(root, _config(f"http://127.0.0.1:{site.server_port}")) as running:
            time.sleep(_SETTLED_SECONDS)
            pids = {"service": _service_pids(running.pid, _server_pid(root)), "server": (_server_pid(root),)}
            with redis.Redis(unix_socket_path=_socket(root)) as client:
                commands, begun = _commands(client), time.monotonic()
                before = {name: _spent(those) for name, those in pids.items()}
                time.sleep(seconds)
                took = time.monotonic() - begun
                after = {name: _spent(those) for name, those in pids.items()}
                asked = _commands(client) - commands
    site.shutdown()
    hours = took / 3600
    cpu = {name: (after[name][0] - before[name][0]) / hours for name in pids}
    wakeups = {name: (after[name][1] - before[name][1]) / took for name in pids}
    most = ", ".join(f"{name} {count * 60 / took:.0f}" for name, count in asked.most_common(12))
    figures = [
        at_most("CPU, the whole service", sum(cpu.values()), 10, "s an hour"),
        Figure("of it the server", cpu["server"], "s an hour"),
        at_most("wakeups of the service", wakeups["service"], 5, "a second"),
        Figure("wakeups of the server", wakeups["server"], "a second"),
        Figure("commands to the server", asked.total() / took, "a second"),
    ]
    remarks = [
        f"{FEEDS} feeds read every 10 minutes, an empty folder, 3 webhook receivers, {took:.0f} s after start and rest",
        f"commands a minute: {most}",
    ]
    publish("idle", "Idle", figures, remarks)


def _config(site: str) -> str:
    feeds = "\n".join(
        f"  quiet-{n}: {{url: {site}/{n}, every: 10m, allow_private: [127.0.0.0/8]}}" for n in range(FEEDS)
    )
    hooks = "\n".join(
        f"  hook-{n}: {{type: webhook, url: {site}/hook, allow_private: [127.0.0.0/8]}}" for n in range(3)
    )
    routes = "\n".join(f"  - {{to: hook-{n}, digest: {{at: ['08:00']}}, continue: true}}" for n in range(3))
    drop = "folders: {drop: {path: drop}}\ntopics: {mali: mali}"
    return f"feeds:\n{feeds}\n{drop}\nreceivers:\n{hooks}\nroutes:\n{routes}\n"


def _socket(root: Path) -> str:
    recorded = root / "data" / "redis.sock.path"
    return recorded.read_text().strip() if recorded.exists() else str(root / "data" / "redis.sock")


def _server_pid(root: Path) -> int:
    with redis.Redis(unix_socket_path=_socket(root)) as client:
        return int(client.info("server")["process_id"])


def _service_pids(pid: int, server: int) -> tuple[int, ...]:
    """The process and its children, without the server."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return pid, *(int(child) for child in children if int(child) != server)


def _commands(client: redis.Redis) -> Counter[str]:
    stats = client.info("commandstats")
    return Counter({name.removeprefix("cmdstat_"): int(facts["calls"]) for name, facts in stats.items()})


def _spent(pids: tuple[int, ...]) -> tuple[float, int]:
    """CPU seconds and voluntary context switches of these processes and all their threads until now."""
    cpu, switches = 0.0, 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            words = (task / "stat").read_text().rpartition(")")[2].split()
            cpu += (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
            status = (task / "status").read_text()
            switches += int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])
    return cpu, switches
