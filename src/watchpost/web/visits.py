"""Pure: since when the news on the first page are new to a reader: since their last visit, or since yesterday evening.

A browser keeps two moments in a cookie: since when the news of this visit are shown, and when the reader last opened a
page. A visit ends half an hour after that. Nothing about readers is stored here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

COOKIE = "watchpost_visit"
KEPT = timedelta(days=90)
"""For so long a browser keeps the cookie."""

PAUSE = timedelta(minutes=30)
LONGEST = timedelta(days=7)
"""After a longer absence only the news of so many days are shown."""

_EVENING = time(18)
_DIGITS = 14


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit: news are shown `since` this moment; None: the reader was not here before. `last`: the last page."""

    since: datetime | None
    last: datetime

    def cookie(self) -> str:
        """The value of the cookie: both moments in milliseconds since 1970."""
        since = 0 if self.since is None else int(self.since.timestamp() * 1000)
        return f"{since}.{int(self.last.timestamp() * 1000)}"


def visit_of(cookie: str, now: datetime, *, updates_itself: bool = False) -> Visit:
    """The visit that a request belongs to, by the cookie of its browser; "" or anything unreadable: the first one.

    A page that `updates_itself` stays in the visit in which it was opened.
    """
    before = _read(cookie)
    if before is None or before.last > now + PAUSE:
        return Visit(None, now)
    if updates_itself:
        return before
    if now - before.last < PAUSE:
        return Visit(before.since, now)
    return Visit(before.last, now)


def seen(now: datetime) -> Visit:
    """The visit of a reader who has seen everything up to now."""
    return Visit(now, now)


def begin_of_news(visit: Visit, now: datetime, zone: tzinfo) -> datetime:
    """Since when news are shown in this visit: a week ago at the earliest, and yesterday 18:00 in the first visit."""
    begin = visit.since or yesterday_evening(now, zone)
    return min(max(begin, now - LONGEST), now)


def yesterday_evening(now: datetime, zone: tzinfo) -> datetime:
    """Yesterday, 18:00 in this zone."""
    day = now.astimezone(zone).date() - timedelta(days=1)
    return datetime.combine(day, _EVENING, zone).astimezone(UTC)


def _read(cookie: str) -> Visit | None:
    since, dot, last = cookie.partition(".")
    if not (dot and all(part.isascii() and part.isdigit() and len(part) <= _DIGITS for part in (since, last))):
        return None
    moments = [datetime.fromtimestamp(int(part) / 1000, UTC) for part in (since, last)]
    return Visit(moments[0] if int(since) else None, moments[1])
