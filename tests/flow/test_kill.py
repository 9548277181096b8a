"""Kill -9 at every named point of an article's way: nothing is lost, nothing is told twice.

Faults 1-3, 5-9, 13 and 34 of the findings on redis-queue, section 4. The only place where a repeat is possible
is between the other side's "yes" and the journal; it carries the same id and the same bytes.
"""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.flow.rig import Rig
from watchpost import failpoints

TITLES = [f"report-{n:02d}" for n in range(12)]
REPEATS = {"notify.sent": 1}
_MOST_WAITING = 40  # a busy machine is not made busier


@pytest.mark.timeout(400)
@pytest.mark.parametrize("nth", [1, 3])
@pytest.mark.parametrize("point", failpoints.POINTS)
def test_killed_at(rig: Rig, point: str, nth: int) -> None:
    rig.publish(*TITLES)
    for n in range(3):
        rig.drop(f"file-{n}")
    process = rig.start(env={"WATCHPOST_CRASH_AT": f"{point}:{nth}"})

    def work() -> None:
        if nth > 1 and len(rig.world.told()) > len(rig.world.everything()) - _MOST_WAITING:
            rig.publish(f"more-{len(rig.world.everything())}")  # work for the later rounds
            time.sleep(0.3)

    caught = rig.until_killed(process, work)
    rig.start()
    rig.until(rig.answers)
    rig.until(rig.quiet)
    rig.check(repeats=max(caught, REPEATS.get(point, 0)))
    rig.check_archive()
    rig.check_events()


def test_the_store_is_killed_again_and_again(rig: Rig) -> None:
    rig.start()
    rig.until((rig.data / "redis.lock").exists)
    for round_ in range(5):
        rig.publish(*(f"r{round_}-{n}" for n in range(10)))
        rig.drop(f"f{round_}")
        time.sleep(1.2)
        rig.until(rig.answers)
        os.kill(rig.server_pid, signal.SIGKILL)
    rig.until(rig.answers)
    rig.until(rig.quiet)
    # A store that dies between the inbox's "yes" and DONE is told later; the journal keeps that from being a repeat.
    rig.check()
    rig.check_archive()
    (process,) = rig.processes
    assert process.poll() is None, "the service outlives its store"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


@pytest.mark.parametrize("after", [0.0, 0.3, 0.6, 0.9, 1.2])
def test_sigterm_at_any_moment_ends_in_time_with_exit_0_and_keeps_everything(rig: Rig, after: float) -> None:
    rig.publish(*TITLES)
    rig.world.hook_delay = 0.1
    process = rig.start()
    rig.until(lambda: "run.starting" in rig.log())
    time.sleep(after)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, rig.log()  # it takes 10 s at most where it has the processor: Docker waits no longer
    rig.start()
    rig.until(rig.answers)
    rig.until(rig.quiet)
    rig.check_archive()
    rig.check(repeats=1)  # an answer that came after our patience ended


def test_ctrl_c_ends_with_130_and_a_second_start_tells_nothing_twice(rig: Rig) -> None:
    rig.publish(*TITLES)
    process = rig.start()
    rig.until(lambda: len(rig.world.told()) == len(TITLES))
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    told = len(rig.world.got)
    rig.once()
    assert len(rig.world.got) == told
