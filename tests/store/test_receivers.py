"""The gate before a receiver: who may pass, in whose turn, and what is noted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.making import digest_delivery
from tests.store.ends import HOUR_MS, LEASE_MS
from watchpost.store.client import Store
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.receivers import CircuitBreaker, ReceiverState

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


async def soon(store: Store, **ahead: float) -> datetime:
    return await DeliveryStore(store, kept_ms=HOUR_MS).now() + timedelta(**ahead)


async def test_what_is_noted_is_read_again_and_clearing_leaves_nothing(store: Store) -> None:
    gate = CircuitBreaker(store, "team")
    assert (await gate.check()).free
    state = ReceiverState(7, 3, NOW, NOW, 2, NOW, "why — почему")
    assert await gate.save(state)
    assert (await gate.check()).state == replace(state, version=1)
    await gate.clear()
    assert (await gate.check()).state == ReceiverState(version=2)


async def test_a_decision_on_an_old_state_is_not_written(store: Store) -> None:
    gate = CircuitBreaker(store, "team")
    assert await gate.save(ReceiverState(failures=1))
    assert not await gate.save(ReceiverState(failures=9), [digest_delivery("late", "ops")])
    assert (await gate.check()).state.failures == 1
    assert await DeliveryStore(store, kept_ms=HOUR_MS).unsent(["ops"]) == (0, 0)


async def test_a_notice_goes_out_with_the_state_that_it_tells_of(store: Store) -> None:
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.create_outbox("ops")
    assert await CircuitBreaker(store, "team").save(ReceiverState(disabled=NOW), [digest_delivery("n1", "ops")])
    (entry,) = await outbox.claims("ops", "n", LEASE_MS).take(1, block=False)
    assert await outbox.delivery(entry) == digest_delivery("n1", "ops")


async def test_nothing_passes_while_paused_and_until_enabled(store: Store) -> None:
    gate = CircuitBreaker(store, "team")
    await gate.save(ReceiverState(failures=1, till=await soon(store, seconds=30)))
    for passage in (await gate.check(), await gate.admit()):
        assert passage.wait is not None
        assert timedelta(seconds=25) < passage.wait <= timedelta(seconds=30)
    await gate.clear()
    assert (await gate.admit()).free
    await gate.save(ReceiverState(disabled=NOW, version=2))
    assert (await gate.admit()).wait is None
    await gate.clear()
    assert (await gate.admit()).free


async def test_a_pause_written_while_the_clock_was_wrong_holds_nobody(store: Store) -> None:
    gate = CircuitBreaker(store, "team")
    await gate.save(ReceiverState(failures=1, till=await soon(store, days=3650)))
    assert (await gate.admit()).free


async def test_a_half_open_breaker_lets_one_through_until_its_end_is_known(store: Store) -> None:
    one, two = CircuitBreaker(store, "team"), CircuitBreaker(store, "team")
    await one.save(ReceiverState(failures=5, trips=1, till=await soon(store, seconds=-1)))
    first, second = await one.admit(), await two.admit()
    assert first.free
    assert not second.free
    assert not (await two.check()).free
    assert await one.save(ReceiverState(version=first.state.version))
    assert (await two.admit()).free


async def test_receivers_at_one_host_share_its_pace_and_others_do_not_wait(store: Store) -> None:
    pace = timedelta(milliseconds=150)
    one = CircuitBreaker(store, "one", host="chat.example", pace=pace)
    two = CircuitBreaker(store, "two", host="chat.example", pace=pace)
    assert (await one.admit()).free
    assert (await two.check()).free, "a look takes no turn, and waits for none"
    wait = (await two.admit()).wait
    assert wait is not None
    assert timedelta(0) < wait <= pace
    assert (await CircuitBreaker(store, "mail").admit()).free
    await asyncio.sleep(0.2)
    assert (await two.admit()).free


async def test_a_message_kept_in_its_place_is_the_oldest_for_anybody_and_never_poison(store: Store) -> None:
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.create_outbox("team")
    await outbox.close(await outbox.peek("g"), NOW, [digest_delivery("d1"), digest_delivery("d2")])
    (entry,) = await outbox.claims("team", "n0", 60_000).take(1, block=False)
    await outbox.hold("team", entry, "n0", "HTTP 429", counts=True)
    for n in range(1, 6):
        claims = outbox.claims("team", f"n{n}", 60_000)
        (entry,) = await claims.reclaim(1, oldest=True)
        assert not entry.poisonous
        delivery = await outbox.delivery(entry)
        assert delivery is not None
        assert (delivery.id, delivery.attempt) == ("d1", 2)
        await outbox.hold("team", entry, f"n{n}", "", counts=False)
    assert await outbox.unsent(["team"]) == (2, 0)
