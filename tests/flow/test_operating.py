"""The commands of a person on duty, on a service that runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

from tests.flow.hostile import asked, free_port
from tests.flow.rig import Rig


def ask_json(rig: Rig, *words: str, code: int = 0) -> Any:
    return json.loads(rig.ask(*words, "--json", code=code).stdout)


def test_without_a_service_every_command_says_so_and_ends_with_4(rig: Rig) -> None:
    for words in (("queue", "status"), ("delivery", "list"), ("receiver", "list"), ("queue", "retry")):
        assert rig.ask(*words, code=4).stderr.startswith("watchpost: ")
    assert not rig.data.exists(), "a look makes nothing"


def test_what_was_given_up_is_read_replayed_once_and_arrives_with_its_id_and_bytes(rig: Rig) -> None:
    rig.world.answers = [(400, {})]
    rig.start()
    rig.publish("one")
    rig.until(lambda: rig.answers() and len(rig.world.posts) == 1)
    rig.until(lambda: ask_json(rig, "queue", "status")["dead"] == 1)
    (case,) = ask_json(rig, "delivery", "list", "--failed", "--since", "1h")["deliveries"]
    assert "'0s' is not in the past" in rig.ask("delivery", "list", "--failed", "--since", "0s", code=2).stderr
    (dead_letter,) = ask_json(rig, "queue", "peek", "--dead")["letters"]
    assert (dead_letter["delivery"], dead_letter["reason"]) == (case["id"], "client_error")
    assert case["attempts"] == 1, "the attempt that was refused counts, too"
    for words in (("queue", "peek"), ("queue", "retry"), ("delivery", "list"), ("queue", "drop", "--yes")):
        assert "did you mean 'inbox'" in rig.ask(*words, "--receiver", "inbx", code=2).stderr
    shown = rig.ask("delivery", "show", case["id"]).stdout
    assert "one" in shown
    assert "state: dead" in shown
    assert rig.ask("delivery", "show", "unknown", code=1).stdout == ""
    assert rig.ask("delivery", "replay", "--failed", code=2).stderr.count("--yes") == 1
    replayed = rig.ask("delivery", "replay", "--failed", "--since", "6h")
    assert replayed.stdout == "1 replayed\n"
    assert "operator.acted" in replayed.stderr
    rig.until(rig.quiet)
    rig.check()
    assert rig.world.posts[0][1] == rig.world.posts[1][1], "the same id"
    assert rig.world.replayed == ["1"]
    assert ask_json(rig, "delivery", "replay", "--failed", "--since", "6h") == {"replayed": 0, "failed": 0}
    rig.ask("delivery", "replay", case["id"], code=5)


def test_draining_ends_when_nothing_is_on_its_way_and_says_what_is(rig: Rig) -> None:
    rig.world.hook_delay = 0.2
    rig.start()
    rig.until(rig.answers)
    rig.publish(*(f"n{number}" for number in range(5)))
    rig.until(lambda: bool(rig.world.posts))
    done = rig.ask("queue", "drain", "--for", "30s")
    assert done.stdout.startswith("nothing is in progress")
    assert rig.quiet()
    rig.world.status = 410
    rig.publish("late")
    rig.until(lambda: ask_json(rig, "receiver", "list")["receivers"][0]["state"] == "disabled")
    assert (
        "still in progress: 1 message for inbox (disabled)" in rig.ask("queue", "drain", "--for", "1s", code=5).stderr
    )
    assert ask_json(rig, "queue", "drain", "--for", "1s", code=5)["drained"] is False


def test_a_disabled_receiver_is_seen_tested_and_enabled(rig: Rig) -> None:
    rig.world.status = 410
    rig.start()
    rig.publish("one")
    rig.until(lambda: rig.answers() and ask_json(rig, "receiver", "list")["receivers"][0]["state"] == "disabled")
    (row,) = ask_json(rig, "receiver", "list")["receivers"]
    assert "410" in row["why"]
    findings = json.loads(rig.ask("doctor", "--json", code=1).stdout)["findings"]
    told = next(one for one in findings if one["subject"] == "deliveries to inbox")
    assert "inbox is disabled (since " in told["text"]
    assert "410" in told["text"]
    assert row["waiting"] == 1
    assert "refused" in rig.ask("receiver", "test", "inbox", code=1).stdout
    assert "did you mean 'inbox'" in rig.ask("receiver", "enable", "inbx", code=2).stderr
    rig.world.status = 200
    assert "inbox is enabled; 1 message that waited is sent now" in rig.ask("receiver", "enable", "inbox").stdout
    rig.until(rig.quiet)
    rig.check()
    rig.world.status = 410
    rig.publish("two")
    rig.until(lambda: ask_json(rig, "receiver", "list")["receivers"][0]["state"] == "disabled")
    rig.world.status = 200
    tested = rig.ask("receiver", "test", "inbox")
    assert tested.stdout.startswith("delivered after ")
    rig.until(lambda: "two" in rig.world.told())
    assert ask_json(rig, "receiver", "list")["receivers"][0]["state"] == "ok"


def test_what_waits_is_peeked_at_hurried_and_dropped_only_when_confirmed(rig: Rig) -> None:
    rig.world.status = 503
    rig.start()
    rig.publish("one")
    rig.until(lambda: rig.answers() and ask_json(rig, "queue", "status")["retry"] == 1)
    (case,) = ask_json(rig, "queue", "peek")["deliveries"]
    assert case["error"].startswith("server_error")
    assert case["due"]
    heading, line = rig.ask("queue", "peek").stdout.splitlines()
    assert heading.startswith("ID\tRECEIVER\tSTATE\t")
    assert line.split("\t")[:3] == [case["id"], "inbox", "retrying"]
    posts = len(rig.world.posts)
    rig.ask("queue", "retry", "--receiver", "inbox")
    rig.until(lambda: len(rig.world.posts) > posts)
    rig.ask("queue", "drop", code=2)
    refused = rig.ask("queue", "drop", case["id"], code=2)
    assert "1 message will be dropped" in refused.stderr
    rig.until(lambda: ask_json(rig, "queue", "status")["retry"] == 1)
    assert ask_json(rig, "queue", "drop", case["id"], "--yes") == {"dropped": 1, "failed": 0}
    status = ask_json(rig, "queue", "status")
    assert (status["retry"], status["gaps"], status["ledger"]["dropped"]) == (0, [], 1)
    assert "everything is accounted for" in rig.ask("queue", "status").stdout


def test_a_hit_is_followed_from_its_entry_to_the_reader(rig: Rig) -> None:
    rig.world.answers = [(400, {})]
    rig.start()
    rig.publish("one")
    rig.until(lambda: rig.answers() and ask_json(rig, "queue", "status")["dead"] == 1)
    (hit,) = ask_json(rig, "hit", "list", "--fate", "failed")["hits"]
    assert (hit["receiver"], hit["topic"], hit["planned"]) == ("inbox", "mali", "named")
    (fate,) = ask_json(rig, "hit", "show", hit["id"])["receivers"]
    assert (fate["fate"], fate["message"]) == ("failed", "")
    rig.ask("queue", "retry", "--dead")
    rig.until(rig.quiet)
    shown = ask_json(rig, "hit", "show", hit["id"])
    (fate,) = shown["receivers"]
    assert (fate["fate"], fate["message"], shown["copy_of"]) == ("named", fate["deliveries"][0], None)
    assert shown["url"]
    text = rig.ask("hit", "show", hit["id"]).stdout
    assert f"inbox: named in message {fate['message']}" in text
    assert "did you mean 'named'" in rig.ask("hit", "list", "--fate", "name", code=2).stderr
    assert "no hit nonsense" in rig.ask("hit", "show", "nonsense", code=1).stderr
    status = rig.ask("queue", "status").stdout
    assert "inbox: 1 hit: 1 named, 0 copies, 0 left out, 0 silenced, 0 failed, 0 waiting" in status
    with rig.client() as client:
        client.hincrby("{wp}:ledger:fates", "inbox\tmali\tcame", 1)
    loss = rig.ask("queue", "status", code=1).stderr
    assert "1 missing: watchpost hit list --receiver inbox --topic mali --fate waiting" in loss


def test_a_loss_within_the_store_is_said_loudly(rig: Rig) -> None:
    rig.start()
    rig.publish("one")
    rig.until(lambda: rig.world.told() == ["one"])
    with rig.client() as client:
        client.hincrby("{wp}:ledger:total", "new", 1)
    assert "NOT ACCOUNTED FOR: articles" in rig.ask("queue", "status", code=1).stderr


def test_a_silence_that_ended_long_ago_is_deleted_and_counted(rig: Rig) -> None:
    port = free_port()
    rig.config.write_text(rig.config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    process = rig.start()
    rig.until(rig.answers)
    rig.ask("silence", "add", "--topic", "mali", "--for", "1h", "--reason", "replays")
    with rig.client() as client:
        ((id_, text),) = client.hgetall("{wp}:silences").items()
        old = {**json.loads(text), "until": "2020-01-01T00:00:00+00:00", "since": "2019-01-01T00:00:00+00:00"}
        client.hset("{wp}:silences", "old", json.dumps(old))
    assert len(ask_json(rig, "silence", "list")["silences"]) == 2
    process.terminate()
    process.wait(60)
    rig.start()
    rig.until(lambda: "watchpost_silences_deleted_total 1.0" in asked(port, "/metrics"))
    assert [one["id"] for one in ask_json(rig, "silence", "list")["silences"]] == [id_.decode()]


def test_a_log_whose_reader_has_gone_ends_no_service(rig: Rig) -> None:
    port = free_port()
    rig.config.write_text(rig.config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    words = [sys.executable, "-m", "watchpost", "run", "--config", str(rig.config), "--data", str(rig.data)]
    process = subprocess.Popen(words, env=rig.env, stderr=subprocess.PIPE)
    rig.processes.append(process)
    assert process.stderr is not None
    while b"http.listening" not in (line := process.stderr.readline()):
        assert line, "it ended"
    process.stderr.close()
    for title in ("one", "two"):
        rig.publish(title)
        rig.until(lambda title=title: title in rig.world.told())  # type: ignore[misc]  # bound at once
    rig.until(lambda: bool(re.search(r"^watchpost_log_lines_lost_total [1-9]", asked(port, "/metrics"), re.MULTILINE)))
    rig.until(rig.quiet)
    rig.check()
    assert process.poll() is None
    process.terminate()
    process.wait(60)
