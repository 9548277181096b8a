"""Faults 18, 19 and 21: a bad network, a machine that is cut off, a store that refuses. Nothing lost, nothing twice."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis

from tests.flow.chaos import Chaos, Trouble, chaos
from tests.flow.rig import Rig
from tests.servers import ValkeyServer, valkey_server


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    with valkey_server() as made:
        yield made


@pytest.fixture
def bad(server: ValkeyServer) -> Iterator[Chaos]:
    with chaos(server.url.removeprefix("unix://")) as made:
        yield made


@pytest.mark.timeout(400)
@pytest.mark.parametrize("trouble", ["replies lost", "cut", "reset", "blackhole", "delay", "slow"])
def test_whatever_the_network_does_nothing_is_lost_or_told_twice(
    rig: Rig, server: ValkeyServer, bad: Chaos, trouble: Trouble
) -> None:
    process = rig.start(env={"WATCHPOST_REDIS_URL": bad.url})
    rig.publish("before")
    rig.until(lambda: rig.world.told() == ["before"])
    for round_ in range(3):
        bad.trouble = trouble
        rig.publish(*(f"r{round_}-{n}" for n in range(4)))
        rig.drop(f"f{round_}")
        time.sleep(1.5)
        bad.trouble = ""
        if trouble == "blackhole":
            bad.drop_all()
        time.sleep(1.0)
    assert bad.hit > 0
    rig.until(lambda: rig.quiet(server.url))
    rig.check(url=server.url)
    assert process.poll() is None


@pytest.mark.timeout(400)
def test_a_machine_that_is_cut_off_gives_its_work_to_the_others_and_takes_nothing_back(
    rig: Rig, server: ValkeyServer, bad: Chaos
) -> None:
    rig.start(env={"WATCHPOST_REDIS_URL": bad.url, "WATCHPOST_DATA": str(rig.root / "far")})
    rig.publish(*(f"a{n}" for n in range(5)))
    rig.until(lambda: len(rig.world.told()) == 5)
    bad.trouble = "blackhole"
    rig.start("all", env={"WATCHPOST_REDIS_URL": server.url})
    rig.publish(*(f"b{n}" for n in range(5)))
    rig.until(lambda: len(rig.world.told()) == 10)
    bad.trouble = ""
    bad.drop_all()
    rig.publish("after")
    rig.until(lambda: rig.quiet(server.url))
    rig.check(url=server.url)


def test_a_store_that_turns_read_only_forgets_its_scripts_or_is_full_is_waited_for(
    rig: Rig, server: ValkeyServer
) -> None:
    process = rig.start(env={"WATCHPOST_REDIS_URL": server.url})
    rig.publish("first")
    rig.until(lambda: rig.world.told() == ["first"])
    with redis.Redis.from_url(server.url) as client:
        troubles = (
            ("SCRIPT FLUSH", "PING"),
            ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
            ("CONFIG SET maxmemory 1mb", "CONFIG SET maxmemory 0"),
        )
        for n, (trouble, cure) in enumerate(troubles):
            client.execute_command(*trouble.split())
            rig.publish(f"during-{n}")
            time.sleep(1.5)
            client.execute_command(*cure.split())
            rig.until(lambda n=n: f"during-{n}" in rig.world.told(), 60)  # type: ignore[misc]  # bound at once
    rig.until(lambda: rig.quiet(server.url))
    rig.check(url=server.url)
    assert process.poll() is None


@pytest.mark.timeout(400)
def test_memory_runs_out_while_nobody_sends_and_a_new_sender_drains_the_backlog(rig: Rig, server: ValkeyServer) -> None:
    """Fault 16: what does not fit is refused whole, and comes again."""
    env = {"WATCHPOST_REDIS_URL": server.url}
    rig.start("poll", env=env)
    rig.start("match", env=env)
    notifier = rig.start("notify", env=env)
    rig.publish("first")
    rig.until(lambda: rig.world.told() == ["first"])
    notifier.kill()
    died = time.monotonic()
    notifier.wait()
    with redis.Redis.from_url(server.url) as client:
        rig.publish(*(f"parked-{n}" for n in range(10)))
        rig.until(lambda: client.hlen("{wp}:open") == 1 and client.xlen("{wp}:articles") == 0)
        client.config_set("maxmemory", "1mb")
        rig.publish(*(f"refused-{n}" for n in range(10)))
        rig.until(lambda: "redis.full" in rig.log())
        rig.start("notify", env=env)
        rig.until(lambda: len(rig.world.told()) == 11)
        assert client.xlen("{wp}:articles") == 0, "refused whole"
        client.config_set("maxmemory", 0)
    rig.until(lambda: rig.quiet(server.url))
    rig.check(url=server.url, repeats=rig.in_flight(died))
