"""Pure: values as the pages show them: times in words, safe links, highlights, charts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from watchpost import plurals
from watchpost.durations import short
from watchpost.schedules import Cron, Daily, Every, Immediate, Schedule

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, highlighted or not."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of a chart: its label, its count, and its position in units of the drawing."""

    label: str
    count: int
    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar for each day; `text` says the same in a sentence."""

    bars: tuple[Bar, ...]
    text: str
    width: int
    height: int

    @property
    def path(self) -> str:
        """All bars as one SVG path (`d`)."""
        return "".join(f"M{bar.x} {self.height}v-{bar.height}h{BAR}v{bar.height}z" for bar in self.bars if bar.height)

    @property
    def slots(self) -> str:
        """The background of all bars, likewise."""
        return "".join(f"M{bar.x} 0h{BAR}v{self.height}h-{BAR}z" for bar in self.bars)


_MARK = re.compile(r"^\[[^\[\]]{1,80}\] (?=.)")

BAR, GAP, HEIGHT = 8, 2, 36


def page_of(query: Mapping[str, str], rows: int, size: int) -> tuple[int, int]:
    """The page of a list that is wanted (from 1), and how many pages there are."""
    asked, pages = query.get("page", "1"), max(1, -(-rows // size))
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else 1
    return min(max(1, number), pages), pages


def safe_link(url: str) -> str:
    """The address if it is http or https with a host, else "": feeds come from strangers."""
    try:
        parts = urlsplit(url.strip())
        fine = parts.scheme in ("http", "https") and parts.hostname
    except ValueError:
        return ""
    return url.strip() if fine and url.strip().isprintable() else ""


def pieces(text: str, spans: Sequence[tuple[int, int]]) -> tuple[Piece, ...]:
    """The text split at the highlights, which are (start, end) in code points and may overlap."""
    found, at = [], 0
    for first, last in sorted(spans):
        start, end = max(first, at), min(last, len(text))
        if start >= end:
            continue
        if start > at:
            found.append(Piece(text[at:start], False))
        found.append(Piece(text[start:end], True))
        at = end
    if at < len(text):
        found.append(Piece(text[at:], False))
    return tuple(found)


def day_and_time(moment: datetime, now: datetime) -> str:
    """A moment as people write it: "25 Nov 08:00", with the year if it is another one."""
    return f"{moment:%d %b %H:%M}" if moment.year == now.year else f"{moment:%d %b %Y %H:%M}"


def plain_subject(subject: str, install: str = "") -> str:
    """A subject without the name of this installation, " [watch.example.org]", which is the same in a whole list.

    Earlier versions wrote the name first.
    """
    ending = f" [{install[:24]}]"
    shorter = subject.removesuffix(ending) if install else subject
    return _MARK.sub("", subject) if shorter == subject else shorter


def chart(labels: Sequence[str], counts: Sequence[int]) -> Chart:
    """A chart that starts at zero; a day with any hit has a visible bar."""
    most = max(counts, default=0)
    bars = []
    for number, (label, count) in enumerate(zip(labels, counts, strict=True)):
        height = max(2, round(count / most * HEIGHT)) if count else 0
        bars.append(Bar(label, count, number * (BAR + GAP), HEIGHT - height, height))
    total, today = sum(counts), counts[-1] if counts else 0
    text = f"{plurals.count(total, 'hit')} in {len(counts)} days; {today} today; busiest day {most}"
    return Chart(tuple(bars), text, len(bars) * (BAR + GAP), HEIGHT)


def schedule_words(schedule: Schedule) -> str:
    """A schedule in words: "08:00, 18:00 on Mon–Fri"."""
    words = _times_in_words(schedule)
    return words if schedule.voices == 1 else f"{words}, with {schedule.voices} voices"


def _times_in_words(schedule: Schedule) -> str:
    match schedule:
        case Immediate(group_wait=wait):
            return f"alert, {short(wait)} after the first hit" if wait else "alert, at once"
        case Daily(at=times, days=days):
            when = ", ".join(f"{moment:%H:%M}" for moment in times)
            return when if len(days) == 7 else f"{when} on {_days(days)}"
        case Every(interval=interval):
            return f"every {short(interval)}"
        case Cron(text=text):
            return f"cron {text}"


def _days(days: Sequence[int]) -> str:
    """Days of the week, as a range where they follow each other: "Mon–Fri"."""
    if len(days) > 2 and list(days) == list(range(days[0], days[0] + len(days))):
        return f"{_DAYS[days[0]]}–{_DAYS[days[-1]]}"
    return ", ".join(_DAYS[day] for day in days)
