"""Pure: the notification log: what a group was sent of each story, and so what is new to it now.

A story is new to a group that was never sent it. It is updated when another voice reports it, when an outlet changes
its headline or corrects figures, or when it matches another topic. Otherwise it continues: more outlets that print the
same agency's text are no news.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from watchpost.model import Hit, StoryChange

MOST_FIGURES = 3
"""More figures that differ are not a correction but another text."""

MOST_OUTLETS = 200
"""How many outlets and voices a record keeps, so that a story which everybody prints stays small."""


@dataclass(frozen=True, slots=True)
class NotificationRecord:
    """What a group was sent of one story: its voices, its topics, and the headline and figures of each outlet.

    `at` is when the group was last sent the story; None if that is unknown. `contents` is where the store counts what
    it was sent then.
    """

    voices: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    outlets: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict, hash=False)
    at: datetime | None = None
    contents: str = ""

    def after(self, hits: Sequence[Hit], now: datetime | None = None, contents: str = "") -> NotificationRecord:
        """The record once these hits of the story are sent, too."""
        outlets = {**self.outlets, **{outlet(hit): (hit.article.title, hit.figures) for hit in hits}}
        return NotificationRecord(
            tuple(dict.fromkeys((*self.voices, *map(voice, hits))))[:MOST_OUTLETS],
            tuple(dict.fromkeys((*self.topics, *(hit.topic for hit in hits)))),
            dict(list(outlets.items())[:MOST_OUTLETS]),
            now or self.at,
            contents or self.contents,
        )


def outlet(hit: Hit) -> str:
    """Who published the article; its source if the outlet is unknown."""
    return hit.article.outlet or hit.article.source


def voice(hit: Hit) -> str:
    """Whose words the article prints: the agency that matching found, or its outlet."""
    return hit.voice or outlet(hit)


def status(
    hits: Sequence[Hit], record: NotificationRecord | None
) -> tuple[Literal["new", "updated", "continuing"], StoryChange]:
    """What these hits of one story are to a group with this record (None: it was sent nothing), and what changed."""
    if record is None:
        return "new", StoryChange()
    change = StoryChange(
        sources=len({voice(hit) for hit in hits} - {*record.voices}),
        headline=next((old for old, new in _headlines(hits, record) if old != new), ""),
        figures=next(filter(None, (_corrected(hit, record) for hit in hits)), ()),
        topics=len({hit.topic for hit in hits} - {*record.topics}),
    )
    return ("updated" if change != StoryChange() else "continuing"), change


def _headlines(hits: Sequence[Hit], record: NotificationRecord) -> list[tuple[str, str]]:
    return [(record.outlets[outlet(hit)][0], hit.article.title) for hit in hits if outlet(hit) in record.outlets]


def _corrected(hit: Hit, record: NotificationRecord) -> tuple[tuple[str, str], ...]:
    """The figures of the outlet's earlier text that changed, as (before, now) in reading order."""
    before = record.outlets.get(outlet(hit), ("", ()))[1]
    removed = [figure for figure in before if figure not in hit.figures]
    added = [figure for figure in hit.figures if figure not in before]
    if not removed or not added or len(removed) > MOST_FIGURES:
        return ()
    return tuple(zip(removed, added, strict=False))


def write(record: NotificationRecord) -> str:
    """The record as text for the store."""
    return json.dumps(
        {"voices": record.voices, "topics": record.topics, "outlets": record.outlets}
        | ({"at": record.at.timestamp()} if record.at else {})
        | ({"contents": record.contents} if record.contents else {}),
        ensure_ascii=False,
        separators=(",", ":"),
    )


def read(text: str) -> NotificationRecord | None:
    """The record that `write` was given; None for any other text, so that the story counts as new."""
    try:
        stored: Any = json.loads(text)
        outlets = {
            str(name): (str(title), tuple(map(str, figures))) for name, (title, figures) in stored["outlets"].items()
        }
        at = datetime.fromtimestamp(float(stored["at"]), UTC) if "at" in stored else None
        voices, topics = (tuple(map(str, stored[key])) for key in ("voices", "topics"))
        return NotificationRecord(voices, topics, outlets, at, str(stored.get("contents", "")))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError):
        return None
