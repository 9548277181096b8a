"""Where events happened: rows by place and day, what is unusual, and the map."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.making import article, hit
from tests.web.web_app import found, pages
from watchpost.match.places import usual_name
from watchpost.model import Hit, NamedPlace
from watchpost.names import library
from watchpost.store.client import Store
from watchpost.web.pages.places import DAYS, WIDTH, PlaceRow, box_of, map_of, page_of_places, rows_of

TODAY = date(2026, 11, 27)
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
DATES = [TODAY - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
GAO = NamedPlace("Gao", "ML", event=True)


def at(story: str, *places: NamedPlace, back: float = 0) -> Hit:
    return hit(article=article(story), story=story, places=places, matched=NOON - timedelta(days=back))


def test_a_story_counts_once_where_it_happened_and_not_where_it_is_only_named() -> None:
    named = NamedPlace("Kidal", "ML")
    hits = [at("a", GAO, named, back=1), at("a", GAO), at("b", GAO), at("c", named), at("old", GAO, back=30)]
    (row,) = rows_of(hits, DATES, UTC)
    assert (row.name, row.days[-2:], row.total) == ("Gao", (1, 1), 2)
    assert row.at is not None
    assert 15 < row.at[0] < 18


def test_a_day_is_one_of_the_zone() -> None:
    late = at("a", GAO, back=-0.49)
    (row,) = rows_of([late], DATES, UTC)
    assert row.days[-1] == 1
    assert rows_of([late], DATES, ZoneInfo("Asia/Tokyo")) == [], "it is tomorrow there"


@pytest.mark.parametrize(
    ("days", "unusual"),
    [
        ((0, 0, 0, 0, 0, 0, 0, 3), True),
        ((0, 0, 0, 0, 0, 0, 0, 2), False),
        ((1, 1, 1, 1, 1, 1, 1, 3), True),
        ((2, 2, 2, 2, 2, 2, 2, 5), False),
        ((0, 0, 9, 0, 0, 0, 0, 0), False),
    ],
)
def test_unusual_is_three_times_an_average_day(days: tuple[int, ...], unusual: bool) -> None:
    assert PlaceRow("Gao", "ML", days, None).unusual is unusual


@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180), st.integers(1, 500)), min_size=1, max_size=40))
def test_every_town_is_on_the_map(towns: list[tuple[float, float, int]]) -> None:
    rows = [PlaceRow(f"t{number}", "ML", (total,), (north, east)) for number, (north, east, total) in enumerate(towns)]
    drawn = map_of([row for row in rows if row.at is not None and abs(row.at[0]) <= 80])
    if drawn is None:
        return
    assert 240 <= drawn.height <= 900
    for point in drawn.points:
        assert 0 <= point.x <= WIDTH
        assert 0 <= point.y <= drawn.height
        assert 5 <= point.radius <= 20
    boxes = [box_of(point) for point in drawn.points if point.label]
    assert not any(one.meets(other) for number, one in enumerate(boxes) for other in boxes[:number])
    assert drawn.points == () or boxes, "the first place has a label"


def test_a_country_is_in_the_table_and_not_on_the_map() -> None:
    values = page_of_places([at("a", NamedPlace("Mali", "ML", event=True))], TODAY, UTC, more=False)
    assert [row.name for row in values["rows"]] == ["Mali"]
    assert values["map"] is None


async def test_the_page_has_a_map_and_the_same_as_a_table(store: Store) -> None:
    for number in range(3):
        about = article(f"Gao, Mali {number}")
        await found(store, about, places=(GAO,), matched=datetime.now(UTC))
    async with pages(store) as address, httpx.AsyncClient(base_url=address) as client:
        text = (await client.get("/places")).text
    assert "Gao 3</text>" in text
    assert "unusual" in text
    assert "Table: Stories by place and day" in text
    assert "http:" not in text.replace(address, "")


async def test_the_api_counts_the_same(store: Store) -> None:
    for number in range(3):
        await found(store, article(f"Gao, Mali {number}"), places=(GAO,), matched=datetime.now(UTC))
    async with pages(store) as address, httpx.AsyncClient(base_url=address) as client:
        given = (await client.get("/api/v1/places")).json()
    (row,) = given["places"]
    assert (row["name"], row["country"], row["total"], row["unusual"]) == ("Gao", "ML", 3, True)
    assert len(row["days"]) == len(given["days"]) == 8
    assert row["at"] == pytest.approx([16.27, -0.04], abs=0.1)
    assert (given["left_out"], given["complete"]) == (0, True)


def test_every_town_of_the_library_has_a_point_on_the_map() -> None:
    towns = [place for code in library.known()["places"] for place, _ in library.own_places(code)]
    hits = [at(usual_name(place), NamedPlace(usual_name(place), place.country, event=True)) for place in towns]
    assert {"Gossi", "Sévaré"} < {row.name for row in rows_of(hits, DATES, UTC)}
    assert [row.name for row in rows_of(hits, DATES, UTC) if row.at is None or row.is_country] == []


def test_only_a_country_is_called_one() -> None:
    unknown = NamedPlace("A town of an older library", "ML", event=True)
    rows = rows_of([at("a", GAO), at("b", NamedPlace("Mali", "ML", event=True)), at("c", unknown)], DATES, UTC)
    assert [row.name for row in rows if row.is_country] == ["Mali"]
