"""Pure: RSS and Atom, read from libxml2's tree, which costs a fortieth of feedparser's time.

The result has feedparser's shape, so that one function makes drafts of both. What no repair makes well-formed is left
to feedparser, which guesses better.
"""

from __future__ import annotations

import html
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import Any, NamedTuple
from urllib.parse import urljoin

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from watchpost.documents.entry import ENDS_HTML
from watchpost.documents.xml_tree import ENTRIES_MAX, bounded, read_tree

ITEM = re.compile(rb"<(?:[\w-]{1,20}:)?(?:item|entry)[\s>/]", re.IGNORECASE)
"""The beginning of an entry, in each of the formats."""

_HTMLISH = re.compile(r"</[a-zA-Z]{1,12}>|<br ?/?>|&(?:#[0-9]{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z]{2,31});")
_PREFIXED = re.compile(r"(</?)[\w-]{1,20}:")
_HTML = ("text/html", "application/xhtml+xml", "")
_XML = "{http://www.w3.org/XML/1998/namespace}"
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_PREFIXES = {  # the vocabularies whose names have a meaning of their own, without scheme, in lower case
    "purl.org/dc/elements/1.1": "dc:",
    "purl.org/dc/terms": "dc:",
    "search.yahoo.com/mrss": "media:",
    "www.itunes.com/dtds/podcast-1.0.dtd": "itunes:",
    "purl.org/rss/1.0/modules/content": "content:",
}
_CONTENTS = ("content", "content:encoded", "encoded", "body", "itunes:summary")
# yandex:full-text, rambler:fulltext and the like (https://yandex.ru/support/news/feed.html), without hyphens.
_FULL_TEXTS = frozenset({
    "fulltext", "fullstory", "fullarticle", "fulldescription", "longdescription", "articlebody", "articletext",
    "newstext", "storytext", "maintext", "bodytext", "text", "story", "article", "html",
})  # fmt: skip
_WHOLE = frozenset({"content", "content:encoded", "encoded", "body"})  # the others count only if they are longer
_SCHEME = re.compile(r"https?://")
# RSS 0.9 to 2.0 and Atom; elements of the one in a feed of the other mean what they mean at home.
_SYNDICATION = re.compile(
    r"(?i)https?://(?:my\.netscape\.com/rdf|channel\.netscape\.com/rdf|purl\.org/(?:net/)?rss(?!/1\.0/modules)|backend\.userland\.com"
    r"|blogs\.law\.harvard\.edu/tech/rss|cyber\.law\.harvard\.edu/rss|www\.w3\.org/2005/atom|purl\.org/atom)"
)
_OWN = frozenset(_PREFIXES.values())
_DATES = {
    "pubdate": "published", "published": "published", "issued": "published", "created": "created",
    "updated": "updated", "modified": "updated", "date": "updated",
}  # fmt: skip

_OWN_DATES = _DATES | {f"dc:{name}": role for name, role in _DATES.items()}
_OTHER_LINKS = ("canonical", "related", "self")  # in RSS the last is the feed
_FOREIGN, _RELATED = "~", "+"
_MARKS = (_FOREIGN, _RELATED)
_ENTRY = frozenset({"item", "entry"})
_ROOTS = frozenset({"rss", "rdf", "feed", "channel"})

Fields = Mapping[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Unsure:
    """Why a document is left to feedparser: "not_well_formed", or "no_feed" if it does not look like one."""

    reason: str


class XmlFeed(NamedTuple):
    """The channel and the entries in feedparser's shape; of an entry that no repair helps, a document of it alone.

    `divided`: the document is not well-formed and was read entry by entry. `cut` is as in Tree.
    """

    channel: Mapping[str, Any]
    entries: Sequence[Mapping[str, Any] | bytes]
    divided: bool
    cut: bool


def read_xml_feed(data: bytes) -> XmlFeed | Unsure:
    """The feed, or why this document needs feedparser. `data` is guarded UTF-8.

    Raises FetchError("too_large") above ENTRIES_MAX.
    """
    tree = read_tree(data, "feed")
    if tree is None:
        return Unsure("not_well_formed")
    root = tree.root
    found = islice(_entries(root), ENTRIES_MAX + 1) if tree.pieces is None else (piece.element for piece in tree.pieces)
    entries = bounded(list(found))
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
    documents = [b""] * len(entries) if tree.pieces is None else [piece.document for piece in tree.pieces]
    read = [
        _entry(element, base, atom) if element is not None else document
        for element, document in zip(entries, documents, strict=True)
    ]
    return XmlFeed(about, read, tree.pieces is not None, tree.cut)


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
    prefix = _PREFIXES.get(_SCHEME.sub("", space[1:].lower()).rstrip("/"), f"{undeclared}:")
    return prefix + local if prefix in _OWN else local


def _fields(element: etree._Element) -> dict[str, list[etree._Element]]:
    """The children of an element by name; those of a vocabulary that is not known here all under "~".

    Under "+name" are those of another format of feeds, such as Atom's in RSS.
    """
    fields: dict[str, list[etree._Element]] = {}
    parent = element.tag
    for child in element:
        key = _key(child.tag, parent)
        if key in fields:
            fields[key].append(child)
        else:
            fields[key] = [child]
            if key[:1] == _RELATED:
                fields[_RELATED] = []  # there are some
    return fields


@lru_cache(2048)
def _key(tag: object, parent: object) -> str:
    """RSS itself mostly has no namespace."""
    name = _name(tag)
    if not isinstance(tag, str) or not isinstance(parent, str) or ":" in name:
        return name
    space, outer = tag.rpartition("}")[0], parent.rpartition("}")[0]
    if not space:
        return _FOREIGN if ":" in tag and ":" not in parent.rpartition("}")[2] else name
    if space == outer:
        return name
    return _RELATED + name if _SYNDICATION.match(space[1:]) else _FOREIGN


def _named(fields: Fields, *names: str) -> list[etree._Element]:
    """The elements of these names in this order; any vocabulary may have a "title", so unknown ones come last."""
    found = [element for name in names if name in fields for element in fields[name]]
    if _RELATED in fields:
        found += [element for name in names for element in fields.get(_RELATED + name, ())]
    if _FOREIGN in fields:
        found += [element for name in names for element in fields[_FOREIGN] if _name(element.tag) == name]
    return found


def _first(fields: Fields, *names: str) -> etree._Element | None:
    """The first element that is not empty, of the first of these names that has one."""
    own = _first_own(fields, *names)
    if own is not None or _FOREIGN not in fields:
        return own
    return next((each for each in _named(fields, *names) if len(each) or (each.text or "").strip()), None)


def _first_own(fields: Fields, *names: str) -> etree._Element | None:
    """As _first, but never of another vocabulary than those of feeds."""
    for name in names:
        if name in fields:
            for element in fields[name]:
                if len(element) or (element.text or "").strip():
                    return element
    if _RELATED in fields and names[0][:1] != _RELATED:
        return _first_own(fields, *(_RELATED + name for name in names))
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
    title = _first(fields, "title", "dc:title", "media:title", "itunes:title")
    described = _first(fields, "description", "summary", "dc:description")
    contents = _contents(fields, atom)
    if described is None and not contents:  # that of a picture, or in a group of media
        described = next((inner for inner in element.iter("{*}description") if (inner.text or "").strip()), None)
    summary = _inner(described)
    guid = _inner(_first_own(fields, "guid", "id")) or element.get(_ABOUT, "").strip()
    text = _inner(title)
    markup = not atom and (_HTMLISH.search(text) is not None or (title is not None and len(title) > 0))
    return {
        "id": guid,
        "link": _link(fields, guid, atom),
        "title_detail": {
            "value": text,
            "type": (_kind(title, True, text) if atom else "text/html" if markup else "text/plain") or "text/html",
            "base": _joined(base, element.get(f"{_XML}base", "")),
        },
        "summary_detail": {"value": summary, "type": _kind(described, atom, summary) or "text/html"},
        "content": [
            content
            for content in contents
            if content["value"] != summary
            and (content["of"] in _WHOLE or len(content["value"]) > len(summary))
        ],
        "author": _author(fields),
        "source": {"title": _source(fields)},
        "publisher": _inner(_first(fields, "dc:publisher", "publisher")),
        "language": _inner(_first(fields, "dc:language")) or element.get(f"{_XML}lang", ""),
        **_dates(fields),
    }  # fmt: skip


def _contents(fields: Fields, atom: bool) -> list[Mapping[str, str]]:
    """The texts of an entry, each with its media type and the name of its element."""
    if _FOREIGN in fields or _RELATED in fields:
        named = [(name, content) for name in _CONTENTS for content in _named(fields, name)]
    else:
        named = [(name, content) for name in _CONTENTS if name in fields for content in fields[name]]
    for key, elements in fields.items():
        if key == _FOREIGN or _full_text(key):
            named += [(name, element) for element in elements if (name := _full_text(element.tag))]
    return [
        {"value": value, "type": kind, "of": name}
        for name, content in named
        if (value := _content(content)) and (kind := _kind(content, atom and name == "content", value)) is not None
    ]


@lru_cache(2048)
def _full_text(tag: object) -> str:
    """The element's name without hyphens, if it is one for the whole text; else ""."""
    name = _name(tag).replace("-", "").replace("_", "")
    return name if name in _FULL_TEXTS else ""


def _content(element: etree._Element) -> str:
    """The text; Atom 0.3 (draft-ietf-atompub-format-00) may have it in base64."""
    text = _inner(element)
    if element.get("mode") != "base64":
        return text
    try:
        return b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
    except ValueError:
        return text


def _kind(element: etree._Element | None, atom: bool, text: str) -> str | None:
    """The media type of an element's content; None for what is no text (RFC 4287, 3.1.1 and 4.1.3.1).

    What declares nothing and ends elements of HTML is HTML, though Atom takes it for text.
    """
    unsaid = "text" if atom and not ENDS_HTML.search(text) else "html"
    declared = (element.get("type") or unsaid).strip().lower() if element is not None else "text"
    kind = {"text": "text/plain", "html": "text/html", "xhtml": "application/xhtml+xml"}.get(declared, declared)
    return kind if kind.startswith("text/") or kind.endswith("xml") else None


def _author(fields: Fields) -> str:
    """RSS's author, Dublin Core's creator, or the name of Atom's."""
    for author in _named(fields, "author", "dc:creator", "itunes:author"):
        parts = _fields(author)
        if name := _inner(_first(parts, "name", "email")) if parts else _inner(author):
            return name
    return ""


def _source(fields: Fields) -> str:
    """The title of the feed that an entry was taken from: RSS's text, or the title in Atom's source."""
    source = _first(fields, "source")
    return "" if source is None else _inner(_first(_fields(source), "title")) if len(source) else _inner(source)


def _link(fields: Fields, guid: str, atom: bool) -> str:
    """RSS's link, or the permanent guid; Atom's alternate link, which has no `rel` or that one (RFC 4287, 4.2.7.2).

    Without those, the link that is written as Atom's text, the id if it is an address, or a link to the entry itself
    or to what it is about. FeedBurner keeps the outlet's own address beside its own.
    """
    if _FOREIGN in fields and (original := _inner(_first(fields, "origlink"))):
        return original
    links = _named(fields, "link")
    text = next((text for link in links if (text := _address_in(link))), "")
    if not atom and text:
        return text
    by_relation: dict[str, str] = {}
    for link in links:
        kind, href = (link.get("type") or "").lower().partition(";")[0].strip(), (link.get("href") or "").strip()
        relation = (link.get("rel") or "alternate").strip().lower().rpartition("/")[2]  # once it was an address of IANA
        if href and (kind in _HTML or relation != "alternate"):
            by_relation.setdefault(relation, href)
    if "alternate" in by_relation:
        return by_relation["alternate"]
    element = None if atom else _first_own(fields, "guid")
    if guid.startswith(("http://", "https://")) if atom else _is_permanent(element):
        return guid
    return text or next(
        (by_relation[name] for name in (_OTHER_LINKS if atom else _OTHER_LINKS[:2]) if name in by_relation), ""
    )


def _is_permanent(guid: etree._Element | None) -> bool:
    return guid is not None and (guid.get("isPermaLink") or "true").lower() != "false"


def _address_in(link: etree._Element) -> str:
    """The address that is a link's text, that of `<a>` in it, or the one after an empty link.

    The last is what a parser of HTML makes of RSS, and some sites then send.
    """
    if text := (link.text or "").strip():
        return text
    if len(link):
        return next((str(href) for anchor in link if (href := anchor.get("href"))), "")
    tail = (link.tail or "").strip()
    return tail if tail.startswith(("http://", "https://")) and not link.get("href") else ""


def _dates(fields: Fields) -> dict[str, str]:
    """The texts of the dates by role, the first of each."""
    dates: dict[str, str] = {}
    for name, elements in fields.items():
        role = _OWN_DATES.get(name)
        if role and role not in dates and (text := _inner(elements[0])):
            dates[role] = text[:1_000]
    return dates or _other_dates(fields)


def _other_dates(fields: Fields) -> dict[str, str]:
    """The same of other vocabularies, where an entry has no date of its own."""
    dates: dict[str, str] = {}
    known = [(name.removeprefix(_RELATED), elements[0]) for name, elements in fields.items() if name not in _MARKS]
    for name, element in (*known, *((_name(element.tag), element) for element in fields.get(_FOREIGN, ()))):
        role = _DATES.get(name.rpartition(":")[2])
        if role and role not in dates and (text := _inner(element)):
            dates[role] = text[:1_000]
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
