"""The poller's end of Redis: which feed is due, what was seen, and COMMIT, which puts articles on their way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from watchpost.model import Article
from watchpost.store.client import Batcher, Store
from watchpost.store.codec import ARTICLE
from watchpost.store.keys import MEMORY

_LOOKED_AT = 200  # feeds at most that one claim looks at: 2 ms
PART = 100  # articles in one call: 2 ms in which nobody else is served (findings on redis-queue, 3.1)

_SEEN = b"="
_REFUSED: Mapping[bytes, Literal["fenced", "busy", "stale"]] = {
    b"FENCED": "fenced",
    b"BUSY": "busy",
    b"STALE": "stale",
}
_NONE: Mapping[str, str] = {}
MARK = 8  # characters that stand for a headline
_MOST_CHANGES = 5  # of a headline: as in commit.lua


@dataclass(frozen=True, slots=True)
class Claim:
    """A feed that is ours until its lease ends. `fence` proves it at COMMIT; `memory` is what the source left."""

    name: str
    fence: str
    memory: Mapping[str, str]
    status: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a claim gave. `put_off` are feeds that are due while their host is busy, and the ms until their turn;
    `more` says that others may be due, too."""

    feeds: tuple[Claim, ...]
    put_off: Mapping[str, int] = field(hash=False)
    more: bool


@dataclass(frozen=True, slots=True)
class Committed:
    """How a COMMIT ended. What is not "ok" wrote nothing of its last part, and no cursor.

    "fenced": the lease was lost. "busy": the queue is full. "stale": what the visit took for seen is so no more.
    """

    answer: Literal["ok", "fenced", "busy", "stale"]
    new: int = 0
    known: int = 0


@dataclass(frozen=True, slots=True)
class NewIds:
    """Ids of articles that nobody has committed yet, and of those that were queued under another headline."""

    unseen: frozenset[str] = frozenset()
    retitled: frozenset[str] = frozenset()


class PollStore:
    """What the poll role may do. The numbers come from the plan; `host_gap_ms` 0 leaves hosts unguarded."""

    def __init__(self, store: Store, *, seen_ttl_ms: int, queue_max: int, lease_ms: int, host_gap_ms: int = 0) -> None:
        self._store = store
        self._keys = store.keys
        self._commits = Batcher(store, "commit")
        self._seen_ttl_ms = seen_ttl_ms
        self._queue_max = queue_max
        self._lease_ms = lease_ms
        self._host_gap_ms = host_gap_ms

    async def sync(self, names: Sequence[str], hosts: Mapping[str, str] = _NONE) -> None:
        """Schedule these feeds: new ones at once, the others stay as they are. Idempotent, and it only adds.

        `hosts` maps feeds to what must not be asked twice at once.
        """
        for at in range(0, len(names), 1000):
            pairs = [text for name in names[at : at + 1000] for text in (name, hosts.get(name, ""))]
            await self._store.run("sync_feeds", [self._keys.feeds, self._keys.source("")], pairs)

    async def forget(self, claim: Claim) -> None:
        """A claimed feed that no configuration has named for long: drop its schedule and its memory."""
        names = [self._keys.feeds, self._keys.source(claim.name)]
        await self._store.run("forget_feed", names, [claim.name, claim.fence])

    async def make_due(self, names: Sequence[str]) -> None:
        """Make these feeds due now, unless somebody is at them (`run --once` reads every source once)."""
        async with self._store.errors():
            seconds, micros = await self._store.redis.time()
            now = seconds * 1000 + micros // 1000
            if names:
                await self._store.redis.zadd(self._keys.feeds, dict.fromkeys(names, now), xx=True)

    async def due(self) -> frozenset[str]:
        """The feeds that are due now."""
        async with self._store.errors():
            seconds, micros = await self._store.redis.time()
            names = await self._store.redis.zrangebyscore(self._keys.feeds, "-inf", seconds * 1000 + micros // 1000)
        return frozenset(name.decode() for name in names)

    async def claim(self, count: int) -> Claimed:
        """Up to `count` due feeds, each leased to this poller, no two of one host."""
        taken, put_off, more = await self._store.run(
            "claim_feeds",
            [self._keys.feeds, self._keys.source(""), self._keys.host("")],
            [count, self._lease_ms, self._host_gap_ms, _LOOKED_AT],
        )
        return Claimed(
            tuple(Claim(name.decode(), fence.decode(), *_split(flat)) for name, fence, flat in taken),
            {name.decode(): int(wait) for name, wait in zip(put_off[::2], put_off[1::2], strict=True)},
            bool(more),
        )

    async def release(self, claim: Claim) -> None:
        """A claimed feed that this process does not know: others of its host need not wait for it."""
        await self._store.run("leave_feed", [self._keys.source(claim.name), self._keys.host("")], [claim.name])

    async def find_new(self, marks: Mapping[str, str]) -> NewIds:
        """What COMMIT would do with articles of these ids, each with the mark of its headline (MARK characters, or "").

        Changes nothing, and is a hint: COMMIT decides.
        """
        if not marks:
            return NewIds()
        ids = list(marks)
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=False)
            pipe.zmscore(self._keys.seen, ids)
            pipe.hmget(self._keys.heads, ids)
            scores, heads = await pipe.execute()
        rows = list(zip(ids, scores, heads, strict=True))
        unseen = frozenset(id_ for id_, score, _ in rows if score is None)
        retitled = {id_ for id_, _, head in rows if head and marks[id_] and _changes(head, marks[id_])}
        return NewIds(unseen, frozenset(retitled - unseen))

    async def claim_host(self, host: str, holder: str, feed: str, hold_ms: int) -> int:
        """0: the host is `holder`'s for `hold_ms` at the most. Else in how many ms to ask again.

        A host that is held for the visit to `feed` itself is no obstacle.
        """
        if not self._host_gap_ms:
            return 0
        args: list[str | int] = [holder, feed, self._host_gap_ms, hold_ms]
        return int(await self._store.run("take_host", [self._keys.host(host)], args))

    async def release_host(self, host: str, holder: str) -> None:
        """A request is over before its hold."""
        if self._host_gap_ms:
            await self._store.run("leave_host", [self._keys.host(host)], [holder])

    async def unshared(self, name: str) -> Claim:
        """What an unshared source left: a claim without a fence, because nobody else visits it."""
        async with self._store.errors():
            state = await self._store.redis.hgetall(self._keys.source(name))
        return Claim(name, "", *_split([part for pair in state.items() for part in pair]))

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
        """Queue what is new, remember everything as seen, move the cursor, set the next visit.

        `known` are ids of articles that are remembered and never told, `seen` those that `look` did not name and that
        have to be remembered still; `marks` are the marks of headlines by id, where a later one is to be told, too;
        `limited` says that the host asked for fewer requests; `stamp` is the status `last_new` if something was new;
        `entries` and `entries_new` become how many the visit brought, unless `delay_ms` is negative: then it was none.
        Long visits go in parts; cursor and next visit move with the last, so that a crash between two parts reads the
        rest again. `memory` and `status` values of "" delete their key.
        """
        entries = [(id_, "", _SEEN) for id_ in seen] + [(id_, "", b"") for id_ in known]
        for article in articles:
            id_ = article.revises or article.id
            entries.append((id_, marks.get(id_, ""), ARTICLE.encode(article)))
        parts = [entries[at : at + PART] for at in range(0, len(entries), PART)] or [[]]
        new = old = 0
        for part in parts:
            last = part is parts[-1]
            state = {MEMORY + key: value for key, value in memory.items()} | dict(status) if last else {}
            state |= {"entries": str(len(entries))} if last and delay_ms >= 0 else {}
            args: list[str | bytes | int] = [claim.name, claim.fence, delay_ms if last else -1]
            args += [self._seen_ttl_ms, self._queue_max, stamp, int(limited), len(state), new]
            args += [text for pair in state.items() for text in pair]
            args += [text for entry in part for text in entry]
            answer = await self._commits.run(
                [
                    self._keys.feeds,
                    self._keys.source(claim.name),
                    self._keys.seen,
                    self._keys.articles,
                    self._keys.host(""),
                    self._keys.ledger,
                    self._keys.heads,
                ],
                args,
            )
            if answer[0] != b"OK":
                return Committed(_REFUSED[answer[0]], new, old)
            new, old = new + answer[1], old + answer[2]
        return Committed("ok", new, old)

    async def backlog(self) -> float:
        """How full the queue of articles is: 0.0 empty, 1.0 at its limit."""
        async with self._store.errors():
            return float(await self._store.redis.xlen(self._keys.articles)) / self._queue_max


async def read_now(store: Store, feed: str, lease_ms: int) -> str:
    """Make a feed due: "NOW"; "SOON" if it is read within a lease anyway; "NONE" if it is not scheduled."""
    return str((await store.run("read_now", [store.keys.feeds], [feed, lease_ms])).decode())


def _changes(head: bytes, mark: str) -> bool:
    return head[:MARK] != mark.encode() and int(head[MARK:]) < _MOST_CHANGES


def _split(flat: Sequence[bytes]) -> tuple[dict[str, str], dict[str, str]]:
    memory: dict[str, str] = {}
    status: dict[str, str] = {}
    for raw_key, raw_value in zip(flat[::2], flat[1::2], strict=True):
        key, value = raw_key.decode(), raw_value.decode()
        if key.startswith(MEMORY):
            memory[key.removeprefix(MEMORY)] = value
        else:
            status[key] = value
    return memory, status
