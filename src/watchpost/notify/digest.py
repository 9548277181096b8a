"""Pure: hits become one digest or alert, and that becomes deliveries: stories, their order, status and score."""

from __future__ import annotations

import math
from collections import Counter
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
    Report,
    Severity,
    Story,
    TopicMatch,
    UnreadSource,
    derive_id,
)
from watchpost.notify.notification_log import NotificationRecord, status
from watchpost.notify.schedule import Window
from watchpost.schedules import Immediate

STALE = 0.1
"""The least that freshness counts, so that the other factors still order old stories."""

_FIELD_STRENGTH = {"title": 1.0, "summary": 0.6, "body": 0.4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What every digest of this installation has in common.

    `seed` keeps its digest ids apart from those of other installations. `fingerprint` names the configuration,
    `titles` are the topics' by name, `weights` those of the sources.
    """

    timezone: str = "UTC"
    language: str = "en"
    install: str = "watchpost"
    public_url: str = ""
    seed: str = ""
    fingerprint: str = ""
    titles: Mapping[str, str] = field(default_factory=dict, hash=False)
    weights: Mapping[str, float] = field(default_factory=dict, hash=False)


def build_digest(
    group: Group,
    window: Window,
    hits: Sequence[Hit],
    installation: Installation,
    *,
    turn: str,
    now: datetime,
    records: Mapping[str, NotificationRecord],
    unread: Sequence[UnreadSource] = (),
    sources_total: int = 0,
) -> Digest:
    """The digest or alert of one group's window. `records` is the group's notification log, by story.

    Stories are sorted by severity, then by score, then by the time of their first report. The id is derived from the
    installation, the group, its turn and the hits. The hits are part of it because a power cut can undo a turn after
    its digest was sent: the turn that follows then gets another id, unless it sends the very same hits.
    """
    stories = [_story(members, records.get(id_), now, installation.weights) for id_, members in _by_story(hits).items()]
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
    digest: Digest, omitted: int, hits: Sequence[Hit], records: Mapping[str, NotificationRecord]
) -> dict[str, NotificationRecord]:
    """The records of the digest's stories once it is sent.

    The `omitted` last stories are only counted in it: their records stay as they are, so that they may be new later.
    """
    sent = {story.id for story in digest.stories[: len(digest.stories) - omitted]}
    return {
        id_: records.get(id_, NotificationRecord()).after(members, digest.created)
        for id_, members in _by_story(hits).items()
        if id_ in sent
    }


def deliveries_of(digest: Digest, messages: Sequence[Message]) -> tuple[Delivery, ...]:
    """A delivery for each of the digest's messages, each with its own id."""
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


def _by_story(hits: Iterable[Hit]) -> dict[str, list[Hit]]:
    return _grouped(hits, lambda hit: hit.story)


def _grouped(hits: Iterable[Hit], key: Callable[[Hit], str]) -> dict[str, list[Hit]]:
    groups: dict[str, list[Hit]] = {}
    for hit in hits:
        groups.setdefault(key(hit), []).append(hit)
    return groups


def _current(hits: Sequence[Hit]) -> list[Hit]:
    """For each topic, the hits of the last version of each article."""
    latest = {_article_of(hit): hit.article.id for hit in sorted(hits, key=lambda hit: hit.article.fetched)}
    return [hit for hit in hits if hit.article.id == latest[_article_of(hit)]]


def _article_of(hit: Hit) -> tuple[str, str]:
    return hit.topic, hit.article.revises or hit.article.id


def _story(
    hits: Sequence[Hit], record: NotificationRecord | None, now: datetime, weights: Mapping[str, float]
) -> Story:
    hits = _current(hits)
    story_status, change = status(hits, record)
    known = (record or NotificationRecord()).after(hits)
    first = min(hits, key=lambda hit: (hit.article.fetched, hit.article.id))
    topics = [
        TopicMatch(topic, members[0].topic_title, members[0].severity, _why(members))
        for topic, members in _grouped(hits, lambda hit: hit.topic).items()
    ]
    reports = {hit.article.id: _report(hit.article) for hit in hits}
    age = now - max(hit.article.published or hit.article.fetched for hit in hits)
    weight = max(weights.get(hit.article.source, 1.0) for hit in hits)
    value, reckoning = score(len(known.voices), weight, age, hits)
    return Story(
        id=first.story,
        status=story_status,
        topics=tuple(sorted(topics, key=lambda match: -SEVERITIES.index(match.severity))),
        snippet=max((hit.snippet for hit in hits), key=lambda snippet: len(snippet.highlights)),
        lead=reports[first.article.id],
        reports=tuple(reports.values()),
        score=value,
        reckoning=reckoning,
        change=change,
        outlets=len(known.outlets),
        independent=len(known.voices),
    )


def _report(article: Article) -> Report:
    return Report(
        source=article.source,
        outlet=article.outlet,
        title=article.title,
        url=article.url,
        lang=article.lang,
        published=article.published,
        first_seen=article.fetched,
    )


def _why(hits: Sequence[Hit]) -> tuple[str, ...]:
    """The words that matched one topic, as the articles write them, each once: names first, then by frequency.

    Names are the words of the topic's title, then words with a capital or of a script without capitals: "Wagner" says
    more about the match than "soldiers" beside it.
    """
    counts: Counter[str] = Counter()
    forms: dict[str, str] = {}
    title = {word for hit in hits for word in hit.topic_title.casefold().split()}
    for item in (item for hit in hits for item in hit.evidence):
        key = " ".join(item.text.casefold().split())
        forms.setdefault(key, " ".join(item.text.split()))
        counts[key] += 1

    def rank(key: str) -> tuple[bool, bool, int]:
        return title.isdisjoint(key.split()), forms[key][:1].islower(), -counts[key]

    return tuple(forms[key] for key in sorted(counts, key=rank)[:6])


def score(voices: int, weight: float, age: timedelta, hits: Sequence[Hit]) -> tuple[float, str]:
    """The score log(1 + independent voices) · best source's weight · freshness · strength, and the same in words.

    Freshness halves each day, down to `STALE`. It counts whole hours, so that minutes do not change the order. The
    strength depends on where the evidence is, and a little on how often it occurs.
    """
    freshness = max(STALE, 0.5 ** (max(0, int(age.total_seconds() // 3600)) / 24))
    place = max((_FIELD_STRENGTH.get(item.field, 0.2) for hit in hits for item in hit.evidence), default=0.2)
    strength = place + 0.1 * math.log1p(sum(len(hit.evidence) for hit in hits))
    value = round(math.log1p(voices) * weight * freshness * strength, 4)
    return value, f"{value:.2f} = log(1 + {voices}) · {weight:g} · {freshness:.2f} · {strength:.2f}"


def _rank(story: Story) -> tuple[int, float, datetime, str]:
    return -SEVERITIES.index(story.severity), -story.score, story.lead.first_seen, story.id
