"""Still: five fields of crontab(5) → the moments that they mean.

Minute, hour, day of the month, month, day of the week, each a number, a span, a list or a step of them; names of
months and days; 0 and 7 are Sunday, as in Vixie's cron and POSIX. `@daily` and its kin are their five fields. All
functions raise ValueError with a sentence that says what to write.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEK = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_PART = re.compile(r"(?:(\*)|([a-z]{3}|[0-9]{1,2})(?:-([a-z]{3}|[0-9]{1,2}))?)(?:/([0-9]{1,2}))?", re.ASCII)
_FORM = 'a crontab is written like "0 8 * * 1-5": minute, hour, day of the month, month, day of the week'


@dataclass(frozen=True, slots=True)
class Crontab:
    """The moments of a rule. Empty `days` (of the month) and `weekdays` (0 = Monday) mean any.

    If both are given a day fits that fits one of them, as crontab(5) has it. `text` is the rule in one spelling.
    """

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]


def is_crontab(text: str) -> bool:
    """Whether somebody meant a crontab rule rather than a time of day."""
    return text.strip().startswith("@") or len(text.split()) == 5


def read_crontab(text: object) -> Crontab:
    """The rule. One that never comes (31 February) is refused, too."""
    if not isinstance(text, str):
        raise ValueError(_FORM)
    plain = " ".join(text.lower().split())
    if plain.startswith("@") and plain not in _NICKNAMES:
        raise ValueError(f"of the short forms there are {', '.join(_NICKNAMES)}")
    fields = _NICKNAMES.get(plain, plain).split()
    if len(fields) != 5:
        raise ValueError(_FORM)
    minute, hour, day, month, weekday = fields
    found = Crontab(
        " ".join(fields),
        _numbers(minute, "minute", 0, 59),
        _numbers(hour, "hour", 0, 23),
        () if day[0] == "*" and "/" not in day else _numbers(day, "day of the month", 1, 31),
        _numbers(month, "month", 1, 12, _MONTHS),
        () if weekday[0] == "*" and "/" not in weekday else _weekdays(weekday),
    )
    longest = max(_LONGEST[number - 1] for number in found.months)
    if not found.weekdays and found.days and min(found.days) > longest:
        raise ValueError(f"this never comes: there is no day {min(found.days)} in that month")
    return found


def _weekdays(field: str) -> tuple[int, ...]:
    """0 = Monday; both 0 and 7 are Sunday."""
    return tuple(sorted({(number - 1) % 7 for number in _numbers(field, "day of the week", 0, 7, _WEEK)}))


def _numbers(field: str, what: str, low: int, high: int, names: tuple[str, ...] = ()) -> tuple[int, ...]:
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"the {what} cannot be read: {_FORM}")
        every, first, last, step = match.groups()
        begin = low if every else _number(first, what, low, high, names)
        end = high if every or (step and not last) else _number(last or first, what, low, high, names)
        if every and what == "day of the week":
            end = 6
        if end < begin and what == "day of the week" and end == 0:
            end = 7  # sat-sun
        if end < begin or step == "0" or step == "00":
            raise ValueError(f"the {what} runs backwards or has a step of 0")
        found.update(range(begin, end + 1, int(step or 1)))
    return tuple(sorted(found))


def _number(text: str, what: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + (1 if low == 1 else 0)
    if not text.isdigit() or not low <= int(text) <= high:
        raise ValueError(f"the {what} is a number from {low} to {high}{' or a name' if names else ''}")
    return int(text)
