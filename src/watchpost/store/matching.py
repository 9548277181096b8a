"""The matcher's end of Redis: articles to claim, and MATCHED, which parks their hits."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from watchpost.model import Article, Hit, Signature, Verdict, derive_id
from watchpost.store import keys
from watchpost.store.client import Store
from watchpost.store.codec import ARTICLE, HIT
from watchpost.store.streams import StreamClaims, StreamEntry


@dataclass(frozen=True, slots=True)
class RoutedHit:
    """A hit and the keys of the groups that are to be told of it."""

    hit: Hit
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A claimed article and what was found in it. Without a signature its hits are stories of their own."""

    entry: StreamEntry
    article: Article
    hits: tuple[RoutedHit, ...]
    signature: Signature | None = None


Copy = Literal["", "exact", "url", "near"]
"""No copy, the very same article, another one at the same address, or the same words from the same outlet."""


@dataclass(frozen=True, slots=True)
class Matched:
    """What became of an article: for each hit "" if it is news, else what it shares with one that was told; its story.

    `verdict` is None without a signature.
    """

    copies: tuple[Copy, ...]
    verdict: Verdict | None = None


NAME_MAX = 200
WINDOW_MS = 72 * 3_600_000
HISTORY_MS = 30 * 24 * 3_600_000


class MatchStore:
    """What the match role may do. `window_ms`: for so long a text finds its copies; `history_ms`: people their hits;
    `retained`: how many articles are kept for trying changed topics on.

    `per_hour`: so many hits of a topic are parked in one hour, the others are counted; 0: all are parked.
    """

    def __init__(
        self,
        store: Store,
        consumer: str,
        *,
        lease_ms: int,
        hits_ttl_ms: int,
        window_ms: int = WINDOW_MS,
        history_ms: int = HISTORY_MS,
        retained: int = 0,
        per_hour: int = 0,
    ) -> None:
        self._store = store
        self._keys = store.keys
        self._hits_ttl_ms = hits_ttl_ms
        self._window_ms = window_ms
        self._history_ms = history_ms
        self._retained = retained
        self._per_hour = per_hour
        self.claims = StreamClaims(store, store.keys.articles, keys.MATCH, consumer, lease_ms)

    def read(self, entry: StreamEntry) -> Article:
        """The article of an entry. Raises CodecError."""
        return ARTICLE.decode(entry.fields.get(b"a", b""))

    async def matched(self, matches: Sequence[Match]) -> list[Matched | Exception | None]:
        """These articles are dealt with, each in one step of its own, all in one round trip.

        For each, in order: is each hit news, or the very same that was told, and which story is it?
        None: another matcher dealt with it, nothing was written. An exception: refused, nothing was written.
        """
        names = [self._keys.articles, self._keys.hits, self._keys.open, self._keys.bucket(""), self._keys.parked]
        names += [self._keys.index(""), self._keys.story(""), self._keys.ledger, self._keys.history]
        names.append(self._keys.retained)
        names += [f"{self._keys.prefix}count:", self._keys.over(""), self._keys.stories("")]
        answers = await self._store.run_each("matched", [(names, self._arguments(match)) for match in matches])
        results: list[Matched | Exception | None] = []
        for match, answer in zip(matches, answers, strict=True):
            if isinstance(answer, Exception):
                results.append(answer)
                continue
            self.claims.forget(match.entry)
            results.append(None if answer[0] == b"GONE" else _result(match, answer))
        return results

    def _arguments(self, match: Match) -> list[str | bytes | int]:
        article = match.article
        signature = match.signature if match.hits else None
        args: list[str | bytes | int] = [match.entry.id, self._hits_ttl_ms, self._window_ms, len(match.hits)]
        args.append(self._per_hour)
        args += [0] if signature is None else _signature(signature, article.title)
        same = _the_very_same(article)
        for parking in match.hits:
            marks = [derive_id("mark", parking.hit.topic, mark) for mark in same]
            args += [
                len(marks),
                *marks,
                len(parking.groups),
                *parking.groups,
                HIT.encode(parking.hit),
                parking.hit.topic,
            ]
        return [*args, self._retained, self._history_ms]

    async def dead_letter(self, entry: StreamEntry, reason: str, detail: str) -> None:
        """An article that cannot be matched goes to the dead letters, bytes and all."""
        dead_letter: list[str | bytes] = [
            "kind",
            "article",
            "reason",
            reason,
            "detail",
            detail,
            "payload",
            entry.fields.get(b"a", b""),
        ]
        names = [self._keys.articles, self._keys.dead, self._keys.dead_counts, self._keys.ledger]
        await self._store.run("dead", names, [keys.MATCH, entry.id, 0, *dead_letter])
        self.claims.forget(entry)

    async def waiting(self) -> int:
        """How many articles are queued or being matched."""
        async with self._store.errors():
            return int(await self._store.redis.xlen(self._keys.articles))


def _the_very_same(article: Article) -> list[str]:
    """What is sent once: the article; its address under one headline or with one text; its text from one outlet.

    An address alone is no mark: status pages and bulletins link all their entries to one page. A later version has the
    text and the address of the one before; there the headline decides, whichever feed brings it first.
    """
    outlet = article.outlet or article.source
    texts = [f"{mark} {outlet}" for mark in article.fingerprints if not mark.startswith("url:")]
    title, body = (derive_id("words", _letters(text)) if text else "" for text in (article.title, article.body))
    agreeing = [f" title {title}" if title else "", f" text {body}" if body and not article.revises else ""]
    addresses = [mark for mark in article.fingerprints if mark.startswith("url:")]
    return [article.id, *(mark + words for mark in addresses for words in agreeing if words), *texts]


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def _signature(signature: Signature, title: str) -> list[str | bytes | int]:
    fields: list[str | bytes | int] = [
        signature.article,
        signature.story,
        title,
        _bounded(signature.outlet),
        _bounded(signature.voice),
        int(signature.credited),
        signature.day,
        int(signature.whole),
        signature.series,
        " ".join(signature.numbers),
        " ".join(signature.figures),
        "".join(signature.sketch),
        signature.size,
        " ".join(signature.headline),
        " ".join(signature.lead),
        " ".join(signature.opening),
    ]
    return [len(fields), *fields, len(signature.exact), *signature.exact]


def _bounded(name: str) -> str:
    return name[:NAME_MAX]


def _result(match: Match, answer: Sequence[bytes | int]) -> Matched:
    _, story, voice, *known = answer
    verdict = None
    if match.signature is not None and isinstance(story, bytes) and isinstance(voice, bytes) and story:
        verdict = Verdict(story.decode(), voice.decode("utf-8", "replace"), story.decode() == match.signature.story)
    marks = _the_very_same(match.article)
    return Matched(tuple(_copy(marks, int(number)) for number in known), verdict)


def _copy(marks: Sequence[str], known: int) -> Copy:
    """`known` is the number of the mark that was known, from 1; 0: none."""
    if known <= 1:
        return "exact" if known else ""
    return "url" if marks[known - 1].startswith("url:") else "near"
