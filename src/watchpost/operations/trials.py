"""Changed topics before they are live: the running topics and those on disk, tried on articles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from watchpost.config.config import Config
from watchpost.config.fields import Network
from watchpost.config.routes import topics_of
from watchpost.config.settings import Settings
from watchpost.documents.entry import article_of
from watchpost.documents.parse import read_article_page
from watchpost.documents.parser_process import ParserProcess
from watchpost.errors import CodecError, QueryError, StoreError, WatchpostError
from watchpost.match.trial import Effect, effects
from watchpost.model import Article, Topic
from watchpost.operations import factory
from watchpost.operations.factory import USER_AGENT
from watchpost.poll.http.fetcher import HttpFetcher
from watchpost.store.history import RetainedArticles
from watchpost.store.running_config import RunningConfigs

if TYPE_CHECKING:
    from watchpost.archive.archive import Archive, ReadBetween

MATCHING = ("match", "all")
_TIMEOUT = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class StoredArticles:
    """The topics of a running service (None if no process matches), and the articles that it has read.

    They are those of the `archive`, and before that is old enough the latest ones, `retained`. `count` is how many they
    are. `trouble` says why the service's topics and latest articles are not known, "" if they are.
    """

    topics: tuple[Topic, ...] | None
    retained: tuple[Article, ...]
    trouble: str = ""
    archive: Archive | None = None
    between: ReadBetween | None = None
    count: int = 0

    def for_topics(
        self, topics: Sequence[Topic], progress: Callable[[int], None] = lambda done: None
    ) -> Iterator[Article]:
        """Those that one of the topics may match. `progress` gets how many were read. Raises ArchiveError."""
        if self.archive is not None and self.between is not None and topics:
            from watchpost.archive.search import archived  # not imported where there is no archive

            yield from archived(self.archive, topics, self.between, progress)
        yield from self.retained


async def stored_articles(settings: Settings, config: Config, since: datetime | None) -> StoredArticles:
    """What the service and the archive have, without articles fetched before `since`.

    Never raises for the absence of the service; raises ArchiveError.
    """
    latest = await _latest(settings, config, since)
    archive = factory.build_archive(settings, config)
    if archive is None:
        return replace(latest, count=len(latest.retained))
    from watchpost.archive.archive import ReadBetween  # not imported where there is no archive

    between = ReadBetween.of(since)
    count, state = await asyncio.to_thread(lambda: (archive.count(between), archive.state()))
    older = tuple(one for one in latest.retained if state.oldest is None or one.fetched < state.oldest)
    trouble = "" if count and latest.topics is None else latest.trouble
    return replace(latest, retained=older, archive=archive, between=between, count=count + len(older), trouble=trouble)


async def _latest(settings: Settings, config: Config, since: datetime | None) -> StoredArticles:
    try:
        async with factory.look(settings, config) as store:
            running = {one.role: one for one in await RunningConfigs(store).running()}
            matching = next((running[role] for role in MATCHING if role in running), None)
            retained = [
                one async for one in RetainedArticles(store).articles() if since is None or one.fetched >= since
            ]
            return StoredArticles(None if matching is None else topics_of(matching.shown), tuple(retained))
    except (StoreError, CodecError, QueryError) as error:
        return StoredArticles(None, (), str(error))


def compare(
    old: Iterable[Topic],
    new: Iterable[Topic],
    name: str,
    articles: Callable[[Sequence[Topic]], Iterable[Article]],
) -> tuple[Effect, ...]:
    """The effects on topics that differ; `name` limits them to one.

    `articles` returns those that one of the topics given to it may match. Raises WatchpostError if neither side has a
    topic with that name.
    """
    before, after = ({topic.name: topic for topic in side if name in ("", topic.name)} for side in (old, new))
    if name and not before and not after:
        raise WatchpostError(f"no topic '{name}' on either side")
    different = {key for key in {**before, **after} if _meaning(before, key) != _meaning(after, key)}
    old_ones = [topic for key, topic in before.items() if key in different]
    new_ones = [topic for key, topic in after.items() if key in different]
    return effects(old_ones, new_ones, _once(articles([*old_ones, *new_ones])))


def _once(articles: Iterable[Article]) -> Iterator[Article]:
    """The articles without those whose id came before."""
    seen: set[str] = set()
    for article in articles:
        if article.id not in seen:
            seen.add(article.id)
            yield article


def _meaning(topics: Mapping[str, Topic], name: str) -> object:
    topic = topics.get(name)
    if topic is None:
        return None
    return str(topic.query), topic.exclude and str(topic.exclude), topic.languages


async def article_at(url: str, allow_private: Sequence[Network], now: datetime) -> Article:
    """The article of the page at `url`. Raises FetchError."""
    parser = ParserProcess()
    fetcher = HttpFetcher(user_agent=USER_AGENT, allow_private=allow_private)
    try:
        answer = await fetcher.get(url, headers={}, validators=None, timeout=_TIMEOUT)
        draft = await parser.run(read_article_page, answer.body, now=now, charset=answer.charset)
        return article_of(draft, article_id=url, source="", now=now, base=answer.url)
    finally:
        await parser.close()
