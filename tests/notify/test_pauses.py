"""A window in which nothing was read is no quiet one, also when the store answers again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from tests.notify.pipeline import ALWAYS, Pipeline
from watchpost.notify.render import sentences
from watchpost.notify.schedule import Window
from watchpost.pauses import Pause, Pauses
from watchpost.store.client import Store

SEVEN = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
EIGHT, NINE, TEN = (SEVEN + timedelta(hours=n) for n in (1, 2, 3))
MINUTE = timedelta(minutes=1)
STORE = "the store of the service does not accept data"
DISK = "the disk of the service is nearly full"


def test_a_pause_lasts_from_the_last_turn_before_it_to_the_first_after_it() -> None:
    pauses = Pauses()
    assert (pauses.reason, pauses.last) == ("", None)
    pauses.note("", SEVEN)
    pauses.note("store", EIGHT)
    pauses.note("disk", NINE)
    assert (pauses.reason, pauses.last) == ("disk", Pause("disk", SEVEN))
    pauses.note("", TEN)
    pauses.note("", TEN + MINUTE)
    assert (pauses.reason, pauses.last) == ("", Pause("disk", SEVEN, TEN))
    pauses.note("backlog", TEN + 2 * MINUTE)
    assert pauses.last == Pause("backlog", TEN + MINUTE)


def test_a_pause_at_the_start_begins_when_it_is_noted() -> None:
    pauses = Pauses()
    pauses.note("disk", SEVEN)
    assert pauses.last == Pause("disk", SEVEN)


Reported = tuple[str, str, Pause | None]
"""What a process reports: its role, why it pauses now, and its last pause."""

HUNG = Pause("store", EIGHT - MINUTE, NINE + MINUTE)


@pytest.mark.parametrize(
    ("reported", "outage", "expected"),
    [
        ([("all", "", HUNG)], None, f"Nothing was read: {STORE}"),
        ([("poll", "", HUNG), ("match", "", None)], None, f"Nothing was read: {STORE}"),
        ([("poll", "", HUNG), ("poll", "", Pause("disk", EIGHT, TEN))], None, f"Nothing was read: {DISK}"),
        ([("poll", "", HUNG), ("poll", "", None)], None, "Nothing matched"),
        ([("poll", "", HUNG), ("poll", "disk", Pause("disk", SEVEN))], None, "Nothing was read"),
        ([("poll", "", Pause("store", EIGHT + 20 * MINUTE, NINE + MINUTE))], None, "Nothing has been read since 08:20"),
        ([("poll", "", Pause("store", EIGHT - MINUTE, NINE - MINUTE))], None, "Nothing matched"),
        ([("poll", "", Pause("store", NINE + MINUTE, TEN))], None, "Nothing matched"),
        ([("poll", "", None)], HUNG, "Nothing matched"),
        ([("notify", "", None)], HUNG, f"Nothing was read: {STORE}"),
        ([], HUNG, f"Nothing was read: {STORE}"),
        ([], Pause("store", SEVEN, EIGHT), "Nothing matched"),
        ([], None, "Nothing matched"),
    ],
)
async def test_a_digest_says_why_nothing_was_read_in_its_window(
    store: Store, reported: Sequence[Reported], outage: Pause | None, expected: str
) -> None:
    await store.redis.hset(store.keys.source("rfi"), mapping={"last_read": (NINE + 2 * MINUTE).isoformat()})
    for number, (role, paused, pause) in enumerate(reported):
        facts: dict[str, object] = {"role": role, "version": "1", "pid": number, "paused": paused}
        if pause is not None:
            until = pause.until.timestamp() if pause.until else None
            facts["last_pause"] = [pause.reason, pause.since.timestamp(), until]
        await store.heartbeat(f"{role}-{number}", json.dumps(facts))
    pipeline = Pipeline(store, ALWAYS)
    bucket = await pipeline.deliveries.peek("team|g")
    composed = await pipeline.composer.compose(
        pipeline.group, bucket, Window(EIGHT, NINE), NINE + 3 * MINUTE, outage=outage
    )
    assert composed.digest is not None
    assert sentences.nothing(composed.digest).startswith(expected)
