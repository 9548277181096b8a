"""Alerts that nobody answers reach another receiver, once each, whatever is killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from tests.flow.rig import Rig

TITLES = [f"report-{number}" for number in range(6)]


def configure(rig: Rig, after: str) -> None:
    """The alerts of the inbox are escalated to the chief, at the same address."""
    text = rig.config.read_text()
    hook = f"type: webhook, url: {rig.site}/hook, secrets: [{{env: HOOK_SECRET}}], allow_private: [127.0.0.0/8]"
    text = text.replace("receivers:\n", f"receivers:\n  chief: {{{hook}}}\n")
    text = text.replace("group_wait: 100ms", f"group_wait: 100ms, escalate: {{after: {after}, to: chief}}")
    rig.config.write_text(text)


def stories(rig: Rig, receiver: str) -> dict[str, set[str]]:
    """The ids of the messages in which the receiver was sent each story."""
    found: dict[str, set[str]] = {}
    with rig.world.lock:
        got = list(rig.world.got)
    for id_, body in got:
        data = json.loads(body)["data"]
        for story in data["stories"] if data["receiver"] == receiver else ():
            found.setdefault(story["id"].removeprefix("st_"), set()).add(id_)
    return found


def acknowledge(rig: Rig, wanted: set[str]) -> set[str]:
    """Acknowledge these stories; returns those whose escalation waited still."""
    answered = set()
    with rig.client() as client:
        waiting = {
            client.hget(b"{wp}:out:" + id_, "story").decode(): id_
            for id_ in client.zrange("{wp}:later", 0, -1)
            if client.hexists(b"{wp}:out:" + id_, "story")
        }
        for story in wanted & set(waiting):
            client.hset(f"{{wp}}:handling:{story}", "acknowledged", f"{int(time.time() * 1000)}\tanna")
            if client.zscore("{wp}:later", waiting[story]) is not None:
                answered.add(story)
    return answered


@pytest.mark.timeout(400)
@pytest.mark.parametrize("point", ["notify.closed:1", "notify.sent:1", "notify.done:2"])
def test_no_kill_loses_or_doubles_one(rig: Rig, point: str) -> None:
    configure(rig, "12s")
    rig.publish(*TITLES)
    first = rig.start(env={"WATCHPOST_CRASH_AT": point})
    if point.startswith("notify.done"):
        rig.until(lambda: bool(stories(rig, "inbox")))
        rig.publish("one more")
    rig.until(lambda: first.poll() is not None)
    second = rig.start()
    rig.until(rig.answers)
    rig.until(lambda: len(stories(rig, "inbox")) >= len(TITLES))
    told = stories(rig, "inbox")
    answered = acknowledge(rig, set(sorted(told)[:3]))
    second.send_signal(signal.SIGKILL)
    second.wait(10)
    os.kill(rig.server_pid, signal.SIGKILL)
    rig.start()
    rig.until(rig.answers)

    def over() -> bool:
        with rig.client() as client:
            return not client.zcard("{wp}:later") and not client.keys("{wp}:out:*") and not client.hlen("{wp}:open")

    rig.until(over)
    escalated = stories(rig, "chief")
    assert set(escalated) == set(stories(rig, "inbox")) - answered
    assert {len(ids) for ids in escalated.values()} <= {1}, "each has one id, so that a repeat can be recognised"
    with rig.client() as client:
        assert client.hget("{wp}:ledger:total", "dropped") == (b"%d" % len(answered) if answered else None)
