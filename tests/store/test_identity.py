"""What outlives the store: on disk, and in the memory of a process that puts it back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.making import article, digest_delivery, hit
from tests.store.ends import HOUR_MS, match_one, matcher, queued
from watchpost.store.client import Store
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.identity import Identity, IdentityFile, read, settle
from watchpost.store.ledger import Ledger, gaps
from watchpost.store.local_copy import LocalCopy, PutBack
from watchpost.store.matching import RoutedHit
from watchpost.store.windows import HELD


@pytest.fixture
async def store(empty_valkey_url: str) -> Store:
    return Store(empty_valkey_url)


async def test_the_first_start_draws_an_identity_and_later_ones_keep_it(store: Store, tmp_path: Path) -> None:
    file = IdentityFile(tmp_path)
    first = await settle(store, file, "one")
    assert not first.emptied
    assert first.identity.install == "one"
    assert await store.prepare("two") == "one"
    assert await store.secret() == first.identity.secret
    assert (await settle(store, IdentityFile(tmp_path), "three")) == first
    assert (await settle(store, IdentityFile(tmp_path / "elsewhere"), "four")).identity == first.identity
    await store.close()


async def test_an_empty_store_gets_back_what_the_disk_has(store: Store, tmp_path: Path) -> None:
    first = (await settle(store, IdentityFile(tmp_path), "one")).identity
    await store.redis.hset(store.keys.unsubscribed, "mail\na@example.org", "7")
    await store.redis.hset(store.keys.silences, "s", "{}")
    await settle(store, IdentityFile(tmp_path), "one")
    await store.redis.flushall()
    again = await settle(store, IdentityFile(tmp_path), "two")
    assert again.emptied
    kept = again.identity
    assert (kept.install, kept.secret, kept.websub) == (first.install, first.secret, first.websub)
    assert (kept.unsubscribed, kept.silences) == ({"mail\na@example.org": "7"}, {"s": "{}"})
    assert kept.born != first.born
    await store.redis.hdel(store.keys.unsubscribed, "mail\na@example.org")
    assert (await settle(store, IdentityFile(tmp_path), "two")).identity.unsubscribed == {}, "the store decides"
    await store.close()


async def test_another_secret_in_the_store_makes_ours_a_former_one(store: Store, tmp_path: Path) -> None:
    first = (await settle(store, IdentityFile(tmp_path), "one")).identity
    await store.redis.flushall()
    other = (await settle(store, IdentityFile(tmp_path / "other"), "two")).identity
    found = await settle(store, IdentityFile(tmp_path), "one")
    assert not found.emptied
    assert (found.identity.secret, found.identity.former) == (other.secret, (first.secret,))
    assert first.secret not in repr(found)
    await store.close()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"install": 1}', '{"install": "x", "born": ""}', "\0"])
async def test_a_file_that_cannot_be_read_counts_as_none(store: Store, tmp_path: Path, text: str) -> None:
    (tmp_path / "identity.json").write_text(text)
    assert IdentityFile(tmp_path).read() is None
    assert (await settle(store, IdentityFile(tmp_path), "one")).identity.install == "one"
    found = IdentityFile(tmp_path).read()
    assert found is not None
    assert found == await read(store, found)
    await store.close()


async def test_what_waits_is_copied_and_put_back_once(store: Store) -> None:
    await store.prepare("x")
    await Ledger(store).open()
    await queued(store, article("a"), article("b"), article("c"))
    end = matcher(store)
    for entry in await end.claims.take(10, block=False):
        read_ = end.read(entry)
        await match_one(end, entry, read_, RoutedHit(hit("x", article=read_), ("team|now",)))
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    copies = [LocalCopy(store, hits_ttl_ms=HOUR_MS) for _ in range(2)]
    await copies[0].read()
    copies[0].adopt()
    parked = await outbox.peek("team|now")
    assert copies[0].known == PutBack(3, 0)
    await outbox.close(parked, parked.opened, [digest_delivery("d.1")])  # type: ignore[arg-type]
    await store.redis.rpush(store.keys.bucket("team|now" + HELD), parked.raw[0])
    await store.redis.hset(store.keys.open, "team|now" + HELD, 5)
    await store.redis.hset(store.keys.group("team|now" + HELD), "until", 77)
    for copy in copies:
        await copy.read()
        copy.adopt()
        assert copy.known == PutBack(1, 1), "what the window took has left the copy"
    message = await store.redis.hget(store.keys.out("d.1"), "message")
    await store.redis.flushall()
    await store.prepare("x")
    assert [await copy.put_back() for copy in copies] == [PutBack(1, 1), PutBack(0, 0)]
    assert await store.redis.lrange(store.keys.bucket("team|now" + HELD), 0, -1) == [parked.raw[0]]
    assert await store.redis.hget(store.keys.group("team|now" + HELD), "until") == b"77"
    assert await store.redis.hget(store.keys.out("d.1"), "message") == message
    assert not gaps(await Ledger(store).audit())
    await queued(store, article("b"))
    (entry,) = await end.claims.take(10, block=False) or await end.claims.take(10, block=False)
    read_ = end.read(entry)
    again = await match_one(end, entry, read_, RoutedHit(hit("x", article=read_), ("team|now",)))
    assert again == (False,), "a repeat of a hit of before is known"
    await store.close()


def test_what_a_killed_process_left_beside_the_file_is_removed_after_an_hour(tmp_path: Path) -> None:
    old, fresh = tmp_path / "identity.1.tmp", tmp_path / "identity.2.tmp"
    for left in (old, fresh):
        left.write_text("{")
    os.utime(old, (0, 0))
    IdentityFile(tmp_path).write(Identity("i"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["identity.2.tmp", "identity.json"]
