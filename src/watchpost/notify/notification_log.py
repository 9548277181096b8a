"""Pure: what a group was told of a story before, and so what there is to say of it now.

A story is NEW to a group that was never told of it. It is an UPDATE if another voice tells it too, if an outlet
changed its headline or corrected figures, or if another topic asks for it; else it only goes on: more papers that
print the same agency's text are no news.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from watchpost.model import HeadlineChange, Hit

MOST_FIGURES = 3
"""More figures that differ are not a correction but another text."""

MOST_OUTLETS = 200
"""Of so many outlets a group remembers what they said."""


@dataclass(frozen=True, slots=True)
class NotificationRecord:
    """What a group knows of one story: voices, topics, and the headline and figures of each outlet; and since when.

    `at` is when it was last told of the story, None if that is not known.
    """

    voices: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    outlets: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict, hash=False)
    at: datetime | None = None

    def after(self, hits: Sequence[Hit], now: datetime | None = None) -> NotificationRecord:
        """What it knows once these hits of the story are told, too."""
        outlets = {**self.outlets, **{outlet(hit): (hit.article.title, hit.figures) for hit in hits}}
        return NotificationRecord(
            tuple(dict.fromkeys((*self.voices, *map(voice, hits))))[:MOST_OUTLETS],
            tuple(dict.fromkeys((*self.topics, *(hit.topic for hit in hits)))),
            dict(list(outlets.items())[:MOST_OUTLETS]),
            now or self.at,
        )


def outlet(hit: Hit) -> str:
    """Who published it, as far as known."""
    return hit.article.outlet or hit.article.source


def voice(hit: Hit) -> str:
    """Whose words it is: the matcher found out, or it is the outlet's."""
    return hit.voice or outlet(hit)


def status(
    hits: Sequence[Hit], told: NotificationRecord | None
) -> tuple[Literal["new", "updated", "continuing"], HeadlineChange]:
    """What these hits of one story are to somebody who was told that much (None: nothing)."""
    if told is None:
        return "new", HeadlineChange()
    change = HeadlineChange(
        sources=len({voice(hit) for hit in hits} - {*told.voices}),
        headline=next((old for old, new in _headlines(hits, told) if old != new), ""),
        figures=next(filter(None, (_corrected(hit, told) for hit in hits)), ()),
        topics=len({hit.topic for hit in hits} - {*told.topics}),
    )
    return ("updated" if change != HeadlineChange() else "continuing"), change


def _headlines(hits: Sequence[Hit], told: NotificationRecord) -> list[tuple[str, str]]:
    return [(told.outlets[outlet(hit)][0], hit.article.title) for hit in hits if outlet(hit) in told.outlets]


def _corrected(hit: Hit, told: NotificationRecord) -> tuple[tuple[str, str], ...]:
    """Which figures of the outlet's earlier text have become which, in reading order."""
    before = told.outlets.get(outlet(hit), ("", ()))[1]
    gone = [figure for figure in before if figure not in hit.figures]
    come = [figure for figure in hit.figures if figure not in before]
    if not gone or not come or len(gone) > MOST_FIGURES:
        return ()
    return tuple(zip(gone, come, strict=False))


def write(told: NotificationRecord) -> str:
    """As text for the store."""
    return json.dumps(
        {"voices": told.voices, "topics": told.topics, "outlets": told.outlets}
        | ({"at": told.at.timestamp()} if told.at else {}),
        ensure_ascii=False,
        separators=(",", ":"),
    )


def read(text: str) -> NotificationRecord | None:
    """What `write` wrote; None for anything else, and then the story counts as new."""
    try:
        found: Any = json.loads(text)
        outlets = {
            str(name): (str(title), tuple(map(str, figures))) for name, (title, figures) in found["outlets"].items()
        }
        at = datetime.fromtimestamp(float(found["at"]), UTC) if "at" in found else None
        return NotificationRecord(tuple(map(str, found["voices"])), tuple(map(str, found["topics"])), outlets, at)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError):
        return None
