"""Still: what a feed document asks of those who poll it, read from what stands before its first entry."""

from __future__ import annotations

import html
import re
from datetime import timedelta

from watchpost.poll.due import Asks

_HEAD = 65_536
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 720, "yearly": 8760}  # hours
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TTL = re.compile(r"<ttl>\s{0,99}([0-9]{1,7})\s{0,99}</ttl>", re.IGNORECASE)
_PERIOD = re.compile(r"<sy:updatePeriod(?:\s[^<>]{0,200})?>\s{0,99}([a-z]{1,9})\s{0,99}</", re.IGNORECASE)
_FREQUENCY = re.compile(r"<sy:updateFrequency(?:\s[^<>]{0,200})?>\s{0,99}([0-9]{1,5})\s{0,99}</", re.IGNORECASE)
_HOUR = re.compile(r"<hour>\s{0,99}([0-9]{1,2})\s{0,99}</hour>", re.IGNORECASE)
_DAY = re.compile(r"<day>\s{0,99}([a-z]{6,9})\s{0,99}</day>", re.IGNORECASE)
_LINK = re.compile(r"<(?:[\w-]{1,20}:)?link\s([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w:-]{1,30})\s{0,9}=\s{0,9}["']([^"'<>]{0,2000})["']""")


def asks_of(document: bytes, first_entry: int) -> Asks:
    """What the UTF-8 `document` asks for before byte `first_entry`, in its first 64 kB.

    ttl, skipHours, skipDays: RSS 2.0; in skipHours 24 is midnight, as RSS 0.91 had it. sy: RSS 1.0 Syndication.
    hub, self: WebSub, 4.
    """
    head = document[: min(first_entry, _HEAD)].decode("utf-8", "replace")
    ttl, period, often = _TTL.search(head), _PERIOD.search(head), _FREQUENCY.search(head)
    hours = _PERIODS.get(period[1].lower(), 0) if period else 0
    frequency = max(int(often[1]), 1) if often else 1
    links = _links(head)
    return Asks(
        ttl=timedelta(minutes=int(ttl[1])) if ttl and int(ttl[1]) else None,
        update_every=timedelta(hours=hours) / frequency if hours else None,
        skip_hours=tuple(sorted({int(hour) % 24 for hour in _HOUR.findall(head) if int(hour) <= 24})),
        skip_days=tuple(sorted({_DAYS.index(day.lower()) for day in _DAY.findall(head) if day.lower() in _DAYS})),
        hub=links.get("hub", ""),
        self_url=links.get("self", ""),
    )


def _links(head: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for link in _LINK.finditer(head):
        attributes = {name.lower(): html.unescape(value).strip() for name, value in _ATTRIBUTE.findall(link[1])}
        href = attributes.get("href", "")
        for rel in attributes.get("rel", "").lower().split():
            if href.startswith(("http://", "https://")):
                found.setdefault(rel, href)
    return found
