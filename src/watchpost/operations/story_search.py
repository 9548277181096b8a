"""Search among hits and stories, and everything that fits as a file. The pages, the API and the command do it here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Literal, TypedDict
from zoneinfo import ZoneInfo

from watchpost import durations
from watchpost.config.config import Config
from watchpost.errors import FormError
from watchpost.model import SEVERITIES, Hit
from watchpost.operations import exports
from watchpost.operations.exports import Format
from watchpost.operations.stories import StoryView, views_of
from watchpost.store.client import Store
from watchpost.store.handling import Handlings
from watchpost.store.history import History, HitPage, is_mark
from watchpost.store.stories import Stories

_AT_ONCE = 100  # stories or hits of an export that are in memory

FIELDS = ("q", "topic", "source", "lang", "before", "severity", "since")
"""The names of the fields of a search."""

_LONGEST = 2_000  # characters of a field


@dataclass(frozen=True, slots=True)
class Search:
    """A search; "" for anything. `text`: words that must all occur in headline, snippet, outlet or evidence.

    `before` is a place in the list, `since` a time as people write it.
    """

    text: str = ""
    topic: str = ""
    source: str = ""
    lang: str = ""
    before: str = ""
    severity: str = ""
    since: str = ""

    def asked(self) -> dict[str, str]:
        """Its fields that are not empty, without the place in the list, as addresses have them."""
        values = (self.text, self.topic, self.source, self.lang, "", self.severity, self.since)
        return {name: value for name, value in zip(FIELDS, values, strict=True) if value}


def search_of(query: Mapping[str, str]) -> Search:
    """The search in a form. What is cut off a field is beyond the length at which it is a mistake."""
    wanted = {name: query.get(name, "").strip()[: _LONGEST + 1] for name in FIELDS}
    return Search(
        wanted["q"],
        wanted["topic"],
        wanted["source"],
        wanted["lang"].lower(),
        wanted["before"],
        wanted["severity"].lower(),
        wanted["since"],
    )


def begin_of(search: Search, now: datetime, zone: tzinfo) -> datetime | None:
    """Since when hits are searched; None for any time. Raises FormError."""
    if long := [name for name, value in search.asked().items() if len(value) > _LONGEST]:
        raise FormError({name: f"{name} has more than {_LONGEST:,} characters" for name in long})
    if search.severity and search.severity not in SEVERITIES:
        raise FormError({"severity": f"'{search.severity}' is not one of {', '.join(SEVERITIES)}"})
    if not search.since:
        return None
    try:
        return durations.since(search.since, now, zone)
    except ValueError as error:
        raise FormError({"since": str(error)}) from None


def wanted_by(search: Search) -> Callable[[Hit], bool]:
    """A test whether a hit fits a search, its topic apart."""
    words = search.text.casefold().split()

    def wanted(hit: Hit) -> bool:
        about = hit.article
        if search.severity and hit.severity != search.severity:
            return False
        if search.source and about.source != search.source:
            return False
        if search.lang and about.lang.lower().split("-")[0] != search.lang:
            return False
        if not words:
            return True
        why = " ".join(item.text for item in hit.evidence)
        text = f"{about.title}\n{hit.snippet.text}\n{about.outlet}\n{why}".casefold()
        return all(word in text for word in words)

    return wanted


class _Bounds(TypedDict):
    """Where a search begins and ends."""

    topic: str
    before: str
    since: datetime | None


class StorySearch:
    """Searches the history. Every method raises FormError for a wrong field, and StoreError."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config = config
        self._history = History(store)
        self._stories = Stories(store)
        self._publishers = config.publishers
        self._handlings = Handlings(store, config.retention.hits)

    async def hits(self, search: Search, count: int) -> HitPage:
        """Return up to `count` hits that fit, the newest first."""
        return await self._history.search(wanted_by(search), **self._bounds(search), count=count)

    async def stories(self, search: Search, count: int) -> tuple[tuple[StoryView, ...], str]:
        """Return up to `count` whole stories with a hit that fits, and the mark from which older ones follow."""
        found = await self._stories.page(wanted_by(search), **self._bounds(search), count=count)
        return await asyncio.to_thread(views_of, found.stories, self._publishers), found.more

    async def lines(self, search: Search, what: Literal["stories", "hits"], form: Format) -> AsyncIterator[str]:
        """Yield everything that fits, at most `exports.MOST`, as the lines of a file."""
        columns = exports.STORY_COLUMNS if what == "stories" else exports.HIT_COLUMNS
        yield exports.head_of(columns, form)
        count, more = 0, search.before
        while count < exports.MOST:
            part = replace(search, before=more)
            if what == "stories":
                found, more = await self.stories(part, _AT_ONCE)
                handlings = await self._handlings.of(story.id for story in found)
                base = self._config.public_url
                records = [exports.story_record(story, handlings[story.id], base) for story in found]
            else:
                page = await self.hits(part, _AT_ONCE)
                records, more = [exports.hit_record(past.hit) for past in page.hits], page.more
            count += len(records)
            yield "".join(exports.line_of(record, columns, form) for record in records)
            if not more:
                return

    def _bounds(self, search: Search) -> _Bounds:
        begin = begin_of(search, datetime.now(UTC), ZoneInfo(self._config.timezone))
        return {"topic": search.topic, "before": search.before if is_mark(search.before) else "", "since": begin}
