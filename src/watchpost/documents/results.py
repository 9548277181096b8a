"""Pure: what a document gives besides articles: hints for the poller, heads of entries, failures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple


class FeedHints(NamedTuple):
    """What a feed document asks of its readers; an empty value asks nothing.

    `ttl` is RSS 2.0's, `update_every` comes from sy:updatePeriod and sy:updateFrequency (RSS 1.0 Syndication),
    `skip_hours` are hours in GMT and `skip_days` days of the week, 0 = Monday (RSS 2.0); `hub` and `self_url` are
    WebSub's links.
    """

    ttl: timedelta | None = None
    update_every: timedelta | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    hub: str = ""
    self_url: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file or an entry that could not be read. `reason` is from a small closed set."""

    item: str
    reason: str
    detail: str


class EntryHead(NamedTuple):
    """An entry before its text is made: the article's id, and when it was published. As a tuple it is pickled faster.

    `version` is the id of the article under this headline; "" where it has none.
    """

    id: str
    published: datetime | None
    version: str = ""
