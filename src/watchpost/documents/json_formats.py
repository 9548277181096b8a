"""Pure: JSON Feed (https://jsonfeed.org, 1.0 and 1.1), and JSON Lines of articles.

A line of JSON Lines has `id, url, source, lang, published, title, summary, body, author`; each may be missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from watchpost.documents.dates import first_date, parse_date
from watchpost.documents.encoding import utf8_text
from watchpost.documents.entry import ENDS_HTML, EntryDraft, FeedEntry, Written
from watchpost.documents.html import plain_text
from watchpost.documents.html_blanks import blanked, with_letters
from watchpost.documents.json_text import read_json, read_object_with
from watchpost.documents.loose_json import read_loosely
from watchpost.documents.other_document import json_in_words
from watchpost.documents.xml_tree import bounded
from watchpost.errors import FetchError

_WRITTEN = ("title", "summary", "body")
LINE_MAX_BYTES = 4_000_000
_ITEM_KEYS = frozenset({"id", "content_html", "content_text"})
_TEXTS = ("url", "source", "lang", "published", "title", "summary", "body", "author")


_NAMING = ("name", "value", "text", "html", "rendered")
_LIST_MAX = 100
_AROUND = " \t\r\n\x1e[],;"  # a line of a list ("[{…},"), or of a JSON text sequence (RFC 7464)
_RECORD_START = re.compile(r"""\{\s{0,99}["']?(?:id|url|title|source|published|body)["']?\s{0,99}:""")


class JsonFeed(NamedTuple):
    """The items as entries, the feed's language, how many could not be read, and whether the document ends early."""

    entries: tuple[FeedEntry, ...]
    lang: str
    unread: int
    cut: bool


def read_json_feed(text: str, now: datetime) -> JsonFeed:
    """The items as entries. A broken item costs no other; one in which the document ends is left out.

    Raises FetchError("malformed") if it is not JSON, "not_a_feed" if it is some other JSON.
    """
    unread, cut = 0, False
    text = text[max(text.find("{"), 0) :] if text.lstrip("\ufeff \t\r\n")[:1] != "[" else text
    try:
        feed = read_json(text)
    except (ValueError, RecursionError) as error:
        found = read_object_with(text, "items", _ITEM_KEYS)
        if found is None or not found.value["items"]:
            raise FetchError("malformed", f"this JSON cannot be read: {error}") from error
        feed, unread, cut = found
    items = feed.get("items") if isinstance(feed, dict) else None
    objects = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    says_so = isinstance(items, list) and "jsonfeed" in _string(feed, "version")
    if not says_so and not any("content_html" in item or "content_text" in item for item in objects):
        raise FetchError("not_a_feed", f"this is JSON, but not a JSON Feed{json_in_words(feed)}")
    outlet = plain_text(_string(feed, "title"))
    entries = tuple(_entry(item, now, outlet, _author(feed)) for item in bounded(objects))
    return JsonFeed(entries, _string(feed, "language"), unread, cut)


def _entry(item: Mapping[str, Any], now: datetime, outlet: str, author: str) -> FeedEntry:
    head = EntryDraft(
        title=Written(_string(item, "title")).plain(),
        identity=_string(item, "id"),
        link=_string(item, "url") or _string(item, "external_url") or _address(_string(item, "id")),
        author=_author(item) or author,
        outlet=outlet,
        lang=_string(item, "language"),
        published=first_date((_string(item, "date_published"), _string(item, "date_modified")), now),
    )
    bodies = Written(_string(item, "content_html")), _plain_or_html(_string(item, "content_text"))
    return FeedEntry(head, bodies, _plain_or_html(_string(item, "summary")))


def _plain_or_html(text: str) -> Written:
    """What should be plain text; some programs write HTML there."""
    return Written(text, html=ENDS_HTML.search(text) is not None)


def _address(identity: str) -> str:
    return identity if identity.startswith(("http://", "https://")) else ""


def _author(mapping: Mapping[str, Any]) -> str:
    """1.1 has a list `authors`, 1.0 one `author`, each with a name; some programs write the names alone."""
    authors = mapping.get("authors")
    candidates = [*(authors if isinstance(authors, list) else ()), mapping.get("author")]
    names = (
        _string(candidate, "name") if isinstance(candidate, dict) else candidate
        for candidate in candidates
        if isinstance(candidate, (dict, str))
    )
    return next((name for name in names if name), "")


def _string(mapping: Mapping[str, Any], key: str) -> str:
    """A value as text. Numbers count as text: 1.0 asks for that in ids."""
    value = mapping.get(key)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


@dataclass(frozen=True, slots=True)
class Lines:
    """Drafts with the raw line of each, what is wrong with lines, and how many bytes were read.

    Each of `problems` is the number of a line within these bytes, from 1, why it failed, and that in words:
    "bad_line" if it could not be read, "encoding" if letters of it could not.
    """

    drafts: tuple[tuple[EntryDraft, bytes], ...]
    problems: tuple[tuple[int, str, str], ...]
    consumed: int


def read_lines(data: bytes, now: datetime, limit: int | None = None) -> Lines:
    """The articles in the complete lines of `data`, at most `limit` of them.

    A last line without its newline counts only if it is a complete JSON object; otherwise it is still being written
    and is not consumed, unless it is longer than an article may be.
    """
    drafts: list[tuple[EntryDraft, bytes]] = []
    problems: list[tuple[int, str, str]] = []
    position, number = 0, 0
    while position < len(data) and (limit is None or len(drafts) < limit):
        end = data.find(b"\n", position)
        line = data[position : end if end >= 0 else len(data)].strip(b"\xef\xbb\xbf \t\r\0")
        number += 1
        draft, problem = _read_line(line, now)
        if end < 0 and draft is None and len(line) <= LINE_MAX_BYTES:
            break
        position = end + 1 if end >= 0 else len(data)
        if draft is not None:
            drafts.append((draft, line))
        if problem and line:
            problems.append((number, "bad_line" if draft is None else "encoding", problem))
    return Lines(tuple(drafts), tuple(problems), position)


def _read_line(line: bytes, now: datetime) -> tuple[EntryDraft | None, str]:
    """The draft of a line, or why it has none; with a draft, what of it could not be read."""
    if len(line) > LINE_MAX_BYTES:
        return None, f"the line is longer than {LINE_MAX_BYTES:,} bytes"
    try:
        text, is_mended = utf8_text(line)
        record = _record(text if text[:1] == "{" else text.removeprefix("data:"))
    except FetchError:
        return None, "the line is not text"
    except json.JSONDecodeError as error:
        return None, f"not JSON: {error.msg} at column {error.colno}"
    except (ValueError, RecursionError):
        return None, "this JSON cannot be read"
    if not isinstance(record, dict):
        return None, "not a JSON object"
    texts = {name: _as_text(record.get(name), ", ") for name in _TEXTS if name not in _WRITTEN}
    for name in _WRITTEN:  # a number there is no text
        value = record.get(name)
        texts[name] = "" if isinstance(value, (int, float)) else _as_text(value, "\n\n")
    texts |= {name: with_letters(blanked(texts[name])) for name in _WRITTEN}
    if not (texts["title"].strip() or texts["body"].strip() or texts["summary"].strip()):
        return None, "no title, no summary, no body"
    identity = record.get("id")
    draft = EntryDraft(
        title=texts["title"],
        text=texts["body"],
        identity=str(identity) if isinstance(identity, (str, int)) else "",
        link=texts["url"],
        summary=texts["summary"],
        author=texts["author"],
        outlet=texts["source"],
        lang=texts["lang"],
        published=parse_date(texts["published"], now),
    )
    return draft, "the line is not UTF-8; some of its characters may be wrong" if is_mended else ""


def _record(text: str) -> Any:
    """The object of a line, read loosely if it is not quite JSON. Raises ValueError and RecursionError."""
    if text[:1] + text[-1:] not in ("{}", "[]"):
        text = text.strip(_AROUND)
    try:
        return read_json(text)
    except ValueError:
        # A program that was stopped within a line and started again leaves two records in one.
        if len(_RECORD_START.findall(text)) != 1 or not text.rstrip().endswith("}"):
            raise
        record = read_loosely(text)
        if not any(record.get(name) for name in _WRITTEN):
            raise
        return record


def _as_text(value: object, separator: str) -> str:
    """A value as text: of a list its texts, of an object its name or its text. What has no text is ""."""
    if isinstance(value, list):
        return separator.join(text for one in value[:_LIST_MAX] if (text := _as_text(one, separator)))
    if isinstance(value, dict):
        return next((value[key] for key in _NAMING if isinstance(value.get(key), str)), "")
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
