"""Feeds: RSS, Atom and JSON Feed over HTTP, with conditional requests.

RFC 9110, 13 for the validators; a well-behaved reader sends back exactly what it got.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from watchpost.config.fields import Secret
from watchpost.documents.parse import Reading, read_wanted
from watchpost.documents.results import EntryHead
from watchpost.errors import FetchError
from watchpost.http_headers import hub_links
from watchpost.model import Article
from watchpost.poll.feed_options import FeedOptions
from watchpost.poll.fulltext import Completed, FullText
from watchpost.poll.http import caching, websub
from watchpost.poll.http import fetcher as http_fetcher
from watchpost.poll.http.article_pages import PageFetcher
from watchpost.poll.http.fetcher import Bounds, Fetched, Fetcher, HttpFetcher, Validators, host_of, origin_of
from watchpost.poll.http.websub import Hubs
from watchpost.poll.newness import OnNew, split
from watchpost.poll.registry import Registry
from watchpost.poll.schedule import LONGEST, Interval, MinimumWait, Visit, adaptive
from watchpost.poll.source import Parser, SourceContext, SourceKind
from watchpost.store.polling import MARK

# What of a document is wanted, said to the parser before it makes text of anything.
#
# The look-up is a hint that spares work: COMMIT decides. What becomes known meanwhile it drops; what is known no more
# it
# refuses, and the feed is read again.


class EntrySelector:
    """Sorts the entries of one document. `registry` None: all are new.

    When it was asked, `baseline` are the ids that are to be remembered and never told, `seen` those that somebody has
    committed before, `marks` the marks of the others' headlines. `versions`: an article under another headline than
    before is wanted, too.
    """

    def __init__(self, registry: Registry | None, on_new: OnNew, now: datetime, *, versions: bool = False) -> None:
        self._registry = registry
        self._on_new = on_new
        self._now = now
        self._versions = versions
        self.heads: Sequence[EntryHead] = ()
        self.baseline: tuple[str, ...] = ()
        self.seen: tuple[str, ...] = ()
        self.marks: Mapping[str, str] = {}

    async def wanted(self, heads: Sequence[EntryHead]) -> frozenset[str]:
        """The ids of those that are to become articles; for a later version its own. Raises StoreError."""
        self.heads = heads
        versions = {head.id: head.version if self._versions else "" for head in heads}
        news, self.baseline = split(heads, self._on_new, self._now)
        if self._registry is None:
            return frozenset(news)
        marks = {id_: versions[id_][:MARK] for id_ in news}
        looked = await self._registry.find_new(marks)
        wanted = looked.unseen | looked.retitled
        self.seen = tuple(id_ for id_ in news if id_ not in wanted)
        self.marks = {id_: mark for id_, mark in marks.items() if id_ in wanted}
        return looked.unseen | {versions[id_] for id_ in looked.retitled}


__all__ = ["FULL_READ_EVERY", "KIND", "Feed", "FeedOptions", "build"]

FULL_READ_EVERY = timedelta(days=3)
"""Less than half of the shortest `retention.dedup` that the configuration allows."""

_SOON = Interval(every=timedelta(minutes=1), why="for pages of its articles are still to be read")

_GONE = Visit(
    "failed",
    reason="gone",
    detail="HTTP 410: the feed is gone for good; it is not asked again until its url is changed",
    pace=Interval(floors=(MinimumWait(LONGEST, "gone for good: not asked again until its url is changed"),)),
)


class Feed:
    """One feed. Its memory is text:

    `url` (as configured), `final` (where the answer came from), `etag`, `modified`, `body` (SHA-256), `read` (when
    the whole feed was last read), `gone` (the url that answered 410), `pace` (seconds, from the entries' dates), and
    what freshness.py, moving.py and subscribing.py keep there. "Not modified" tells nobody that the entries are
    still there; so that they are not forgotten and announced anew, the feed is read whole each FULL_READ_EVERY.
    """

    shared = True

    def __init__(
        self,
        name: str,
        options: FeedOptions,
        parser: Parser,
        fetcher: Fetcher,
        *,
        full: FullText | None = None,
        visit_seconds: float = 30.0,
        hubs: Hubs | None = None,
        registry: Registry | None = None,
    ) -> None:
        """`full` reads the pages of articles, None: nobody does. A visit is over after about `visit_seconds`.

        `hubs` None: the feed is polled, and not pushed.
        """
        self.name = name
        self.every = options.every
        self.host = host_of(options.url)
        self._options = options
        self._parser = parser
        self._fetcher = fetcher
        self._full = full
        self._visit_seconds = visit_seconds
        self._hubs = hubs
        self._registry = registry

    async def visit(self, memory: Mapping[str, str], now: datetime) -> Visit:
        """One conditional GET. Validators are remembered only with a body that could be read."""
        url, begun = self._options.url, asyncio.get_running_loop().time()
        if memory.get("gone") == url:
            return _GONE
        known = memory if memory.get("url") == url else {}
        place = known.get("moved_to") or url
        valid = {} if _stale(known, now) else known
        try:
            answer = await self._fetcher.get(
                place,
                headers=self._headers(place),
                validators=Validators(valid.get("final") or url, valid.get("etag", ""), valid.get("modified", "")),
                timeout=self._options.timeout,
            )
            return await self._read(answer, known, valid, now, begun + self._visit_seconds)
        except FetchError as error:
            return self._failed(error, place, known)

    async def rest(self) -> None:
        """Feeds are visited when they are due; nobody rests on one. Sleeps for `every`."""
        await asyncio.sleep(self.every.total_seconds())

    async def close(self) -> None:
        """Nothing stays open between visits."""

    def _failed(self, error: FetchError, place: str, known: Mapping[str, str]) -> Visit:
        """The memory stays as it is, but for what will not be asked again."""
        if error.reason == "gone" and place == self._options.url:
            return Visit("failed", memory={"gone": place}, reason="gone", detail=_GONE.detail, pace=_GONE.pace)
        astray = place != self._options.url and error.reason != "rate_limited"
        detail = f"{error.detail}; next time at the configured url" if astray else error.detail
        pace = caching.after_failure(error.retry_after_seconds, known)
        return Visit(
            "failed", memory=http_fetcher.back() if astray else {}, reason=error.reason, detail=detail, pace=pace
        )

    async def _read(
        self, answer: Fetched, known: Mapping[str, str], valid: Mapping[str, str], now: datetime, deadline: float
    ) -> Visit:
        """`known` is what is remembered of this url, `valid` the same, or nothing if everything is to be read anew."""
        digest = hashlib.sha256(answer.body).hexdigest() if answer.status != 304 else valid.get("body", "")
        unchanged = answer.status == 304 or digest == valid.get("body")
        first = not known.get("read")
        sorter = self._sorter(self._options.on_new if first else "all", now)
        reading = None if unchanged else await self._parse(answer, now, sorter)
        memory = self._memory(answer, valid) | ({} if known else http_fetcher.back())
        memory |= http_fetcher.noted(known, answer.moved_to, now)
        news = reading.articles if reading is not None else ()
        if reading is not None:
            memory |= caching.remember(reading.asks) | _paced(sorter.heads, now)
            if answer.status != 226:  # some entries only (RFC 3229): that is no body to compare with, nor a full read
                memory |= {"body": digest, "read": now.isoformat(timespec="seconds")}
        memory |= hub_links(answer.headers.get("link", ""))
        if self._hubs is not None:
            memory |= await self._followed({**known, **memory}, self._hubs, bool(news), now)
        told = await self._completed(news, now, deadline)
        if told.left:  # whoever waits for the next visit must be in what it gets: the feed once more, and whole
            memory |= {"body": "", "etag": "", "modified": ""}
        after = {**known, **memory}
        pace = caching.pace(after, answer.headers, adaptive=not self._options.paced)
        if self._hubs is not None and (pushed := websub.floor(after, now)) is not None:
            pace = replace(pace, floors=(*pace.floors, pushed))
        return Visit(
            "unchanged" if reading is None else "read",
            told.articles,
            sorter.baseline,
            sorter.seen,
            sorter.marks,
            memory,
            detail="; ".join(
                part for part in (reading.note if reading else "", told.note, http_fetcher.said(after)) if part
            ),
            pace=_SOON if told.left else pace,
            failures=(*(reading.failures if reading is not None else ()), *told.failures),
            size=len(answer.body),
            more=told.left > 0,
        )

    async def pushed(self, body: bytes, content_type: str, memory: Mapping[str, str], now: datetime) -> Visit:
        """What a hub pushed, as a visit: the same entries have the same ids. See Pushable."""
        url = self._options.url
        deadline = asyncio.get_running_loop().time() + self._visit_seconds
        if memory.get("url") != url or not memory.get("read") or self._hubs is None:
            return Visit("unchanged")
        try:
            place = memory.get("final") or url
            sorter = self._sorter("all", now)
            reading = await self._parse(Fetched(200, {"content-type": content_type}, body, place), now, sorter)
        except FetchError as error:
            return Visit("failed", reason=error.reason, detail=error.detail)
        told = await self._completed(reading.articles, now, deadline)
        return Visit(
            "read",
            told.articles,
            seen=sorter.seen,
            marks=sorter.marks,
            memory=websub.heard(now),
            failures=(*reading.failures, *told.failures),
            size=len(body),
            more=told.left > 0,
        )

    async def _followed(self, memory: Mapping[str, str], hubs: Hubs, news: bool, now: datetime) -> dict[str, str]:
        """What to remember of the feed's hub: whether it missed the `news`, and what came of asking it again."""
        missed = news and self._registry is not None and websub.relied_upon(memory, now)
        noted = websub.visited(memory, missed, now)
        wish = websub.wanted(memory, self._options.url, now)
        if wish is None:
            return noted
        problem = await hubs.subscribe(self.name, self._options, *wish)
        return noted | websub.asked(*wish, problem, now)

    async def _completed(self, news: tuple[Article, ...], now: datetime, deadline: float) -> Completed:
        if self._full is None or not news:
            return Completed(news)
        return await self._full.complete(news, self._headers, now, deadline)

    def _sorter(self, on_new: OnNew, now: datetime) -> EntrySelector:
        return EntrySelector(self._registry, on_new, now, versions=self._options.on_update == "note")

    async def _parse(self, answer: Fetched, now: datetime, sorter: EntrySelector) -> Reading:
        if not answer.body.strip():
            raise FetchError("empty", "the answer has no content")
        return await self._parser.ask(
            read_wanted,
            sorter.wanted,
            answer.body,
            now=now,
            source=self.name,
            url=answer.url,
            charset=answer.charset,
            lang=self._options.lang,
            limit=self._options.max_items,
        )

    def _memory(self, answer: Fetched, valid: Mapping[str, str]) -> dict[str, str]:
        """What to send next time, byte for byte. A 304 may bring new validators, and need not repeat old ones."""
        unchanged = answer.status == 304
        kept = valid if unchanged else {}
        return {
            "url": self._options.url,
            "gone": "",
            "final": answer.url if answer.url != self._options.url else "",
            "etag": answer.headers.get("etag", kept.get("etag", "")),
            "modified": answer.headers.get("last-modified", kept.get("modified", "")),
        } | caching.remembered(answer.headers, valid, unchanged=unchanged)

    def _headers(self, place: str) -> dict[str, str]:
        """What the operator wants sent; it is meant for the host that the operator named, and goes to no other."""
        if place != self._options.url and origin_of(place) != origin_of(self._options.url):
            return {}
        headers = {
            name: value.reveal() if isinstance(value, Secret) else value
            for name, value in self._options.headers.items()
        }
        if (auth := self._options.auth) is not None:
            pair = f"{auth.username}:{auth.password.reveal()}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        return headers


def _paced(heads: Sequence[EntryHead], now: datetime) -> dict[str, str]:
    pace = adaptive((head.published for head in heads), now)
    return {"pace": str(int(pace.total_seconds())) if pace is not None else ""}


def _stale(memory: Mapping[str, str], now: datetime) -> bool:
    """The feed was not read whole for long. (A time ahead of us was written while a clock was wrong.)"""
    try:
        age = now - datetime.fromisoformat(memory.get("read", ""))
    except (ValueError, TypeError):
        return False
    return age > FULL_READ_EVERY or age < -FULL_READ_EVERY


def build(name: str, options: FeedOptions, context: SourceContext) -> Feed:
    """A feed source; nothing is opened before the first visit."""
    fetcher = HttpFetcher(
        user_agent=context.user_agent,
        allow_private=options.allow_private,
        proxy=options.proxy.address if options.proxy is not None else None,
        bounds=Bounds(wire_bytes=min(Bounds().wire_bytes, context.body_bytes), body_bytes=context.body_bytes),
    )
    full = None
    if options.fulltext:
        pages = PageFetcher(name, options, context.user_agent, context.robots, context.registry)
        plausible = context.plausible if options.fulltext == "plausible" else _always
        full = FullText(pages, context.parser, plausible)
    return Feed(
        name,
        options,
        context.parser,
        fetcher,
        full=full,
        visit_seconds=context.visit_seconds,
        hubs=context.hubs if options.websub else None,
        registry=context.registry,
    )


def _always(article: Article) -> bool:
    return True


KIND = SourceKind("feed", FeedOptions, build)
