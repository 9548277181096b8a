"""Trouble with the configuration, told to the receiver that the operator named for trouble."""

from __future__ import annotations

from watchpost import telemetry as tm
from watchpost.app import doors
from watchpost.errors import StoreError
from watchpost.notify.editor import deliveries_of
from watchpost.notify.notice import refused_notice
from watchpost.plan.plan import Plan
from watchpost.plan.reload import Reload
from watchpost.wire.desk import Desk
from watchpost.wire.store import Store

_TRIES = 5


class Notices:
    """Queues messages for `ops`, each mistake once. Without such a receiver it does nothing."""

    def __init__(self, store: Store, install: str) -> None:
        self._store = store
        self._install = install
        self._told: set[tuple[str, ...]] = set()

    async def refused(self, plan: Plan, reload: Reload) -> None:
        """The running `plan` goes on, because of these mistakes in a newer one. Never raises for the store."""
        part = next((one for one in plan.receivers if one.name == plan.ops), None)
        if part is None or reload.complaints in self._told:
            return
        receiver = doors.build_receivers(plan, self._install, doors.terminal())[part.name]
        try:
            told = plan.timezone, plan.language, plan.install, plan.public_url
            digest = refused_notice(part.name, reload.complaints, reload.at, *told)
            deliveries = deliveries_of(digest, receiver.compose(digest))
            gate, desk = doors.build_gate(self._store, part), Desk(self._store)
            for _ in range(_TRIES):  # somebody else may write of the receiver in the same moment
                if await gate.note(await desk.state(part.name), deliveries):
                    self._told.add(reload.complaints)
                    return
        except StoreError as error:
            tm.store_errors.labels(type(error).__name__).inc()
        finally:
            await receiver.close()
