"""Pure: XML from strangers becomes trees: guards and repairs, one stage for feeds and sitemaps.

A document that is not well-formed is divided into its entries, and each is repaired by itself, so that a defect in one
entry leaves every other as it is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from watchpost.errors import FetchError

ENTRIES_MAX = 20_000

S = TypeVar("S", bound=Sequence[Any])

# A tag of this length is an attack on parsers, whose time grows with the square of the attributes, or has a picture.
_GIANT_TAG = re.compile(rb"<[A-Za-z/?][^<>]{32768}[^<>]*")
_TAG_NAME = re.compile(rb"<[/?]?[\w:.-]{1,200}")
_LONG_VALUE = re.compile(rb"""=\s{0,9}(?:"[^"<>]{4096,}"|'[^'<>]{4096,}')""")
_GIANT_BYTES = 32_768
# Entities made of entities grow without bound ("billion laughs"); no feed needs one.
_NESTED_ENTITY = re.compile(rb"<!ENTITY\s[^>]{0,200}?[\"'][^\"'>]{0,2000}?&[^#;\s]{1,100};")

# What follows a bare ampersand is lost. These are the entities that XML itself knows.
_BARE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)(?:(#[0-9]{1,9}|#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{1,30});)?")
_NO_TAG = re.compile(rb"<(?![A-Za-z_/!?\x80-\xff]|\Z)|<(?=/(?![A-Za-z_\x80-\xff]))")
_TAG = re.compile(rb"<[A-Za-z][^<>]{0,2000}=[^\"'<>][^<>]{0,2000}>")
_UNQUOTED = re.compile(rb"""(\s[\w:-]{1,40}=)([^\s"'<>/]{1,200})(?=[\s>/])""")
# XML 1.0, 2.2: characters that no document may have.
_FORBIDDEN = bytes([*range(9), 11, 12, *range(14, 32)])
_NO_CHARACTERS = re.compile(rb"\xef\xbf[\xbe\xbf]")
_CDATA, _CDATA_END = b"<![CDATA[", b"]]>"
_INNER_CDATA = re.compile(rb"(<!\[CDATA\[(?:(?!\]\]>)[^<]|<(?!!\[CDATA\[)){0,200000})<!\[CDATA\[")
_SURROGATES = re.compile(
    rb"&#(?:x[dD][89abAB][0-9a-fA-F]{2}|5[56][0-9]{3});&#(?:x[dD][c-fC-F][0-9a-fA-F]{2}|5[67][0-9]{3});"
)

_ROOTS = {"feed": rb"rss|feed|rdf|channel", "sitemap": rb"urlset|sitemapindex"}
_ENTRIES = {"feed": rb"item|entry", "sitemap": rb"url|sitemap"}
_TOKENS = {
    kind: re.compile(
        rb"<!--|-->|<!\[CDATA\[|\]\]>"
        rb"|<(?P<close>/?)(?P<full>(?:[\w-]{1,20}:)?(?:(?P<entry>"
        + _ENTRIES[kind]
        + rb")|(?P<root>"
        + _ROOTS[kind]
        + rb")))(?=[\s>/]|\Z)",
        re.IGNORECASE,
    )
    for kind in _ROOTS
}
_TAG_END = re.compile(rb"[^<>]{0,9000}>")
_EMPTY = re.compile(rb"[^<>]{0,2000}/>")
_OPEN_TAG_BEFORE = re.compile(rb"<[A-Za-z][^<>]{0,500}(?<!/)>\s{0,200}\Z")
_FIELD = re.compile(rb"<(?P<name>(?:[A-Za-z_][\w.-]{0,40}:)?[A-Za-z_][\w.-]{0,60})(?P<rest>(?:[\s/][^<>]{0,9000})?)>")
_ATTRIBUTE = re.compile(rb"""([A-Za-z_][\w:.-]{0,60})\s{0,9}=\s{0,9}("[^"<>]{0,9000}"|'[^'<>]{0,9000}')""")
_NEXT_FIELD = re.compile(
    rb"<(?:[\w-]{1,20}:)?(?:title|link|guid|id|pubDate|published|updated|date|description|summary|content|encoded"
    rb"|author|creator|category|comments|enclosure|source|full-text|loc|lastmod|news|publication|name|language"
    rb"|publication_date)[\s/>]",
    re.IGNORECASE,
)
_WITH_FIELDS = frozenset({b"news", b"publication", b"author", b"contributor", b"source", b"group"})
_FIELDS_MAX = 300
_REPAIRED_MAX = 300  # entries of one document; where more are broken, the document is read as a whole


@dataclass(frozen=True, slots=True)
class Piece:
    """One entry of a document that is not well-formed: its element, or None and a document of this entry alone."""

    element: Any
    document: bytes


@dataclass(frozen=True, slots=True)
class Tree:
    """A document. `pieces` is None if it is well-formed and `root` has everything; else `root` has no entries.

    `cut`: the document ends early: within an entry, which is left out, or after one without the end of the root.
    """

    root: Any
    pieces: tuple[Piece, ...] | None = None
    cut: bool = False


def bounded(entries: S) -> S:
    """The entries of a document. Raises FetchError("too_large") above ENTRIES_MAX."""
    if len(entries) > ENTRIES_MAX:
        raise FetchError("too_large", f"the feed has more than {ENTRIES_MAX:,} entries")
    return entries


def guarded(data: bytes) -> bytes:
    """The document without what makes parsers slow: giant tags lose their long values, or all their attributes.

    Raises FetchError("malformed") for entities that are made of entities.
    """
    if b"<!ENTITY" in data and _NESTED_ENTITY.search(data):
        raise FetchError("malformed", "it defines entities in terms of other entities, which is an attack on parsers")
    return _outside_cdata(_without_giant_tags, data) if _has_giant_tag(data) else data


def _has_giant_tag(data: bytes) -> bool:
    """As _GIANT_TAG.search, which looks at each byte: so long a stretch without "<" has a place that is looked at."""
    for place in range(_GIANT_BYTES, len(data), _GIANT_BYTES):
        begin, end = data.rfind(b"<", 0, place), data.find(b"<", place)
        if (end if end >= 0 else len(data)) - begin > _GIANT_BYTES:
            return _GIANT_TAG.search(data) is not None
    return False


def without_giant_tags(text: str) -> str:
    """HTML whose giant tags have lost their long values, or all their attributes."""
    if len(text) <= _GIANT_BYTES:
        return text
    data = text.encode("utf-8", "surrogatepass")
    return _without_giant_tags(data).decode("utf-8", "surrogatepass") if _has_giant_tag(data) else text


def _without_giant_tags(markup: bytes) -> bytes:
    return _GIANT_TAG.sub(_slim, markup)


def _slim(tag: re.Match[bytes]) -> bytes:
    slim = _LONG_VALUE.sub(b'=""', tag[0])
    if len(slim) <= _GIANT_BYTES:
        return slim
    name = _TAG_NAME.match(slim)
    return (name[0] if name else b"<a") + (b"/" if slim.endswith(b"/") else b"")


def read_tree(data: bytes, kind: str) -> Tree | None:
    """The tree of guarded UTF-8; `kind` is "feed" or "sitemap". None if nothing can be made of it."""
    root = _well_formed(data)
    if root is not None and data.count(_CDATA) == data.count(_CDATA_END) and not _has_open_comment(data):
        return Tree(root)  # else one entry may be within a comment or a text of another
    return _in_pieces(data, kind) or (Tree(root) if root is not None else None)


def _has_open_comment(data: bytes) -> bool:
    return b"<!--" in data and data.count(b"<!--") != data.count(b"-->")


def _well_formed(data: bytes) -> Any:
    """The document's root, if it is well-formed or only small defects keep it from that; else None."""
    root, well_formed = parsed(data)
    if not well_formed or b"<!DOCTYPE" in data[:4096]:  # a DOCTYPE may define entities, which are not resolved
        mended = _mended(data)
        if mended != data:
            root, well_formed = parsed(mended)
    return root if well_formed else None


def parsed(data: bytes) -> tuple[Any, bool]:
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
    """Without forbidden characters; stray ampersands and brackets escaped and bare attribute values quoted."""
    kept = _NO_CHARACTERS.sub(b"", data.translate(None, _FORBIDDEN))
    return _outside_cdata(_mend, _INNER_CDATA.sub(rb"\1", kept))


def _outside_cdata(change: Callable[[bytes], bytes], data: bytes) -> bytes:
    parts, end = [], 0
    while (start := data.find(_CDATA, end)) >= 0 and (close := data.find(_CDATA_END, start)) >= 0:
        parts += [change(data[end:start]), data[start : close + 3]]
        end = close + 3
    return b"".join([*parts, change(data[end:])])


def _mend(markup: bytes) -> bytes:
    markup = _BARE.sub(_escaped, _SURROGATES.sub(_joined_surrogates, markup))
    markup = _NO_TAG.sub(b"&lt;", markup).replace(_CDATA_END, b"")
    return _TAG.sub(lambda tag: _UNQUOTED.sub(rb'\1"\2"', tag[0]), markup)


def _escaped(match: re.Match[bytes]) -> bytes:
    """A stray ampersand escaped; an entity of HTML, which XML does not know, as its letter."""
    name = (match[1] or b"").decode()
    if name.startswith("#"):
        code = int(f"0{name[1:]}", 0) if name[1] in "xX" else int(name[1:])
        allowed = code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0xFFFF < code < 0x110000
        return f"&#{code};".encode() if allowed else b""
    letter = html.unescape(f"&{name};") if name else ""
    known = letter and not letter.startswith("&")
    return html.escape(letter).encode() if known else b"&amp;" + (f"{name};" if name else "").encode()


def _joined_surrogates(match: re.Match[bytes]) -> bytes:
    """Two halves of a surrogate pair, written as two characters, as the letter that they stand for."""
    halves = re.findall(rb"&#(x?)([0-9a-fA-F]+);", match[0])
    codes = [int(digits, 16 if mark else 10) for mark, digits in halves]
    return b"".join(code.to_bytes(2, "big") for code in codes).decode("utf-16-be", "replace").encode()


@dataclass(frozen=True, slots=True)
class _Part:
    """An entry in a document, from byte `start` to `end`. `closed`: its own end tag is there."""

    start: int
    end: int
    closed: bool


class _Divider:
    """Finds the entries of a document that is not well-formed, in one pass.

    A comment or CDATA that has no end of its own, and runs over the end of an entry, ends there.
    """

    def __init__(self, data: bytes, kind: str) -> None:
        self._data = data
        self._kind = kind
        self.parts: list[_Part] = []
        self.closed = False  # whether an end tag of the root is there
        self._start: int | None = None
        self._depth = 0
        self._until = b""
        self._hidden: list[re.Match[bytes]] = []  # tags within a comment or CDATA
        self._hidden_end = self._hidden_boundary = False  # whether an entry ends there, and another one follows

    def run(self) -> int | None:
        """Fill `parts`; returns where the entry begins in which the document ends, None if it ends elsewhere."""
        for token in _TOKENS[self._kind].finditer(self._data):
            mark = token[0]
            if not self._until:
                self._seen(token)
            elif mark == self._until:
                self._show()
            elif token["full"]:
                self._hide(token)
            elif mark in (_CDATA, b"<!--") and self._hidden_boundary:
                for tag in self._show():
                    self._seen(tag)
                self._seen(token)
        if self._until and self._hidden_boundary:
            for tag in self._show():
                self._seen(tag)
        return self._start

    def _hide(self, tag: re.Match[bytes]) -> None:
        self._hidden.append(tag)
        if tag["entry"] and tag["close"]:
            self._hidden_end = True
        elif self._hidden_end and bool(tag["close"]) == bool(tag["root"]):
            self._hidden_boundary = True

    def _show(self) -> list[re.Match[bytes]]:
        """End the comment or CDATA; returns the tags that were in it."""
        hidden, self._hidden = self._hidden, []
        self._until, self._hidden_end, self._hidden_boundary = b"", False, False
        return hidden

    def _seen(self, token: re.Match[bytes]) -> None:
        if not token["full"]:
            self._until = {_CDATA: _CDATA_END, b"<!--": b"-->"}.get(token[0], b"")
        elif token["root"]:
            self.closed = self.closed or bool(token["close"])
            if token["close"] and self._start is not None:
                self._end(token.start(), closed=False)
        elif not token["close"]:
            self._opens(token)
        elif self._start is not None:
            self._depth -= 1
            if self._depth <= 0:
                end = self._data.find(b">", token.end())
                self._end(end + 1 if end >= 0 else len(self._data), closed=True)

    def _opens(self, token: re.Match[bytes]) -> None:
        empty = _EMPTY.match(self._data, token.end())
        nested = self._start is not None and _OPEN_TAG_BEFORE.search(
            self._data, max(0, token.start() - 700), token.start()
        )
        if nested:
            self._depth += not empty
            return
        if self._start is not None:
            self._end(token.start(), closed=False)
        self.closed = False  # the channel of RSS 1.0 ends before its items
        if empty:
            self.parts.append(_Part(token.start(), empty.end(), True))
        else:
            self._start, self._depth = token.start(), 1

    def _end(self, at: int, *, closed: bool) -> None:
        if self._start is not None:
            self.parts.append(_Part(self._start, at, closed))
        self._start, self._depth = None, 0


def unclosed_entry(data: bytes) -> int | None:
    """At which byte the entry begins in which this feed ends; None if it ends elsewhere.

    A document whose root is closed does not end in an entry, even if the writer left one open.
    """
    return _Divider(data, "feed").run()


def _in_pieces(data: bytes, kind: str) -> Tree | None:
    """The document entry by entry; None if its root cannot be read, or if too much of it is broken."""
    divider = _Divider(data, kind)
    cut_at = divider.run()
    parts, end = divider.parts, len(data) if cut_at is None else cut_at
    before, after = _around(data[: parts[0].start if parts else end], kind)
    if not before or len(parts) > ENTRIES_MAX:
        return None
    gaps = [0, *(part.end for part in parts)], [*(part.start for part in parts), end]
    outside = b"".join(data[start:stop] for start, stop in zip(*gaps, strict=True))
    root = _well_formed(outside)
    if root is None:
        root = parsed(_mended(outside))[0]
    if root is None:
        root = parsed(before + after)[0]
    if root is None:
        return None
    pieces, broken = [], 0
    for part in parts:
        document, element = _piece(data[part.start : part.end], part.closed, before, after)
        broken += element is None
        if broken > _REPAIRED_MAX:
            return None
        pieces.append(Piece(element, document))
    return Tree(root, tuple(pieces), cut_at is not None or (bool(parts) and not divider.closed))


def _around(head: bytes, kind: str) -> tuple[bytes, bytes]:
    """The start tags of the root, and of an RSS channel, with the namespaces that they declare; and their end tags."""
    tags = []
    for token in _TOKENS[kind].finditer(head):
        if token["root"] and not token["close"] and (end := _TAG_END.match(head, token.end())):
            tags.append((token["full"], head[token.start() : end.end()]))
            if token["root"].lower() != b"rss":
                break
    return b"".join(tag for _, tag in tags), b"".join(b"</" + name + b">" for name, _ in reversed(tags))


def _piece(entry: bytes, closed: bool, before: bytes, after: bytes) -> tuple[bytes, Any]:
    """A document of this entry alone, and the entry's element in it; None where no repair helps."""
    tag = _FIELD.match(entry)
    end_tag = b"" if closed or tag is None else b"</" + tag["name"] + b">"
    document = before + entry + end_tag + after
    for repair in (bytes, _mended, lambda raw: _mended(_fields_repaired(raw, tag))):
        document = before + repair(entry + end_tag) + after
        root, well_formed = parsed(document)
        if well_formed:
            holder = root[0] if after.count(b"</") > 1 else root
            return document, holder[0] if len(holder) else None
    return before + _mended(entry + end_tag) + after, None


def _fields_repaired(entry: bytes, tag: re.Match[bytes] | None) -> bytes:
    """The entry with each of its fields well-formed: what is no markup of XML is text."""
    if tag is None or tag["rest"].endswith(b"/"):
        return entry
    stop = entry.rfind(b"</" + tag["name"])
    inner = _repaired_fields(entry[tag.end() : stop if stop >= 0 else len(entry)])
    return b"<" + tag["name"] + _attributes(tag["rest"]) + b">" + inner + b"</" + tag["name"] + b">"


def _repaired_fields(fields: bytes) -> bytes:
    """A sequence of elements, each well-formed. What is between them is left out."""
    parts: list[bytes] = []
    at = 0
    while len(parts) < _FIELDS_MAX and (field := _FIELD.search(fields, at)) is not None:
        name, rest = field["name"], field["rest"]
        if rest.endswith(b"/"):
            parts.append(b"<" + name + _attributes(rest) + b"/>")
            at = field.end()
            continue
        has_fields = name.rpartition(b":")[2].lower() in _WITH_FIELDS
        close = fields.find(b"</" + name + b">", field.end())
        if close < 0 and name.rpartition(b":")[2].lower() == b"news":  # its fields follow
            close = at = len(fields)
        elif close < 0:
            following = _NEXT_FIELD.search(fields, field.end())
            close = at = following.start() if following else len(fields)
        else:
            at = close + len(name) + 3
        inner = fields[field.end() : close]
        content = _repaired_fields(inner) if has_fields and b"<" in inner else _as_content(inner)
        parts.append(b"<" + name + _attributes(rest) + b">" + content + b"</" + name + b">")
    return b"".join(parts)


def _as_content(inner: bytes) -> bytes:
    """The content of a field: as it is if it is well-formed, else as text."""
    for content in (inner, _mended(inner)):
        if parsed(b"<x>" + content + b"</x>")[1]:
            return content
    text = inner.replace(_CDATA, b"").replace(_CDATA_END, b"").translate(None, _FORBIDDEN)
    if text.count(b"<!--") > text.count(b"-->"):  # what follows an open comment is no comment
        text = b"".join(text.rpartition(b"<!--")[::2])
    return text.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")


def _attributes(text: bytes) -> bytes:
    """The attributes that can be read, the first of each name."""
    found: dict[bytes, bytes] = {}
    for name, value in _ATTRIBUTE.findall(_UNQUOTED.sub(rb'\1"\2"', text + b" ")):
        found.setdefault(name, value)
    return b"".join(b" " + name + b"=" + value for name, value in found.items())
