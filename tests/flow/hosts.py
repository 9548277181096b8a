"""Three hosts, each with a Valkey and a Sentinel: network namespaces where this user may make them, else loopback.

A host in a namespace can be cut off from the others. On loopback addresses its processes are stopped instead.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.flow.disk import FILLER, fill
from watchpost.store.server.binary import find_binary

NAME = "news"
PASSWORD = "of the/servers?"  # with what must be percent-encoded
SENTINEL_PASSWORD = "of the sentinels"
DOWN_AFTER_MS = 2000
_DISK_MEGABYTES = 64
_SHORTLY: dict[str, Any] = {"socket_timeout": 1, "socket_connect_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}


def _run(*words: str, check: bool = True) -> bool:
    return subprocess.run(words, capture_output=True, check=check).returncode == 0


@dataclass
class Host:
    """One of the three: its address, its two servers, and what else was started on it."""

    address: str
    port: int
    directory: Path
    namespace: str = ""
    link: str = ""
    store: subprocess.Popen[bytes] | None = None
    sentinel: subprocess.Popen[bytes] | None = None
    others: list[subprocess.Popen[bytes]] = field(default_factory=list)
    has_disk: bool = False

    @property
    def prefix(self) -> tuple[str, ...]:
        """What a command begins with, to run on this host."""
        return ("ip", "netns", "exec", self.namespace) if self.namespace else ()

    def start_store(self, primary: Host | None = None) -> None:
        """Start the Valkey on its directory; a replica of `primary`, as far as its own file says nothing else."""
        file = self.directory / "valkey.conf"
        if not file.exists():
            follows = f"replicaof {primary.address} {primary.port}\n" if primary else ""
            file.write_text(
                f"bind {self.address}\nport {self.port}\ndir {self.directory}\nappendonly yes\n"
                f'requirepass "{PASSWORD}"\nprimaryauth "{PASSWORD}"\nreplica-announce-ip {self.address}\n'
                f"min-replicas-to-write 1\nmin-replicas-max-lag 3\nrepl-diskless-sync-delay 0\n"
                f"repl-timeout 5\nrepl-ping-replica-period 1\nmaxmemory-policy noeviction\n"
                f"logfile {self.directory}/valkey.log\n{follows}"
            )
        self.store = self._start(str(file))

    def start_sentinel(self, primary: Host) -> None:
        """Start the Sentinel; it keeps its own file up to date."""
        file = self.directory / "sentinel.conf"
        if not file.exists():
            file.write_text(
                f"bind {self.address}\nport {self.port + 1}\ndir {self.directory}\n"
                f'requirepass "{SENTINEL_PASSWORD}"\nsentinel sentinel-pass "{SENTINEL_PASSWORD}"\n'
                f"sentinel announce-ip {self.address}\n"
                f"sentinel monitor {NAME} {primary.address} {primary.port} 2\n"
                f'sentinel auth-pass {NAME} "{PASSWORD}"\n'
                f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}\n"
                f"sentinel failover-timeout {NAME} 3000\nsentinel parallel-syncs {NAME} 1\n"
                f"logfile {self.directory}/sentinel.log\n"
            )
        self.sentinel = self._start(str(file), "--sentinel")

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        command = [*self.prefix, str(find_binary(os.environ)), *words]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @property
    def url(self) -> str:
        """This host's Valkey, whatever its role."""
        return f"redis://:{quote(PASSWORD, safe='')}@{self.address}:{self.port}/0"

    def logs(self) -> tuple[Path, ...]:
        """What its two servers wrote."""
        return tuple(self.directory.glob("*.log"))

    def ask_sentinel(self) -> redis.Redis:
        """A client of this host's Sentinel."""
        return redis.Redis(host=self.address, port=self.port + 1, password=SENTINEL_PASSWORD, **_SHORTLY)

    def cut_off(self) -> None:
        """From now on nothing goes to this host or comes from it."""
        if self.namespace:
            _run("ip", "link", "set", self.link, "down")
        else:
            self._signal(signal.SIGSTOP)

    def join(self) -> None:
        """It is there again."""
        if self.namespace:
            _run("ip", "link", "set", self.link, "up")
        else:
            self._signal(signal.SIGCONT)

    def slow_down(self) -> bool:
        """Let its line carry 32 kB a second; False where that cannot be had."""
        rate = ("rate", "256kbit", "burst", "4kb", "latency", "400ms")
        return bool(self.namespace) and _run("tc", "qdisc", "add", "dev", self.link, "root", "tbf", *rate, check=False)

    def speed_up(self) -> None:
        """Its line is as fast as before."""
        if self.namespace:
            _run("tc", "qdisc", "del", "dev", self.link, "root", check=False)

    def make_disk(self) -> None:
        """Make its directory, with a file system of its own in it where this user may mount one."""
        self.directory.mkdir()
        size = f"size={_DISK_MEGABYTES}m"
        if os.getuid() == 0 and shutil.which("mount"):
            self.has_disk = _run("mount", "-t", "tmpfs", "-o", size, "tmpfs", str(self.directory), check=False)

    def fill_disk(self) -> bool:
        """Leave no room on its disk, so that its Valkey refuses writes; False where it has no disk of its own."""
        if self.has_disk:
            fill(self.directory)
        return self.has_disk

    def clear_disk(self) -> None:
        """Its disk has room again, and its Valkey writes its file anew.

        Without that, a server that is killed later finds zeros in its file where a write was cut off, and does not
        start: after a rewrite it appends without O_APPEND (watchpost.store.server.datadir).
        """
        (self.directory / FILLER).unlink(missing_ok=True)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with suppress(redis.exceptions.RedisError, OSError), redis.Redis.from_url(self.url, **_SHORTLY) as client:
                client.bgrewriteaof()  # it may have to wait for another child of the server
                while (facts := client.info("persistence"))["aof_rewrite_in_progress"] or facts[
                    "aof_rewrite_scheduled"
                ]:
                    time.sleep(0.1)
                if facts["aof_last_bgrewrite_status"] == "ok":
                    return
            time.sleep(0.2)

    def takes_writes(self) -> bool:
        """Whether its Valkey is a primary that accepts writes."""
        try:
            with redis.Redis.from_url(self.url, **_SHORTLY) as client:
                client.set("room", 1)
                client.delete("room")
        except (redis.exceptions.RedisError, OSError):
            return False
        return True

    def refuses_writes(self) -> bool:
        """Whether its Valkey says that its file cannot be written."""
        try:
            with redis.Redis.from_url(self.url, **_SHORTLY) as client:
                client.set("room", 1)
                client.delete("room")
        except redis.exceptions.ResponseError as error:
            return str(error).startswith("MISCONF")
        except (redis.exceptions.RedisError, OSError):
            return False
        return False

    def _signal(self, number: signal.Signals) -> None:
        for process in (self.store, self.sentinel, *self.others):
            if process is not None and process.poll() is None:
                process.send_signal(number)

    def end(self) -> None:
        """Kill everything on it."""
        self._signal(signal.SIGCONT)
        for process in (self.store, self.sentinel, *self.others):
            if process is not None:
                process.kill()
                process.wait()
        if self.namespace:
            _run("ip", "netns", "del", self.namespace, check=False)
        if self.has_disk:
            _run("umount", "--lazy", str(self.directory), check=False)


@dataclass
class Hosts:
    """The three hosts. `gateway` is this machine's own address, as they see it."""

    members: tuple[Host, ...]
    gateway: str
    bridge: str = ""

    @property
    def url(self) -> str:
        """Where watchpost finds the primary, by asking the Sentinels."""
        quoted = [quote(word, safe="") for word in (PASSWORD, SENTINEL_PASSWORD)]
        places = ",".join(f"{host.address}:{host.port + 1}" for host in self.members)
        return f"redis+sentinel://:{quoted[0]}@{places}/{NAME}/0?sentinel_password={quoted[1]}"

    def primary(self) -> Host:
        """The host whose Valkey most Sentinels call the primary."""
        votes: dict[tuple[str, int], int] = {}
        for host in self.members:
            with suppress(redis.exceptions.RedisError, OSError):
                with host.ask_sentinel() as client:
                    address, port = client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
                place = (address.decode(), int(port))
                votes[place] = votes.get(place, 0) + 1
        best = max(votes, key=lambda place: votes[place], default=("", 0))
        return next((host for host in self.members if (host.address, host.port) == best), self.members[0])

    def ready(self) -> bool:
        """Whether one primary takes writes, has both replicas, and all Sentinels know each other."""
        try:
            with redis.Redis.from_url(self.primary().url, **_SHORTLY) as client:
                client.set("ready", 1)
                replicas = int(client.info("replication")["connected_slaves"])
                client.delete("ready")
            for host in self.members:
                with host.ask_sentinel() as client:
                    state = client.sentinel_master(NAME)
                    if state["num-other-sentinels"] < 2 or state["num-slaves"] < 2:
                        return False
        except (redis.exceptions.RedisError, OSError):
            return False
        return replicas == 2

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Until it is. Raises AssertionError."""
        end = time.monotonic() + seconds
        while not self.ready():
            assert time.monotonic() < end, "the servers do not find each other"
            time.sleep(0.2)


def _free_port() -> int:
    """A port with a free neighbour, on whatever address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1]) // 2 * 2 - 1024


def _namespaces(root: Path) -> Hosts | None:
    """Three network namespaces on one bridge; None where this user may not make them."""
    if sys.platform != "linux" or os.getuid() != 0 or not shutil.which("ip"):
        return None
    tag, net = secrets.token_hex(3), f"10.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}"
    bridge = f"wb{tag}"
    if not _run("ip", "link", "add", bridge, "type", "bridge", check=False):
        return None
    _run("ip", "addr", "add", f"{net}.254/24", "dev", bridge)
    _run("ip", "link", "set", bridge, "up")
    hosts = []
    for number in (1, 2, 3):
        space, link, inner = f"wp{tag}-{number}", f"wv{tag}{number}", f"wi{tag}{number}"
        _run("ip", "netns", "add", space)
        _run("ip", "link", "add", link, "type", "veth", "peer", "name", inner)
        _run("ip", "link", "set", inner, "netns", space)
        _run("ip", "link", "set", link, "master", bridge, "up")
        _run("ip", "-n", space, "addr", "add", f"{net}.{number}/24", "dev", inner)
        _run("ip", "-n", space, "link", "set", inner, "up")
        _run("ip", "-n", space, "link", "set", "lo", "up")
        hosts.append(Host(f"{net}.{number}", 7000, root / f"host{number}", space, link))
    return Hosts(tuple(hosts), f"{net}.254", bridge)


def _loopback(root: Path) -> Hosts:
    port = _free_port()
    return Hosts(tuple(Host(f"127.0.91.{n}", port, root / f"host{n}") for n in (1, 2, 3)), "127.0.0.1")


@contextmanager
def three_hosts(*, namespaces: bool = True) -> Iterator[Hosts]:
    """Three hosts with a store that fails over; all ends with the block. `namespaces`: if they can be had."""
    root = Path(tempfile.mkdtemp(prefix="wp-hosts-"))
    hosts = (_namespaces(root) if namespaces else None) or _loopback(root)
    try:
        first = hosts.members[0]
        for host in hosts.members:
            host.make_disk()
            host.start_store(None if host is first else first)
        for host in hosts.members:
            host.start_sentinel(first)
        hosts.wait_until_ready()
        yield hosts
    finally:
        for host in hosts.members:
            host.end()
        if hosts.bridge:
            _run("ip", "link", "del", hosts.bridge, check=False)
        shutil.rmtree(root, ignore_errors=True)
