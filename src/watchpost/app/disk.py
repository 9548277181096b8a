"""What a reload would change, for the pages: what `watchpost config diff` says, without asking for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from watchpost import redaction
from watchpost.app.configuration import against
from watchpost.app.reloading import Reloads, same
from watchpost.errors import CodecError, StoreError, WatchpostError
from watchpost.plan.differing import Change
from watchpost.plan.effective import effective
from watchpost.plan.plan import Plan
from watchpost.web.pages.configuration import Comparison, Side
from watchpost.wire.configuration import Configurations, Running
from watchpost.wire.store import Store


class PlanOnDisk:
    """The files that `reloads` reads, against what this process runs as `role`, and what the others do."""

    def __init__(self, reloads: Reloads, role: str, store: Store) -> None:
        self._reloads = reloads
        self._role = role
        self._store = store

    async def compare(self) -> Comparison:
        """What a reload would change for each role. Never raises: what cannot be read or compared is said."""
        try:
            there = await self._reloads.look()
        except WatchpostError as error:
            return Comparison(problems=tuple(redaction.clean(str(error)).splitlines()))
        trouble, others = "", tuple[Running, ...]()
        try:
            others = await Configurations(self._store).running()
        except (StoreError, CodecError) as error:
            trouble = f"what other processes run cannot be seen: {error}"
        runs = self._reloads.plan
        sides = await asyncio.to_thread(self._sides, runs, others, there)
        hidden = not any(side.changes for side in sides) and not await asyncio.to_thread(same, runs, there)
        return Comparison(sides=sides, hidden=hidden, trouble=trouble)

    def _sides(self, runs: Plan, others: tuple[Running, ...], there: Plan) -> tuple[Side, ...]:
        """This process is asked itself: what it said of itself in the store may be of before the last reload."""
        since, refused = self._reloads.since.isoformat(timespec="seconds"), self._reloads.last.complaints
        own = Running(self._role, runs.fingerprint, since, effective(runs), refused)
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
