"""Pure: how many people came to harm, as the voices of an event count them, and where they differ."""

from __future__ import annotations

from collections.abc import Iterable

from watchpost.model import Toll, TollDifference

ROLES = ("killed", "wounded", "taken", "arrested")
"""What may become of people, in the order in which it is shown."""


def differences(said: Iterable[tuple[str, Toll]]) -> tuple[TollDifference, ...]:
    """Where voices differ. `said` are voices with their tolls in the order of report; the last of a voice counts."""
    by_role: dict[str, dict[str, int]] = {}
    for voice, toll in said:
        for role, value in toll:
            by_role.setdefault(role, {})[voice] = value
    found = []
    for role in sorted(by_role, key=_order):
        numbers: dict[int, list[str]] = {}
        for voice, value in by_role[role].items():
            numbers.setdefault(value, []).append(voice)
        if len(numbers) > 1:
            found.append(TollDifference(role, tuple((value, tuple(voices)) for value, voices in numbers.items())))
    return tuple(found)


def in_order(toll: Toll) -> tuple[tuple[str, int], ...]:
    """The numbers of a toll in the order of `ROLES`."""
    return tuple(sorted(toll, key=lambda one: (_order(one[0]), one[1])))


def _order(role: str) -> tuple[int, str]:
    return (ROLES.index(role), "") if role in ROLES else (len(ROLES), role)
