"""What became of each hit, by receiver and topic: the sums meet at every hop, whatever way a message takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.making import article, digest_delivery, hit
from tests.store.ends import HOUR_MS, LEASE_MS, match_one, matcher, parked, queued
from watchpost.documents.clean import fingerprints
from watchpost.match.signatures import signature
from watchpost.model import Contents, Fate, WindowFates
from watchpost.store.client import Store
from watchpost.store.dead_letters import DeadLetters
from watchpost.store.deliveries import DeliveryAdmin, DeliveryStore
from watchpost.store.hit_records import HitRecords
from watchpost.store.ledger import Ledger, by_topic, gaps
from watchpost.store.matching import Match, MatchStore, RoutedHit

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


async def fates(store: Store, topic: str = "mali") -> dict[str, int]:
    """The states of the team's hits that are not 0; the sums meet."""
    audit = await Ledger(store).audit()
    assert gaps(audit) == ()
    return {state: count for state, count in by_topic(audit)["team"][topic].items() if count}


async def closed(store: Store, *ids: str, named: int = 1, copies: int = 0, left_out: int = 0) -> None:
    """A window closes with these deliveries, which all hold the same."""
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    bucket = await outbox.peek("team|now")
    counts: tuple[tuple[Fate, int], ...] = (("named", named), ("copies", copies), ("left_out", left_out))
    kinds = [fate for fate, count in counts for _ in range(count)]
    contents = Contents(
        "c1", ids, {("mali", "named"): named, ("mali", "copies"): copies, ("mali", "left_out"): left_out}
    )
    each = tuple((one.id, fate, "c1") for one, fate in zip(bucket.hits, kinds, strict=True))
    told = WindowFates((contents,), hits=each)
    deliveries = [replace(digest_delivery(id_), contents="c1") for id_ in ids]
    assert await outbox.close(bucket, NOW, deliveries, fates=told)


async def test_the_fates_are_final_when_the_first_message_arrives(store: Store) -> None:
    await parked(store, "a", "b", "c")
    assert await fates(store) == {"came": 3, "waiting": 3}
    await closed(store, "d1", "d2", copies=1, left_out=1)
    assert await fates(store) == {"came": 3, "open": 3}
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.create_outbox("team")
    claims = outbox.claims("team", "n", LEASE_MS)
    (one,) = await claims.take(1, block=False)
    await outbox.dead_letter("team", one, "client_error", "400")
    assert await fates(store) == {"came": 3, "open": 3}, "another one may arrive"
    (two,) = await claims.take(1, block=False)
    await outbox.done("team", two)
    await outbox.done("team", two)
    assert await fates(store) == {"came": 3, "named": 1, "copies": 1, "left_out": 1}
    (letter,) = await DeadLetters(store).all()
    assert await DeadLetters(store).requeue(letter)
    (one,) = await claims.take(1, block=False)
    await outbox.done("team", one)
    assert await fates(store) == {"came": 3, "named": 1, "copies": 1, "left_out": 1}


async def test_what_fails_for_good_is_failed_until_it_is_sent_again(store: Store) -> None:
    await parked(store, "a", "b")
    await closed(store, "d1", left_out=1)
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await outbox.create_outbox("team")
    claims = outbox.claims("team", "n", LEASE_MS)
    (entry,) = await claims.take(1, block=False)
    await outbox.dead_letter("team", entry, "client_error", "400")
    assert await fates(store) == {"came": 2, "failed": 2}
    record = await HitRecords(store).record(hit("a").id)
    assert record is not None
    assert [(fate.state, fate.planned, fate.deliveries) for fate in record.fates] == [("failed", "named", ("d1",))]
    await parked(store, "later copy")
    later = WindowFates(known={("mali", "c1"): 1}, hits=((hit("later copy").id, "copies", "c1"),))
    assert await outbox.close(await outbox.peek("team|now"), NOW, [], fates=later)
    assert await fates(store) == {"came": 3, "failed": 3}, "a copy of what did not arrive did not arrive"
    (letter,) = await DeadLetters(store).all()
    assert await DeadLetters(store).requeue(letter)
    assert await fates(store) == {"came": 3, "open": 3}
    (entry,) = await claims.take(1, block=False)
    await outbox.done("team", entry)
    assert await fates(store) == {"came": 3, "named": 1, "left_out": 1, "copies": 1}
    record = await HitRecords(store).record(hit("a").id)
    assert record is not None
    assert [(fate.state, fate.message) for fate in record.fates] == [("named", "d1")]
    assert record.fates[0].arrived is not None


async def test_a_message_that_is_dropped_has_failed(store: Store) -> None:
    await parked(store, "a")
    await closed(store, "d1")
    admin = DeliveryAdmin(store)
    (record,) = await admin.records("team")
    assert await admin.drop(record)
    assert await fates(store) == {"came": 1, "failed": 1}


async def test_a_hit_that_cannot_be_read_fails_and_comes_back(store: Store) -> None:
    await parked(store, "a", "b")
    key = store.keys.bucket("team|now")
    good = await store.redis.lindex(key, 0)
    await store.redis.lset(key, 0, b"h9 of a later version")
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    assert await outbox.close(await outbox.peek("team|now"), NOW, [digest_delivery("d1")])
    assert (await fates(store, ""))["failed"] == 1
    (letter,) = await DeadLetters(store).all()
    assert await DeadLetters(store).requeue(letter)
    await store.redis.lset(key, 0, good)
    assert await outbox.close(await outbox.peek("team|now"), NOW, [digest_delivery("d2")])
    assert await fates(store) == {"came": 2, "open": 2}
    assert await fates(store, "") == {}


async def test_another_article_that_repeats_one_is_a_copy_and_the_same_hit_again_is_none(store: Store) -> None:
    first = article("a", fingerprints=("text:1",))
    copy = article("b", fingerprints=("text:1",))
    await queued(store, first, copy)
    end = matcher(store)
    for entry in await end.claims.take(10, block=False):
        read = end.read(entry)
        await match_one(end, entry, read, RoutedHit(hit(read.title, article=read), ("team|now", "team|08:00")))
    assert await fates(store) == {"came": 4, "waiting": 2, "copies": 2}
    record = await HitRecords(store).record(hit("b", article=copy).id)
    assert record is not None
    assert record.hit is not None, "a copy is not in the history; its record has it"
    assert [fate.state for fate in record.fates] == ["copies", "copies"]


async def test_hits_beyond_the_limit_wait_until_a_message_counts_them(store: Store) -> None:
    await queued(store, article("a"), article("b"))
    end = MatchStore(store, "m", lease_ms=LEASE_MS, hits_ttl_ms=HOUR_MS, per_hour=1)
    for entry in await end.claims.take(10, block=False):
        read = end.read(entry)
        await match_one(end, entry, read, RoutedHit(hit(read.title, article=read), ("team|now",)))
    assert await fates(store) == {"came": 2, "waiting": 1, "over": 1}


async def test_hits_and_messages_of_an_earlier_version_make_no_gap(store: Store) -> None:
    await Ledger(store).open()
    await parked(store, "a", "b")
    await closed(store, "d1", copies=1)
    await parked(store, "c")
    await store.redis.delete(f"{store.keys.ledger}fates", store.keys.contents("c1"))
    await store.redis.hdel(store.keys.out("d1"), "contents")
    await store.redis.hdel(f"{store.keys.ledger}total", "followed", "ended")
    await Ledger(store).open()
    outbox = DeliveryStore(store, kept_ms=HOUR_MS)
    await parked(store, "d")
    assert await outbox.close(await outbox.peek("team|now"), NOW, [digest_delivery("d2")])
    assert await fates(store) == {"came": 2, "open": 2}
    await outbox.create_outbox("team")
    claims = outbox.claims("team", "n", LEASE_MS)
    for entry in await claims.take(2, block=False):
        await outbox.done("team", entry)
    assert await fates(store) == {"came": 2, "named": 2}


async def test_a_notifier_of_an_earlier_version_makes_no_gap(store: Store) -> None:
    await Ledger(store).open()
    await parked(store, "a", "b")
    await store.redis.delete(store.keys.bucket("team|now"), store.keys.open)
    await store.redis.hincrby(f"{store.keys.ledger}total", "told", 2)
    assert gaps(await Ledger(store).audit()) == ()


async def test_a_hit_that_is_gone_is_missing_and_the_command_that_shows_it_is_named(store: Store) -> None:
    await Ledger(store).open()
    await parked(store, "a", "b")
    await store.redis.ltrim(store.keys.bucket("team|now"), 1, -1)
    found = {gap.hop: gap for gap in gaps(await Ledger(store).audit())}
    gap = found["waiting hits for team"]
    assert (gap.came, gap.went) == (2, 1)
    assert gap.command == "watchpost hit list --receiver team --fate waiting"
    states = [(await HitRecords(store).record(hit(name).id)) for name in ("a", "b")]
    assert [record.fates[0].state for record in states if record] == ["missing", "waiting"]
    await store.redis.hincrby(f"{store.keys.ledger}fates", "team\tmali\twaiting", -1)
    assert [gap.command for gap in gaps(await Ledger(store).audit()) if gap.topic] == [
        "watchpost hit list --receiver team --topic mali --fate waiting"
    ]


TEXT = (
    "Two lorries with cooking oil burnt out on the road between Gossi and Hombori on Saturday and both drivers are "
    "missing a spokesman of the hauliers said while traders in Gao asked for an escort since the ferry is out of "
    "order again"
)


@pytest.mark.parametrize(
    ("body", "share"),
    [(TEXT, 1.0), (TEXT.replace("since", "as"), 0.9), ("Nothing of that text.", 0.0)],
    ids=["the same text", "most of the text", "another text"],
)
async def test_a_copy_names_what_it_repeats_and_how_much_of_it(store: Store, body: str, share: float) -> None:
    records = HitRecords(store)
    url = "https://a.example/1"
    first = article("Lorries burn", id="first", url=url, body=TEXT, outlet="A")
    first = replace(first, fingerprints=fingerprints(url, first.title, first.body))
    copy = article("Lorries burn", id="copy", source="another feed", url=url, body=body, outlet="A")
    copy = replace(copy, fingerprints=fingerprints(url, copy.title, copy.body))
    end = MatchStore(store, "m", lease_ms=LEASE_MS, hits_ttl_ms=HOUR_MS)
    for one in (first, copy):
        await queued(store, one)
        (entry,) = await end.claims.take(1, block=False)
        routed = RoutedHit(hit(article=one), ("team|now",))
        await end.matched([Match(entry, one, (routed,), signature(one))])
    ids = [hit(article=one).id for one in (first, copy)]
    assert await records.copies() == await records.copies("mali") == (ids[1],)
    assert await records.copies("gao") == ()
    found = await records.record(ids[1])
    assert found is not None
    assert [fate.state for fate in found.fates] == ["copies"]
    assert found.share == pytest.approx(share, abs=0.07)
    assert (found.first, found.of) == (ids[0], ids[0] if share else "")
    assert await records.shares([*ids, "unknown"]) == ({ids[1]: (found.share, "first")} if share else {})
