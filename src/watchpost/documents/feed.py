"""Pure: a feed's bytes become entries: RSS 0.9x to 2.0, RSS 1.0, Atom, JSON Feed, news sitemaps.

Guards come first, then one transcoding to UTF-8. Well-formed XML is read from its tree, feedparser reads the rest.
"""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin
from xml.sax import SAXException

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from watchpost.documents.clean import EntryDraft
from watchpost.documents.dates import parse_date, slashed_order
from watchpost.documents.encoding import decode, decode_html, xml_to_utf8
from watchpost.documents.feed_xml import ITEM, Unsure, read_xml_feed
from watchpost.documents.html import parse_html, plain_text
from watchpost.documents.results import FeedHints
from watchpost.errors import FetchError

# what a feed document asks of those who poll it, read from what stands before its first entry.


_HEAD = 65_536
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 720, "yearly": 8760}  # hours
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TTL = re.compile(r"<ttl>\s{0,99}([0-9]{1,7})\s{0,99}</ttl>", re.IGNORECASE)
_PERIOD = re.compile(r"<sy:updatePeriod(?:\s[^<>]{0,200})?>\s{0,99}([a-z]{1,9})\s{0,99}</", re.IGNORECASE)
_FREQUENCY = re.compile(r"<sy:updateFrequency(?:\s[^<>]{0,200})?>\s{0,99}([0-9]{1,5})\s{0,99}</", re.IGNORECASE)
_HOUR = re.compile(r"<hour>\s{0,99}([0-9]{1,2})\s{0,99}</hour>", re.IGNORECASE)
_DAY = re.compile(r"<day>\s{0,99}([a-z]{6,9})\s{0,99}</day>", re.IGNORECASE)
_LINK = re.compile(r"<(?:[\w-]{1,20}:)?link\s([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w:-]{1,30})\s{0,9}=\s{0,9}["']([^"'<>]{0,2000})["']""")


def hints_of(document: bytes, first_entry: int) -> FeedHints:
    """What the UTF-8 `document` asks for before byte `first_entry`, in its first 64 kB.

    ttl, skipHours, skipDays: RSS 2.0; in skipHours 24 is midnight, as RSS 0.91 had it. sy: RSS 1.0 Syndication.
    hub, self: WebSub, 4.
    """
    head = document[: min(first_entry, _HEAD)].decode("utf-8", "replace")
    ttl, period, often = _TTL.search(head), _PERIOD.search(head), _FREQUENCY.search(head)
    hours = _PERIODS.get(period[1].lower(), 0) if period else 0
    frequency = max(int(often[1]), 1) if often else 1
    links = _links(head)
    return FeedHints(
        ttl=timedelta(minutes=int(ttl[1])) if ttl and int(ttl[1]) else None,
        update_every=timedelta(hours=hours) / frequency if hours else None,
        skip_hours=tuple(sorted({int(hour) % 24 for hour in _HOUR.findall(head) if int(hour) <= 24})),
        skip_days=tuple(sorted({_DAYS.index(day.lower()) for day in _DAY.findall(head) if day.lower() in _DAYS})),
        hub=links.get("hub", ""),
        self_url=links.get("self", ""),
    )


def _links(head: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for link in _LINK.finditer(head):
        attributes = {name.lower(): html.unescape(value).strip() for name, value in _ATTRIBUTE.findall(link[1])}
        href = attributes.get("href", "")
        for rel in attributes.get("rel", "").lower().split():
            if href.startswith(("http://", "https://")):
                found.setdefault(rel, href)
    return found


# an entry of a feed before anybody makes text of it.
#
# Plain text out of HTML is what reading a feed mostly costs, and most entries of a feed are known: whoever wants to
# know
# which they are needs their ids and dates alone.


@dataclass(frozen=True, slots=True)
class Written:
    """A text as the feed has it: HTML, or plain."""

    text: str
    html: bool = True

    def plain(self) -> str:
        """What a reader sees of it."""
        return plain_text(self.text) if self.html else self.text


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """`head` is the draft without its texts. The first of `bodies` with something in it is the text.

    Without any the summary is the text.
    """

    head: EntryDraft
    bodies: tuple[Written, ...] = ()
    summary: Written = Written("")

    def draft(self) -> EntryDraft:
        """The draft, whole."""
        summary = self.summary.plain()
        body = next((text for one in self.bodies if (text := one.plain())), "")
        return replace(self.head, text=body or summary, summary=summary if body else "")


# JSON Feed, versions 1.0 and 1.1 (jsonfeed.org), which no XML feed parser reads.


def read_json_feed(text: str, now: datetime, limit: int) -> tuple[tuple[FeedEntry, ...], str, int]:
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
    entries = tuple(_entry(item, now, outlet, _author_jsonfeed(feed)) for item in known[:limit])
    return entries, _string(feed, "language"), len(known)


def _entry(item: Mapping[str, Any], now: datetime, outlet: str, author: str) -> FeedEntry:
    head = EntryDraft(
        title=plain_text(_string(item, "title")),
        identity=_string(item, "id"),
        link=_string(item, "url") or _string(item, "external_url"),
        author=_author_jsonfeed(item) or author,
        outlet=outlet,
        lang=_string(item, "language"),
        published=parse_date(_string(item, "date_published") or _string(item, "date_modified"), now),
    )
    bodies = Written(_string(item, "content_html")), Written(_string(item, "content_text"), html=False)
    return FeedEntry(head, bodies, Written(_string(item, "summary"), html=False))


def _author_jsonfeed(mapping: Mapping[str, Any]) -> str:
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


# news sitemaps (the sitemaps.org protocol with Google's news extension), which some sites have for a feed.


_NAMED = 5


def read_sitemap(data: bytes, now: datetime, limit: int) -> tuple[tuple[FeedEntry, ...], int]:
    """The first `limit` news of a sitemap as entries without text, and how many there are.

    Raises FetchError("not_a_feed") for a sitemap without news and for an index, whose sitemaps the message names.
    """
    parser = etree.XMLParser(recover=True, no_network=True, resolve_entities=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.ParseError as error:
        raise FetchError("malformed", "this sitemap cannot be read") from error
    if root is None:
        raise FetchError("malformed", "this sitemap cannot be read")
    if _name(root) == "sitemapindex":
        named = [text for element in root if _name(element) == "sitemap" if (text := _text_sitemaps(element, "loc"))]
        said = ": " + ", ".join(named[:_NAMED]) if named else ""
        raise FetchError("not_a_feed", f"this is an index of {len(named)} sitemaps; take one of them as the feed{said}")
    news = [element for element in root if _name(element) == "url" and _child(element, "news") is not None]
    if not news:
        raise FetchError("not_a_feed", "this is a sitemap without news entries, not a feed")
    return tuple(FeedEntry(_head(element, now)) for element in news[:limit]), len(news)


def _head(url: etree._Element, now: datetime) -> EntryDraft:
    news, link = _child(url, "news"), _text_sitemaps(url, "loc")
    publication = _child(news, "publication")
    return EntryDraft(
        title=_text_sitemaps(news, "title"),
        identity=link,
        link=link,
        outlet=_text_sitemaps(publication, "name"),
        lang=_text_sitemaps(publication, "language"),
        published=parse_date(_text_sitemaps(news, "publication_date") or _text_sitemaps(url, "lastmod"), now),
    )


def _child(element: etree._Element | None, name: str) -> etree._Element | None:
    return None if element is None else next((child for child in element if _name(child) == name), None)


def _text_sitemaps(element: etree._Element | None, name: str) -> str:
    child = _child(element, name)
    return "" if child is None else str(child.text or "").strip()


def _name(element: etree._Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


# the feeds that a web page names (RSS Advisory Board, "RSS Autodiscovery"; HTML, link type "alternate").


MAX_LINKS = 10
_LONGEST_PAGE = 1_000_000
_TYPES = frozenset(f"application/{t}" for t in ("rss+xml", "atom+xml", "feed+json", "json", "rdf+xml"))


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed as a page names it."""

    url: str
    title: str


def find_feed_links(data: bytes, base: str) -> tuple[FeedLink, ...]:
    """The page's `<link rel="alternate">` of a feed's type and `rel="feed"`, in its order, at most ten.

    `base` is the page's address; its own `<base href>` goes before. Only http and https; a WordPress page's API,
    which is announced as JSON, is no feed.
    """
    root = parse_html(decode_html(data)[:_LONGEST_PAGE])
    if root is None:
        return ()
    own = next((str(tag.get("href")) for tag in root.iter("base") if tag.get("href")), "")
    found: dict[str, FeedLink] = {}
    for link in root.iter("link", "a"):
        rels = (link.get("rel") or "").lower().split()
        kind = (link.get("type") or "").lower().partition(";")[0].strip()
        named = "feed" in rels or (link.tag == "link" and "alternate" in rels and kind in _TYPES)
        href = (link.get("href") or "").strip()
        if not (named and href):
            continue
        try:
            url = urljoin(urljoin(base, own), href)
        except ValueError:
            continue
        if url.startswith(("http://", "https://")) and "/wp-json/" not in url and len(url) < 2000:
            found.setdefault(url, FeedLink(url, " ".join((link.get("title") or "").split())[:200]))
    return tuple(found.values())[:MAX_LINKS]


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

    entries: tuple[FeedEntry, ...]
    lang: str
    total: int
    asks: FeedHints = field(default_factory=FeedHints)
    route: str = ""

    @property
    def drafts(self) -> tuple[EntryDraft, ...]:
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
    asks = hints_of(data, first.start() if first else len(data))
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


def entry_of(entry: Mapping[str, Any], now: datetime, day_first: bool | None, url: str, outlet: str) -> FeedEntry:
    """An entry in feedparser's shape. `url` makes links absolute, `outlet` is the feed's title."""
    contents = [content for content in _get(entry, "content", []) if _text(content, "value").strip()]
    body = (_written(max(contents, key=lambda content: len(content["value"]))),) if contents else ()
    own = _text(entry, "id")
    link = _text(entry, "link")
    if link == own and "://" not in link and not link.startswith("/"):
        link = ""  # a guid that is no address, taken for a permanent link
    base = _text(_get(entry, "title_detail", {}), "base")
    source = _get(entry, "source", {})
    head = EntryDraft(
        title=_written(_get(entry, "title_detail", {})).plain(),
        identity=own,
        link=_join(_join(url, base), link) if link else "",
        author=_author(entry),
        outlet=_text(entry, "publisher") or plain_text(_text(source, "title")) or outlet,
        lang=_text(entry, "language"),
        published=parse_date(_date_text(entry), now, day_first=day_first),
    )
    return FeedEntry(head, body, _written(_get(entry, "summary_detail", {})))


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
