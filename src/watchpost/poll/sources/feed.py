"""Feeds: one conditional GET per visit; the entries that are new become articles."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from watchpost.config.fields import Secret
from watchpost.documents.parse import Reading, read_wanted
from watchpost.documents.results import EntryHead
from watchpost.errors import FetchError
from watchpost.http_headers import hub_links
from watchpost.model import Article
from watchpost.net import host_of
from watchpost.plurals import count
from watchpost.poll.document_checksum import checksum_of
from watchpost.poll.feed_memory import FeedMemory
from watchpost.poll.feed_options import FeedOptions, WebOptions
from watchpost.poll.fulltext import Completed, FullText
from watchpost.poll.http.article_pages import PageFetcher
from watchpost.poll.http.fetcher import Bounds, Fetched, HttpFetcher, Validators, origin_of
from watchpost.poll.http.websub import Hubs
from watchpost.poll.known_entries import Succession
from watchpost.poll.newness import EntrySelector
from watchpost.poll.schedule import LONGEST, Interval, MinimumWait, adaptive
from watchpost.poll.source import SourceContext, SourceKind
from watchpost.poll.visit import Visit

FULL_READ_EVERY = timedelta(days=3)
"""Less than half of the shortest `retention.dedup` that the configuration allows.

"Not modified" does not say that the entries are still there. So that they are not forgotten and announced again, the
feed is read whole so often.
"""

_SOON = timedelta(minutes=1)

_GONE = Visit(
    "failed",
    reason="gone",
    detail="HTTP 410: the feed is gone for good; it is not asked again until its url is changed",
    interval=Interval(floors=(MinimumWait(LONGEST, "gone for good: not asked again until its url is changed"),)),
)


class Feed:
    """One feed. Nothing is opened before the first visit, and nothing stays open between visits."""

    shared = True

    def __init__(
        self, name: str, options: WebOptions, context: SourceContext, fetcher: HttpFetcher | None = None
    ) -> None:
        self.name = name
        self.every = options.every
        self.host = host_of(options.url)
        self._options = options
        self._parser = context.parser
        self._fetcher = fetcher or HttpFetcher(
            user_agent=context.user_agent,
            allow_private=options.allow_private,
            proxy=options.proxy.address if options.proxy is not None else None,
            bounds=Bounds(wire_bytes=min(Bounds().wire_bytes, context.body_bytes), body_bytes=context.body_bytes),
        )
        self._full_text = _full_text(name, options, context) if options.fulltext else None
        self._visit_seconds = context.visit_seconds
        self._hubs = context.hubs if isinstance(options, FeedOptions) and options.websub else None
        self._poll_store = context.poll_store

    async def visit(self, memory: Mapping[str, str], now: datetime) -> Visit:
        """One conditional GET. Validators are kept only of a body that could be read."""
        deadline = asyncio.get_running_loop().time() + self._visit_seconds
        stored = FeedMemory.decode(memory)
        if stored.gone == self._options.url:
            return _GONE
        known = stored if stored.url == self._options.url else FeedMemory()
        place = known.moved_to or self._options.url
        comparable = FeedMemory() if _is_stale(known, now) else known
        try:
            answer = await self._fetcher.get(
                place,
                headers=self._headers(place),
                validators=Validators(
                    comparable.final or self._options.url, comparable.etag_to_send(), comparable.date_to_send(now)
                ),
                timeout=self._options.timeout,
            )
            visit, after = await self._read(answer, known, comparable.body, now, deadline)
        except FetchError as error:
            visit, after = self._failed(error, place, stored)
        return replace(visit, memory=after.changes_since(stored))

    async def pushed(self, body: bytes, content_type: str, memory: Mapping[str, str], now: datetime) -> Visit:
        """A document that a hub pushed, as a visit: the same entries have the same ids. Never raises FetchError."""
        deadline = asyncio.get_running_loop().time() + self._visit_seconds
        stored = FeedMemory.decode(memory)
        if stored.url != self._options.url or stored.read is None or self._hubs is None:
            return Visit("unchanged")
        try:
            selector = self._selector(stored, now)
            answer = Fetched(200, {"content-type": content_type}, body, stored.final or self._options.url)
            reading = await self._parse(answer, now, selector)
        except FetchError as error:
            return Visit("failed", reason=error.reason, detail=error.detail)
        succession = Succession(stored.entries, selector.heads, reading.articles, whole=False)
        completed = await self._complete(succession.articles, now, deadline)
        after = replace(stored, entries=succession.kept(completed.articles, unfinished=False))
        after = after.with_new(len(selector.marks), now)
        after = replace(after, subscription=stored.subscription.after_push(now))
        left = completed.left or selector.waiting
        if left:  # the next visit must get the feed whole
            after = replace(after, body="", etag="", modified="")
        return Visit(
            "read",
            completed.articles,
            seen=selector.seen,
            marks=selector.marks,
            memory=after.changes_since(stored),
            failures=(*reading.failures, *completed.failures),
            size=len(body),
            waiting=selector.waiting,
            more=left > 0,
        )

    async def rest(self) -> None:
        """Sleep for `every`. Feeds are visited when they are due, so nothing is awaited here."""
        await asyncio.sleep(self.every.total_seconds())

    async def close(self) -> None:
        """Nothing stays open between visits."""

    def _failed(self, error: FetchError, place: str, stored: FeedMemory) -> tuple[Visit, FeedMemory]:
        if error.reason == "gone" and place == self._options.url:
            return _GONE, replace(stored, gone=place)
        known = stored if stored.url == self._options.url else FeedMemory()
        astray = place != self._options.url and error.reason != "rate_limited"
        visit = Visit(
            "failed",
            reason=error.reason,
            detail=f"{error.detail}; next time at the configured url" if astray else error.detail,
            interval=known.interval_after_failure(error.retry_after_seconds),
        )
        return visit, stored.without_redirect() if astray else stored

    async def _read(
        self, answer: Fetched, known: FeedMemory, known_body: str, now: datetime, deadline: float
    ) -> tuple[Visit, FeedMemory]:
        """`known` is what is kept of this url; `known_body` is "" if everything is to be read anew."""
        checksum = checksum_of(answer.body, answer.charset)
        selector = self._selector(known, now)
        is_read = answer.status != 304 and checksum != known_body
        reading = await self._parse(answer, now, selector) if is_read else Reading()
        memory = known.with_answer(
            self._options.url, answer.url, answer.headers, unchanged=answer.status == 304
        ).with_redirect(answer.moved_to, now)
        if is_read:
            memory = memory.with_hints(reading.hints, adaptive((head.published for head in selector.heads), now))
            if answer.status != 226:  # 226 has some entries only (RFC 3229): no body to compare with, no full read
                dates = [head.published for head in selector.heads if head.published and head.published <= now]
                memory = replace(memory, body=checksum, read=now, whole=True).with_proof(
                    known, max(dates, default=None)
                )
        memory = memory.with_hub_links(hub_links(answer.headers.get("link", "")))
        if self._hubs is not None:
            memory = await self._follow_hub(memory, self._hubs, bool(reading.articles), now)
        whole = answer.status != 226 and not reading.cut
        succession = Succession(known.entries, selector.heads, reading.articles, whole=whole)
        completed = await self._complete(succession.articles, now, deadline)
        if is_read:
            unfinished = completed.left > 0 or selector.waiting > 0
            entries = succession.kept(completed.articles, unfinished=unfinished)
            memory = memory if entries == memory.entries else replace(memory, entries=entries)
        memory = memory.with_new(len(selector.marks), now)
        if completed.left or selector.waiting or reading.cut:  # the next visit must get the feed whole, to find them
            memory = replace(memory, body="", etag="", modified="")
        spent = memory.new_today(now) >= self._options.max_per_day
        notes = (self._waiting_note(selector.waiting, spent=spent), reading.note, completed.note, memory.redirect_note)
        visit = Visit(
            "read" if is_read else "unchanged",
            completed.articles,
            known=selector.baseline if answer.status != 226 else (),  # the first whole reading remembers them
            seen=selector.seen,
            marks=selector.marks,
            detail="; ".join(note for note in notes if note),
            interval=self._interval_after(
                memory, answer.headers.get("age", ""), now, completed.left, 0 if spent else selector.waiting
            ),
            failures=(*reading.failures, *completed.failures),
            size=len(answer.body),
            waiting=selector.waiting,
            more=completed.left > 0,
        )
        return visit, memory

    async def _follow_hub(self, memory: FeedMemory, hubs: Hubs, has_news: bool, now: datetime) -> FeedMemory:
        """After a visit: note whether the hub missed the news, and ask it to push if that is due."""
        missed = has_news and self._poll_store is not None
        subscription = memory.subscription.after_visit(now, missed=missed)
        to_ask = memory.hub_to_ask(self._options.url, now)
        if to_ask is not None:
            problem = await hubs.subscribe(self.name, self._options, *to_ask)
            subscription = subscription.after_request(*to_ask, problem, now)
        return memory if subscription is memory.subscription else replace(memory, subscription=subscription)

    def _waiting_note(self, waiting: int, *, spent: bool) -> str:
        """How many new entries wait, and for what; `spent`: no more are taken today."""
        if not waiting:
            return ""
        until = "tomorrow: max_per_day" if spent else "the next visit: max_items"
        most = self._options.max_per_day if spent else self._options.max_items
        return f"{count(waiting, 'new entry waits', 'new entries wait')} for {until} is {most}"

    def _interval_after(self, memory: FeedMemory, age: str, now: datetime, pages_left: int, waiting: int) -> Interval:
        """After an answer. What is left is read soon, whatever the feed asks: it is there already."""
        if pages_left or waiting:
            what = "pages of its articles" if pages_left else "new entries"
            return Interval(every=min(_SOON, self.every), why=f"for {what} are still to be read")
        return self._interval(memory, age, now)

    def _interval(self, memory: FeedMemory, age: str, now: datetime) -> Interval:
        interval = memory.interval(age, adaptive=not self._options.paced)
        pushed = memory.subscription.minimum_wait(now) if self._hubs is not None else None
        return interval if pushed is None else replace(interval, floors=(*interval.floors, pushed))

    async def _complete(self, news: tuple[Article, ...], now: datetime, deadline: float) -> Completed:
        if self._full_text is None or not news:
            return Completed(news)
        return await self._full_text.complete(news, self._headers, now, deadline)

    def _selector(self, known: FeedMemory, now: datetime) -> EntrySelector:
        return EntrySelector(
            self._poll_store,
            "all" if known.whole else self._options.on_new,
            now,
            limit=max(0, min(self._options.max_items, self._options.max_per_day - known.new_today(now))),
            versions=self._options.on_update == "note",
            partly_read=None if known.whole else known.read,
        )

    async def _parse(self, answer: Fetched, now: datetime, selector: EntrySelector) -> Reading:
        if not answer.body.strip():
            raise FetchError("empty", "the answer has no content")
        return await self._parser.ask(
            self._reader(),
            selector.wanted,
            answer.body,
            now=now,
            source=self.name,
            url=answer.url,
            charset=answer.charset,
            lang=self._options.lang,
        )

    def _reader(self) -> Callable[..., Generator[tuple[EntryHead, ...], frozenset[str], Reading]]:
        """What makes articles of the wanted entries of a document, in the parser's process."""
        return read_wanted

    def _headers(self, place: str) -> dict[str, str]:
        """The configured headers. They may hold secrets, so they go to the origin of the configured url alone."""
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


def _is_stale(memory: FeedMemory, now: datetime) -> bool:
    """Whether the feed was not read whole for long. A time ahead of `now` was written while a clock was wrong."""
    return memory.read is not None and abs(now - memory.read) > FULL_READ_EVERY


def _full_text(name: str, options: WebOptions, context: SourceContext) -> FullText:
    pages = PageFetcher(name, options, context.user_agent, context.robots, context.poll_store)
    plausible = context.plausible if options.fulltext == "plausible" else lambda article: True
    return FullText(pages, context.parser, plausible)


KIND = SourceKind("feed", FeedOptions, Feed)
