"""What the match role reads and writes: articles to claim, and MATCHED, which adds their hits to groups."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

from watchpost.combining_marks import bound_marks
from watchpost.model import Article, Hit, Signature, Verdict, derive_id
from watchpost.store import keys
from watchpost.store.client import Call, Store, json_argument
from watchpost.store.codec import ARTICLE, HIT
from watchpost.store.streams import StreamClaims, StreamEntry
from watchpost.store.windows import HISTORY_MS

WINDOW_MS = 72 * 3_600_000
_NAME_MAX = 200

BEGINNING = 3_000
"""The characters of summary and text that are kept until the event of a story is decided."""
_LONG = 20_000  # characters; the marks of a longer text are made outside of the loop
_AT_A_TIME = 50_000  # characters that hold up other threads


@dataclass(frozen=True, slots=True)
class RoutedHit:
    """A hit and the keys of the groups that it goes to."""

    hit: Hit
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A claimed article and its hits. Without a signature every hit is a story of its own.

    `about` are the codes of countries that its hits show it to be about.
    """

    entry: StreamEntry
    article: Article
    hits: tuple[RoutedHit, ...]
    signature: Signature | None = None
    about: tuple[str, ...] = ()


Copy = Literal["", "exact", "url", "near"]
"""No copy, the same article, another one at the same address, or the same words from the same outlet."""


@dataclass(frozen=True, slots=True)
class Matched:
    """The result for one article: for each hit "" if it is news, else what it shares with an earlier one; its story.

    `verdict` is None without a signature.
    """

    copies: tuple[Copy, ...]
    verdict: Verdict | None = None


class MatchStore:
    """What the match role may do.

    A text finds its copies for `window_ms`; hits stay in the history for `history_ms`; `retained` articles are kept so
    that changed topics can be tried on them. Of each topic `per_hour` hits are added to groups in an hour and the
    others are only counted; 0 adds all. Up to `unjoined_max` stories wait for their event; 0 asks for none.
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
        unjoined_max: int = 0,
    ) -> None:
        self._store = store
        self._keys = store.keys
        self._settings = {
            "hits_ttl_ms": hits_ttl_ms,
            "window_ms": window_ms,
            "history_ms": history_ms,
            "retained": retained,
            "per_hour": per_hour,
            "unjoined_max": unjoined_max,
        }
        self.claims = StreamClaims(store, store.keys.articles, keys.MATCH, consumer, lease_ms)

    def read(self, entry: StreamEntry) -> Article:
        """Return the article of an entry. Raises CodecError."""
        return ARTICLE.decode(entry.fields.get(b"a", b""))

    async def matched(self, matches: Sequence[Match]) -> list[Matched | Exception | None]:
        """Store the results of these articles, each in an atomic step of its own, all in one round trip.

        The answers come in order. None: another matcher had the article. An exception: the step failed. In both cases
        nothing was written.
        """
        calls: list[Call] = []
        marks: list[Marks] = []
        for match in matches:
            marks.append(await _marks_of_hits(match))
            calls.append(await self._call(match, marks[-1]))
        answers = await self._store.run_each("matched", calls)
        results: list[Matched | Exception | None] = []
        for match, marked, answer in zip(matches, marks, answers, strict=True):
            if isinstance(answer, Exception):
                results.append(answer)
                continue
            self.claims.forget(match.entry)
            results.append(None if answer[0] == b"GONE" else _result(match, marked, answer))
        return results

    async def _call(self, match: Match, marks: Marks) -> Call:
        names = [self._keys.articles, self._keys.hits, self._keys.open, self._keys.bucket(""), self._keys.parked]
        names += [self._keys.index(""), self._keys.story(""), self._keys.ledger, self._keys.history]
        names += [
            self._keys.retained,
            f"{self._keys.prefix}count:",
            self._keys.over(""),
            self._keys.stories(""),
            self._keys.hit(""),
            self._keys.reports(""),
            self._keys.unjoined,
            self._keys.copies,
        ]
        hits = [
            {
                "id": routed.hit.id,
                "topic": routed.hit.topic,
                "story": routed.hit.story,
                "marks": _of_topic(routed.hit.topic, marks.known),
                "own": _of_topic(routed.hit.topic, marks.own),
                "groups": routed.groups,
            }
            for routed in match.hits
        ]
        story = {} if match.signature is None or not hits else {"signature": _signature(match.signature, match.article)}
        about, revises = ",".join(match.about), bool(match.article.revises)
        argument = json_argument(
            entry=match.entry.id, hits=hits, about=about, revises=revises, **self._settings, **story
        )
        encoded = []
        for routed in match.hits:
            encoded.append(HIT.encode(routed.hit))
            await asyncio.sleep(0)  # one hit takes milliseconds
        if story and self._settings["unjoined_max"]:
            encoded.append(ARTICLE.encode(beginning(match.article)))
        return names, [argument, *encoded]

    async def dead_letter(self, entry: StreamEntry, reason: str, detail: str) -> None:
        """Make an article that cannot be matched a dead letter, with its bytes."""
        names = [self._keys.articles, self._keys.dead, self._keys.dead_counts, self._keys.ledger]
        letter = ("kind", "article", "reason", reason, "detail", detail)
        argument = json_argument(group=keys.MATCH, entry=entry.id, letter=letter)
        await self._store.run("dead", names, [argument, entry.fields.get(b"a", b"")])
        self.claims.forget(entry)

    async def waiting(self) -> int:
        """Return how many articles are queued or being matched."""
        async with self._store.errors():
            return int(await self._store.redis.xlen(self._keys.articles))


def beginning(article: Article) -> Article:
    """Return the article with so much of its text as its event is judged by."""
    return replace(article, summary=article.summary[:BEGINNING], body=article.body[:BEGINNING])


@dataclass(frozen=True, slots=True)
class Marks:
    """What is sent once (`known`), and what tells whether a feed has published another text under the same headline.

    `own` are its source, outlet and headline, and the same with the text. Where only the first is known, the article is
    the next bulletin, whatever else is known.
    """

    known: tuple[str, ...]
    own: tuple[str, str]


def marks_of(topic: str, article: Article) -> list[str]:
    """Return by what a further hit of this topic on the same article, or on a copy of it, is known."""
    return _of_topic(topic, _marks(article).known)


def mark_of_headline(topic: str, article: Article) -> str:
    """Return by what it is known that its source has published something under its headline."""
    return _of_topic(topic, _marks(article).own)[0]


def _of_topic(topic: str, marks: Sequence[str]) -> list[str]:
    return [derive_id("mark", topic, mark) for mark in marks]


async def _marks_of_hits(match: Match) -> Marks:
    if not match.hits:
        return Marks((), ("", ""))
    return await asyncio.to_thread(_marks, match.article) if len(match.article.body) >= _LONG else _marks(match.article)


def _marks(article: Article) -> Marks:
    """What is sent once: the article; its address under one headline or with one text; its text from one outlet.

    An address alone is no mark: status pages and bulletins link all their entries to one page. A later version has the
    text and the address of the one before; there the headline decides, whichever feed brings it first.
    """
    outlet = article.outlet or article.source
    texts = [f"{mark} {outlet}" for mark in article.fingerprints if not mark.startswith("url:")]
    title, summary, body = (
        derive_id("words", _letters(text)) if text else "" for text in (article.title, article.summary, article.body)
    )
    agreeing = [f" title {title}" if title else "", f" text {body}" if body and not article.revises else ""]
    addresses = [mark for mark in article.fingerprints if mark.startswith("url:")]
    under_headline = derive_id("headline", article.source, outlet, title)
    return Marks(
        (article.id, *(mark + words for mark in addresses for words in agreeing if words), *texts),
        (f"headline {under_headline}", f"headline {under_headline} {summary} {body} {article.entry}"),
    )


def _letters(text: str) -> str:
    folded = unicodedata.normalize("NFKC", bound_marks(text)).casefold()
    pieces = (folded[at : at + _AT_A_TIME] for at in range(0, len(folded), _AT_A_TIME))
    return "".join("".join(filter(str.isalnum, piece)) for piece in pieces)


def _signature(signature: Signature, article: Article) -> dict[str, object]:
    """The signature as scripts/shared/stories.lua reads it, which splits lists of words itself."""
    values = {field.name: getattr(signature, field.name) for field in fields(signature)}
    return {name: " ".join(value) if isinstance(value, tuple) else value for name, value in values.items()} | {
        "title": article.title,
        "outlet": signature.outlet[:_NAME_MAX],
        "voice": signature.voice[:_NAME_MAX],
        "sketch": "".join(signature.sketch),
        "exact": signature.exact,
    }


def _result(match: Match, marks: Marks, answer: Sequence[bytes | int]) -> Matched:
    _, story, voice, *known = answer
    verdict = None
    if match.signature is not None and isinstance(story, bytes) and isinstance(voice, bytes) and story:
        verdict = Verdict(story.decode(), voice.decode("utf-8", "replace"), story.decode() == match.signature.story)
    return Matched(tuple(_copy(marks.known, int(number)) for number in known), verdict)


def _copy(marks: Sequence[str], known: int) -> Copy:
    """`known` is the number of the mark that was known, from 1; 0: none."""
    if known <= 1:
        return "exact" if known else ""
    return "url" if marks[known - 1].startswith("url:") else "near"
