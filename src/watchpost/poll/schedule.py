"""Pure: when a source is visited next, and why then.

The next visit is at the longest of what speaks for waiting: the interval, and everything that the server and the
feed ask (at most 24 h); then not in hours and days that the feed wants skipped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from watchpost.documents.results import Failure
from watchpost.durations import in_words
from watchpost.model import Article
from watchpost.plurals import count

LONGEST = timedelta(hours=24)
QUICKEST, SLOWEST = timedelta(minutes=10), timedelta(hours=6)
"""Between these an interval is chosen where the operator wrote none."""
DEAD_AFTER = timedelta(days=14)

_JITTER = 0.1
_NO_JITTER_BELOW = timedelta(minutes=1)
_WEEK = timedelta(days=7)
_DEADLY = frozenset({"dns", "not_found"})
_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True, slots=True)
class MinimumWait:
    """Somebody asks to wait for at least `pause`; `why` says it to the operator: "the feed says ttl 1 hour"."""

    pause: timedelta
    why: str


@dataclass(frozen=True, slots=True)
class Interval:
    """How often a source may be read, as far as its visits taught.

    `every` stands in for the interval where the operator wrote none, and `why` says wherefore. Hours are GMT, days
    count from 0 = Monday.
    """

    every: timedelta | None = None
    why: str = "by how often it brings something"
    floors: tuple[MinimumWait, ...] = ()
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()


AS_CONFIGURED = Interval()


def next_visit(
    every: timedelta,
    name: str,
    now: datetime,
    *,
    failures: int = 0,
    pace: Interval = AS_CONFIGURED,
    dead: bool = False,
) -> tuple[datetime, str]:
    """The moment of the next visit (`now` is in UTC) and the reason in words an operator reads.

    `every` is the configured interval, `failures` how many visits failed in a row, `dead` whether that is so for
    weeks. Intervals from a minute up are stretched or shrunk by up to 10 %, always the same for one `name`: feeds
    of one interval spread out. From the second failure on each one doubles the pause, up to 24 h.
    """
    interval = pace.every or every
    pause = _spread(interval, name)
    reason = f"every {in_words(interval)}" + (f", {pace.why}" if pace.every else "")
    if failures > 0:
        patience = max(interval, min(interval * 2 ** min(failures - 1, 20), LONGEST))
        if dead:
            patience = max(interval, LONGEST)
        pause = max(interval, _spread(patience, name))
        times = count(failures, "failure")
        changed = f"{in_words(patience)} instead of {in_words(interval)}"
        longer = changed if patience > interval else f"still every {in_words(interval)}"
        reason = f"dead for {in_words(DEAD_AFTER)}: tried once a day" if dead else f"after {times} in a row: {longer}"
    floor = max(pace.floors, key=lambda floor: floor.pause, default=None)
    if floor is not None and min(floor.pause, LONGEST) > pause:
        pause = min(floor.pause, LONGEST)
        reason = floor.why if floor.pause <= LONGEST else f"{floor.why}; {in_words(LONGEST)} is the most"
    moment = _allowed(now + pause, pace, name)
    if moment > now + pause:
        reason = f"{reason}; the feed wants no visits {_skipped(now + pause, pace)}"
    return moment, reason


def is_dead(reason: str, failing_since: datetime | None, now: datetime) -> bool:
    """Whether a source is given up but for a look each day: no such name or no such page for two weeks."""
    return reason in _DEADLY and failing_since is not None and now - failing_since >= DEAD_AFTER


def adaptive(dates: Iterable[datetime | None], now: datetime) -> timedelta | None:
    """Half the mean distance of the entries of the last week, in full minutes from QUICKEST to SLOWEST.

    A busy feed shows less than a week: then the time that it shows counts. None if no entry has a date.
    """
    known = [date for date in dates if date is not None and date <= now]
    if not known:
        return None
    recent = [date for date in known if now - date <= _WEEK]
    if not recent:
        return SLOWEST
    shown = _WEEK if len(recent) < len(known) else now - min(recent)
    minutes = shown / len(recent) / 2 // timedelta(minutes=1)
    return min(max(timedelta(minutes=minutes), QUICKEST), SLOWEST)


def _allowed(moment: datetime, pace: Interval, name: str) -> datetime:
    """`moment`, or soon after the beginning of the first hour that is not to be skipped."""
    if moment.hour not in pace.skip_hours and moment.weekday() not in pace.skip_days:
        return moment
    start = moment.replace(minute=0, second=0, microsecond=0)
    for ahead in range(1, 7 * 24):
        later = start + timedelta(hours=ahead)
        if later.hour not in pace.skip_hours and later.weekday() not in pace.skip_days:
            return later + timedelta(minutes=6) * _drawn(name)
    return moment  # it wants every hour skipped: that is no wish but a mistake


def _skipped(moment: datetime, pace: Interval) -> str:
    if moment.weekday() in pace.skip_days:
        return f"on {_DAYS[moment.weekday()]}"
    return f"at {moment.hour}h GMT"


def shift(name: str, span: timedelta) -> float:
    """By which part of itself this interval is longer (or shorter: below 0) for this source."""
    return 0.0 if span < _NO_JITTER_BELOW else _JITTER * (2 * _drawn(name) - 1)


def _spread(span: timedelta, name: str) -> timedelta:
    return span * (1 + shift(name, span))


def _drawn(name: str) -> float:
    """From 0 to 1, always the same for one name."""
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=4).digest()) / 0xFFFFFFFF


# what one visit to a source brings.


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit brought.

    `known` are ids of articles that are only remembered, so that they are never told; `seen` are those that a look-up
    found remembered, so that nobody made articles of them. `marks` are the marks of headlines by article: under
    another one the article is told again. `memory` is what the source wants to find again at its next visit
    (validators, what was read of which file); it is stored in the same step as the articles, or not at all; a value
    of "" deletes its key. `outcome` "failed" means that the source as a whole could not be read. `pace` is what the
    other side asked for before the next visit. `more` says that there is more to read right now. `size` is how many
    bytes were read, unpacked.
    """

    outcome: Literal["read", "unchanged", "failed"]
    articles: tuple[Article, ...] = ()
    known: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    marks: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    detail: str = ""
    pace: Interval = AS_CONFIGURED
    failures: tuple[Failure, ...] = ()
    more: bool = False
    size: int = 0


# what a visit changes in what is kept of a source and shown to people.


_ABANDONED_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """What is written of a visit. `status` "" takes a field away; `turn` is what happened that has to be said once.

    `delay` is the time from now to the next visit.
    """

    status: Mapping[str, str]
    delay: timedelta
    turn: Literal["", "gone", "dead", "recovered"]


def entry(name: str, every: timedelta, visit: Visit, before: Mapping[str, str], now: datetime) -> VisitRecord:
    """The record of a visit to the source `name`, configured to be read `every` so often; `before` was its status."""
    failed = visit.outcome == "failed"
    failures = _failures(before) + 1 if failed else 0
    since = (moment(before.get("failing_since", "")) or now) if failed else None
    dead = is_dead(visit.reason, since, now)
    at, why = next_visit(every, name, now, failures=failures, pace=visit.pace, dead=dead)
    state = ("gone" if visit.reason == "gone" else "dead" if dead else "") if failed else ""
    turn: Literal["", "gone", "dead", "recovered"] = ""
    if state != before.get("state", "") and state in ("gone", "dead"):
        turn = "gone" if state == "gone" else "dead"
    elif not failed and _failures(before):
        turn = "recovered"
    status = {
        "outcome": visit.outcome,
        "failures": str(failures) if failures else "",
        "failing_since": stamp(since) if since is not None else "",
        "state": state,
        "reason": visit.reason,
        "detail": visit.detail,
        "last_visit": stamp(now),
        "next_visit": f"{at:%Y-%m-%d %H:%M:%S} UTC, {why}",
    }
    return VisitRecord(status if failed else status | {"last_read": stamp(now)}, at - now, turn)


def same_as_before(visit: Visit, before: Mapping[str, str]) -> bool:
    """Nothing read and nothing newly failed: there is nothing to write."""
    if visit.outcome == "failed":
        return before.get("detail") == visit.detail
    return visit.outcome == "unchanged" and not visit.failures and not before.get("failures")


def merged(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Memory or status as the store has it after a COMMIT: "" took a key away."""
    return {key: value for key, value in {**old, **new}.items() if value}


def abandoned(status: Mapping[str, str], now: datetime) -> bool:
    """Nobody has visited it for a month, though it was due again and again: nobody has it configured."""
    last = moment(status.get("last_visit", ""))
    return last is not None and now - last > _ABANDONED_AFTER


def stamp(at: datetime) -> str:
    """A time as it stands in a status."""
    return at.isoformat(timespec="seconds")


def moment(text: str) -> datetime | None:
    """The time of a stamp, None if it is none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _failures(status: Mapping[str, str]) -> int:
    text = status.get("failures", "")
    return int(text) if text.isascii() and text.isdigit() else 0
