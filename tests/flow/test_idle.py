"""What a service asks while nothing happens: counted round trips to its server, which no other load changes."""

from __future__ import annotations

import time

import redis

from tests.flow.rig import Rig

SETTLED_SECONDS = 15.0  # a folder in which something has just happened is scanned more often
COUNTED_SECONDS = 12.0


def test_a_service_in_which_nothing_happens_asks_its_server_rarely_and_notices_what_comes(rig: Rig) -> None:
    text = rig.config.read_text("utf-8").replace("every: 1s", "every: 10m").replace("lease: 1s", "lease: 30s")
    rig.config.write_text(text, "utf-8")
    rig.start()
    rig.until(rig.answers, 60)
    time.sleep(SETTLED_SECONDS)
    with rig.client() as client:
        before, begun = reads(client), time.monotonic()
        time.sleep(COUNTED_SECONDS)
        count, took = reads(client) - before, time.monotonic() - begun
    assert count <= 3 * took, "it is meant to be half as many"
    rig.drop("late")
    rig.until(lambda: rig.world.told() == ["late"], 60)


def reads(client: redis.Redis) -> int:
    """How often the server has read something: once for all commands of a round trip."""
    return int(client.info("stats")["total_reads_processed"])
