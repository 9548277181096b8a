"""The configuration on disk against the one that runs: what a reload would change."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from watchpost import redaction
from watchpost.config.config import Config
from watchpost.config.diff import Change, differences, effective
from watchpost.config.settings import Settings
from watchpost.errors import CodecError, StoreError, WatchpostError
from watchpost.operations import factory
from watchpost.operations.reloading import Reloader, same
from watchpost.store.client import Store
from watchpost.store.running_config import RunningConfig, RunningConfigs


@dataclass(frozen=True, slots=True)
class Difference:
    """How what `roles` run differs from another configuration. `refused`: why a newer one was not taken over."""

    roles: tuple[str, ...]
    since: str
    changes: tuple[Change, ...]
    refused: tuple[str, ...] = ()


async def running(settings: Settings, config: Config) -> tuple[RunningConfig, ...]:
    """What the running service has. Raises StoreError if none runs, CodecError if another version does."""
    async with factory.look(settings, config) as store:
        return await RunningConfigs(store).running()


def against(found: tuple[RunningConfig, ...], config: Config) -> tuple[Difference, ...]:
    """What would change for each role if it took `plan` over; roles with one configuration are told together."""
    shown, groups = effective(config), dict[tuple[str, tuple[str, ...]], list[RunningConfig]]()
    for one in found:
        groups.setdefault((one.fingerprint, one.refused), []).append(one)
    return tuple(
        Difference(
            tuple(one.role for one in alike), alike[0].since, differences(alike[0].shown, shown), alike[0].refused
        )
        for alike in groups.values()
    )


@dataclass(frozen=True, slots=True)
class Side:
    """What a reload would change for these roles, which run what they do since a moment in ISO form."""

    roles: tuple[str, ...]
    since: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What lies on the disk. With `problems` it would be refused, and nothing is compared.

    `hidden`: it differs in what is not shown, as the value of a secret. `trouble`: why others are not compared.
    """

    problems: tuple[str, ...] = ()
    sides: tuple[Side, ...] = ()
    hidden: bool = False
    trouble: str = ""

    @property
    def different(self) -> bool:
        """Whether a reload would change anything."""
        return self.hidden or any(side.changes for side in self.sides)


# What a reload would change, for the pages: what `watchpost config diff` says, without asking for it.


class ConfigOnDisk:
    """The files that `reloads` reads, against what this process runs as `role`, and what the others do."""

    def __init__(self, reloader: Reloader, role: str, store: Store) -> None:
        self._reloader = reloader
        self._role = role
        self._store = store

    async def compare(self) -> Comparison:
        """What a reload would change for each role. Never raises: what cannot be read or compared is said."""
        try:
            there = await self._reloader.look()
        except WatchpostError as error:
            return Comparison(problems=tuple(redaction.clean(str(error)).splitlines()))
        trouble, others = "", tuple[RunningConfig, ...]()
        try:
            others = await RunningConfigs(self._store).running()
        except (StoreError, CodecError) as error:
            trouble = f"what other processes run cannot be seen: {error}"
        runs = self._reloader.config
        sides = await asyncio.to_thread(self._sides, runs, others, there)
        hidden = not any(side.changes for side in sides) and not await asyncio.to_thread(same, runs, there)
        return Comparison(sides=sides, hidden=hidden, trouble=trouble)

    def _sides(self, runs: Config, others: tuple[RunningConfig, ...], there: Config) -> tuple[Side, ...]:
        """This process is asked itself: what it said of itself in the store may be of before the last reload."""
        since, refused = self._reloader.since.isoformat(timespec="seconds"), self._reloader.last.complaints
        own = RunningConfig(self._role, runs.fingerprint, since, effective(runs), refused)
        found = against((own, *(other for other in others if other.role != self._role)), there)
        return tuple(Side(one.roles, one.since, tuple(map(_clean, one.changes))) for one in found)


def _clean(change: Change) -> Change:
    """Without what looks like a token: an address may hold one."""
    return replace(change, before=_cleaned(change.before), after=_cleaned(change.after))


def _cleaned(value: object) -> object:
    match value:
        case str():
            return redaction.clean(value)
        case dict():
            return {key: _cleaned(one) for key, one in value.items()}
        case list():
            return [_cleaned(one) for one in value]
    return value
