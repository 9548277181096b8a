"""Pure: which groups a hit goes to. A group is one receiver and one schedule; its key is readable and stable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from watchpost.model import Group, Hit, Route
from watchpost.schedules import GROUP_INTERVAL, REPEAT_INTERVAL, Cron, Daily, Every, Immediate, Schedule

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def groups_of(hit: Hit, routes: Sequence[Route]) -> tuple[str, ...]:
    """The keys of the groups that are told of this hit: first route that fits wins, unless it goes on."""
    found: dict[str, None] = {}
    for route in routes:
        if not fits(hit, route):
            continue
        for receiver in route.to:
            found[group_key(receiver, route.schedule)] = None
        if not route.go_on:
            break
    return tuple(found)


def fits(hit: Hit, route: Route) -> bool:
    """True if the route's conditions all hold; a condition that is not there holds."""
    return (
        (not route.topics or hit.topic in route.topics)
        and (not route.severities or hit.severity in route.severities)
        and (not route.sources or hit.article.source in route.sources)
    )


def all_groups(routes: Iterable[Route]) -> tuple[Group, ...]:
    """Every group that the routes can fill, in their order."""
    groups = {
        group_key(receiver, route.schedule): Group(group_key(receiver, route.schedule), receiver, route.schedule)
        for route in routes
        for receiver in route.to
    }
    return tuple(groups.values())


def group_key(receiver: str, schedule: Schedule) -> str:
    """Receiver and schedule in words: "team|at 08:00,18:00 mon-fri Europe/Paris".

    Two routes with one schedule to one receiver share a digest; a route whose conditions change keeps its group.
    """
    return f"{receiver}|{_schedule_key(schedule)}"


def _schedule_key(schedule: Schedule) -> str:
    """The schedule as a short phrase, the same for equal schedules."""
    match schedule:
        case Immediate(wait, interval, repeat):
            words = f"at once, {wait.total_seconds():g} s"
            if interval != GROUP_INTERVAL:  # what is as usual is left out, so that a group keeps its key
                words += f", then {interval.total_seconds():g} s"
            return words if repeat == REPEAT_INTERVAL else f"{words}, again {repeat.total_seconds():g} s"
        case Daily(at, days, timezone):
            times = ",".join(moment.strftime("%H:%M") for moment in at)
            names = "daily" if len(days) == 7 else ",".join(_DAYS[day] for day in days)
            return f"at {times} {names} {timezone}"
        case Every(interval):
            return f"every {interval.total_seconds():g} s"
        case Cron(text, timezone=timezone):
            return f"cron {text} {timezone}"
        case _ as never:
            assert_never(never)
