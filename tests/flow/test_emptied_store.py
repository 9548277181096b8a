"""A store that comes back empty: FLUSHALL, a cache, a new disk. It is noticed, reported, and what is known put back."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.flow.rig import Rig
from tests.servers import ValkeyServer, valkey_server

WAIT = 6
COPIED_SECONDS = 2.5  # the copy of a process is at most two seconds old
IDENTITY = ("install", "secret", "websub")


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    with valkey_server() as made:
        yield made


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, route=f"mode: immediate, group_wait: {WAIT}s")
    options = f"type: webhook, url: {made.site}/ops, secrets: [{{env: HOOK_SECRET}}], allow_private: [127.0.0.0/8]"
    text = made.config.read_text().replace("version: 1", "version: 1\nops: ops")
    made.config.write_text(text.replace("receivers:", f"receivers:\n  ops: {{{options}}}"))
    yield made
    made.close()


def status(rig: Rig) -> dict[str, Any]:
    lines = [json.loads(line) for line in (rig.root / "log.txt").read_text().splitlines() if line.startswith("{")]
    address = next(line["listen"] for line in reversed(lines) if line["event"] == "http.listening")
    try:
        with urllib.request.urlopen(f"http://{address}/status.json", timeout=5) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        return dict(json.load(error))


def waiting(client: redis.Redis) -> int:
    return sum(int(client.llen(key)) for key in client.keys("{wp}:bucket:*"))


def deliveries(client: redis.Redis) -> set[str]:
    """The ids of the deliveries that wait, as a webhook's receiver sees them."""
    names = [key.decode() if isinstance(key, bytes) else key for key in client.keys("{wp}:out:*")]
    return {"msg_" + name.removeprefix("{wp}:out:").replace(".", "_") for name in names}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("roles", [("all",), ("poll", "match", "notify")])
def test_what_waited_is_put_back_and_nothing_is_sent_twice(
    rig: Rig, server: ValkeyServer, roles: tuple[str, ...]
) -> None:
    for role in roles:
        rig.start(role, "--data", str(rig.root / f"data-{role}"), env={"WATCHPOST_REDIS_URL": server.url})
    rig.publish("sent-1", "sent-2")
    rig.until(lambda: len(rig.world.told()) == 2)
    rig.publish(*(f"waits-{n}" for n in range(5)))
    with redis.Redis.from_url(server.url) as client:
        rig.until(lambda: waiting(client) == 5)
        time.sleep(COPIED_SECONDS)
        before = client.hmget("{wp}:meta", *IDENTITY)
        client.flushall()
        rig.until(lambda: len(set(rig.world.told())) == 7)
        assert client.hmget("{wp}:meta", *IDENTITY) == before
        assert int(client.hget("{wp}:meta", "lost_hits") or 0) == 5
        assert client.hget("{wp}:ledger:total", "store_lost") == b"1"
    rig.publish("after")
    rig.until(lambda: "after" in rig.world.told())
    rig.until(lambda: any(b"The store lost its data" in body for body in rig.world.ops))
    rig.until(lambda: rig.quiet(server.url))
    rig.check(url=server.url)
    assert sum(b"The store lost its data" in body for body in rig.world.ops) == 1
    assert "the store lost what waited" in (rig.root / "log.txt").read_text()
    if roles == ("all",):
        words = "came back empty", "5 hits and 0 deliveries were put back"
        assert any(all(word in reason for word in words) for reason in status(rig)["reasons"])


def test_messages_that_wait_for_a_receiver_are_put_back_with_their_ids(rig: Rig, server: ValkeyServer) -> None:
    rig.start(env={"WATCHPOST_REDIS_URL": server.url})
    rig.world.status = 503
    rig.publish("a", "b")
    with redis.Redis.from_url(server.url) as client:
        rig.until(lambda: bool(deliveries(client)))
        time.sleep(COPIED_SECONDS)
        ids = deliveries(client)
        client.flushall()
        rig.until(lambda: deliveries(client) >= ids)
        rig.world.status = 200
        rig.until(lambda: set(rig.world.told()) == {"a", "b"})
    rig.until(lambda: rig.quiet(server.url))
    rig.check(url=server.url)
    with rig.world.lock:
        assert {id_ for id_, _ in rig.world.got} == ids


def test_a_store_that_is_empty_at_the_start_gets_its_identity_from_the_disk(rig: Rig, server: ValkeyServer) -> None:
    env, file = {"WATCHPOST_REDIS_URL": server.url}, rig.data / "identity.json"
    process = rig.start(env=env)
    rig.publish("first")
    rig.until(lambda: rig.world.told() == ["first"])
    process.terminate()
    process.wait(30)
    with redis.Redis.from_url(server.url) as client:
        before = client.hmget("{wp}:meta", *IDENTITY)
        client.hset("{wp}:unsubscribed", "mail\na@example.org", "1")
        process = rig.start(env=env)
        rig.until(lambda: "a@example.org" in file.read_text())
        process.terminate()
        process.wait(30)
        client.flushall()
        rig.start(env=env)
        rig.until(lambda: client.hmget("{wp}:meta", *IDENTITY) == before)
        assert client.hget("{wp}:unsubscribed", "mail\na@example.org") == b"1"
    rig.until(lambda: "redis.emptied" in rig.log())
    assert file.stat().st_mode & 0o777 == 0o600
