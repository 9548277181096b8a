"""Pure: reads and writes OPML 1.0 and 2.0, the format in which feed readers exchange lists of feeds.

An outline with an xmlUrl is a feed, one with outlines in it a folder (http://opml.org/spec2.opml, "Subscription
lists"). expat reads it, because it streams, knows line numbers, and loads nothing from outside.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape
from html.entities import html5
from urllib.parse import urlsplit
from xml.parsers import expat

from watchpost.config.yaml_reader import Mark
from watchpost.errors import Complaint

MAX_BYTES = 16 * 1024 * 1024
MAX_OUTLINES = 100_000
MAX_DEPTH = 50

NOWHERE = Mark("")
_MAX_TEXT = 200
_MAX_AMPERSANDS = 1_000_000
_GIANT_TAG = re.compile(rb"<[^<>!][^<>]{65536}")  # a million attributes cost seconds and half a gigabyte
_AMPERSAND = re.compile(rb"&(?:#[0-9]{1,7};|#x[0-9A-Fa-f]{1,6};|([A-Za-z][A-Za-z0-9]{0,30});)?")
_OF_XML = frozenset({b"amp", b"lt", b"gt", b"quot", b"apos"})
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2


@dataclass(frozen=True, slots=True)
class Outline:
    """A feed of a list. `tags`: the folders around it and its categories; `lang`: its language, or ""."""

    title: str
    url: str
    tags: tuple[str, ...] = ()
    lang: str = ""
    mark: Mark = NOWHERE


def read_opml(data: bytes, file: str) -> tuple[tuple[Outline, ...], tuple[Complaint, ...]]:
    """The feeds of a list in order, and complaints. Never raises for what the bytes hold.

    An outline that is not a feed is a warning. A file that is not OPML, too large or damaged is an error, and has no
    feeds: it is unknown which are missing.
    """
    reader = _Reader(file)
    try:
        reader.read(data)
    except _Stop as stop:
        return (), (stop.complaint,)
    except expat.ExpatError as error:
        problem = f"this is not well-formed XML ({expat.ErrorString(error.code)}); export the list again"
        return (), (reader.place(error.lineno, error.offset).complaint("", problem),)
    except (ValueError, LookupError):  # an unknown encoding, or one that the bytes do not have
        return (), (Mark(file).complaint("", "the encoding is unknown; save the list as UTF-8"),)
    return tuple(reader.outlines), tuple(reader.warnings)


def write_opml(title: str, outlines: Iterable[Outline]) -> str:
    """An OPML 2.0 document. Each feed is in the folder of its first tag; `category` has all of its tags."""
    folders: dict[str, list[Outline]] = {}
    for outline in outlines:
        folders.setdefault(outline.tags[0] if outline.tags else "", []).append(outline)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<opml version="2.0">']
    lines += [f"  <head><title>{_text(title)}</title></head>", "  <body>"]
    for folder, members in folders.items():
        indent = "      " if folder else "    "
        lines += [f'    <outline text="{_text(folder)}" title="{_text(folder)}">'] if folder else []
        lines += [indent + _element(outline) for outline in members]
        lines += ["    </outline>"] if folder else []
    return "\n".join([*lines, "  </body>", "</opml>", ""])


class _Stop(Exception):
    def __init__(self, complaint: Complaint) -> None:
        super().__init__(complaint.problem)
        self.complaint = complaint


@dataclass(slots=True)
class _Open:
    """An outline that is not closed yet: whether it is a feed, and whether it has outlines in it."""

    title: str
    mark: Mark
    kind: str
    feed: bool
    parent: bool = False


class _Reader:
    def __init__(self, file: str) -> None:
        self.outlines: list[Outline] = []
        self.warnings: list[Complaint] = []
        self._file = file
        self._open: list[_Open] = []
        self._depth = 0
        self._seen = 0
        self._skipped = 0  # empty lines before the first: XML allows none before its declaration
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.EntityDeclHandler = self._entity

    def read(self, data: bytes) -> None:
        if len(data) > MAX_BYTES:
            raise _Stop(self._whole(f"larger than {MAX_BYTES // 1024**2} MiB; split the list"))
        if not data.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
            raise _Stop(self._whole("the file is empty; export the list again"))
        if data.count(b"&") > _MAX_AMPERSANDS:
            raise _Stop(self._whole("this is not a list of feeds: it has more than a million ampersands"))
        if _GIANT_TAG.search(data):
            raise _Stop(self._whole("this is not a list of feeds: a tag has more than 65,536 characters"))
        # Lists that people write often have bare ampersands in addresses, and HTML's entities; XML allows neither.
        begun = data.lstrip()
        self._skipped = data.count(b"\n", 0, len(data) - len(begun))
        self._parser.Parse(data if b"\0" in data[:100] else _AMPERSAND.sub(_mended, begun), True)

    def place(self, line: int, column: int) -> Mark:
        """The place of a line and column of expat, which counts lines from 1 and columns from 0."""
        return Mark(self._file, line + self._skipped, column + 1)

    def _whole(self, problem: str) -> Complaint:
        return Mark(self._file).complaint("", problem)

    def _here(self) -> Mark:
        return self.place(self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Stop(self._here().complaint("", f"this is nested more than {MAX_DEPTH} levels deep"))
        tag = name.lower()
        if self._depth == 1 and tag != "opml":
            raise _Stop(self._here().complaint("", f"this is not an OPML file: it begins with <{_line(name, 40)}>"))
        if tag != "outline":
            return
        self._seen += 1
        if self._seen > MAX_OUTLINES:
            raise _Stop(self._here().complaint("", f"more than {MAX_OUTLINES:,} outlines; split the list"))
        facts = {key.lower(): value for key, value in attributes.items()}
        title = _line(facts.get("title") or facts.get("text") or "")
        url = facts.get("xmlurl", "").strip()
        if self._open:
            self._open[-1].parent = True
        self._open.append(_Open(title, self._here(), facts.get("type", "").lower(), bool(url)))
        if url:
            self.outlines.append(Outline(title, _address(url), self._tags(facts), _language(facts), self._here()))

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name.lower() != "outline":
            return
        done = self._open.pop()
        if done.feed or (done.parent and done.kind not in ("rss", "atom")):
            return
        problem = "includes another list, which is not read" if done.kind == "include" else "has no xmlUrl"
        self.warnings.append(done.mark.complaint("", f"left out: the outline '{done.title}' {problem}", "warning"))

    def _entity(self, *_: object) -> None:
        raise _Stop(self._here().complaint("", "this file defines XML entities; remove them"))

    def _tags(self, facts: dict[str, str]) -> tuple[str, ...]:
        folders = [outer.title for outer in self._open[:-1]]
        words = [*folders, *facts.get("category", "").split(",")]
        tags = (_line(word.replace(",", " ").strip("/ "), 64) for word in words)
        return tuple(dict.fromkeys(tag for tag in tags if tag))


def _mended(match: re.Match[bytes]) -> bytes:
    name = match[1]
    if name is None:
        return match[0] if len(match[0]) > 1 else b"&amp;"
    if name in _OF_XML:
        return match[0]
    meant = html5.get(name.decode("ascii") + ";", "")
    return "".join(f"&#{ord(character)};" for character in meant).encode() if meant else b"&amp;" + match[0][1:]


def _line(text: str, longest: int = _MAX_TEXT) -> str:
    """One printable line."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())[:longest].strip()


def _address(url: str) -> str:
    """The address without the scheme `feed:`, which some readers write: `feed://host/…`, `feed:https://…`."""
    rest = url.removeprefix("feed:")
    return f"http:{rest}" if rest != url and rest.startswith("//") else rest


def _language(facts: dict[str, str]) -> str:
    language = facts.get("language", "").strip().lower().partition("-")[0]
    return language if re.fullmatch("[a-z]{2,3}", language) else ""


def _text(value: str) -> str:
    return escape(_NO_XML.sub("", value), quote=True)


def _element(outline: Outline) -> str:
    facts = {"type": "rss", "text": outline.title, "title": outline.title, "xmlUrl": outline.url}
    facts |= {"category": ",".join(outline.tags)} if outline.tags else {}
    facts |= {"language": outline.lang} if outline.lang else {}
    return "<outline " + " ".join(f'{key}="{_text(value)}"' for key, value in facts.items()) + "/>"


NAME = re.compile(r"[^\W_][\w.-]{0,63}")
NAME_RULE = "a name is up to 64 letters, digits, '-', '_' or '.', and begins with a letter or digit"
PREFIX_MAX = 16
MAX_NOTICES = 50
_STEM = 48  # the longest name made of a title; with a prefix it has 64


@dataclass(frozen=True, slots=True)
class FeedList:
    """One OPML file, and what all of its feeds get. `entry` is its number in `feeds_from`, from 0."""

    entry: int
    file: str
    outlines: tuple[Outline, ...]
    prefix: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """A feed of a list, with its name."""

    name: str
    entry: int
    outline: Outline


def gather(
    lists: Iterable[FeedList], configured: Mapping[str, str], taken: Collection[str]
) -> tuple[tuple[Listed, ...], tuple[Complaint, ...]]:
    """The feeds of all lists, and a warning for each that is configured already.

    `configured` maps addresses to the names of the feeds under `feeds:`; `taken` has every name in use. A feed that is
    in several folders or lists counts once, with the tags of all.
    """
    known = {same_address(url): name for url, name in configured.items()}
    used = set(taken)
    feeds: dict[str, Listed] = {}
    warnings: list[Complaint] = []
    for feed_list in lists:
        for outline in feed_list.outlines:
            address = same_address(outline.url)
            if address in known:
                problem = f"left out: '{outline.title}' is already configured as {known[address]}"
                warnings.append(outline.mark.complaint("", problem, "warning"))
                continue
            tags = tuple(dict.fromkeys((*feed_list.tags, *outline.tags)))
            if (first := feeds.get(address)) is not None:
                both = tuple(dict.fromkeys((*first.outline.tags, *tags)))
                feeds[address] = replace(first, outline=replace(first.outline, tags=both))
            else:
                name = name_of(outline, feed_list.prefix, used)
                used.add(name)
                feeds[address] = Listed(name, feed_list.entry, replace(outline, tags=tags))
    return tuple(feeds.values()), tuple(warnings)


def few(warnings: Iterable[Complaint]) -> Iterator[Complaint]:
    """The first MAX_NOTICES warnings about each file, and how many more there are."""
    files: dict[str, list[Complaint]] = {}
    for warning in warnings:
        files.setdefault(warning.file, []).append(warning)
    for file, about in files.items():
        yield from sorted(about, key=lambda warning: (warning.line, warning.column))[:MAX_NOTICES]
        if len(about) > MAX_NOTICES:
            yield Mark(file).complaint("", f"and {len(about) - MAX_NOTICES} more warnings like these", "warning")


def name_of(outline: Outline, prefix: str, taken: Collection[str]) -> str:
    """A name made of the title, or else of the host. A second feed with that title gets part of a hash of its address.

    So a feed keeps its name, and its record in the store, when feeds are added after it.
    """
    title = prefix + outline.title
    if not (NAME.fullmatch(title) and len(title) <= _STEM + len(prefix)):
        stem = re.sub(r"[\W_]+", "-", outline.title.lower()).strip("-")[:_STEM].strip("-")
        title = (prefix + (stem or host_stem(outline.url)))[:64]
    if title not in taken:
        return title
    digest = hashlib.blake2b(same_address(outline.url).encode("utf-8", "replace"), digest_size=8).hexdigest()
    return next(name for size in (4, 8, 16) if (name := f"{title[:47]}-{digest[:size]}") not in taken or size == 16)


def host_stem(url: str) -> str:
    """`rfi-fr` for https://www.rfi.fr/…, "feed" for an address without a host."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return re.sub(r"[\W_]+", "-", host.removeprefix("www.")).strip("-")[:56] or "feed"


def same_address(url: str) -> str:
    """The address for comparing: scheme and host in small letters, without default port and fragment."""
    try:
        parts = urlsplit(url.strip())
        port = f":{parts.port}" if parts.port not in (None, 0, {"http": 80, "https": 443}.get(parts.scheme)) else ""
    except ValueError:
        return url
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path or '/'}?{parts.query}"
