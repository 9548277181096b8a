"""Pure: a digest as the JSON that webhooks receive and the file receiver writes, schema `watchpost/1`.

Within `watchpost/1` fields are only added; docs/schemas/digest.created.v1.json describes what a reader may rely on.
Highlights are offsets in code points, never markup. Unknown strings and dates are null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from watchpost.model import Digest, Report, Snippet, SourceCounts, Story
from watchpost.notify.render import sentences, story_lines
from watchpost.notify.render.sanitize import clean, link, marked

SCHEMA = "watchpost/1"
EVENTS = {"digest": "digest.created", "alert": "hit.created"}
LIMIT = 256 * 1024  # bytes; proxies in front of a receiver often refuse more than 1 MiB
_REPORTS = 20  # per story; source_count counts all
_UNREAD = 200
_TITLE = 500  # code points
_LONGEST = 8 * _TITLE + 64  # of a title as it came: what is beyond is not looked at
_ROOM = 64  # bytes: the counts grow by a few digits when stories are dropped


def payload(digest: Digest, limit: int = LIMIT, part: tuple[int, int] | None = None, event: str = "") -> str:
    """The digest as one line of JSON of at most `limit` bytes, the same for the same digest.

    Stories that do not fit are left out from the end and counted in `data.counts.omitted`. `part` is its number, and of
    how many; `event` is the document's type, "" for that of the digest's kind.
    """
    room = limit - len(_json(_document(digest, ())).encode()) - _ROOM
    stories: list[dict[str, Any]] = []
    for story in (_story(digest, each) for each in digest.stories):
        room -= len(_json(story).encode()) + 1
        if room < 0:
            break
        stories.append(story)
    document = _document(digest, stories)
    if part is not None:
        document["data"]["part"] = {"number": part[0], "of": part[1]}
    document["type"] = event or EVENTS[digest.kind]
    return _json(document)


def one_per_story(digest: Digest) -> tuple[Digest, ...]:
    """A digest of its own for each story, in order; if there are several, each has its own id."""
    if len(digest.stories) == 1:
        return (digest,)
    return tuple(
        replace(digest, id=f"{digest.id}-{number}", stories=(story,), articles=len(story.reports))
        for number, story in enumerate(digest.stories, 1)
    )


def cloudevent(body: str) -> str:
    """The same document as a CloudEvents 1.0 envelope (structured mode): only the outer names differ."""
    document = json.loads(body)
    return _json(
        {
            "specversion": "1.0",
            "type": document["type"],
            "source": document["source"],
            "id": document["id"],
            "time": document["timestamp"],
            "datacontenttype": "application/json",
            "dataschema": f"urn:{SCHEMA.replace('/', ':')}",
            "data": document["data"] | {"test": document["test"]},
        }
    )


def parts(digest: Digest, limit: int = LIMIT, event: str = "") -> tuple[str, ...]:
    """The digest as lines of JSON of at most `limit` bytes each, which together have every story.

    If there are several, each has its own id and its number in `data.part`. A story that is longer than `limit` is
    counted in `data.counts.omitted` of its part.
    """
    empty = limit - len(_json(_document(digest, ())).encode()) - _ROOM
    chunks: list[list[Story]] = [[]]
    room = empty
    for story in digest.stories:
        size = len(_json(_story(digest, story)).encode()) + 1
        if size > room and chunks[-1]:
            chunks.append([])
            room = empty
        chunks[-1].append(story)
        room -= size
    if len(chunks) == 1:
        return (payload(digest, limit, event=event),)
    return tuple(
        payload(replace(digest, id=f"{digest.id}-{number}", stories=tuple(chunk)), limit, (number, len(chunks)), event)
        for number, chunk in enumerate(chunks, 1)
    )


def named_articles(stories: Sequence[Story]) -> tuple[str, ...]:
    """The articles whose headlines the JSON of these stories has."""
    reports = (report for story in stories for report in (story.lead, *story.reports[:_REPORTS]))
    return tuple(dict.fromkeys(report.article for report in reports if report.article))


def named_in(body: str, stories: Sequence[Story]) -> tuple[str, ...]:
    """The articles whose headlines a document of `parts` has, if it was made from some of these stories."""
    there = {story["id"] for story in json.loads(body)["data"]["stories"]}
    return named_articles([story for story in stories if f"st_{story.id}" in there])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _document(digest: Digest, stories: Sequence[dict[str, Any]]) -> dict[str, Any]:
    dropped = len(digest.stories) - len(stories)
    return {
        "type": EVENTS[digest.kind],
        "timestamp": _time(digest.created),
        "schema": SCHEMA,
        "id": f"dg_{digest.id}",
        "source": f"watchpost/{clean(digest.install, 100)}",
        "test": digest.test,
        "data": {
            "receiver": digest.receiver,
            "window": {"from": _time(digest.window_start), "to": _time(digest.window_end)},
            "timezone": digest.timezone,
            "late_seconds": round(digest.late.total_seconds()),
            "counts": {
                "stories": len(stories),
                "articles": digest.articles,
                "omitted": digest.omitted + dropped,
                "sources": digest.sources_total,
                "unread": len(digest.unread),
                "silenced": digest.silenced,
                "waiting": digest.waiting,
            },
            "trends": [
                {"topic": clean(topic, 100), "days": trend.days, "count": trend.count, "usual": trend.usual}
                | {"spike": trend.spike}
                for topic, trend in list(digest.trends.items())[:50]
            ],
            "next": _time(digest.following) if digest.following else None,
            "flooded": [{"topic": clean(topic, 200), "count": count} for topic, count in digest.flooded[:50]],
            "unread": [
                {
                    "source": clean(unread.source, 100),
                    "reason": clean(unread.reason, 100),
                    "since": _time(unread.since) if unread.since else None,
                }
                for unread in digest.unread[:_UNREAD]
            ],
            "accounts": None if digest.accounts is None else _accounts(digest.accounts),
            "url": sentences.pages_link(digest) or None,
            "stories": list(stories),
        },
    }


def _accounts(accounts: SourceCounts) -> dict[str, Any]:
    return {
        "sources": accounts.sources,
        "articles": accounts.articles,
        "hits": accounts.hits,
        "gaps": [clean(gap, 200) for gap in accounts.gaps[:10]],
    }


def _story(digest: Digest, story: Story) -> dict[str, Any]:
    snippet = marked(story.snippet, 1000)
    title = marked(Snippet(story.lead.title[:_LONGEST], story.lead.highlights), _TITLE)
    score = round(float(story.score), 4) if math.isfinite(story.score) else 0.0
    return {
        "id": f"st_{story.id}",
        "status": story.status,
        "title": title.text,
        "title_highlights": [list(span) for span in title.highlights],
        "url": link(story.lead.url) or None,
        "page": story_lines.page(digest, story) or None,
        "lang": clean(story.lead.lang, 35) or None,
        "published": _time(story.lead.published) if story.lead.published else None,
        "first_seen": _time(story.lead.first_seen),
        "topics": [
            {
                "name": match.name,
                "title": clean(match.title, 200),
                "why": [clean(word, 200) for word in match.why[:20]],
                "severity": match.severity,
                "score": score,
            }
            for match in story.topics[:50]
        ],
        "snippet": {"text": snippet.text, "highlights": [list(span) for span in snippet.highlights]},
        "sources": [_report(report) for report in story.reports[:_REPORTS]],
        "source_count": story_lines.count_sources(story),
        "independent_count": story.independent or None,
        "places": [
            {
                "name": clean(place.name, 100),
                "country": place.country,
                "role": "event" if place.event else "mention",
            }
            for place in story.places
        ],
        "event": _event(story) if story.event else None,
        "change": {
            "sources": story.change.sources,
            "topics": story.change.topics,
            "former_title": clean(story.change.headline) or None,
            "figures": [[clean(before, 40), clean(now, 40)] for before, now in story.change.figures],
        },
    }


def _event(story: Story) -> dict[str, Any]:
    return {
        "id": f"ev_{story.event}",
        "reasons": [clean(reason, 200) for reason in story.reasons[:10]],
        "languages": [clean(tag, 35) for tag in story.languages[:50]],
        "differences": [
            {
                "role": one.role,
                "numbers": [
                    {"number": number, "outlets": [clean(name, 100) for name in outlets[:20]]}
                    for number, outlets in one.numbers[:10]
                ],
            }
            for one in story.differences
        ],
    }


def _report(report: Report) -> dict[str, Any]:
    return {
        "feed": clean(report.source, 100),
        "outlet": clean(report.outlet, 100) or None,
        "title": clean(report.title),
        "url": link(report.url) or None,
        "lang": clean(report.lang, 35) or None,
        "published": _time(report.published) if report.published else None,
        "owner": clean(report.publisher.owner, 100) or None,
        "country": report.publisher.country or None,
        "state_media": report.publisher.state_media,
    }


def _time(when: datetime) -> str:
    """RFC 3339, UTC, whole seconds."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
