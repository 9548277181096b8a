"""What a receiver would be sent now, and sending it; what it would be sent of a past time.

The notifier's own editor and hop, used by a person.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from watchpost import plurals
from watchpost.config.config import Config
from watchpost.match.routing import all_groups, groups_of
from watchpost.model import Group, Hit, Message, derive_id
from watchpost.notify.composer import ComposedDigest, Composer
from watchpost.notify.schedule import Window
from watchpost.operations import factory
from watchpost.operations.actions import audit
from watchpost.store.client import Store
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.history import History
from watchpost.store.silences import Silences
from watchpost.store.windows import AT_MOST_HITS, HELD, Bucket


@dataclass(frozen=True, slots=True)
class DigestDraft:
    """A group of the receiver, what is parked for it, and the edition that closing its window now would make."""

    group: Group
    parked: Bucket
    window: Window
    edition: ComposedDigest


class DigestDrafts:
    """The editions of one receiver, as they stand."""

    def __init__(
        self, config: Config, outbox: DeliveryStore, history: History, composer: Composer, plain: Composer
    ) -> None:
        """`plain` keeps nothing back but what is silenced."""
        self._config = config
        self._outbox = outbox
        self._history = history
        self._composer = composer
        self._plain = plain

    async def of(self, receiver: str, only: str = "") -> tuple[DigestDraft, ...]:
        """A draft for each group that holds anything, `only` of the group of that key. Changes nothing."""
        now = await self._outbox.now()
        groups = [group for group in all_groups(self._config.routes) if group.receiver == receiver]
        groups = [group for group in groups if only in ("", group.key)]
        keys = {key: group for group in groups for key in (group.key, group.key + HELD)}
        drafts = []
        for key, standing in (await self._outbox.group_states(list(keys))).items():
            if key not in keys or not (standing.opened or standing.flooded):
                continue
            group = Group(key, receiver, keys[key].schedule)
            parked = await self._outbox.peek(key)
            window = Window(standing.closed or standing.opened or now, now)
            drafts.append(DigestDraft(group, parked, window, await self._composer.compose(group, parked, window, now)))
        return tuple(drafts)

    async def over(self, receiver: str, span: timedelta) -> tuple[tuple[DigestDraft, ...], bool]:
        """A draft for each group that hits of the last `span` go to; and whether older ones of them were left out.

        Titles, severities, routes and silences are today's; the hits are those that were found then. Nothing counts
        as told before, and neither quiet hours nor limits keep anything back. Such a draft cannot be sent.
        """
        now = await self._outbox.now()
        found, more = await self._history.since(now - span, AT_MOST_HITS)
        topics = {topic.name: topic for topic in self._config.topics}
        parked: dict[str, list[Hit]] = {}
        for hit in found:
            if (topic := topics.get(hit.topic)) is None:
                continue
            today = replace(hit, topic_title=topic.title, severity=topic.severity)
            for key in groups_of(today, self._config.routes):
                parked.setdefault(key, []).append(today)
        window, drafts = Window(now - span, now), []
        for group in all_groups(self._config.routes):
            if group.receiver == receiver and (hits := parked.get(group.key)):
                turn = f"over {window.start.isoformat()}"
                begun, raw = window.start, (b"",) * len(hits)
                then = Bucket(
                    group.key, turn, 0, tuple(hits), begun, begun, now, raw=raw, fingerprint=self._plain.fingerprint
                )
                drafts.append(DigestDraft(group, then, window, await self._plain.compose(group, then, window, now)))
        return tuple(drafts), more

    async def send(self, found: Sequence[DigestDraft], by: str) -> tuple[DigestDraft, ...]:
        """Close the windows of those that tell anything with these very editions, and log who did it.

        Returns those that go now; with one that is missing a notifier was faster, and nothing was done.
        """
        sent = tuple([draft for draft in found if draft.edition.deliveries and await self._close(draft)])
        if sent:
            audit("digest send", len(sent), by, receiver=sent[0].group.receiver)
        return sent

    async def _close(self, draft: DigestDraft) -> bool:
        edition = draft.edition
        return await self._outbox.close(
            draft.parked,
            draft.window.end,
            edition.deliveries,
            edition.notes,
            edition.withheld,
            fingerprint=self._composer.fingerprint,
        )


@asynccontextmanager
async def drafts(config: Config, store: Store, receiver: str = "") -> AsyncIterator[DigestDrafts]:
    """The drafts of a running service, of this receiver alone if one is named. Nothing is sent by this process."""
    install = await store.prepare(factory.new_install_id())
    if receiver:
        config = replace(config, receivers=tuple(part for part in config.receivers if part.name == receiver))
    built = factory.build_receivers(config, install, factory.terminal(), await store.secret())
    kept_ms = int(config.retention.deliveries.total_seconds() * 1000)
    try:
        installation = factory.installation_of(config, install)
        composer = factory.build_composer(config, installation, built, store)
        free = replace(
            config, quiet_hours=(), limits=config.limits.model_copy(update={"digests_per_receiver_per_hour": 0})
        )
        plain = factory.build_composer(free, installation, built, store)
        yield DigestDrafts(config, DeliveryStore(store, kept_ms=kept_ms), History(store), composer, plain)
    finally:
        for one in built.values():
            await one.close()


def id_of(group: Group) -> str:
    """A group's name in addresses: its key holds blanks, commas and slashes."""
    return derive_id("group", group.key)[:16]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A story of the edition, and why it stands where it stands."""

    title: str
    severity: str
    reckoning: str


@dataclass(frozen=True, slots=True)
class Preview:
    """One edition as it would be sent now: what `watchpost digest preview` shows.

    `turn` is another one as soon as the window was closed by somebody. No `messages`: nothing would be sent. `kept`
    says in sentences which hits are not told, and why; `held`: these are hits that an earlier edition kept back.
    """

    turn: str
    parked: int
    messages: tuple[Message, ...] = ()
    ranking: tuple[Ranked, ...] = ()
    kept: tuple[str, ...] = ()
    held: bool = False


def seen(previews: Sequence[Preview]) -> str:
    """What somebody saw who saw these: another text as soon as a window was closed since."""
    return ".".join(f"{preview.turn}{'h' if preview.held else ''}" for preview in previews)


# The coming editions as the pages show and send them: by the drafts that the commands have.


_NONE: Mapping[str, str] = MappingProxyType({})
_WHY = {
    "interval": "held back because their story was told a moment ago",
    "known": "no news of their story",
    "quiet": "held back by quiet hours",
    "limit": "held back because the receiver got enough in this hour",
}


class DigestPreviews:
    """The coming editions of a plan, for the pages. All raise StoreError."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config = config
        self._store = store
        self._groups = {id_of(group): group for group in all_groups(config.routes)}

    async def preview(self, id_: str) -> tuple[Preview, ...]:
        """What the group of that id would be sent now; nothing for one that there is not. Changes nothing."""
        group = self._groups.get(id_)
        if group is None:
            return ()
        async with drafts(self._config, self._store, group.receiver) as desk:
            found = await desk.of(group.receiver, group.key)
        reasons: dict[str, str] = {}
        if any(draft.edition.silenced for draft in found):
            known = (*self._config.silences, *await Silences(self._store).all())
            reasons = {silence.id: silence.reason for silence in known}
        return tuple(preview_of(draft, self._config.timezone, reasons) for draft in found)

    async def send(self, id_: str, saw: str | None, by: str) -> int | None:
        """Send that now; how many messages. None if somebody closed a window since the previews that were seen."""
        group = self._groups.get(id_)
        if group is None:
            return None
        async with drafts(self._config, self._store, group.receiver) as desk:
            found = await desk.of(group.receiver, group.key)
            if saw is not None and seen([preview_of(draft) for draft in found]) != saw:
                return None
            due = [draft for draft in found if draft.edition.deliveries]
            sent = await desk.send(due, by)
        if len(sent) < len(due):
            return None
        return sum(len(draft.edition.deliveries) for draft in sent)


def preview_of(draft: DigestDraft, timezone: str = "UTC", reasons: Mapping[str, str] = _NONE) -> Preview:
    """A draft as a page shows it: times in this zone, silences with their reasons (by id)."""
    edition = draft.edition
    stories = edition.digest.stories if edition.digest is not None else ()
    return Preview(
        draft.parked.turn,
        len(draft.parked.hits),
        tuple(delivery.message for delivery in edition.deliveries),
        tuple(Ranked(story.lead.title, story.severity, story.reckoning) for story in stories),
        tuple(_kept(draft, ZoneInfo(timezone), reasons)),
        draft.group.key.endswith(HELD),
    )


def _kept(draft: DigestDraft, zone: ZoneInfo, reasons: Mapping[str, str]) -> Iterator[str]:
    for decision in draft.edition.decisions:
        if not decision.send:
            until = f" until {decision.until.astimezone(zone):%d %b %H:%M}" if decision.until else ""
            hits = plurals.count(len(decision.hits), "hit")
            yield f"{hits}, {_WHY[decision.reason]}{until}: {decision.hits[0].article.title}"
    for (silence, topic), count in draft.edition.silenced.items():
        yield f"{plurals.count(count, 'hit')} on {topic}, silenced: {reasons.get(silence) or silence}"
