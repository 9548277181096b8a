"""A folder through the poller and COMMIT: what reaches the queue, once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.poll.desk import PROSE, write
from watchpost.documents.parser_process import InlineParser
from watchpost.model import Article
from watchpost.poll.poller import Poller
from watchpost.poll.source import SourceContext
from watchpost.poll.sources import folder
from watchpost.store.client import Store
from watchpost.store.codec import ARTICLE
from watchpost.store.polling import PollStore


class Post:
    """Runs of a poller over one folder, and the queue that they fill."""

    def __init__(self, root: Path, store: Store) -> None:
        self.options: dict[str, object] = {"path": str(root), "every": "50ms", "settle": "0s"}
        self._store = store

    async def run(self) -> None:
        """One process, from start to end, as `run --once`."""

        async def tick() -> None:
            await asyncio.sleep(0)

        options = folder.KIND.options.model_validate(self.options)
        source = folder.KIND.build("desk", options, SourceContext(InlineParser(), "watchpost/test"))
        poll_store = PollStore(self._store, seen_ttl_ms=3_600_000, queue_max=10_000, lease_ms=60_000)
        poller = Poller([source], poll_store, tick=tick, stop=asyncio.Event(), clock=lambda: datetime.now(UTC))
        try:
            assert await poller.once()
        finally:
            await source.close()

    async def queue(self) -> list[Article]:
        entries = await self._store.redis.xrange(self._store.keys.articles)
        return [ARTICLE.decode(fields[b"a"]) for _, fields in entries]

    async def titles(self) -> list[str]:
        return [article.title for article in await self.queue()]


@pytest.fixture
def post(root: Path, store: Store) -> Post:
    return Post(root, store)


async def test_a_moved_or_copied_file_is_queued_once(post: Post, root: Path) -> None:
    write(root / "a.txt")
    await post.run()
    (root / "sub").mkdir()
    (root / "a.txt").rename(root / "sub" / "b.txt")
    write(root / "copy.txt")
    await post.run()
    await post.run()
    assert await post.titles() == ["a"]


NOTE = "---\nid: desk-1\nurl: https://desk.example/1\ntitle: {}\n---\n\n{}\n"


@pytest.mark.parametrize("text", ["{1}", NOTE], ids=["without an id", "with an id and a link"])
async def test_a_revised_file_is_queued_once_more(post: Post, root: Path, text: str) -> None:
    for version in ("first", "second", "third"):
        write(root / "a.md", text.format("Mali", f"{PROSE * 3} The {version} version."), age=60)
        await post.run()
        await post.run()
    queue = await post.queue()
    assert [article.body.split()[-2] for article in queue] == ["first", "second", "third"]
    marks = [mark for article in queue for mark in {article.id, *article.fingerprints}]
    assert len(set(marks)) == len(marks), "the matcher would take a revision for a copy"


async def test_entries_of_a_feed_file_that_grew_are_queued_once(post: Post, root: Path) -> None:
    items = [f"<item><title>Entry {i}</title><guid>{i}</guid></item>" for i in range(3)]
    for count in (1, 2, 3):
        feed = f"<rss version='2.0'><channel><title>F</title>{''.join(items[:count])}</channel></rss>"
        write(root / "feed.xml", feed, age=60 - count)
        await post.run()
    assert await post.titles() == ["Entry 0", "Entry 1", "Entry 2"]


async def test_deleted_after_reading_and_dropped_again_is_queued_once(post: Post, root: Path) -> None:
    post.options["after"] = "delete"
    for _ in range(2):
        write(root / "a.txt")
        await post.run()
        await post.run()  # a file leaves at the next start at the latest
        assert not list(root.iterdir())
    assert await post.titles() == ["a"]


async def test_two_thousand_files_at_once_are_all_queued_once(post: Post, root: Path) -> None:
    for i in range(2000):
        (root / f"{i:04}.txt").write_text(f"Report {i} of the day\n\n{PROSE}{i}", encoding="utf-8")
    await post.run()
    titles = await post.titles()
    assert len(titles) == 2000
    assert set(titles) == {f"Report {i} of the day" for i in range(2000)}
