"""A feed's bytes become entries: RSS 0.9x to 2.0, RSS 1.0, Atom, JSON Feed, news sitemaps.

Guards come first, then one transcoding to UTF-8. Well-formed XML is read from its tree, feedparser reads the rest.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urljoin
from xml.sax import SAXException

from watchpost.errors import FetchError
from watchpost.poll.documents.asks import asks_of
from watchpost.poll.documents.charset import decode, xml_to_utf8
from watchpost.poll.documents.entries import Entry, Written
from watchpost.poll.documents.jsonfeed import read_json_feed
from watchpost.poll.documents.links import find_feed_links
from watchpost.poll.documents.markup import plain_text
from watchpost.poll.documents.sitemaps import read_sitemap
from watchpost.poll.documents.xmlfeed import ITEM, Unsure, read_xml_feed
from watchpost.poll.due import Asks
from watchpost.poll.text.dates import parse_date, slashed_order
from watchpost.poll.text.tidy import Draft

FEED_MAX_BYTES = 5_000_000
"""Above this, parsers go from seconds to minutes: no honest feed is larger."""

# A tag of this length is an attack on the parser (time grows with the square of the number of attributes).
_GIANT_TAG = re.compile(rb"<[^<>!][^<>]{32768}")
# Entities made of entities grow without bound ("billion laughs"); no feed needs one.
_NESTED_ENTITY = re.compile(rb"<!ENTITY\s[^>]{0,200}?[\"'][^\"'>]{0,2000}?&[^#;\s]{1,100};")
_ROOT = re.compile(rb"<(?:\w{1,20}:)?(rss|feed|rdf|channel|html|urlset|sitemapindex)[\s>]", re.IGNORECASE)
_FEED_ROOTS = frozenset({b"rss", b"feed", b"rdf", b"channel"})
_AUTHOR = (
    re.compile(r"[^\s@]{1,200}@[^\s@]{1,200} ?\((.{1,200})\)"),
    re.compile(r"([^(<]{1,200}?) ?[(<](?:mailto:)?[^\s@]{1,200}@[^\s@]{1,200}[)>]"),
)
_DOCTYPE_HTML = re.compile(rb"\s*<!doctype\s+html", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed document says: its entries in order, at most as many as asked for, and how many it has.

    `asks` is what it asks of those who poll it, `route` who read it: "xml", "feedparser:<why not xml>", "json" or
    "sitemap".
    """

    entries: tuple[Entry, ...]
    lang: str
    total: int
    asks: Asks = field(default_factory=Asks)
    route: str = ""

    @property
    def drafts(self) -> tuple[Draft, ...]:
        """The drafts of all entries, whole."""
        return tuple(entry.draft() for entry in self.entries)


def read_feed(body: bytes, *, now: datetime, url: str = "", charset: str = "", limit: int = 200) -> Feed:
    """The first `limit` entries of a feed. `url` is where it came from, `charset` what HTTP declared.

    Raises FetchError: "empty", "too_large", "not_a_feed" (the message names the feeds of an HTML page), "malformed".
    """
    if len(body) > FEED_MAX_BYTES:
        raise FetchError("too_large", f"the feed has {len(body):,} bytes; at most {FEED_MAX_BYTES:,} are read")
    if not body.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise FetchError("empty", "the answer has no content")
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        entries, lang, total = read_json_feed(decode(body, charset)[0], now, limit)
        return Feed(entries, lang, total, route="json")
    data = xml_to_utf8(body, charset)
    if _GIANT_TAG.search(data):
        raise FetchError("malformed", "a single tag has more than 32,768 characters")
    if _NESTED_ENTITY.search(data):
        raise FetchError("malformed", "it defines entities in terms of other entities, which is an attack on parsers")
    root = _ROOT.search(data)
    if _DOCTYPE_HTML.match(data[:200]) or (root and root[1].lower() == b"html"):
        feeds = [link.url for link in find_feed_links(data[:200_000], url)]
        named = "; feeds that it names: " + ", ".join(feeds) if feeds else ""
        raise FetchError("not_a_feed", f"this is an HTML page, not a feed{named}")
    if root and root[1].lower() in (b"urlset", b"sitemapindex"):
        entries, total = read_sitemap(data, now, limit)
        return Feed(entries, "", total, route="sitemap")
    return _read_xml(data, root[1].lower() if root else b"", now, url, limit)


def _read_xml(data: bytes, root: bytes, now: datetime, url: str, limit: int) -> Feed:
    channel, entries, route = read_entries(data, root)
    order = slashed_order(_date_text(entry) for entry in entries)
    lang, outlet = _text(channel, "language"), plain_text(_text(channel, "title"))
    chosen = _newest(entries, limit, now, order)
    read = tuple(entry_of(entry, now, order, url, outlet) for entry in chosen)
    first = ITEM.search(data)
    asks = asks_of(data, first.start() if first else len(data))
    return Feed(read, lang, len(entries), asks, route)


def read_entries(data: bytes, root: bytes) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]], str]:
    """(channel, entries, route) of guarded UTF-8: from the tree, by feedparser where there is none."""
    read, route = read_xml_feed(data), "xml"
    if isinstance(read, Unsure):
        route = f"feedparser:{read.reason}"
        read = read_tolerantly(data, root)
    return *read, route


def read_tolerantly(data: bytes, root: bytes) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]:
    """(channel, entries) by feedparser; raises FetchError. `root` is the root element's name, "" if unknown.

    BytesIO only: given bytes or text, it would open a file or URL of that name.
    """
    import feedparser

    headers = {"content-type": "application/xml; charset=utf-8"}
    parsed = feedparser.parse(
        io.BytesIO(data), sanitize_html=False, resolve_relative_uris=False, response_headers=headers
    )
    entries = parsed.entries
    broken = isinstance(parsed.get("bozo_exception"), SAXException)
    if not entries and (broken or ITEM.search(data)) and (parsed.version or root in _FEED_ROOTS):
        raise FetchError("malformed", f"no entry could be read: {_bozo(parsed)}")
    if not entries and not parsed.version:
        raise FetchError("not_a_feed", f"this is not a feed: {_bozo(parsed)}")
    return parsed.feed, entries


def _newest(entries: Sequence[Any], limit: int, now: datetime, day_first: bool | None) -> Sequence[Any]:
    """At most `limit` entries, in the feed's order: the newest by date, for some feeds put them last."""
    if len(entries) <= limit:
        return entries
    dates = [parse_date(_date_text(entry), now, day_first=day_first) for entry in entries]
    if None in dates:
        return entries[:limit]
    latest = sorted(range(len(entries)), key=lambda n: dates[n] or now, reverse=True)[:limit]
    return [entries[n] for n in sorted(latest)]


def entry_of(entry: Mapping[str, Any], now: datetime, day_first: bool | None, url: str, outlet: str) -> Entry:
    """An entry in feedparser's shape. `url` makes links absolute, `outlet` is the feed's title."""
    contents = [content for content in _get(entry, "content", []) if _text(content, "value").strip()]
    body = (_written(max(contents, key=lambda content: len(content["value"]))),) if contents else ()
    own = _text(entry, "id")
    link = _text(entry, "link")
    if link == own and "://" not in link and not link.startswith("/"):
        link = ""  # a guid that is no address, taken for a permanent link
    base = _text(_get(entry, "title_detail", {}), "base")
    source = _get(entry, "source", {})
    head = Draft(
        title=_written(_get(entry, "title_detail", {})).plain(),
        identity=own,
        link=_join(_join(url, base), link) if link else "",
        author=_author(entry),
        outlet=_text(entry, "publisher") or plain_text(_text(source, "title")) or outlet,
        lang=_text(entry, "language"),
        published=parse_date(_date_text(entry), now, day_first=day_first),
    )
    return Entry(head, body, _written(_get(entry, "summary_detail", {})))


def _written(detail: Mapping[str, Any]) -> Written:
    return Written(_text(detail, "value"), _text(detail, "type") != "text/plain")


def _author(entry: Mapping[str, Any]) -> str:
    """The name, of "mail@host (Name)" as RSS 2.0 has it, "Name (mail@host)" and "Name <mail@host>"."""
    written = _text(entry, "author")
    if not _AUTHOR[0].fullmatch(written):  # feedparser takes that form apart in the wrong places
        written = _text(_get(entry, "author_detail", {}), "name") or written
    written = " ".join(written[:1000].split())
    named = next((match for form in _AUTHOR if (match := form.fullmatch(written))), None)
    return plain_text(named[1] if named else written)


def _date_text(entry: Mapping[str, Any]) -> str:
    return next((t for key in ("published", "updated", "created") if (t := _text(entry, key))), "")


def _get(mapping: Mapping[str, Any], key: str, default: Any) -> Any:
    value = mapping.get(key)
    return default if value is None else value


def _text(mapping: Any, key: str) -> str:
    value = mapping.get(key) if isinstance(mapping, Mapping) else None
    return value if isinstance(value, str) else ""


def _join(base: str, link: str) -> str:
    try:
        return urljoin(base, link)
    except ValueError:
        return ""


def _bozo(parsed: Any) -> str:
    return str(parsed.get("bozo_exception", "no known root element")).partition("\n")[0][:200]
