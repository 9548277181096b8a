"""The books: every hop counts in the step that moves, and the sums meet whatever happens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.making import article, digest_delivery, hit
from tests.store.ends import HOUR_MS, LEASE_MS, match_one, matcher, parked, queued
from watchpost.model import SourceCounts
from watchpost.store.client import Store
from watchpost.store.dead_letters import DeadLetters
from watchpost.store.deliveries import DeliveryAdmin, DeliveryStore
from watchpost.store.ledger import Audit, Gap, Ledger, by_name, gaps
from watchpost.store.matching import RoutedHit
from watchpost.store.overview import Overview

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


async def balanced(store: Store) -> Audit:
    audit = await Ledger(store).audit()
    assert gaps(audit) == ()
    return audit


def test_a_sum_that_does_not_meet_is_a_gap_and_says_where() -> None:
    fine = Audit({"new": 5, "matched": 3, "parked": 2, "told": 1, "queued": 1, "sent": 1}, 2, 1, 0)
    assert gaps(fine) == ()
    assert gaps(Audit(fine.totals, 1, 1, 0)) == (Gap("articles", 5, 4),)
    assert gaps(Audit(fine.totals, 2, 0, 3)) == (Gap("hits", 2, 1), Gap("deliveries", 1, 4))
    assert str(Gap("articles", 5, 4)) == "articles: 5 in, 4 out or waiting"


async def test_the_sums_meet_after_every_hop_of_an_article(store: Store) -> None:
    await Ledger(store).open()
    outbox, dead_letters, admin = DeliveryStore(store, kept_ms=HOUR_MS), DeadLetters(store), DeliveryAdmin(store)
    await queued(store, article("a"), article("b"), article("c"))
    await queued(store, article("a"))
    await balanced(store)
    end = matcher(store)
    one, two, three = await end.claims.take(3, block=False)
    await match_one(end, one, article("a"), RoutedHit(hit("a", article=article("a")), ("team|now", "desk|now")))
    await match_one(end, two, article("b"), RoutedHit(hit("b", article=article("b")), ()))
    await end.dead_letter(three, "codec", "damaged")
    assert (await balanced(store)).parked == 2
    (dead_letter,) = await dead_letters.all()
    assert dead_letter.about == "c"
    assert await dead_letters.requeue(dead_letter)
    assert not await dead_letters.requeue(dead_letter), "once"
    assert (await balanced(store)).articles == 1
    assert await outbox.close(await outbox.peek("team|now"), NOW, [digest_delivery(f"d{n}") for n in range(4)])
    await balanced(store)
    claims = outbox.claims("team", "n", LEASE_MS)
    await outbox.create_outbox("team")
    for act in ("done", "retry", "dead_letter", "hold"):
        (entry,) = await claims.take(1, block=False)
        if act == "done":
            await outbox.done("team", entry)
            await outbox.done("team", entry)
        elif act == "retry":
            await outbox.retry("team", entry, timedelta(hours=1), "retrying", "503")
        elif act == "dead_letter":
            await outbox.dead_letter("team", entry, "client_error", "400")
        else:
            await outbox.hold("team", entry, "n", "429", counts=True)
        await balanced(store)
    (dead_letter,) = await dead_letters.all()
    assert await dead_letters.requeue(dead_letter)
    await balanced(store)
    for record in await admin.records("team"):
        assert await admin.drop(record)
        assert not await admin.drop(record)
        await balanced(store)
    page = await Ledger(store).page((await outbox.now()).date())
    assert by_name(page, "source") == {"seeds": {"new": 3, "known": 1}}
    assert by_name(page, "topic") == {"mali": {"hits": 2, "parked": 1, "unrouted": 1}}
    assert (page["sent"], page["dead"], page["requeued"], page["dropped"]) == (1, 1, 1, 3)


async def test_what_lay_there_before_the_books_were_opened_is_their_opening_balance(store: Store) -> None:
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await parked(store, "a", "b")
    await queued(store, article("c"))
    await outbox.close(await outbox.peek("g"), NOW, [digest_delivery("d1")])
    for key in [key async for key in store.redis.scan_iter("{wp}:ledger:*")]:
        await store.redis.delete(key)
    await Ledger(store).open()
    await balanced(store)


async def test_a_queue_that_loses_something_shows(store: Store) -> None:
    await Ledger(store).open()
    await queued(store, article("a"), article("b"))
    await store.redis.xtrim(store.keys.articles, maxlen=1, approximate=False)
    assert gaps(await Ledger(store).audit()) == (Gap("articles", 2, 1),)


async def test_a_day_is_told_with_what_does_not_meet(store: Store) -> None:
    await Ledger(store).open()
    await queued(store, article("a"), article("b"))
    today = (await DeliveryStore(store, kept_ms=HOUR_MS).now()).date()
    assert await Overview(store).counts_of(today, 41) == SourceCounts(41, 2, 0, whole_day=False)
    assert await Overview(store).counts_of(today - timedelta(days=1), 41) == SourceCounts(41, 0, 0, whole_day=False)
    await store.redis.hset(f"{store.keys.ledger}total", "since", 0)
    assert await Overview(store).counts_of(today, 41) == SourceCounts(41, 2, 0), "from the first full day on"
    await store.redis.delete(store.keys.articles)
    assert (await Overview(store).counts_of(today, 41)).gaps == ("articles: 2 in, 0 out or waiting",)
