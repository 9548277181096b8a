"""A story is read whole, and is on one page, however the history is cut into pages."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from fakeredis import FakeAsyncRedis
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.making import article, hit
from tests.web.web_app import found
from watchpost.model import Hit
from watchpost.store.client import Store, ensure_group
from watchpost.store.keys import MATCH
from watchpost.store.stories import PastStory, Stories


async def furnish(store: Store, rows: list[tuple[int, str]]) -> dict[str, set[str]]:
    """Hits of these stories and topics, in this order; returns the ids of each story's hits."""
    told: dict[str, set[str]] = {}
    for number, (story, topic) in enumerate(rows):
        made = hit(f"report {number}", topic=topic, story=f"{story:032x}")
        await found(store, article(f"report {number}"), made=made)
        told.setdefault(made.story, set()).add(made.id)
    return told


async def every_page(store: Store, count: int, *, topic: str = "") -> list[PastStory]:
    """All stories, page by page."""
    shown: list[PastStory] = []
    before = ""
    while True:
        page = await Stories(store).page(lambda _: True, topic=topic, before=before, count=count)
        assert len(page.stories) <= count
        shown += page.stories
        before = page.more
        if not before:
            return shown


def ids(story: PastStory) -> set[str]:
    """The ids of its hits."""
    return {past.hit.id for past in story.hits}


_ROWS = st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["mali", "wagner"])), max_size=14)


@settings(max_examples=25, deadline=None)
@given(_ROWS, st.integers(1, 4), st.sampled_from(["", "mali", "wagner"]))
def test_each_story_is_on_one_page_and_whole(rows: list[tuple[int, str]], count: int, topic: str) -> None:
    async def run() -> None:
        store = Store("redis://fake", client=FakeAsyncRedis())
        await ensure_group(store.redis, store.keys.articles, MATCH)
        told = await furnish(store, rows)
        shown = await every_page(store, count, topic=topic)
        named = [(number, there) for number, there in rows if topic in ("", there)]
        newest_first = list(dict.fromkeys(f"{number:032x}" for number, _ in reversed(named)))
        assert [story.id for story in shown] == newest_first
        assert {story.id: ids(story) for story in shown} == {id_: told[id_] for id_ in newest_first}
        await store.close()

    asyncio.run(run())


async def test_one_story_is_read_by_its_id(store: Store) -> None:
    told = await furnish(store, [(1, "mali"), (2, "mali"), (1, "wagner")])
    stories = Stories(store)
    story = await stories.story(f"{1:032x}")
    assert story is not None
    assert ids(story) == told[story.id]
    assert [past.hit.topic for past in story.hits] == ["mali", "wagner"]
    assert await stories.story("nothing") is None


async def test_what_the_history_no_longer_has_is_left_out(store: Store) -> None:
    await furnish(store, [(1, "mali"), (1, "wagner"), (2, "mali")])
    ((first, _), *_) = await store.redis.xrange(store.keys.history)
    await store.redis.xdel(store.keys.history, first)
    stories = Stories(store)
    story = await stories.story(f"{1:032x}")
    assert story is not None
    assert [past.hit.topic for past in story.hits] == ["wagner"]
    assert Counter(one.id for one in await every_page(store, 1)).total() == 2


async def test_hits_of_an_earlier_version_join_their_stories(store: Store) -> None:
    """It stored no places: the hits are found all the same, and their stories are whole once they are indexed."""
    told = await furnish(store, [(1, "mali"), (2, "mali"), (1, "wagner"), (3, "mali")])
    for id_ in told:
        await store.redis.delete(store.keys.reports(id_))
    assert {story.id for story in await every_page(store, 2)} == {*told}
    stories, cursor, steps = Stories(store), "+", 0
    while cursor:
        cursor = await stories.index_earlier(cursor, timedelta(days=30), hits=2)
        steps += 1
    assert steps == 3
    assert {story.id: ids(story) for story in await every_page(store, 2)} == told
    assert await stories.index_earlier("+", timedelta(days=30)) == ""
    assert 0 < await store.redis.pttl(store.keys.reports(f"{1:032x}")) <= 30 * 86_400_000


async def test_a_hit_without_a_story_is_in_no_index(store: Store) -> None:
    made: Hit = hit("Gao", story="")
    await found(store, article("Gao"), made=made)
    assert [key async for key in store.redis.scan_iter(match="*reports*")] == []
