"""What was found and what was sent, for people to look through: read only, the newest first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from watchpost.errors import CodecError
from watchpost.model import Article, Hit, Message
from watchpost.store.client import Store
from watchpost.store.codec import ARTICLE, MESSAGE
from watchpost.store.windows import decode_hit


@dataclass(frozen=True, slots=True)
class PastHit:
    """A hit of the history. `mark` is its place: a search can go on before it."""

    mark: str
    hit: Hit


@dataclass(frozen=True, slots=True)
class HitPage:
    """What a search found; `more` is the mark to go on from, "" if there is nothing further back."""

    hits: tuple[PastHit, ...]
    more: str


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A delivery that arrived. `message` is None where it was too large to be kept, or cannot be read."""

    id: str
    receiver: str
    digest: str
    created: datetime
    sent: datetime
    attempts: int
    message: Message | None


_PAGE = 200
_AT_MOST_READ = 20_000  # entries that one search goes through: a rare word must not hold up the loop for long


class History:
    """Looks, and changes nothing. MATCHED and DONE write what is read here."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys

    async def search(
        self, wanted: Callable[[Hit], bool], *, topic: str = "", before: str = "", count: int = 50
    ) -> HitPage:
        """Up to `count` hits that are `wanted`, the newest first, from the mark `before` on.

        After 20 000 entries a search pauses: `more` then says where it can go on.
        """
        found: list[PastHit] = []
        read, top = 0, f"({before}" if before else "+"
        while read < _AT_MOST_READ:
            async with self._store.errors():
                page = await self._store.redis.xrevrange(self._keys.history, max=top, count=_PAGE)
            for id_, fields in page:
                read += 1
                mark = id_.decode()
                if topic and fields.get(b"t", b"").decode("utf-8", "replace") != topic:
                    continue
                hit = _readable(fields.get(b"h", b""))
                if hit is not None and wanted(hit):
                    found.append(PastHit(mark, hit))
                    if len(found) == count:
                        return HitPage(tuple(found), mark)
            if len(page) < _PAGE:
                return HitPage(tuple(found), "")
            top = f"({page[-1][0].decode()}"
        return HitPage(tuple(found), top[1:])

    async def since(self, begin: datetime, count: int) -> tuple[tuple[Hit, ...], bool]:
        """The hits that were found from `begin` on, the oldest first; and whether there are more than `count`.

        Of more the newest are returned. What this version cannot read is left out.
        """
        hits: list[Hit] = []
        first, top = f"{int(begin.timestamp() * 1000)}", "+"
        while True:
            async with self._store.errors():
                page = await self._store.redis.xrevrange(self._keys.history, max=top, min=first, count=_PAGE)
            hits += [hit for _, fields in page if (hit := _readable(fields.get(b"h", b""))) is not None]
            if len(page) < _PAGE or len(hits) > count:
                return tuple(reversed(hits[:count])), len(hits) > count
            top = f"({page[-1][0].decode()}"

    async def sent(self, count: int = 100) -> tuple[SentMessage, ...]:
        """The deliveries that arrived last."""
        async with self._store.errors():
            rows = await self._store.redis.xrevrange(self._keys.editions, count=count)
        return tuple(_sent(id_, fields) for id_, fields in rows)

    async def newest(self) -> tuple[str, str]:
        """The marks of the newest hit and the newest message sent; "" for none."""
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=False)
            pipe.xrevrange(self._keys.history, count=1)
            pipe.xrevrange(self._keys.editions, count=1)
            hit, sent = ([id_.decode() for id_, _ in rows] for rows in await pipe.execute())
        return "".join(hit), "".join(sent)

    async def sent_message(self, delivery: str) -> SentMessage | None:
        """One of them by its id; None if it is not among the last thousand (any more)."""
        async with self._store.errors():
            rows = await self._store.redis.xrevrange(self._keys.editions)
        return next((_sent(id_, fields) for id_, fields in rows if fields.get(b"d", b"").decode() == delivery), None)


def is_mark(text: str) -> bool:
    """Whether this is the form of a mark: digits, a hyphen, digits."""
    time, _, number = text.partition("-")
    return all(part.isascii() and part.isdigit() and len(part) <= 19 for part in (time, number))


def _readable(data: bytes) -> Hit | None:
    try:
        return decode_hit(data)
    except CodecError:
        return None


def _sent(id_: bytes, fields: dict[bytes, bytes]) -> SentMessage:
    def text(name: bytes) -> str:
        return fields.get(name, b"").decode("utf-8", "replace")

    try:
        message = MESSAGE.decode(fields.get(b"message", b""))
    except CodecError:
        message = None
    return SentMessage(
        id=text(b"d"),
        receiver=text(b"receiver"),
        digest=text(b"digest"),
        created=_at(text(b"created") or "0"),
        sent=_at(id_.decode().partition("-")[0]),
        attempts=int(text(b"attempts") or 0) + 1,
        message=message,
    )


def _at(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


# The articles that the matcher saw last, whatever came of them: what a changed topic is tried on.


class RetainedArticles:
    """Looks, and changes nothing. MATCHED fills it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def count(self) -> int:
        """How many there are."""
        async with self._store.errors():
            return int(await self._store.redis.xlen(self._store.keys.retained))

    async def articles(self) -> AsyncIterator[Article]:
        """The newest first. One that this version cannot read is left out."""
        before = "+"
        while True:
            async with self._store.errors():
                page = await self._store.redis.xrevrange(self._store.keys.retained, max=before, count=_PAGE)
            for _, fields in page:
                try:
                    yield ARTICLE.decode(fields.get(b"a", b""))
                except CodecError:
                    continue
            if len(page) < _PAGE:
                return
            before = f"({page[-1][0].decode()}"
