"""What a receiver would be sent now, and sending it: the notifier's own editor and hop, used by a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from watchpost.app import doors
from watchpost.match.routing import all_groups
from watchpost.model import Group
from watchpost.notify.editor import Edition, Editor
from watchpost.notify.schedule import Window
from watchpost.plan.plan import Plan
from watchpost.wire.outbox import Outbox
from watchpost.wire.store import Store
from watchpost.wire.windows import HELD, Parked


@dataclass(frozen=True, slots=True)
class Draft:
    """A group of the receiver, what is parked for it, and the edition that closing its window now would make."""

    group: Group
    parked: Parked
    window: Window
    edition: Edition


class Drafts:
    """The editions of one receiver, as they stand."""

    def __init__(self, plan: Plan, outbox: Outbox, editor: Editor) -> None:
        self._plan = plan
        self._outbox = outbox
        self._editor = editor

    async def of(self, receiver: str) -> tuple[Draft, ...]:
        """A draft for each group that holds anything. Changes nothing."""
        now = await self._outbox.now()
        groups = [group for group in all_groups(self._plan.routes) if group.receiver == receiver]
        keys = {key: group for group in groups for key in (group.key, group.key + HELD)}
        drafts = []
        for key, standing in (await self._outbox.standing(list(keys))).items():
            if key not in keys or not (standing.opened or standing.flooded):
                continue
            group = Group(key, receiver, keys[key].schedule)
            parked = await self._outbox.peek(key)
            window = Window(standing.closed or standing.opened or now, now)
            drafts.append(Draft(group, parked, window, await self._edition(group, parked, window, now)))
        return tuple(drafts)

    async def _edition(self, group: Group, parked: Parked, window: Window, now: datetime) -> Edition:
        return await self._editor.edition(group, parked, window, now)

    async def send(self, draft: Draft) -> bool:
        """Close the window with this very edition. False: a notifier was faster, nothing was done."""
        edition = draft.edition
        return await self._outbox.close(
            draft.parked, draft.window.end, edition.deliveries, edition.notes, edition.rest, plan=self._editor.plan
        )


@asynccontextmanager
async def drafts(plan: Plan, store: Store) -> AsyncIterator[Drafts]:
    """The drafts of a running service. Nothing is sent by this process."""
    install = await store.prepare(doors.new_install_id())
    receivers = doors.build_receivers(plan, install, doors.terminal(), await store.secret())
    kept_ms = int(plan.retention.deliveries.total_seconds() * 1000)
    try:
        editor = doors.build_editor(plan, doors.imprint_of(plan, install), receivers, store)
        yield Drafts(plan, Outbox(store, kept_ms=kept_ms), editor)
    finally:
        for receiver in receivers.values():
            await receiver.close()
