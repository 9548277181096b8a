"""Windows that close on a real store: what is sent, held, silenced and counted, and that nothing is lost."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.fakes import RecordingReceiver
from tests.making import article, hit
from tests.notify.pipeline import ALERTS, ALWAYS, MINUTES, LaterStore, Pipeline, report, titles
from watchpost import log as tm
from watchpost.model import Digest, Group, Hit, Message
from watchpost.notify.composer import Composer, HoldingRules
from watchpost.notify.digest_builder import Installation
from watchpost.notify.digest_dispatcher import Dispatcher
from watchpost.notify.render import packing
from watchpost.schedules import QuietHours, Silence
from watchpost.store.client import Store
from watchpost.store.overview import Overview
from watchpost.store.receivers import UnsubscribedAddresses
from watchpost.store.silences import Silences


async def test_news_of_a_story_wait_and_come_as_one_update(store: Store) -> None:
    pipeline = Pipeline(store)
    await pipeline.park(report("Convoy burns", "Courier"))
    (first,) = await pipeline.close()
    assert first["stories"][0]["status"] == "new"
    await pipeline.park(report("Convoy burnt", "Paper"))
    assert await pipeline.close() == []
    await pipeline.park(report("The convoy", "Herald"))
    pipeline.deliveries.ahead = 14 * MINUTES
    assert await pipeline.close() == []
    assert (await pipeline.deliveries.group_states([]))["team|g|held"].opened, "two of one story wait together"
    assert await pipeline.deliveries.waiting_groups() == 0, "but nobody is late with them"
    look = await pipeline.dispatcher.close_due()
    assert look is not None
    assert look > await pipeline.deliveries.now(), "until then nobody looks again and again"
    pipeline.deliveries.ahead = 16 * MINUTES
    (update,) = await pipeline.close()
    assert (update["stories"][0]["status"], update["stories"][0]["change"]["sources"]) == ("updated", 2)
    assert await pipeline.close() == []
    assert await pipeline.deliveries.group_states([]) == {}
    assert await pipeline.accounted()


async def test_a_story_that_continues_is_sent_again_after_a_while(store: Store) -> None:
    pipeline = Pipeline(store)
    await pipeline.park(report("Convoy burns", "Courier"))
    assert len(await pipeline.close()) == 1
    await pipeline.park(hit(article=article("copy", outlet="Copyist"), story="s", voice="Courier"))
    assert await pipeline.close() == [], "a copy is no news"
    await pipeline.park(hit(article=article("copy 2", outlet="Third"), story="s", voice="Courier"))
    pipeline.deliveries.ahead = timedelta(hours=13)
    (again,) = await pipeline.close()
    assert again["stories"][0]["status"] == "continuing"
    assert await pipeline.accounted()


async def test_a_hit_that_cannot_be_read_becomes_a_dead_letter_and_holds_up_no_other(
    store: Store,
) -> None:
    pipeline, before = Pipeline(store), tm.dead_letters.labels("parked", "codec")._value.get()
    await pipeline.park(report("Convoy burns", "Courier"))
    await store.redis.rpush(store.keys.bucket("team|g"), b"h9{}")
    await store.redis.hincrby(f"{store.keys.ledger}total", "parked", 1)
    (sent,) = await pipeline.close()
    assert len(sent["stories"]) == 1
    assert tm.dead_letters.labels("parked", "codec")._value.get() == before + 1
    assert (await Overview(store).depths([])).dead_of == {"parked": 1}
    assert await pipeline.accounted()


async def test_quiet_hours_hold_and_release_in_one_message(store: Store) -> None:
    now = (await LaterStore(store, kept_ms=1).now()).replace(second=0, microsecond=0)
    begin, end = now - timedelta(hours=1), now + timedelta(hours=1)
    quiet = QuietHours(("team",), begin.time(), end.time(), tuple(range(7)), "UTC", ("high",))
    pipeline = Pipeline(store, quiet_hours=(quiet,))
    await pipeline.park(report("low one", "A", "1"), report("high one", "B", "2", "high"))
    (through,) = await pipeline.close()
    assert titles(through) == ["high one"]
    await pipeline.park(report("another", "C", "3"))
    assert await pipeline.close() == []
    pipeline.deliveries.ahead = timedelta(minutes=59)
    assert await pipeline.close() == []
    pipeline.deliveries.ahead = timedelta(minutes=61)
    (released,) = await pipeline.close()
    assert sorted(titles(released)) == ["another", "low one"]
    assert await pipeline.close() == []
    assert await pipeline.accounted()


async def test_a_digest_waits_for_the_end_of_quiet_hours_and_is_not_called_late(store: Store) -> None:
    now = (await LaterStore(store, kept_ms=1).now()).replace(second=0, microsecond=0)
    quiet = QuietHours(
        ("team",),
        (now - timedelta(hours=1)).time(),
        (now + timedelta(hours=1)).time(),
        tuple(range(7)),
        "UTC",
        ("high",),
    )
    pipeline = Pipeline(store, ALWAYS, quiet_hours=(quiet,))
    await pipeline.deliveries.register(["team|g"], now - timedelta(hours=2))
    await pipeline.park(report("high one", "B", "2", "high"))
    assert await pipeline.close() == []
    pipeline.deliveries.ahead = timedelta(minutes=61)
    (released,) = await pipeline.close()
    assert (titles(released), released["late_seconds"]) == (["high one"], 0)


async def test_silenced_hits_are_counted_in_the_next_digest(store: Store) -> None:
    pipeline = Pipeline(
        store, silences=(Silence("s1", datetime.now(UTC) + timedelta(hours=1), "replays", "anna", text="old"),)
    )
    await pipeline.park(report("an old one", "A", "1"))
    assert await pipeline.close() == []
    await pipeline.park(report("old again", "B", "2"), report("fresh", "C", "3"))
    (digest,) = await pipeline.close()
    assert (titles(digest), digest["counts"]["silenced"]) == (["fresh"], 2)
    await pipeline.park(report("fresher", "D", "4"))
    (digest,) = await pipeline.close()
    assert digest["counts"]["silenced"] == 0
    assert await pipeline.accounted()


async def test_a_silence_that_is_added_late_covers_what_waits(store: Store) -> None:
    pipeline, silences = Pipeline(store), Silences(store)
    await pipeline.park(report("an old one", "A", "1"))
    now = datetime.now(UTC)
    silence = Silence("s1", now + timedelta(hours=1), "replays", "anna", topic="mali")
    await silences.add(silence, now)
    assert await pipeline.close() == []
    assert (await silences.expire("s1", now)) is not None
    assert await silences.expire("s1", now) is None, "it has ended"
    assert [each.until for each in await silences.all()] == [now]
    await pipeline.park(report("one more", "B", "2"))
    (digest,) = await pipeline.close()
    assert (titles(digest), digest["counts"]["silenced"]) == (["one more"], 1)


async def test_beyond_its_limit_a_receiver_gets_the_rest_of_the_hour_in_one(store: Store) -> None:
    pipeline = Pipeline(store, per_hour=2)
    sent = []
    for number in range(5):
        await pipeline.park(report(f"n{number}", "A", f"s{number}"))
        sent += await pipeline.close()
    assert [titles(digest) for digest in sent] == [["n0"], ["n1"]]
    pipeline.deliveries.ahead = timedelta(hours=1)
    (rest,) = await pipeline.close()
    assert sorted(titles(rest)) == ["n2", "n3", "n4"]
    assert await pipeline.accounted()


async def test_a_flood_is_reported_once_with_exact_counts(store: Store) -> None:
    pipeline = Pipeline(store)
    flood: Sequence[Hit] = [report(f"n{number}", "A", f"s{number}") for number in range(120)]
    await pipeline.park(*flood[:60], per_hour=10)
    (digest,) = await pipeline.close()
    assert len(digest["stories"]) == 10
    assert digest["flooded"] == [{"topic": "Mali", "count": 50}]
    await pipeline.park(*flood[60:], per_hour=10)
    assert await pipeline.close() == [], "the rest of the hour is only counted"
    assert await store.redis.llen(store.keys.bucket("team|g")) == 0, "and takes no memory"
    pipeline.deliveries.ahead = timedelta(hours=1)
    (notice,) = await pipeline.close()
    assert (notice["stories"], notice["flooded"]) == ([], [{"topic": "Mali", "count": 60}])
    assert await pipeline.close() == []
    assert not await store.redis.exists(store.keys.over("team|g"))
    assert await pipeline.accounted()


class DeafReceiver(RecordingReceiver):
    """Wants stories and nothing else."""

    def render(self, digest: Digest) -> tuple[Message, ...]:
        return super().render(digest) if digest.stories else ()


async def test_a_notice_that_a_receiver_renders_to_nothing_is_not_made_again(store: Store) -> None:
    pipeline = Pipeline(store, receiver=DeafReceiver("team"))
    await pipeline.park(*(report(f"n{number}", "A", f"s{number}") for number in range(5)), per_hour=2)
    assert len(await pipeline.close()) == 1
    await pipeline.park(report("one more", "A", "more"), per_hour=2)
    pipeline.deliveries.ahead = timedelta(hours=1)
    assert await pipeline.close() == []
    assert not await store.redis.exists(store.keys.over("team|g"))


async def test_the_first_empty_digest_of_a_configuration_is_sent(store: Store) -> None:
    pipeline = Pipeline(store, ALWAYS)
    now = await pipeline.deliveries.now()
    await pipeline.deliveries.register(["team|g"], now - timedelta(hours=2))
    (digest,) = await pipeline.close()
    assert digest["stories"] == []
    pipeline.deliveries.ahead = timedelta(minutes=10)
    assert await pipeline.close() == [], "one is enough"


async def test_what_is_counted_by_the_hour_becomes_the_trend(store: Store) -> None:
    pipeline = Pipeline(store, ALWAYS)
    now = await pipeline.deliveries.now()
    await pipeline.deliveries.register(["team|g"], now - timedelta(hours=2))
    await pipeline.park(report("one", "A", "1"), report("two", "B", "2"))
    hours = (await Overview(store).counts(["mali"], now))["mali"]
    assert hours == {int(now.timestamp()) // 3600: 2}


class NarrowReceiver(RecordingReceiver):
    """Has room for one story."""

    def render(self, digest: Digest) -> tuple[Message, ...]:
        (one,) = super().render(packing.limit_stories(digest, 1))
        return (replace(one, omitted=len(digest.stories) - 1),) if digest.stories else (one,)


async def test_a_story_that_a_digest_had_no_room_for_is_still_new_later(store: Store) -> None:
    pipeline = Pipeline(store, ALWAYS, NarrowReceiver("team"))
    await pipeline.deliveries.register(["team|g"], await pipeline.deliveries.now() - timedelta(hours=2))
    await pipeline.park(report("Convoy burns", "Courier", "a", "high"), report("Well dug", "Courier", "b"))
    (first,) = await pipeline.close()
    assert (titles(first), first["counts"]["omitted"]) == (["Convoy burns"], 1)
    await pipeline.park(report("A well is dug", "Herald", "b"))
    pipeline.deliveries.ahead = timedelta(minutes=10)
    (second,) = await pipeline.close()
    assert [(story["title"], story["status"]) for story in second["stories"]] == [("A well is dug", "new")]
    await pipeline.park(report("The well gives water", "Paper", "b"))
    pipeline.deliveries.ahead = timedelta(minutes=20)
    (third,) = await pipeline.close()
    assert [(story["status"], story["change"]["sources"]) for story in third["stories"]] == [("updated", 1)]


class Mailer(RecordingReceiver):
    """Writes to two readers."""

    def render(self, digest: Digest) -> tuple[Message, ...]:
        (one,) = super().render(digest)
        return tuple(replace(one, part=name, address=f"{name}@example.org") for name in ("ida", "pipeline"))


async def test_an_unsubscribed_address_gets_no_mail(store: Store) -> None:
    pipeline = Pipeline(store, receiver=Mailer("team"))
    await UnsubscribedAddresses(store).add("team", "ida@example.org", datetime.now(UTC))
    await pipeline.park(report("Convoy burns", "Courier"))
    assert len(await pipeline.close()) == 1
    await UnsubscribedAddresses(store).remove("team", "ida@example.org")
    await pipeline.park(report("Another convoy burns", "Courier", story="t"))
    assert len(await pipeline.close()) == 2
    assert await pipeline.accounted()


async def test_hits_for_a_receiver_that_is_gone_stay_and_the_log_says_so_once(store: Store) -> None:
    pipeline, stream = Pipeline(store), io.StringIO()
    await store.redis.hset(store.keys.open, "gone|g", int((await pipeline.deliveries.now()).timestamp() * 1000))
    tm.set_up_log("console", "warning", stream)
    try:
        for _ in range(2):
            await pipeline.dispatcher.close_due()
    finally:
        tm.set_up_log("json", "info", sys.__stderr__)
    assert stream.getvalue().count("hits wait for gone, which is no longer configured") == 1
    assert await store.redis.hexists(store.keys.open, "gone|g")


class _HeldReceiver(RecordingReceiver):
    """Renders digests when it is let go, and alerts at once."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.begun, self.go = threading.Event(), threading.Event()

    def render(self, digest: Digest) -> tuple[Message, ...]:
        if digest.kind != "alert":
            self.begun.set()
            self.go.wait(120)
        return super().render(digest)


async def test_a_digest_that_takes_long_delays_no_alert_of_any_receiver(store: Store) -> None:
    held, stop = _HeldReceiver("slow"), asyncio.Event()
    receivers = {"slow": held, "team": RecordingReceiver("team")}
    pipeline = Pipeline(store)
    composer = Composer(
        receivers,
        Installation(install="newsdesk", seed="seed", fingerprint="plan-1", titles={"mali": "Mali"}),
        HoldingRules(),
        sources=["rfi"],
        overview=Overview(store),
        silences=Silences(store),
    )
    digests = Group("slow|digests", "slow", ALWAYS)
    alerts = [Group(f"{name}|alerts", name, ALERTS) for name in receivers]
    dispatcher = Dispatcher(
        [digests, *alerts],
        receivers,
        pipeline.deliveries,
        composer,
        tick=lambda: asyncio.sleep(0.05),
        stop=stop,
        clock=lambda: datetime.now(UTC),
    )

    async def sent(name: str) -> int:
        return int(await store.redis.xlen(store.keys.outbox(name)))

    async def until_sent(slow: int, team: int) -> None:
        async with asyncio.timeout(60):
            while (await sent("slow"), await sent("team")) != (slow, team):
                await asyncio.sleep(0.02)

    await pipeline.park_for([digests.key], report("Convoy burns", "Courier"))
    running = asyncio.ensure_future(dispatcher.run())
    try:
        pipeline.deliveries.ahead = MINUTES * 5
        async with asyncio.timeout(60):
            while not held.begun.is_set():
                await asyncio.sleep(0.02)
        for number in (1, 2):
            await pipeline.park_for(
                [group.key for group in alerts], report(f"Bridge {number} falls", "Courier", f"s{number}")
            )
            await until_sent(number, number)
        held.go.set()
        await until_sent(3, 2)
    finally:
        held.go.set()
        stop.set()
        await running
