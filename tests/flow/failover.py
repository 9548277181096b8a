"""A seeded run on three hosts whose store fails over: primaries killed, hosts cut off, disks full, lines slow.

`python -m tests.flow.failover [SECONDS] [SEED]`. Each host has a Valkey and a Sentinel, two of them have every role.
The oracle is that of the flow tests: nothing published is lost, one id has one content, the sums of the ledger meet.
After each fault that takes the primary away, something is published: it must be delivered within SERVICE_SECONDS.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import redis

from tests.flow.hosts import Host, Hosts, three_hosts
from tests.flow.rig import Rig

ROLES = ("poll", "match", "notify")
SERVICE_SECONDS = 15.0
_QUIET_SECONDS = 180
_LONGEST_WAIT = 150
_DEEDS = (
    *("primary", "primary", "cut off", "slow", "freeze store", "replica", "full disk"),
    *("kill", "kill", "freeze", "sentinel", "refuse", "drop", "drop"),
)
_STOPS_A_SENDER = ("kill", "freeze", "cut off", "primary", "freeze store", "replica", "full disk")
"""Each may end a sender between the receiver's answer and its record in the store, or in the journal of one host."""
_TAKES_THE_PRIMARY = ("primary", "cut off", "freeze store")


@dataclass
class Failover:
    """What happened: the deeds, what came twice, and how long the service was away each time that the primary went.

    The seconds count from the fault, and from when another primary accepted writes without a further break: a Sentinel
    that was cut off may turn the new primary into a replica of the old one, until the others choose once more.
    """

    deeds: Counter[str] = field(default_factory=Counter)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    after_room: list[float] = field(default_factory=list)  # seconds from when a full disk had room to a delivery
    late: list[float] = field(default_factory=list)  # seconds beyond what a machine as busy as this one may take
    told: int = 0
    repeats: int = 0
    twice: int = 0

    def __str__(self) -> str:
        deeds = ", ".join(f"{deed} {count}" for deed, count in sorted(self.deeds.items()))
        gaps = " ".join(f"{whole:.1f}/{since:.1f}" for whole, since in self.gaps)
        rooms = " ".join(f"{each:.1f}" for each in self.after_room) or "none"
        return (
            f"{self.told} articles sent, 0 lost, {self.repeats} deliveries repeated, {self.twice} articles in two "
            f"deliveries; {deeds}; seconds until the next delivery, from the fault and from when another "
            f"primary accepted writes: {gaps}; from when a full disk had room again: {rooms}; "
            f"load at the end: {os.getloadavg()[0]:.0f}"
        )


class _Run:
    """One run: what is done to the hosts, and what comes of it."""

    def __init__(self, rig: Rig, hosts: Hosts, seed: int) -> None:
        self.rig, self.hosts, self.chance, self.found = rig, hosts, random.Random(seed), Failover()
        self.number = 0
        self.roles: dict[tuple[int, str], subprocess.Popen[bytes]] = {}
        rig.config.write_text(
            rig.config.read_text()
            .replace("lease: 1s", "lease: 3s")
            .replace(
                "    timeout: 10s",
                "    timeout: 5s\n    retry: {schedule: [1s, 1s, 2s, 2s, 5s, 5s, 5s, 10s, 10s, 30s]}",
            )
        )

    def start_roles(self) -> None:
        """Start what does not run: every role on two hosts, each with a data directory of its own."""
        for number in (0, 1):
            host = self.hosts.members[number]
            for role in ROLES:
                process = self.roles.get((number, role))
                if process is None or process.poll() is not None:
                    env = {"WATCHPOST_REDIS_URL": self.hosts.url}
                    place = self.rig.root / f"data{number}"
                    started = self.rig.start(role, "--data", str(place), env=env, prefix=host.prefix)
                    self.roles[number, role] = started
                    host.others = [self.roles[key] for key in self.roles if key[0] == number]

    def publish(self, count: int = 2) -> str:
        """New articles in the feed; returns the last one's title."""
        titles = [f"n{self.number + n}" for n in range(count)]
        self.number += count
        self.rig.publish(*titles)
        return titles[-1]

    def act(self, deed: str) -> None:
        """Do it, and undo it after a while."""
        begun, primary = time.monotonic(), self.hosts.primary()
        self.found.deeds[deed] += 1
        key = self.chance.choice(sorted(self.roles))
        if deed == "primary":
            self._restarted(primary, self.chance.uniform(0, 6))
        elif deed == "replica":
            self._restarted(next(host for host in self.hosts.members if host is not primary), self.chance.uniform(0, 3))
        elif deed == "cut off":
            primary.cut_off()
            self.act("drop")  # what a poller that is cut off confirms is lost, and must be read again
            self._until_served(begun)
            time.sleep(self.chance.uniform(0, 5))
            primary.join()
        elif deed == "freeze store":
            assert primary.store is not None
            primary.store.send_signal(signal.SIGSTOP)
            self._until_served(begun)
            primary.store.send_signal(signal.SIGCONT)
        elif deed == "full disk":
            self._fill_disk(primary)
        elif deed == "slow":
            self._slow_down()
        elif deed == "kill":
            self.roles[key].kill()
            self.roles[key].wait()
        elif deed == "freeze":
            self.roles[key].send_signal(signal.SIGSTOP)
            time.sleep(self.chance.uniform(0.5, 5))
            self.roles[key].send_signal(signal.SIGCONT)
        elif deed == "sentinel":
            self._restart_sentinel(primary)
        elif deed == "refuse":
            self.rig.world.answers = [(503, {})] * self.chance.randint(1, 3)
        elif deed == "drop":
            self.rig.drop(f"f{self.number}")
            self.number += 1

    def _restart_sentinel(self, primary: Host) -> None:
        host = self.chance.choice(self.hosts.members)
        assert host.sentinel is not None
        host.sentinel.kill()
        host.sentinel.wait()
        time.sleep(self.chance.uniform(0, 3))
        host.start_sentinel(primary)

    def _slow_down(self) -> None:
        host, seconds = self.chance.choice(self.hosts.members), self.chance.uniform(2, 6)
        if host.slow_down():
            time.sleep(seconds)
            host.speed_up()
        else:
            self._stutter(host, seconds)

    def _fill_disk(self, primary: Host) -> None:
        """The primary's disk is full for a while.

        A server that cannot write its file refuses PING as well (MISCONF), so that Sentinels choose another primary if
        it lasts for longer than DOWN_AFTER_MS. Else everything waits for room.
        """
        if not primary.fill_disk():
            self.found.deeds["full disk"] -= 1  # this user cannot mount a disk that is small enough
            return
        self.rig.until(primary.refuses_writes)
        self.publish(3)
        if self.chance.random() < 0.5:
            self._until_served(time.monotonic())  # by another primary
            primary.clear_disk()
            return
        time.sleep(self.chance.uniform(0.2, 1))
        primary.clear_disk()
        begun = time.monotonic()
        waiting = self.publish(1)
        self.rig.until(lambda: waiting in self.rig.world.told(), _LONGEST_WAIT)
        self.found.after_room.append(time.monotonic() - begun)
        self._judge(self.found.after_room[-1])

    def _stutter(self, host: Host, seconds: float) -> None:
        """Where a line cannot be slowed down: stop the store again and again, for a moment each time."""
        assert host.store is not None
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            host.store.send_signal(signal.SIGSTOP)
            time.sleep(0.3)
            host.store.send_signal(signal.SIGCONT)
            time.sleep(0.1)

    def _restarted(self, host: Host, seconds: float) -> None:
        """Kill a store, start it again later; if it was the primary, the service goes on meanwhile."""
        begun, primary = time.monotonic(), self.hosts.primary()
        assert host.store is not None
        host.store.kill()
        host.store.wait()
        if host is primary:
            self._until_served(begun)
        time.sleep(seconds)
        host.start_store()

    def _until_served(self, begun: float) -> None:
        """Until something published now has come to a reader; `begun` is when the fault was."""
        title, accepted = self.publish(1), 0.0

        def served() -> bool:
            nonlocal accepted
            if not self.hosts.primary().takes_writes():
                accepted = 0.0
            elif not accepted:
                accepted = time.monotonic()
            self.start_roles()  # one that starts while no primary is there ends; systemd would start it again
            return title in self.rig.world.told()

        self.rig.until(served, _LONGEST_WAIT)
        now = time.monotonic()
        self.found.gaps.append((now - begun, now - (accepted or now)))
        self._judge(now - (accepted or now))

    def _judge(self, seconds: float) -> None:
        """Note it if that is late. A role that starts again needs its share of a machine that others may use, too."""
        share = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        if seconds > SERVICE_SECONDS * share:
            self.found.late.append(seconds)

    def until_calm(self) -> None:
        """Until both replicas follow and the receiver accepts, so that each fault of a primary comes alone."""
        self.rig.world.answers = []
        self.rig.until(self.hosts.ready, _LONGEST_WAIT)
        with redis.Redis.from_url(self.hosts.primary().url) as client:
            client.delete("{wp}:receiver:inbox")  # a person would enable it

    def go(self, seconds: float) -> Failover:
        """Run for so long, let all come to rest, ask the oracle. Raises AssertionError."""
        self.start_roles()
        first = self.publish()
        self.rig.until(lambda: first in self.rig.world.told(), _LONGEST_WAIT)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.publish()
            deed = self.chance.choice(_DEEDS)
            if deed in (*_TAKES_THE_PRIMARY, "full disk"):
                self.start_roles()
                self.until_calm()
                self.publish(5)
            time.sleep(self.chance.uniform(0.2, 1.5))
            self.act(deed)
            self.start_roles()
        return self.come_to_rest()

    def come_to_rest(self) -> Failover:
        """Everything is whole again; what waits is sent. Then the oracle judges."""
        self.until_calm()
        self.start_roles()
        self.rig.until_quiet(_QUIET_SECONDS, self.hosts.primary().url)
        told = self.rig.world.told()
        self.found.told, self.found.twice = len(set(told)), len(told) - len(set(told))
        with self.rig.world.lock:
            ids = [id_ for id_, _ in self.rig.world.got]
        self.found.repeats = len(ids) - len(set(ids))
        return self.found


def failover(rig: Rig, hosts: Hosts, seconds: float, seed: int) -> Failover:
    """A run, judged. Raises AssertionError."""
    run = _Run(rig, hosts, seed)
    found = run.go(seconds)
    deaths = sum(found.deeds[deed] for deed in _STOPS_A_SENDER)
    # Replication is asynchronous: a new primary may not know that a window was closed, and its hits go out once more.
    rig.check(repeats=deaths + 1, twice=3 * deaths, url=hosts.primary().url)
    assert not found.late, f"no service for long: {found}\n{rig.log()}"
    return found


def main() -> None:
    """The command."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 900.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(10**6)
    sys.stdout.write(f"failover of {seconds:.0f} s, seed {seed}: again with SECONDS={seconds:.0f} SEED={seed}\n")
    sys.stdout.flush()
    with three_hosts() as hosts, tempfile.TemporaryDirectory(prefix="wp-failover-") as folder:
        rig = Rig(Path(folder), address=hosts.gateway)
        try:
            sys.stdout.write(f"{failover(rig, hosts, seconds, seed)}\n")
        finally:
            if kept := os.environ.get("KEEP_LOGS"):
                for log in (Path(folder) / "log.txt", *(log for host in hosts.members for log in host.logs())):
                    (Path(kept) / f"{log.parent.name}-{log.name}").write_bytes(log.read_bytes())
            rig.close()


if __name__ == "__main__":
    main()
