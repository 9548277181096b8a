"""What a receiver would be sent now, and sending it; what it would be sent of a past time.

The notifier's own editor and hop, used by a person.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from watchpost.app import doors
from watchpost.app.deeds import audit
from watchpost.match.routing import all_groups, groups_of
from watchpost.model import Group, Hit
from watchpost.notify.editor import Edition, Editor
from watchpost.notify.schedule import Window
from watchpost.plan.plan import Plan
from watchpost.wire.history import History
from watchpost.wire.outbox import Outbox
from watchpost.wire.store import Store
from watchpost.wire.windows import AT_MOST_HITS, HELD, Parked


@dataclass(frozen=True, slots=True)
class Draft:
    """A group of the receiver, what is parked for it, and the edition that closing its window now would make."""

    group: Group
    parked: Parked
    window: Window
    edition: Edition


class Drafts:
    """The editions of one receiver, as they stand."""

    def __init__(self, plan: Plan, outbox: Outbox, history: History, editor: Editor, plain: Editor) -> None:
        """`plain` keeps nothing back but what is silenced."""
        self._plan = plan
        self._outbox = outbox
        self._history = history
        self._editor = editor
        self._plain = plain

    async def of(self, receiver: str, only: str = "") -> tuple[Draft, ...]:
        """A draft for each group that holds anything, `only` of the group of that key. Changes nothing."""
        now = await self._outbox.now()
        groups = [group for group in all_groups(self._plan.routes) if group.receiver == receiver]
        groups = [group for group in groups if only in ("", group.key)]
        keys = {key: group for group in groups for key in (group.key, group.key + HELD)}
        drafts = []
        for key, standing in (await self._outbox.standing(list(keys))).items():
            if key not in keys or not (standing.opened or standing.flooded):
                continue
            group = Group(key, receiver, keys[key].schedule)
            parked = await self._outbox.peek(key)
            window = Window(standing.closed or standing.opened or now, now)
            drafts.append(Draft(group, parked, window, await self._editor.edition(group, parked, window, now)))
        return tuple(drafts)

    async def over(self, receiver: str, span: timedelta) -> tuple[tuple[Draft, ...], bool]:
        """A draft for each group that hits of the last `span` go to; and whether older ones of them were left out.

        Titles, severities, routes and silences are today's; the hits are those that were found then. Nothing counts
        as told before, and neither quiet hours nor limits keep anything back. Such a draft cannot be sent.
        """
        now = await self._outbox.now()
        found, more = await self._history.since(now - span, AT_MOST_HITS)
        topics = {topic.name: topic for topic in self._plan.topics}
        parked: dict[str, list[Hit]] = {}
        for hit in found:
            if (topic := topics.get(hit.topic)) is None:
                continue
            today = replace(hit, topic_title=topic.title, severity=topic.severity)
            for key in groups_of(today, self._plan.routes):
                parked.setdefault(key, []).append(today)
        window, drafts = Window(now - span, now), []
        for group in all_groups(self._plan.routes):
            if group.receiver == receiver and (hits := parked.get(group.key)):
                turn = f"over {window.start.isoformat()}"
                begun, raw = window.start, (b"",) * len(hits)
                then = Parked(group.key, turn, 0, tuple(hits), begun, begun, now, raw=raw, plan=self._plain.plan)
                drafts.append(Draft(group, then, window, await self._plain.edition(group, then, window, now)))
        return tuple(drafts), more

    async def send(self, found: Sequence[Draft], by: str) -> tuple[Draft, ...]:
        """Close the windows of those that tell anything with these very editions, and log who did it.

        Returns those that go now; with one that is missing a notifier was faster, and nothing was done.
        """
        sent = tuple([draft for draft in found if draft.edition.deliveries and await self._close(draft)])
        if sent:
            audit("digest send", len(sent), by, receiver=sent[0].group.receiver)
        return sent

    async def _close(self, draft: Draft) -> bool:
        edition = draft.edition
        return await self._outbox.close(
            draft.parked, draft.window.end, edition.deliveries, edition.notes, edition.rest, plan=self._editor.plan
        )


@asynccontextmanager
async def drafts(plan: Plan, store: Store, receiver: str = "") -> AsyncIterator[Drafts]:
    """The drafts of a running service, of this receiver alone if one is named. Nothing is sent by this process."""
    install = await store.prepare(doors.new_install_id())
    if receiver:
        plan = replace(plan, receivers=tuple(part for part in plan.receivers if part.name == receiver))
    built = doors.build_receivers(plan, install, doors.terminal(), await store.secret())
    kept_ms = int(plan.retention.deliveries.total_seconds() * 1000)
    try:
        imprint = doors.imprint_of(plan, install)
        editor = doors.build_editor(plan, imprint, built, store)
        free = replace(plan, quiet_hours=(), limits=replace(plan.limits, digests_per_receiver_per_hour=0))
        plain = doors.build_editor(free, imprint, built, store)
        yield Drafts(plan, Outbox(store, kept_ms=kept_ms), History(store), editor, plain)
    finally:
        for one in built.values():
            await one.close()
