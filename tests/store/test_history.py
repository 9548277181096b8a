"""What was found and sent stays for people to look through, in the very step that parked or delivered it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.making import article, digest_delivery, hit
from tests.store.ends import queued
from tests.web.web_app import GROUP, closed, found, sent
from watchpost.store.client import Store
from watchpost.store.history import History, is_mark
from watchpost.store.matching import Match, MatchStore, RoutedHit
from watchpost.store.overview import Overview


async def test_news_enter_the_history_once_with_their_story(store: Store) -> None:
    made = await found(store, article("Gao", fingerprints=("url:1",)))
    await found(store, article("Gao", id="in another feed", fingerprints=("url:1",)))
    history = await History(store).search(lambda hit: True)
    assert [(past.hit.id, past.hit.story) for past in history.hits] == [(made.id, made.story)]
    assert history.more == ""


async def test_a_hit_that_no_route_takes_is_in_the_history_too(store: Store) -> None:
    about = article("Gao")
    await queued(store, about)
    end = MatchStore(store, "m1", lease_ms=60_000, hits_ttl_ms=60_000)
    (entry,) = await end.claims.take(1, block=False)
    await end.matched([Match(entry, about, (RoutedHit(hit(about.title, article=about), ()),))])
    assert len((await History(store).search(lambda hit: True)).hits) == 1


async def test_a_search_goes_back_and_what_cannot_be_read_is_left_out(store: Store) -> None:
    for number in range(3):
        await found(store, article(f"report {number}"))
    await store.redis.xadd(store.keys.history, {"t": "mali", "h": b"zzz"})
    history = History(store)
    first = await history.search(lambda hit: True, topic="mali", count=2)
    assert [past.hit.article.title for past in first.hits] == ["report 2", "report 1"]
    second = await history.search(lambda hit: True, topic="mali", before=first.more)
    assert [past.hit.article.title for past in second.hits] == ["report 0"]
    assert (await history.search(lambda hit: True, topic="wagner")).hits == ()


async def test_what_was_found_since_a_moment_comes_in_its_order(store: Store) -> None:
    begin = datetime.now(UTC) - timedelta(minutes=1)
    await store.redis.xadd(store.keys.history, {"t": "mali", "h": b"old"}, id="1000-1")
    for number in range(3):
        await found(store, article(f"report {number}"))
    history = History(store)
    hits, more = await history.since(begin, 10)
    assert ([one.article.title for one in hits], more) == (["report 0", "report 1", "report 2"], False)
    hits, more = await history.since(begin, 2)
    assert ([one.article.title for one in hits], more) == (["report 1", "report 2"], True)
    assert await history.since(datetime.now(UTC) + timedelta(minutes=1), 10) == ((), False)


async def test_the_history_forgets_what_is_older_than_it_is_kept(store: Store) -> None:
    """Whole nodes of the stream are cut off, so there must be some of them."""
    for number in range(300):
        await store.redis.xadd(store.keys.history, {"t": "mali", "h": b"old"}, id=f"1000-{number + 1}")
    await found(store, article("Gao"))
    assert await store.redis.xlen(store.keys.history) < 150


async def test_what_arrived_can_be_read_again_a_very_large_message_only_by_name(store: Store) -> None:
    await sent(store, "d1", "1 story")
    made = digest_delivery("d2")
    outbox = await closed(
        store,
        replace(made, message=replace(made.message, renderings={"text": made.id + str(list(range(90_000)))})),
        group="team|2",
    )
    await outbox.create_outbox("team")
    (entry,) = await outbox.claims("team", "n1", 60_000).take(1, block=False)
    await outbox.done("team", entry)
    await outbox.done("team", entry)
    large, small = await History(store).sent()
    assert (large.id, large.message, large.attempts) == ("d2", None, 1)
    assert small.message is not None
    assert small.message.subject == "1 story"
    assert await History(store).sent_message("d1") == small
    assert await History(store).sent_message("d3") is None


async def test_what_is_parked_is_counted_and_its_beginning_shown(store: Store) -> None:
    for number in range(3):
        await found(store, article(f"report {number}"))
    parked = await Overview(store).waiting([GROUP, "nobody"], 2)
    assert parked[GROUP].count == 3
    assert [hit.article.title for hit in parked[GROUP].hits] == ["report 0", "report 1"]
    assert parked[GROUP].opened is not None
    assert (parked["nobody"].count, parked["nobody"].opened) == (0, None)


def test_marks() -> None:
    assert is_mark("1764000000000-12")
    for text in ("", "-", "1", "1-", "+", "1-2-3", "a-1", "١-٢", "(1-1"):
        assert not is_mark(text), text
