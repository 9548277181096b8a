"""What hubs may do, over a real socket."""

from __future__ import annotations

import hmac

import httpx
import pytest

from tests.web.test_auth import AUTH
from tests.web.web_app import pages
from watchpost import log as tm
from watchpost.config.config import HttpAccess
from watchpost.store import keys
from watchpost.store.client import Store, ensure_group
from watchpost.store.websub import MOST_WAITING, Push, PushStore, Subscription, is_signed, secret_of, token_of
from watchpost.web.push_rates import PushRates

TOPIC = "https://e.org/feed"
BODY = b"<rss version='2.0'><channel/></rss>"


async def asked(store: Store) -> tuple[str, str]:
    """The path of a callback that we asked for, and its secret."""
    pushes = PushStore(store)
    key = await pushes.key()
    token = token_of(key, "desk", TOPIC)
    await pushes.expect(token, Subscription("desk", TOPIC))
    return f"/websub/{token}", secret_of(key, "desk", TOPIC)


async def waiting(store: Store) -> list[Push | None]:
    pushes = PushStore(store)
    await ensure_group(store.redis, store.keys.pushed, keys.POLL)
    return [pushes.read(entry) for entry in await pushes.claims("test", 1000).take(200, block=False)]


def signed(secret: str, body: bytes, method: str = "sha256") -> dict[str, str]:
    return {"x-hub-signature": f"{method}={hmac.new(secret.encode(), body, method).hexdigest()}"}


def intent(**changed: str) -> dict[str, str]:
    query = {"mode": "subscribe", "topic": TOPIC, "challenge": "a1 b2&c", "lease_seconds": "3600"} | changed
    return {f"hub.{key}": value for key, value in query.items()}


async def test_a_subscription_that_we_asked_for_is_confirmed_with_its_challenge(store: Store) -> None:
    path, _ = await asked(store)
    async with pages(store) as address, httpx.AsyncClient(base_url=address) as hub:
        answer = await hub.get(path, params=intent())
    assert (answer.status_code, answer.text) == (200, "a1 b2&c")
    assert answer.headers["content-type"].startswith("text/plain")
    assert await waiting(store) == [Push("verified", "desk", 3600, TOPIC)]


@pytest.mark.parametrize(
    "query", [intent(topic="https://e.org/other"), intent(mode="unsubscribe"), intent(challenge=""), {}]
)
async def test_foreign_subscriptions_are_not_confirmed(store: Store, query: dict[str, str]) -> None:
    path, _ = await asked(store)
    async with pages(store) as address, httpx.AsyncClient(base_url=address) as hub:
        assert (await hub.get(path, params=query)).status_code == 404
        assert (await hub.get(f"/websub/{'0' * 40}", params=intent())).status_code == 404
        assert (await hub.get("/websub/short", params=intent())).status_code == 404
    assert await waiting(store) == []


async def test_a_hub_may_refuse(store: Store) -> None:
    path, _ = await asked(store)
    async with pages(store) as address, httpx.AsyncClient(base_url=address) as hub:
        answer = await hub.get(path, params=intent(mode="denied", reason="too many"))
    assert answer.status_code == 204
    assert await waiting(store) == [Push("denied", "desk", 0, "too many")]


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
async def test_signed_content_is_stored_before_it_is_acknowledged(store: Store, method: str) -> None:
    path, secret = await asked(store)
    async with pages(store) as address, httpx.AsyncClient(base_url=address) as hub:
        headers = signed(secret, BODY, method) | {"content-type": "application/rss+xml"}
        assert (await hub.post(path, content=BODY, headers=headers)).status_code == 204
    assert await waiting(store) == [Push("content", "desk", 0, "application/rss+xml", BODY)]


async def test_51_a_push_with_a_wrong_signature_gets_202_and_is_ignored(store: Store) -> None:
    path, secret = await asked(store)
    right = signed(secret, BODY)["x-hub-signature"]
    wrong = ["", "sha256=", right[:-1], right + "0", right.replace("sha256", "sha1"), right.replace("sha256", "md5")]
    before = tm.pushes_unsigned._value.get()
    wrong += [f"sha256={'0' * 64}", signed("another", BODY)["x-hub-signature"], signed(secret, b"x")["x-hub-signature"]]
    async with pages(store) as address, httpx.AsyncClient(base_url=address) as hub:
        for header in wrong:
            answer = await hub.post(path, content=BODY, headers={"x-hub-signature": header})
            assert answer.status_code == 202, header
        assert (await hub.post(path, content=BODY)).status_code == 202
        assert (await hub.post(path, content=BODY, headers={"x-hub-signature": right})).status_code == 204
    assert len(await waiting(store)) == 1
    assert tm.pushes_unsigned._value.get() - before == len(wrong) + 1, "the right one is not counted"


async def test_an_unknown_callback_is_gone(store: Store) -> None:
    async with pages(store) as address, httpx.AsyncClient(base_url=address) as hub:
        assert (await hub.post(f"/websub/{'0' * 40}", content=BODY)).status_code == 410


async def test_too_much_is_refused(store: Store) -> None:
    path, secret = await asked(store)
    big = b" " * 5_000_001
    async with pages(store) as address, httpx.AsyncClient(base_url=address) as hub:
        assert (await hub.post(path, content=big, headers=signed(secret, big))).status_code == 413
        for _ in range(MOST_WAITING):
            await PushStore(store).append(Push("content", "desk", body=BODY))
        assert (await hub.post(path, content=BODY, headers=signed(secret, BODY))).status_code == 503
        assert (await hub.get(path, params=intent())).status_code == 503, "not confirmed, if it cannot be noted"
    assert len(await waiting(store)) == MOST_WAITING


async def test_without_the_store_a_hub_is_asked_to_retry() -> None:
    async with pages(Store("redis://127.0.0.1:1/0")) as address, httpx.AsyncClient(base_url=address) as hub:
        assert (await hub.post(f"/websub/{'0' * 40}", content=BODY)).status_code == 503
        assert (await hub.get(f"/websub/{'0' * 40}", params=intent())).status_code == 503


async def test_hubs_use_the_public_name_and_need_no_password(store: Store) -> None:
    path, secret = await asked(store)
    access = HttpAccess(AUTH, names=("watch.example.org",))
    async with pages(store, access=access) as address, httpx.AsyncClient(base_url=address) as hub:
        there = {"host": "watch.example.org"}
        assert (await hub.get(path, params=intent(), headers=there)).status_code == 200
        assert (await hub.post(path, content=BODY, headers=there | signed(secret, BODY))).status_code == 204
        assert (await hub.get("/", headers=there)).status_code == 401
        assert (await hub.get("/websub/../", headers=there)).status_code in (401, 404)
        assert (await hub.get(path, params=intent(), headers={"host": "other.example.org"})).status_code == 421


async def test_the_key_is_made_once_and_derived_secrets_differ_by_feed_and_use(store: Store) -> None:
    first, second = await PushStore(store).key(), await PushStore(store).key()
    assert first == second
    assert len(first) == 64
    derived = [function(first, feed, TOPIC) for function in (token_of, secret_of) for feed in ("a", "b")]
    assert len({text[:40] for text in derived}) == 4
    assert not is_signed("secret", "sha256=é", BODY)


async def test_a_hub_that_pushes_without_end_is_asked_to_wait_and_harms_no_other(store: Store) -> None:
    path, secret = await asked(store)
    body = b"<rss version='2.0'><channel>" + b" " * 3_000_000 + b"</channel></rss>"
    async with pages(store) as address, httpx.AsyncClient(base_url=address, timeout=60) as hub:
        answers = [await hub.post(path, content=body, headers=signed(secret, body)) for _ in range(8)]
        statuses = [answer.status_code for answer in answers]
        assert statuses[:3] == [204, 204, 204]
        assert statuses[3:] == [429] * 5
        assert 0 < int(answers[-1].headers["retry-after"]) <= 60
        pushes = PushStore(store)
        await pushes.expect(other := token_of(await pushes.key(), "other", TOPIC), Subscription("other", TOPIC))
        sound = signed(secret_of(await pushes.key(), "other", TOPIC), BODY)
        assert (await hub.post(f"/websub/{other}", content=BODY, headers=sound)).status_code == 204
    assert sum(len(push.body) for push in await waiting(store) if push is not None) < 10_000_000


def test_pushes_have_room_by_feed_and_in_all() -> None:
    rates = PushRates()
    assert [rates.wait("a", 0, 0.0) for _ in range(200)] == [0] * 200
    assert rates.wait("a", 0, 0.0) == 1, "of the smallest ones, too"
    assert rates.wait("a", 5_000_000, 0.0) == 31
    assert rates.wait("a", 5_000_000, 31.0) == 0
    others = [rates.wait(f"feed {number}", 5_000_000, 31.0) for number in range(20)]
    assert others.count(0) == 9, "50 MB of all in a minute"
    assert [rates.is_to_tell("a", now) for now in (0.0, 59.0, 60.0, 61.0)] == [True, False, True, False]
