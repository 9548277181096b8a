"""`watchpost run --once`: read every source once, match, close every open digest now, deliver, end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

from watchpost import telemetry as tm
from watchpost.app import doors
from watchpost.app.clock import utc_now
from watchpost.app.lifecycle import open_housing
from watchpost.app.service import Role, Service
from watchpost.exit_codes import OK, PARTIAL
from watchpost.match.role import Matcher
from watchpost.notify.role import run_once
from watchpost.plan.plan import Plan
from watchpost.plan.settings import Settings
from watchpost.poll.opening import Progress, silent
from watchpost.poll.role import Poller
from watchpost.wire.books import Books
from watchpost.wire.store import patiently


async def run(plan: Plan, settings: Settings, env: Mapping[str, str], role: Role, progress: Progress = silent) -> int:
    """Do each role's work once, in the order of an article's way. Returns 0, or 5 if a delivery remains unsent.

    What remains stays queued. `progress` hears how many of how many feeds have been read. Raises StoreError if the
    store is not there.
    """
    async with AsyncExitStack() as stack:
        housing = await open_housing(plan, settings, env, stack)
        install = await housing.store.prepare(doors.new_install_id())
        await Books(housing.store).open()
        service = Service(plan, settings, housing, install, stack, progress=progress)
        tm.log().info("run.starting", **doors.describe(plan, service.groups))
        poller = service.poller() if role in ("poll", "all") else None
        matcher = service.matcher() if role in ("match", "all") else None
        complete = await _read_and_match(poller, matcher)
        code = await _notify(service) if role in ("notify", "all") else OK
        return code if complete else PARTIAL


async def _read_and_match(poller: Poller | None, matcher: Matcher | None) -> bool:
    """Everything is read and matched; side by side, for a small queue has no room for all at once."""
    reading = asyncio.ensure_future(poller.once()) if poller is not None else None
    while matcher is not None and reading is not None and not reading.done():
        await matcher.once()
        await asyncio.wait({reading}, timeout=0.05)
    complete = await reading if reading is not None else True
    if matcher is not None:
        await matcher.once()
    return complete


async def _notify(service: Service) -> int:
    closer, senders = service.notifier()
    outbox, names = service.outbox, [part.name for part in service.plan.receivers]
    for name in names:
        await outbox.open_box(name)
    dead = await outbox.dead()
    await run_once(closer, outbox, service.groups, utc_now())
    await outbox.wake_retries()
    while True:
        dealt_with = sum([await sender.once() for sender in senders])
        # What is meant for a receiver that is held stays queued.
        if not (await outbox.unsent([sender.name for sender in senders if not sender.held]))[0]:
            break
        if not dealt_with:
            # An entry that another notifier holds is either sent by it or, once its lease is over, by us.
            await patiently(0.2, service.stop)
    stranded = await outbox.stranded(names)
    for receiver, count in stranded.items():
        tm.log().warning("delivery.stranded", receiver=receiver, count=count)
    waiting, parked = await outbox.unsent(names)
    unsent = waiting or parked or stranded or await outbox.parked() or await outbox.dead() > dead
    return PARTIAL if unsent else OK
