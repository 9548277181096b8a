"""Faults 10, 11, 15 and 39: the power fails, the data are gone, the disk is full."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.flow.disk import copy_image, fill, make_image, mounted
from tests.flow.rig import Rig


def stop_all(rig: Rig) -> None:
    for process in rig.processes:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("fsync", ["everysec", "always"])
def test_after_a_power_cut_nothing_is_missing_and_only_the_last_second_is_told_again(
    rig: Rig, tmp_path: Path, fsync: str
) -> None:
    image = make_image(tmp_path / "disk.img", 700)
    env = {"WATCHPOST_REDIS_FSYNC": fsync}
    with mounted(image, tmp_path / "d") as place:
        rig.data = place / "w"
        rig.start(env=env)
        rig.publish("early")
        rig.until(lambda: rig.world.told() == ["early"])
        time.sleep(2.5)  # more than one tick of fsync
        for n in range(6):
            rig.publish(f"late-{n}")
            time.sleep(0.3)
        server = rig.server_pid
        os.kill(server, signal.SIGKILL)
        copy = copy_image(image, tmp_path / "copy.img")
        stop_all(rig)
        rig.close_server()
    with mounted(copy, tmp_path / "e") as place:
        rig.data = place / "w"
        rig.start(env=env)
        rig.until(rig.answers)
        rig.until(rig.quiet)
        told = rig.world.told()
        assert set(told) == set(rig.world.everything())
        assert told.count("early") == 1, "what was on the disk is not told again"
        stop_all(rig)
        rig.close_server()


@pytest.mark.timeout(400)
def test_a_full_disk_is_waited_for_and_nothing_is_lost(rig: Rig, tmp_path: Path) -> None:
    image = make_image(tmp_path / "disk.img", 700)
    with mounted(image, tmp_path / "d") as place:
        rig.data = place / "w"
        process = rig.start()
        rig.publish("before")
        rig.until(lambda: rig.world.told() == ["before"])
        filler = fill(place)
        rig.publish(*(f"full-{n}" for n in range(5)))
        full = "the disk with its file is full"
        rig.until(lambda: full in (rig.root / "log.txt").read_text())
        examined = rig.ask("doctor", code=1).stdout
        assert f"FAIL  redis: the store takes no writes now: {full}" in examined
        assert "df -h" in examined
        assert "no watchpost is running" not in examined
        status = rig.ask("queue", "status").stdout
        assert full in status
        assert "no process runs" not in status
        time.sleep(6)
        assert "no Redis answers" not in (rig.root / "log.txt").read_text()
        assert process.poll() is None
        filler.unlink()
        rig.until(rig.answers)
        rig.until(rig.quiet)
        rig.check(repeats=1)
        assert process.poll() is None
        stop_all(rig)
        rig.close_server()


def test_data_that_were_deleted_while_nothing_ran_are_begun_anew(rig: Rig) -> None:
    rig.publish("one", "two")
    rig.once()
    assert set(rig.world.told()) == {"one", "two"}
    shutil.rmtree(rig.data)
    process = rig.start()
    rig.publish("three")
    rig.until(lambda: "three" in rig.world.told())
    assert process.poll() is None
    assert set(rig.world.told()) == {"one", "two", "three"}


@pytest.mark.timeout(400)
def test_with_fsync_always_a_full_disk_ends_the_server_and_room_brings_it_back(rig: Rig, tmp_path: Path) -> None:
    image = make_image(tmp_path / "disk.img", 700)
    with mounted(image, tmp_path / "d") as place:
        rig.data = place / "w"
        process = rig.start(env={"WATCHPOST_REDIS_FSYNC": "always"})
        rig.publish("before")
        rig.until(lambda: rig.world.told() == ["before"])
        filler = fill(place)
        rig.publish(*(f"full-{n}" for n in range(5)))
        # Each try either fails at once (redis.down), or lasts until the next write (redis.died).
        rig.until(lambda: (rig.root / "log.txt").read_text().count('"redis.died"') >= 2)
        rig.until(lambda: "is running, but its server is not" in rig.run("queue", "status").stderr)
        rig.until(
            lambda: "FAIL  redis: the watchpost on" in (examined := rig.run("doctor").stdout) and "df -h" in examined
        )
        assert process.poll() is None
        filler.unlink()
        rig.until(rig.answers)
        rig.until(rig.quiet)
        rig.check(repeats=1)
        assert process.poll() is None
        stop_all(rig)
        rig.close_server()
