"""The archive's loop: every article that COMMIT queued for it is archived once, whatever fails in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.making import WHEN, article
from tests.store.ends import LEASE_MS, poll_store
from watchpost import log as tm
from watchpost.archive.packing import FiledArticle, unpack
from watchpost.archive.sqlite import SqliteArchive
from watchpost.archive.writer import ArchiveWriter
from watchpost.errors import ArchiveError
from watchpost.model import Article
from watchpost.store import keys
from watchpost.store.client import Store, ensure_group
from watchpost.store.ledger import Ledger
from watchpost.store.polling import Claim, PollStore
from watchpost.store.unarchived import Unarchived, forget_unarchived

HOUR_MS = 3_600_000


class Desk:
    """A queue, an archive, and loops that write the one into the other."""

    def __init__(self, store: Store, directory: Path) -> None:
        self.store = store
        self.archive = SqliteArchive(directory)

    async def commit(self, *articles: Article, most: int = 1000) -> None:
        poll = PollStore(self.store, seen_ttl_ms=HOUR_MS, queue_max=1000, lease_ms=LEASE_MS, archive_max=most)
        await poll.commit(Claim("seeds", "", {}, {}), articles, memory={}, status={}, delay_ms=0)

    def queue(self, name: str = "a") -> Unarchived:
        return Unarchived(self.store, name, LEASE_MS)

    def writer(
        self, name: str = "a", archive: SqliteArchive | None = None, stop: asyncio.Event | None = None
    ) -> ArchiveWriter:
        async def tick() -> None:
            await asyncio.sleep(0.2)

        return ArchiveWriter(
            archive or self.archive,
            self.queue(name),
            timedelta(days=90),
            tick=tick,
            tick_renew=tick,
            stop=stop or asyncio.Event(),
            clock=lambda: WHEN,
            retry_seconds=0.01,
        )

    def titles(self) -> list[str]:
        return sorted(unpack(found.packed).title for found in self.archive.newest_first(None))


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path / "archive")


def counted(outcome: str) -> float:
    return tm.REGISTRY.get_sample_value("watchpost_archive_articles_total", {"outcome": outcome}) or 0.0


async def test_what_was_committed_is_archived_and_leaves_the_queue(desk: Desk) -> None:
    await desk.commit(*(article(f"Mali {number}") for number in range(450)))
    await desk.writer().once()
    assert desk.titles() == sorted(f"Mali {number}" for number in range(450))
    assert await desk.queue().waiting() == 0


async def test_a_known_article_is_not_queued_again(desk: Desk) -> None:
    await desk.commit(article("Mali"))
    await desk.commit(article("Mali"), article("Niger"))
    await desk.writer().once()
    assert desk.titles() == ["Mali", "Niger"]


async def test_without_an_archive_there_is_no_key(store: Store) -> None:
    await poll_store(store).commit(Claim("seeds", "", {}, {}), [article()], memory={}, status={}, delay_ms=0)
    assert not await store.redis.exists(store.keys.unarchived)


async def test_an_archive_that_is_switched_off_leaves_no_key(desk: Desk) -> None:
    await desk.commit(article("Mali"))
    await forget_unarchived(desk.store)
    await forget_unarchived(desk.store)
    assert not await desk.store.redis.exists(desk.store.keys.unarchived)


async def test_what_has_no_room_is_matched_and_counted_but_not_archived(desk: Desk) -> None:
    before = counted("omitted")
    await desk.commit(*(article(f"Mali {number}") for number in range(5)), most=3)
    assert await desk.queue().waiting() == 3
    assert await desk.store.redis.xlen(desk.store.keys.articles) == 5
    assert counted("omitted") - before == 2
    assert (await Ledger(desk.store).page(datetime.now(UTC).date()))["unarchived"] == 2
    await desk.writer().once()
    assert desk.titles() == ["Mali 0", "Mali 1", "Mali 2"]


async def test_a_writer_that_ended_before_it_removed_them_archives_nothing_twice(desk: Desk) -> None:
    await desk.commit(*(article(f"Mali {number}") for number in range(10)))
    await ensure_group(desk.store.redis, desk.store.keys.unarchived, keys.ARCHIVE)
    dead = desk.writer("dead")
    entries = await desk.queue("dead").claims.take(6, block=False)
    desk.archive.add(dead._file(entries)[0])  # and then the process is killed
    for entry in entries:
        await desk.queue("dead").claims.offer(entry)  # its lease ends
    await desk.writer("next").once()
    assert desk.titles() == sorted(f"Mali {number}" for number in range(10))
    assert await desk.queue().waiting() == 0


class Failing(SqliteArchive):
    """Fails for the first few times, as a full disk does until somebody makes room."""

    failures = 2

    def add(self, articles: Sequence[FiledArticle]) -> int:
        self.failures -= 1
        if self.failures >= 0:
            raise ArchiveError("the archive: database or disk is full")
        return super().add(articles)


async def test_once_leaves_articles_for_later_if_the_archive_fails(desk: Desk, tmp_path: Path) -> None:
    await desk.commit(article("Mali"))
    await desk.writer(archive=Failing(tmp_path / "archive")).once()
    assert desk.titles() == []
    assert await desk.queue().waiting() == 1
    await desk.writer("next").once()
    assert desk.titles() == ["Mali"]


async def test_the_loop_waits_for_an_archive_that_fails(desk: Desk, tmp_path: Path) -> None:
    await desk.commit(article("Mali"))
    stop = asyncio.Event()
    loop = asyncio.ensure_future(desk.writer(archive=Failing(tmp_path / "archive"), stop=stop).run())
    async with asyncio.timeout(20):
        while await desk.queue().waiting():
            await asyncio.sleep(0.02)
    stop.set()
    await loop
    assert desk.titles() == ["Mali"]


async def test_stopping_while_the_archive_fails_releases_the_articles(desk: Desk, tmp_path: Path) -> None:
    await desk.commit(article("Mali"))
    stop = asyncio.Event()
    archive = Failing(tmp_path / "archive")
    archive.failures = 10_000
    loop = asyncio.ensure_future(desk.writer(archive=archive, stop=stop).run())
    async with asyncio.timeout(20):
        while archive.failures == 10_000:
            await asyncio.sleep(0.02)
        stop.set()
        await loop
    await desk.writer("next").once()
    assert desk.titles() == ["Mali"]


async def test_what_another_version_wrote_is_left_out_and_counted(desk: Desk) -> None:
    before = counted("unreadable")
    await desk.commit(article("Mali"))
    await desk.store.redis.xadd(desk.store.keys.unarchived, {"a": b"z9 from the future"})
    await desk.writer().once()
    assert desk.titles() == ["Mali"]
    assert counted("unreadable") - before == 1
    assert await desk.queue().waiting() == 0


async def test_old_months_are_dropped_at_the_start(desk: Desk) -> None:
    await desk.commit(article("old", fetched=WHEN - timedelta(days=150)), article("new"))
    await desk.writer().once()
    assert desk.titles() == ["new", "old"]  # it came late, and the next round drops it
    await desk.writer().once()
    assert desk.titles() == ["new"]
