"""Pure: what a server's headers and a feed's document ask, and how that is remembered between visits.

RFC 9111 (Cache-Control, Expires, Age), RSS 2.0 (ttl, skipHours, skipDays).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from watchpost.documents.results import FeedHints
from watchpost.durations import in_words
from watchpost.http_headers import http_date
from watchpost.poll.schedule import Interval, MinimumWait

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,12})", re.IGNORECASE)
_NO_STORE = re.compile(r"(?:^|[\s,])no-(?:store|cache)\b", re.IGNORECASE)
_FAR_SECONDS = 10**9  # absurd wishes stay countable; due.py makes a day of them


def remembered(headers: Mapping[str, str], known: Mapping[str, str], *, unchanged: bool) -> dict[str, str]:
    """`fresh` (how long the answer stays fresh, in seconds) and `fresh_by` (who says so), "" if nobody says.

    A 304 replaces what it names and leaves the rest (RFC 9111, 3.2).
    """
    said = headers.get("cache-control", "")
    maximum = _MAX_AGE.search(said)
    if _NO_STORE.search(said):
        return {"fresh": "", "fresh_by": ""}
    if maximum:
        return {"fresh": str(min(int(maximum[1]), _FAR_SECONDS)), "fresh_by": "max-age"}
    if "expires" in headers:
        end, start = http_date(headers["expires"]), http_date(headers.get("date", ""))
        seconds = 0 if end is None or start is None else int((end - start).total_seconds())
        return {"fresh": str(min(seconds, _FAR_SECONDS)) if seconds > 0 else "", "fresh_by": "Expires"}
    if unchanged and not said:
        return {"fresh": known.get("fresh", ""), "fresh_by": known.get("fresh_by", "")}
    return {"fresh": "", "fresh_by": ""}


def remember(asks: FeedHints) -> dict[str, str]:
    """What a document asks, as text for the source's memory; "" for what it does not ask."""
    return {
        "ttl": _seconds_text(asks.ttl),
        "update_every": _seconds_text(asks.update_every),
        "skip_hours": ",".join(map(str, asks.skip_hours)),
        "skip_days": ",".join(map(str, asks.skip_days)),
        "hub": asks.hub[:500],
        "self": asks.self_url[:500],
    }


def pace(memory: Mapping[str, str], headers: Mapping[str, str], *, adaptive: bool) -> Interval:
    """What a feed's memory and the headers of its last answer say about the next visit."""
    floors = []
    fresh = _span(memory.get("fresh", ""))
    if fresh is not None:
        left = fresh - (_span(headers.get("age", "")) or timedelta(0))
        if left > timedelta(0):
            floors.append(MinimumWait(left, f"the server says {memory.get('fresh_by', '')} {in_words(left)}"))
    if (ttl := _span(memory.get("ttl", ""))) is not None:
        floors.append(MinimumWait(ttl, f"the feed says ttl {in_words(ttl)}"))
    if (update := _span(memory.get("update_every", ""))) is not None:
        floors.append(MinimumWait(update, f"the feed says that it changes every {in_words(update)}"))
    return Interval(
        every=_span(memory.get("pace", "")) if adaptive else None,
        floors=tuple(floors),
        skip_hours=_numbers(memory.get("skip_hours", ""), 24),
        skip_days=_numbers(memory.get("skip_days", ""), 7),
    )


def after_failure(seconds: float | None, memory: Mapping[str, str]) -> Interval:
    """The pace after a failure, with a Retry-After of so many seconds: nothing was read that could stay fresh."""
    floors: tuple[MinimumWait, ...] = ()
    if seconds is not None and seconds > 0:
        span = timedelta(seconds=min(seconds, _FAR_SECONDS))
        floors = (MinimumWait(span, f"the server asked for {in_words(span)}"),)
    return Interval(
        floors=floors,
        skip_hours=_numbers(memory.get("skip_hours", ""), 24),
        skip_days=_numbers(memory.get("skip_days", ""), 7),
    )


def _span(text: str) -> timedelta | None:
    """Whole seconds; what is no number, or zero, is nothing."""
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 12) or not int(text):
        return None
    return timedelta(seconds=min(int(text), _FAR_SECONDS))


def _seconds_text(span: timedelta | None) -> str:
    return str(int(span.total_seconds())) if span is not None and span >= timedelta(seconds=1) else ""


def _numbers(text: str, below: int) -> tuple[int, ...]:
    found = (int(part) for part in text.split(",") if part.isascii() and part.isdigit() and len(part) < 3)
    return tuple(number for number in found if number < below)
