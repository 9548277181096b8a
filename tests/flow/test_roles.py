"""Roles in processes of their own, two of each, against one store: the same result as one process."""

from __future__ import annotations

import signal
import time

import pytest

from tests.flow.rig import Rig

ROLES = ("poll", "match", "notify")


def test_two_of_each_role_do_the_work_of_one(rig: Rig, empty_valkey_url: str) -> None:
    rig.env["WATCHPOST_REDIS_URL"] = empty_valkey_url
    for role in ROLES * 2:
        rig.start(role)
    for n in range(5):
        rig.publish(*(f"p{n}-{m}" for m in range(20)))
        rig.drop(f"d{n}")
        time.sleep(0.4)
    rig.until(lambda: len(set(rig.world.told())) == len(rig.world.everything()))
    stop_all(rig)
    rig.check(url=empty_valkey_url)


def test_two_pollers_fetch_a_feed_once_an_interval(rig: Rig, empty_valkey_url: str) -> None:
    rig.env["WATCHPOST_REDIS_URL"] = empty_valkey_url
    for _ in range(2):
        rig.start("poll")
    rig.until(lambda: len(rig.world.fetches) >= 6)
    gaps = [later - earlier for earlier, later in zip(rig.world.fetches, rig.world.fetches[1:], strict=False)]
    assert min(gaps) > 0.5, f"every: 1s, and yet {gaps}"


def test_a_poller_that_sleeps_beyond_its_lease_is_fenced(rig: Rig, empty_valkey_url: str) -> None:
    rig.env["WATCHPOST_REDIS_URL"] = empty_valkey_url
    rig.publish("a", "b", "c")
    rig.world.feed_delays = [60.0]
    slow = rig.start("poll")
    rig.until(lambda: len(rig.world.fetches) == 1)
    slow.send_signal(signal.SIGSTOP)
    for role in ROLES:
        rig.start(role)
    rig.until(lambda: len(rig.world.told()) == 3)
    slow.send_signal(signal.SIGCONT)
    rig.until(lambda: rig.quiet(empty_valkey_url))
    stop_all(rig)
    rig.check(url=empty_valkey_url)


@pytest.mark.parametrize("victim", ROLES)
def test_one_of_two_is_killed_and_the_other_goes_on(rig: Rig, empty_valkey_url: str, victim: str) -> None:
    rig.env["WATCHPOST_REDIS_URL"] = empty_valkey_url
    rig.world.hook_delay = 0.05
    started = {role: [rig.start(role) for _ in range(2)] for role in ROLES}
    for n in range(4):
        rig.publish(*(f"k{n}-{m}" for m in range(10)))
        time.sleep(0.5)
        if n == 1:
            started[victim][0].kill()
    rig.until(lambda: len(set(rig.world.told())) == len(rig.world.everything()))
    time.sleep(1.5)  # a lease: what the victim held comes to the other
    rig.until(lambda: rig.quiet(empty_valkey_url))
    stop_all(rig)
    rig.check(repeats=1 if victim == "notify" else 0, url=empty_valkey_url)


def test_a_receiver_slower_than_the_lease_is_told_once_by_two_notifiers(rig: Rig, empty_valkey_url: str) -> None:
    rig.env["WATCHPOST_REDIS_URL"] = empty_valkey_url
    rig.world.hook_delay = 4.0  # the lease is one second: only who renews keeps its work
    for role in (*ROLES, "notify"):
        rig.start(role)
    rig.publish("slow")
    rig.until(lambda: len(rig.world.got) == 1)
    rig.until(lambda: rig.quiet(empty_valkey_url))
    stop_all(rig)
    rig.check(url=empty_valkey_url)


def stop_all(rig: Rig) -> None:
    """End every process that still runs, politely."""
    for process in rig.processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in rig.processes:
        process.wait(15)
