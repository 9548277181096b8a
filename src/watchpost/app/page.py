"""One article of the web, as a person may want to try it: fetched once, within our bounds, and read from its page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from watchpost.app.doors import USER_AGENT
from watchpost.model import Article
from watchpost.plan.fields import Network
from watchpost.poll.documents.read import read_article_page
from watchpost.poll.fetching import freshness
from watchpost.poll.fetching.fetcher import HttpFetcher
from watchpost.poll.parsing.parser import ParserProcess
from watchpost.poll.text.tidy import tidy

_TIMEOUT = timedelta(seconds=20)


async def article_at(url: str, allow_private: Sequence[Network], now: datetime) -> Article:
    """The article of the page at `url`. Raises FetchError if it cannot be had or is no page."""
    parser = ParserProcess()
    fetcher = HttpFetcher(user_agent=USER_AGENT, allow_private=allow_private)
    try:
        answer = await fetcher.get(url, headers={}, validators=None, timeout=_TIMEOUT)
        charset = freshness.charset(answer.headers)
        draft = await parser.run(read_article_page, answer.body, now=now, charset=charset)
        return tidy(draft, article_id=url, source="", now=now, base=answer.url)
    finally:
        await parser.close()
