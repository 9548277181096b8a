"""What a source is to the poller, and what a source gets from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from watchpost.config.fields import Options
from watchpost.documents.parser_process import Parser
from watchpost.model import Article
from watchpost.poll.http.robots import RobotsCache
from watchpost.poll.http.websub import Hubs
from watchpost.poll.visit import Visit
from watchpost.store.polling import PollStore


class Source(Protocol):
    """Anything that articles come from: a feed, a mailbox or a folder.

    `shared` sources (feeds, mailboxes) are claimed through Redis, so that one of several pollers visits; the others
    (folders of this machine) are visited by each poller that has them. `host` names what must not be asked twice at
    once, "" if there is no such thing.
    """

    name: str
    every: timedelta
    shared: bool
    host: str

    async def visit(self, memory: Mapping[str, str], now: datetime) -> Visit:
        """Read what is new since the visit that left `memory`. A failure of the outside is a Visit, not an error."""
        ...

    async def rest(self) -> None:
        """Return when there may be something new, at the latest after `every`."""
        ...

    async def close(self) -> None:
        """Release files, sockets and watches."""
        ...


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What every source gets.

    `plausible` says whether an article may be about something that is looked for. Without a `poll_store` nobody else
    polls. A visit may take about `visit_seconds`. `robots` has the rules of the sites that were asked. Without `hubs`
    nobody can push to us. A feed may have `body_bytes`, unpacked.
    """

    parser: Parser
    user_agent: str
    plausible: Callable[[Article], bool] = lambda article: True
    poll_store: PollStore | None = None
    visit_seconds: float = 30.0
    robots: RobotsCache = field(default_factory=RobotsCache)
    hubs: Hubs | None = None
    body_bytes: int = 10_000_000


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A kind of source: its name in the configuration, the options that may be written, and how to make one.

    `build(name, options, context)` opens nothing; the first visit does.
    """

    name: str
    options: type[Options]
    build: Callable[[str, Any, SourceContext], Source]
