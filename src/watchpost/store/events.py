"""Events: the stories that wait for theirs, and JOIN, which stores what is decided, in one order for all matchers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from redis.asyncio.client import Pipeline

from watchpost.errors import CodecError
from watchpost.model import Article
from watchpost.store import keys
from watchpost.store.client import Store, json_argument
from watchpost.store.codec import ARTICLE, from_ms, text_of
from watchpost.store.streams import StreamClaims, StreamEntry

MOST_UNJOINED = 20_000
"""The stories that may wait, some 60 MB; while more come, they have no event."""

WINDOW_MS = 5 * 24 * 3_600_000
"""How long decisions are kept for the next ones: an article may be two days old when it comes."""

KEPT_MS = 30 * 24 * 3_600_000

MOST_LINKS = 100
"""So many stories of an event are read for what they say, the first ones."""

_PAGE = 500

Answer = Literal["OK", "GONE", "AGAIN", "KNOWN"]


@dataclass(frozen=True, slots=True)
class Unjoined:
    """A story that waits for its event: the beginning of its article, and the countries that it is about."""

    story: str
    article: Article
    about: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision: the event of a story, what its article says (as its decider wrote it), and its vector.

    `mark` is its place in the order; `certain`: safe enough for one alert.
    """

    mark: str
    story: str
    event: str
    said: bytes = b""
    vector: bytes = b""
    certain: bool = True


@dataclass(frozen=True, slots=True)
class EventOfStory:
    """The event of a story and why: the story that it has most in common with, the reasons, and who decided.

    `by` is "" for watchpost, else the person. `certain`: safe enough for one alert. `harm` has the first numbers of
    people that its text says, by what became of them: ("killed", 11), and `outlet` is who says it.
    """

    event: str
    like: str = ""
    reasons: tuple[str, ...] = ()
    certain: bool = False
    by: str = ""
    at: datetime | None = None
    harm: tuple[tuple[str, int], ...] = ()
    outlet: str = ""


class EventStore:
    """What is stored of events. What is decided is kept for `kept_ms`. Every method but `read` raises StoreError."""

    def __init__(self, store: Store, consumer: str = "", lease_ms: int = 0, *, kept_ms: int = KEPT_MS) -> None:
        self._store = store
        self._keys = store.keys
        self._kept_ms = kept_ms
        self.claims = StreamClaims(store, store.keys.unjoined, keys.MATCH, consumer, lease_ms)

    @staticmethod
    def read(entry: StreamEntry) -> Unjoined:
        """Return the story of an entry. Raises CodecError."""
        story, about = text_of(entry.fields, b"s"), text_of(entry.fields, b"c")
        if not story:
            raise CodecError("story: missing")
        return Unjoined(story, ARTICLE.decode(entry.fields.get(b"a", b"")), tuple(filter(None, about.split(","))))

    async def decided(self, after: str = "") -> tuple[Decided, ...]:
        """Return the decisions after a mark, in their order."""
        found: list[Decided] = []
        while True:
            start = f"({after}" if after else "-"
            async with self._store.errors():
                page = await self._store.redis.xrange(self._keys.joined, min=start, count=_PAGE)
            for id_, fields in page:
                after = id_.decode()
                found.append(
                    Decided(
                        after,
                        text_of(fields, b"s"),
                        text_of(fields, b"e"),
                        fields.get(b"w", b""),
                        fields.get(b"v", b""),
                        bool(fields.get(b"c")),
                    )
                )
            if len(page) < _PAGE:
                return tuple(found)

    async def join(
        self,
        decided: Decided,
        *,
        entry: StreamEntry | None = None,
        like: str = "",
        reasons: Sequence[str] = (),
        harm: Iterable[tuple[str, int]] | None = None,
        outlet: str = "",
        by: str = "",
        former: str = "",
    ) -> Answer:
        """Store a decision. `decided.mark` is the last one that was known when it was made.

        `entry` is the waiting story; without it a person decides, and `former` is the event that the story leaves.
        `harm` is what its text says, and `outlet` who says it; None leaves what is known.
        """
        keys_ = self._keys
        names = [keys_.unjoined, keys_.joined, keys_.event(decided.story), keys_.events(decided.event)]
        names.append(keys_.events(former or decided.event))
        argument = json_argument(
            entry=entry.id if entry is not None else "",
            last=decided.mark,
            story=decided.story,
            event=decided.event,
            certain=decided.certain,
            like=like,
            reasons=json.dumps(list(reasons), ensure_ascii=False),
            harm=json.dumps(sorted(harm)) if harm is not None else "",
            outlet=outlet,
            by=by,
            window_ms=WINDOW_MS,
            kept_ms=self._kept_ms,
        )
        answer = await self._store.run("join", names, [argument, decided.said, decided.vector])
        if entry is not None and answer[0] != b"AGAIN":
            self.claims.forget(entry)
        found: Answer = answer[0].decode()
        return found

    async def drop(self, entry: StreamEntry) -> None:
        """Remove a story that nobody can judge: it has no event."""
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=True)
            pipe.xack(self._keys.unjoined, keys.MATCH, entry.id)
            pipe.xdel(self._keys.unjoined, entry.id)
            await pipe.execute()
        self.claims.forget(entry)

    async def waiting(self) -> int:
        """Return how many stories wait for their event."""
        async with self._store.errors():
            return int(await self._store.redis.xlen(self._keys.unjoined))

    async def events_of(self, stories: Iterable[str]) -> dict[str, EventOfStory]:
        """Return the event of each of these stories that has one."""
        rows = await self._each(stories, lambda pipe, story: pipe.hgetall(self._keys.event(story)))
        return {story: _event_of(row) for story, row in rows.items() if row}

    async def ids_of(self, stories: Iterable[str]) -> dict[str, str]:
        """Return the id of the event of each of these stories that has one."""
        rows = await self._each(stories, lambda pipe, story: pipe.hget(self._keys.event(story), "event"))
        return {story: row.decode() for story, row in rows.items() if row}

    async def newest(self) -> str:
        """Return the mark of the last decision; "" if there is none."""
        async with self._store.errors():
            rows = await self._store.redis.xrevrange(self._keys.joined, count=1)
        return rows[0][0].decode() if rows else ""

    async def stories_of(self, event: str) -> tuple[str, ...]:
        """Return the stories of an event, in the order in which they joined it."""
        async with self._store.errors():
            rows = await self._store.redis.zrange(self._keys.events(event), 0, -1)
        return tuple(row.decode() for row in rows)

    async def links_of(self, events: Iterable[str]) -> dict[str, tuple[EventOfStory, ...]]:
        """Return why each of the stories of these events belongs to it, of the first `MOST_LINKS` of them.

        An event of one story has none.
        """
        several = {event: of[:MOST_LINKS] for event, of in (await self.stories_of_each(events)).items() if len(of) > 1}
        links = await self.events_of(story for of in several.values() for story in of)
        return {event: tuple(links[one] for one in of if one in links) for event, of in several.items()}

    async def stories_of_each(self, events: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return the stories of each of these events, in the order in which they joined it."""
        rows = await self._each(events, lambda pipe, event: pipe.zrange(self._keys.events(event), 0, -1))
        return {event: tuple(one.decode() for one in row) for event, row in rows.items()}

    async def _each(self, ids: Iterable[str], ask: Callable[[Pipeline, str], object]) -> dict[str, Any]:
        """Return what the store answers for each of these ids, asked in one round trip."""
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return {}
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=False)
            for one in wanted:
                ask(pipe, one)
            return dict(zip(wanted, await pipe.execute(), strict=True))


async def forget_unjoined(store: Store) -> None:
    """Remove what waits: events are switched off. Raises StoreError."""
    async with store.errors():
        if await store.redis.exists(store.keys.unjoined):
            await store.redis.delete(store.keys.unjoined)


def _event_of(fields: dict[bytes, bytes]) -> EventOfStory:
    try:
        reasons = tuple(map(str, json.loads(text_of(fields, b"reasons") or "[]")))
    except (ValueError, TypeError):
        reasons = ()
    try:
        harm = tuple((str(role), int(value)) for role, value in json.loads(text_of(fields, b"harm") or "[]"))
    except (ValueError, TypeError):
        harm = ()
    at = fields.get(b"at")
    return EventOfStory(
        event=text_of(fields, b"event"),
        like=text_of(fields, b"like"),
        reasons=reasons,
        certain=bool(fields.get(b"certain")),
        by=text_of(fields, b"by"),
        at=from_ms(at) if at else None,
        harm=harm,
        outlet=text_of(fields, b"outlet"),
    )
