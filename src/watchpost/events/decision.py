"""Pure: whether two articles report one event: the probability, from all that both say, and the reasons.

Every value that is compared is weak by itself, and no single one decides. The weights were fitted by logistic
regression on labelled articles: `make eval-events` measures them, docs/events.md says on which and how well.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from watchpost.events.witnesses import Town, Witnesses, alike
from watchpost.match.event_country import is_seat_of_government
from watchpost.names import library

SMALLEST_CROWD = 150
"""Rarity is counted as if so many articles had been seen, so that the first ones do not look rare."""

NEAR_KM = 40.0
"""Towns that are nearer than this may name the same place."""

FAR_KM = 150.0
"""Towns that are farther apart cannot."""

FAR_DAYS = 2
"""So many days between the days that two texts name are another event."""

OF_A_CAPITAL = 0.25
"""A capital in common says no more than this, however rare it is: it also means a government and who speaks there."""

TOLL = "toll"
"""The kind of words.toml that says that a number of people rose or was revised."""

MOST_REASONS = 6


@dataclass(slots=True)
class Rarity:
    """How many articles of the window have each value; what is in many of them says little."""

    articles: int = 0
    counts: Counter[object] = field(default_factory=Counter)

    def add(self, one: Witnesses) -> None:
        """Count an article."""
        self.articles += 1
        self.counts.update(_values(one))

    def remove(self, one: Witnesses) -> None:
        """Forget an article that was counted."""
        self.articles -= 1
        self.counts.subtract(_values(one))
        for value in _values(one):
            if self.counts[value] <= 0:
                del self.counts[value]

    def of(self, value: object) -> float:
        """Between 0 (in every article) and 1 (in these two alone)."""
        crowd = max(self.articles, SMALLEST_CROWD)
        return max(0.0, math.log(crowd / max(2, self.counts[value])) / math.log(crowd / 2))


def _values(one: Witnesses) -> Iterable[object]:
    yield from (("town", town.name, town.country) for town in one.towns)
    yield from (("kind", kind) for kind in one.kinds)
    yield from (("name", name) for name in one.names)


class Reason(NamedTuple):
    """Something that both say, or how near they are: a kind ("place", "harm", "number", ...) and its value as text."""

    kind: str
    value: str

    def __str__(self) -> str:
        return _SENTENCES[self.kind].format(self.value)


_SENTENCES = {
    "place": "same place {}",
    "country": "same country {}",
    "harm": "{} in both",
    "number": "the number {} in both",
    "kind": "both about {}",
    "name": "{} names in common",
    "alike": "{} alike",
    "hours": "{} h apart",
    "person": "joined by {}",
    "far": "places {} km apart",
    "days": "days {} apart",
    "outlet": "both from {}",
    "year": "only one is about an {}",
    "common": "no {} in common",
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """How probable one event is: the logarithm of the odds, or `against` what forbids it."""

    value: float
    against: Reason | None = None


def judge(one: Witnesses, other: Witnesses, rarity: Rarity, weights: Mapping[str, float]) -> Judgement:
    """Whether two articles report one event."""
    found = features(one, other, rarity)
    value = sum(weights.get(name, 0.0) * value for name, value in found.items())
    return Judgement(value, contradiction(one, other))


def contradiction(one: Witnesses, other: Witnesses) -> Reason | None:
    """Why two articles cannot report one event: title and lead name places, days or years that are far apart.

    A title that looks back ("a year after") is about the ceremony, with the places and numbers of what it is held for.
    Capitals do not count as places: they also mean governments. Reports of different kinds of events are not one whose
    only town in common is a capital: the same numbers are in both by chance. Nor are two articles of one outlet in one
    language: it tells its own reports apart, and what it repeats under other headlines is furniture. A toll that it
    revises is no other report.
    """
    if _is_of_one_outlet(one, other) and one.language == other.language:
        return Reason("outlet", one.outlet)
    distance = _least_distance(_certain(one.towns), _certain(other.towns))
    if distance is not None and distance > FAR_KM:
        return Reason("far", f"{distance:.0f}")
    if one.days and other.days:
        days = min(abs(mine - theirs) for mine in one.days for theirs in other.days)
        if days >= FAR_DAYS:
            return Reason("days", str(days))
    if {one.looks_back, other.looks_back} == {"title", ""}:
        return Reason("year", "anniversary")
    if not _have_something_in_common(one, other):
        return Reason("common", "town, name or figure")
    if one.kinds and other.kinds and not one.kinds & other.kinds and not _have_a_town_in_common(one, other):
        return Reason("common", "kind of event and no town")
    return None


def _have_something_in_common(one: Witnesses, other: Witnesses) -> bool:
    """Whether both name a town, a name or a figure: kinds, countries and likeness are of many events."""
    towns = {(town.name, town.country) for town in one.towns}
    return (
        any((town.name, town.country) in towns for town in other.towns)
        or bool(one.names & other.names)
        or bool(one.numbers & other.numbers)
        or bool(one.harm & other.harm)
    )


def _have_a_town_in_common(one: Witnesses, other: Witnesses) -> bool:
    """Whether both name a town that is no capital."""
    mine = {(town.name, town.country) for town in one.towns if not is_seat_of_government(_place(town))}
    return any((town.name, town.country) in mine for town in other.towns)


def _is_of_one_outlet(one: Witnesses, other: Witnesses) -> bool:
    return bool(one.outlet) and one.outlet == other.outlet and not is_revision(one, other)


def is_revision(one: Witnesses, other: Witnesses) -> bool:
    """Whether one of two reports says that the toll of the other rose or was revised.

    It says so, names the same town early, and counts another number of people of whom the same became.
    """
    towns = {(town.name, town.country) for town in _certain(one.towns)}
    return (
        TOLL in one.kinds | other.kinds
        and any((town.name, town.country) in towns for town in _certain(other.towns))
        and _other_harm(one.first_harm, other.first_harm)
    )


def reasons(one: Witnesses, other: Witnesses, rarity: Rarity) -> tuple[Reason, ...]:
    """What both articles say, the rarest first."""
    towns = {(t.name, t.country) for t in one.towns} & {(t.name, t.country) for t in other.towns}
    found = [Reason("place", name) for name, _ in sorted(towns, key=lambda key: -rarity.of(("town", *key)))[:2]]
    if not found:
        found += [Reason("country", code) for code in one.countries if code in other.countries][:1]
    harm = sorted(one.harm & other.harm, key=lambda pair: -pair[1])[:2]
    found += [Reason("harm", f"{value} {role}") for role, value in harm]
    counted = {value for _, value in harm}
    numbers = sorted(one.numbers & other.numbers - counted, key=lambda value: (-_weight(value), -value))[:1]
    found += [Reason("number", str(value)) for value in numbers if value >= 10]
    kinds = sorted(one.kinds & other.kinds, key=lambda kind: (-rarity.of(("kind", kind)), kind))
    found += [Reason("kind", kind) for kind in kinds[:1]]
    if one.vector and other.vector:
        found.append(Reason("alike", f"{alike(one.vector, other.vector):.2f}"))
    hours = abs((one.published - other.published).total_seconds()) / 3600
    return (*found[: MOST_REASONS - 1], Reason("hours", f"{hours:.0f}"))


def features(one: Witnesses, other: Witnesses, rarity: Rarity) -> dict[str, float]:
    """What the two have in common, and where they differ, each as a value from about -1 to 3."""
    hours = abs((one.published - other.published).total_seconds()) / 3600
    mine, theirs = {(t.name, t.country): t for t in one.towns}, {(t.name, t.country): t for t in other.towns}
    shared = {key: _says(mine[key], rarity) for key in mine.keys() & theirs.keys()}
    early = [value for key, value in shared.items() if mine[key].early and theirs[key].early]
    names = sorted((rarity.of(("name", name)) for name in one.names & other.names), reverse=True)
    kinds = [rarity.of(("kind", kind)) for kind in one.kinds & other.kinds]
    all_kinds = [rarity.of(("kind", kind)) for kind in one.kinds | other.kinds]
    numbers = one.numbers & other.numbers
    harm = {(role, value) for role, value in one.harm & other.harm}
    return {
        "one": 1.0,
        "alike": alike(one.vector, other.vector),
        "town": min(2.0, sum(shared.values())),
        "early town": min(2.0, sum(early)),
        "apart": float(are_apart(one.towns, other.towns)),
        "country": float(bool(set(one.countries) & set(other.countries))),
        "other country": float(
            bool(one.countries and other.countries) and not set(one.countries) & set(other.countries)
        ),
        "names": min(3.0, sum(names[:6])),
        "kinds": min(3.0, sum(kinds)),
        "kinds in common": sum(kinds) / sum(all_kinds) if sum(all_kinds) else 0.0,
        "number": min(2.0, sum(_weight(value) for value in numbers)),
        "harm": float(bool(harm)),
        "other harm": float(_other_harm(one.harm, other.harm)),
        "first harm": float(bool(one.first_harm & other.first_harm)),
        "other first harm": float(_other_harm(one.first_harm, other.first_harm)),
        "hours": min(hours, 72.0) / 24,
        "day": float(bool(one.days & other.days)),
        "other day": float(bool(one.days and other.days) and not one.days & other.days and not is_revision(one, other)),
        "same language": float(one.language == other.language),
        "same outlet": float(_is_of_one_outlet(one, other)),
    }


def _says(town: Town, rarity: Rarity) -> float:
    """How much it says that two texts name this town."""
    rare = rarity.of(("town", town.name, town.country))
    return min(OF_A_CAPITAL, rare) if is_seat_of_government(_place(town)) else rare


def _weight(value: int) -> float:
    """How much it says that two texts have a number: small and round ones are frequent."""
    if value < 10:
        return 0.1
    return 0.4 if value % 10 == 0 or value < 13 else 0.8


def _other_harm(one: frozenset[tuple[str, int]], other: frozenset[tuple[str, int]]) -> bool:
    """Whether both count the same kind of harm, and no count is in both."""
    return bool({role for role, _ in one} & {role for role, _ in other}) and not one & other


def are_apart(one: Iterable[Town], other: Iterable[Town]) -> bool:
    """Whether title and lead name towns on both sides, and none is near one of the other side."""
    distance = _least_distance([town for town in one if town.early], [town for town in other if town.early])
    return distance is not None and distance > NEAR_KM


def _certain(towns: Iterable[Town]) -> list[Town]:
    """The towns of title and lead that mean the place and no government."""
    return [town for town in towns if town.early and not is_seat_of_government(_place(town))]


def _least_distance(one: Sequence[Town], other: Sequence[Town]) -> float | None:
    """The least distance in km between towns of either side; None if one side has none."""
    return min((_distance(a, b) for a in one for b in other), default=None)


@lru_cache(20_000)
def _place(town: Town) -> library.Place:
    return library.Place(town.country, 0, town.latitude, town.longitude, ())


@lru_cache(20_000)
def _distance(one: Town, other: Town) -> float:
    return _place(one).distance(_place(other))


WITH_EMBEDDING: Mapping[str, float] = {
    "one": -6.772,
    "alike": 6.525,
    "town": 0.058,
    "early town": 1.425,
    "apart": -2.014,
    "country": 0.181,
    "other country": -0.978,
    "names": 0.485,
    "kinds": 1.062,
    "kinds in common": 3.371,
    "number": 1.942,
    "harm": 0.671,
    "other harm": 0.027,
    "first harm": 1.03,
    "other first harm": -0.332,
    "hours": -2.784,
    "day": 1.004,
    "other day": -2.87,
    "same language": 0.19,
    "same outlet": -2.38,
}
"""Fitted on all labelled articles by `python -m benchmarks.events --fit`, when revised tolls were not yet told apart.

A later fit joined two look-alikes in `watchpost match`, and missed more of the week than it found elsewhere.
"""

WITHOUT_EMBEDDING: Mapping[str, float] = {
    "one": -4.939,
    "town": -0.136,
    "early town": 1.683,
    "apart": -2.122,
    "country": 0.29,
    "other country": -1.077,
    "names": 0.827,
    "kinds": 1.394,
    "kinds in common": 4.457,
    "number": 2.267,
    "harm": 0.955,
    "other harm": 0.201,
    "first harm": 1.296,
    "other first harm": -0.141,
    "hours": -2.919,
    "day": 1.195,
    "other day": -2.665,
    "same language": 0.491,
    "same outlet": -2.426,
}
"""The same for articles of which one has no vector."""
