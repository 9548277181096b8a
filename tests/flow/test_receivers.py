"""A receiver in trouble, seen from outside: paused, gone, or failing for long. Nothing is lost, nobody else waits."""

from __future__ import annotations

import json

from tests.flow.rig import Rig


def watched_by_ops(rig: Rig, retry: str = "schedule: [1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s], jitter: 0") -> None:
    """A second receiver, which hears of trouble with the first."""
    text = rig.config.read_text()
    hook = text[text.index("  inbox:\n") : text.index("routes:")].replace("inbox", "desk").replace("/hook", "/ops")
    text = text.replace("routes:", f"{hook}ops: desk\nroutes:").replace(
        "    timeout: 10s", f"    retry: {{{retry}}}", 1
    )
    rig.config.write_text(text)


def test_a_receiver_that_is_gone_gets_nothing_more_keeps_everything_and_ops_is_told_once(rig: Rig) -> None:
    watched_by_ops(rig)
    rig.world.status = 410
    rig.start()
    rig.publish("one")
    rig.until(lambda: len(rig.world.ops) == 1)
    rig.publish("two")
    rig.drop("three")
    with rig.client() as client:
        rig.until(lambda: client.xlen("{wp}:outbox:inbox") >= 2)
        assert len(rig.world.posts) == 1, "one answer was enough"
        assert client.xlen("{wp}:dead") == 0
        client.delete("{wp}:receiver:inbox")
    rig.world.status = 200
    rig.until(lambda: rig.quiet())
    rig.check()
    assert rig.world.told()[0] == "one", "the oldest goes first"
    (notice,) = rig.world.ops
    (story,) = json.loads(notice)["data"]["stories"]
    assert "inbox" in story["title"]


def test_a_wish_to_wait_holds_every_message_and_keeps_their_order(rig: Rig) -> None:
    watched_by_ops(rig)
    rig.world.answers = [(429, {"retry-after": "4"})]
    rig.start()
    rig.publish("first")
    rig.until(lambda: len(rig.world.posts) == 1)
    rig.publish("second")
    rig.until(rig.quiet)
    rig.check()
    refused, accepted = rig.world.posts[0], rig.world.posts[1]
    assert accepted[0] - refused[0] >= 4, "nothing, not even another message, goes before"
    assert accepted[1] == refused[1], "the same delivery, and it goes first"
    assert rig.world.told() == ["first", "second"]


def test_a_breaker_that_is_open_spares_the_messages_their_attempts(rig: Rig) -> None:
    watched_by_ops(rig)
    rig.world.status = 503
    rig.start()
    rig.publish(*(f"n{n}" for n in range(3)))
    rig.until(lambda: len(rig.world.posts) >= 5)
    with rig.client() as client:
        rig.until(lambda: client.hget("{wp}:receiver:inbox", "trips") == b"1")
        posts = len(rig.world.posts)
        rig.until(lambda: client.zcard("{wp}:retry") == 0)  # what was retried waits in the outbox again
        assert len(rig.world.posts) == posts == 5
        assert client.xlen("{wp}:dead") == 0
        client.delete("{wp}:receiver:inbox")  # as after half a minute, only sooner
    rig.world.status = 200
    rig.until(rig.quiet)
    rig.check()
