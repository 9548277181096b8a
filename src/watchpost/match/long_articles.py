"""Matches long articles in a child process, which may be killed: no text holds up the loop or the other articles."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from watchpost.documents.parser_process import BESIDE, PATIENCE_BESIDE, ParserProcess
from watchpost.match.matcher import Found, Topics
from watchpost.model import Article, Topic

LONG = 20_000
"""Articles with so many characters are matched here; shorter ones take at most a fifth of a second."""

LIMIT = timedelta(seconds=10)
"""For one article; the first one also needs the topics compiled."""

_SECONDS_PER_TOPIC = 0.005
_MEMORY_BYTES = 512 << 20


def length(article: Article) -> int:
    """How many characters of the article are matched, without its address and names."""
    return len(article.body) + len(article.summary) + len(article.title)


def is_long(article: Article) -> bool:
    """Whether the article should be matched in a process of its own."""
    return length(article) >= LONG


class LongArticles:
    """The topics of a configuration in a child process. Close it."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        limit = LIMIT + timedelta(seconds=len(topics) * _SECONDS_PER_TOPIC)
        self._child = ParserProcess(limit=limit, memory_bytes=_MEMORY_BYTES, patience=PATIENCE_BESIDE, niceness=BESIDE)
        self._topics = pickle.dumps(tuple(topics), pickle.HIGHEST_PROTOCOL)

    async def match(self, article: Article, now: datetime) -> Found:
        """The article's hits and, if there are any, its signature.

        Raises FetchError ("timeout", "too_large", "crashed") if that ended the child; the next article gets another.
        """
        return await self._child.run(match_long, self._topics, article, now)

    async def close(self) -> None:
        """Kill the child."""
        await self._child.close()


def match_long(topics: bytes, article: Article, now: datetime) -> Found:
    """In the child: what `LongArticles.match` returns. `topics` are pickled by the parent."""
    return _compiled(topics).signed(article, now)


@lru_cache(1)
def _compiled(topics: bytes) -> Topics:
    return Topics(pickle.loads(topics))  # noqa: S301 - made by our parent
