"""One group's edition: what is told of what is parked, what waits, and what must be said besides.

It looks and changes nothing. Closer closes the window with what it makes, a preview only shows it: so they agree.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from watchpost import log as tm
from watchpost.model import SEVERITIES, Delivery, Digest, Group, Hit, Message, Severity, SourceCounts, UnreadSource
from watchpost.notify import notification_log, rules
from watchpost.notify.digest import after, compose
from watchpost.notify.receiver import Receiver
from watchpost.notify.render import story_lines
from watchpost.notify.render.packing import reductions
from watchpost.notify.render.sanitize import clean
from watchpost.notify.rules import Decision, decide
from watchpost.notify.schedule import Window, hour_after, next_slot, tell_empty
from watchpost.schedules import Immediate, QuietHours, Silence
from watchpost.store.overview import Overview
from watchpost.store.silences import Silences
from watchpost.store.windows import Bucket, Withheld
from watchpost.trend import Trend, trend_of

# What a receiver is told, whatever goes wrong while it is laid out: the edition, or a plainer one. Never none.


def compose_or_plain(receiver: Receiver, digest: Digest) -> tuple[Message, ...]:
    """The receiver's messages for the digest; where that fails, those for a plainer one, and a line in the log.

    Raises what the plainest edition raises: then the receiver itself is broken, and the hits stay parked.
    """
    try:
        return receiver.compose(digest)
    except (
        Exception
    ) as error:  # a template, a validator, a headline nobody thought of: people must be told all the same
        _say(receiver, error)
    *plainer, plainest = reductions(digest)
    for edition in plainer:
        try:
            return receiver.compose(edition)
        except Exception as error:
            _say(receiver, error)
    return receiver.compose(plainest)


def _say(receiver: Receiver, error: Exception) -> None:
    tm.plain_editions.labels(receiver.name).inc()
    detail = clean(f"{type(error).__name__}: {error}", 300)
    tm.log().error("edition.plain", receiver=receiver.name, detail=detail)


MOST_TRENDS = 40


@dataclass(frozen=True, slots=True)
class Installation:
    """What every edition of this installation says of itself. `seed` keeps its ids apart from everybody else's.

    `plan` names the configuration, `titles` are the topics' by name, `weights` those of the sources.
    """

    timezone: str
    language: str
    install: str
    public_url: str
    seed: str
    fingerprint: str = ""
    titles: Mapping[str, str] = field(default_factory=dict, hash=False)
    weights: Mapping[str, float] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class HoldingRules:
    """What the configuration keeps back. `per_hour`: so many editions a receiver gets; 0: any number."""

    quiet_hours: tuple[QuietHours, ...] = ()
    silences: tuple[Silence, ...] = ()
    per_hour: int = 0


@dataclass(frozen=True, slots=True)
class ComposedDigest:
    """What closing a window would do. `digest` is None if nothing is sent."""

    digest: Digest | None = None
    deliveries: tuple[Delivery, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict, hash=False)
    rest: Withheld = Withheld()  # noqa: RUF009 - frozen
    decisions: tuple[Decision, ...] = ()
    silenced: Mapping[tuple[str, str], int] = field(default_factory=dict, hash=False)  # by silence and topic


class Composer:
    """Makes editions for these receivers of what these sources brought."""

    def __init__(
        self,
        receivers: Mapping[str, Receiver],
        sources: Sequence[str],
        overview: Overview,
        silences: Silences,
        installation: Installation,
        holding_rules: HoldingRules,
    ) -> None:
        self._receivers = receivers
        self._sources = sources
        self._overview = overview
        self._silences = silences
        self._installation = installation
        self._holding_rules = holding_rules

    @property
    def fingerprint(self) -> str:
        """The configuration's name."""
        return self._installation.fingerprint

    def quiet_until(self, receiver: str, severity: str, now: datetime) -> datetime | None:
        """How long quiet hours hold back what is so severe ("": a digest) from the receiver."""
        return rules.quiet_until(self._holding_rules.quiet_hours, receiver, severity, now)

    async def edition(
        self, group: Group, parked: Bucket, window: Window, now: datetime, *, flooded: datetime | None = None
    ) -> ComposedDigest:
        """The edition that closes the window. `flooded`: since when hits beyond a topic's limit are only counted."""
        kept, silenced = await self._not_silenced(parked.hits, now)
        known = {story: told for story, note in parked.notes.items() if (told := notification_log.read(note))}
        decisions: tuple[Decision, ...] = ()
        tell = kept
        if isinstance(group.schedule, Immediate):
            decisions = self._rule(group, group.schedule, kept, known, parked.editions, now)
            due = {id(hit) for decision in decisions if decision.told for hit in decision.hits}
            tell = [hit for hit in kept if id(hit) in due]
        rest = _rest(parked, decisions, sum(silenced.values()))
        if not tell and not self._tell_nothing(group, parked, window, now, flooded):
            return ComposedDigest(rest=rest, decisions=decisions, silenced=silenced)
        digest = await self._digest(group, parked, window, now, tell, known, rest.silenced)
        # A long or hostile edition takes a second to lay out: not in the loop.
        messages = await asyncio.to_thread(compose_or_plain, self._receivers[group.receiver], digest)
        omitted = min((one.omitted for one in messages), default=0)
        notes = {story: notification_log.write(told) for story, told in after(digest, omitted, tell, known).items()}
        gone = await self._overview.unsubscribed(group.receiver) if any(one.address for one in messages) else ()
        messages = tuple(one for one in messages if one.address not in gone)
        rest = replace(rest, over=parked.over)
        return ComposedDigest(digest, deliveries_of(digest, messages), notes, rest, decisions, silenced)

    def _rule(
        self,
        group: Group,
        schedule: Immediate,
        hits: Sequence[Hit],
        known: Mapping[str, notification_log.NotificationRecord],
        editions: int,
        now: datetime,
    ) -> tuple[Decision, ...]:
        full = 0 < self._holding_rules.per_hour <= editions
        return decide(
            hits,
            known,
            schedule,
            now,
            quiet_until=lambda hit: self.quiet_until(group.receiver, hit.severity, now),
            limited_until=hour_after(now) if full else None,
        )

    def _tell_nothing(
        self, group: Group, parked: Bucket, window: Window, now: datetime, flooded: datetime | None
    ) -> bool:
        """Whether an edition is sent although no story is to be told."""
        if isinstance(group.schedule, Immediate):  # one notice of a flood, when its hour is over
            over = bool(parked.over) and flooded is not None and now >= hour_after(flooded)
            return over and self.quiet_until(group.receiver, "", now) is None
        changed = parked.fingerprint != self._installation.fingerprint and group.schedule.empty != "never"
        return bool(parked.over) or changed or tell_empty(group.schedule, parked.told, parked.closed, window)

    async def _not_silenced(self, hits: Sequence[Hit], now: datetime) -> tuple[list[Hit], Counter[tuple[str, str]]]:
        silences = [*self._holding_rules.silences, *(await self._silences.all() if hits else ())]
        kept, silenced = [], Counter[tuple[str, str]]()
        for hit in hits:
            silence = rules.silence_of(silences, hit, now)
            if silence is None:
                kept.append(hit)
            else:
                silenced[silence.id, hit.topic] += 1
        return kept, silenced

    async def _digest(
        self,
        group: Group,
        parked: Bucket,
        window: Window,
        now: datetime,
        hits: Sequence[Hit],
        known: Mapping[str, notification_log.NotificationRecord],
        silenced: int,
    ) -> Digest:
        timezone = getattr(group.schedule, "timezone", self._installation.timezone)
        digest = compose(
            group,
            window,
            hits,
            turn=f"{self._installation.seed} {parked.turn}",
            now=now,
            timezone=timezone,
            language=self._installation.language,
            install=self._installation.install,
            public_url=self._installation.public_url,
            unread=await self._unread(),
            sources_total=len(self._sources),
            told=known,
            weights=self._installation.weights,
        )
        titles = self._installation.titles
        return replace(
            digest,
            accounts=await self._accounts(timezone, parked.told, now),
            silenced=parked.silenced + silenced,
            flooded=tuple((titles.get(topic) or topic, count) for topic, count in sorted(parked.over.items())),
            trends=await self._trends(digest, window),
            following=None if isinstance(group.schedule, Immediate) else next_slot(group.schedule, now),
        )

    async def _trends(self, digest: Digest, window: Window) -> dict[str, Trend]:
        if digest.kind == "alert":
            return {}
        topics = list(dict.fromkeys(story_lines.main_topic(story).name for story in digest.stories))[:MOST_TRENDS]
        counts = await self._overview.counts(topics, window.end)
        zone = ZoneInfo(digest.timezone)
        return {topic: trend_of(hours, window.start, window.end, zone) for topic, hours in counts.items()}

    async def _accounts(self, timezone: str, told: datetime | None, now: datetime) -> SourceCounts | None:
        """For the first edition of a local day; and for every edition while the sums of the ledger do not meet."""
        today = now.astimezone(ZoneInfo(timezone)).date()
        found = await self._overview.accounts(today - timedelta(days=1), len(self._sources))
        first = told is None or told.astimezone(ZoneInfo(timezone)).date() < today
        return found if first or found.gaps else None

    async def _unread(self) -> tuple[UnreadSource, ...]:
        """A silent failure must never look like a quiet day: what could not be read stands in the edition."""
        return tuple(
            UnreadSource(status.name, status.detail, status.last_read)
            for status in await self._overview.sources(self._sources)
            if status.failures
        )


def deliveries_of(digest: Digest, messages: Sequence[Message]) -> tuple[Delivery, ...]:
    """A digest's messages on their way, each with its own id."""
    severities = (story.severity for story in digest.stories)
    severity: Severity = max(severities, key=SEVERITIES.index, default="normal")
    oldest = min((story.lead.first_seen for story in digest.stories), default=None)
    return tuple(
        Delivery(
            id=f"{digest.id}.{message.part}" if message.part else digest.id,
            digest=digest.id,
            receiver=digest.receiver,
            message=replace(message, severity=severity, oldest=oldest),
            attempt=1,
            created=digest.created,
        )
        for message in messages
    )


def tally(edition: ComposedDigest, receiver: str) -> None:
    """What the closed window did, for the metrics and the log."""
    for decision in edition.decisions:
        tm.alert_hits.labels(receiver, decision.reason).inc(len(decision.hits))
        if decision.reason == "limit":
            tm.limits_applied.labels("digests_per_receiver_per_hour").inc()
    if edition.digest is not None and edition.digest.flooded:
        tm.limits_applied.labels("hits_per_topic_per_hour").inc()
    for (silence, topic), count in edition.silenced.items():
        tm.hits_silenced.labels(topic).inc(count)
        tm.log().info("hits.silenced", receiver=receiver, silence=silence, count=count)


def _rest(parked: Bucket, decisions: Sequence[Decision], silenced: int) -> Withheld:
    held = [decision for decision in decisions if decision.until is not None]
    ids = {id(hit) for decision in held for hit in decision.hits}
    raw = tuple(data for hit, data in zip(parked.hits, parked.raw, strict=True) if id(hit) in ids)
    return Withheld(raw, min((decision.until for decision in held if decision.until), default=None), silenced)
