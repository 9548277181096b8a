"""`watchpost run --once`: read every source once, match, close every open digest now, deliver, end."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack

from watchpost import telemetry as tm
from watchpost.app import doors
from watchpost.app.clock import utc_now
from watchpost.app.lifecycle import open_housing, open_service
from watchpost.app.service import Role, Service
from watchpost.notify.role import run_once
from watchpost.plan.plan import Plan
from watchpost.plan.settings import Settings
from watchpost.wire.store import patiently

OK, PARTIAL = 0, 5


async def run(plan: Plan, settings: Settings, env: Mapping[str, str], role: Role) -> int:
    """Do each role's work once, in the order of an article's way. Returns 0, or 5 if a delivery remains unsent.

    What remains stays queued. Raises StoreError if the store is not there.
    """
    async with AsyncExitStack() as stack:
        service = await open_service(plan, settings, await open_housing(plan, settings, env, stack), stack)
        tm.log().info("run.starting", **doors.describe(plan, service.groups))
        if role in ("poll", "all"):
            await service.poller().once()
        if role in ("match", "all"):
            await service.matcher().once()
        return await _notify(service) if role in ("notify", "all") else OK


async def _notify(service: Service) -> int:
    closer, senders = service.notifier()
    names = [part.name for part in service.plan.receivers]
    for name in names:
        await service.outbox.open_box(name)
    await run_once(closer, service.outbox, service.groups, utc_now())
    await service.outbox.wake_retries()
    while (await service.outbox.unsent(names))[0]:
        # An entry that another notifier holds is either sent by it or, once its lease is over, by us.
        if not sum([await sender.once() for sender in senders]):
            await patiently(0.2, service.stop)
    waiting, parked = await service.outbox.unsent(names)
    return PARTIAL if waiting or parked else OK
