"""Pure: hits → one edition. Grouping into stories, order, status, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from watchpost.model import SEVERITIES, Digest, Group, Hit, Report, Story, TopicMatch, UnreadSource, derive_id
from watchpost.notify.notification_log import NotificationRecord, status
from watchpost.notify.schedule import Window
from watchpost.schedules import Immediate

STALE = 0.1
_WHERE = {"title": 1.0, "summary": 0.6, "body": 0.4}


def compose(
    group: Group,
    window: Window,
    hits: Sequence[Hit],
    *,
    turn: str,
    now: datetime,
    timezone: str,
    language: str,
    install: str,
    public_url: str = "",
    unread: Sequence[UnreadSource] = (),
    sources_total: int = 0,
    told: Mapping[str, NotificationRecord] | None = None,
    weights: Mapping[str, float] | None = None,
) -> Digest:
    """The edition of one group's window. Its id follows from the installation, the group, its turn and the hits.

    The hits are in it because a power cut can undo a turn that the journal of deliveries remembers: the turn
    that is played again must not be taken for the one that was sent, unless it tells the very same.
    Stories come by severity, then by score, then by who was first. `told` is what the group knows of stories by id.
    Of an alert the hits are those that alerting.py lets through.
    """
    kind: Literal["alert", "digest"] = "alert" if isinstance(group.schedule, Immediate) else "digest"
    known = told or {}
    stories = (_story(members, known.get(members[0].story), now, weights or {}) for members in _by_story(hits))
    return Digest(
        id=derive_id("digest", install, group.key, turn, *(hit.id for hit in hits)),
        kind=kind,
        receiver=group.receiver,
        window_start=window.start,
        window_end=window.end,
        timezone=timezone,
        language=language,
        created=now,
        stories=tuple(sorted(stories, key=_rank)),
        articles=len({hit.article.id for hit in hits}),
        unread=tuple(unread),
        sources_total=sources_total,
        late=window.late or timedelta(0),
        public_url=public_url,
        install=install,
    )


def after(
    digest: Digest, omitted: int, hits: Sequence[Hit], told: Mapping[str, NotificationRecord]
) -> dict[str, NotificationRecord]:
    """What the group knows of each of the edition's stories when it has read it.

    Of the `omitted` last ones, which are only counted, it knows no more than before: they may be told as new later.
    """
    ids = {story.id for story in digest.stories[: len(digest.stories) - omitted]}
    return {
        members[0].story: told.get(members[0].story, NotificationRecord()).after(members, digest.created)
        for members in _by_story(hits)
        if members[0].story in ids
    }


def _by_story(hits: Sequence[Hit]) -> list[list[Hit]]:
    stories: dict[str, list[Hit]] = {}
    for hit in hits:
        stories.setdefault(hit.story, []).append(hit)
    return list(stories.values())


def _current(hits: Sequence[Hit]) -> list[Hit]:
    """For each topic the last version of each article; the others are out of date."""
    latest = {_text(hit): hit.article.id for hit in sorted(hits, key=lambda hit: hit.article.fetched)}
    return [hit for hit in hits if hit.article.id == latest[_text(hit)]]


def _text(hit: Hit) -> tuple[str, str]:
    return hit.topic, hit.article.revises or hit.article.id


def _story(hits: Sequence[Hit], told: NotificationRecord | None, now: datetime, weights: Mapping[str, float]) -> Story:
    hits = _current(hits)
    word, change = status(hits, told)
    known = (told or NotificationRecord()).after(hits)
    first = min(hits, key=lambda hit: (hit.article.fetched, hit.article.id))
    topics: dict[str, TopicMatch] = {}
    for hit in hits:
        if hit.topic not in topics:
            topics[hit.topic] = TopicMatch(hit.topic, hit.topic_title, hit.severity, _why(hits, hit.topic))
    reports = {
        hit.article.id: Report(
            source=hit.article.source,
            outlet=hit.article.outlet,
            title=hit.article.title,
            url=hit.article.url,
            lang=hit.article.lang,
            published=hit.article.published,
            first_seen=hit.article.fetched,
        )
        for hit in hits
    }
    age = now - max(hit.article.published or hit.article.fetched for hit in hits)
    weight = max(weights.get(hit.article.source, 1.0) for hit in hits)
    value, reckoning = score(len(known.voices), weight, age, hits)
    return Story(
        id=first.story,
        status=word,
        topics=tuple(sorted(topics.values(), key=lambda match: -SEVERITIES.index(match.severity))),
        snippet=max((hit.snippet for hit in hits), key=lambda piece: len(piece.highlights)),
        lead=reports[first.article.id],
        reports=tuple(reports.values()),
        score=value,
        reckoning=reckoning,
        change=change,
        outlets=len(known.outlets),
        independent=len(known.voices),
    )


def _why(hits: Sequence[Hit], topic: str) -> tuple[str, ...]:
    """The words that matched, in the article's own form, each once: names before common words, then by frequency.

    Names are the words of the topic's own title, then what is written with a capital or has none: "soldiers" beside
    "Wagner" says less about why.
    """
    counts: dict[str, int] = {}
    forms: dict[str, str] = {}
    title: set[str] = set()
    for hit in hits:
        if hit.topic == topic:
            title.update(hit.topic_title.casefold().split())
            for item in hit.evidence:
                key = " ".join(item.text.casefold().split())
                forms.setdefault(key, " ".join(item.text.split()))
                counts[key] = counts.get(key, 0) + 1

    def rank(key: str) -> tuple[bool, bool, int]:
        return title.isdisjoint(key.split()), forms[key][:1].islower(), -counts[key]

    return tuple(forms[key] for key in sorted(counts, key=rank)[:6])


def score(voices: int, weight: float, age: timedelta, hits: Sequence[Hit]) -> tuple[float, str]:
    """log(1 + independent voices) · the best source's weight · freshness · strength of the match; and that in words.

    Freshness halves each day, down to `STALE`; it counts whole hours, so that minutes do not shuffle the order. The
    strength is where the evidence stands, and a little how often.
    """
    freshness = max(STALE, 0.5 ** (max(0, int(age.total_seconds() // 3600)) / 24))
    where = max((_WHERE.get(item.field, 0.2) for hit in hits for item in hit.evidence), default=0.2)
    strength = where + 0.1 * math.log1p(sum(len(hit.evidence) for hit in hits))
    value = round(math.log1p(voices) * weight * freshness * strength, 4)
    return value, f"{value:.2f} = log(1 + {voices}) · {weight:g} · {freshness:.2f} · {strength:.2f}"


def _rank(story: Story) -> tuple[int, float, datetime, str]:
    return -SEVERITIES.index(story.severity), -story.score, story.lead.first_seen, story.id
