"""The seam between the poller and the outside: what a source is, and what one visit to it brings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ParamSpec, Protocol, TypeVar

from watchpost.config.fields import Options
from watchpost.documents.results import Failure as Failure
from watchpost.model import Article
from watchpost.poll.http.robots import RobotsCache
from watchpost.poll.http.websub import Hubs
from watchpost.poll.registry import Registry
from watchpost.poll.schedule import Visit as Visit

P = ParamSpec("P")
T = TypeVar("T")
Q = TypeVar("Q")
A = TypeVar("A")


class Source(Protocol):
    """Something that articles come from.

    `shared` sources (feeds) are claimed through Redis, so that one of several pollers visits; the others
    (folders of this machine) are visited by each poller that has them. `host` names what must not be asked twice
    at once, "" if there is no such thing.
    """

    name: str
    every: timedelta
    shared: bool
    host: str

    async def visit(self, memory: Mapping[str, str], now: datetime) -> Visit:
        """Look for what is new since `memory`. Never raises for what the outside does: that is a Visit."""
        ...

    async def rest(self) -> None:
        """Return when there may be something new: at a hint, and at the latest after `every`."""
        ...

    async def close(self) -> None:
        """Let go of files, sockets, watches."""
        ...


class Parser(Protocol):
    """Turns untrusted bytes into entries or text, out of this process and within limits of time and memory."""

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` (a module-level function) elsewhere; raises FetchError("timeout"|"crashed"|…)."""
        ...

    async def ask(
        self,
        work: Callable[P, Generator[Q, A, T]],
        answer: Callable[[Q], Awaitable[A]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The same for a generator that asks something meanwhile; what `answer` raises comes out here."""
        ...


def _everything(article: Article) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What app lends to every source: the killable parser, and the User-Agent.

    `plausible` says whether an article may be about something that is looked for. `registry` None: nobody else polls.
    A visit may take about `visit_seconds`. `robots` is what is known of the sites' robots.txt. `hubs` None: nobody can
    push to us. A feed may have `body_bytes`, unpacked.
    """

    parser: Parser
    user_agent: str
    plausible: Callable[[Article], bool] = _everything
    registry: Registry | None = None
    visit_seconds: float = 30.0
    robots: RobotsCache = field(default_factory=RobotsCache)
    hubs: Hubs | None = None
    body_bytes: int = 10_000_000


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A kind of source: its name in the configuration, the options an operator may write, and how to make one.

    `build(name, options, workshop)` opens nothing; the first visit does.
    """

    name: str
    options: type[Options]
    build: Callable[[str, Any, SourceContext], Source]
