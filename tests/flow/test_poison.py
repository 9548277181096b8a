"""Faults 29, 33 and 38: a delivery that kills its worker, a storm of hits, and answers that come too late."""

from __future__ import annotations

import json
import signal

import pytest

from tests.flow.rig import Rig
from tests.flow.test_operating import ask_json


@pytest.mark.timeout(400)
def test_a_delivery_that_kills_its_worker_is_set_aside_after_three_and_can_be_sent_again(rig: Rig) -> None:
    rig.publish("deadly")
    for _ in range(3):
        process = rig.start(env={"WATCHPOST_CRASH_AT": "notify.claimed"})
        rig.until(lambda: process.poll() is not None, 60)  # noqa: B023 - used at once
        assert process.returncode == -signal.SIGKILL
    rig.start()
    rig.until(lambda: rig.answers() and ask_json(rig, "queue", "status")["dead"] == 1)
    assert rig.world.got == []
    rig.publish("harmless")
    rig.until(lambda: rig.world.told() == ["harmless"])
    (dead_letter,) = ask_json(rig, "queue", "peek", "--dead")["letters"]
    assert dead_letter["reason"] == "poison"
    rig.ask("queue", "retry", "--dead")
    rig.until(rig.quiet)
    rig.check()


@pytest.mark.timeout(400)
def test_a_storm_of_hits_is_told_in_parts_with_ids_of_their_own(rig: Rig) -> None:
    rig.config.write_text(rig.config.read_text().replace("every: 1s,", "every: 1s, max_items: 10000,"))
    rig.publish(*(f"storm-{n:04d}" for n in range(2000)))
    rig.start()
    rig.until(rig.answers)
    rig.until(rig.quiet, 300)
    rig.check()
    assert max(len(body) for _, body in rig.world.got) <= 256 * 1024
    assert len(rig.world.got) > 1
    assert all(json.loads(body)["data"]["stories"] for _, body in rig.world.got)


def test_an_answer_that_comes_too_late_is_repeated_under_the_same_id(rig: Rig) -> None:
    rig.config.write_text(
        rig.config.read_text().replace("timeout: 10s", "timeout: 1s\n    retry: {schedule: [1s, 1s, 1s]}")
    )
    rig.world.hook_delays = [0, 2.0, 0, 0]
    rig.start()
    for n in range(4):
        rig.publish(f"n{n}")
        rig.until(lambda n=n: f"n{n}" in rig.world.told())  # type: ignore[misc]  # bound at once
    rig.until(rig.quiet)
    rig.check(repeats=1)
    assert len(rig.world.got) == 1 + len({id_ for id_, _ in rig.world.got}), "one was repeated"
