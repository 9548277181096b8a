"""How the feeds of a plan fare: the configuration, joined with what the store knows. Looks, and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from watchpost import log as tm
from watchpost import redaction
from watchpost.config.config import Config, SourceConfig
from watchpost.config.settings import Settings
from watchpost.durations import in_words
from watchpost.errors import NotFound, StoreError
from watchpost.operations import factory
from watchpost.poll.feed_memory import FeedMemory
from watchpost.poll.feed_options import FeedOptions
from watchpost.poll.schedule import shift
from watchpost.store import polling
from watchpost.store.client import Store
from watchpost.store.overview import Overview
from watchpost.store.sources import SourceRecord, SourceState, SourceStatus

# what an operator can do about a feed in trouble.


CURES = {
    "binary": "this is no feed: check the address",
    "blocked": "if the server is yours, allow its network: --allow-private 10.0.0.0/8, or allow_private: in the feed",
    "crashed": "the publisher's feed is broken: tell them",
    "dns": "check the spelling of the host, and this machine's name server",
    "empty": "the server answers without a feed: check the address, and try again later",
    "gone": "the publisher has ended this feed: take it out, or look for its successor with `watchpost feed discover`",
    "http_error": "try the address in a browser; if it needs them, set headers or auth",
    "not_a_feed": "look for the page's feeds with `watchpost feed discover`",
    "not_found": "check the path; `watchpost feed discover` looks for the feeds of a site",
    "rate_limited": "ask less often: a longer `every`",
    "redirect_loop": "the server sends us in a circle: try the address that a browser ends at",
    "refused": "nothing listens there: check the address and its port",
    "timeout": "try again; for a server that is always slow set a longer `timeout`",
    "tls": "the server's certificate is not valid for this name: tell its publisher",
    "too_large": "look for a smaller feed of the same site",
    "truncated": "the answer breaks off: try again later",
    "unreachable": "check this machine's network, and what stands between: firewall, proxy",
    "malformed": "the publisher's feed is broken: tell them",
}
"""By the reason of a failed visit."""

REVIVED = {
    "dead": "tried once a day, and well again as soon as it can be read; `watchpost feed read` tries at once",
    "gone": "not asked until the url is changed: take it out, or look for its successor with `watchpost feed discover`",
}
"""How a feed comes back that is dead or gone."""


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """One feed. `state` is UNKNOWN if the store could not be asked. `due` is the next visit, `why` its reason in words.

    `url` is as it may be shown: without tokens. `failing_since` is when the first of the failures was, `cure` what can
    be done about them.
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


def feeds(config: Config) -> Mapping[str, FeedOptions]:
    """The configured feeds by name."""
    return {part.name: options for part in config.sources if (options := _feed(part)) is not None}


async def survey(settings: Settings, config: Config) -> tuple[tuple[FeedStatus, ...], str]:
    """Every configured feed, and what kept us from looking into the store ("" if nothing did)."""
    known = feeds(config)
    names = list(known)
    try:
        async with factory.look(settings, config) as store:
            overview = Overview(store)
            fares = [
                status for at in range(0, len(names), 1000) for status in await overview.sources(names[at : at + 1000])
            ]
            due = await overview.due(names)
    except StoreError as error:
        return tuple(_unknown(name, options) for name, options in known.items()), str(error)
    return tuple(_status(known[fare.name], fare, due.get(fare.name)) for fare in fares), ""


async def inspect(settings: Settings, config: Config, name: str) -> tuple[FeedStatus, SourceRecord, str]:
    """One feed whole: how it fares, what is kept of it, and what kept us from looking. KeyError for no such feed."""
    options = feeds(config)[name]
    try:
        async with factory.look(settings, config) as store:
            overview = Overview(store)
            (fare,) = await overview.sources([name])
            due = (await overview.due([name])).get(name)
            return _status(options, fare, due), await overview.record(name), ""
    except StoreError as error:
        return _unknown(name, options), SourceRecord(name, {}, {}), str(error)


async def read_now(config: Config, store: Store, name: str, by: str) -> str:
    """Read a feed at its host's next turn: "NOW", or "SOON" if it is being read or due anyway.

    Raises NotFound and StoreError.
    """
    if name not in feeds(config):
        raise NotFound(f"no feed '{name}'")
    answer = await polling.read_now(store, name, int(config.limits.lease.total_seconds() * 1000))
    tm.operator_acted("read", int(answer == "NOW"), by, feed=name)
    if answer == "NONE":
        raise NotFound(f"feed '{name}' has no schedule yet: the poller has not started with it")
    return answer


def shown_options(options: FeedOptions) -> dict[str, Any]:
    """What is configured, as it may be shown: a secret is where it comes from, a header's literal value `***`."""
    shown = {name: _plain(getattr(options, name)) for name in type(options).model_fields}
    return shown | {"headers": {name: _masked(value) for name, value in options.headers.items()}}


def _plain(value: object) -> Any:
    if isinstance(value, timedelta):
        return in_words(value)
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _masked(value: object) -> str:
    return "***" if isinstance(value, str) else str(value)


def _feed(part: SourceConfig) -> FeedOptions | None:
    return part.options if isinstance(part.options, FeedOptions) else None


def _status(options: FeedOptions, fare: SourceStatus, due: datetime | None) -> FeedStatus:
    return FeedStatus(
        fare.name,
        redaction.clean(options.url),
        options.every,
        options.tags,
        fare.state,
        fare.failures,
        fare.reason,
        fare.detail,
        fare.last_read,
        fare.last_visit,
        due,
        _why(fare),
        fare.failing_since,
        REVIVED.get(fare.state) or CURES.get(fare.reason, "") if fare.failures else "",
    )


def _unknown(name: str, options: FeedOptions) -> FeedStatus:
    return FeedStatus(name, redaction.clean(options.url), options.every, options.tags, SourceState.UNKNOWN)


def _why(fare: SourceStatus) -> str:
    return fare.next_why if fare.last_visit is not None else "it is new: it is read when a poller is free"


def failing(found: Sequence[FeedStatus]) -> tuple[FeedStatus, ...]:
    """Those that an operator has to look at."""
    return tuple(one for one in found if one.state in ("failing", "dead", "gone"))


# what the time between two visits to a feed is made of, in words.


_WORTH_SAYING = 0.005
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def parts(
    name: str, every: timedelta, configured: bool, memory: FeedMemory, failures: int, now: datetime
) -> tuple[str, ...]:
    """Everything that speaks for waiting; the longest of it decides. `memory` is what is kept of the feed.

    `configured`: somebody wrote the interval `every`; else it is what a feed begins with.
    """
    pace = memory.interval("", adaptive=not configured)
    if configured:
        found = [f"every {in_words(every)}, as configured"]
    elif pace.every is not None:
        found = [f"every {in_words(pace.every)}, by how often it brings something (no `every` is configured)"]
    else:
        found = [f"every {in_words(every)}, until it is known how often it brings something"]
    if abs(share := shift(name, pace.every or every)) >= _WORTH_SAYING:
        found.append(f"{share:+.0%} of that, so that feeds of one interval spread out")
    if failures > 1:
        found.append(f"doubled with each failure after the first, of which there are {failures} in a row")
    found += [floor.why for floor in pace.floors]
    pushed = memory.subscription.minimum_wait(now)
    found += [pushed.why] if pushed is not None else []
    if pace.skip_hours:
        found.append(f"the feed wants no visits at {', '.join(f'{hour}h' for hour in pace.skip_hours)} GMT")
    if pace.skip_days:
        found.append(f"the feed wants no visits on {', '.join(_DAYS[day] for day in pace.skip_days)}")
    return tuple(found)
