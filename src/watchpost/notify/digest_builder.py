"""Pure: hits become one digest or alert, and that becomes deliveries: stories, their order, status and score."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from watchpost.model import (
    SEVERITIES,
    Article,
    Delivery,
    Digest,
    Group,
    Hit,
    Message,
    Publisher,
    Report,
    Severity,
    Story,
    TopicMatch,
    UnreadSource,
    derive_id,
)
from watchpost.notify.event_hits import EventParts
from watchpost.notify.notification_log import NotificationRecord, status
from watchpost.notify.schedule import Window
from watchpost.notify.story_choice import OTHER_FIELD, Spans, current, shown_hit, strength, title_highlights, why
from watchpost.notify.tolls import differences
from watchpost.schedules import Immediate

STALE = 0.1
"""The least that freshness counts, so that the other factors still order old stories."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What every digest of this installation has in common.

    `seed` keeps its digest ids apart from those of other installations. `fingerprint` names the configuration,
    `titles` are the topics' by name, `weights` and `publishers` those of the sources.
    """

    timezone: str = "UTC"
    language: str = "en"
    install: str = "watchpost"
    public_url: str = ""
    seed: str = ""
    fingerprint: str = ""
    titles: Mapping[str, str] = field(default_factory=dict, hash=False)
    weights: Mapping[str, float] = field(default_factory=dict, hash=False)
    publishers: Mapping[str, Publisher] = field(default_factory=dict, hash=False)


def build_digest(
    group: Group,
    window: Window,
    hits: Sequence[Hit],
    installation: Installation,
    *,
    turn: str,
    now: datetime,
    records: Mapping[str, NotificationRecord],
    events: Mapping[str, EventParts] | None = None,
    unread: Sequence[UnreadSource] = (),
    sources_total: int = 0,
) -> Digest:
    """The digest or alert of one group's window. `records` is the group's notification log, by story.

    `events` are those stories that are events of several ones, each with its parts: the headline in the language of
    the digest leads.

    Stories are sorted by severity, then by score, then by the time of their first report. The id is derived from the
    installation, the group, its turn and the hits. The hits are part of it because a power cut can undo a turn after
    its digest was sent: the turn that follows then gets another id, unless it sends the very same hits.
    """
    events = events or {}
    stories = [
        _story(members, records.get(id_), now, installation)
        if id_ not in events
        else _event(members, records.get(id_), now, installation, events[id_])
        for id_, members in _by_story(hits).items()
    ]
    identity = installation.install, group.key, f"{installation.seed} {turn}", *(hit.id for hit in hits)
    return Digest(
        id=derive_id("digest", *identity),
        kind="alert" if isinstance(group.schedule, Immediate) else "digest",
        receiver=group.receiver,
        window_start=window.start,
        window_end=window.end,
        timezone=getattr(group.schedule, "timezone", installation.timezone),
        language=installation.language,
        created=now,
        stories=tuple(sorted(stories, key=_rank)),
        articles=len({hit.article.id for hit in hits}),
        unread=tuple(unread),
        sources_total=sources_total,
        late=window.late or timedelta(0),
        public_url=installation.public_url,
        install=installation.install,
    )


def records_after(
    digest: Digest,
    omitted: int,
    hits: Sequence[Hit],
    records: Mapping[str, NotificationRecord],
    contents: Mapping[str, str] | None = None,
) -> dict[str, NotificationRecord]:
    """The records of the digest's stories once it is sent.

    The `omitted` last stories are only counted in it: their records stay as they are, so that they may be new later.
    `contents` says where the store counts what is sent of a story.
    """
    sent = {story.id for story in digest.stories[: len(digest.stories) - omitted]}
    return {
        id_: records.get(id_, NotificationRecord()).after(members, digest.created, (contents or {}).get(id_, ""))
        for id_, members in _by_story(hits).items()
        if id_ in sent
    }


def deliveries_of(digest: Digest, messages: Sequence[Message]) -> tuple[Delivery, ...]:
    """A delivery for each of the digest's messages, each with its own id."""
    severities = (story.severity for story in digest.stories)
    severity: Severity = max(severities, key=SEVERITIES.index, default="normal")
    oldest = min((report.first_seen for story in digest.stories for report in story.reports), default=None)
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


def _by_story(hits: Iterable[Hit]) -> dict[str, list[Hit]]:
    return _grouped(hits, lambda hit: hit.story)


def _grouped(hits: Iterable[Hit], key: Callable[[Hit], str]) -> dict[str, list[Hit]]:
    groups: dict[str, list[Hit]] = {}
    for hit in hits:
        groups.setdefault(key(hit), []).append(hit)
    return groups


def _event(
    hits: Sequence[Hit],
    record: NotificationRecord | None,
    now: datetime,
    installation: Installation,
    parts: EventParts,
) -> Story:
    """An event as one story: its reports are in the order in which they came, after the one that leads.

    Outlets that no source names are counted by their texts.
    """
    hits = sorted(hits, key=lambda hit: (hit.article.fetched, hit.id))
    story = _story(hits, record, now, installation, installation.language)
    named = {report.outlet for report in story.reports} - {""}
    languages = dict.fromkeys(hit.article.lang for hit in hits if hit.article.lang)
    return replace(
        story,
        event=story.id,
        reasons=parts.reasons,
        languages=tuple(languages),
        differences=differences(parts.tolls),
        outlets=max(story.outlets, len(named) + parts.nameless),
        independent=max(story.independent, parts.nameless),
    )


def _story(
    hits: Sequence[Hit],
    record: NotificationRecord | None,
    now: datetime,
    installation: Installation,
    language: str = "",
) -> Story:
    """The story of these hits. Of an event, the headline in the `language` leads, if there is one."""
    hits = current(hits)
    story_status, change = status(hits, record)
    known = (record or NotificationRecord()).after(hits)
    shown = shown_hit(hits, language)
    topics = [
        TopicMatch(topic, members[0].topic_title, _severest(members), why(members))
        for topic, members in _grouped(hits, lambda hit: hit.topic).items()
    ]
    reports = {
        id_: replace(
            _report(members[0].article, title_highlights(hit for hit in members if hit.topic == shown.topic)),
            publisher=installation.publishers.get(members[0].article.source, Publisher()),
        )
        for id_, members in _grouped(hits, lambda hit: hit.article.id).items()
    }
    age = now - max(hit.article.published or hit.article.fetched for hit in hits)
    weight = max(installation.weights.get(hit.article.source, 1.0) for hit in hits)
    value, reckoning = score(len(known.voices), weight, age, hits)
    return Story(
        id=shown.story,
        status=story_status,
        topics=tuple(sorted(topics, key=lambda one: (one.name != shown.topic, -SEVERITIES.index(one.severity)))),
        snippet=shown.snippet,
        lead=reports[shown.article.id],
        reports=tuple(reports[id_] for id_ in dict.fromkeys((shown.article.id, *reports))),
        score=value,
        reckoning=reckoning,
        change=change,
        outlets=len(known.outlets),
        independent=len(known.voices),
        places=shown.places,
    )


def _severest(hits: Sequence[Hit]) -> Severity:
    return max((hit.severity for hit in hits), key=SEVERITIES.index)


def _report(article: Article, highlights: Spans) -> Report:
    return Report(
        source=article.source,
        outlet=article.outlet,
        title=article.title,
        url=article.url,
        lang=article.lang,
        published=article.published,
        first_seen=article.fetched,
        highlights=highlights,
        article=article.id,
    )


def score(voices: int, weight: float, age: timedelta, hits: Sequence[Hit]) -> tuple[float, str]:
    """The score log(1 + independent voices) · best source's weight · freshness · strength, and the same in words.

    Freshness halves each day, down to `STALE`. It counts whole hours, so that minutes do not change the order. The
    strength depends on where the evidence is, and a little on how often it occurs.
    """
    freshness = max(STALE, 0.5 ** (max(0, int(age.total_seconds() // 3600)) / 24))
    place = max((strength(item) for hit in hits for item in hit.evidence), default=OTHER_FIELD)
    evident = place + 0.1 * math.log1p(sum(len(hit.evidence) for hit in hits))
    value = round(math.log1p(voices) * weight * freshness * evident, 4)
    return value, f"{value:.2f} = log(1 + {voices}) · {weight:g} · {freshness:.2f} · {evident:.2f}"


def _rank(story: Story) -> tuple[int, float, datetime, str]:
    return -SEVERITIES.index(story.severity), -story.score, story.lead.first_seen, story.id
