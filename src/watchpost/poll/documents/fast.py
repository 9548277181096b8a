"""Still: well-formed RSS and Atom, read by fastfeedparser: thirty times cheaper than feedparser, and less careful.

It reads dates by guessing, mixes up Atom's links, and drops nested markup and unescaped ampersands. So dates, links and
types are looked up in the entry's own markup, and a document that it may read wrongly is refused here: then feedparser
reads it. What comes out has feedparser's shape, so that one function makes drafts of both.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.parsers import expat

ITEM = re.compile(rb"<(?:[\w-]{1,20}:)?(?:item|entry)[\s>/]", re.IGNORECASE)
"""The beginning of an entry, in any of the formats."""

# What follows a bare ampersand is lost. These are the entities that XML itself knows.
_BARE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)([A-Za-z][A-Za-z0-9]{1,30};)?")
# Markup that is not escaped, in a title or text; `type="xhtml"` is that, too.
_MIXED = re.compile(
    rb"<(?:title|description|summary|tagline)(?:\s[^<>]{0,500})?>[^<]{0,5000}<[A-Za-z]"
    rb"|<content(?![^<>]{0,500}xhtml)(?:\s[^<>]{0,500})?(?<!/)>[^<]{0,5000}<[A-Za-z]"
)
_NESTED_SOURCE = re.compile(rb"<(?:atom:)?source[^<>]{0,500}>\s{0,100}<[A-Za-z]")
_DATE = re.compile(
    rb"<(?:[\w-]{1,20}:)?(pubdate|published|issued|updated|modified|date|created)(?:\s[^<>]{0,200})?>"
    rb"\s{0,100}(?:<!\[CDATA\[)?([^<\]]{1,200})", re.IGNORECASE,
)  # fmt: skip
_ROLE = {b"pubdate": "published", b"published": "published", b"issued": "published", b"created": "created"}
_BASE = re.compile(rb"""xml:base\s{0,9}=\s{0,9}["']([^"'<>]{1,2000})["']""")
_LANG = re.compile(rb"""xml:lang\s{0,9}=\s{0,9}["']([\w-]{1,35})["']""")
_TYPE = re.compile(rb"""<(?:[\w-]{1,20}:)?(title|summary)\s[^<>]{0,300}?\btype\s{0,9}=\s{0,9}["']([\w/+-]{1,40})["']""")
_NO_LINK = re.compile(rb"""<guid\s[^<>]{0,200}?isPermaLink\s{0,9}=\s{0,9}["']false["']""", re.IGNORECASE)
_DESCRIBED = re.compile(rb"<(?!media:)(?:[\w-]{1,20}:)?(?:description|summary)[\s>]")
_HTMLISH = re.compile(r"</[a-zA-Z]{1,12}>|<br ?/?>|&(?:#[0-9]{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z]{2,31});")
_HTML = ("text/html", "application/xhtml+xml", "")
_HEAD = 65_536


@dataclass(frozen=True, slots=True)
class Unsure:
    """Why fastfeedparser is not to be trusted with a document: "exception", "zero", "count", "no_entry_fields", …"""

    reason: str


def read_fast(data: bytes, *, broken: bool = False) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]] | Unsure:
    """(channel, entries) in feedparser's shape, or why this document needs feedparser. `data` is guarded UTF-8.

    With `broken`, a document is read that is not well-formed: fastfeedparser mends some that nobody else can read.
    """
    import fastfeedparser

    sound = _sound(data) or (data if broken else None)
    if sound is None:
        return Unsure("not_well_formed")
    data = sound
    if _MIXED.search(data) or _NESTED_SOURCE.search(data):
        return Unsure("nested_markup")
    try:
        parsed = fastfeedparser.parse(data, include_tags=False, include_media=False, include_enclosures=False)
    except Exception:  # it raises anything; feedparser says what is wrong
        return Unsure("exception")
    starts = [match.start() for match in ITEM.finditer(data)]
    if len(starts) != len(parsed["entries"]):
        return Unsure("count" if parsed["entries"] else "zero")
    head = data[: starts[0] if starts else len(data)][:_HEAD]
    root = head.rpartition(b"<channel")[0] or head[:4096]
    if re.search(rb"<(?:[\w-]{1,20}:)?rdf[\s>]", root, re.IGNORECASE):
        return Unsure("rdf")  # it mixes up channel and image, and drops content
    base = _attribute(_BASE, _root_tag(root))
    atom = b"<channel" not in head and re.search(rb"<(?:[\w-]{1,20}:)?feed[\s>]", head) is not None
    entries, ends = [], [*starts[1:], len(data)][: len(starts)]
    for entry, start, end in zip(parsed["entries"], starts, ends, strict=True):
        if not (entry.get("title") or entry.get("link") or entry.get("id") or entry.get("description")) and starts:
            return Unsure("no_entry_fields")
        entries.append(_entry(entry, data[start:end], base, atom))
    channel = {"title": parsed["feed"].get("title") or "", "language": _language(parsed["feed"], head, root)}
    return channel, entries


def _sound(data: bytes) -> bytes | None:
    """The document, if it is well-formed or only stray ampersands keep it from that; else None."""
    if _well_formed(data):
        return data
    parts, end = [], 0
    while (start := data.find(b"<![CDATA[", end)) >= 0 and (close := data.find(b"]]>", start)) >= 0:
        parts += [_BARE.sub(_mend, data[end:start]), data[start : close + 3]]
        end = close + 3
    mended = b"".join([*parts, _BARE.sub(_mend, data[end:])])
    return mended if mended != data and _well_formed(mended) else None


def _mend(match: re.Match[bytes]) -> bytes:
    """A stray ampersand escaped; an entity of HTML, which XML does not know, as its letter."""
    name = (match[1] or b"").decode()
    letter = html.unescape("&" + name) if name else ""
    return letter.encode() if letter and not letter.startswith("&") else b"&amp;" + name.encode()


def _well_formed(data: bytes) -> bool:
    parser = expat.ParserCreate()
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        return False
    return True


def _entry(entry: Mapping[str, Any], markup: bytes, base: str, atom: bool) -> Mapping[str, Any]:
    types = {match[1]: _mime(match[2]) for match in _TYPE.finditer(markup)} if atom else {}
    title, described = entry.get("title") or "", entry.get("description") or ""
    if not _DESCRIBED.search(markup):
        described = ""  # it was made up from the content
    contents = [
        {"value": content["value"], "type": _mime(content["type"].encode())}
        for content in entry.get("content", ())
        if content["value"].strip() != described
    ]
    if longer := _element(markup, "itunes:summary"):
        contents.append({"value": longer, "type": "text/html"})
    if not contents and not described:
        described = _element(markup, "description")  # of media: or dc:
    plain = "text/plain" if atom or not _HTMLISH.search(title) else "text/html"
    summary_type = types.get(b"summary", "text/plain" if atom else "text/html")
    return {
        "id": (entry.get("id") if atom or _has_id(markup) else "") or "",
        "link": _link(entry, markup, atom),
        "title_detail": {
            "value": title, "type": types.get(b"title", plain), "base": _entry_base(markup, base),
        },
        "summary_detail": {"value": described, "type": summary_type},
        "content": contents,
        "author": entry.get("author") or "",
        "source": {"title": _element(markup, "source")},
        "publisher": _element(markup, "publisher"),
        "language": _element(markup, "dc:language"),
        **_dates(markup),
    }  # fmt: skip


def _has_id(markup: bytes) -> bool:
    """Without an id of its own an entry gets its link as one; that is no id."""
    return re.search(rb"<(?:[\w-]{1,20}:)?(?:guid|id)[\s>]|\srdf:about\s?=", markup, re.IGNORECASE) is not None


def _link(entry: Mapping[str, Any], markup: bytes, atom: bool) -> str:
    """RSS's link, or the permanent guid; Atom's alternate link, which has no `rel` or that one (RFC 4287, 4.2.7.2)."""
    if atom or not entry.get("link"):
        pages = (
            link["href"] or ""
            for link in entry.get("links", ())
            if (link.get("rel") or "alternate") == "alternate" and (link.get("type") or "") in _HTML
        )
        named = str(entry.get("id") or "")  # a page's address, in feeds whose writers thought that enough
        return next(
            (page for page in pages if page), named if atom and named.startswith(("http://", "https://")) else ""
        )
    link = str(entry["link"])
    return "" if link == entry.get("id") and _NO_LINK.search(markup) and not _element(markup, "link") else link


def _dates(markup: bytes) -> dict[str, str]:
    """The raw texts of its dates by role, the first of each."""
    found: dict[str, str] = {}
    for match in _DATE.finditer(markup):
        text = html.unescape(match[2].decode("utf-8", "replace")).strip()
        if text:
            found.setdefault(_ROLE.get(match[1].lower(), "updated"), text)
    return found


def _element(markup: bytes, name: str) -> str:
    """The text of the first element of that name (in any namespace, if none is named); "" if there is none."""
    if name.encode() not in markup:
        return ""
    match = _element_pattern(name).search(markup)
    if match is None:
        return ""
    if match[1]:
        return markup[match.end() : markup.find(b"]]>", match.end())].decode("utf-8", "replace").strip()
    return html.unescape(markup[match.end() : markup.find(b"<", match.end())].decode("utf-8", "replace")).strip()


@cache
def _element_pattern(name: str) -> re.Pattern[bytes]:
    tag = name if ":" in name else rf"(?:[\w-]{{1,20}}:)?{name}"
    return re.compile(rf"<{tag}(?:\s[^<>]{{0,500}})?(?<!/)>(?:\s{{0,100}}(<!\[CDATA\[))?".encode())


def _entry_base(markup: bytes, base: str) -> str:
    own = _attribute(_BASE, markup[: markup.find(b">") + 1]) if b"xml:base" in markup else ""
    return own or base


def _root_tag(head: bytes) -> bytes:
    match = re.search(rb"<(?:[\w-]{1,20}:)?(?:rss|feed|rdf)\b[^<>]*>", head, re.IGNORECASE)
    return match[0] if match else b""


def _language(feed: Mapping[str, Any], head: bytes, root: bytes) -> str:
    return feed.get("language") or _element(head, "language") or _attribute(_LANG, _root_tag(root))


def _attribute(pattern: re.Pattern[bytes], tag: bytes) -> str:
    match = pattern.search(tag)
    return html.unescape(match[1].decode("utf-8", "replace")) if match else ""


def _mime(kind: bytes) -> str:
    name = kind.decode("ascii", "replace").lower()
    return {"text": "text/plain", "html": "text/html", "xhtml": "application/xhtml+xml"}.get(name, name)
