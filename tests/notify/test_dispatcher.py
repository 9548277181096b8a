"""Windows that close on a real store: what is told, held, silenced and counted, and that nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.fakes import RecordingReceiver
from tests.making import article, hit
from tests.notify.desk import ALWAYS, MINUTES, Desk, LaterOutbox, report, titles
from watchpost import log as tm
from watchpost.model import Digest, Hit, Message
from watchpost.notify.render import packing
from watchpost.schedules import QuietHours, Silence
from watchpost.store.client import Store
from watchpost.store.overview import Overview
from watchpost.store.receivers import UnsubscribedAddresses
from watchpost.store.silences import Silences


async def test_news_of_a_told_story_wait_and_come_as_one_update(store: Store) -> None:
    desk = Desk(store)
    await desk.park(report("Convoy burns", "Courier"))
    (first,) = await desk.close()
    assert first["stories"][0]["status"] == "new"
    await desk.park(report("Convoy burnt", "Paper"))
    assert await desk.close() == []
    await desk.park(report("The convoy", "Herald"))
    desk.outbox.ahead = 14 * MINUTES
    assert await desk.close() == []
    assert (await desk.outbox.group_states([]))["team|g|held"].opened, "two of one story wait together"
    assert await desk.outbox.waiting_groups() == 0, "but nobody is late with them"
    look = await desk.closer.close_due()
    assert look is not None
    assert look > await desk.outbox.now(), "until then nobody looks again and again"
    desk.outbox.ahead = 16 * MINUTES
    (update,) = await desk.close()
    assert (update["stories"][0]["status"], update["stories"][0]["change"]["sources"]) == ("updated", 2)
    assert await desk.close() == []
    assert await desk.outbox.group_states([]) == {}
    assert await desk.accounted()


async def test_a_story_that_goes_on_is_told_again_after_a_while(store: Store) -> None:
    desk = Desk(store)
    await desk.park(report("Convoy burns", "Courier"))
    assert len(await desk.close()) == 1
    await desk.park(hit(article=article("copy", outlet="Copyist"), story="s", voice="Courier"))
    assert await desk.close() == [], "a copy is no news"
    await desk.park(hit(article=article("copy 2", outlet="Third"), story="s", voice="Courier"))
    desk.outbox.ahead = timedelta(hours=13)
    (again,) = await desk.close()
    assert again["stories"][0]["status"] == "continuing"
    assert await desk.accounted()


async def test_a_hit_that_nobody_can_read_is_put_away_counted_and_said_with_the_window_of_the_others(
    store: Store,
) -> None:
    desk, before = Desk(store), tm.dead_letters.labels("parked", "codec")._value.get()
    await desk.park(report("Convoy burns", "Courier"))
    await store.redis.rpush(store.keys.bucket("team|g"), b"h9{}")
    await store.redis.hincrby(f"{store.keys.ledger}total", "parked", 1)
    (told,) = await desk.close()
    assert len(told["stories"]) == 1
    assert tm.dead_letters.labels("parked", "codec")._value.get() == before + 1
    assert (await Overview(store).depths([])).dead_of == {"parked": 1}
    assert await desk.accounted()


async def test_quiet_hours_hold_and_release_in_one_message(store: Store) -> None:
    now = (await LaterOutbox(store, kept_ms=1).now()).replace(second=0, microsecond=0)
    begin, end = now - timedelta(hours=1), now + timedelta(hours=1)
    quiet = QuietHours(("team",), begin.time(), end.time(), tuple(range(7)), "UTC", ("high",))
    desk = Desk(store, quiet_hours=(quiet,))
    await desk.park(report("low one", "A", "1"), report("high one", "B", "2", "high"))
    (through,) = await desk.close()
    assert titles(through) == ["high one"]
    await desk.park(report("another", "C", "3"))
    assert await desk.close() == []
    desk.outbox.ahead = timedelta(minutes=59)
    assert await desk.close() == []
    desk.outbox.ahead = timedelta(minutes=61)
    (released,) = await desk.close()
    assert sorted(titles(released)) == ["another", "low one"]
    assert await desk.close() == []
    assert await desk.accounted()


async def test_a_digest_waits_for_the_end_of_quiet_hours_and_is_not_called_late(store: Store) -> None:
    now = (await LaterOutbox(store, kept_ms=1).now()).replace(second=0, microsecond=0)
    quiet = QuietHours(
        ("team",),
        (now - timedelta(hours=1)).time(),
        (now + timedelta(hours=1)).time(),
        tuple(range(7)),
        "UTC",
        ("high",),
    )
    desk = Desk(store, ALWAYS, quiet_hours=(quiet,))
    await desk.outbox.register(["team|g"], now - timedelta(hours=2))
    await desk.park(report("high one", "B", "2", "high"))
    assert await desk.close() == []
    desk.outbox.ahead = timedelta(minutes=61)
    (released,) = await desk.close()
    assert (titles(released), released["late_seconds"]) == (["high one"], 0)


async def test_what_is_silenced_is_counted_and_said_with_the_next_edition(store: Store) -> None:
    desk = Desk(store, silences=(Silence("s1", datetime.now(UTC) + timedelta(hours=1), "replays", "anna", text="old"),))
    await desk.park(report("an old one", "A", "1"))
    assert await desk.close() == []
    await desk.park(report("old again", "B", "2"), report("fresh", "C", "3"))
    (edition,) = await desk.close()
    assert (titles(edition), edition["counts"]["silenced"]) == (["fresh"], 2)
    await desk.park(report("fresher", "D", "4"))
    (edition,) = await desk.close()
    assert edition["counts"]["silenced"] == 0
    assert await desk.accounted()


async def test_a_silence_that_is_added_late_covers_what_waits(store: Store) -> None:
    desk, silences = Desk(store), Silences(store)
    await desk.park(report("an old one", "A", "1"))
    now = datetime.now(UTC)
    silence = Silence("s1", now + timedelta(hours=1), "replays", "anna", topic="mali")
    await silences.add(silence, now)
    assert await desk.close() == []
    assert (await silences.expire("s1", now)) is not None
    assert await silences.expire("s1", now) is None, "it has ended"
    assert [each.until for each in await silences.all()] == [now]
    await desk.park(report("one more", "B", "2"))
    (edition,) = await desk.close()
    assert (titles(edition), edition["counts"]["silenced"]) == (["one more"], 1)


async def test_beyond_its_limit_a_receiver_gets_the_rest_of_the_hour_in_one(store: Store) -> None:
    desk = Desk(store, per_hour=2)
    told = []
    for number in range(5):
        await desk.park(report(f"n{number}", "A", f"s{number}"))
        told += await desk.close()
    assert [titles(edition) for edition in told] == [["n0"], ["n1"]]
    desk.outbox.ahead = timedelta(hours=1)
    (rest,) = await desk.close()
    assert sorted(titles(rest)) == ["n2", "n3", "n4"]
    assert await desk.accounted()


async def test_a_flood_is_told_once_with_exact_counts(store: Store) -> None:
    desk = Desk(store)
    flood: Sequence[Hit] = [report(f"n{number}", "A", f"s{number}") for number in range(120)]
    await desk.park(*flood[:60], per_hour=10)
    (edition,) = await desk.close()
    assert len(edition["stories"]) == 10
    assert edition["flooded"] == [{"topic": "Mali", "count": 50}]
    await desk.park(*flood[60:], per_hour=10)
    assert await desk.close() == [], "the rest of the hour is only counted"
    assert await store.redis.llen(store.keys.bucket("team|g")) == 0, "and takes no memory"
    desk.outbox.ahead = timedelta(hours=1)
    (notice,) = await desk.close()
    assert (notice["stories"], notice["flooded"]) == ([], [{"topic": "Mali", "count": 60}])
    assert await desk.close() == []
    assert not await store.redis.exists(store.keys.over("team|g"))
    assert await desk.accounted()


class DeafReceiver(RecordingReceiver):
    """Wants stories and nothing else."""

    def render(self, digest: Digest) -> tuple[Message, ...]:
        return super().render(digest) if digest.stories else ()


async def test_a_notice_that_a_receiver_does_not_want_is_not_made_again_and_again(store: Store) -> None:
    desk = Desk(store, receiver=DeafReceiver("team"))
    await desk.park(*(report(f"n{number}", "A", f"s{number}") for number in range(5)), per_hour=2)
    assert len(await desk.close()) == 1
    await desk.park(report("one more", "A", "more"), per_hour=2)
    desk.outbox.ahead = timedelta(hours=1)
    assert await desk.close() == []
    assert not await store.redis.exists(store.keys.over("team|g"))


async def test_the_first_empty_digest_of_a_configuration_is_sent(store: Store) -> None:
    desk = Desk(store, ALWAYS)
    now = await desk.outbox.now()
    await desk.outbox.register(["team|g"], now - timedelta(hours=2))
    (edition,) = await desk.close()
    assert edition["stories"] == []
    desk.outbox.ahead = timedelta(minutes=10)
    assert await desk.close() == [], "one is enough"


async def test_what_is_counted_by_the_hour_becomes_the_trend(store: Store) -> None:
    desk = Desk(store, ALWAYS)
    now = await desk.outbox.now()
    await desk.outbox.register(["team|g"], now - timedelta(hours=2))
    await desk.park(report("one", "A", "1"), report("two", "B", "2"))
    hours = (await Overview(store).counts(["mali"], now))["mali"]
    assert hours == {int(now.timestamp()) // 3600: 2}


class NarrowReceiver(RecordingReceiver):
    """Has room for one story."""

    def render(self, digest: Digest) -> tuple[Message, ...]:
        (one,) = super().render(packing.limit_stories(digest, 1))
        return (replace(one, omitted=len(digest.stories) - 1),) if digest.stories else (one,)


async def test_what_an_edition_had_no_room_for_is_still_new_when_more_of_it_comes(store: Store) -> None:
    desk = Desk(store, ALWAYS, NarrowReceiver("team"))
    await desk.outbox.register(["team|g"], await desk.outbox.now() - timedelta(hours=2))
    await desk.park(report("Convoy burns", "Courier", "a", "high"), report("Well dug", "Courier", "b"))
    (first,) = await desk.close()
    assert (titles(first), first["counts"]["omitted"]) == (["Convoy burns"], 1)
    await desk.park(report("A well is dug", "Herald", "b"))
    desk.outbox.ahead = timedelta(minutes=10)
    (second,) = await desk.close()
    assert [(story["title"], story["status"]) for story in second["stories"]] == [("A well is dug", "new")]
    await desk.park(report("The well gives water", "Paper", "b"))
    desk.outbox.ahead = timedelta(minutes=20)
    (third,) = await desk.close()
    assert [(story["status"], story["change"]["sources"]) for story in third["stories"]] == [("updated", 1)]


class Mailer(RecordingReceiver):
    """Writes to two readers."""

    def render(self, digest: Digest) -> tuple[Message, ...]:
        (one,) = super().render(digest)
        return tuple(replace(one, part=name, address=f"{name}@example.org") for name in ("ida", "desk"))


async def test_who_has_unsubscribed_is_not_written_to(store: Store) -> None:
    desk = Desk(store, receiver=Mailer("team"))
    await UnsubscribedAddresses(store).add("team", "ida@example.org", datetime.now(UTC))
    await desk.park(report("Convoy burns", "Courier"))
    assert len(await desk.close()) == 1
    await UnsubscribedAddresses(store).remove("team", "ida@example.org")
    await desk.park(report("Another convoy burns", "Courier", story="t"))
    assert len(await desk.close()) == 2
    assert await desk.accounted()
