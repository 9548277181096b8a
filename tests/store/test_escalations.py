"""Escalations: due once, unless somebody answered; no kill and no repeated step loses or doubles one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from fakeredis import FakeAsyncRedis
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.making import WHEN, digest_delivery
from tests.store.ends import HOUR_MS, parked
from watchpost.model import EscalatedDelivery
from watchpost.store.client import Store, ensure_group
from watchpost.store.deliveries import DeliveryAdmin, DeliveryStore
from watchpost.store.handling import Handlings
from watchpost.store.keys import MATCH
from watchpost.store.ledger import Ledger, gaps
from watchpost.store.local_copy import LocalCopy

GROUP = "team|now"
STORY = "5" * 32


def escalation(name: str = "e1", story: str = STORY, unless: str = "acknowledged") -> EscalatedDelivery:
    """One for the chief, due after 20 minutes."""
    return EscalatedDelivery(digest_delivery(name, "chief"), story, timedelta(minutes=20), unless)


async def close(store: Store, *escalations: EscalatedDelivery, hit: str = "Gao") -> DeliveryStore:
    """An alert with these escalations."""
    await parked(store, hit, group=GROUP)
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    bucket = await outbox.peek(GROUP)
    assert await outbox.close(bucket, WHEN, [digest_delivery(f"alert {hit}")], escalations=escalations)
    assert not await outbox.close(bucket, WHEN, [digest_delivery(f"alert {hit}")], escalations=escalations)
    return outbox


async def pass_twenty_minutes(store: Store) -> None:
    """What waits is due."""
    for id_ in await store.redis.zrange(store.keys.later, 0, -1):
        await store.redis.zincrby(store.keys.later, -1_200_000, id_)


async def accounted(store: Store) -> bool:
    """Whether the sums of the ledger match."""
    return gaps(await Ledger(store).audit()) == ()


async def queued_for_chief(store: Store) -> list[str]:
    """The ids in its outbox."""
    return [fields[b"d"].decode() for _, fields in await store.redis.xrange(store.keys.outbox("chief"))]


@pytest.mark.parametrize(("answer", "sent"), [("", True), ("acknowledge", False), ("claim", True), ("reopen", True)])
async def test_it_is_sent_when_it_is_due_unless_somebody_answered(store: Store, answer: str, sent: bool) -> None:
    await Ledger(store).open()
    outbox = await close(store, escalation())
    assert await outbox.escalate_due() == (0, 0)
    record = await DeliveryAdmin(store).record("e1")
    assert record is not None
    assert (record.state, record.receiver, record.due is not None) == ("escalation", "chief", True)
    handlings = Handlings(store, timedelta(days=1))
    if answer in ("acknowledge", "reopen"):
        await handlings.acknowledge(STORY, "anna", WHEN)
    if answer == "reopen":
        await handlings.reopen(STORY)
    if answer == "claim":
        await handlings.claim(STORY, "anna", WHEN)
    assert await accounted(store)
    await outbox.retry_now("chief")
    assert await queued_for_chief(store) == [], "only time makes it due"
    await pass_twenty_minutes(store)
    assert await outbox.escalate_due() == ((1, 0) if sent else (0, 1))
    assert await outbox.escalate_due() == (0, 0)
    assert await queued_for_chief(store) == (["e1"] if sent else [])
    assert await accounted(store)


async def test_a_story_is_escalated_once_however_many_alerts_follow(store: Store) -> None:
    await Ledger(store).open()
    outbox = await close(store, escalation())
    await close(store, escalation(), hit="Kidal")
    await pass_twenty_minutes(store)
    assert await outbox.escalate_due() == (1, 0)
    await close(store, escalation(), hit="Timbuktu")
    await outbox.create_outbox("chief")
    (entry,) = await outbox.claims("chief", "n", 60_000).take(1, block=False)
    await outbox.done("chief", entry)
    await close(store, escalation(), hit="Mopti")
    await pass_twenty_minutes(store)
    assert await outbox.escalate_due() == (0, 0)
    assert await accounted(store)


async def test_an_operator_may_drop_one_and_another_answer_may_count(store: Store) -> None:
    await Ledger(store).open()
    outbox = await close(store, escalation("e1"), escalation("e2", unless="claimed"))
    record = await DeliveryAdmin(store).record("e1")
    assert record is not None
    assert await DeliveryAdmin(store).drop(record)
    await Handlings(store, timedelta(days=1)).claim(STORY, "anna", WHEN)
    await pass_twenty_minutes(store)
    assert await outbox.escalate_due() == (0, 1)
    assert await accounted(store)


async def test_one_that_waits_survives_a_store_that_came_back_empty(empty_valkey_url: str) -> None:
    store = Store(empty_valkey_url)
    await ensure_group(store.redis, store.keys.articles, MATCH)
    outbox = await close(store, escalation())
    copy = LocalCopy(store, hits_ttl_ms=HOUR_MS)
    await copy.read()
    copy.adopt()
    await store.redis.flushall()
    await Ledger(store).open()
    await copy.put_back()
    assert await outbox.escalate_due() == (0, 0)
    assert await queued_for_chief(store) == []
    await Handlings(store, timedelta(days=1)).acknowledge(STORY, "anna", WHEN)
    await pass_twenty_minutes(store)
    assert await outbox.escalate_due() == (0, 1)
    assert await accounted(store)


_STEPS = st.lists(st.sampled_from(["alert", "again", "answer", "reopen", "time", "due", "due twice"]), max_size=12)


@settings(max_examples=40, deadline=None)
@given(_STEPS)
def test_whatever_happens_in_whichever_order_each_is_sent_or_dropped_once(steps: list[str]) -> None:
    async def run() -> None:
        store = Store("redis://fake", client=FakeAsyncRedis())
        await ensure_group(store.redis, store.keys.articles, MATCH)
        await Ledger(store).open()
        outbox, handlings = DeliveryStore(store, kept_ms=HOUR_MS), Handlings(store, timedelta(days=1))
        waiting: dict[str, bool] = {}  # escalation → it is due
        sent, dropped, answered = set[str](), set[str](), False
        number = 0
        for step in steps:
            match step:
                case "alert" | "again":
                    number += step == "alert"
                    name = f"e{number}"
                    await close(store, replace(escalation(name)), hit=f"hit {step} {len(waiting)} {number} {len(sent)}")
                    if name not in sent | dropped:
                        waiting.setdefault(name, False)
                case "answer":
                    await handlings.acknowledge(STORY, "anna", WHEN)
                    answered = True
                case "reopen":
                    await handlings.reopen(STORY)
                    answered = False
                case "time":
                    await pass_twenty_minutes(store)
                    waiting = dict.fromkeys(waiting, True)
                case _:
                    due = {name for name, is_due in waiting.items() if is_due}
                    found = [await outbox.escalate_due() for _ in range(1 + (step == "due twice"))]
                    assert found[0] == ((0, len(due)) if answered else (len(due), 0))
                    assert found[1:] in ([], [(0, 0)])
                    waiting = {name: False for name in waiting if name not in due}
                    (dropped if answered else sent).update(due)
            assert sorted(await queued_for_chief(store)) == sorted(sent)
            assert await accounted(store)
        await store.close()

    asyncio.run(run())
