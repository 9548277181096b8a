"""What the poll role reads and writes: feeds that are due, articles that are known, and COMMIT, which ends a visit."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from watchpost import log as tm
from watchpost.model import Article
from watchpost.store.client import Batcher, Store, json_argument
from watchpost.store.codec import ARTICLE, fields_of
from watchpost.store.keys import MEMORY
from watchpost.store.sources import split_fields

PART = 100  # articles in one call: it takes 2 ms, in which the server does nothing else
MARK = 8  # characters that stand for a headline

_LOOKED_UP = 1000  # ids in one call: it takes a millisecond
_FARTHEST_MS = 16 * 86_400_000 - 2_000  # 16 days, as in claim_feeds.lua; a bit less is no harm
_CHECKED_FEEDS = 200  # at most, by one claim: 2 ms
_MOST_CHANGES = 5  # of a headline: as in commit.lua
_REFUSED: Mapping[bytes, Literal["fenced", "busy", "stale"]] = {
    b"FENCED": "fenced",
    b"BUSY": "busy",
    b"STALE": "stale",
}
_NONE: Mapping[str, str] = {}


class HostPace(NamedTuple):
    """How a host is asked: the ms from one request to the next (0: no limit), and how many may be under way."""

    gap_ms: int
    at_once: int = 1


_NO_HOSTS: Mapping[str, HostPace] = {}


@dataclass(frozen=True, slots=True)
class Claim:
    """A feed that this poller holds until its lease ends. `fence` proves it at COMMIT; `memory` is the source's own."""

    name: str
    fence: str
    memory: Mapping[str, str]
    status: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a claim gave. `put_off`: feeds that are due while their host is busy, and the ms until their turn.

    `more` says that other feeds may be due, too; `next_ms` in how many ms the next one is, None if there is none.
    """

    feeds: tuple[Claim, ...]
    put_off: Mapping[str, int] = field(hash=False)
    more: bool
    next_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the feeds and the queue shows.

    `backlog` is how full the queue of articles is: 0.0 empty, 1.0 at its limit. `due`: whether a claim may give a feed.
    `next_ms` is in how many ms the next feed is due, None if there is none.
    """

    backlog: float
    due: bool
    next_ms: int | None


@dataclass(frozen=True, slots=True)
class Committed:
    """How a COMMIT ended. Unless "ok", nothing was written of its last part, and no memory of the source.

    "fenced": the lease was lost. "busy": the queue is full. "stale": an id that was seen has been forgotten since.
    """

    answer: Literal["ok", "fenced", "busy", "stale"]
    new: int = 0
    known: int = 0


@dataclass(frozen=True, slots=True)
class NewIds:
    """Ids of articles that were never committed, and of those that were queued under another headline."""

    unseen: frozenset[str] = frozenset()
    retitled: frozenset[str] = frozenset()


class PollStore:
    """What the poll role may do. `host_gap_ms` 0 does not limit the requests to a host; `hosts` have their own pace.

    New articles are also queued for the archive, unless `archive_max` of them wait there; 0: there is no archive.
    """

    def __init__(
        self,
        store: Store,
        *,
        seen_ttl_ms: int,
        queue_max: int,
        lease_ms: int,
        host_gap_ms: int = 0,
        hosts: Mapping[str, HostPace] = _NO_HOSTS,
        archive_max: int = 0,
    ) -> None:
        self._store = store
        self._keys = store.keys
        self._commits = Batcher(store, "commit")
        self._lookups = Batcher(store, "find_new")
        self._seen_ttl_ms = seen_ttl_ms
        self._queue_max = queue_max
        self._archive_max = archive_max
        self._lease_ms = lease_ms
        self._hosts = hosts
        self._host_gap_ms = host_gap_ms

    @property
    def interruptions(self) -> int:
        """How often the store was away, or became another server: then it may be older than what was read from it."""
        return self._store.interruptions

    async def sync(self, names: Sequence[str], hosts: Mapping[str, str] = _NONE) -> None:
        """Schedule these feeds: new ones are due now, the others keep their time. It only adds, and may be repeated.

        `hosts` maps feeds to the host that must not get two requests at once. A store that came back empty is left
        alone until this process has put back what it knows: else the feeds' entries would all count as new.
        """
        for at in range(0, len(names), 1000):
            feeds = {name: hosts.get(name, "") for name in names[at : at + 1000]}
            names_of_keys = [self._keys.feeds, self._keys.source(""), self._keys.meta]
            await self._store.run("sync_feeds", names_of_keys, [json_argument(feeds=feeds, born=self._store.born)])

    async def forget(self, claim: Claim) -> None:
        """Delete the schedule and the memory of a claimed feed that no configuration has named for long."""
        names = [self._keys.feeds, self._keys.source(claim.name)]
        await self._store.run("forget_feed", names, [claim.name, claim.fence])

    async def make_due(self, names: Sequence[str]) -> None:
        """Make these feeds due now."""
        async with self._store.errors():
            if names:
                now = await self._now_ms()
                await self._store.redis.zadd(self._keys.feeds, dict.fromkeys(names, now), xx=True)

    async def due(self) -> frozenset[str]:
        """Return the feeds that are due now."""
        async with self._store.errors():
            names = await self._store.redis.zrangebyscore(self._keys.feeds, "-inf", await self._now_ms())
        return frozenset(name.decode() for name in names)

    async def look(self) -> Look:
        """Look whether a feed is due and how full the queue is; in one round trip with the looks of other loops."""

        def commands(pipe: Any) -> None:
            pipe.time()
            pipe.xlen(self._keys.articles)
            pipe.zrange(self._keys.feeds, 0, 0, withscores=True)
            pipe.zrange(self._keys.feeds, -1, -1, withscores=True)

        async with self._store.errors():
            (seconds, micros), queued, first, last = await self._store.ask(commands)
        now = seconds * 1000 + micros // 1000
        waits = [max(0, math.ceil(score - now)) for _, score in first]
        due = any(wait == 0 for wait in waits) or any(score > now + _FARTHEST_MS for _, score in last)
        return Look(queued / self._queue_max, due, min(waits, default=None))

    async def claim(self, count: int) -> Claimed:
        """Claim up to `count` due feeds, each with a lease; of one host those that became due first."""
        claimed, put_off, more, wait = await self._store.run(
            "claim_feeds",
            [self._keys.feeds, self._keys.source(""), self._keys.host(""), self._keys.waiting("")],
            [count, self._lease_ms, self._host_gap_ms, _CHECKED_FEEDS, json.dumps(self._hosts)],
        )
        return Claimed(
            tuple(
                Claim(name.decode(), fence.decode(), *split_fields(fields_of(flat))) for name, fence, flat in claimed
            ),
            {name.decode(): int(wait) for name, wait in fields_of(put_off).items()},
            bool(more),
            None if wait < 0 else int(wait),
        )

    async def release(self, claim: Claim) -> None:
        """Release the host of a claimed feed that this process does not know: its other feeds need not wait."""
        await self._store.run("leave_feed", [self._keys.source(claim.name), self._keys.host("")], [claim.name])

    async def find_new(self, marks: Mapping[str, str]) -> NewIds:
        """Return which of these ids COMMIT would queue; each has the mark of its headline (MARK characters or "").

        It changes nothing, and COMMIT decides anew.
        """
        if not marks:
            return NewIds()
        names, ids = [self._keys.seen, self._keys.heads], list(marks)
        unseen, retitled = set[str](), set[str]()
        for at in range(0, len(ids), _LOOKED_UP):
            part = ids[at : at + _LOOKED_UP]
            signs, heads = await self._lookups.run(names, [json_argument(ids=part)])
            unseen.update(id_ for id_, sign in zip(part, signs.decode(), strict=True) if sign == "1")
            pairs = zip(heads[::2], heads[1::2], strict=True)
            retitled.update(part[n] for n, head in pairs if _is_new(head, marks[part[n]]))
        return NewIds(frozenset(unseen), frozenset(retitled - unseen))

    async def claim_host(self, host: str, holder: str, feed: str, hold_ms: int) -> int:
        """Claim a host for one request, for `hold_ms` at most: return 0, or in how many ms to try again.

        A host that is held for the visit to `feed` itself is free.
        """
        pace = self._pace(host)
        if not pace.gap_ms:
            return 0
        args: list[str | int] = [holder, feed, pace.gap_ms, hold_ms, pace.at_once]
        return int(await self._store.run("take_host", [self._keys.host(host)], args))

    async def release_host(self, host: str, holder: str) -> None:
        """Release a claimed host before its time."""
        if self._pace(host).gap_ms:
            await self._store.run("leave_host", [self._keys.host(host)], [holder])

    def _pace(self, host: str) -> HostPace:
        return self._hosts.get(host, HostPace(self._host_gap_ms))

    async def unshared(self, name: str) -> Claim:
        """Return the memory of a source that no other poller visits: a claim without a fence."""
        async with self._store.errors():
            return Claim(name, "", *split_fields(await self._store.redis.hgetall(self._keys.source(name))))

    async def commit(
        self,
        claim: Claim,
        articles: Sequence[Article],
        *,
        memory: Mapping[str, str],
        status: Mapping[str, str],
        delay_ms: int,
        known: Sequence[str] = (),
        seen: Sequence[str] = (),
        marks: Mapping[str, str] = _NONE,
        limited: bool = False,
        stamp: str = "",
    ) -> Committed:
        """End a visit: queue the new articles, mark all as seen, store `memory` and `status`, set the next visit.

        `known` are ids of articles that are marked as seen and never sent; `seen` are those that `find_new` did not
        return: they are marked again. `marks` are the marks of headlines by id, where a later headline is news, too;
        `limited` says that the host asked for fewer requests; `stamp` becomes the status `last_new` if anything was
        new; `entries` and `entries_new` become how many the visit brought, unless `delay_ms` is negative: then it was
        none. Values of "" delete their key. A long visit is committed in parts; memory and next visit come with the
        last one, so that after a crash between two parts the rest is read again.
        """
        entries: list[tuple[str, str, Article | None]] = [("seen", id_, None) for id_ in seen]
        entries += [("known", id_, None) for id_ in known]
        entries += [("articles", _entry_of(article, marks), article) for article in articles]
        names = [self._keys.feeds, self._keys.source(claim.name), self._keys.seen, self._keys.articles]
        names += [self._keys.host(""), self._keys.ledger, self._keys.heads, self._keys.unarchived]
        parts = [entries[at : at + PART] for at in range(0, len(entries), PART)] or [[]]
        new = old = 0
        for part in parts:
            last = part is parts[-1]
            state = {MEMORY + key: value for key, value in memory.items()} | dict(status) if last else {}
            state |= {"entries": str(len(entries))} if last and delay_ms >= 0 else {}
            argument = json_argument(
                name=claim.name,
                fence=claim.fence,
                delay_ms=delay_ms if last else -1,
                seen_ttl_ms=self._seen_ttl_ms,
                queue_max=self._queue_max,
                archive_max=self._archive_max,
                last_new=stamp,
                limited=limited,
                new_before=new,
                state=[text for pair in state.items() for text in pair],
                seen=[id_ for kind, id_, _ in part if kind == "seen"],
                known=[id_ for kind, id_, _ in part if kind == "known"],
                articles=[id_ for kind, id_, _ in part if kind == "articles"],
                marks=[marks.get(id_, "") for kind, id_, _ in part if kind == "articles"],
            )
            encoded = [ARTICLE.encode(article) for _, _, article in part if article is not None]
            answer = await self._commits.run(names, [argument, *encoded])
            if answer[0] != b"OK":
                return Committed(_REFUSED[answer[0]], new, old)
            new, old = new + answer[1], old + answer[2]
            if answer[3]:
                tm.archive_articles.labels("omitted").inc(answer[3])
        return Committed("ok", new, old)

    async def _now_ms(self) -> int:
        seconds, micros = await self._store.redis.time()
        return int(seconds * 1000 + micros // 1000)


async def read_now(store: Store, feed: str, lease_ms: int) -> str:
    """Make a feed due: "NOW"; "SOON" if it is read within a lease anyway; "NONE" if it is not scheduled."""
    return str((await store.run("read_now", [store.keys.feeds], [feed, lease_ms])).decode())


def _entry_of(article: Article, marks: Mapping[str, str]) -> str:
    """The id of the entry that an article was made of: another one if it has another headline where it is."""
    return article.revises if article.revises and article.id not in marks else article.id


def _is_new(head: bytes, mark: str) -> bool:
    return bool(mark) and head[:MARK] != mark.encode() and int(head[MARK:]) < _MOST_CHANGES
