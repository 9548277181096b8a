"""One trouble, one sentence: page, /status.json, `queue status` and doctor agree in words, numbers and clock."""

from __future__ import annotations

import html
import json
import re
import urllib.request

import pytest

from tests.flow.rig import Rig


def read(rig: Rig, path: str) -> str:
    address = re.findall(r"http://127\.0\.0\.1:\d+", rig.log().partition("http.listening")[2] or rig.log())
    listen = re.findall(r'"listen": "(127\.0\.0\.1:\d+)"', (rig.root / "log.txt").read_text())
    with urllib.request.urlopen(f"http://{listen[-1] if listen else address[0][7:]}{path}", timeout=30) as answer:
        return str(answer.read().decode())


@pytest.mark.timeout(400)
def test_a_receiver_that_fails_is_the_same_sentence_everywhere_and_doctor_ends_with_1(rig: Rig) -> None:
    rig.config.write_text(rig.config.read_text() + "timezone: Asia/Kolkata\n")
    rig.world.status = 500
    process = rig.start()
    rig.publish("a")
    rig.until(lambda: "delivery.waits" in rig.log())
    status = json.loads(rig.ask("queue", "status", "--json").stdout)
    (problem,) = [each for each in status["problems"] if each["subject"] == "deliveries to inbox"]
    sentence = problem["text"]
    assert problem["since"].endswith("+00:00")
    said = rf"{sentence} \(since \d{{4}}-\d\d-\d\d \d\d:\d\d IST\): "
    assert re.search(said, rig.ask("queue", "status").stdout)
    examined = rig.ask("doctor", code=1).stdout
    assert re.search(rf"FAIL  deliveries to inbox: {said}", examined)
    assert f"→ {problem['cure']}" in examined
    document = json.loads(read(rig, "/status.json"))
    assert sentence in document["reasons"]
    assert {"text": sentence, "since": problem["since"]}.items() <= document["problems"][0].items()
    page = html.unescape(read(rig, "/status"))
    assert sentence in page
    assert problem["cure"] in page
    assert "times in Asia/Kolkata" in page
    (row,) = json.loads(rig.ask("receiver", "list", "--json").stdout)["receivers"]
    word = row["state"]
    assert row["waiting"] == 1
    assert "1 message waiting" in problem["detail"]
    assert status["receivers"] == {"inbox": word}
    assert f'receiver_state{{receiver="inbox",state="{word}"}} 1.0' in read(rig, "/metrics")
    assert " UTC" not in rig.ask("queue", "status").stdout + rig.ask("delivery", "list").stdout
    rig.world.status = 200
    rig.ask("receiver", "enable", "inbox")
    rig.until(lambda: rig.world.told() == ["a"])
    process.terminate()
    process.wait(60)
    rig.until(lambda: "no watchpost is running" in rig.ask("doctor", code=1).stdout)
