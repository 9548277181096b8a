"""A store that fails at the worst moment: what was found is said again, what was sent is not sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import RecordingReceiver
from tests.making import article, digest_delivery
from tests.store.ends import HOUR_MS, queued
from watchpost.errors import StoreBusy, StoreUnreachable
from watchpost.match.matcher import Topics
from watchpost.match.routing import group_key
from watchpost.match.worker import Matcher
from watchpost.model import Route, Topic
from watchpost.notify.sender import Journal, Sender
from watchpost.query.parser import parse
from watchpost.schedules import Immediate
from watchpost.store import keys as store_keys
from watchpost.store.client import Argument, Call, Store, ensure_group
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.matching import MatchStore
from watchpost.store.receivers import CircuitBreaker

AT_ONCE = Immediate(group_wait=timedelta(0))
LEASE_MS = 60_000  # nobody waits for a lease here: what is mended is mended by whoever failed


class StutteringStore(Store):
    """A real store that refuses the first `times` runs of one script."""

    def __init__(self, url: str, script: str, times: int, error: type[Exception]) -> None:
        super().__init__(url)
        self._refuse, self._times, self._error = script, times, error

    def _stutter(self, name: str) -> None:
        if name == self._refuse and self._times > 0:
            self._times -= 1
            raise self._error("not now")

    async def run(self, name: str, keys: Iterable[str], args: Iterable[Argument]) -> Any:
        self._stutter(name)
        return await super().run(name, keys, args)

    async def run_each(self, name: str, calls: Sequence[Call]) -> list[Any]:
        self._stutter(name)
        return await super().run_each(name, calls)


class Stop:
    """Ends a role's loops: a stop event, and a ticker that returns when it is set."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    async def tick(self) -> None:
        await self.event.wait()


def utc_now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("error", [StoreBusy, StoreUnreachable])
async def test_a_matcher_says_what_it_found_until_it_is_heard(empty_valkey_url: str, error: type[Exception]) -> None:
    store, stop = StutteringStore(empty_valkey_url, "matched", 2, error), Stop()
    await ensure_group(store.redis, store.keys.articles, store_keys.MATCH)
    await queued(store, article("Mali talks"), article("Mali votes"))
    matcher = Matcher(
        Topics([Topic("mali", "Mali", parse("mali"))]),
        [Route(("team",), AT_ONCE)],
        MatchStore(store, "m", lease_ms=LEASE_MS, hits_ttl_ms=HOUR_MS),
        tick=stop.tick,
        tick_renew=stop.tick,
        tick_refine=stop.tick,
        stop=stop.event,
        clock=utc_now,
    )
    running = asyncio.ensure_future(matcher.run())
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    async with asyncio.timeout(20):
        while (await outbox.peek(group_key("team", AT_ONCE))).taken < 2:
            await asyncio.sleep(0.05)
    stop.event.set()
    await running
    assert await store.redis.xlen(store.keys.articles) == 0
    await store.close()


@pytest.mark.parametrize("error", [StoreBusy, StoreUnreachable])
async def test_a_notifier_that_cannot_say_done_keeps_saying_it_and_sends_once(
    empty_valkey_url: str, error: type[Exception], tmp_path: Path
) -> None:
    store, stop = StutteringStore(empty_valkey_url, "done", 2, error), Stop()
    outbox, receiver = DeliveryStore(store, kept_ms=HOUR_MS), RecordingReceiver("team")
    await outbox.create_outbox("team")
    await outbox.close(await outbox.peek("g"), utc_now(), [digest_delivery(f"d{n}") for n in range(3)])
    sender = Sender(
        receiver,
        outbox,
        outbox.claims("team", "n", LEASE_MS),
        CircuitBreaker(store, "team"),
        Journal(tmp_path),
        tick=stop.tick,
        tick_renew=stop.tick,
        stop=stop.event,
        clock=utc_now,
    )
    running = asyncio.ensure_future(sender.run())
    async with asyncio.timeout(20):
        while await outbox.unsent(["team"]) != (0, 0):
            await asyncio.sleep(0.05)
    stop.event.set()
    await running
    assert [delivery.id for delivery in receiver.deliveries] == ["d0", "d1", "d2"]
    assert await store.redis.xinfo_consumers(store.keys.outbox("team"), store_keys.NOTIFY) == [], "it left the group"
    await store.close()


def notifier(receiver: RecordingReceiver, store: Store, name: str, stop: Stop, lease_ms: int = LEASE_MS) -> Sender:
    """A sender of one notifier, which looks for abandoned deliveries ten times a second."""

    async def tick() -> None:
        await asyncio.sleep(0.1)

    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    return Sender(
        receiver,
        outbox,
        outbox.claims(receiver.name, name, lease_ms),
        CircuitBreaker(store, receiver.name),
        None,
        tick=tick,
        tick_renew=stop.tick,
        stop=stop.event,
        clock=utc_now,
    )


async def all_sent(outbox: DeliveryStore, stop: Stop, *senders: Sender) -> None:
    """Run the senders until nothing waits."""
    running = [asyncio.ensure_future(sender.run()) for sender in senders]
    async with asyncio.timeout(20):
        while await outbox.unsent(["team"]) != (0, 0):
            await asyncio.sleep(0.05)
    stop.event.set()
    await asyncio.gather(*running)


async def filled(store: Store, *ids: str) -> DeliveryStore:
    """The outbox of one receiver with these deliveries."""
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.create_outbox("team")
    await outbox.close(await outbox.peek("g"), utc_now(), [digest_delivery(id_) for id_ in ids])
    return outbox


async def test_what_a_killed_notifier_had_in_hand_goes_out_before_anything_newer(empty_valkey_url: str) -> None:
    store, stop, receiver = Store(empty_valkey_url), Stop(), RecordingReceiver("team")
    outbox = await filled(store, "d0", "d1", "d2", "d3")
    await outbox.claims("team", "killed", 1000).take(1, block=False)
    await all_sent(outbox, stop, notifier(receiver, store, "n", stop, lease_ms=1000))
    assert [delivery.id for delivery in receiver.deliveries] == ["d0", "d1", "d2", "d3"]
    await store.close()


async def test_what_the_store_failed_with_goes_out_first_and_without_waiting_for_a_lease(empty_valkey_url: str) -> None:
    store, stop, receiver = Store(empty_valkey_url), Stop(), RecordingReceiver("team")
    outbox = await filled(store, "d0", "d1", "d2")
    sender = notifier(receiver, store, "n", stop)
    claims = sender._claims
    (entry,) = await claims.take(1, block=False)
    claims.forget(entry)
    await all_sent(outbox, stop, sender)
    assert [delivery.id for delivery in receiver.deliveries] == ["d0", "d1", "d2"]
    await store.close()


async def test_two_notifiers_side_by_side_keep_the_order(empty_valkey_url: str) -> None:
    store, stop, receiver = Store(empty_valkey_url), Stop(), RecordingReceiver("team")
    ids = [f"d{n}" for n in range(60)]
    outbox = await filled(store, *ids)
    senders = [notifier(receiver, store, name, stop) for name in ("n1", "n2", "n3")]
    await all_sent(outbox, stop, *senders)
    assert [delivery.id for delivery in receiver.deliveries] == ids
    await store.close()
