"""The match role's loop: takes articles from the store, matches them, and stores the hits with their groups."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from time import perf_counter

from watchpost import failpoints, tracing
from watchpost import log as tm
from watchpost.errors import CodecError, FetchError, StoreError
from watchpost.garbage import uncollected
from watchpost.health import HEALTH
from watchpost.match import places
from watchpost.match.long_articles import LongArticles, is_long, length
from watchpost.match.matcher import Found, Topics, countries_of
from watchpost.match.routing import groups_of
from watchpost.model import Article, Hit, Route
from watchpost.store.client import pause
from watchpost.store.matching import Copy, Match, Matched, MatchStore, RoutedHit
from watchpost.store.streams import Consumer, StreamEntry


def count(done: Match, result: Matched | None) -> None:
    """Count a matched article in the metrics. None: another matcher was faster."""
    tm.articles_matched.labels("gone" if result is None else "hit" if done.hits else "miss").inc()
    if result is None:
        return
    joins = result.verdict is not None and not result.verdict.opens
    for routed, copy in zip(done.hits, result.copies, strict=True):
        _count(routed, copy, joins)


def _count(routed: RoutedHit, copy: Copy, joins: bool) -> None:
    hit = routed.hit
    if copy:
        tm.hits_copies.labels(copy).inc()
        return
    if joins:
        tm.hits_copies.labels("story").inc()  # it is sent, as part of an earlier story
    tm.hits.labels(hit.topic, hit.severity).inc()
    if hit.article.published is not None:
        tm.hit_age.observe(max(0.0, (hit.matched - hit.article.published).total_seconds()))
    if not routed.groups:
        tm.hits_unrouted.labels(hit.topic).inc()
        tm.log().warning("hit.unrouted", topic=hit.topic, title=hit.article.title)


def _about(hits: Sequence[Hit]) -> tuple[str, ...]:
    """The countries that an article is about, as its hits show."""
    return tuple(sorted(countries_of(hit.evidence for hit in hits)))


_BATCH = 32
_WAIT_SECONDS = 1.0
_IN_A_THREAD = 2_000
"""Articles with so many characters are matched in a thread: the worst ones that are shorter take some 15 ms."""
_BESIDE = 8  # long articles that are held beside the others; one has at most a few megabytes
_WHY = {
    "timeout": "matching it took too long and was stopped",
    "too_large": "matching it needs more memory than an article may take",
    "crashed": "matching it ended the process in which it ran",
}


class Matcher:
    """Matches articles until `stop` is set.

    `tick` and `tick_renew` return three times in each lease, to search for abandoned work and to renew the leases;
    `tick_refine` returns now and then, to choose again the words that are searched first.
    """

    def __init__(
        self,
        topics: Topics,
        routes: Sequence[Route],
        articles: MatchStore,
        *,
        tick: Callable[[], Awaitable[None]],
        tick_renew: Callable[[], Awaitable[None]],
        tick_refine: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        clock: Callable[[], datetime],
        long_articles: LongArticles | None = None,
    ) -> None:
        """Without `long_articles` they are matched in this process."""
        self._topics = topics
        self._topics_used = asyncio.Lock()  # by one thread at a time
        self._routes = routes
        self._articles = articles
        self._tick_refine = tick_refine
        self._stop = stop
        self._clock = clock
        self._long_articles = long_articles
        self._runs = False
        self._beside: set[asyncio.Task[None]] = set()  # long articles that are matched while others go on
        self._consumer = Consumer(
            articles.claims,
            "articles",
            take=self._take,
            process=self._deal,
            dead_letter=self._give_up,
            beat=partial(HEALTH.beat, "match"),
            tick=tick,
            tick_renew=tick_renew,
            stop=stop,
        )

    async def run(self) -> None:
        """Match new articles as they come, and those that a silent matcher left."""
        self._runs = True
        with uncollected():
            await asyncio.to_thread(places.load)
        gc.freeze()  # 100,000 names stay: to scan them again takes 60 ms, during which nothing else runs
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._consumer.run())
                tasks.create_task(self._refine())
            await asyncio.gather(*self._beside)
        finally:
            for task in self._beside:
                task.cancel()
            await asyncio.gather(*self._beside, return_exceptions=True)

    async def once(self) -> None:
        """Match until no article is left, including those that a dead matcher holds."""
        while await self._articles.waiting() and not self._stop.is_set():
            entries = await self._articles.claims.take(_BATCH, block=False) or await self._articles.claims.reclaim(1)
            await self._consumer.process(entries)
            if not entries:
                await pause(0.2, self._stop)

    async def _refine(self) -> None:
        """Choose the words that are searched first, now and then, while matching goes on."""
        while not self._stop.is_set():
            await self._tick_refine()
            async with self._topics_used:
                refinement = self._topics.refinement()
            if refinement is not None:
                compacted = await asyncio.to_thread(refinement)
                async with self._topics_used:
                    self._topics.adopt(compacted)

    async def _take(self) -> Sequence[StreamEntry]:
        return await self._articles.claims.take(_BATCH)

    async def _deal(self, entries: Sequence[StreamEntry]) -> None:
        matches: list[Match] = []
        long: list[tuple[StreamEntry, Article, LongArticles]] = []
        for entry in entries:
            HEALTH.beat("match")
            failpoints.point("match.read")
            try:
                article = self._articles.read(entry)
            except CodecError as error:
                await self._bury(entry, "codec", str(error))
                continue
            if self._long_articles is not None and is_long(article):
                long.append((entry, article, self._long_articles))
                continue
            matches.append(await self._match(entry, article))
            failpoints.point("match.matched")
            await asyncio.sleep(0)  # a long batch must not keep the other loops waiting
        await self._hand_on(matches)
        for each in long:
            if self._runs and len(self._beside) < _BESIDE:  # the others do not wait for them
                task = asyncio.create_task(self._deal_beside(*each))
                self._beside.add(task)
                task.add_done_callback(self._beside.discard)
            else:
                await self._deal_with_long(*each)

    async def _deal_beside(self, entry: StreamEntry, article: Article, long_articles: LongArticles) -> None:
        """As `_deal_with_long`, while the consumer, which has forgotten the entry, goes on."""
        claims = self._articles.claims
        claims.hold(entry)
        try:
            await self._deal_with_long(entry, article, long_articles)
        except StoreError as error:  # another matcher takes it when its lease ends
            tm.store_errors.labels(type(error).__name__).inc()
        except asyncio.CancelledError:  # the process ends: that is no crash of this article's
            with suppress(StoreError):
                await claims.release(entry)
            raise
        finally:
            claims.forget(entry)

    async def _deal_with_long(self, entry: StreamEntry, article: Article, long_articles: LongArticles) -> None:
        """Match it outside of the loop. One that takes too long is a dead letter, which can be replayed."""
        HEALTH.beat("match")
        begun, now = perf_counter(), self._clock()
        try:
            with tracing.span("match.article", [article.trace], source=article.source) as trace:
                hits, signed = await long_articles.match(article, now)
        except FetchError as error:
            await self._bury(entry, error.reason, _WHY.get(error.reason, error.detail))
            return
        failpoints.point("match.matched")
        routed = self._routed(hits, trace, begun)
        await self._hand_on([Match(entry, article, routed, signed, _about(hits))])

    async def _give_up(self, entry: StreamEntry) -> None:
        await self._bury(entry, "poison", f"taken {entry.taken_before} times without a result")

    async def _match(self, entry: StreamEntry, article: Article) -> Match:
        begun = perf_counter()
        with tracing.span("match.article", [article.trace], source=article.source) as trace:
            async with self._topics_used:
                in_a_thread = length(article) >= _IN_A_THREAD
                hits, signed = await asyncio.to_thread(self._find, article) if in_a_thread else self._find(article)
        return Match(entry, article, self._routed(hits, trace, begun), signed, _about(hits))

    def _find(self, article: Article) -> Found:
        return self._topics.signed(article, self._clock())

    def _routed(self, hits: Sequence[Hit], trace: str, begun: float) -> tuple[RoutedHit, ...]:
        """The hits with their groups; `begun` is when matching began, by perf_counter."""
        if trace:
            hits = [replace(hit, article=replace(hit.article, trace=trace)) for hit in hits]
        tm.match_seconds.observe(perf_counter() - begun)
        return tuple(RoutedHit(hit, groups_of(hit, self._routes)) for hit in hits)

    async def _hand_on(self, matches: Sequence[Match]) -> None:
        """Store the matches. Those that the store refuses or cannot receive are tried again; their leases stay ours."""
        while matches:
            HEALTH.beat("match")
            try:
                results = await self._articles.matched(matches)
            except StoreError as error:
                results = [error] * len(matches)
            failpoints.point("match.committed")
            refused = []
            for done, result in zip(matches, results, strict=True):
                if isinstance(result, Exception):
                    tm.store_errors.labels(type(result).__name__).inc()
                    refused.append(done)
                else:
                    count(done, result)
            matches = refused
            if matches:
                if self._stop.is_set():
                    return  # they are still queued; the next start matches them again
                await pause(_WAIT_SECONDS, self._stop)

    async def _bury(self, entry: StreamEntry, reason: str, detail: str) -> None:
        tm.dead_letters.labels("articles", reason).inc()
        tm.match_errors.labels(reason).inc()
        await self._articles.dead_letter(entry, reason, detail)
