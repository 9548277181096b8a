"""Pure: RSS and Atom, read from libxml2's tree, which costs a fortieth of feedparser's time.

The result has feedparser's shape, so that one function makes drafts of both. A document that is not well-formed, or in
whose tree not every entry is found, is left to feedparser, which guesses better.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain, islice
from typing import Any
from urllib.parse import urljoin

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from watchpost.documents.dates import parse_date
from watchpost.documents.entry import EntryDraft, FeedEntry
from watchpost.errors import FetchError

ITEM = re.compile(rb"<(?:[\w-]{1,20}:)?(?:item|entry)[\s>/]", re.IGNORECASE)
"""The beginning of an entry, in each of the formats."""

ENTRIES_MAX = 20_000

_MARK = re.compile(
    rb"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)"
    rb"|<(?P<close>/?)(?:[\w-]{1,20}:)?(?P<name>item|entry|rss|feed|rdf|channel)(?=[\s>/]|\Z)",
    re.IGNORECASE | re.DOTALL,
)

# What follows a bare ampersand is lost. These are the entities that XML itself knows.
_BARE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)([A-Za-z][A-Za-z0-9]{1,30};)?")
_EMPTY = re.compile(rb"[^<>]{0,2000}/>")
_TAG = re.compile(rb"<[A-Za-z][^<>]{0,2000}=[^\"'<>][^<>]{0,2000}>")
_UNQUOTED = re.compile(rb"""(\s[\w:-]{1,40}=)([^\s"'<>/]{1,200})(?=[\s>/])""")
_HTMLISH = re.compile(r"</[a-zA-Z]{1,12}>|<br ?/?>|&(?:#[0-9]{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z]{2,31});")
_PREFIXED = re.compile(r"(</?)[\w-]{1,20}:")
_HTML = ("text/html", "application/xhtml+xml", "")
_XML = "{http://www.w3.org/XML/1998/namespace}"
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_PREFIXES = {  # the vocabularies whose names have a meaning of their own
    "http://purl.org/dc/elements/1.1/": "dc:",
    "http://purl.org/dc/terms/": "dc:",
    "http://search.yahoo.com/mrss/": "media:",
    "http://search.yahoo.com/mrss": "media:",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes:",
    "http://purl.org/rss/1.0/modules/content/": "content:",
}
_OWN = frozenset(_PREFIXES.values())
_DATES = {
    "pubdate": "published", "published": "published", "issued": "published", "created": "created",
    "updated": "updated", "modified": "updated", "date": "updated",
}  # fmt: skip

_ENTRY = frozenset({"item", "entry"})
_ROOTS = frozenset({"rss", "rdf", "feed", "channel"})

Fields = Mapping[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Unsure:
    """Why a document is left to feedparser: "not_well_formed", or "no_feed" if it does not look like one."""

    reason: str


def unclosed_entry(data: bytes) -> int | None:
    """At which byte the entry begins in which this document ends; None if it ends elsewhere.

    A document whose root is closed does not end in an entry, even if the writer left one open.
    """
    start: int | None = None
    for mark in _MARK.finditer(data):
        name = (mark["name"] or b"").lower()
        if name in (b"item", b"entry"):
            if mark["close"]:
                start = None
            elif start is None and not _EMPTY.match(data, mark.end()):
                start = mark.start()
        elif name and mark["close"]:
            start = None
    return start


def read_xml_feed(data: bytes) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]] | Unsure:
    """(channel, entries) in feedparser's shape, or why this document needs feedparser. `data` is checked UTF-8.

    Raises FetchError("too_large") above ENTRIES_MAX.
    """
    root = _tree(data)
    if root is None:
        return Unsure("not_well_formed")
    entries = list(islice(_entries(root), ENTRIES_MAX + 1))
    if len(entries) > ENTRIES_MAX:
        raise FetchError("too_large", f"the feed has more than {ENTRIES_MAX:,} entries")
    kind = _name(root.tag)
    if not entries and kind not in _ROOTS:
        return Unsure("no_feed")
    atom = kind in ("feed", "entry")
    channel = root if atom else next((child for child in root if _name(child.tag) == "channel"), root)
    base = _base(root, channel)
    fields = _fields(channel)
    about = {
        "title": _inner(_first(fields, "title")),
        "language": _inner(_first(fields, "language", "dc:language"))
        or next((lang for element in (channel, root) if (lang := element.get(f"{_XML}lang"))), ""),
    }
    return about, [_entry(element, base, atom) for element in entries]


def _tree(data: bytes) -> etree._Element | None:
    """The document's root, if it is well-formed or only bare ampersands and attributes keep it from that."""
    root, well_formed = _parsed(data)
    if not well_formed or b"<!DOCTYPE" in data[:4096]:  # a DOCTYPE may define entities, which are not resolved
        mended = _mended(data)
        if mended != data:
            root, well_formed = _parsed(mended)
    return root if well_formed else None


def _parsed(data: bytes) -> tuple[etree._Element | None, bool]:
    """(root, whether the document is well-formed). Undeclared namespace prefixes are common and do not count."""
    parser = etree.XMLParser(
        recover=True, no_network=True, resolve_entities=False, huge_tree=False, collect_ids=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except etree.ParseError:
        return None, False
    faults = (error.domain != etree.ErrorDomains.NAMESPACE for error in parser.error_log)
    return root, root is not None and not any(faults)


def _mended(data: bytes) -> bytes:
    """Stray ampersands escaped and bare attribute values quoted, outside of CDATA."""
    parts, end = [], 0
    while (start := data.find(b"<![CDATA[", end)) >= 0 and (close := data.find(b"]]>", start)) >= 0:
        parts += [_mend(data[end:start]), data[start : close + 3]]
        end = close + 3
    return b"".join([*parts, _mend(data[end:])])


def _mend(markup: bytes) -> bytes:
    return _TAG.sub(lambda tag: _UNQUOTED.sub(rb'\1"\2"', tag[0]), _BARE.sub(_escaped, markup))


def _escaped(match: re.Match[bytes]) -> bytes:
    """A stray ampersand escaped; an entity of HTML, which XML does not know, as its letter."""
    name = (match[1] or b"").decode()
    letter = html.unescape("&" + name) if name else ""
    return letter.encode() if letter and not letter.startswith("&") else b"&amp;" + name.encode()


def _entries(root: etree._Element) -> Iterator[etree._Element]:
    """Items and entries, in the document's order; one within another is part of it."""
    parents: list[etree._Element] = []  # that of the entry before, which mostly is that of the next
    plain = root.iter("{*}item", "{*}entry")
    first = next(plain, None)
    candidates = chain([first], plain) if first is not None else (e for e in root.iter() if _name(e.tag) in _ENTRY)
    for element in candidates:
        parent = element.getparent()
        if parents and parent is parents[0]:
            yield element
        elif not any(_name(ancestor.tag) in _ENTRY for ancestor in element.iterancestors()):
            parents = [parent]
            yield element


@lru_cache(2048)
def _name(tag: object) -> str:
    """An element's name in lower case, after "dc:", "media:", … if it is of that vocabulary; "" for no element."""
    if not isinstance(tag, str):
        return ""
    space, _, local = tag.rpartition("}")
    undeclared, _, local = local.lower().rpartition(":")
    prefix = _PREFIXES.get(space[1:], f"{undeclared}:")
    return prefix + local if prefix in _OWN else local


def _fields(element: etree._Element) -> dict[str, list[etree._Element]]:
    """The children of an element by name."""
    fields: dict[str, list[etree._Element]] = {}
    for child in element:
        fields.setdefault(_name(child.tag), []).append(child)
    return fields


def _first(fields: Fields, *names: str) -> etree._Element | None:
    """The first element that is not empty, of the first of these names that has one."""
    for name in names:
        for element in fields.get(name, ()):
            if len(element) or (element.text or "").strip():
                return element
    return None


def _inner(element: etree._Element | None) -> str:
    """The text of an element; markup in it as it is written."""
    if element is None:
        return ""
    if not len(element):
        return (element.text or "").strip()
    parts = [html.escape(element.text or "", quote=False)]
    parts += [etree.tostring(child, encoding="unicode") for child in element]
    return _PREFIXED.sub(r"\1", "".join(parts)).strip()


def _entry(element: etree._Element, base: str, atom: bool) -> Mapping[str, Any]:
    fields = _fields(element)
    title, described = _first(fields, "title", "dc:title"), _first(fields, "description", "summary", "dc:description")
    contents = [
        {"value": value, "type": kind}
        for name in ("content", "content:encoded", "encoded", "body", "itunes:summary")
        for content in fields.get(name, ())
        if (value := _inner(content)) and (kind := _kind(content, atom and name == "content")) is not None
    ]
    if described is None and not contents:  # that of a picture, or in a group of media
        described = next((inner for inner in element.iter("{*}description") if (inner.text or "").strip()), None)
    summary = _inner(described)
    guid = _inner(_first(fields, "guid", "id")) or element.get(_ABOUT, "").strip()
    text = _inner(title)
    markup = not atom and (_HTMLISH.search(text) is not None or (title is not None and len(title) > 0))
    return {
        "id": guid,
        "link": _link(fields, guid, atom),
        "title_detail": {
            "value": text,
            "type": (_kind(title, True) if atom else "text/html" if markup else "text/plain") or "text/html",
            "base": _joined(base, element.get(f"{_XML}base", "")),
        },
        "summary_detail": {"value": summary, "type": _kind(described, atom) or "text/html"},
        "content": [content for content in contents if content["value"] != summary],
        "author": _author(fields),
        "source": {"title": _source(fields)},
        "publisher": _inner(_first(fields, "dc:publisher", "publisher")),
        "language": _inner(_first(fields, "dc:language")),
        **_dates(fields),
    }  # fmt: skip


def _kind(element: etree._Element | None, atom: bool) -> str | None:
    """The media type of an element's content; None for what is no text (RFC 4287, 3.1.1 and 4.1.3.1)."""
    declared = (element.get("type") or ("text" if atom else "html")).lower() if element is not None else "text"
    kind = {"text": "text/plain", "html": "text/html", "xhtml": "application/xhtml+xml"}.get(declared, declared)
    return kind if kind.startswith("text/") or kind.endswith("xml") else None


def _author(fields: Fields) -> str:
    """RSS's author, Dublin Core's creator, or the name of Atom's."""
    for author in (*fields.get("author", ()), *fields.get("dc:creator", ()), *fields.get("itunes:author", ())):
        parts = _fields(author)
        if name := _inner(_first(parts, "name", "email")) if parts else _inner(author):
            return name
    return ""


def _source(fields: Fields) -> str:
    """The title of the feed that an entry was taken from: RSS's text, or the title in Atom's source."""
    source = _first(fields, "source")
    return "" if source is None else _inner(_first(_fields(source), "title")) if len(source) else _inner(source)


def _link(fields: Fields, guid: str, atom: bool) -> str:
    """RSS's link, or the permanent guid; Atom's alternate link, which has no `rel` or that one (RFC 4287, 4.2.7.2)."""
    links = fields.get("link", ())
    if not atom and (text := next((text for link in links if (text := (link.text or "").strip())), "")):
        return text
    for link in links:
        kind, href = link.get("type") or "", (link.get("href") or "").strip()
        if href and (link.get("rel") or "alternate") == "alternate" and kind in _HTML:
            return str(href)
    if atom:
        return guid if guid.startswith(("http://", "https://")) else ""
    element = _first(fields, "guid")
    return guid if element is not None and (element.get("isPermaLink") or "true").lower() != "false" else ""


def _dates(fields: Fields) -> dict[str, str]:
    """The texts of the dates by role, the first of each."""
    dates: dict[str, str] = {}
    for name, elements in fields.items():
        role = _DATES.get(name.rpartition(":")[2])
        if role and role not in dates and (text := (elements[0].text or "").strip()):
            dates[role] = text[:200]
    return dates


def _base(*elements: etree._Element) -> str:
    base = ""
    for element in elements:
        base = _joined(base, element.get(f"{_XML}base", ""))
    return base


def _joined(base: str, more: str) -> str:
    if not more:
        return base
    try:
        return urljoin(base, more)
    except ValueError:
        return base


# News sitemaps (https://www.sitemaps.org with Google's news extension), which some sites have for a feed.


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
    if _name_sitemap(root) == "sitemapindex":
        urls = [url for element in root if _name_sitemap(element) == "sitemap" if (url := _text(element, "loc"))]
        names = ": " + ", ".join(urls[:_NAMED]) if urls else ""
        raise FetchError("not_a_feed", f"this is an index of {len(urls)} sitemaps; take one of them as the feed{names}")
    news = [element for element in root if _name_sitemap(element) == "url" and _child(element, "news") is not None]
    if not news:
        raise FetchError("not_a_feed", "this is a sitemap without news entries, not a feed")
    return tuple(FeedEntry(_head(element, now)) for element in news[:limit]), len(news)


def _head(url: etree._Element, now: datetime) -> EntryDraft:
    news, link = _child(url, "news"), _text(url, "loc")
    publication = _child(news, "publication")
    return EntryDraft(
        title=_text(news, "title"),
        identity=link,
        link=link,
        outlet=_text(publication, "name"),
        lang=_text(publication, "language"),
        published=parse_date(_text(news, "publication_date") or _text(url, "lastmod"), now),
    )


def _child(element: etree._Element | None, name: str) -> etree._Element | None:
    return None if element is None else next((child for child in element if _name_sitemap(child) == name), None)


def _text(element: etree._Element | None, name: str) -> str:
    child = _child(element, name)
    return "" if child is None else str(child.text or "").strip()


def _name_sitemap(element: etree._Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
