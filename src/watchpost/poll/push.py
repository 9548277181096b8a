"""Reads what hubs pushed: parse, then COMMIT under the ids that polling gives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from watchpost import log as tm
from watchpost.errors import StoreBusy
from watchpost.poll.feed_memory import FeedMemory, HubSubscription
from watchpost.poll.poller import count_entries
from watchpost.poll.sources.feed import Feed
from watchpost.poll.visit import Visit
from watchpost.store.client import pause
from watchpost.store.polling import Claim, PollStore
from watchpost.store.streams import Consumer, StreamClaims, StreamEntry
from watchpost.store.websub import Push, PushStore

_AT_ONCE = 8
_WAIT_SECONDS = 1.0


class PushReader:
    """Reads pushes until `stop` is set. `tick` and `tick_renew` return three times a lease; `hold` as the Poller's."""

    def __init__(
        self,
        feeds: Sequence[Feed],
        poll_store: PollStore,
        pushes: PushStore,
        claims: StreamClaims,
        *,
        tick: Callable[[], Awaitable[None]],
        tick_renew: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        clock: Callable[[], datetime],
        hold: Callable[[], str] = lambda: "",
    ) -> None:
        self._feeds = {feed.name: feed for feed in feeds}
        self._poll_store = poll_store
        self._pushes = pushes
        self._claims = claims
        self._stop = stop
        self._clock = clock
        self._hold = hold
        self._consumer = Consumer(
            claims,
            "pushed",
            take=self._take,
            process=self._process,
            dead_letter=self._drop,
            may_take_over=self._may_read,
            tick=tick,
            tick_renew=tick_renew,
            stop=stop,
        )

    async def run(self) -> None:
        """The daemon: pushes as they come, and those that a silent poller left."""
        await self._consumer.run()

    async def _may_read(self) -> bool:
        return not self._hold()

    async def _take(self) -> Sequence[StreamEntry]:
        if self._hold():
            await pause(_WAIT_SECONDS, self._stop)
            return ()
        return await self._claims.take(_AT_ONCE)

    async def _process(self, entries: Sequence[StreamEntry]) -> None:
        for entry in entries:
            push = self._pushes.read(entry)
            feed = self._feeds.get(push.feed) if push is not None else None
            if push is None or feed is None or await self._read(feed, push):
                await self._pushes.done(entry)

    async def _drop(self, entry: StreamEntry) -> None:
        """A push that ended its poller again and again. Polling brings what was in it."""
        push = self._pushes.read(entry)
        if push is not None and push.feed in self._feeds:
            await self._poll_store.make_due([push.feed])
        await self._pushes.done(entry)

    async def _read(self, feed: Feed, push: Push) -> bool:
        """Whether the push was processed; it was not if we stop, or the queue stays full."""
        now = self._clock()
        if push.kind == "verified":
            tm.log().info("push.confirmed", source=feed.name)
            return await self._note(feed, lambda hub: hub.after_confirmation(push.note, push.lease_seconds, now))
        if push.kind == "denied":
            tm.log().warning("push.denied", source=feed.name, detail=push.note)
            return await self._note(feed, lambda hub: hub.after_refusal(push.note))
        memory = (await self._poll_store.unshared(feed.name)).memory
        visit = await feed.pushed(push.body, push.note, memory, now)
        if visit.outcome == "failed":
            tm.log().warning("push.failed", source=feed.name, detail=visit.detail)
        done = await self._commit(feed, visit)
        if done and (visit.more or visit.outcome == "failed"):
            await self._poll_store.make_due([feed.name])
        return done

    async def _note(self, feed: Feed, change: Callable[[HubSubscription], HubSubscription]) -> bool:
        stored = FeedMemory.decode((await self._poll_store.unshared(feed.name)).memory)
        after = replace(stored, subscription=change(stored.subscription))
        return await self._commit(feed, Visit("unchanged", memory=after.changes_since(stored)))

    async def _commit(self, feed: Feed, visit: Visit) -> bool:
        claim = Claim(feed.name, "", {}, {})
        stamp = self._clock().isoformat(timespec="seconds")
        while not self._stop.is_set():
            with suppress(StoreBusy):
                done = await self._poll_store.commit(
                    claim,
                    visit.articles,
                    memory=visit.memory,
                    status={},
                    delay_ms=-1,
                    seen=visit.seen,
                    marks=visit.marks,
                    stamp=stamp,
                )
                if done.answer == "stale":  # an entry that it left out as known is known no more: read it again
                    return False
                if done.answer != "busy":
                    count_entries(feed, visit, done.new, done.known)
                    if done.new:
                        tm.log().info("push.read", source=feed.name, new=done.new)
                    return True
            await pause(_WAIT_SECONDS, self._stop)
        return False
