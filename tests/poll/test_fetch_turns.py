"""A host's turn, for what is asked of it beside its feeds; and which articles nobody has committed yet."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from tests.poll.reader import poll_store
from watchpost import log as tm
from watchpost.documents.parser_process import InlineParser
from watchpost.documents.results import Failure
from watchpost.model import Article
from watchpost.poll import feed_options
from watchpost.poll.poller import count_entries
from watchpost.poll.source import SourceContext
from watchpost.poll.sources import feed
from watchpost.poll.visit import Visit
from watchpost.store.client import Store
from watchpost.store.polling import NewIds

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


async def test_a_host_is_taken_by_one_at_a_time_and_with_a_gap(store: Store) -> None:
    end = poll_store(store, gap=300)
    assert await end.claim_host("h", "page:a", "a", 10_000) == 0
    assert 0 < await end.claim_host("h", "page:b", "b", 10_000) <= 300
    await asyncio.sleep(0.35)
    assert 0 < await end.claim_host("h", "page:b", "b", 10_000) <= 300, "the gap is over, but a is still at it"
    await end.release_host("h", "page:b")
    assert await end.claim_host("h", "page:b", "b", 10_000) > 0, "nobody ends what is another's"
    await end.release_host("h", "page:a")
    assert await end.claim_host("h", "page:b", "b", 10_000) == 0
    await end.release_host("h", "page:b")
    assert 0 < await end.claim_host("h", "page:a", "a", 10_000) <= 300, "the gap stays"


async def test_the_visit_to_the_feed_itself_does_not_block_its_pages_and_others_wait(store: Store) -> None:
    end = poll_store(store, gap=50)
    await end.sync(["a", "b"], {"a": "h", "b": "h"})
    (claim,) = (await end.claim(2)).feeds
    await asyncio.sleep(0.08)
    assert await end.claim_host("h", f"page:{claim.name}", claim.name, 10_000) == 0
    assert await store.redis.hget(store.keys.host("h"), "holder") == claim.name.encode(), "the visit still holds it"
    await end.release_host("h", f"page:{claim.name}")
    await asyncio.sleep(0.08)
    assert await end.claim_host("h", "page:x", "x", 10_000) > 0


async def test_a_feed_waits_while_a_page_of_its_host_is_read(store: Store) -> None:
    end = poll_store(store, gap=50)
    await end.claim_host("h", "page:x", "x", 10_000)
    await asyncio.sleep(0.08)
    await end.sync(["a"], {"a": "h"})
    claimed = await end.claim(1)
    assert (claimed.feeds, list(claimed.put_off)) == ((), ["a"])


async def test_who_is_new_is_asked_without_a_trace(store: Store) -> None:
    end = poll_store(store)
    await end.sync(["a"])
    (claim,) = (await end.claim(1)).feeds
    await end.commit(claim, [Article("1" * 32, "a", "t", "b", NOW)], memory={}, status={}, delay_ms=0)
    assert (await end.find_new({"1" * 32: "", "2" * 32: ""})).unseen == {"2" * 32}
    assert (await end.find_new({"2" * 32: ""})).unseen == {"2" * 32}
    assert await end.find_new({}) == NewIds()


def test_an_entry_without_its_page_is_counted_as_such_and_not_as_left_out() -> None:
    source = feed.KIND.build(
        "a",
        feed_options.FeedOptions.model_validate({"url": "https://e.org/f"}),
        SourceContext(InlineParser(), "watchpost/test"),
    )
    counts = [tm.feed_items.labels(what) for what in ("new", "invalid", "fulltext_failed")]
    before = [count._value.get() for count in counts]
    failures = tuple(Failure("x", reason, "") for reason in ("fulltext_failed", "bad_line", "fulltext_failed"))
    count_entries(source, Visit("read", failures=failures), 3, 0)
    assert [count._value.get() - old for count, old in zip(counts, before, strict=True)] == [3, 1, 2]
