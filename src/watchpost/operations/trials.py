"""Changed topics before they are live: the running topics and those on disk, tried on articles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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

MATCHING = ("match", "all")
_TIMEOUT = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class StoredArticles:
    """The topics of a running service (None if no process matches) and its latest articles.

    `trouble` says why there is nothing, "" if there is something.
    """

    topics: tuple[Topic, ...] | None
    articles: tuple[Article, ...]
    trouble: str = ""


async def stored_articles(settings: Settings, config: Config, since: datetime | None) -> StoredArticles:
    """What the running service has, without articles fetched before `since`. Never raises for its absence."""
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
    articles: Iterable[Article],
    now: datetime,
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[int, tuple[Effect, ...]]:
    """How many different articles were tried, and the effects on topics that differ; `name` limits them to one.

    Raises WatchpostError if neither side has a topic with that name.
    """
    before, after = ({topic.name: topic for topic in side if name in ("", topic.name)} for side in (old, new))
    if name and not before and not after:
        raise WatchpostError(f"no topic '{name}' on either side")
    different = {key for key in {**before, **after} if _meaning(before, key) != _meaning(after, key)}
    tried = {article.id: article for article in articles}
    found = effects(
        [topic for key, topic in before.items() if key in different],
        [topic for key, topic in after.items() if key in different],
        tried.values(),
        now,
        progress,
    )
    return len(tried), found


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
