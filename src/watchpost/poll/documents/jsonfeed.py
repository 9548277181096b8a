"""Still: JSON Feed, versions 1.0 and 1.1 (jsonfeed.org), which no XML feed parser reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from watchpost.errors import FetchError
from watchpost.poll.documents.entries import Entry, Written
from watchpost.poll.documents.markup import plain_text
from watchpost.poll.text.dates import parse_date
from watchpost.poll.text.tidy import Draft


def read_json_feed(text: str, now: datetime, limit: int) -> tuple[tuple[Entry, ...], str, int]:
    """The first `limit` items as entries, the feed's language, and the number of items.

    Raises FetchError("malformed") if it is not JSON, "not_a_feed" if it is some other JSON.
    """
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FetchError("malformed", f"this JSON cannot be read: {error}") from error
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list) or "jsonfeed" not in _string(feed, "version"):
        raise FetchError("not_a_feed", "this is JSON, but not a JSON Feed")
    known = [item for item in items if isinstance(item, dict)]
    outlet = plain_text(_string(feed, "title"))
    entries = tuple(_entry(item, now, outlet, _author(feed)) for item in known[:limit])
    return entries, _string(feed, "language"), len(known)


def _entry(item: Mapping[str, Any], now: datetime, outlet: str, author: str) -> Entry:
    head = Draft(
        title=plain_text(_string(item, "title")),
        identity=_string(item, "id"),
        link=_string(item, "url") or _string(item, "external_url"),
        author=_author(item) or author,
        outlet=outlet,
        lang=_string(item, "language"),
        published=parse_date(_string(item, "date_published") or _string(item, "date_modified"), now),
    )
    bodies = Written(_string(item, "content_html")), Written(_string(item, "content_text"), html=False)
    return Entry(head, bodies, Written(_string(item, "summary"), html=False))


def _author(mapping: Mapping[str, Any]) -> str:
    """1.1 has a list `authors`, 1.0 one `author`."""
    authors = mapping.get("authors")
    candidates = [*(authors if isinstance(authors, list) else ()), mapping.get("author")]
    names = (_string(one, "name") for one in candidates if isinstance(one, dict))
    return next((name for name in names if name), "")


def _string(mapping: Mapping[str, Any], key: str) -> str:
    """Numbers are taken as text: 1.0 asks for that in ids."""
    value = mapping.get(key)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
