"""Feed discovery on a web page, and a trial of one source. Both make real requests and use no store."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import ip_network
from urllib.parse import urljoin

from watchpost.config.fields import Network, Options
from watchpost.config.opml import Listed, Outline, name_of, same_address
from watchpost.documents.clean import language
from watchpost.documents.list_rule import ListRule
from watchpost.documents.listing import Listing, read_list
from watchpost.documents.page import FeedLink, find_feed_links
from watchpost.documents.parse import Reading, read_feed_document
from watchpost.documents.parser_process import Parser, ParserProcess
from watchpost.documents.results import Failure
from watchpost.errors import FetchError
from watchpost.model import Article
from watchpost.operations.factory import USER_AGENT
from watchpost.operations.feeds import subscriptions
from watchpost.operations.feeds.cures import cure_of
from watchpost.operations.feeds.known_sites import feed_addresses, list_address
from watchpost.poll.feed_options import WebOptions
from watchpost.poll.http.fetcher import Fetched, HttpFetcher, Validators
from watchpost.poll.schedule import next_visit
from watchpost.poll.source import SourceContext
from watchpost.poll.sources import mailbox
from watchpost.poll.sources.feed import Feed
from watchpost.poll.sources.mailbox import MailboxOptions
from watchpost.poll.sources.page import Page, PageOptions

USUAL = ("/feed", "/rss", "/rss.xml", "/atom.xml", "/feed.xml", "/index.xml", "/feed.json")
"""Where sites often keep feeds that no page names; tried with `--guess` only, one after the other."""

_TIMEOUT = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A feed that a page names, or that was found in a usual place. `problem` says why it cannot be read.

    `newest` is the date of its newest entry, `lang` the language of most entries.
    """

    url: str
    title: str
    entries: int = 0
    newest: datetime | None = None
    lang: str = ""
    problem: str = ""
    guessed: bool = False


async def discover(
    url: str, fetcher: HttpFetcher, parser: Parser, now: datetime, *, guess: bool = False, pause_seconds: float = 1.0
) -> tuple[Candidate, ...]:
    """The feeds of the page at `url`, readable ones first; the page may be a feed itself, or of a known site.

    Requests are `pause_seconds` apart. Raises FetchError if the page cannot be fetched.
    """
    for address in feed_addresses(url):
        known = await _try(FeedLink(address, ""), fetcher, parser, now)
        if not known.problem:
            return (known,)
        await asyncio.sleep(pause_seconds)
    page = await _get(fetcher, url)
    itself = await _candidate(FeedLink(page.url, ""), page, parser, now)
    if not itself.problem:
        return (itself,)
    found = []
    for link in await named_feeds(page, parser):
        await asyncio.sleep(pause_seconds)
        found.append(await _try(link, fetcher, parser, now))
    if guess and not any(not candidate.problem for candidate in found):
        for path in USUAL:
            await asyncio.sleep(pause_seconds)
            tried = await _try(FeedLink(urljoin(page.url, path), ""), fetcher, parser, now)
            if not tried.problem and same_address(tried.url) not in {same_address(one.url) for one in found}:
                found.append(replace(tried, guessed=True))
    return tuple(sorted(found, key=lambda candidate: bool(candidate.problem)))


@dataclass(frozen=True, slots=True)
class ProposedPage:
    """A page without a feed that can be a source: `items` is a selector that finds its links, "" if it is guessed."""

    url: str
    title: str
    lang: str
    items: str
    entries: int
    dated: int
    example: str


async def propose_page(url: str, fetcher: HttpFetcher, parser: Parser, now: datetime) -> ProposedPage | None:
    """What a page without a feed would be as a source; None if it has no list of links, or cannot be fetched."""
    place = list_address(url)
    try:
        page = await _get(fetcher, place)
    except FetchError:
        return None
    listing = await _listing(page, ListRule(), parser, now)
    if listing is None:
        return None
    taken, outlet = listing.taken, listing.entries[0].head.outlet
    return ProposedPage(place, outlet, language(listing.lang), taken.items, taken.count, taken.dated, taken.example)


async def named_feeds(page: Fetched, parser: Parser) -> tuple[FeedLink, ...]:
    """The feeds that a page names; none if it cannot be parsed."""
    try:
        return await parser.run(find_feed_links, page.body, page.url)
    except FetchError:
        return ()


async def _try(link: FeedLink, fetcher: HttpFetcher, parser: Parser, now: datetime) -> Candidate:
    try:
        answer = await _get(fetcher, link.url)
    except FetchError as error:
        return Candidate(link.url, link.title, problem=error.detail)
    return await _candidate(link, answer, parser, now)


async def _candidate(link: FeedLink, answer: Fetched, parser: Parser, now: datetime) -> Candidate:
    try:
        reading: Reading = await parser.run(read_feed_document, answer.body, now=now, source="", url=answer.url)
    except FetchError as error:
        return Candidate(link.url, link.title, problem=error.detail)
    articles = reading.articles
    languages = [article.lang for article in articles if article.lang]
    title = link.title or next((article.outlet for article in articles if article.outlet), "")
    return Candidate(
        answer.moved_to or link.url,
        title,
        len(articles),
        max((article.published for article in articles if article.published is not None), default=None),
        max(set(languages), key=languages.count) if languages else "",
    )


async def _get(fetcher: HttpFetcher, url: str) -> Fetched:
    return await fetcher.get(url, headers={}, validators=None, timeout=_TIMEOUT)


def network_list(texts: Sequence[str]) -> tuple[Network, ...]:
    """The networks of `--allow-private`. Raises ValueError."""
    return tuple(ip_network(text) for text in texts)


async def discover_at(
    url: str, allow_private: Sequence[Network], now: datetime, *, guess: bool
) -> tuple[tuple[Candidate, ...], ProposedPage | None]:
    """As `discover`, with a fetcher and a parser of its own; where no feed can be read, with a page to read instead."""
    parser = ParserProcess()
    fetcher = HttpFetcher(user_agent=USER_AGENT, allow_private=allow_private)
    try:
        found = await discover(url, fetcher, parser, now, guess=guess)
        if any(not candidate.problem for candidate in found):
            return found, None
        await asyncio.sleep(1.0)
        return found, await propose_page(url, fetcher, parser, now)
    finally:
        await parser.close()


def yaml_of(found: Sequence[Candidate]) -> str:
    """A block to paste into the configuration."""
    taken: set[str] = set()
    listed = []
    for one in found:
        outline = Outline(one.title, one.url, lang=one.lang if one.lang.isalpha() else "")
        name = name_of(outline, "", taken)
        taken.add(name)
        listed.append(Listed(name, 0, outline))
    return subscriptions.yaml_of(listed)


def yaml_of_page(page: ProposedPage) -> str:
    """The page as a block to paste into the configuration."""
    name = name_of(Outline(page.title, page.url), "", set())
    values = {"url": page.url, "items": page.items, "lang": page.lang}
    inner = ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value)
    return f"pages:\n  {name}: {{{inner}}}\n"


HEADERS = (
    "content-type", "content-encoding", "etag", "last-modified", "cache-control", "expires", "age", "retry-after",
    "link",
)  # fmt: skip
"""The response headers that matter to watchpost."""

_ROOT = re.compile(rb"<(?:(\w{1,20}):)?(rss|feed|rdf|urlset|sitemapindex|html|opml)\b([^>]{0,2000})", re.IGNORECASE)
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}encoding\s*=\s*[\"']([\w.:-]{1,40})", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Trial:
    """What one visit to a feed or mailbox found. `status` is 0 and `url` "" if there was no usable answer.

    `form` is the format that the document declares, `encoding` what it or HTTP declares ("" if neither does).
    `next_visit` and `why` are what the poller would plan; `named` are the feeds that an HTML page names instead.
    `listing` is what is a page's list of links.
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
    listing: Listing | None = None


class _RecordingFetcher(HttpFetcher):
    """Keeps the last answer."""

    answer: Fetched | None = None

    async def get(
        self, url: str, *, headers: Mapping[str, str], validators: Validators | None, timeout: timedelta
    ) -> Fetched:
        self.answer = await super().get(url, headers=headers, validators=validators, timeout=timeout)
        return self.answer


async def try_source(name: str, options: Options, now: datetime, allow_private: Sequence[Network] = ()) -> Trial:
    """A first visit to a source, as the poller makes it; nothing is kept or marked."""
    if isinstance(options, MailboxOptions):
        return await try_mailbox(name, options, now, allow_private)
    if isinstance(options, WebOptions):
        return await try_feed(name, options, now, allow_private)
    raise TypeError(f"{type(options).__name__} are of no source that is visited")


async def try_feed(
    name: str,
    options: WebOptions,
    now: datetime,
    allow_private: Sequence[Network] = (),
    parser: Parser | None = None,
) -> Trial:
    """A first visit to a feed, as the poller makes it: one GET, parsed in a child process. `parser`: use this one."""
    own = ParserProcess()  # its child starts with the first job
    parser = parser or own
    fetcher = _RecordingFetcher(
        user_agent=USER_AGENT,
        allow_private=[*options.allow_private, *allow_private],
        proxy=options.proxy.address if options.proxy is not None else None,
    )
    everything = options.model_copy(update={"on_new": "all", "fulltext": False})
    try:
        context = SourceContext(parser, USER_AGENT)
        if isinstance(everything, PageOptions):
            visit = await Page(name, everything, context, fetcher).visit({}, now)
            named = await named_feeds(fetcher.answer, parser) if fetcher.answer is not None else ()
            listing = await _listing(fetcher.answer, everything.rule, parser, now) if visit.articles else None
        else:
            visit = await Feed(name, everything, context, fetcher).visit({}, now)
            named, listing = await _named(visit.reason, fetcher.answer, parser), None
    finally:
        await own.close()
    ok = visit.outcome != "failed"
    answer = fetcher.answer
    moment, why = next_visit(options.every, name, now, failures=0 if ok else 1, interval=visit.interval)
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
        cure=cure_of(visit.reason, visit.detail),
        named=named,
        listing=listing,
    )


async def try_mailbox(
    name: str, options: MailboxOptions, now: datetime, allow_private: Sequence[Network] = ()
) -> Trial:
    """A first visit to a mailbox, which changes nothing in it."""
    parser = ParserProcess()
    networks = (*options.allow_private, *allow_private)
    unchanged = options.model_copy(update={"after": "keep", "move_to": "", "allow_private": networks})
    try:
        visit = await mailbox.build(name, unchanged, SourceContext(parser, USER_AGENT)).visit({}, now)
    finally:
        await parser.close()
    ok = visit.outcome != "failed"
    moment, why = next_visit(options.every, name, now, failures=0 if ok else 1, interval=visit.interval)
    return Trial(
        name=name,
        asked=options.place,
        ok=ok,
        status=0,
        url=options.place if ok else "",
        moved_to="",
        headers={},
        bytes=visit.size,
        form="IMAP",
        encoding="",
        entries=visit.articles,
        reason=visit.reason,
        detail=visit.detail,
        failures=visit.failures,
        next_visit=moment,
        why=why,
        cure=cure_of(visit.reason, visit.detail),
    )


async def _listing(answer: Fetched | None, rule: ListRule, parser: Parser, now: datetime) -> Listing | None:
    """What is a page's list of links; None if nothing is."""
    if answer is None:
        return None
    try:
        return await parser.run(read_list, answer.body, rule, now=now, url=answer.url, charset=answer.charset)
    except FetchError:
        return None


async def _named(reason: str, answer: Fetched | None, parser: Parser) -> tuple[FeedLink, ...]:
    return await named_feeds(answer, parser) if reason == "not_a_feed" and answer is not None else ()


def form_of(body: bytes) -> str:
    """The format that a document declares: "RSS 2.0", "Atom", "RSS 1.0", "JSON Feed", "news sitemap", "HTML", or ""."""
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
