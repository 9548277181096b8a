"""Fetching the pages of articles: each request obeys robots.txt and waits for its turn at the host.

An article's address comes from a feed, so from a stranger. A private address is asked only on the feed's own host, and
a redirect's target is treated as if the feed had named it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from watchpost.errors import FetchError, StoreError
from watchpost.net import host_of
from watchpost.poll.feed_options import WebOptions
from watchpost.poll.http.cookies import VisitCookies
from watchpost.poll.http.fetcher import (
    REDIRECTS,
    Bounds,
    Fetched,
    HttpFetcher,
    accepted,
    origin_of,
    redirected,
    with_cookies,
)
from watchpost.poll.http.robots import ALLOW_ALL, DISALLOW_ALL, Robots, RobotsCache, product, read_robots
from watchpost.store.polling import PollStore

PAGE_SECONDS = 10.0
"""How long one answer may take."""

_BOUNDS = Bounds(wire_bytes=3_000_000, body_bytes=6_000_000, hops=0)
_HOPS = 5
_KEPT_SECONDS, _RETRY_SECONDS = 86_400.0, 3_600.0  # RFC 9309, 2.4: a robots.txt may be kept for a day
_ACCEPT = "text/html, application/xhtml+xml, text/plain;q=0.8, */*;q=0.1"
_PAGE_TYPES = ("text/html", "application/xhtml+xml", "text/plain", "")


class OutOfTime(Exception):
    """The page was not asked for, because its turn comes after the deadline."""


class PageFetcher:
    """Fetches the pages of one feed's articles. Without a `poll_store` nobody else asks these hosts."""

    def __init__(
        self, feed: str, options: WebOptions, user_agent: str, robots: RobotsCache, poll_store: PollStore | None
    ) -> None:
        proxy = options.proxy.address if options.proxy is not None else None
        configured = [value for name, value in options.headers.items() if name.lower() == "user-agent"]
        agent = next((value for value in configured if isinstance(value, str)), user_agent)
        self._feed = feed
        self._product = product(agent)
        self._robots = robots
        self._poll_store = poll_store
        self._feed_host = urlsplit(options.url).hostname
        self._on_feed_host = HttpFetcher(
            user_agent=agent, allow_private=options.allow_private, proxy=proxy, bounds=_BOUNDS, plain=True
        )
        self._elsewhere = HttpFetcher(user_agent=agent, proxy=proxy, bounds=_BOUNDS, plain=True)

    async def get(self, url: str, headers: Mapping[str, str], deadline: float) -> Fetched:
        """The page; `headers` go to the origin of `url` alone. `deadline` is a time of the running loop.

        Raises OutOfTime, and FetchError: a Reason of the fetcher, "robots" or "not_a_page".
        """
        start, cookies = origin_of(url), VisitCookies()
        for _ in range(_HOPS + 1):
            if not (await self._rules(url, deadline)).allow(url):
                raise FetchError("robots", "the site's robots.txt does not allow it")
            sent = {"accept": _ACCEPT} | (dict(headers) if origin_of(url) == start else {})
            answer = await self._ask(url, with_cookies(sent, cookies.header(url, host_of(url))), deadline)
            target = answer.headers.get("location", "")
            if answer.status not in REDIRECTS or not target:
                return _page(accepted(answer))
            cookies.keep(url, host_of(url), answer.set_cookies, datetime.now(UTC))
            url = redirected(url, target)
        raise FetchError("redirect_loop", f"more than {_HOPS} redirects")

    async def _rules(self, url: str, deadline: float) -> Robots:
        site, loop = origin_of(url), asyncio.get_running_loop()
        rules = self._robots.get(site, loop.time())
        if rules is None:
            rules, kept_seconds = await self._read_rules(url, deadline)
            self._robots.put(site, rules, loop.time() + kept_seconds)
        return rules

    async def _read_rules(self, url: str, deadline: float) -> tuple[Robots, float]:
        """RFC 9309, 2.3.1: an absent file allows everything; a site that does not answer, or is overloaded, nothing."""
        place = redirected(url, "/robots.txt")
        try:
            for _ in range(_HOPS + 1):
                answer = await self._ask(place, {"accept": "text/plain, */*;q=0.1"}, deadline)
                target = answer.headers.get("location", "")
                if answer.status not in REDIRECTS or not target:
                    break
                place = redirected(place, target)
            else:
                return ALLOW_ALL, _KEPT_SECONDS
        except FetchError:
            return DISALLOW_ALL, _RETRY_SECONDS
        if answer.status == 200:
            return read_robots(answer.body, self._product), _KEPT_SECONDS
        if answer.status == 429 or answer.status >= 500:
            return DISALLOW_ALL, _RETRY_SECONDS
        return ALLOW_ALL, _KEPT_SECONDS

    async def _ask(self, url: str, headers: Mapping[str, str], deadline: float) -> Fetched:
        host, holder, loop = host_of(url), f"page:{self._feed}", asyncio.get_running_loop()
        while self._poll_store is not None:
            wait_ms = await self._poll_store.claim_host(host, holder, self._feed, int(PAGE_SECONDS * 1000))
            if not wait_ms:
                break
            if loop.time() + wait_ms / 1000 >= deadline:
                raise OutOfTime
            await asyncio.sleep(wait_ms / 1000)
        try:
            left = deadline - loop.time()
            if left <= 0:
                raise OutOfTime
            fetcher = self._on_feed_host if urlsplit(url).hostname == self._feed_host else self._elsewhere
            timeout = timedelta(seconds=min(PAGE_SECONDS, max(left, 1.0)))
            return await fetcher.get(url, headers=headers, validators=None, timeout=timeout)
        finally:
            if self._poll_store is not None:
                with suppress(StoreError):  # the hold ends by itself
                    await self._poll_store.release_host(host, holder)


def _page(answer: Fetched) -> Fetched:
    content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in _PAGE_TYPES:
        raise FetchError("not_a_page", f"it is no page but {content_type[:60]}")
    return answer
