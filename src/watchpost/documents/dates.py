"""Pure: dates of feeds, pages and mails, in one format after the other.

RFC 5322 and RFC 822 dates, ISO 8601, Unix time, month names in several languages, `2020/1/10`, `15/12/2021`. A date
that has to be guessed is no date: the caller then uses the time at which it was first seen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=48)

# Minutes east of Greenwich. RFC 822's names first; where a name has two meanings, the one that feeds use most.
_ZONES = {
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "MEZ": 60, "WAT": 60,
    "CEST": 120, "MESZ": 120, "EET": 120, "SAST": 120, "CAT": 120, "EEST": 180, "MSK": 180, "EAT": 180, "TRT": 180,
    "GST": 240, "PKT": 300, "IST": 330, "NPT": 345, "ICT": 420, "WIB": 420, "HKT": 480, "SGT": 480, "AWST": 480,
    "JST": 540, "KST": 540, "ACST": 570, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
    "ART": -180, "BRT": -180, "AST": -240, "ADT": -180, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300,
    "MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600,
}  # fmt: skip

# Beginnings of month names without accents; longer ones first, because "mar" is also how "mars" begins.
_MONTHS = (
    ("jan ene gen янв يناير", 1), ("feb fev fevr fév фев", 2), ("mar mär maerz mrt мар", 3), ("apr avr abr апр", 4),
    ("may mai mag mei maj мая май", 5), ("juin jun giu июн", 6), ("juil jul lug июл", 7), ("aug aou ago авг", 8),
    ("sep set сен", 9), ("oct okt ott out окт", 10), ("nov ноя", 11), ("dec dez dic déc дек", 12),
)  # fmt: skip
_MONTH_BY_START = {start: number for starts, number in _MONTHS for start in starts.split()}

_TIME = (
    r"(?:[T ,]+(?:at\s+|um\s+|à\s+)?(?P<h>\d{1,2})[:.h](?P<mi>\d{2})(?:[:.](?P<s>\d{2})(?:[.,]\d+)?)?"
    r"\s*(?P<ap>[ap]\.?m\.?)?)?"
)
_ZONE = (
    r"(?:\s*(?P<zone>[+-]\d{2}:?\d{2}|[+-]\d{1,2}|\(?[A-Za-z]{1,5}\)?(?:[+-]\d{1,2}(?::?\d{2})?)?))?(?:\s*\([^)]*\))?"
)
_NAME = r"(?P<mon>[^\W\d_]{3,12})\.?"
_WEEKDAY = r"(?:[^\W\d_]{2,12}\.?\s*,?\s+)?"
_FORMS = tuple(
    re.compile(pattern + r"\s*", re.IGNORECASE)
    for pattern in (
        rf"{_WEEKDAY}(?P<d>\d{{1,2}})(?:er|st|nd|rd|th|º|\.)?[\s-]+(?:de\s+)?{_NAME},?[\s-]+(?:de\s+)?(?P<y>\d{{4}}|\d{{2}})(?:\s*г\.)?{_TIME}{_ZONE}",
        rf"{_WEEKDAY}{_NAME}\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>\d{{4}}){_TIME}{_ZONE}",
        rf"{_WEEKDAY}{_NAME}\s+(?P<d>\d{{1,2}})\s+(?P<h>\d{{1,2}}):(?P<mi>\d{{2}}):(?P<s>\d{{2}}){_ZONE}\s+(?P<y>\d{{4}})",
        rf"(?P<y>\d{{4}})[-/.年](?P<m>\d{{1,2}})[-/.月](?P<d>\d{{1,2}})日?{_TIME}{_ZONE}",
    )
)
_SLASHED = re.compile(
    rf"(?P<a>\d{{1,2}})(?P<sep>[/.-])(?P<b>\d{{1,2}})(?P=sep)(?P<y>\d{{4}}){_TIME}{_ZONE}\s*", re.IGNORECASE
)


def parse_date(text: str, now: datetime, *, day_first: bool | None = None) -> datetime | None:
    """The moment that `text` names, in UTC; None if unreadable, before 1990, or more than 48 h after `now`.

    A date without a zone is taken as UTC. `day_first` decides `11/12/2026`; None leaves such a date unknown.
    """
    text = text.strip()
    if not 6 <= len(text) <= 100:
        return None
    try:
        moment = _unix(text) or _iso(text) or _named(text) or _slashed(text, day_first)
    except (ValueError, OverflowError):  # 31 February, hour 25, offset 99:00
        return None
    return moment if moment is not None and OLDEST <= moment <= now + AHEAD else None


def slashed_order(texts: Iterable[str]) -> bool | None:
    """Whether these dates have the day first: True, False, or None if it is undecided or they differ."""
    votes: set[bool] = set()
    for text in texts:
        match = _SLASHED.fullmatch(text.strip())
        if match and match["sep"] != ".":
            first, second = int(match["a"]), int(match["b"])
            if first > 12 >= second:
                votes.add(True)
            elif second > 12 >= first:
                votes.add(False)
    return votes.pop() if len(votes) == 1 else None


def _unix(text: str) -> datetime | None:
    if re.fullmatch(r"[0-9]{9,10}(\.[0-9]+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    return datetime.fromtimestamp(int(text) / 1000, UTC) if re.fullmatch(r"[0-9]{12,13}", text) else None


def _iso(text: str) -> datetime | None:
    if not re.match(r"[0-9]{4}-?[0-9W]", text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def _named(text: str) -> datetime | None:
    for form in _FORMS:
        match = form.fullmatch(text)
        if match is None:
            continue
        parts = match.groupdict()
        month = int(parts["m"]) if parts.get("m") else _month(parts.get("mon") or "")
        if month:
            return _build(_year(parts["y"]), month, int(parts["d"]), parts)
    return None


def _slashed(text: str, day_first: bool | None) -> datetime | None:
    match = _SLASHED.fullmatch(text)
    if match is None:
        return None
    first, second = int(match["a"]), int(match["b"])
    if match["sep"] == "." or first > 12 or first == second:
        day_first = True  # with full stops the day comes first
    elif second > 12:
        day_first = False
    if day_first is None:
        return None
    day, month = (first, second) if day_first else (second, first)
    return _build(int(match["y"]), month, day, match.groupdict())


def _build(year: int, month: int, day: int, parts: dict[str, str | None]) -> datetime | None:
    hour, minute = int(parts.get("h") or 0), int(parts.get("mi") or 0)
    second = min(int(parts.get("s") or 0), 59)  # a leap second is written 60
    am_or_pm = (parts.get("ap") or "").casefold()[:1]
    if am_or_pm:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if am_or_pm == "p" else 0)
    offset = _offset(parts.get("zone") or "")
    if offset is None:
        return None
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset)).astimezone(UTC)


def _offset(zone: str) -> timedelta | None:
    zone = zone.strip("()").upper()
    match = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?", zone)
    if match:
        size = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        return -size if match[1] == "-" else size
    if not zone:
        return timedelta(0)
    return timedelta(minutes=_ZONES[zone]) if zone in _ZONES else None


def _month(name: str) -> int:
    name = name.casefold()
    plain = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c) or c == "\u0306")
    plain = unicodedata.normalize("NFC", plain)  # й stays й
    for length in (5, 4, 3):
        number = _MONTH_BY_START.get(plain[:length]) or _MONTH_BY_START.get(name[:length])
        if number:
            return number
    return 0


def _year(digits: str) -> int:
    """RFC 5322, 4.3: two digits below 50 belong to this century."""
    year = int(digits)
    return year if len(digits) == 4 else year + (2000 if year < 50 else 1900)
