"""Still: lists of feeds beside the feeds of the configuration: what they are called, and which of twins counts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from watchpost.errors import Complaint
from watchpost.plan.opml import Outline
from watchpost.plan.positions import Mark

NAME = re.compile(r"[^\W_][\w.-]{0,63}")
NAME_RULE = "a name is up to 64 letters, digits, '-', '_' or '.', and begins with a letter or digit"
PREFIX_MAX = 16
MAX_NOTICES = 50
_STEM = 48  # so long may a name made of a title be: with a prefix it is 64


@dataclass(frozen=True, slots=True)
class FeedList:
    """One OPML file and what the configuration says of all its feeds. `entry` counts `feeds_from`, from 0."""

    entry: int
    file: str
    outlines: tuple[Outline, ...]
    prefix: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """A feed of a list under its name."""

    name: str
    entry: int
    outline: Outline


def gather(
    lists: Iterable[FeedList], configured: Mapping[str, str], taken: Collection[str]
) -> tuple[tuple[Listed, ...], tuple[Complaint, ...]]:
    """The feeds of all lists, and a warning for each that is configured already.

    `configured` maps addresses to the names of the feeds under `feeds:`, `taken` holds every name in use. A feed
    that stands in several folders or lists counts once, with the tags of all.
    """
    known = {same_address(url): name for url, name in configured.items()}
    used = set(taken)
    found: dict[str, Listed] = {}
    notices: list[Complaint] = []
    for one in lists:
        for outline in one.outlines:
            address = same_address(outline.url)
            tags = tuple(dict.fromkeys((*one.tags, *outline.tags)))
            if address in known:
                problem = f"'{outline.title}' is configured already as {known[address]}, which counts"
                notices.append(outline.mark.complaint("", problem, "warning"))
            elif address in found:
                first = found[address]
                both = tuple(dict.fromkeys((*first.outline.tags, *tags)))
                found[address] = Listed(first.name, first.entry, _tagged(first.outline, both))
            else:
                name = name_of(outline, one.prefix, used)
                used.add(name)
                found[address] = Listed(name, one.entry, _tagged(outline, tags))
    return tuple(found.values()), tuple(notices)


def few(warnings: Iterable[Complaint]) -> Iterator[Complaint]:
    """The first MAX_NOTICES warnings about each file, and how many more there are."""
    files: dict[str, list[Complaint]] = {}
    for warning in warnings:
        files.setdefault(warning.file, []).append(warning)
    for file, found in files.items():
        yield from sorted(found, key=lambda one: (one.line, one.column))[:MAX_NOTICES]
        if len(found) > MAX_NOTICES:
            yield Mark(file).complaint("", f"and {len(found) - MAX_NOTICES} more warnings like these", "warning")


def name_of(outline: Outline, prefix: str, taken: Collection[str]) -> str:
    """A name made of the title, else of the host. A second feed of that title gets some letters of its address.

    So a feed keeps its name, and with it what is known of it, when others are added after it.
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
    """`rfi-fr` for https://www.rfi.fr/…, "feed" for what has no host."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return re.sub(r"[\W_]+", "-", host.removeprefix("www.")).strip("-")[:56] or "feed"


def same_address(url: str) -> str:
    """The address as one would compare it: letters of scheme and host small, no default port, no fragment."""
    try:
        parts = urlsplit(url.strip())
        port = (
            f":{parts.port}" if parts.port and (parts.scheme, parts.port) not in {("http", 80), ("https", 443)} else ""
        )
    except ValueError:
        return url
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path or '/'}?{parts.query}"


def _tagged(outline: Outline, tags: tuple[str, ...]) -> Outline:
    return Outline(outline.title, outline.url, tags, outline.lang, outline.mark)
