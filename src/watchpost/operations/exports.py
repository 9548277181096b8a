"""Pure: stories and hits as lines for spreadsheets (CSV, RFC 4180) and for programs (NDJSON)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from watchpost.control_characters import in_json
from watchpost.model import Hit
from watchpost.notify.render.sanitize import clean, link
from watchpost.operations.stories import StoryView
from watchpost.store.handling import Handling

Format = Literal["csv", "ndjson"]
FORMATS: tuple[Format, ...] = ("csv", "ndjson")
MEDIA: Mapping[Format, str] = {"csv": "text/csv; charset=utf-8; header=present", "ndjson": "application/x-ndjson"}

MOST = 100_000
"""So many stories or hits one export has at most."""

STORY_COLUMNS = (
    *("id", "page", "headline", "url", "outlet", "lang", "published", "first_found", "last_report", "severity"),
    *("topics", "report_count", "voices", "why", "places", "reports"),
    *("claimed_by", "acknowledged_by", "acknowledged_at", "starred_by", "notes"),
)
HIT_COLUMNS = (
    *("id", "story", "topic", "severity", "headline", "url", "source", "outlet", "lang", "published", "found"),
    *("why", "places", "snippet"),
)

# Excel in Japanese also computes the wide forms of these signs. Where ";" separates columns, as in German or French, a
# text behind one is a cell of its own, with quotation marks around it or not.
_FORMULA = re.compile(r"(\A|;)([\s\"']*)(?=[=+\-@＝＋－＠])")
_CELL = 5_000  # code points; spreadsheets hold about 32,000


def story_record(story: StoryView, handling: Handling, base: str) -> dict[str, Any]:
    """A story by column. `base` is the address of the pages, "" if they have no public one."""
    about = story.lead.article
    return {
        "id": story.id,
        "page": f"{base}{story.path}",
        "headline": about.title,
        "url": link(about.url) or None,
        "outlet": about.outlet or about.source,
        "lang": about.lang,
        "published": _time(about.published),
        "first_found": _time(story.first_found),
        "last_report": _time(story.last_report),
        "severity": story.severity,
        "topics": [hit.topic for hit in story.topics],
        "report_count": len(story.reports),
        "voices": story.voices,
        "why": list(dict.fromkeys(one.text for hit in story.topics for one in hit.evidence)),
        "places": list(dict.fromkeys(place.name for hit in story.topics for place in hit.places)),
        "reports": [
            {
                "outlet": hit.article.outlet or hit.article.source,
                "headline": hit.article.title,
                "url": link(hit.article.url) or None,
                "published": _time(hit.article.published),
            }
            for hit in story.reports
        ],
        "claimed_by": handling.claimed.by if handling.claimed else None,
        "acknowledged_by": handling.acknowledged.by if handling.acknowledged else None,
        "acknowledged_at": _time(handling.acknowledged.at) if handling.acknowledged else None,
        "starred_by": [star.by for star in handling.stars],
        "notes": [f"{note.by}: {note.text}" for note in handling.notes],
    }


def hit_record(hit: Hit) -> dict[str, Any]:
    """A hit by column."""
    about = hit.article
    return {
        "id": hit.id,
        "story": hit.story,
        "topic": hit.topic,
        "severity": hit.severity,
        "headline": about.title,
        "url": link(about.url) or None,
        "source": about.source,
        "outlet": about.outlet,
        "lang": about.lang,
        "published": _time(about.published),
        "found": _time(hit.matched),
        "why": list(dict.fromkeys(one.text for one in hit.evidence)),
        "places": list(dict.fromkeys(place.name for place in hit.places)),
        "snippet": hit.snippet.text,
    }


def head_of(columns: tuple[str, ...], form: Format) -> str:
    """What a file begins with: the names of the columns, after the mark by which spreadsheets know UTF-8."""
    return f"\ufeff{_csv(columns)}" if form == "csv" else ""


def line_of(record: Mapping[str, Any], columns: tuple[str, ...], form: Format) -> str:
    """A record as one line, or in CSV as one row."""
    if form == "ndjson":
        return in_json(json.dumps(record, ensure_ascii=False)) + "\n"
    return _csv([_cell(record[name]) for name in columns])


def _csv(cells: list[str] | tuple[str, ...]) -> str:
    row = io.StringIO()
    csv.writer(row).writerow(cells)
    return row.getvalue()


def _cell(value: Any) -> str:
    """A value as text on one line. What a spreadsheet would compute has an apostrophe before it.

    That is also so after a semicolon, because in many countries spreadsheets read it as the end of a cell.
    See https://owasp.org/www-community/attacks/CSV_Injection.
    """
    if isinstance(value, list):
        value = "; ".join(_report(one) if isinstance(one, dict) else str(one) for one in value)
    text = clean("" if value is None else str(value), _CELL)
    return _FORMULA.sub(r"\1\2'", text)


def _report(report: Mapping[str, Any]) -> str:
    return f"{report['outlet']}: {report['headline']} {report['url'] or ''}".rstrip()


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")
