"""Which groups a hit goes to."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

from tests.making import hit
from watchpost.match.routing import all_groups, group_key, groups_of
from watchpost.model import NamedPlace, Route
from watchpost.schedules import Cron, Daily, Immediate

AT_ONCE = Immediate(timedelta(seconds=30))
MORNING = Daily((time(8),), (0, 1, 2, 3, 4), "Europe/Paris")


def route(*to: str, **fields: Any) -> Route:
    return Route(to=to, schedule=fields.pop("schedule", MORNING), **fields)


def test_the_first_route_that_fits_wins_unless_it_goes_on() -> None:
    high = route("duty", severities=("high",), schedule=AT_ONCE, go_on=True)
    mali, rest = route("team", topics=("mali",)), route("archive")
    routes = [high, mali, rest]
    assert groups_of(hit(topic="mali", severity="high"), routes) == (
        "duty|at once, 30 s",
        "team|at 08:00 mon,tue,wed,thu,fri Europe/Paris",
    )
    assert groups_of(hit(topic="wagner"), routes) == (group_key("archive", MORNING),)
    assert groups_of(hit(topic="wagner"), [mali]) == ()


def test_a_route_may_ask_for_a_source() -> None:
    assert groups_of(hit("a"), [route("team", sources=("seeds",))])
    assert not groups_of(hit("a"), [route("team", sources=("rfi",))])


def test_two_routes_with_one_schedule_to_one_receiver_share_a_group() -> None:
    routes = [
        route("team", topics=("mali",)),
        route("team", topics=("wagner",)),
        route("team", schedule=AT_ONCE),
    ]
    assert [group.key for group in all_groups(routes)] == [
        "team|at 08:00 mon,tue,wed,thu,fri Europe/Paris",
        "team|at once, 30 s",
    ]


def test_a_crontab_rule_stands_in_its_groups_key() -> None:
    sundays = Cron("0 8 * * 0", "Europe/Paris")
    assert group_key("team", sundays) == "team|cron 0 8 * * 0 Europe/Paris"


def test_a_group_keeps_its_key_while_its_intervals_are_the_usual_ones() -> None:
    assert group_key("team", AT_ONCE) == "team|at once, 30 s"
    wait, minutes = timedelta(seconds=30), timedelta(minutes=1)
    assert group_key("team", Immediate(wait, 5 * minutes)) == "team|at once, 30 s, then 300 s"
    assert group_key("team", Immediate(wait, repeat_interval=60 * minutes)) == "team|at once, 30 s, again 3600 s"
    assert group_key("team", Immediate(wait, voices=2)) == "team|at once, 30 s, 2 voices"


def test_a_route_by_country_takes_what_happened_there_and_not_what_is_only_named() -> None:
    routes = [route("sahel", countries=("ML", "NE")), route("rest")]
    there, named = NamedPlace("Gao", "ML", event=True), NamedPlace("Gao", "ML")
    assert groups_of(hit(places=(named, there)), routes) == (group_key("sahel", MORNING),)
    assert groups_of(hit(places=(named,)), routes) == (group_key("rest", MORNING),)
    assert groups_of(hit(), routes) == (group_key("rest", MORNING),)
