"""The state of the configured feeds, with what the store knows of them; and reading a feed now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from watchpost import log as tm
from watchpost import redaction
from watchpost.config.config import Config, SourceConfig
from watchpost.config.fields import Options
from watchpost.config.schema import SourceKind
from watchpost.config.settings import Settings
from watchpost.durations import in_words
from watchpost.errors import NotFound, StoreError
from watchpost.operations import factory
from watchpost.operations.feeds.cures import cure_of
from watchpost.poll.feed_memory import FeedMemory
from watchpost.poll.feed_options import FeedOptions, WebOptions
from watchpost.poll.schedule import shift
from watchpost.store import polling
from watchpost.store.client import Store
from watchpost.store.overview import Overview
from watchpost.store.sources import SourceRecord, SourceState, SourceStatus

REVIVED = {
    "dead": "tried once a day until it can be read again; `watchpost feed read` tries at once",
    "gone": "no longer read: change the url, remove the feed, or look for its successor with `watchpost feed discover`",
}
"""How a dead or gone feed comes back, by its state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus:
    """One feed, page or mailbox. `state` is UNKNOWN without the store. `due` is the next visit, `why` its reason.

    `url` is without tokens. `failing_since` is when the first of the failures was, `cure` what to do about them.
    """

    name: str
    url: str
    every: timedelta
    tags: tuple[str, ...]
    state: SourceState
    failures: int = 0
    reason: str = ""
    detail: str = ""
    last_read: datetime | None = None
    last_visit: datetime | None = None
    due: datetime | None = None
    why: str = ""
    failing_since: datetime | None = None
    cure: str = ""
    kind: SourceKind = "feed"


def feeds(config: Config) -> Mapping[str, FeedOptions]:
    """The configured feeds by name."""
    return {part.name: part.options for part in config.sources if isinstance(part.options, FeedOptions)}


def feeds_and_pages(config: Config) -> Mapping[str, WebOptions]:
    """The configured feeds and pages by name."""
    return {part.name: part.options for part in config.sources if isinstance(part.options, WebOptions)}


def visited(config: Config) -> Mapping[str, SourceConfig]:
    """The sources that are visited when they are due, by name: all but folders."""
    return {part.name: part for part in config.sources if part.kind != "folder"}


async def survey(settings: Settings, config: Config) -> tuple[tuple[FeedStatus, ...], str]:
    """Every configured feed, page and mailbox, and why the store could not be asked ("" if it was)."""
    known = visited(config)
    names = list(known)
    try:
        async with factory.look(settings, config) as store:
            overview = Overview(store)
            statuses = [
                status for at in range(0, len(names), 1000) for status in await overview.sources(names[at : at + 1000])
            ]
            due = await overview.due(names)
    except StoreError as error:
        return tuple(_unknown(part) for part in known.values()), str(error)
    return tuple(_status(known[one.name], one, due.get(one.name)) for one in statuses), ""


async def inspect(settings: Settings, config: Config, name: str) -> tuple[FeedStatus, SourceRecord, str]:
    """One source, what the store keeps of it, and why the store could not be asked. Raises KeyError for no such one."""
    part = {part.name: part for part in config.sources}[name]
    try:
        async with factory.look(settings, config) as store:
            overview = Overview(store)
            (status,) = await overview.sources([name])
            due = (await overview.due([name])).get(name)
            return _status(part, status, due), await overview.record(name), ""
    except StoreError as error:
        return _unknown(part), SourceRecord(name, {}, {}), str(error)


async def read_now(config: Config, store: Store, name: str, by: str) -> str:
    """Read a feed at its host's next turn: "NOW", or "SOON" if it is being read or due anyway.

    Raises NotFound and StoreError.
    """
    if name not in visited(config):
        raise NotFound(f"no feed '{name}'")
    answer = await polling.read_now(store, name, int(config.limits.lease.total_seconds() * 1000))
    tm.operator_acted("read", int(answer == "NOW"), by, feed=name)
    if answer == "NONE":
        raise NotFound(f"feed '{name}' has no schedule yet: the poller has not started with it")
    return answer


def shown_options(options: Options) -> dict[str, Any]:
    """The options of a source as they may be shown: secrets show their origin, literal header values are `***`."""
    shown = {name: _plain(getattr(options, name)) for name in type(options).model_fields}
    if (headers := getattr(options, "headers", None)) is not None:
        shown["headers"] = {name: _masked(value) for name, value in headers.items()}
    return shown


def _plain(value: object) -> Any:
    if isinstance(value, timedelta):
        return in_words(value)
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _masked(value: object) -> str:
    return "***" if isinstance(value, str) else str(value)


def _status(part: SourceConfig, status: SourceStatus, due: datetime | None) -> FeedStatus:
    return replace(
        _unknown(part),
        state=status.state,
        failures=status.failures,
        reason=status.reason,
        detail=status.detail,
        last_read=status.last_read,
        last_visit=status.last_visit,
        due=due,
        why=status.next_why
        if status.last_visit is not None
        else f"a new {part.kind}: it is read when a poller is free",
        failing_since=status.failing_since,
        cure=REVIVED.get(status.state) or cure_of(status.reason, status.detail) if status.failures else "",
    )


def _unknown(part: SourceConfig) -> FeedStatus:
    options = part.options
    return FeedStatus(
        name=part.name,
        url=redaction.clean(getattr(options, "url", "") or getattr(options, "place", "")),
        every=getattr(options, "every", timedelta(0)),
        tags=getattr(options, "tags", ()),
        state=SourceState.UNKNOWN,
        kind=part.kind,
    )


def failing(statuses: Sequence[FeedStatus]) -> tuple[FeedStatus, ...]:
    """The feeds that an operator has to look at."""
    return tuple(one for one in statuses if one.state in ("failing", "dead", "gone"))


_WORTH_SAYING = 0.005
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def interval_reasons(name: str, options: Options, memory: FeedMemory, failures: int, now: datetime) -> tuple[str, ...]:
    """Each reason for the time between two visits; the longest counts. `memory` is what the store keeps of the feed."""
    every, configured = getattr(options, "every", timedelta(0)), getattr(options, "paced", True)
    pace = memory.interval("", adaptive=not configured)
    if configured:
        reasons = [f"every {in_words(every)}, as configured"]
    elif pace.every is not None:
        reasons = [f"every {in_words(pace.every)}, from how often it has new entries (no `every` is configured)"]
    else:
        reasons = [f"every {in_words(every)}, until it is known how often it has new entries"]
    if abs(share := shift(name, pace.every or every)) >= _WORTH_SAYING:
        reasons.append(f"{share:+.0%} of that, so that feeds with the same interval spread out")
    if failures > 1:
        reasons.append(f"doubled with each failure after the first; there were {failures} in a row")
    reasons += [floor.why for floor in pace.floors]
    pushed = memory.subscription.minimum_wait(now)
    reasons += [pushed.why] if pushed is not None else []
    if pace.skip_hours:
        reasons.append(f"the feed asks for no visits at {', '.join(f'{hour}h' for hour in pace.skip_hours)} GMT")
    if pace.skip_days:
        reasons.append(f"the feed asks for no visits on {', '.join(_DAYS[day] for day in pace.skip_days)}")
    return tuple(reasons)
