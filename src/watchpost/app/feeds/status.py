"""How the feeds of a plan fare: the configuration, joined with what the store knows. Looks, and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from watchpost import redaction
from watchpost.app import doors
from watchpost.app.feeds.cures import CURES, REVIVED
from watchpost.errors import StoreError
from watchpost.plan.plan import Part, Plan
from watchpost.plan.settings import Settings
from watchpost.poll.due import words
from watchpost.poll.sources.feed import FeedOptions
from watchpost.wire.board import Board
from watchpost.wire.status import SourceRecord, SourceStatus

State = Literal["ok", "failing", "dead", "gone", "never read", "unknown"]


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """One feed. "unknown": no service runs that could tell. `due` is the next visit, `why` its reason in words.

    `url` is as it may be shown: without tokens. `failing_since` is when the first of the failures was, `cure` what can
    be done about them.
    """

    name: str
    url: str
    every: timedelta
    tags: tuple[str, ...]
    state: State
    failures: int = 0
    reason: str = ""
    detail: str = ""
    last_read: datetime | None = None
    last_visit: datetime | None = None
    due: datetime | None = None
    why: str = ""
    failing_since: datetime | None = None
    cure: str = ""


def feeds(plan: Plan) -> Mapping[str, FeedOptions]:
    """The configured feeds by name."""
    return {part.name: options for part in plan.sources if (options := _feed(part)) is not None}


async def survey(settings: Settings, plan: Plan) -> tuple[tuple[FeedStatus, ...], str]:
    """Every configured feed, and what kept us from looking into the store ("" if nothing did)."""
    known = feeds(plan)
    names = list(known)
    try:
        async with doors.look(settings, plan) as store:
            board = Board(store)
            fares = [
                status for at in range(0, len(names), 1000) for status in await board.sources(names[at : at + 1000])
            ]
            due = await board.due(names)
    except StoreError as error:
        bare = (
            FeedStatus(name, redaction.clean(one.url), one.every, one.tags, "unknown") for name, one in known.items()
        )
        return tuple(bare), str(error)
    return tuple(_status(known[fare.name], fare, due.get(fare.name)) for fare in fares), ""


async def inspect(settings: Settings, plan: Plan, name: str) -> tuple[FeedStatus, SourceRecord, str]:
    """One feed whole: how it fares, what is kept of it, and what kept us from looking. KeyError for no such feed."""
    options = feeds(plan)[name]
    try:
        async with doors.look(settings, plan) as store:
            board = Board(store)
            (fare,) = await board.sources([name])
            due = (await board.due([name])).get(name)
            return _status(options, fare, due), await board.record(name), ""
    except StoreError as error:
        bare = FeedStatus(name, redaction.clean(options.url), options.every, options.tags, "unknown")
        return bare, SourceRecord(name, {}, {}), str(error)


def shown_options(options: FeedOptions) -> dict[str, Any]:
    """What is configured, as it may be shown: a secret is where it comes from, a header's literal value `***`."""
    shown = {name: _plain(getattr(options, name)) for name in type(options).model_fields}
    return shown | {"headers": {name: _masked(value) for name, value in options.headers.items()}}


def _plain(value: object) -> Any:
    if isinstance(value, timedelta):
        return words(value)
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _masked(value: object) -> str:
    return "***" if isinstance(value, str) else str(value)


def _feed(part: Part) -> FeedOptions | None:
    return part.options if isinstance(part.options, FeedOptions) else None


def _status(options: FeedOptions, fare: SourceStatus, due: datetime | None) -> FeedStatus:
    state = _state(fare)
    return FeedStatus(
        fare.name,
        redaction.clean(options.url),
        options.every,
        options.tags,
        state,
        fare.failures,
        fare.reason,
        fare.detail,
        fare.last_read,
        fare.last_visit,
        due,
        _why(fare),
        fare.failing_since,
        REVIVED.get(state) or CURES.get(fare.reason, "") if fare.failures else "",
    )


def _state(fare: SourceStatus) -> State:
    if fare.state == "gone" or fare.reason == "gone":
        return "gone"
    if fare.state == "dead":
        return "dead"
    if fare.failures:
        return "failing"
    return "ok" if fare.last_read is not None else "never read"


def _why(fare: SourceStatus) -> str:
    """The poller writes "2026-11-23 12:10:00 UTC, every 10 minutes"."""
    if fare.last_visit is None:
        return "it is new: as soon as a poller has a hand free"
    return fare.next_visit.partition(" UTC, ")[2] or fare.next_visit


def failing(found: Sequence[FeedStatus]) -> tuple[FeedStatus, ...]:
    """Those that an operator has to look at."""
    return tuple(one for one in found if one.state in ("failing", "dead", "gone"))
