"""Still: times of day, days of the week and listening addresses as an operator writes them.

All functions raise ValueError with a sentence that says what to write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import time
from ipaddress import ip_address

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_LISTEN = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%]+)\]|(?P<name>[A-Za-z0-9_.-]+)):(?P<port>[0-9]{1,5})")


def time_of_day(text: object) -> time:
    """A naive local time from `08:00` (24 hours, minutes)."""
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError('a time of day is written like "08:00"')
    return time(int(found[1]), int(found[2]))


def times_of_day(texts: Iterable[object]) -> tuple[time, ...]:
    """Times in the order of the day. A repeated time is refused: it would be the same digest."""
    times = [time_of_day(text) for text in texts]
    if not times:
        raise ValueError("at least one time of day is needed")
    if len(set(times)) < len(times):
        raise ValueError("the same time is written twice")
    return tuple(sorted(times))


def days_of_week(value: object) -> tuple[int, ...]:
    """Days (0 = Monday … 6 = Sunday) from `daily`, `mon`, `mon-fri`, or a list of days and spans.

    A span may go over the weekend: `fri-mon` is Friday to Monday.
    """
    if value == "daily":
        return tuple(range(7))
    parts = value if isinstance(value, list | tuple) else [value]
    days: set[int] = set()
    for part in parts:
        ends = part.lower().split("-") if isinstance(part, str) else []
        if not 1 <= len(ends) <= 2 or any(end not in DAYS for end in ends):
            raise ValueError("days are written like daily, mon-fri or [mon, wed]")
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        days |= {day % 7 for day in range(first, last + 1 + (7 if last < first else 0))}
    if not days:
        raise ValueError("at least one day is needed")
    return tuple(sorted(days))


def listen_address(text: object) -> tuple[str, int]:
    """Host and port of `127.0.0.1:8080`, `localhost:8080` or `[::1]:8080`. Port 0 lets the system choose."""
    found = _LISTEN.fullmatch(text) if isinstance(text, str) else None
    if found is None or int(found["port"]) > 65535:
        raise ValueError("an address to listen on is written like 127.0.0.1:8080 or [::1]:8080")
    if found["six"] is not None:
        ip_address(found["six"])
    return found["six"] or found["name"], int(found["port"])


def is_loopback(listen: str) -> bool:
    """True if only this machine can reach what listens there. A name other than localhost counts as no."""
    host, _ = listen_address(listen)
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
