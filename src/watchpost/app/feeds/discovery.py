"""The feeds of a web page: what its head names, else the usual places, each read before it is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from urllib.parse import urljoin

from watchpost.app.doors import USER_AGENT
from watchpost.app.feeds import subscriptions
from watchpost.errors import FetchError
from watchpost.plan.fields import Network
from watchpost.plan.lists import Listed, name_of, same_address
from watchpost.plan.opml import Outline
from watchpost.poll.documents.links import FeedLink, find_feed_links
from watchpost.poll.documents.read import Reading, read_feed_document
from watchpost.poll.fetching.fetcher import Fetched, Fetcher, HttpFetcher
from watchpost.poll.parsing.parser import ParserProcess
from watchpost.poll.source import Parser

USUAL = ("/feed", "/rss", "/rss.xml", "/atom.xml", "/feed.xml", "/index.xml", "/feed.json")
"""Where sites keep the feeds that no page names: asked for with `--guess` only, one after the other."""

_TIMEOUT = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A feed that a page names, or that lay in a usual place. `problem` says why it cannot be read, "" if it can.

    `newest` is the date of its newest entry; `lang` what most of its entries say.
    """

    url: str
    title: str
    entries: int = 0
    newest: datetime | None = None
    lang: str = ""
    problem: str = ""
    guessed: bool = False


async def discover(
    url: str, fetcher: Fetcher, parser: Parser, now: datetime, *, guess: bool = False, pause_seconds: float = 1.0
) -> tuple[Candidate, ...]:
    """The feeds of the page at `url`, those that can be read first; the page may be a feed itself.

    Requests follow one another with `pause_seconds` between them. Raises FetchError if the page cannot be had.
    """
    page = await _get(fetcher, url)
    itself = await _candidate(FeedLink(page.url, ""), page, parser, now)
    if not itself.problem:
        return (itself,)
    found = [await _try(link, fetcher, parser, now, pause_seconds) for link in await named_feeds(page, parser)]
    if guess and not any(not one.problem for one in found):
        for path in USUAL:
            tried = await _try(FeedLink(urljoin(page.url, path), ""), fetcher, parser, now, pause_seconds, guessed=True)
            if not tried.problem and same_address(tried.url) not in {same_address(one.url) for one in found}:
                found.append(tried)
    return tuple(sorted(found, key=lambda one: bool(one.problem)))


async def named_feeds(page: Fetched, parser: Parser) -> tuple[FeedLink, ...]:
    """The feeds that a page names; none if it cannot be parsed."""
    try:
        return await parser.run(find_feed_links, page.body, page.url)
    except FetchError:
        return ()


async def _try(
    link: FeedLink, fetcher: Fetcher, parser: Parser, now: datetime, pause_seconds: float, guessed: bool = False
) -> Candidate:
    await asyncio.sleep(pause_seconds)
    try:
        answer = await _get(fetcher, link.url)
    except FetchError as error:
        return Candidate(link.url, link.title, problem=error.detail, guessed=guessed)
    return await _candidate(link, answer, parser, now, guessed)


async def _candidate(
    link: FeedLink, answer: Fetched, parser: Parser, now: datetime, guessed: bool = False
) -> Candidate:
    try:
        reading: Reading = await parser.run(read_feed_document, answer.body, now=now, source="", url=answer.url)
    except FetchError as error:
        return Candidate(link.url, link.title, problem=error.detail, guessed=guessed)
    articles = reading.articles
    languages = [article.lang for article in articles if article.lang]
    title = link.title or next((article.outlet for article in articles if article.outlet), "")
    return Candidate(
        answer.moved_to or link.url,
        title,
        len(articles),
        max((article.published for article in articles if article.published is not None), default=None),
        max(set(languages), key=languages.count) if languages else "",
        guessed=guessed,
    )


async def _get(fetcher: Fetcher, url: str) -> Fetched:
    return await fetcher.get(url, headers={}, validators=None, timeout=_TIMEOUT)


def network_list(texts: Sequence[str]) -> tuple[Network, ...]:
    """`--allow-private` as networks. Raises ValueError for what is none."""
    return tuple(ip_network(text) for text in texts)


async def look_around(
    url: str, allow_private: Sequence[Network], now: datetime, *, guess: bool
) -> tuple[Candidate, ...]:
    """`discover` over the real network, with a parser in a child process."""
    parser = ParserProcess()
    fetcher = HttpFetcher(user_agent=USER_AGENT, allow_private=allow_private)
    try:
        return await discover(url, fetcher, parser, now, guess=guess)
    finally:
        await parser.close()


def yaml_of(found: Sequence[Candidate]) -> str:
    """The candidates as a block to paste into the configuration."""
    taken: set[str] = set()
    listed = []
    for one in found:
        outline = Outline(one.title, one.url, lang=one.lang if one.lang.isalpha() else "")
        name = name_of(outline, "", taken)
        taken.add(name)
        listed.append(Listed(name, 0, outline))
    return subscriptions.yaml_of(listed)
