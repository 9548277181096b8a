"""What the ledger says of each hit, held against what the readers received."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from watchpost.notify.receivers.webhook import message_id
from watchpost.store.client import Store
from watchpost.store.hit_records import HitFate, HitRecord, HitRecords
from watchpost.store.ledger import ENDS, Ledger, gaps

Received = Mapping[str, Mapping[str, set[str]]]
"""Receiver → id of a message → the headlines in it."""


async def wrong_fates(url: str, received: Received) -> list[str]:
    """Where the sums do not meet, differ from the records of the hits, or a message does not name what they say."""
    store = Store(url)
    try:
        audit = await Ledger(store).audit()
        keys = [key.decode() async for key in store.redis.scan_iter(f"{store.keys.hit('')}*")]
        records = await HitRecords(store).records([key.removeprefix(store.keys.hit("")) for key in keys])
    finally:
        await store.close()
    wrong = [f"not accounted for: {gap}" for gap in gaps(audit)]
    counted: dict[tuple[str, str], Counter[str]] = {}
    for record in records:
        topic = record.hit.topic if record.hit is not None else "?"
        for fate in record.fates:
            counted.setdefault((fate.receiver, topic), Counter())[fate.state] += 1
            wrong += _findings(record, fate, received)
    for receiver, topic in sorted({*counted, *audit.fates}):
        ledger = {state: count for state, count in audit.fates.get((receiver, topic), {}).items() if count}
        came, there = ledger.pop("came", 0), dict(counted.get((receiver, topic), {}))
        if ledger != there or came != sum(there.values()):
            wrong.append(f"{receiver}, {topic}: the ledger has {ledger}, the records {there}")
        wrong += [f"{receiver}, {topic}: {state}" for state in there if state not in (*ENDS, "waiting")]
    return wrong


def _findings(record: HitRecord, fate: HitFate, received: Received) -> Iterable[str]:
    if fate.state not in ("named", "copies", "left_out") or not fate.deliveries:
        return
    messages = received.get(fate.receiver, {})
    ids = [message_id(delivery) for delivery in fate.deliveries]
    there = set().union(*(messages.get(id_, set()) for id_ in ids))
    if not any(id_ in messages for id_ in ids):
        yield f"{fate.receiver}: {record.id} is {fate.state} in {fate.deliveries}, which nobody received"
    elif fate.state == "named" and (record.hit is None or record.hit.article.title not in there):
        yield f"{fate.receiver}: {record.id} is not named in {fate.deliveries}"
