"""Pure: dates of feeds, pages and mails, in one format after the other.

RFC 5322 and RFC 822 dates, ISO 8601, Unix time, month names in several languages, `2020/1/10`, `15/12/2021`. A date
that has to be guessed is no date: the caller then uses the time at which it was first seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from watchpost.documents.date_names import month_of, zone_offset
from watchpost.documents.worded_dates import reordered

OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=48)

# A text has no two spaces in a row when it comes here: each repeated space would be tried in each place.
_TIME = (
    r"(?:[T ,،:]+(?:at\s|um\s|à\s|om\s|о\s|в\s|klo\s|godz\.\s|-\s)?(?P<h>\d{1,2})(?:[:.h](?=\d\d)|:)(?P<mi>\d{1,2})"
    r"(?:(?:[:.](?=\d\d)|:)(?P<s>\d{1,2})(?:[.,]\d{1,12})?)?\s?(?P<ap>[ap]\.?\s?m\b\.?|[صم]\b)?)?"
)
# A zone is an offset ("-10:00", "+0000 UTC", "GMT+2"), a name, a region ("Europe/Paris"), or whatever else follows.
_ZONE = (
    r"(?:\s?(?P<zone>(?:UTC|GMT)?\s?[+−–-]\s?\d{1,2}(?::?\d{2}){0,2}(?:[\s(\[][^\d]{1,40})?"
    r"|[\[(]?[A-Za-z_]{2,20}(?:/[A-Za-z_+-]{2,30}\d{0,2}){1,2}[\])]?|[A-Z]{3}\d[A-Z]{3}"
    r"|\(?[^\W\d_]{1,10}\)?|[(\[][^\d()\[\]]{1,40}[)\]]))?"
    r"(?:\s[^\d]{1,60}|\s?[(\[][^()\[\]]{0,60}[)\]])?"
)
# A month: "Jan.", "تشرين الثاني", and Thai's abbreviations, which have full stops within.
_NAME = r"(?P<mon>[^\s\d_,.;:/()،-]{2,20}(?:\sال[^\s\d]{2,10})?|[\u0e00-\u0eff]{1,3}\.[\u0e00-\u0eff]{1,3})\.?"
_WEEKDAY = r"(?:[^\s\d,،.]{2,20}\.?(?:\s?[,،]\s?|\s)){0,2}"
_OF = r"(?:de\s|del\s|d[’']\s?|of\s)?"
_FORMS = tuple(
    re.compile(pattern + r"\s?", re.IGNORECASE)
    for pattern in (
        rf"{_WEEKDAY}(?P<d>\d{{1,2}})(?:er|st|nd|rd|th|º|\.)?[\s/-]+{_OF}{_NAME},?[\s/-]+{_OF}"
        rf"(?P<y>\d{{4}}|\d{{2}})(?:\s?(?:г|р)\.)?{_TIME}{_ZONE}",
        rf"{_WEEKDAY}{_NAME}\s(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s(?P<y>\d{{4}}){_TIME}{_ZONE}",
        rf"{_WEEKDAY}{_NAME}\s(?P<d>\d{{1,2}})\s(?P<h>\d{{1,2}}):(?P<mi>\d{{2}}):"
        rf"(?P<s>\d{{2}})(?:{_ZONE})\s(?P<y>\d{{4}})",
        rf"(?P<y>\d{{4}})(?:[-/.年]|년\s?)(?P<m>\d{{1,2}})(?:[-/.月]|월\s?)(?P<d>\d{{1,2}})[日일]?{_TIME}{_ZONE}",
        rf"(?P<y>\d{{4}})\.?[\s/-]{_NAME}[\s/-](?P<d>\d{{1,2}})\.?,?{_TIME}{_ZONE}",
        rf"{_WEEKDAY}(?P<d>\d{{1,2}})\s(?P<m>\d{{1,2}})\s(?P<y>\d{{4}}){_TIME}{_ZONE}",
        rf"{_WEEKDAY}(?P<d>\d{{1,2}})\s(?:tháng|thg)\s(?P<m>\d{{1,2}}),?\s(?P<y>\d{{4}}){_TIME}{_ZONE}",
    )
)
_SLASHED = re.compile(
    rf"(?P<a>\d{{1,2}})(?P<sep>[/.-])(?P<b>\d{{1,2}})(?P=sep)(?P<y>\d{{4}}){_TIME}{_ZONE}\s?", re.IGNORECASE
)
# ASP.NET's JSON (https://learn.microsoft.com/dotnet/standard/datetime/system-text-json-support); Go prints a zone that
# has no name as its offset again.
_OF_DOTNET = re.compile(r"\\?/Date\((\d{12,13})(?:[+-]\d{4})?\)\\?/")
_TWICE = re.compile(r"(\s[+-]\d{4})\1\Z")
_DATETIME = re.compile(r"""<time\s[^<>]{0,500}?\bdatetime\s{0,9}=\s{0,9}["']([^"'<>]{6,60})["']""", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{1,500}>")
_BUDDHIST = 543  # years by which Thailand counts more
# Turns digits of other scripts into those of ASCII.
_DIGITS = {zero + n: str(n) for zero in (0x660, 0x6F0, 0x966, 0x9E6, 0xE50) for n in range(10)}


def parse_date(text: str, now: datetime, *, day_first: bool | None = None, alone: bool = False) -> datetime | None:
    """The moment that `text` names, in UTC; None if unreadable, before 1990, or more than 48 h after `now`.

    A date without a zone, or in one that nobody knows, is taken as UTC. `day_first` decides `11/12/2026`;
    None leaves such a date unknown. With `alone` the text is no date if it has other words beside it.
    Of markup (Drupal writes `<time datetime="…">` into feeds) the machine's date counts, else its text.
    """
    text = _spaced(_without_markup(text) if "<" in text else text)
    if not 6 <= len(text) <= 100:
        return None
    if not text.isascii():
        text = text.translate(_DIGITS)
    text = text.strip(" .,;:|")
    try:
        moment = _read(text, day_first) or (None if alone else _read(reordered(text), day_first))
    except (ValueError, OverflowError):  # 31 February, hour 25, offset 99:00
        return None
    return moment if moment is not None and OLDEST <= moment <= now + AHEAD else None


def first_date(texts: Iterable[str], now: datetime, *, day_first: bool | None = None) -> datetime | None:
    """The first of these that parse_date can read: before it may be the year -0001 of a draft, or an empty one."""
    return next((moment for text in texts if text and (moment := parse_date(text, now, day_first=day_first))), None)


def _without_markup(text: str) -> str:
    text = text[:1_000]
    machine = _DATETIME.search(text)
    return machine[1] if machine else _TAG.sub(" ", text)


def _read(text: str, day_first: bool | None) -> datetime | None:
    if of_dotnet := _OF_DOTNET.fullmatch(text):
        return _unix(of_dotnet[1])
    text = _TWICE.sub(r"\1", text)
    if not text[:1].isdigit():
        return _named(text)
    return _unix(text) or _iso(text) or _named(text) or _slashed(text, day_first)


def slashed_order(texts: Iterable[str]) -> bool | None:
    """Whether these dates have the day first: True, False, or None if it is undecided or they differ."""
    votes: set[bool] = set()
    for text in texts:
        match = _SLASHED.fullmatch(_spaced(text)) if "/" in text or "-" in text else None
        if match and match["sep"] != ".":
            first, second = int(match["a"]), int(match["b"])
            if first > 12 >= second:
                votes.add(True)
            elif second > 12 >= first:
                votes.add(False)
    return votes.pop() if len(votes) == 1 else None


def _spaced(text: str) -> str:
    """The text with single spaces; of a long one the beginning, which is too long for a date."""
    return " ".join(text[:1_000].split())


def _unix(text: str) -> datetime | None:
    if re.fullmatch(r"[0-9]{9,10}(\.[0-9]+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    if re.fullmatch(r"20[0-9]{10}(?:[0-9]{2})?", text):  # digits alone; as milliseconds this would be before 1977
        return datetime.strptime(text.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
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
        month = int(parts["m"]) if parts.get("m") else month_of(parts.get("mon") or "")
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
    if am_or_pm and hour <= 12:
        hour = hour % 12 + (12 if am_or_pm in "pم" else 0)
    days = timedelta(days=int((hour, minute, second) == (24, 0, 0)))  # ISO 8601: the end of a day
    local = datetime(year, month, day, 0 if days else hour, minute, second) + days  # noqa: DTZ001 - its zone follows
    return (local - zone_offset(parts.get("zone") or "", local)).replace(tzinfo=UTC)


def _year(digits: str) -> int:
    """RFC 5322, 4.3: two digits below 50 belong to this century. Years of the Buddhist era are converted."""
    year = int(digits)
    if 2500 <= year < 2700:
        return year - _BUDDHIST
    return year if len(digits) == 4 else year + (2000 if year < 50 else 1900)
