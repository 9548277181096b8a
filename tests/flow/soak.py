"""A seeded soak: every role in a process of its own, killed at random with the store; nothing may be lost.

`python -m tests.flow.soak [SECONDS] [SEED]`. The seed is printed first; the same seed gives the same kills in the
same order, though not at the same instant of the work: that is up to the machine.
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
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import redis

from tests.flow.rig import Rig

ROLES = ("poll", "match", "notify", "notify")
DEEDS = ("publish", "publish", "drop", "kill", "kill", "kill", "store", "freeze", "refuse")
_QUIET_SECONDS = 180


@dataclass
class Soak:
    """What happened: how often each role and the store were killed, what was told, and how often twice.

    `poison` counts what was set aside because three workers in a row were killed that had it.
    """

    kills: Counter[str] = field(default_factory=Counter)
    told: int = 0
    repeats: int = 0
    poison: int = 0

    def __str__(self) -> str:
        killed = ", ".join(f"{role} {count}" for role, count in sorted(self.kills.items()))
        return (
            f"{self.told} articles told, 0 lost, {self.repeats} deliveries repeated, {self.poison} sent again after "
            f"three of their workers were killed; killed: {killed}"
        )


def soak(rig: Rig, seconds: float, seed: int) -> Soak:
    """Kill for so long, let everything come to rest, and ask the oracle. Raises AssertionError."""
    chance, found = random.Random(seed), Soak()
    rig.world.window = 150
    rig.config.write_text(
        rig.config.read_text().replace(
            "    timeout: 10s", "    timeout: 10s\n    retry: {schedule: [1s, 1s, 2s, 2s, 5s, 5s, 5s, 10s, 10s, 30s]}"
        )
    )
    running: list[subprocess.Popen[bytes] | None] = [None] * len(ROLES)
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for n, role in enumerate(ROLES):
            if (process := running[n]) is None or process.poll() is not None:
                running[n] = rig.start(role)
        deed, victim = chance.choice(DEEDS), chance.randrange(len(ROLES))
        time.sleep(chance.uniform(0.3, 1.5))
        process = running[victim]
        assert process is not None
        if deed == "publish":
            rig.publish(f"n{number}", f"n{number + 1}")
            number += 2
        elif deed == "drop":
            rig.drop(f"f{number}")
            number += 1
        elif deed == "kill":
            process.kill()
            process.wait()
            found.kills[ROLES[victim]] += 1
        elif deed == "store":
            with suppress(redis.exceptions.RedisError, ProcessLookupError, OSError):
                os.kill(rig.server_pid, signal.SIGKILL)
                found.kills["store"] += 1
        elif deed == "freeze":
            process.send_signal(signal.SIGSTOP)
            time.sleep(chance.uniform(0.5, 3))
            process.send_signal(signal.SIGCONT)
        elif deed == "refuse":
            rig.world.answers = [(503, {})] * chance.randint(1, 3)
    rig.world.answers = []
    for n, role in enumerate(ROLES):
        if (process := running[n]) is None or process.poll() is not None:
            running[n] = rig.start(role)
    rig.until(rig.answers, 60)
    # Each trial of an open breaker may have met a refusal and doubled the pause; a person would not wait for the end.
    rig.ask("receiver", "enable", "inbox")
    rig.until_quiet(_QUIET_SECONDS)
    found.poison = rig.poison
    assert 3 * rig.poison <= found.kills.total(), "more is set aside than kills can explain"
    found.told = len(set(rig.world.told()))
    with rig.world.lock:
        ids = [id_ for id_, _ in rig.world.got]
    found.repeats = len(ids) - len(set(ids))
    # At most the one delivery in flight each time somebody who may know of its "yes" dies or is frozen.
    rig.check(repeats=found.kills["notify"] + found.kills["store"] + 1)
    return found


def say(line: str) -> None:
    """A line for whoever watches, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """The command."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(10**6)
    say(f"soak of {seconds:.0f} s, seed {seed}: again with SECONDS={seconds:.0f} SEED={seed}")
    with tempfile.TemporaryDirectory(prefix="wp-soak-") as folder:
        rig = Rig(Path(folder))
        try:
            say(str(soak(rig, seconds, seed)))
        finally:
            rig.close()


if __name__ == "__main__":
    main()
