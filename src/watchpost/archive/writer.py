"""The archive's loop: takes what COMMIT queued for it, packs it in a thread, and keeps it.

An article leaves Redis when it is on the disk. After a kill in between it is archived once more, which changes nothing.
While the archive cannot be written everything waits; the queue is bounded, and what has no room there is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta

from watchpost import failpoints
from watchpost import log as tm
from watchpost.archive.archive import Archive
from watchpost.archive.packing import FiledArticle, filed
from watchpost.errors import ArchiveError, CodecError, StoreError
from watchpost.store.client import pause
from watchpost.store.streams import Consumer, StreamEntry
from watchpost.store.unarchived import Unarchived

_BATCH = 200  # articles in one transaction
_GATHER_SECONDS = 1.0  # for a larger batch: each transaction costs as much as some ten articles


class ArchiveWriter:
    """Writes the archive until `stop` is set, and drops months that are older than `keep`.

    `tick` and `tick_renew` return three times in each lease. An archive that fails is tried again after
    `retry_seconds`.
    """

    def __init__(
        self,
        archive: Archive,
        queue: Unarchived,
        keep: timedelta,
        *,
        tick: Callable[[], Awaitable[None]],
        tick_renew: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        clock: Callable[[], datetime],
        retry_seconds: float = 5.0,
    ) -> None:
        self._archive = archive
        self._queue = queue
        self._keep = keep
        self._stop = stop
        self._clock = clock
        self._retry_seconds = retry_seconds
        self._pruned: date | None = None
        self._failing = False
        self._patient = True  # waits for an archive that fails, instead of leaving it at that
        self._consumer = Consumer(
            queue.claims,
            "unarchived",
            take=self._take,
            process=self._process,
            dead_letter=self._leave_out,
            tick=tick,
            tick_renew=tick_renew,
            stop=stop,
        )

    async def run(self) -> None:
        """Archive what comes, and what a silent process left."""
        await self._consumer.run()

    async def once(self) -> None:
        """Archive until nothing waits, or the archive fails."""
        self._patient = False
        await self._prune()
        while await self._queue.waiting() and not self._stop.is_set() and not self._failing:
            entries = await self._queue.claims.take(_BATCH, block=False) or await self._queue.claims.reclaim(_BATCH)
            await self._consumer.process(entries)
            if not entries:
                await pause(0.2, self._stop)

    async def _take(self) -> Sequence[StreamEntry]:
        await self._prune()
        entries = tuple(await self._queue.claims.take(_BATCH))
        if entries and len(entries) < _BATCH and not self._stop.is_set():
            await pause(_GATHER_SECONDS, self._stop)
            with suppress(StoreError):  # what was taken goes on; the store's next failure is reported
                entries += tuple(await self._queue.claims.take(_BATCH - len(entries), block=False))
        return entries

    async def _process(self, entries: Sequence[StreamEntry]) -> None:
        if not entries:
            return
        articles, unreadable = await asyncio.to_thread(self._file, entries)
        if unreadable:
            tm.archive_articles.labels("unreadable").inc(unreadable)
            tm.log().warning("archive.unreadable", count=unreadable)
        new = await self._add(articles)
        if new is None:  # it ends, or nothing could be written once
            for entry in entries:
                await self._queue.claims.release(entry)
            return
        failpoints.point("archive.written")
        tm.archive_articles.labels("new").inc(new)
        tm.archive_articles.labels("known").inc(len(articles) - new)
        await self._queue.done(entries)

    def _file(self, entries: Sequence[StreamEntry]) -> tuple[list[FiledArticle], int]:
        articles: list[FiledArticle] = []
        unreadable = 0
        for entry in entries:
            try:
                articles.append(filed(self._queue.read(entry)))
            except CodecError:
                unreadable += 1
        return articles, unreadable

    async def _add(self, articles: Sequence[FiledArticle]) -> int | None:
        """Keep the articles, as soon as the archive can be written; None if it could not before the end."""
        while True:
            try:
                new = await asyncio.to_thread(self._archive.add, articles)
            except ArchiveError as error:
                if not self._failing:
                    tm.log().error("archive.failed", detail=str(error))
                self._failing = True
                tm.archive_up.set(0)
                if self._patient:
                    await pause(self._retry_seconds, self._stop)
                if self._stop.is_set() or not self._patient:
                    return None
                continue
            if self._failing:
                tm.log().info("archive.works")
            self._failing = False
            tm.archive_up.set(1)
            return new

    async def _leave_out(self, entry: StreamEntry) -> None:
        """An article that ended three processes: the matcher has it, too, and keeps it as a dead letter."""
        tm.archive_articles.labels("unreadable").inc()
        await self._queue.done([entry])

    async def _prune(self) -> None:
        """Once a day, and at the start: drop the months that are older than they are kept."""
        now = self._clock()
        if self._pruned == now.date():
            return
        try:
            dropped = await asyncio.to_thread(self._archive.prune, now - self._keep)
        except ArchiveError as error:  # adding will fail, too, and report it; tomorrow is another day
            tm.log().warning("housekeeping.failed", detail=str(error))
            dropped = 0
        self._pruned = now.date()
        if dropped:
            tm.log().info("archive.pruned", count=dropped)
