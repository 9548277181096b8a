"""The composer: what one group is sent when its window closes, what is held back, and what the group's log records.

The stages, in order: mute (silences), dedup (notification log), hold (quiet hours, limits), digest, render, record.
The composer writes nothing. The dispatcher stores what it returns, a preview only shows it; so both agree. What grows
with the number of hits runs in threads: 5,000 hits take seconds, which must not hold up the event loop.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from watchpost import log as tm
from watchpost.model import (
    NOT_YET,
    Delivery,
    Digest,
    EscalatedDelivery,
    Group,
    Hit,
    Message,
    SourceCounts,
    UnreadSource,
    WindowFates,
)
from watchpost.notify import notification_log, rules
from watchpost.notify.digest_builder import Installation, build_digest, deliveries_of, records_after
from watchpost.notify.escalations import EscalationsOf, escalated
from watchpost.notify.event_hits import EventParts, as_events, parts_of_events, records_of_events
from watchpost.notify.fates import fates_of, with_contents
from watchpost.notify.notification_log import NotificationRecord
from watchpost.notify.owners import with_owners
from watchpost.notify.receiver import Receiver
from watchpost.notify.render import story_lines
from watchpost.notify.render.packing import reductions
from watchpost.notify.render.sanitize import clean
from watchpost.notify.rules import Decision, decide, decide_voices
from watchpost.notify.schedule import Window, end_of_hour, next_slot, sends_empty
from watchpost.pauses import Pause
from watchpost.schedules import Immediate, QuietHours, Silence
from watchpost.store.overview import Overview, Worker
from watchpost.store.silences import Silences
from watchpost.store.sources import SourceStatus
from watchpost.store.windows import Bucket, Withheld, base_of
from watchpost.trend import Trend, trend_of

MOST_TRENDS = 40


@dataclass(frozen=True, slots=True)
class HoldingRules:
    """What the configuration holds back. `per_hour`: how many messages a receiver gets in an hour; 0 for any number."""

    quiet_hours: tuple[QuietHours, ...] = ()
    silences: tuple[Silence, ...] = ()
    per_hour: int = 0


@dataclass(frozen=True, slots=True)
class ComposedDigest:
    """What closing a window does. `digest` is None if nothing is sent.

    `notes` are the records to keep, by story; `withheld` is what stays; `silenced` counts by silence and topic; `fates`
    says what becomes of the hits that leave the group.
    """

    digest: Digest | None = None
    deliveries: tuple[Delivery, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict, hash=False)
    withheld: Withheld = Withheld()  # noqa: RUF009 - frozen
    decisions: tuple[Decision, ...] = ()
    silenced: Mapping[tuple[str, str], int] = field(default_factory=dict, hash=False)
    fates: WindowFates = WindowFates()  # noqa: RUF009 - frozen
    escalations: tuple[EscalatedDelivery, ...] = ()


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The hits that are sent, those that a silence covers, each with its id, and those that the group knows.

    `alone` are those for which no other voice came. `events` has the parts of each event that has several stories here.
    """

    hits: Sequence[Hit]
    muted: Sequence[tuple[Hit, str]]
    known: Sequence[Hit]
    alone: Sequence[Hit]
    records: Mapping[str, NotificationRecord]
    decisions: tuple[Decision, ...]
    withheld: Withheld
    events: Mapping[str, EventParts]

    @property
    def silenced(self) -> Counter[tuple[str, str]]:
        """How many hits each silence covers, by silence and topic."""
        return Counter((silence, hit.topic) for hit, silence in self.muted)


class Composer:
    """Composes digests and alerts for these receivers."""

    def __init__(
        self,
        receivers: Mapping[str, Receiver],
        installation: Installation,
        holding_rules: HoldingRules,
        *,
        sources: Sequence[str],
        overview: Overview,
        silences: Silences,
        escalations_of: EscalationsOf = lambda _hit, _group: (),
    ) -> None:
        """`escalations_of` says which alerts another receiver is sent later."""
        self._escalations_of = escalations_of
        self._receivers = receivers
        self._installation = installation
        self._holding_rules = holding_rules
        self._sources = sources
        self._overview = overview
        self._silences = silences

    @property
    def fingerprint(self) -> str:
        """The name of the configuration."""
        return self._installation.fingerprint

    def quiet_until(self, receiver: str, severity: str, now: datetime) -> datetime | None:
        """When the quiet hours end that hold this severity ("": a digest) for the receiver; None if none do."""
        return rules.quiet_until(self._holding_rules.quiet_hours, receiver, severity, now)

    async def compose(
        self,
        group: Group,
        bucket: Bucket,
        window: Window,
        now: datetime,
        *,
        flooded: datetime | None = None,
        outage: Pause | None = None,
    ) -> ComposedDigest:
        """What closing the window sends and keeps.

        `flooded` is since when hits beyond a topic's limit are only counted, `outage` when the store last did not
        answer this process.
        """
        silences = [*self._holding_rules.silences, *(await self._silences.all() if bucket.hits else ())]
        chosen = await asyncio.to_thread(self._chosen, group, bucket, silences, now)
        if not chosen.hits and not self._sends_without_stories(group, bucket, window, now, flooded):
            fates, _ = fates_of(
                None, (), (), known=chosen.known, alone=chosen.alone, muted=chosen.muted, records=chosen.records
            )
            return ComposedDigest(
                withheld=chosen.withheld, decisions=chosen.decisions, silenced=chosen.silenced, fates=fates
            )
        digest = await self._digest(group, bucket, window, now, chosen)
        digest = _with_pause(digest, await self._overview.workers(), outage)
        messages = await asyncio.to_thread(render_or_reduce, self._receivers[group.receiver], digest)
        omitted = min((message.omitted for message in messages), default=0)
        if any(message.address for message in messages):
            unsubscribed = await self._overview.unsubscribed(group.receiver)
            messages = tuple(message for message in messages if message.address not in unsubscribed)
        composed = await asyncio.to_thread(_composed, digest, messages, omitted, chosen, bucket)
        return replace(composed, escalations=await self._escalations(group, digest, chosen.hits))

    async def _escalations(self, group: Group, digest: Digest, hits: Sequence[Hit]) -> tuple[EscalatedDelivery, ...]:
        def found() -> list[EscalatedDelivery]:
            return list(
                escalated(
                    digest,
                    hits,
                    base_of(group.key),
                    self._escalations_of,
                    self._receivers,
                    seed=self._installation.seed,
                    render=render_or_reduce,
                )
            )

        later = await asyncio.to_thread(found) if digest.kind == "alert" else []
        gone = {name: await self._overview.unsubscribed(name) for name in {each.delivery.receiver for each in later}}
        return tuple(each for each in later if each.delivery.message.address not in gone[each.delivery.receiver])

    def _chosen(self, group: Group, bucket: Bucket, silences: Sequence[Silence], now: datetime) -> _Chosen:
        """Which of the group's hits are sent now."""
        stories = with_owners(bucket.hits, self._installation.publishers)
        certain = isinstance(group.schedule, Immediate)
        bucket = replace(bucket, hits=as_events(stories, bucket.events, certain=certain))
        hits, muted = _mute(stories, bucket.hits, silences, now)
        known_of = {story: record for story, note in bucket.notes.items() if (record := notification_log.read(note))}
        records = records_of_events(known_of, stories, bucket.hits)
        events = parts_of_events(stories, bucket.hits, bucket.events, bucket.links, certain=certain)
        decisions: tuple[Decision, ...] = ()
        if isinstance(group.schedule, Immediate):
            limit_reached = 0 < self._holding_rules.per_hour <= bucket.sent_this_hour
            decisions = decide(
                hits,
                records,
                group.schedule,
                now,
                quiet_until=lambda hit: self.quiet_until(group.receiver, hit.severity, now),
                limited_until=end_of_hour(now) if limit_reached else None,
            )
            due = {id(hit) for decision in decisions if decision.send for hit in decision.hits}
            hits = [hit for hit in hits if id(hit) in due]
        elif group.schedule.voices > 1:
            decisions = decide_voices(hits, records, group.schedule, now)
            kept = {id(hit) for decision in decisions for hit in decision.hits}
            hits = [hit for hit in hits if id(hit) not in kept]
        known = [hit for decision in decisions if decision.reason == "known" for hit in decision.hits]
        alone = [hit for decision in decisions if decision.reason == "alone" for hit in decision.hits]
        withheld = replace(_withheld(bucket, decisions, len(muted)), back=not certain)
        return _Chosen(hits, muted, known, alone, records, decisions, withheld, events)

    def _sends_without_stories(
        self, group: Group, bucket: Bucket, window: Window, now: datetime, flooded: datetime | None
    ) -> bool:
        if isinstance(group.schedule, Immediate):  # one notice of a flood, at the end of its hour
            flood_over = bool(bucket.over) and flooded is not None and now >= end_of_hour(flooded)
            return flood_over and self.quiet_until(group.receiver, "", now) is None
        # The first digest under a new configuration shows that it works.
        changed = bucket.fingerprint != self.fingerprint and group.schedule.empty != "never"
        return bool(bucket.over) or changed or sends_empty(group.schedule, bucket.last_sent, bucket.closed, window)

    async def _digest(
        self,
        group: Group,
        bucket: Bucket,
        window: Window,
        now: datetime,
        chosen: _Chosen,
    ) -> Digest:
        statuses = await self._overview.sources(self._sources)
        digest = await asyncio.to_thread(
            build_digest,
            group,
            window,
            chosen.hits,
            self._installation,
            turn=bucket.turn,
            now=now,
            records=chosen.records,
            events=chosen.events,
            unread=_unread(statuses),
            sources_total=len(self._sources),
        )
        titles = self._installation.titles
        return replace(
            digest,
            accounts=await self._accounts(digest.timezone, bucket.last_sent, now),
            silenced=bucket.silenced + chosen.withheld.silenced,
            waiting=0 if digest.kind == "alert" else sum(one.until is not None for one in chosen.decisions),
            flooded=tuple((titles.get(topic) or topic, count) for topic, count in sorted(bucket.over.items())),
            trends=await self._trends(digest, window),
            last_read=max((status.last_read for status in statuses if status.last_read), default=None),
            following=None if isinstance(group.schedule, Immediate) else next_slot(group.schedule, now),
        )

    async def _trends(self, digest: Digest, window: Window) -> dict[str, Trend]:
        if digest.kind == "alert":
            return {}
        topics = list(dict.fromkeys(story_lines.main_topic(story).name for story in digest.stories))[:MOST_TRENDS]
        counts = await self._overview.counts(topics, window.end)
        zone = ZoneInfo(digest.timezone)
        return {topic: trend_of(hours, window.start, window.end, zone) for topic, hours in counts.items()}

    async def _accounts(self, timezone: str, sent: datetime | None, now: datetime) -> SourceCounts | None:
        """For every digest while a sum of the ledger does not match; else for the first one of a local day.

        While the ledger has no whole day, the second kind has none.
        """
        today = now.astimezone(ZoneInfo(timezone)).date()
        counts = await self._overview.counts_of(today - timedelta(days=1), len(self._sources))
        first_today = sent is None or sent.astimezone(ZoneInfo(timezone)).date() < today
        return counts if counts.gaps or (first_today and counts.whole_day) else None


def _with_pause(digest: Digest, workers: Sequence[Worker], outage: Pause | None) -> Digest:
    """The digest, with the reason why no process reads sources now, or read any at the end of its window.

    A store that hangs forgets the pollers, and those that answer first may close windows before pollers report again.
    So, while no poller is known, an `outage` that this process saw is a pause of theirs.
    """
    pollers = [worker for worker in workers if worker.role in ("all", "poll")]
    if pollers and all(worker.paused for worker in pollers):
        return replace(digest, paused=pollers[0].paused)
    pauses = [worker.last_pause for worker in pollers] if pollers else [outage]
    found = [pause for pause in pauses if pause is not None and pause.covers(digest.window_end)]
    if len(found) < len(pauses):
        return digest
    last = max(found, key=lambda pause: pause.since)
    return replace(digest, paused=last.reason, last_read=digest.last_read and min(digest.last_read, last.since))


def _mute(
    stories: Sequence[Hit], hits: Sequence[Hit], silences: Sequence[Silence], now: datetime
) -> tuple[list[Hit], list[tuple[Hit, str]]]:
    """The hits that no silence covers, and the others, each with the id of its silence.

    `stories` are the same hits under their own stories; `hits` may be under their events. Either may be silenced.
    """
    audible: list[Hit] = []
    muted: list[tuple[Hit, str]] = []
    for own, hit in zip(stories, hits, strict=True):
        silence = rules.silence_of(silences, own, now) or rules.silence_of(silences, hit, now)
        if silence is None:
            audible.append(hit)
        else:
            muted.append((hit, silence.id))
    return audible, muted


def _composed(
    digest: Digest, messages: Sequence[Message], omitted: int, chosen: _Chosen, bucket: Bucket
) -> ComposedDigest:
    """The digest with its deliveries, and what is recorded of it. The `omitted` last stories are in no message."""
    deliveries = deliveries_of(digest, messages)
    fates, holding = fates_of(
        digest,
        deliveries,
        chosen.hits,
        known=chosen.known,
        alone=chosen.alone,
        muted=chosen.muted,
        records=chosen.records,
        over=bucket.over,
    )
    sent = records_after(digest, omitted, chosen.hits, chosen.records, holding)
    return ComposedDigest(
        digest,
        with_contents(deliveries, fates),
        {story: notification_log.write(record) for story, record in sent.items()},
        replace(chosen.withheld, over=bucket.over),
        chosen.decisions,
        chosen.silenced,
        fates,
    )


def _unread(statuses: Sequence[SourceStatus]) -> tuple[UnreadSource, ...]:
    """The sources that fail now or were never read: without them, a digest of nothing would look like a quiet day."""
    return tuple(
        UnreadSource(status.name, status.detail if status.failures else NOT_YET, status.last_read)
        for status in statuses
        if status.failures or status.last_read is None
    )


def render_or_reduce(receiver: Receiver, digest: Digest) -> tuple[Message, ...]:
    """The receiver's messages for the digest, or for the first reduced form of it that the receiver can render.

    A digest without templates, or with headlines only, is better than none. Raises what the plainest form raises: then
    the receiver itself is broken, and the hits stay where they are.
    """
    *fuller, plainest = digest, *reductions(digest)
    for version in fuller:
        try:
            return receiver.render(version)
        except Exception as error:  # a template, a validator, a headline that no test has
            tm.reduced_digests.labels(receiver.name).inc()
            detail = clean(f"{type(error).__name__}: {error}", 300)
            tm.log().error("edition.plain", receiver=receiver.name, detail=detail)
    return receiver.render(plainest)


def _withheld(bucket: Bucket, decisions: Sequence[Decision], silenced: int) -> Withheld:
    held = [decision for decision in decisions if decision.until is not None]
    ids = {id(hit) for decision in held for hit in decision.hits}
    raw = tuple(data for hit, data in zip(bucket.hits, bucket.raw, strict=True) if id(hit) in ids)
    return Withheld(raw, min((decision.until for decision in held if decision.until), default=None), silenced)
