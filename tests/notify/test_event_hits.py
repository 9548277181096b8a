"""One event in several languages is sent once, with all its headlines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.making import WHEN, article, hit
from tests.notify.digests import usual
from tests.notify.pipeline import ALERTS, ALWAYS, Pipeline, titles
from watchpost.model import Hit, Publisher, TollDifference
from watchpost.notify.event_hits import as_events, parts_of_events, records_of_events
from watchpost.notify.notification_log import NotificationRecord
from watchpost.notify.render import sentences, story_lines
from watchpost.notify.rules import VOICES_WAIT
from watchpost.schedules import Daily, Immediate
from watchpost.store.client import Store
from watchpost.store.events import Decided, EventOfStory, EventStore

STORY = "0" * 31


def voice(number: int, lang: str, title: str, outlet: str = "") -> Hit:
    about = article(title, lang=lang, outlet=outlet or f"Outlet {number}", fetched=WHEN + timedelta(minutes=number))
    return hit(article=about, story=f"{STORY}{number}", voice=outlet)


FRENCH = voice(1, "fr", "Mali : onze morts près d'Ansongo")
ENGLISH = voice(2, "en", "Eleven dead near Ansongo, Mali")
RUSSIAN = voice(3, "ru", "Мали: одиннадцать погибших")
OTHER = voice(4, "en", "Mali opens a market")


async def join(store: Store, *hits: Hit, certain: bool = True, dead: Sequence[int] = ()) -> None:
    """The stories of these hits become one event, that of the first; each counts so many `dead`."""
    events = EventStore(store)
    for at, one in enumerate(hits):
        last = (await events.decided() or (Decided("", "", ""),))[-1].mark
        found = Decided(last, one.story, hits[0].story, certain=certain or one is hits[0])
        harm = [("killed", dead[at])] if dead else None
        answer = await events.join(
            found,
            like=hits[0].story,
            reasons=["same place Ansongo"],
            by="a test",
            harm=harm,
            outlet=one.article.outlet,
        )
        assert answer == "OK"


async def test_a_digest_has_one_story_in_the_readers_language_with_all_headlines(store: Store) -> None:
    pipeline = Pipeline(store, ALWAYS)
    await join(store, FRENCH, ENGLISH, RUSSIAN, certain=False)
    await pipeline.park(FRENCH, ENGLISH, RUSSIAN, OTHER)
    pipeline.deliveries.ahead = timedelta(minutes=6)
    (digest,) = await pipeline.close()
    assert sorted(titles(digest)) == sorted([ENGLISH.article.title, OTHER.article.title])
    told = next(story for story in digest["stories"] if story["event"])
    assert {source["title"] for source in told["sources"]} == {one.article.title for one in (FRENCH, ENGLISH, RUSSIAN)}
    assert told["event"]["languages"] == ["fr", "en", "ru"]
    assert told["event"]["reasons"] == ["same place Ansongo"]
    assert (told["source_count"], told["independent_count"]) == (3, 3)
    assert await pipeline.accounted()


async def test_an_alert_is_sent_once_and_another_language_is_an_update(store: Store) -> None:
    pipeline = Pipeline(store, Immediate(timedelta(0), group_interval=timedelta(minutes=5)))
    await pipeline.park(FRENCH)
    (first,) = await pipeline.close()
    assert titles(first) == [FRENCH.article.title]
    await join(store, FRENCH, ENGLISH)
    await pipeline.park(ENGLISH)
    assert await pipeline.close() == []
    pipeline.deliveries.ahead = timedelta(minutes=6)
    (second,) = await pipeline.close()
    (story,) = second["stories"]
    assert story["status"] == "updated"
    assert story["title"] == ENGLISH.article.title
    assert await pipeline.accounted()


async def test_an_uncertain_join_is_an_alert_of_its_own(store: Store) -> None:
    pipeline = Pipeline(store, ALERTS)
    await join(store, FRENCH, ENGLISH, certain=False)
    await pipeline.park(FRENCH, ENGLISH)
    (digest,) = await pipeline.close()
    assert len(digest["stories"]) == 2


async def test_a_join_after_the_alert_sends_nothing_twice(store: Store) -> None:
    pipeline = Pipeline(store, ALERTS)
    await pipeline.park(ENGLISH)
    (first,) = await pipeline.close()
    assert len(first["stories"]) == 1
    await join(store, FRENCH, ENGLISH)
    again = hit(article=article("Eleven dead, a copy", outlet="Third"), story=ENGLISH.story, topic="other")
    await pipeline.park(again)
    sent = await pipeline.close()
    assert [story["status"] for digest in sent for story in digest["stories"]] == ["updated"]


async def test_without_events_nothing_changes(store: Store) -> None:
    pipeline = Pipeline(store, ALERTS)
    await pipeline.park(FRENCH, ENGLISH)
    (digest,) = await pipeline.close()
    assert len(digest["stories"]) == 2
    assert all(story["event"] is None for story in digest["stories"])


@pytest.mark.parametrize("schedule", [ALERTS, ALWAYS])
async def test_every_voice_of_a_large_event_is_named_or_counted(store: Store, schedule: Daily | Immediate) -> None:
    voices = [voice(number, "en", f"Report number {number} from Ansongo, Mali") for number in range(1, 10)]
    pipeline = Pipeline(store, schedule)
    await join(store, *voices)
    await pipeline.park(*voices)
    pipeline.deliveries.ahead = timedelta(minutes=6)
    (digest,) = await pipeline.close()
    (story,) = digest["stories"]
    assert len(story["sources"]) == 9
    assert await pipeline.accounted()


def test_hits_keep_their_stories_where_a_join_is_not_safe() -> None:
    events = {ENGLISH.story: EventOfStory(FRENCH.story, certain=False), FRENCH.story: EventOfStory(FRENCH.story)}
    hits = (FRENCH, ENGLISH)
    assert as_events(hits, events, certain=True) == hits
    joined = as_events(hits, events, certain=False)
    assert [one.story for one in joined] == [FRENCH.story, FRENCH.story]
    assert [*parts_of_events(hits, joined, events, {}, certain=False)] == [FRENCH.story]
    known: dict[str, Any] = {ENGLISH.story: NotificationRecord(voices=("x",))}
    assert records_of_events(known, hits, joined)[FRENCH.story].voices == ("x",)


def test_texts_without_an_outlet_are_voices_of_their_own() -> None:
    bare = [replace(one, article=replace(one.article, outlet="")) for one in (FRENCH, ENGLISH, RUSSIAN)]
    joined = [replace(one, story=FRENCH.story) for one in bare]
    assert parts_of_events(bare, joined, {}, {}, certain=False)[FRENCH.story].nameless == 3


@pytest.mark.parametrize("schedule", [ALERTS, ALWAYS])
async def test_outlets_that_count_differently_are_named(store: Store, schedule: Daily | Immediate) -> None:
    pipeline = Pipeline(store, schedule)
    await join(store, FRENCH, ENGLISH, RUSSIAN, dead=[11, 14, 11])
    await pipeline.park(FRENCH, ENGLISH, RUSSIAN)
    pipeline.deliveries.ahead = timedelta(minutes=6)
    (digest,) = await pipeline.close()
    (story,) = digest["stories"]
    numbers = [{"number": 11, "outlets": ["Outlet 1", "Outlet 3"]}, {"number": 14, "outlets": ["Outlet 2"]}]
    assert story["event"]["differences"] == [{"role": "killed", "numbers": numbers}]


async def test_an_update_names_what_the_reports_before_it_count(store: Store) -> None:
    pipeline = Pipeline(store, Immediate(timedelta(0), group_interval=timedelta(minutes=5)))
    await pipeline.park(FRENCH)
    await pipeline.close()
    await join(store, FRENCH, ENGLISH, dead=[11, 14])
    await pipeline.park(ENGLISH)
    await pipeline.close()
    pipeline.deliveries.ahead = timedelta(minutes=6)
    ((story,),) = [digest["stories"] for digest in await pipeline.close()]
    assert len(story["event"]["differences"]) == 1


async def test_what_is_not_safely_joined_is_not_said_to_differ_in_an_alert(store: Store) -> None:
    pipeline = Pipeline(store, ALERTS)
    await join(store, FRENCH, ENGLISH, certain=False, dead=[11, 14])
    await pipeline.park(FRENCH, ENGLISH)
    (digest,) = await pipeline.close()
    assert [story["event"] for story in digest["stories"]] == [None, None]


async def test_sources_of_one_owner_are_one_voice_and_no_update(store: Store) -> None:
    ours = [
        replace(one, article=replace(one.article, source=f"s{number}")) for number, one in enumerate([FRENCH, ENGLISH])
    ]
    owned = {f"s{number}": Publisher("Same Press", "RU", state_media=True) for number in range(2)}
    pipeline = Pipeline(store, Immediate(timedelta(0), group_interval=timedelta(0)), publishers=owned)
    await join(store, *ours)
    await pipeline.park(*ours)
    (digest,) = await pipeline.close()
    (story,) = digest["stories"]
    assert (story["source_count"], story["independent_count"]) == (2, 1)
    assert {(one["owner"], one["country"], one["state_media"]) for one in story["sources"]} == {
        ("Same Press", "RU", True)
    }
    more = replace(RUSSIAN, article=replace(RUSSIAN.article, source="s1"))
    await join(store, *ours, more)
    await pipeline.park(more)
    assert await pipeline.close() == [], "the owner has said it"
    assert await pipeline.accounted()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "figures differ: 11 dead (Courier, RFI, +1), 14 dead (Le Fleuve), 3 (RFI)"),
        ("fr", "11 morts"),
        ("ru", "погибших: 11"),
        ("ar", "عدد القتلى"),
    ],
)
def test_a_message_says_where_figures_differ(language: str, words: str) -> None:
    said = (
        TollDifference("killed", ((11, ("Courier", "RFI", "TASS")), (14, ("Le Fleuve",)))),
        TollDifference("another", ((3, ("RFI",)),)),
    )
    digest = replace(usual(), language=language)
    story = replace(digest.stories[0], differences=said)
    byline = story_lines.byline(digest, story)
    assert words in byline.replace("\u2068", "").replace("\u2069", "")
    assert story_lines.differing(digest, digest.stories[0]) == ()


def test_a_message_says_which_outlets_are_a_states() -> None:
    digest = usual()
    lead = replace(digest.stories[0].lead, publisher=Publisher("x", "RU", state_media=True))
    story = replace(digest.stories[0], lead=lead)
    assert "state media" in story_lines.byline(digest, story)
    assert "state media" in story_lines.outlet_and_language(digest, digest.stories[0], lead)


TWO = Immediate(timedelta(0), group_interval=timedelta(0), voices=2)


def now_found(one: Hit) -> Hit:
    return replace(one, matched=datetime.now(UTC))


async def test_an_alert_waits_for_its_second_voice_and_names_both(store: Store) -> None:
    pipeline = Pipeline(store, TWO)
    await pipeline.park(now_found(FRENCH))
    assert await pipeline.close() == []
    await pipeline.park(now_found(ENGLISH))
    assert await pipeline.close() == [], "two stories, until their event is decided"
    await join(store, FRENCH, ENGLISH)
    assert await pipeline.close() == []
    pipeline.deliveries.ahead = timedelta(minutes=1)
    ((story,),) = [digest["stories"] for digest in await pipeline.close()]
    assert {source["title"] for source in story["sources"]} == {FRENCH.article.title, ENGLISH.article.title}
    assert await pipeline.accounted()
    await pipeline.park(now_found(RUSSIAN))
    await join(store, FRENCH, RUSSIAN)
    ((update,),) = [digest["stories"] for digest in await pipeline.close()]
    assert update["status"] == "updated", "a third voice does not wait"


async def test_an_alert_without_a_second_voice_is_left_out_after_its_wait(store: Store) -> None:
    pipeline = Pipeline(store, TWO)
    alone = now_found(FRENCH)
    await pipeline.park(alone)
    for ahead in (timedelta(0), timedelta(hours=1), VOICES_WAIT - timedelta(minutes=1)):
        pipeline.deliveries.ahead = ahead
        assert await pipeline.close() == []
        assert await store.redis.hlen(store.keys.open) == 1, "it waits"
    pipeline.deliveries.ahead = VOICES_WAIT + timedelta(minutes=1)
    assert await pipeline.close() == []
    assert await store.redis.hlen(store.keys.open) == 0
    assert await pipeline.accounted()


async def test_one_owner_and_copies_are_no_second_voice(store: Store) -> None:
    owned = {f"s{number}": Publisher("Same Press") for number in range(2)}
    one, other = (
        now_found(replace(each, article=replace(each.article, source=f"s{number}")))
        for number, each in enumerate([FRENCH, ENGLISH])
    )
    pipeline = Pipeline(store, TWO, publishers=owned)
    await join(store, one, other, RUSSIAN)
    await pipeline.park(one, other)
    await pipeline.close()
    pipeline.deliveries.ahead = timedelta(hours=1)
    assert await pipeline.close() == []
    await pipeline.park(now_found(RUSSIAN))
    await pipeline.close()
    pipeline.deliveries.ahead = timedelta(hours=2)
    ((story,),) = [digest["stories"] for digest in await pipeline.close()]
    assert len(story["sources"]) == 3
    assert await pipeline.accounted()


async def test_an_unsafe_join_is_no_second_voice(store: Store) -> None:
    pipeline = Pipeline(store, TWO)
    await join(store, FRENCH, ENGLISH, certain=False)
    await pipeline.park(now_found(FRENCH), now_found(ENGLISH))
    await pipeline.close()
    pipeline.deliveries.ahead = timedelta(hours=1)
    assert await pipeline.close() == []


DIGESTS = replace(ALWAYS, voices=2)


async def test_a_digest_leaves_out_what_one_voice_says_and_has_it_once_another_says_it(store: Store) -> None:
    pipeline = Pipeline(store, DIGESTS)
    other = now_found(OTHER)
    await pipeline.park(now_found(FRENCH), other)
    pipeline.deliveries.ahead = timedelta(minutes=6)
    (first,) = await pipeline.close()  # the first digest of a configuration is sent in any case
    assert (first["stories"], first["counts"]["waiting"]) == ([], 2)
    assert await pipeline.accounted()
    await pipeline.park(now_found(ENGLISH))
    await join(store, FRENCH, ENGLISH, certain=False)
    pipeline.deliveries.ahead = timedelta(minutes=12)
    (second,) = await pipeline.close()
    (story,) = second["stories"]
    assert {source["title"] for source in story["sources"]} == {FRENCH.article.title, ENGLISH.article.title}
    assert second["counts"]["waiting"] == 1
    await pipeline.park(now_found(RUSSIAN))
    await join(store, FRENCH, RUSSIAN)
    pipeline.deliveries.ahead = timedelta(minutes=18)
    (third,) = await pipeline.close()
    assert [one["status"] for one in third["stories"]] == ["updated"], "what was sent waits for nobody"
    pipeline.deliveries.ahead = VOICES_WAIT + timedelta(minutes=6)
    assert await pipeline.close() == []
    assert await store.redis.hlen(store.keys.open) == 0
    assert await pipeline.accounted()
    record = await store.redis.hget(store.keys.hit(other.id), f"group:{pipeline.group.key}")
    assert record is not None
    assert record.startswith(b"left_out")


async def test_a_window_that_is_closed_at_once_keeps_what_waits(store: Store) -> None:
    pipeline = Pipeline(store, DIGESTS)
    await pipeline.park(now_found(FRENCH))
    await pipeline.dispatcher.run_once()
    await pipeline.dispatcher.run_once()
    assert await store.redis.hkeys(store.keys.open) == [pipeline.group.key.encode()]
    assert await pipeline.accounted()


@pytest.mark.parametrize("language", ["en", "fr", "ru", "ar"])
def test_a_digest_says_how_many_stories_wait_for_another_voice(language: str) -> None:
    digest = replace(usual(), language=language, waiting=3)
    assert len(set(sentences.remarks(digest)) - set(sentences.remarks(replace(digest, waiting=0)))) == 1
