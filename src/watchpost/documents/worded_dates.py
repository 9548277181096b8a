"""Pure: a date among other words, or in another order, becomes the text that the forms of a date fit.

"20:05, 14 January 2023", "Published on January 14, 2023", "2023年1月14日(土) 20时05分", "14/01/2023 | 20:05 WIB".
"""

from __future__ import annotations

import re

from watchpost.documents.date_names import month_of

_OF = r"(?:de\s|del\s|d[’']\s?|of\s)?"
_MONTH = r"(?P<mon>[^\s\d_,.;:/()،-]{2,20}(?:\sال[^\s\d]{2,10})?|[\u0e00-\u0eff]{1,3}\.[\u0e00-\u0eff]{1,3})\.?"
_DAYS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<!\d)(?P<y>\d{4})(?:[-/.]\s?|年\s?|년\s?)(?P<m>\d{1,2})(?:[-/.]\s?|月\s?|월\s?)(?P<d>\d{1,2})(?:[日일.]|(?!\d))",
        rf"(?<!\d)(?P<d>\d{{1,2}})(?:er|st|nd|rd|th|º|\.)?[\s/-]?{_OF}{_MONTH},?[\s/-]?{_OF}(?P<y>\d{{4}})(?!\d)",
        rf"{_MONTH}\s(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s(?P<y>\d{{4}})(?!\d)",
        rf"(?<!\d)(?P<y>\d{{4}})(?:\s?(?:ж|оны)\.?)?\s(?P<d>\d{{1,2}})[\s.]\s?{_MONTH}",
        r"(?<!\d)(?P<slashed>\d{1,2}(?P<sep>[/.-])\d{1,2}(?P=sep)\d{4})(?!\d)",
    )
)
_CLOCK = re.compile(
    r"(?P<half>오전|上午|午前|오후|下午|午後)?\s?(?<![\d.:+-])(?P<h>\d{1,2})(?:\s?[:.h]\s?|\s?[시时時点點]\s?)"
    r"(?P<mi>\d{2})[분分]?(?:[:.](?P<s>\d{2})(?:[.,]\d{1,12})?)?(?!\d)\s?(?P<ap>[ap]\.?\s?m\b\.?|[صم]\b)?",
    re.IGNORECASE,
)
_HOUR = re.compile(r"(?<![\d.:+-])(?P<h>0?\d|1[0-2])\s?(?P<ap>[ap]\.?\s?m\b\.?)", re.IGNORECASE)
_AFTERNOON = frozenset({"오후", "下午", "午後"})
_ZONE = re.compile(
    r"(?:UTC|GMT)?\s?[+−–-]\s?\d{1,2}(?::?\d{2})?(?!\d)|[A-Za-z_]{2,20}/[A-Za-z_+-]{2,30}|(?<![^\W\d_])[A-ZМСК]{2,5}\b"
)
_CLOCK_OF_GO = re.compile(r"\sm=[+-][\d.]{1,30}\Z")  # time.String of Go adds it
_WORDS_MAX = 40  # letters beside a date and its time: "Published on", "Thứ bảy"; more are a sentence


def reordered(text: str) -> str:
    """The one date in `text` as "2023-01-14 20:05:00 WIB"; "" if there is none, or other figures or a sentence beside.

    `text` has single blanks and at most 100 characters.
    """
    text = _CLOCK_OF_GO.sub("", text)
    day = next((match for form in _DAYS for match in form.finditer(text) if _is_day(match)), None)
    if day is None:
        return ""
    before, after = text[: day.start()], text[day.end() :]
    clock = next((match for part in (after, before) for form in (_CLOCK, _HOUR) if (match := form.search(part))), None)
    written = _day(day)
    if clock is None:
        rest = before + after
    else:
        zone = _ZONE.search(clock.string, clock.end())
        written += " " + _time(clock) + (f" {zone[0].strip()}" if zone else "")
        rest = (before if clock.string is after else after) + clock.string[: clock.start()]
        rest += clock.string[clock.end() : zone.start()] + clock.string[zone.end() :] if zone else ""
    is_alone = not any(map(str.isdigit, rest)) and sum(map(str.isalpha, rest)) <= _WORDS_MAX
    return written if is_alone else ""


def _is_day(match: re.Match[str]) -> bool:
    return match.groupdict().get("mon") is None or month_of(match["mon"]) > 0


def _day(match: re.Match[str]) -> str:
    parts = match.groupdict()
    if parts.get("slashed"):
        return str(parts["slashed"])
    month = int(parts["m"]) if parts.get("m") else month_of(str(parts["mon"]))
    return f"{parts['y']}-{month:02}-{int(match['d']):02}"


def _time(match: re.Match[str]) -> str:
    parts = match.groupdict()
    half = "pm" if parts.get("half") in _AFTERNOON else "am" if parts.get("half") else parts.get("ap") or ""
    return f"{match['h']}:{parts.get('mi') or '00'}:{parts.get('s') or '00'} {half}".strip()
