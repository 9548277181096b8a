"""What an adversary found, as tests: each of these once lost an alert, told it twice, or stopped the service."""

from __future__ import annotations

import os
import signal

from tests.flow.rig import Rig


def test_another_configuration_on_the_same_store_takes_nobodys_feeds_away(rig: Rig) -> None:
    rig.start()
    rig.publish("first")
    rig.until(lambda: rig.world.told() == ["first"])
    other = rig.root / "other.yaml"
    other.write_text(
        "version: 1\nfolders: {drop: drop}\ntopics: {x: xyz}\nreceivers: {t: {type: console}}\n"
        "routes: [{to: t, digest: {every: 1h}}]\n"
    )
    process = rig.start("--once", "--config", str(other))
    assert process.wait(30) == 0, rig.log()
    rig.publish("second")
    rig.until(lambda: rig.world.told() == ["first", "second"])


def test_a_store_that_is_emptied_while_the_service_runs_is_filled_again(rig: Rig) -> None:
    process = rig.start()
    rig.publish("before")
    rig.until(lambda: rig.world.told() == ["before"])
    with rig.client() as client:
        client.flushall()
    rig.publish("after")
    rig.until(lambda: "after" in rig.world.told())
    assert process.poll() is None


def test_a_reload_while_the_store_is_away_does_not_end_the_service(rig: Rig) -> None:
    process = rig.start()
    rig.publish("before")
    rig.until(lambda: rig.world.told() == ["before"])
    os.kill(rig.server_pid, signal.SIGKILL)
    process.send_signal(signal.SIGHUP)
    rig.publish("after")
    rig.until(lambda: rig.world.told() == ["before", "after"])
    assert process.poll() is None


def test_a_slow_receiver_is_not_called_poison_because_we_were_stopped_meanwhile(rig: Rig) -> None:
    rig.publish("slow")
    rig.world.hook_delay = 5.0
    for n in range(4):
        process = rig.start()
        rig.until(lambda n=n: len(rig.world.got) > n)  # type: ignore[misc]  # bound at once
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    rig.world.hook_delay = 0
    rig.start()
    rig.until(rig.answers)
    rig.until(rig.quiet)
    assert "queue.poison" not in rig.log()
    assert len({id_ for id_, _ in rig.world.got}) == 1


def test_a_reload_lets_what_is_being_sent_arrive(rig: Rig) -> None:
    process = rig.start()
    rig.world.hook_delay = 4.0
    rig.publish("slow")
    rig.until(lambda: len(rig.world.got) == 1)
    process.send_signal(signal.SIGHUP)
    rig.until(lambda: rig.log().count("run.starting") == 2)
    rig.until(rig.quiet)
    rig.check()


def test_once_reads_each_feed_once_however_slow_it_is(rig: Rig) -> None:
    rig.world.feed_delays = [2.5]
    rig.publish("one")
    rig.once()
    assert len(rig.world.fetches) == 1
    assert rig.world.told() == ["one"]


def test_once_says_5_when_a_delivery_waits_for_a_receiver_that_was_renamed(rig: Rig) -> None:
    rig.publish("kept")
    rig.world.status = 503
    rig.once(code=5)
    rig.world.status = 200
    rig.start("web")  # for a look into the store
    rig.until(rig.answers)
    with rig.client() as client:
        client.delete("{wp}:retry")
        client.xadd("{wp}:outbox:inbox", {"d": next(iter(client.keys("{wp}:out:*"))).decode().rpartition(":")[2]})
    rig.config.write_text(rig.config.read_text().replace("inbox", "letterbox"))
    for process in rig.processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
    rig.once(code=5)
    assert "delivery.stranded" in rig.log()
