"""The matcher's end of Redis: articles to claim, and MATCHED, which parks their hits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchpost.model import Article, Hit, derive_id
from watchpost.wire import keys
from watchpost.wire.codec import ARTICLE, HIT
from watchpost.wire.store import Store
from watchpost.wire.stream import Claims, Entry


@dataclass(frozen=True, slots=True)
class Parking:
    """A hit and the keys of the groups that are to be told of it."""

    hit: Hit
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A claimed article and what was found in it."""

    entry: Entry
    article: Article
    parkings: tuple[Parking, ...]


class Articles:
    """What the match role may do."""

    def __init__(self, store: Store, consumer: str, *, lease_ms: int, hits_ttl_ms: int) -> None:
        self._store = store
        self._keys = store.keys
        self._hits_ttl_ms = hits_ttl_ms
        self.claims = Claims(store, store.keys.articles, keys.MATCH, consumer, lease_ms)

    def read(self, entry: Entry) -> Article:
        """The article of an entry. Raises CodecError."""
        return ARTICLE.decode(entry.fields.get(b"a", b""))

    async def matched(self, matches: Sequence[Match]) -> list[tuple[bool, ...] | Exception | None]:
        """These articles are dealt with, each in one step of its own, all in one round trip.

        For each, in order: is each hit news (True) or a copy of what was told (False)? None: another matcher
        dealt with the article, nothing was written. An exception: this one was refused, nothing was written.
        """
        names = [self._keys.articles, self._keys.hits, self._keys.open, self._keys.bucket(""), self._keys.parked]
        names.append(self._keys.ledger)
        answers = await self._store.run_each("matched", names, [self._arguments(match) for match in matches])
        results: list[tuple[bool, ...] | Exception | None] = []
        for match, answer in zip(matches, answers, strict=True):
            if isinstance(answer, Exception):
                results.append(answer)
                continue
            self.claims.let_go(match.entry)
            results.append(None if answer[0] == b"GONE" else tuple(flag == 1 for flag in answer[1:]))
        return results

    def _arguments(self, match: Match) -> list[str | bytes | int]:
        article = match.article
        args: list[str | bytes | int] = [match.entry.id, self._hits_ttl_ms, len(match.parkings)]
        for parking in match.parkings:
            marks = [derive_id("mark", parking.hit.topic, mark) for mark in (article.id, *article.fingerprints)]
            args += [
                len(marks),
                *marks,
                len(parking.groups),
                *parking.groups,
                HIT.encode(parking.hit),
                parking.hit.topic,
            ]
        return args

    async def bury(self, entry: Entry, reason: str, detail: str) -> None:
        """An article that cannot be matched goes to the dead letters, bytes and all."""
        letter: list[str | bytes] = [
            "kind",
            "article",
            "reason",
            reason,
            "detail",
            detail,
            "payload",
            entry.fields.get(b"a", b""),
        ]
        names = [self._keys.articles, self._keys.dead, self._keys.ledger]
        await self._store.run("dead", names, [keys.MATCH, entry.id, 0, *letter])
        self.claims.let_go(entry)

    async def waiting(self) -> int:
        """How many articles are queued or being matched."""
        async with self._store.errors():
            return int(await self._store.redis.xlen(self._keys.articles))
