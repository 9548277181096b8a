"""Pure: a web page becomes the draft of an article, or names the feeds of its site.

The text is extracted by trafilatura; the facts about it come from the page's own tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from watchpost.documents.clean import canonical_url, clean_line
from watchpost.documents.dates import parse_date
from watchpost.documents.encoding import decode_html
from watchpost.documents.entry import EntryDraft
from watchpost.documents.html import parse_html, text_of
from watchpost.documents.text import trim_boilerplate

_DATE_METAS = (
    "article:published_time", "datepublished", "date", "dc.date", "dc.date.issued", "dcterms.created", "pubdate",
    "publishdate", "publish-date", "parsely-pub-date", "sailthru.date", "og:published_time",
)  # fmt: skip
_JSON_LD_DATE = re.compile(r'"datePublished"\s*:\s*"([^"]{6,60})"')
_SITE_SUFFIX = re.compile(r"\s+(?:[|·•»]|::|[-–—])\s+([^|·•»]{2,40})$")
_ENOUGH = 100

FEED_LINKS_MAX = 10
_PAGE_MAX = 1_000_000
_FEED_TYPES = frozenset(f"application/{t}" for t in ("rss+xml", "atom+xml", "feed+json", "json", "rdf+xml"))


def read_page(data: bytes, now: datetime, encoding: str = "") -> EntryDraft:
    """Title (og:title, h1, title), text, date, outlet (og:site_name), canonical link and language of a page.

    `encoding` is what it is in if it is not UTF-8 and does not say so.
    Raises FetchError("binary") for bytes that are no text.
    """
    page = decode_html(data, encoding)
    root = parse_html(page)
    if root is None:
        return EntryDraft("")
    metas = _metas(root)
    raw_title = _first(root, "title")
    outlet = clean_line(metas.get("og:site_name", "") or metas.get("application-name", ""))
    title = _title(root, metas, raw_title, outlet)
    if not outlet and (suffix := _SITE_SUFFIX.search(raw_title)) and raw_title.startswith(title):
        outlet = suffix[1].strip()
    return EntryDraft(
        title=title,
        text=_body(page, root, title),
        link=_canonical(root, metas),
        author=metas.get("author", "") or metas.get("article:author", ""),
        outlet=outlet,
        lang=next((str(tag.get("lang")) for tag in root.iter("html") if tag.get("lang")), ""),
        published=_published(page, root, metas, now),
    )


def read_article(data: bytes, now: datetime, encoding: str = "") -> EntryDraft:
    """The text of an article's page and the facts that it declares about it; "" where no article is found in it.

    Only what extraction takes for the article counts: a page's frame (menus, related articles, a wall that asks for
    consent) is never taken instead. Raises FetchError("binary") for bytes that are no text.
    """
    page = decode_html(data, encoding)
    root = parse_html(page)
    if root is None:
        return EntryDraft("")
    metas = _metas(root)
    title = _title(root, metas, _first(root, "title"), clean_line(metas.get("og:site_name", "")))
    return EntryDraft(
        title=title,
        text="\n\n".join(_paragraphs(_extract(page, favor_precision=True), title)),
        author=metas.get("author", ""),
        lang=next((str(tag.get("lang")) for tag in root.iter("html") if tag.get("lang")), ""),
        published=_published(page, root, metas, now),
    )


def _title(root: Any, metas: dict[str, str], raw_title: str, outlet: str) -> str:
    headings = [heading for tag in ("h1", "h2") for heading in _all(root, tag)]
    for heading in headings:  # the one that the page's own title repeats is the article's
        if len(heading) >= 8 and heading in raw_title:
            return heading
    shared = clean_line(metas.get("og:title", ""))
    if shared:
        return shared.removesuffix(outlet).rstrip(" |·•»–—-") if outlet and shared != outlet else shared
    return _first(root, "h1") or _SITE_SUFFIX.sub("", raw_title) or (headings[0] if headings else "")


def _body(page: str, root: Any, title: str) -> str:
    text = _extract(page)
    if len(text) < _ENOUGH:
        text = text_of(root, frame=False) or text
    return "\n\n".join(_paragraphs(text, title))


def _paragraphs(text: str, title: str) -> list[str]:
    found = trim_boilerplate([clean_line(part) for part in re.split(r"\n+", text) if part.strip()])
    while found and found[0] == title:
        found = found[1:]
    return found


def _extract(page: str, *, favor_precision: bool = False) -> str:
    import trafilatura  # half a second to import: only where a page is read

    try:
        found = trafilatura.extract(
            page, fast=True, include_comments=False, with_metadata=False, favor_precision=favor_precision
        )
    except Exception:  # of any kind: lxml and the heuristics above it fail in many ways on broken pages
        return ""
    return found if isinstance(found, str) else ""


def _published(page: str, root: Any, metas: dict[str, str], now: datetime) -> datetime | None:
    texts = [metas[name] for name in _DATE_METAS if metas.get(name)]
    texts += _JSON_LD_DATE.findall(page)[:1]
    texts += [str(t.get("datetime")) for t in root.iter("time") if t.get("datetime")][:1]
    return next((moment for text in texts if (moment := parse_date(text, now))), None)


def _canonical(root: Any, metas: dict[str, str]) -> str:
    links = [tag for tag in root.iter("link") if "canonical" in (tag.get("rel") or "").lower().split()]
    return next(
        (url for tag in links if (url := canonical_url(str(tag.get("href") or "")))),
        canonical_url(metas.get("og:url", "")),
    )


def _metas(root: Any) -> dict[str, str]:
    """name, property or itemprop → content; the first of each wins."""
    found: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower()
        if name and meta.get("content"):
            found.setdefault(name, str(meta.get("content")))
    return found


def _first(root: Any, tag: str) -> str:
    return next(_all(root, tag), "")


def _all(root: Any, tag: str) -> Iterator[str]:
    texts = (clean_line("".join(element.itertext())) for element in root.iter(tag))
    return (text for text in texts if text)


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
    root = parse_html(decode_html(data)[:_PAGE_MAX])
    if root is None:
        return ()
    own = next((str(tag.get("href")) for tag in root.iter("base") if tag.get("href")), "")
    found: dict[str, FeedLink] = {}
    for link in root.iter("link", "a"):
        rels = (link.get("rel") or "").lower().split()
        kind = (link.get("type") or "").lower().partition(";")[0].strip()
        named = "feed" in rels or (link.tag == "link" and "alternate" in rels and kind in _FEED_TYPES)
        href = (link.get("href") or "").strip()
        if not (named and href):
            continue
        try:
            url = urljoin(urljoin(base, own), href)
        except ValueError:
            continue
        if url.startswith(("http://", "https://")) and "/wp-json/" not in url and len(url) < 2000:
            found.setdefault(url, FeedLink(url, " ".join((link.get("title") or "").split())[:200]))
    return tuple(found.values())[:FEED_LINKS_MAX]
