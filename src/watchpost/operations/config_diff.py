"""The configuration on disk compared with the running one: what a reload would change."""

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
    """How another configuration differs from what `roles` have been running since a moment in ISO form.

    `refused` says why they did not adopt a newer one.
    """

    roles: tuple[str, ...]
    since: str
    changes: tuple[Change, ...]
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The files on disk compared with what each role runs. With `problems` they would be refused: nothing is compared.

    `hidden`: they differ in something that is not shown, such as the value of a secret. `trouble`: why the other
    processes are not compared.
    """

    problems: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    hidden: bool = False
    trouble: str = ""

    @property
    def different(self) -> bool:
        """Whether a reload would change anything."""
        return self.hidden or any(difference.changes for difference in self.differences)


async def running(settings: Settings, config: Config) -> tuple[RunningConfig, ...]:
    """What the running service has. Raises StoreError if none runs, CodecError if another version does."""
    async with factory.look(settings, config) as store:
        return await RunningConfigs(store).running()


def against(running: tuple[RunningConfig, ...], config: Config) -> tuple[Difference, ...]:
    """What would change for each role if it adopted `config`; roles that run the same share one entry."""
    shown, groups = effective(config), dict[tuple[str, tuple[str, ...]], list[RunningConfig]]()
    for one in running:
        groups.setdefault((one.fingerprint, one.refused), []).append(one)
    return tuple(
        Difference(
            tuple(one.role for one in alike), alike[0].since, differences(alike[0].shown, shown), alike[0].refused
        )
        for alike in groups.values()
    )


async def compare_with_disk(reloader: Reloader, role: str, store: Store) -> Comparison:
    """The files of the configuration against what this process runs as `role` and what the others run. Never raises."""
    try:
        on_disk = await reloader.on_disk()
    except WatchpostError as error:
        return Comparison(problems=tuple(redaction.clean(str(error)).splitlines()))
    trouble, others = "", tuple[RunningConfig, ...]()
    try:
        others = await RunningConfigs(store).running()
    except (StoreError, CodecError) as error:
        trouble = f"the other processes cannot be compared: {error}"
    since, refused, runs = reloader.since.isoformat(timespec="seconds"), reloader.last.complaints, reloader.config

    def compared() -> tuple[Difference, ...]:
        # What the store holds of this process may be older than its last reload.
        own = RunningConfig(role, runs.fingerprint, since, effective(runs), refused)
        found = against((own, *(other for other in others if other.role != role)), on_disk)
        return tuple(replace(one, changes=tuple(map(_without_tokens, one.changes))) for one in found)

    found = await asyncio.to_thread(compared)
    hidden = not any(one.changes for one in found) and not await asyncio.to_thread(same, runs, on_disk)
    return Comparison(differences=found, hidden=hidden, trouble=trouble)


def _without_tokens(change: Change) -> Change:
    """Addresses may hold tokens."""
    return replace(change, before=_cleaned(change.before), after=_cleaned(change.after))


def _cleaned(value: object) -> object:
    match value:
        case str():
            return redaction.clean(value)
        case dict():
            return {key: _cleaned(inner) for key, inner in value.items()}
        case list():
            return [_cleaned(inner) for inner in value]
    return value
