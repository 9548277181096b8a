"""Pure: the page Places: where the events of the last days happened, as a map and as a table, by day.

The map has no coastlines and loads nothing: places are points on lines of latitude and longitude.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from functools import cache
from math import ceil, floor, sqrt
from typing import Any, NamedTuple

from watchpost.match.places import usual_name
from watchpost.model import Hit
from watchpost.names import library

DAYS = 8
"""Today and the seven days before, with which today is compared."""

MOST = 100
LABELLED = 12
WIDTH = 720
_MARGIN = 40
_LETTER, _LINE = 11.0, 20.0  # of a label: about the width of a letter, and the height
_LEAST_DEGREES = 6.0
_UNUSUAL_LEAST, _UNUSUAL_TIMES = 3, 3


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A place with its stories of each day, the oldest first; `at` is degrees north and east, None for a country."""

    name: str
    country: str
    days: tuple[int, ...]
    at: tuple[float, float] | None

    @property
    def total(self) -> int:
        """The stories of all days."""
        return sum(self.days)

    @property
    def is_country(self) -> bool:
        """Whether it is a whole country: the texts name no town of it."""
        country = library.countries().get(self.country)
        return self.at is None and country is not None and self.name in country.names

    @property
    def unusual(self) -> bool:
        """Whether today has three stories or more, and three times as many as an average day before."""
        *before, today = self.days
        return today >= _UNUSUAL_LEAST and today * len(before) >= _UNUSUAL_TIMES * sum(before)


class Point(NamedTuple):
    """A place on the map: where, how large, and its label; `left`: it is on the left of the point.

    The label is "" where it would cover that of a place further up in the table.
    """

    x: float
    y: float
    radius: float
    row: PlaceRow
    label: str
    left: bool


class Box(NamedTuple):
    """The room of a label on the map."""

    left: float
    right: float
    middle: float

    def meets(self, other: Box) -> bool:
        """Whether two labels would be one on the other."""
        return self.left < other.right and other.left < self.right and abs(self.middle - other.middle) < _LINE


class Line(NamedTuple):
    """A line of latitude or longitude, from edge to edge, with its degrees."""

    at: float
    level: bool
    label: str


@dataclass(frozen=True, slots=True)
class EventMap:
    """What the SVG draws, in its own units."""

    height: float
    points: tuple[Point, ...]
    lines: tuple[Line, ...]
    width: int = WIDTH


def page_of_places(hits: Iterable[Hit], today: date, zone: tzinfo, *, more: bool) -> dict[str, Any]:
    """What the template shows. `more`: there were too many hits, and these are the newest."""
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    rows = rows_of(hits, days, zone)
    return {
        "active": "stories",
        "days": days,
        "rows": rows[:MOST],
        "left_out": len(rows[MOST:]),
        "map": map_of(rows[:MOST]),
        "more": more,
    }


def rows_of(hits: Iterable[Hit], days: Sequence[date], zone: tzinfo) -> list[PlaceRow]:
    """The places in which the events of these hits happened; unusual ones first, then by number of stories."""
    stories: dict[tuple[str, str], dict[str, date]] = {}
    for hit in hits:
        day = hit.matched.astimezone(zone).date()
        for place in hit.places:
            if place.event:
                stories.setdefault((place.name, place.country), {}).setdefault(hit.story, day)
    rows = []
    for (name, country), of in stories.items():
        counts = tuple(sum(day == found for found in of.values()) for day in days)
        if any(counts):
            rows.append(PlaceRow(name, country, counts, _coordinates().get((name, country))))
    return sorted(rows, key=lambda row: (not row.unusual, -row.total, row.country, row.name))


def map_of(rows: Sequence[PlaceRow]) -> EventMap | None:
    """The map of these places; None if no town is among them."""
    towns = [(row, *row.at) for row in rows if row.at is not None]
    if not towns:
        return None
    south, north = _span([north for _, north, _ in towns], 80.0)
    west, east = _span([east for _, _, east in towns], 180.0)
    scale = (WIDTH - 2 * _MARGIN) / (east - west)
    height = min(900.0, max(240.0, (north - south) * scale + 2 * _MARGIN))
    steep = (height - 2 * _MARGIN) / (north - south)
    most = max(row.total for row, _, _ in towns)

    def x(degrees: float) -> float:
        return round(_MARGIN + (degrees - west) * scale, 1)

    def y(degrees: float) -> float:
        return round(height - _MARGIN - (degrees - south) * steep, 1)

    points, taken = [], list[Box]()
    for row, at_north, at_east in towns:
        radius, label = round(5 + 15 * sqrt(row.total / most), 1), f"{row.name} {row.total}"
        point = Point(x(at_east), y(at_north), radius, row, "", x(at_east) > WIDTH * 0.7)
        for left in (point.left, not point.left) if len(taken) < LABELLED else ():
            labelled = point._replace(label=label, left=left)
            box = box_of(labelled)
            if box.left >= 0 and box.right <= WIDTH and not any(box.meets(other) for other in taken):
                taken.append(box)
                point = labelled
                break
        points.append(point)
    step = next(one for one in (1, 2, 5, 10, 20, 30, 60) if max(north - south, east - west) / one <= 8)
    lines = [Line(y(one), True, _degrees(one, "N", "S")) for one in _steps(south, north, step)]
    lines += [Line(x(one), False, _degrees(one, "E", "W")) for one in _steps(west, east, step)]
    return EventMap(round(height, 1), tuple(sorted(points, key=lambda point: -point.radius)), tuple(lines))


def box_of(point: Point) -> Box:
    """The room that the label of a point takes beside it."""
    width, gap = _LETTER * len(point.label), point.radius + 4
    begin = point.x - gap - width if point.left else point.x + gap
    return Box(begin, begin + width, point.y)


def _span(values: Sequence[float], limit: float) -> tuple[float, float]:
    """The least and the greatest value, with room around them."""
    low, high = min(values), max(values)
    room = max(1.0, (_LEAST_DEGREES - (high - low)) / 2)
    return max(-limit, low - room), min(limit, high + room)


def _steps(low: float, high: float, step: int) -> list[int]:
    return [one * step for one in range(ceil(low / step), floor(high / step) + 1)]


def _degrees(value: int, plus: str, minus: str) -> str:
    return f"{abs(value)}°{plus if value > 0 else minus if value < 0 else ''}"


@cache
def _coordinates() -> Mapping[tuple[str, str], tuple[float, float]]:
    """The coordinates of towns by the name under which they are shown; the largest of one name counts."""
    found: dict[tuple[str, str], tuple[float, float]] = {}
    own = (place for code in library.known().get("places", {}) for place, _ in library.own_places(code))
    for place in (*library.places(), *own):
        found.setdefault((usual_name(place), place.country), (place.latitude, place.longitude))
    return found
