"""One feed tried once, without Redis: what the server says, how it is read, and what the poller would do next."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watchpost.app.doors import USER_AGENT
from watchpost.app.feeds.cures import CURES
from watchpost.app.feeds.discovery import named_feeds
from watchpost.model import Article
from watchpost.plan.fields import Network
from watchpost.poll.documents.links import FeedLink
from watchpost.poll.due import next_visit
from watchpost.poll.fetching.fetcher import Fetched, Fetcher, HttpFetcher, Validators
from watchpost.poll.parsing.parser import ParserProcess
from watchpost.poll.source import Failure, Parser
from watchpost.poll.sources.feed import Feed, FeedOptions

HEADERS = (
    "content-type", "content-encoding", "etag", "last-modified", "cache-control", "expires", "age", "retry-after",
    "link",
)  # fmt: skip
"""The headers of an answer that decide what watchpost does."""

_ROOT = re.compile(rb"<(?:(\w{1,20}):)?(rss|feed|rdf|urlset|sitemapindex|html|opml)\b([^>]{0,2000})", re.IGNORECASE)
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}encoding\s*=\s*[\"']([\w.:-]{1,40})", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Trial:
    """What one visit found. `status` is 0 and `url` "" if there was no answer that could be used.

    `form` is what the document calls itself, `encoding` what it or HTTP declares ("" if neither does). `next_visit`
    and `why` are what the poller would note; `named` are the feeds that an HTML page names instead.
    """

    name: str
    asked: str
    ok: bool
    status: int
    url: str
    moved_to: str
    headers: Mapping[str, str] = field(hash=False)
    bytes: int
    form: str
    encoding: str
    entries: tuple[Article, ...]
    reason: str
    detail: str
    failures: tuple[Failure, ...]
    next_visit: datetime
    why: str
    cure: str
    named: tuple[FeedLink, ...] = ()


class _Recorder:
    """A Fetcher that remembers the last answer."""

    def __init__(self, inner: Fetcher) -> None:
        self.answer: Fetched | None = None
        self._inner = inner

    async def get(
        self, url: str, *, headers: Mapping[str, str], validators: Validators | None, timeout: timedelta
    ) -> Fetched:
        self.answer = await self._inner.get(url, headers=headers, validators=validators, timeout=timeout)
        return self.answer


async def try_feed(
    name: str,
    options: FeedOptions,
    now: datetime,
    allow_private: Sequence[Network] = (),
    parser: Parser | None = None,
) -> Trial:
    """One visit to a feed as the poller makes the first one: one GET, read in a child process, by `parser` if given."""
    own = ParserProcess()  # starts its child with the first job
    reads = parser or own
    recorder = _Recorder(
        HttpFetcher(
            user_agent=USER_AGENT,
            allow_private=[*options.allow_private, *allow_private],
            proxy=options.proxy.address if options.proxy is not None else None,
        )
    )
    everything = options.model_copy(update={"on_new": "all"})
    try:
        visit = await Feed(name, everything, reads, recorder).visit({}, now)
        named = await _named(visit.reason, recorder.answer, reads)
    finally:
        await own.close()
    ok = visit.outcome != "failed"
    answer = recorder.answer
    moment, why = next_visit(options.every, name, now, failures=0 if ok else 1, pace=visit.pace)
    body = answer.body if answer is not None else b""
    headers = answer.headers if answer is not None else {}
    return Trial(
        name=name,
        asked=options.url,
        ok=ok,
        status=answer.status if answer is not None else 0,
        url=answer.url if answer is not None else "",
        moved_to=answer.moved_to if answer is not None else "",
        headers={key: headers[key] for key in HEADERS if key in headers},
        bytes=len(body),
        form=form_of(body),
        encoding=_encoding(body, headers),
        entries=visit.articles,
        reason=visit.reason,
        detail=visit.detail,
        failures=visit.failures,
        next_visit=moment,
        why=why,
        cure=CURES.get(visit.reason, ""),
        named=named,
    )


async def _named(reason: str, answer: Fetched | None, parser: Parser) -> tuple[FeedLink, ...]:
    return await named_feeds(answer, parser) if reason == "not_a_feed" and answer is not None else ()


def form_of(body: bytes) -> str:
    """What the document calls itself: "RSS 2.0", "Atom", "RSS 1.0", "JSON Feed", "news sitemap", "HTML", or ""."""
    head = body[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head[:1] == b"{":
        return "JSON Feed" if b"jsonfeed.org" in head else "JSON"
    root = _ROOT.search(head)
    if root is None:
        return ""
    tag, rest = root[2].lower(), root[3]
    if tag == b"rss":
        version = re.search(rb"version\s*=\s*[\"']([\d.]{1,8})", rest)
        return f"RSS {version[1].decode()}" if version else "RSS"
    names = {b"feed": "Atom", b"rdf": "RSS 1.0", b"urlset": "news sitemap", b"sitemapindex": "sitemap index"}
    return names.get(tag, tag.decode().upper())


def _encoding(body: bytes, headers: Mapping[str, str]) -> str:
    http = _CHARSET.search(headers.get("content-type", ""))
    if http:
        return http[1].lower()
    declared = _DECLARED.match(body[:400].lstrip(b"\xef\xbb\xbf \t\r\n"))
    return declared[1].decode().lower() if declared else ""
