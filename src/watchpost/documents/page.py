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
_EXTRACTED_MIN = 100  # characters; of a shorter text the extraction has missed the article

FEED_LINKS_MAX = 10
_PAGE_MAX = 1_000_000
_FEED_TYPES = frozenset(f"application/{t}" for t in ("rss+xml", "atom+xml", "feed+json", "json", "rdf+xml"))


def read_page(data: bytes, now: datetime, encoding: str = "") -> EntryDraft:
    """Title (og:title, h1, title), text, date, outlet (og:site_name), canonical link and language of a saved page.

    `encoding` is that of a page that is not UTF-8 and declares nothing. Raises FetchError("binary").
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
    text = _extract(page)
    if len(text) < _EXTRACTED_MIN:
        text = text_of(root, frame=False) or text
    return EntryDraft(
        title=title,
        text=_without_title(text, title),
        link=_canonical(root, metas),
        author=metas.get("author", "") or metas.get("article:author", ""),
        outlet=outlet,
        lang=_language(root),
        published=_published(page, root, metas, now),
    )


def read_article(data: bytes, now: datetime, encoding: str = "") -> EntryDraft:
    """The text of an article's page and what the page declares about it; `text` is "" if no article is found.

    Only what extraction takes for the article counts, never the rest of the page: menus, related articles, a request
    for consent. Raises FetchError("binary").
    """
    page = decode_html(data, encoding)
    root = parse_html(page)
    if root is None:
        return EntryDraft("")
    metas = _metas(root)
    title = _title(root, metas, _first(root, "title"), clean_line(metas.get("og:site_name", "")))
    return EntryDraft(
        title=title,
        text=_without_title(_extract(page, favor_precision=True), title),
        author=metas.get("author", ""),
        lang=_language(root),
        published=_published(page, root, metas, now),
    )


def _title(root: Any, metas: dict[str, str], raw_title: str, outlet: str) -> str:
    headings = [heading for tag in ("h1", "h2") for heading in _all(root, tag)]
    for heading in headings:  # the one that the <title> repeats is the article's
        if len(heading) >= 8 and heading in raw_title:
            return heading
    shared = clean_line(metas.get("og:title", ""))
    if shared:
        return shared.removesuffix(outlet).rstrip(" |·•»–—-") if outlet and shared != outlet else shared
    return _first(root, "h1") or _SITE_SUFFIX.sub("", raw_title) or (headings[0] if headings else "")


def _without_title(text: str, title: str) -> str:
    paragraphs = trim_boilerplate([clean_line(part) for part in re.split(r"\n+", text) if part.strip()])
    while paragraphs and paragraphs[0] == title:
        paragraphs = paragraphs[1:]
    return "\n\n".join(paragraphs)


def _language(root: Any) -> str:
    return next((str(tag.get("lang")) for tag in root.iter("html") if tag.get("lang")), "")


def _extract(page: str, *, favor_precision: bool = False) -> str:
    import trafilatura  # takes half a second to import

    try:
        text = trafilatura.extract(
            page, fast=True, include_comments=False, with_metadata=False, favor_precision=favor_precision
        )
    except Exception:  # lxml and the heuristics above it fail in many ways on broken pages
        return ""
    return text if isinstance(text, str) else ""


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
    metas: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower()
        if name and meta.get("content"):
            metas.setdefault(name, str(meta.get("content")))
    return metas


def _first(root: Any, tag: str) -> str:
    return next(_all(root, tag), "")


def _all(root: Any, tag: str) -> Iterator[str]:
    texts = (clean_line("".join(element.itertext())) for element in root.iter(tag))
    return (text for text in texts if text)


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed that a page names."""

    url: str
    title: str


def find_feed_links(data: bytes, base: str) -> tuple[FeedLink, ...]:
    """The page's `<link rel="alternate">` of a feed's type and `rel="feed"`, in its order, at most ten.

    See https://www.rssboard.org/rss-autodiscovery. `base` is the page's address; its `<base href>` goes before. Only
    http and https; the API of a WordPress page, which is announced as JSON, is no feed.
    """
    root = parse_html(decode_html(data)[:_PAGE_MAX])
    if root is None:
        return ()
    own_base = next((str(tag.get("href")) for tag in root.iter("base") if tag.get("href")), "")
    links: dict[str, FeedLink] = {}
    for link in root.iter("link", "a"):
        rels = (link.get("rel") or "").lower().split()
        kind = (link.get("type") or "").lower().partition(";")[0].strip()
        is_feed = "feed" in rels or (link.tag == "link" and "alternate" in rels and kind in _FEED_TYPES)
        href = (link.get("href") or "").strip()
        if not (is_feed and href):
            continue
        try:
            url = urljoin(urljoin(base, own_base), href)
        except ValueError:
            continue
        if url.startswith(("http://", "https://")) and "/wp-json/" not in url and len(url) < 2000:
            links.setdefault(url, FeedLink(url, " ".join((link.get("title") or "").split())[:200]))
    return tuple(links.values())[:FEED_LINKS_MAX]
