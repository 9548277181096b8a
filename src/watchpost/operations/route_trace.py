"""Pure: the way of a hit through the routes: which routes take it, which receivers are sent it, when and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from watchpost.config.config import Config
from watchpost.durations import in_words
from watchpost.model import Route, Severity
from watchpost.notify.rules import quiet_until
from watchpost.notify.schedule import next_slot
from watchpost.schedules import Immediate


@dataclass(frozen=True, slots=True)
class Step:
    """One route: whether it takes the hit, and why. `goes_on`: the next routes are tried as well."""

    route: int
    takes: bool
    why: str
    goes_on: bool


@dataclass(frozen=True, slots=True)
class Notification:
    """One receiver that is sent the hit: by which route, when (if the receiver accepts it at once), and why then."""

    receiver: str
    route: int
    when: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Trace:
    """The whole way. `silences` are the ids of configured silences that stop the hit."""

    steps: tuple[Step, ...]
    notifications: tuple[Notification, ...]
    silences: tuple[str, ...]


def trace(config: Config, topic: str, severity: Severity, source: str, now: datetime) -> Trace:
    """The way of a hit found now, on this topic, with this severity, from this source ("" for any)."""
    steps: list[Step] = []
    notifications: list[Notification] = []
    taken = False
    for number, route in enumerate(config.routes):
        if taken and not steps[-1].goes_on and steps[-1].takes:
            break
        why = _against(route, topic, severity, source)
        steps.append(Step(number, not why, why or _conditions(route), route.go_on))
        if not why:
            taken = True
            notifications += [
                _notification(config, number, route, receiver, severity=severity, now=now) for receiver in route.to
            ]
    silences = tuple(
        silence.id
        for silence in config.silences
        if now < silence.until
        and not silence.text
        and silence.topic in ("", topic)
        and silence.severity in ("", severity)
        and silence.source in ("", source)
    )
    return Trace(tuple(steps), tuple(notifications), silences)


def _against(route: Route, topic: str, severity: str, source: str) -> str:
    """The condition that does not hold, "" if all do. An unknown source fits; so does any country."""
    conditions: Sequence[tuple[str, str, Sequence[str]]] = (
        ("topic", topic, route.topics),
        ("severity", severity, route.severities),
        ("source", source, route.sources),
    )
    for what, own, wanted in conditions:
        if wanted and own and own not in wanted:
            return f"{what} {own} is not {' or '.join(wanted)}"
    return ""


def _conditions(route: Route) -> str:
    named = (
        ("topic", route.topics),
        ("severity", route.severities),
        ("source", route.sources),
        ("country", route.countries),
    )
    conditions = [f"{what} is {' or '.join(wanted)}" for what, wanted in named if wanted]
    return " and ".join(conditions) or "takes everything"


def _notification(
    config: Config, number: int, route: Route, receiver: str, *, severity: str, now: datetime
) -> Notification:
    schedule = route.schedule
    if isinstance(schedule, Immediate):
        when = now + schedule.group_wait
        wait, interval, repeat = map(in_words, (schedule.group_wait, schedule.group_interval, schedule.repeat_interval))
        why = (
            f"an alert, with all hits of the next {wait}; updates of the story at most every {interval}, "
            f"and a repeat after {repeat} if it goes on"
        )
        held = quiet_until(config.quiet_hours, receiver, severity, when)
    else:
        when, why = next_slot(schedule, now), "the next digest"
        held = quiet_until(config.quiet_hours, receiver, "", when)
    if held is not None:
        return Notification(receiver, number, held, f"quiet hours hold it until then; without them: {why}")
    return Notification(receiver, number, when, why)
