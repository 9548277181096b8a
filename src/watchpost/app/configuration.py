"""The configuration on disk against the one that runs: what a reload would change."""

from __future__ import annotations

from dataclasses import dataclass

from watchpost.app import doors
from watchpost.plan.differing import Change, differences
from watchpost.plan.effective import effective
from watchpost.plan.plan import Plan
from watchpost.plan.settings import Settings
from watchpost.wire.configuration import Configurations, Running


@dataclass(frozen=True, slots=True)
class Difference:
    """How what `roles` run differs from another configuration. `refused`: why a newer one was not taken over."""

    roles: tuple[str, ...]
    since: str
    changes: tuple[Change, ...]
    refused: tuple[str, ...] = ()


async def running(settings: Settings, plan: Plan) -> tuple[Running, ...]:
    """What the running service has. Raises StoreError if none runs, CodecError if another version does."""
    async with doors.look(settings, plan) as store:
        return await Configurations(store).running()


def against(found: tuple[Running, ...], plan: Plan) -> tuple[Difference, ...]:
    """What would change for each role if it took `plan` over; roles with one configuration are told together."""
    shown, groups = effective(plan), dict[tuple[str, tuple[str, ...]], list[Running]]()
    for one in found:
        groups.setdefault((one.fingerprint, one.refused), []).append(one)
    return tuple(
        Difference(
            tuple(one.role for one in alike), alike[0].since, differences(alike[0].shown, shown), alike[0].refused
        )
        for alike in groups.values()
    )
