"""Pure: which event an article belongs to, among those of the last days.

An article joins an event if it fits all of its reports on average, and contradicts none of them; to fit one alone is
not enough, because look-alikes fit one. Articles are compared in the order in which they come.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watchpost.events.decision import (
    WITH_EMBEDDING,
    WITHOUT_EMBEDDING,
    Rarity,
    Reason,
    contradiction,
    judge,
    reasons,
)
from watchpost.events.witnesses import Witnesses

WINDOW = timedelta(hours=72)
"""How long a further report may join an event."""

CANDIDATES = 48
"""So many articles with most in common are compared."""

COMPARED = 8
"""So many reports of an event are compared: its first ones and its last ones."""

FREQUENT = 400
"""A value that more articles have finds no candidates."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The least mean of the logarithms of the odds over an event's reports, and the least of any one.

    `alert` is the mean from which on one message for all of them is safe enough.
    """

    mean: float
    least: float
    alert: float


@dataclass(frozen=True, slots=True)
class Joined:
    """The event of a story, why it joined it, and the story that it has most in common with; "" and () if it is new.

    `certain`: safe enough for one alert. `value` is the mean of the logarithms of the odds.
    """

    event: str
    story: str
    like: str = ""
    reasons: tuple[Reason, ...] = ()
    certain: bool = False
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """A story that belongs to an event, with what its first article says; `certain` as it joined."""

    story: str
    event: str
    witnesses: Witnesses
    certain: bool = True


@dataclass(slots=True)
class Events:
    """The events of the window, in memory. Reports are added in the order in which they were joined."""

    weights: Mapping[str, float] | None = None
    thresholds: Thresholds | None = None
    reports: dict[str, Report] = field(default_factory=dict)
    rarity: Rarity = field(default_factory=Rarity)
    _by_event: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _by_value: dict[object, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))

    def decide(self, story: str, witnesses: Witnesses) -> Joined:
        """The event that a story belongs to. Nothing is added; see `add`."""
        known = self.reports.get(story)
        if known is not None:
            return Joined(known.event, story, certain=known.certain)
        limits = self.thresholds or (LIMITS if witnesses.vector else LIMITS_WITHOUT_EMBEDDING)
        best: tuple[float, str] | None = None
        for event in self._candidates(witnesses):
            value = self._fit(event, witnesses, limits.least)
            if value is not None and value > limits.mean and (best is None or value > best[0]):
                best = value, event
        if best is None:
            return Joined(story, story)
        value, event = best
        nearest = max(self._compared(event), key=lambda one: self._value(one, witnesses))
        return Joined(
            event,
            story,
            like=nearest.story,
            reasons=reasons(witnesses, nearest.witnesses, self.rarity),
            certain=value > limits.alert,
            value=value,
        )

    def add(self, report: Report) -> None:
        """Add a story to an event; a story that is known moves to this event."""
        if report.story in self.reports:
            self.remove(report.story)
        self.reports[report.story] = report
        self._by_event[report.event].append(report.story)
        self.rarity.add(report.witnesses)
        for value in _keys(report.witnesses):
            self._by_value[value][report.story] = None

    def remove(self, story: str) -> None:
        """Forget a story; nothing happens if it is not known."""
        report = self.reports.pop(story, None)
        if report is None:
            return
        self._by_event[report.event].remove(story)
        if not self._by_event[report.event]:
            del self._by_event[report.event]
        self.rarity.remove(report.witnesses)
        for value in _keys(report.witnesses):
            self._by_value[value].pop(story, None)
            if not self._by_value[value]:
                del self._by_value[value]

    def expire(self, now: datetime) -> None:
        """Forget stories from before the window."""
        for story in [one.story for one in self.reports.values() if one.witnesses.published < now - WINDOW]:
            self.remove(story)

    def _candidates(self, witnesses: Witnesses) -> list[str]:
        """The events of those articles that have most in common with this one."""
        counts: Counter[str] = Counter()
        for key in _keys(witnesses):
            stories = self._by_value.get(key, {})
            if len(stories) <= FREQUENT:
                weight = 1 + 10 * self.rarity.of(key)
                for story in stories:
                    counts[story] += weight  # type: ignore[assignment]
        found = (self.reports[story] for story, _ in counts.most_common(CANDIDATES))
        return list(dict.fromkeys(one.event for one in found if _within(one.witnesses, witnesses)))

    def _compared(self, event: str) -> list[Report]:
        stories = self._by_event[event]
        half = COMPARED // 2
        chosen = stories if len(stories) <= COMPARED else [*stories[:half], *stories[-half:]]
        return [self.reports[story] for story in chosen]

    def _fit(self, event: str, witnesses: Witnesses, least: float) -> float | None:
        """The mean over the event's reports; None if one of them contradicts or fits too badly."""
        values = []
        for report in self._compared(event):
            if contradiction(witnesses, report.witnesses) is not None:
                return None
            value = self._value(report, witnesses)
            if value < least:
                return None
            values.append(value)
        return sum(values) / len(values)

    def _value(self, report: Report, witnesses: Witnesses) -> float:
        embedded = witnesses.vector and report.witnesses.vector
        weights = self.weights or (WITH_EMBEDDING if embedded else WITHOUT_EMBEDDING)
        return judge(witnesses, report.witnesses, self.rarity, weights).value


def _within(one: Witnesses, other: Witnesses) -> bool:
    return abs(one.published - other.published) <= WINDOW


def _keys(one: Witnesses) -> Sequence[object]:
    """The values by which candidates are found."""
    return (
        *(("town", town.name, town.country) for town in one.towns),
        *(("name", name) for name in one.names),
        *(("harm", *pair) for pair in one.harm),
        *(("number", value) for value in one.numbers if value >= 10),
        *(("kind", kind) for kind in one.kinds),
    )


LIMITS = Thresholds(mean=0.5, least=-2.0, alert=2.5)
"""Measured with weights from other events; docs/events.md has the table."""

LIMITS_WITHOUT_EMBEDDING = Thresholds(mean=1.0, least=-2.0, alert=4.0)
"""The same without an embedding: what is lost is recall."""
