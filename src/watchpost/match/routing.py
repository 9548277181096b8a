"""Pure: which groups a hit goes to. A group is one receiver and one schedule; its key is readable and stable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from watchpost.model import Escalation, Group, Hit, Route
from watchpost.schedules import GROUP_INTERVAL, REPEAT_INTERVAL, Cron, Daily, Every, Immediate, Schedule

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def groups_of(hit: Hit, routes: Sequence[Route]) -> tuple[str, ...]:
    """The keys of the groups that a hit goes to, by the first route that fits and, if it goes on, by later ones."""
    keys: dict[str, None] = {}
    for route in routes:
        if not fits(hit, route):
            continue
        for receiver in route.to:
            keys[group_key(receiver, route.schedule)] = None
        if not route.go_on:
            break
    return tuple(keys)


def escalations_of(hit: Hit, group: str, routes: Sequence[Route]) -> tuple[Escalation, ...]:
    """The escalations of the routes by which a hit gets into the group with this key."""
    found: dict[Escalation, None] = {}
    for route in routes:
        if not fits(hit, route):
            continue
        if route.escalation is not None and group in (group_key(receiver, route.schedule) for receiver in route.to):
            found[route.escalation] = None
        if not route.go_on:
            break
    return tuple(found)


def fits(hit: Hit, route: Route) -> bool:
    """Whether all conditions of the route are true; a condition that it does not have is true."""
    return (
        (not route.topics or hit.topic in route.topics)
        and (not route.severities or hit.severity in route.severities)
        and (not route.sources or hit.article.source in route.sources)
        and (not route.countries or any(place.event and place.country in route.countries for place in hit.places))
    )


def all_groups(routes: Iterable[Route]) -> tuple[Group, ...]:
    """Every group that the routes can fill, in their order."""
    pairs = ((receiver, route.schedule) for route in routes for receiver in route.to)
    groups = (Group(group_key(receiver, schedule), receiver, schedule) for receiver, schedule in pairs)
    return tuple({group.key: group for group in groups}.values())


def group_key(receiver: str, schedule: Schedule) -> str:
    """Receiver and schedule: "team|at 08:00,18:00 mon,tue Europe/Paris". Redis keys hold this text: never change it.

    Two routes with one schedule to one receiver share a digest; a route whose conditions change keeps its group.
    """
    return f"{receiver}|{_schedule_key(schedule)}"


def _schedule_key(schedule: Schedule) -> str:
    """The schedule as a text, the same for equal schedules."""
    times = _times_key(schedule)
    return times if schedule.voices == 1 else f"{times}, {schedule.voices} voices"


def _times_key(schedule: Schedule) -> str:
    match schedule:
        case Immediate(wait, interval, repeat):
            key = f"at once, {wait.total_seconds():g} s"
            if interval != GROUP_INTERVAL:  # defaults are left out, because older keys do not have them
                key += f", then {interval.total_seconds():g} s"
            if repeat != REPEAT_INTERVAL:
                key += f", again {repeat.total_seconds():g} s"
            return key
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
