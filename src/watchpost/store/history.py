"""The history: hits that were found, messages that arrived, and articles retained for trials, the newest first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from watchpost.model import Article, Hit, Message
from watchpost.store.client import Store
from watchpost.store.codec import ARTICLE, MESSAGE, from_ms, text_of, to_ms
from watchpost.store.windows import decode_hit_or_none

_PAGE = 200
_AT_A_TIME = 20  # entries whose records are read before other work goes on
_MESSAGES = 20  # at a time: each may have megabytes
AT_MOST_READ = 20_000
"""So many entries one search reads: a rare word must not block the event loop for long."""


@dataclass(frozen=True, slots=True)
class PastHit:
    """A hit of the history. `mark` is its position: a search can continue before it."""

    mark: str
    hit: Hit


@dataclass(frozen=True, slots=True)
class HitPage:
    """The result of a search; `more` is the mark to continue from, "" if there is nothing older."""

    hits: tuple[PastHit, ...]
    more: str


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A delivery that arrived. `message` is None if it was too large to be stored, or this version cannot read it."""

    id: str
    receiver: str
    digest: str
    created: datetime
    sent: datetime
    attempts: int
    message: Message | None


class History:
    """The hits and messages of the past. It only reads: MATCHED and DONE write them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys

    async def search(
        self,
        wanted: Callable[[Hit], bool],
        *,
        topic: str = "",
        before: str = "",
        since: datetime | None = None,
        count: int = 50,
    ) -> HitPage:
        """Return up to `count` hits that are `wanted`, the newest first, from the mark `before` on, back to `since`.

        A search stops after 20 000 entries; `more` then says where it can continue.
        """
        hits: list[PastHit] = []
        read, mark = 0, ""
        newest, oldest = f"({before}" if before else "+", "-" if since is None else str(to_ms(since))
        async for id_, fields in newest_first(self._store, self._keys.history, newest=newest, oldest=oldest):
            read, mark = read + 1, id_.decode()
            if not topic or text_of(fields, b"t") == topic:
                hit = decode_hit_or_none(fields.get(b"h", b""))
                if hit is not None and wanted(hit):
                    hits.append(PastHit(mark, hit))
            if len(hits) == count or read == AT_MOST_READ:
                return HitPage(tuple(hits), mark)
        return HitPage(tuple(hits), "")

    async def since(self, begin: datetime, count: int) -> tuple[tuple[Hit, ...], bool]:
        """Return the hits that were found from `begin` on, the oldest first, and whether there are more than `count`.

        If there are more, the newest are returned. Hits that this version cannot read are left out.
        """
        hits: list[Hit] = []
        async for _, fields in newest_first(self._store, self._keys.history, oldest=str(to_ms(begin))):
            hits += [hit] if (hit := decode_hit_or_none(fields.get(b"h", b""))) is not None else []
            if len(hits) > count:
                break
        return tuple(reversed(hits[:count])), len(hits) > count

    async def sent(self, count: int = 100) -> tuple[SentMessage, ...]:
        """Return the deliveries that arrived last."""
        async with self._store.errors():
            rows = await self._store.redis.xrevrange(self._keys.editions, count=count)
        return await asyncio.to_thread(lambda: tuple(_sent(id_, fields) for id_, fields in rows))

    async def sent_message(self, delivery: str) -> SentMessage | None:
        """Return one of them by its id; None if it is not among the last thousand."""
        async for id_, fields in newest_first(self._store, self._keys.editions, page=_MESSAGES):
            if text_of(fields, b"d") == delivery:
                return _sent(id_, fields)
        return None

    async def newest(self) -> tuple[str, str]:
        """Return the marks of the newest hit and of the newest message that arrived; "" for none."""
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=False)
            pipe.xrevrange(self._keys.history, count=1)
            pipe.xrevrange(self._keys.editions, count=1)
            hit, sent = ([id_.decode() for id_, _ in rows] for rows in await pipe.execute())
        return "".join(hit), "".join(sent)


class RetainedArticles:
    """The articles that were matched last, hit or not, to try changed topics on. It only reads: MATCHED writes them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def count(self) -> int:
        """Return how many there are."""
        async with self._store.errors():
            return int(await self._store.redis.xlen(self._store.keys.retained))

    async def articles(self) -> AsyncIterator[Article]:
        """Yield them, the newest first. Articles that this version cannot read are left out."""
        async for _, fields in newest_first(self._store, self._store.keys.retained):
            if (article := ARTICLE.decode_or_none(fields.get(b"a", b""))) is not None:
                yield article


def is_mark(text: str) -> bool:
    """Whether this has the form of a mark: digits, a hyphen, digits."""
    time, _, number = text.partition("-")
    return all(part.isascii() and part.isdigit() and len(part) <= 19 for part in (time, number))


async def newest_first(
    store: Store, stream: str, *, newest: str = "+", oldest: str = "-", page: int = _PAGE
) -> AsyncIterator[tuple[bytes, dict[bytes, bytes]]]:
    """Yield the entries of a stream, the newest first. Raises StoreError."""
    while True:
        async with store.errors():
            entries = await store.redis.xrevrange(stream, max=newest, min=oldest, count=page)
        for number, entry in enumerate(entries):
            if number % _AT_A_TIME == _AT_A_TIME - 1:
                await asyncio.sleep(0)
            yield entry
        if len(entries) < page:
            return
        newest = f"({entries[-1][0].decode()}"


def _sent(id_: bytes, fields: dict[bytes, bytes]) -> SentMessage:
    return SentMessage(
        id=text_of(fields, b"d"),
        receiver=text_of(fields, b"receiver"),
        digest=text_of(fields, b"digest"),
        created=from_ms(fields.get(b"created") or b"0"),
        sent=from_ms(id_.partition(b"-")[0]),
        attempts=int(fields.get(b"attempts") or 0) + 1,
        message=MESSAGE.decode_or_none(fields.get(b"message", b"")),
    )
