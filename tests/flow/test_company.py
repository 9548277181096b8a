"""Several processes on one data directory, a receiver that is down, an article that kills."""

from __future__ import annotations

import signal

from tests.flow.rig import Rig
from tests.servers import servers_on


def test_a_second_run_on_the_same_data_joins_and_there_is_one_server(rig: Rig) -> None:
    first = rig.start()
    rig.until(rig.answers)
    second = rig.start()
    rig.until(lambda: "redis.joined" in rig.log())
    for n in range(3):
        rig.publish(f"p{n}")
        rig.drop(f"d{n}")
    rig.until(rig.quiet)
    assert len(servers_on(rig.data)) == 1
    second.send_signal(signal.SIGTERM)
    assert second.wait(10) == 0
    assert rig.answers(), "who only joined does not stop the server"
    rig.publish("later")
    rig.until(rig.quiet)
    rig.check()
    first.send_signal(signal.SIGTERM)
    assert first.wait(10) == 0
    assert not servers_on(rig.data)


def test_once_with_a_receiver_that_is_down_ends_with_5_and_loses_nothing(rig: Rig) -> None:
    rig.publish("kept")
    rig.world.status = 503
    rig.once(code=5)
    assert rig.world.told() == []
    rig.world.status = 200
    rig.start()
    rig.until(lambda: rig.world.told() == ["kept"])


def test_an_article_that_kills_its_matcher_is_put_aside_and_the_others_go_on(rig: Rig) -> None:
    rig.publish("poison")
    for _ in range(3):
        process = rig.start(env={"WATCHPOST_CRASH_AT": "match.matched"})
        rig.until(lambda process=process: process.poll() is not None)  # type: ignore[misc]  # bound at once
        assert process.returncode == -signal.SIGKILL
    rig.publish("healthy")
    rig.start()
    rig.until(lambda: rig.world.told() == ["healthy"])
    rig.until(lambda: rig.left() == {"dead": 1})
    assert "queue.poison" in rig.log()
