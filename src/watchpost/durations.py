"""Pure: durations as the configuration writes them ("1h30m") and as people read them ("1 hour 30 minutes").

`written` and `parse` are each other's inverse from a millisecond up; the other functions round.
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta, tzinfo

from watchpost import plurals

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31_536_000.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_SECONDS = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
_YEAR_SECONDS = 31_557_600

_WHOLE_DAYS_FROM = 7  # the hours no longer matter to a reader


def parse(value: object) -> timedelta:
    """The duration that an operator wrote: "90s", "10m", "1h30m", "2d", "2y" (of 365 days).

    Raises ValueError that says how to write it.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{value} needs a unit; write it like {value}m")
    parts = _PART.findall(value) if isinstance(value, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != str(value).replace(" ", ""):
        raise ValueError("this is not a duration; write it like 30s, 10m, 1h30m or 2d")
    try:
        return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))
    except OverflowError:
        raise ValueError("this duration is too long; write at most 999999999d") from None


def since(text: str, now: datetime, zone: tzinfo) -> datetime:
    """The past moment that a person names: "12h" or "7d" before `now`, "today", "yesterday", a date, or a time.

    Days begin at midnight in `zone`; a time without an offset is in `zone`. Raises ValueError with ways to write it.
    """
    today = now.astimezone(zone).date()
    try:
        if text in ("today", "yesterday"):
            day = today if text == "today" else today - timedelta(days=1)
            moment = datetime.combine(day, time(), zone)
        elif _DATE.match(text):
            moment = datetime.fromisoformat(text)
            moment = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
        else:
            moment = now - parse(text)
    except (ValueError, OverflowError):
        raise ValueError(
            f"'{text}' is not a time; write it like 12h, 7d, yesterday, 2026-11-20 or 2026-11-20T08:00Z"
        ) from None
    if moment >= now:
        raise ValueError(f"'{text}' is not in the past")
    return moment


def written(span: timedelta) -> str:
    """A duration as the configuration has it: "1h30m", "500ms", "0s"."""
    if span % timedelta(seconds=1):
        return f"{span // timedelta(milliseconds=1)}ms"
    rest, text = int(span.total_seconds()), ""
    for name, size in _SECONDS.items():
        number, rest = divmod(rest, size)
        text += f"{number}{name[0]}" if number else ""
    return text or "0s"


def in_words(span: timedelta) -> str:
    """A duration in full words and at most two units: "10 minutes", "1 hour 20 minutes", "0.5 seconds"."""
    seconds = span.total_seconds()
    if seconds < 1:
        return f"{seconds:g} seconds"
    rest, parts = round(seconds), []
    for name, size in _SECONDS.items():
        number, rest = divmod(rest, size)
        if number:
            parts.append(plurals.count(number, name))
    return " ".join(parts[:2])


def short(span: timedelta, units: tuple[str, ...] = ("d", "h", "min", "s")) -> str:
    """A duration in a narrow column: "42 s", "90 s", "25 min", "3 h 20 min", "2 d 4 h", "12 d".

    `units` are the words of another language for day, hour, minute and second; without one for the second the
    duration is rounded to minutes.
    """
    seconds = round(span.total_seconds())
    if len(units) > 3 and (seconds < 60 or (seconds < 120 and seconds % 60)):
        return f"{seconds} {units[3]}"
    minutes = round(seconds / 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days >= _WHOLE_DAYS_FROM:
        return f"{days} {units[0]}"
    numbers = (days, hours, 0 if days else rest)
    parts = [f"{number} {unit}" for number, unit in zip(numbers, units, strict=False) if number]
    return " ".join(parts) or f"0 {units[2]}"


def ago(moment: datetime, now: datetime) -> str:
    """When something was or will be, seen from now: "just now", "5 min ago", "3 years ago", "in 2 h"."""
    seconds = int((now - moment).total_seconds())
    if 0 <= seconds < 60:
        return "just now"
    size = abs(seconds)
    if size < 60:
        text = f"{size} s"
    elif size < 7200:
        text = f"{size // 60} min"
    elif size < 2 * 86400:
        text = f"{size // 3600} h"
    elif size < 2 * _YEAR_SECONDS:
        text = f"{size // 86400} days"
    else:
        text = f"{size // _YEAR_SECONDS} years"
    return f"{text} ago" if seconds > 0 else f"in {text}"
