"""Pure: a feed's bytes become entries: RSS 0.9x to 2.0, RSS 1.0, Atom, JSON Feed, news sitemaps.

Guards come first, then one transcoding to UTF-8. Well-formed XML is read from its tree, feedparser reads the rest.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urljoin
from xml.sax import SAXException

from watchpost.documents.dates import first_date, slashed_order
from watchpost.documents.encoding import decode, xml_to_utf8
from watchpost.documents.entry import EntryDraft, FeedEntry, Written
from watchpost.documents.feed_xml import ITEM, Unsure, read_xml_feed
from watchpost.documents.html import plain_text
from watchpost.documents.json_formats import read_json_feed
from watchpost.documents.other_document import document_in_words, page_in_words
from watchpost.documents.page import find_feed_links
from watchpost.documents.results import FeedHints
from watchpost.documents.sitemap import read_sitemap
from watchpost.documents.written_address import meant_address
from watchpost.documents.xml_tree import bounded, guarded, unclosed_entry
from watchpost.errors import FetchError

FEED_MAX_BYTES = 5_000_000
"""Above this, parsers take minutes instead of seconds; no honest feed is larger."""

_ROOT = re.compile(rb"<(?:\w{1,20}:)?(rss|feed|rdf|channel|html|urlset|sitemapindex)[\s>]", re.IGNORECASE)
_FEED_ROOTS = frozenset({b"rss", b"feed", b"rdf", b"channel"})
_AUTHOR = (
    re.compile(r"[^\s@]{1,200}@[^\s@]{1,200} ?\((.{1,200})\)"),
    re.compile(r"([^(<]{1,200}?) ?[(<](?:mailto:)?[^\s@]{1,200}@[^\s@]{1,200}[)>]"),
)
_MARKED = re.compile(r"[@<&(]")  # without one of these an author is a plain name
_JSON_FEED = re.compile(rb"""["']version["']\s{0,9}:\s{0,9}["']https?:\\?/\\?/(?:www\.)?jsonfeed\.org/""")
_DOCTYPE_HTML = re.compile(rb"\s*<!doctype\s+html", re.IGNORECASE)

_ZIP = b"PK\x03\x04"
_REPLACEMENT = "\ufffd".encode()
_HEAD_BYTES = 65_536
_TOLERATED_BYTES = 300_000
_DATES = ("published", "updated", "created")
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 720, "yearly": 8760}  # hours
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TTL = re.compile(r"<ttl>\s{0,99}([0-9]{1,7})\s{0,99}</ttl>", re.IGNORECASE)
_PERIOD = re.compile(r"<sy:updatePeriod(?:\s[^<>]{0,200})?>\s{0,99}([a-z]{1,9})\s{0,99}</", re.IGNORECASE)
_FREQUENCY = re.compile(r"<sy:updateFrequency(?:\s[^<>]{0,200})?>\s{0,99}([0-9]{1,5})\s{0,99}</", re.IGNORECASE)
_HOUR = re.compile(r"<hour>\s{0,99}([0-9]{1,2})\s{0,99}</hour>", re.IGNORECASE)
_DAY = re.compile(r"<day>\s{0,99}([a-z]{6,9})\s{0,99}</day>", re.IGNORECASE)
_LINK = re.compile(r"<(?:[\w-]{1,20}:)?link\s([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w:-]{1,30})\s{0,9}=\s{0,9}["']([^"'<>]{0,2000})["']""")


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed document: all its entries, in order.

    `route` is how it was read: "xml", "xml:entry_by_entry", "feedparser:<why not xml>", "json" or "sitemap".
    `cut`: the document ends early; an entry within which it ends is left out. `replaced` is how many characters could
    not be read, `unread` how many entries.
    """

    entries: tuple[FeedEntry, ...]
    lang: str
    hints: FeedHints = field(default_factory=FeedHints)
    route: str = ""
    cut: bool = False
    replaced: int = 0
    unread: int = 0

    @property
    def drafts(self) -> tuple[EntryDraft, ...]:
        """The drafts of all entries, whole."""
        return tuple(entry.draft() for entry in self.entries)


def read_feed(body: bytes, *, now: datetime, url: str = "", charset: str = "") -> Feed:
    """The entries of a feed. `url` is where it came from, `charset` what HTTP declared.

    Raises FetchError: "empty", "too_large", "not_a_feed" (the message names the feeds of an HTML page), "malformed".
    """
    if len(body) > FEED_MAX_BYTES:
        raise FetchError("too_large", f"the feed has {len(body):,} bytes; at most {FEED_MAX_BYTES:,} are read")
    if not body.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise FetchError("empty", "the answer has no content")
    if body.startswith(_ZIP):
        raise FetchError("not_a_feed", "this is a ZIP archive, which is not unpacked; look for the address of the feed")
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") or _is_wrapped_json(body):
        text, _ = decode(body, charset or "utf-8")  # RFC 8259, 8.1
        entries, lang, unread, cut = read_json_feed(text, now)
        replaced = _replaced(text.encode("utf-8", "replace"), body)
        return Feed(entries, lang, route="json", cut=cut, replaced=replaced, unread=unread)
    data = guarded(xml_to_utf8(body, charset))
    return replace(_read_markup(data, now, url), replaced=_replaced(data, body))


def _is_wrapped_json(body: bytes) -> bool:
    """Whether a JSON Feed is within something else: a call (JSONP), a guard (`)]}'`), a warning of PHP, a comment."""
    head = body[:_HEAD_BYTES]
    return b"jsonfeed.org" in head and _JSON_FEED.search(head) is not None and _ROOT.search(body[:4096]) is None


def _replaced(data: bytes, body: bytes) -> int:
    """How many characters of `body` were replaced in its UTF-8 `data`."""
    return 0 if data is body else data.count(_REPLACEMENT) - body.count(_REPLACEMENT)


def _read_markup(data: bytes, now: datetime, url: str) -> Feed:
    root = _ROOT.search(data)
    if _DOCTYPE_HTML.match(data[:200]) or (root and root[1].lower() == b"html"):
        feeds = [link.url for link in find_feed_links(data[:200_000], url)]
        names = "; feeds that it names: " + ", ".join(feeds) if feeds else page_in_words(data)
        raise FetchError("not_a_feed", f"this is an HTML page, not a feed{names}")
    if root and root[1].lower() in (b"urlset", b"sitemapindex"):
        entries, cut = read_sitemap(data, now)
        return Feed(entries, "", route="sitemap", cut=cut)
    return _read_xml(data, root[1].lower() if root else b"", now, url)


def _read_xml(data: bytes, root: bytes, now: datetime, url: str) -> Feed:
    channel, entries, route, cut, unread = read_entries(data, root)
    if cut and not entries:
        raise FetchError("malformed", "no entry could be read: the document ends within the first")
    day_first = slashed_order(_date_text(entry) for entry in entries)
    outlet = plain_text(_text(channel, "title"))
    first = ITEM.search(data)
    return Feed(
        tuple(entry_of(entry, now, day_first, url, outlet) for entry in entries),
        lang=_text(channel, "language"),
        hints=hints_of(data, first.start() if first else len(data)),
        route=route,
        cut=cut,
        unread=unread,
    )


class Entries(NamedTuple):
    """A feed's channel and entries in feedparser's shape; `route`, `cut` and `unread` are Feed's."""

    channel: Mapping[str, Any]
    entries: Sequence[Mapping[str, Any]]
    route: str
    cut: bool
    unread: int = 0


def read_entries(data: bytes, root: bytes) -> Entries:
    """The entries of guarded UTF-8: from the tree, by feedparser where there is none. `root` is the root's name."""
    feed = read_xml_feed(data)
    if isinstance(feed, Unsure):
        route = f"feedparser:{feed.reason}"
        end = unclosed_entry(data) if feed.reason == "not_well_formed" else None
        return Entries(*read_tolerantly(data[:end], root), route, end is not None)
    entries: list[Mapping[str, Any]] = []
    unread = 0
    for entry in feed.entries:
        read = _by_feedparser(entry) if isinstance(entry, bytes) else (entry,)
        entries += read
        unread += not read
    if unread and not entries:
        raise FetchError("malformed", "no entry could be read: each of them is broken")
    return Entries(feed.channel, entries, "xml:entry_by_entry" if feed.divided else "xml", feed.cut, unread)


def _by_feedparser(document: bytes) -> Sequence[Mapping[str, Any]]:
    """What feedparser makes of a document with one entry that no repair helps. Its time has no bounds."""
    try:
        return read_tolerantly(document, b"")[1] if len(document) <= _TOLERATED_BYTES else ()
    except FetchError:
        return ()


def read_tolerantly(data: bytes, root: bytes) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]:
    """(channel, entries) by feedparser; raises FetchError. `root` is the root element's name, "" if unknown."""
    import feedparser

    headers = {"content-type": "application/xml; charset=utf-8"}
    file = io.BytesIO(data)  # given bytes or text, feedparser would open a file or URL of that name
    parsed = feedparser.parse(file, sanitize_html=False, resolve_relative_uris=False, response_headers=headers)
    entries = bounded(parsed.entries)
    broken = isinstance(parsed.get("bozo_exception"), SAXException)
    if not entries and (broken or ITEM.search(data)) and (parsed.version or root in _FEED_ROOTS):
        raise FetchError("malformed", f"no entry could be read: {_fault(parsed)}")
    if not entries and not parsed.version:
        raise FetchError("not_a_feed", f"this is not a feed: {document_in_words(data)}")
    return parsed.feed, entries


def entry_of(entry: Mapping[str, Any], now: datetime, day_first: bool | None, url: str, outlet: str) -> FeedEntry:
    """An entry in feedparser's shape. `url` makes links absolute, `outlet` is the feed's title."""
    contents = [content for content in _get(entry, "content", []) if _text(content, "value").strip()]
    body = (_written(max(contents, key=lambda content: len(content["value"]))),) if contents else ()
    guid = _text(entry, "id")
    link = meant_address(_text(entry, "link"))
    if link == guid and "://" not in link and not link.startswith("/"):
        link = ""  # a guid that is no address, taken for a permanent link
    base = _text(_get(entry, "title_detail", {}), "base")
    source = _get(entry, "source", {})
    head = EntryDraft(
        title=_written(_get(entry, "title_detail", {})).plain(),
        identity=guid,
        link=_join(_join(url, base), link) if link else "",
        author=_author(entry),
        outlet=_text(entry, "publisher") or plain_text(_text(source, "title")) or outlet,
        lang=_text(entry, "language"),
        published=_published(entry, now, day_first),
    )
    return FeedEntry(head, body, _written(_get(entry, "summary_detail", {})))


def _written(detail: Mapping[str, Any]) -> Written:
    return Written(_text(detail, "value"), _text(detail, "type") != "text/plain")


def _author(entry: Mapping[str, Any]) -> str:
    """The name in "mail@host (Name)", as RSS 2.0 has it, in "Name (mail@host)" and in "Name <mail@host>"."""
    author = _text(entry, "author")
    if not author:
        return ""
    if "author_detail" not in entry and not _MARKED.search(author):
        return " ".join(author[:1000].split())
    if not _AUTHOR[0].fullmatch(author):  # feedparser splits that form in the wrong places
        author = _text(_get(entry, "author_detail", {}), "name") or author
    author = " ".join(author[:1000].split())
    match = next((match for form in _AUTHOR if (match := form.fullmatch(author))), None)
    return plain_text(match[1] if match else author)


def _date_text(entry: Mapping[str, Any]) -> str:
    return next((text for key in _DATES if (text := _text(entry, key))), "")


def _published(entry: Mapping[str, Any], now: datetime, day_first: bool | None) -> datetime | None:
    return first_date((_text(entry, key) for key in _DATES), now, day_first=day_first)


def _get(mapping: Mapping[str, Any], key: str, default: Any) -> Any:
    value = mapping.get(key)
    return default if value is None else value


def _text(mapping: Any, key: str) -> str:
    value = mapping.get(key) if isinstance(mapping, dict) else None  # Mapping is far slower to ask for
    return value if isinstance(value, str) else ""


def _join(base: str, link: str) -> str:
    try:
        return urljoin(base, link)
    except ValueError:
        return ""


def _fault(parsed: Any) -> str:
    return str(parsed.get("bozo_exception", "no known root element")).partition("\n")[0][:200]


def hints_of(document: bytes, first_entry: int) -> FeedHints:
    """The hints in the UTF-8 `document` before byte `first_entry`, in its first 64 kB.

    ttl, skipHours, skipDays: RSS 2.0; in skipHours 24 is midnight, as RSS 0.91 had it. sy: RSS 1.0 Syndication. hub,
    self: WebSub, 4.
    """
    head = document[: min(first_entry, _HEAD_BYTES)].decode("utf-8", "replace")
    ttl, period, frequency = _TTL.search(head), _PERIOD.search(head), _FREQUENCY.search(head)
    hours = _PERIODS.get(period[1].lower(), 0) if period else 0
    times = max(int(frequency[1]), 1) if frequency else 1
    links = _links(head)
    return FeedHints(
        ttl=timedelta(minutes=int(ttl[1])) if ttl and int(ttl[1]) else None,
        update_every=timedelta(hours=hours) / times if hours else None,
        skip_hours=tuple(sorted({int(hour) % 24 for hour in _HOUR.findall(head) if int(hour) <= 24})),
        skip_days=tuple(sorted({_DAYS.index(day.lower()) for day in _DAY.findall(head) if day.lower() in _DAYS})),
        hub=links.get("hub", ""),
        self_url=links.get("self", ""),
    )


def _links(head: str) -> dict[str, str]:
    links: dict[str, str] = {}
    for link in _LINK.finditer(head):
        attributes = {name.lower(): html.unescape(value).strip() for name, value in _ATTRIBUTE.findall(link[1])}
        href = attributes.get("href", "")
        for rel in attributes.get("rel", "").lower().split():
            if href.startswith(("http://", "https://")):
                links.setdefault(rel, href)
    return links
