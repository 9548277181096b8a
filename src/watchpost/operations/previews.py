"""What a receiver would be sent now or would have been sent for a past span, and sending it now.

It uses the composer and the store's closing script of the notifier, so that a preview and what is sent agree.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from watchpost import log as tm
from watchpost.config.config import Config
from watchpost.errors import NotFound
from watchpost.match.routing import all_groups, groups_of
from watchpost.model import Group, Hit, Message, Story
from watchpost.notify.composer import ComposedDigest, Composer
from watchpost.notify.schedule import Window, next_slot
from watchpost.operations import factory
from watchpost.operations.past_hits import hits_in
from watchpost.plurals import count
from watchpost.schedules import Immediate
from watchpost.store.client import Store
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.history import History
from watchpost.store.silences import Silences
from watchpost.store.windows import AT_MOST_HITS, HELD, Bucket

if TYPE_CHECKING:
    from watchpost.archive.archive import Archive

_WHY = {
    "interval": "held back: an update of their story was sent a moment ago",
    "known": "nothing new in their story",
    "quiet": "held back by quiet hours",
    "limit": "held back: the receiver reached its limit for this hour",
    "voices": "waiting for another voice",
    "alone": "left out: no other voice came",
}


@dataclass(frozen=True, slots=True)
class DigestDraft:
    """A group, the hits that wait in it, and the digest or alert that closing its window now would send."""

    group: Group
    bucket: Bucket
    window: Window
    composed: ComposedDigest


class DigestDrafts:
    """Drafts for one receiver."""

    def __init__(
        self, config: Config, outbox: DeliveryStore, history: History, composer: Composer, plain: Composer
    ) -> None:
        """`plain` holds nothing back but what is silenced."""
        self._config = config
        self._outbox = outbox
        self._history = history
        self._composer = composer
        self._plain = plain

    async def of(self, receiver: str, only: str = "") -> tuple[DigestDraft, ...]:
        """A draft for each group of the receiver that holds anything; `only`: for the group with this key."""
        now = await self._outbox.now()
        groups = [group for group in all_groups(self._config.routes) if group.receiver == receiver]
        groups = [group for group in groups if only in ("", group.key)]
        keys = {key: group for group in groups for key in (group.key, group.key + HELD)}
        drafts = []
        for key, standing in (await self._outbox.group_states(list(keys))).items():
            if key not in keys or not (standing.opened or standing.flooded):
                continue
            group = Group(key, receiver, keys[key].schedule)
            bucket = await self._outbox.peek(key)
            window = Window(standing.closed or standing.opened or now, now)
            drafts.append(DigestDraft(group, bucket, window, await self._composer.compose(group, bucket, window, now)))
        return tuple(drafts)

    async def over(
        self,
        receiver: str,
        span: timedelta,
        archive: Archive | None = None,
        progress: Callable[[int], None] = lambda read: None,
    ) -> tuple[tuple[DigestDraft, ...], bool]:
        """A draft for each group that hits of the last `span` go to, and whether older hits were left out.

        Titles, severities, routes and silences are today's. The hits are those that today's topics have in the
        `archive`, or without one those found then. Nothing counts as sent before, and neither quiet hours nor limits
        hold anything back. Such a draft cannot be sent. `progress` gets how many articles were read. Raises
        ArchiveError.
        """
        now = await self._outbox.now()
        found, more = await self._history.since(now - span, AT_MOST_HITS)
        if archive is not None:
            begin, topics_now = now - span, self._config.topics
            found, more = await asyncio.to_thread(hits_in, archive, topics_now, begin, found, AT_MOST_HITS, progress)
        topics = {topic.name: topic for topic in self._config.topics}
        waiting: dict[str, list[Hit]] = {}
        for hit in found:
            if (topic := topics.get(hit.topic)) is None:
                continue
            today = replace(hit, topic_title=topic.title, severity=topic.severity)
            for key in groups_of(today, self._config.routes):
                waiting.setdefault(key, []).append(today)
        window, drafts = Window(now - span, now), []
        for group in all_groups(self._config.routes):
            if group.receiver == receiver and (hits := waiting.get(group.key)):
                turn = f"over {window.start.isoformat()}"
                begun, raw = window.start, (b"",) * len(hits)
                then = Bucket(
                    group.key, turn, 0, tuple(hits), begun, begun, now, raw=raw, fingerprint=self._plain.fingerprint
                )
                drafts.append(DigestDraft(group, then, window, await self._plain.compose(group, then, window, now)))
        return tuple(drafts), more

    async def send(self, drafts: Sequence[DigestDraft], by: str) -> tuple[DigestDraft, ...]:
        """Close the windows of the drafts that hold messages, and queue exactly these messages.

        Returns the drafts that were sent. A missing one was closed by a notifier in the meantime.
        """
        sent = tuple([draft for draft in drafts if draft.composed.deliveries and await self._close(draft)])
        if sent:
            tm.operator_acted("digest send", len(sent), by, receiver=sent[0].group.receiver)
        return sent

    async def _close(self, draft: DigestDraft) -> bool:
        composed = draft.composed
        return await self._outbox.close(
            draft.bucket,
            draft.window.end,
            composed.deliveries,
            composed.notes,
            composed.withheld,
            fingerprint=self._composer.fingerprint,
            escalations=draft.composed.escalations,
        )


async def open_drafts(config: Config, store: Store, receiver: str = "") -> DigestDrafts:
    """Drafts from a running service; `receiver` limits them to one. This process sends nothing itself."""
    install = await store.prepare(factory.new_install_id())
    if receiver:
        wanted = {receiver, *(route.escalation.to for route in config.routes if route.escalation is not None)}
        config = replace(config, receivers=tuple(part for part in config.receivers if part.name in wanted))
    built = factory.build_receivers(config, install, factory.terminal(), await store.secret())
    kept_ms = int(config.retention.deliveries.total_seconds() * 1000)
    installation = factory.installation_of(config, install)
    composer = factory.build_composer(config, installation, built, store)
    limits = config.limits.model_copy(update={"digests_per_receiver_per_hour": 0})
    free = replace(config, quiet_hours=(), limits=limits)
    plain = factory.build_composer(free, installation, built, store)
    return DigestDrafts(config, DeliveryStore(store, kept_ms=kept_ms), History(store), composer, plain)


@dataclass(frozen=True, slots=True)
class Preview:
    """A draft as the pages and the API show it.

    `version` changes when the window is closed. `hits` counts those that wait. Without `messages` nothing would be
    sent. `kept` says in sentences which hits are not sent, and why.
    """

    version: str
    hits: int
    messages: tuple[Message, ...] = ()
    stories: tuple[Story, ...] = ()
    kept: tuple[str, ...] = ()


class DigestPreviews:
    """The next digest of each group, by the group's id. Raises NotFound for an unknown id, and StoreError."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config = config
        self._store = store
        self._groups = {group.id: group for group in all_groups(config.routes)}

    async def preview(self, id_: str) -> tuple[Preview, ...]:
        """What the group would be sent now. Changes nothing."""
        group = self._group(id_)
        found = await (await open_drafts(self._config, self._store, group.receiver)).of(group.receiver, group.key)
        reasons: dict[str, str] = {}
        if any(draft.composed.silenced for draft in found):
            known = (*self._config.silences, *await Silences(self._store).all())
            reasons = {silence.id: silence.reason for silence in known}
        return tuple(preview_of(draft, self._config.timezone, reasons) for draft in found)

    async def send(self, id_: str, by: str, shown: str | None = None) -> int | None:
        """Send it now; returns how many messages. With `shown` (from `version_of`) only what was shown is sent.

        None: nothing was sent, because a window was closed in the meantime.
        """
        group = self._group(id_)
        drafts = await open_drafts(self._config, self._store, group.receiver)
        found = await drafts.of(group.receiver, group.key)
        if shown is not None and version_of([preview_of(draft) for draft in found]) != shown:
            return None
        due = [draft for draft in found if draft.composed.deliveries]
        sent = await drafts.send(due, by)
        return sum(len(draft.composed.deliveries) for draft in sent) if len(sent) == len(due) else None

    def _group(self, id_: str) -> Group:
        if id_ not in self._groups:
            raise NotFound(f"no digest {id_}")
        return self._groups[id_]


def version_of(previews: Sequence[Preview]) -> str:
    """A text that changes when a window of these previews is closed."""
    return ".".join(preview.version for preview in previews)


def preview_of(draft: DigestDraft, timezone: str = "UTC", reasons: Mapping[str, str] | None = None) -> Preview:
    """A draft as a page shows it, with times in this zone and silences by their reasons (by id)."""
    composed, held = draft.composed, draft.group.key.endswith(HELD)
    return Preview(
        f"{draft.bucket.turn}{'h' if held else ''}",
        len(draft.bucket.hits),
        tuple(delivery.message for delivery in composed.deliveries),
        composed.digest.stories if composed.digest is not None else (),
        tuple(_kept(composed, ZoneInfo(timezone), reasons or {})),
    )


def next_due(group: Group, opened: datetime | None, now: datetime) -> datetime | None:
    """When a group's next message is due; None for an alert while no hits wait. `opened`: when the first came."""
    if isinstance(group.schedule, Immediate):
        return None if opened is None else max(now, opened + group.schedule.group_wait)
    return next_slot(group.schedule, now)


def _kept(composed: ComposedDigest, zone: ZoneInfo, reasons: Mapping[str, str]) -> Iterator[str]:
    for decision in composed.decisions:
        if not decision.send:
            until = f" until {decision.until.astimezone(zone):%d %b %H:%M}" if decision.until else ""
            hits = count(len(decision.hits), "hit")
            yield f"{hits}, {_WHY[decision.reason]}{until}: {decision.hits[0].article.title}"
    for (silence, topic), number in composed.silenced.items():
        yield f"{count(number, 'hit')} on {topic}, silenced: {reasons.get(silence) or silence}"
