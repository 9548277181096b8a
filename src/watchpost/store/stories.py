"""The stories of the history, each whole: all hits of a text and its copies, whatever page or feed shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchpost.model import Hit
from watchpost.store.client import Store
from watchpost.store.codec import text_of, to_ms
from watchpost.store.history import AT_MOST_READ, PastHit, newest_first
from watchpost.store.windows import decode_hit_or_none

AT_MOST_HITS = 2000
"""So many hits of one story are read, the newest."""

_CHUNK = 100  # hits whose stories are read in one round trip
_A_FEW = 3  # hits that are decoded in the loop
_INDEXED = "indexed"


@dataclass(frozen=True, slots=True)
class PastStory:
    """A story and all its hits that the history has, the oldest first; there is at least one."""

    id: str
    hits: tuple[PastHit, ...]


@dataclass(frozen=True, slots=True)
class StoryPage:
    """The result of a search; `more` is the mark to continue from, "" if there is nothing older."""

    stories: tuple[PastStory, ...]
    more: str


class Stories:
    """Reads stories. MATCHED writes where their hits are. Every method raises StoreError."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys

    async def story(self, id_: str) -> PastStory | None:
        """Return one story; None if the history has nothing of it."""
        found = await self.whole([id_])
        return found.get(id_)

    async def whole(self, ids: Iterable[str]) -> dict[str, PastStory]:
        """Return these stories by id, as far as the history has them."""
        wanted = list(dict.fromkeys(ids))
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=False)
            for id_ in wanted:
                pipe.zrange(self._keys.reports(id_), -AT_MOST_HITS, -1)
            places = await pipe.execute() if wanted else []
        found = {}
        for id_, marks in zip(wanted, places, strict=True):
            if hits := await self._hits([mark.decode() for mark in marks]):
                found[id_] = PastStory(id_, tuple(sorted(hits, key=lambda past: _place(past.mark))))
        return found

    async def _hits(self, marks: Sequence[str]) -> list[PastHit]:
        hits = []
        for at in range(0, len(marks), _CHUNK):
            async with self._store.errors():
                pipe = self._store.redis.pipeline(transaction=False)
                for mark in marks[at : at + _CHUNK]:
                    pipe.xrange(self._keys.history, mark, mark)
                rows = await pipe.execute()
            hits += await asyncio.to_thread(_decoded, rows) if len(rows) > _A_FEW else _decoded(rows)
        return hits

    async def page(
        self,
        wanted: Callable[[Hit], bool],
        *,
        topic: str = "",
        before: str = "",
        since: datetime | None = None,
        count: int = 25,
    ) -> StoryPage:
        """Return up to `count` whole stories, in the order of their newest `wanted` hit, from the mark `before` on.

        With `since` only those that have such a hit from then on.

        A story is on one page only: where its newest wanted hit is. A search stops after 20 000 hits.
        """

        def fits(hit: Hit) -> bool:
            return topic in ("", hit.topic) and wanted(hit)

        shown: list[PastStory] = []
        decided: set[str] = set()
        chunk: list[PastHit] = []
        read, mark = 0, ""

        async def decide() -> str:
            """Add the stories of the chunk; return the mark at which the page is full, "" while it is not."""
            stories = await self.whole(past.hit.story for past in chunk if past.hit.story not in decided)
            for past in chunk:
                id_ = past.hit.story
                if id_ in decided:
                    continue
                decided.add(id_)
                # A hit that an earlier version stored may not be in the index yet.
                story = stories.get(id_) or PastStory(id_, (past,))
                newer = (one for one in story.hits if before and _place(one.mark) >= _place(before))
                if any(fits(one.hit) for one in newer):
                    continue
                shown.append(story)
                if len(shown) == count:
                    return past.mark
            chunk.clear()
            return ""

        newest, oldest = f"({before}" if before else "+", "-" if since is None else str(to_ms(since))
        async for id_, fields in newest_first(self._store, self._keys.history, newest=newest, oldest=oldest):
            read, mark = read + 1, id_.decode()
            if not topic or text_of(fields, b"t") == topic:
                hit = decode_hit_or_none(fields.get(b"h", b""))
                if hit is not None and hit.story not in decided and wanted(hit):
                    chunk.append(PastHit(mark, hit))
            if len(chunk) >= _CHUNK and (full := await decide()):
                return StoryPage(tuple(shown), full)
            if read == AT_MOST_READ:
                more = await decide() or mark
                return StoryPage(tuple(shown), more)
        more = await decide()
        return StoryPage(tuple(shown), more)

    async def index_earlier(self, cursor: str, lifetime: timedelta, hits: int = 2000) -> str:
        """Add up to `hits` older hits to the places of their stories; return the cursor to go on from, "" at the end.

        A version before this one stored no places. It may run in several processes at once, and be stopped any time.
        Begin with the cursor "+".
        """
        async with self._store.errors():
            if await self._store.redis.hexists(self._keys.meta, _INDEXED):
                return ""
            entries = await self._store.redis.xrevrange(self._keys.history, max=cursor, count=hits)
            pipe = self._store.redis.pipeline(transaction=False)
            for id_, fields in entries:
                hit = decode_hit_or_none(fields.get(b"h", b""))
                if hit is not None and hit.story:
                    pipe.zadd(self._keys.reports(hit.story), {id_: int(id_.partition(b"-")[0])})
                    pipe.pexpire(self._keys.reports(hit.story), lifetime)
            if len(entries) < hits:
                pipe.hset(self._keys.meta, _INDEXED, 1)
            await pipe.execute()
        return f"({entries[-1][0].decode()}" if len(entries) == hits else ""


def _decoded(rows: Sequence[Sequence[tuple[bytes, Mapping[bytes, bytes]]]]) -> list[PastHit]:
    """The hits of these answers; one is empty for a hit that the history no longer has."""
    return [
        PastHit(id_.decode(), hit)
        for entries in rows
        for id_, fields in entries
        if (hit := decode_hit_or_none(fields.get(b"h", b""))) is not None
    ]


def _place(mark: str) -> tuple[int, int]:
    time, _, number = mark.partition("-")
    return int(time), int(number or 0)
